//! The clinic: from dictation to draft to signed prescription, in FHIR R4 (<https://hl7.org/fhir/R4/>). No HTTP, no SQL.

pub mod blobs;
pub mod commands;
pub mod consent;
pub mod dictation;
mod disclosure;
pub mod dosage;
pub mod drafting;
pub mod encounter_record;
pub mod entities;
pub mod evidence;
pub mod extracting;
pub mod failure;
pub mod formulary;
pub mod laboratory;
pub mod lexicon;
pub mod phrases;
pub mod prescription;
pub mod printing;
pub mod review;
pub mod speech;
pub mod testing;
pub mod translation;
pub mod vitals;
