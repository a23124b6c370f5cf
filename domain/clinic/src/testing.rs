//! Contract suites: what each port promises, run by all of its adapters.

mod blob;
mod extraction;
mod orders;
mod speech;
mod translation;

pub use blob::blob_store_contract;
pub use extraction::{GoldenCase, check_entities, extraction_contract, golden_cases, golden_label};
pub use orders::dosage_label;
pub use speech::{Confidence, SpeechContract, SpeechTrouble, listen, listen_with, speech_engine_contract};
pub use translation::{TranslationContract, translation_contract};
