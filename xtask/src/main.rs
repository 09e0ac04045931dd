//! The habits of this workspace as commands.
fn main() {}
