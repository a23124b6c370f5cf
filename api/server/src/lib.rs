//! The program `seva`: configuration, wiring, commands. The only composition root.

pub mod adapters;
pub mod cli;
mod commands;
pub mod configuration;
mod data_folder;
pub mod demo;
mod interruption;
mod offline;
mod pages;
mod probes;
pub mod running;
pub mod secrets;
mod telemetry;
mod workers;

pub use commands::run;
