//! seva-clinic.
