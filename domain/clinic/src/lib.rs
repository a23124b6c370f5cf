//! seva-clinic.

pub mod consent;
pub mod dictation;
pub mod dosage;
pub mod drafting;
pub mod encounter_record;
pub mod entities;
pub mod failure;
pub mod formulary;
pub mod lexicon;
pub mod phrases;
pub mod speech;
pub mod testing;
pub mod vitals;
