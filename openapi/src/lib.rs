//! seva-openapi.
