//! The embedded adapters: a private PostgreSQL, local speech, local extraction, local files and printing.

pub mod audio;
pub mod blobs;
pub mod cipher;
pub mod extraction;
pub mod identity;
pub mod model;
pub mod postgres;
pub mod print;
pub mod releases;
pub mod seal;
pub mod speech;
