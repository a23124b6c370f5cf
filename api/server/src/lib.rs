//! seva-server.
