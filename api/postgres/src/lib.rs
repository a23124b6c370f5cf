//! seva-postgres.
