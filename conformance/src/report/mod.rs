//! What a run says, for people and for programs, and what the suite says of itself.

mod broken;
mod columns;
pub mod explain;
pub mod json;
pub mod list;
mod marked;
mod matrix;
mod missing;
pub mod plain;
pub mod progress;
pub mod random;
pub mod shell;
pub mod text;
