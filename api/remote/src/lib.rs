//! seva-remote.
