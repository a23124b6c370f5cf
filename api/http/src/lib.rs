//! seva-http.
