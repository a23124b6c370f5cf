//! Speech engines behind HTTP (OpenAI's interface) and WebSockets (Vosk's).

pub mod openai;
pub mod vosk;
