//! seva-clinic.

pub mod dosage;
pub mod entities;
pub mod formulary;
pub mod lexicon;
pub mod phrases;
pub mod speech;
pub mod testing;
pub mod vitals;
