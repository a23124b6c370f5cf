//! seva-tests.
