//! Contract suites: what each port promises, run by all of its adapters.

mod speech;

pub use speech::{listen, listen_with, speech_engine_contract};
