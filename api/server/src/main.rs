//! The program `seva`.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;
use seva_server::cli::Cli;

/// Small allocations by many threads are what a server does; mimalloc is the faster one at it.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match seva_server::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("seva: {error:#}");
            ExitCode::FAILURE
        }
    }
}
