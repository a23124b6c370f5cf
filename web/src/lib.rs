//! seva-web.
