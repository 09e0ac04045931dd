//! What a run says, for people and for programs, and what the suite says of itself.

mod broken;
mod changed;
mod columns;
mod deviation;
pub mod errata;
pub mod evidence;
pub mod explain;
pub mod file;
pub mod html;
pub mod json;
pub mod junit;
pub mod list;
mod marked;
mod markup;
mod matrix;
mod missing;
pub mod plain;
pub mod progress;
pub mod random;
pub mod shell;
pub mod text;
