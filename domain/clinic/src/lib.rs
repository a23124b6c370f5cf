//! seva-clinic.

pub mod speech;
pub mod testing;
