//! What a run says, for people and for programs.

pub mod json;
mod marked;
mod matrix;
pub mod shell;
pub mod text;
