//! The program `seva`.
fn main() {}
