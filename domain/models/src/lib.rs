//! seva-models.
