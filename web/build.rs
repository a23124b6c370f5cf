//! Rebuilds the crate when a template, a style, a script or a text changes: `include_dir!` does not see new files.

use std::io::Write as _;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout();
    for folder in ["templates", "static", "locales", "data"] {
        writeln!(out, "cargo::rerun-if-changed={folder}")?;
    }
    Ok(())
}
