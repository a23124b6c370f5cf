//! Speech engines behind HTTP (OpenAI's interface) and WebSockets (Vosk's).

pub mod openai;
mod place;
pub mod vosk;

pub use place::{Place, PlaceError};
