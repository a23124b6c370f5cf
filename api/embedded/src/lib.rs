//! seva-embedded.
