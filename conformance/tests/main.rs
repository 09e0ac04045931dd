//! The tests of the suite, in one program: one link instead of forty, and while one of them waits
//! another goes on. What asks the faulty subjects, and what feeds bytes to the readers, are
//! programs of their own.

mod adapter;
mod adapter_guide;
mod alone;
mod cases;
mod catalogue;
mod check_adapter;
mod choices;
mod cli;
mod containment;
mod evidence;
mod expect;
mod files;
mod functions;
mod histories;
mod orphans;
mod page;
mod pages;
mod parse;
mod print;
mod programs;
mod progress;
mod random;
mod real_locks;
mod repeat;
mod report;
mod scripts;
mod served;
mod started;
mod steps;
mod support;
mod workers;
