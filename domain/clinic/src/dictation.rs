//! A dictation: one recording of one encounter, from the microphone to drafted resources.
//!
//! Its results are DocumentReference, Observation, Condition and MedicationRequest (R4:
//! <https://hl7.org/fhir/R4/documentreference.html>); the dictation itself is the work, not the record.

mod decoding;
mod events;
mod finishing;
mod ports;
mod service;
mod transcript;
mod view;

use serde::{Deserialize, Serialize};
use seva_fhir::types::{Instant, ResourceKey};
use uuid::Uuid;

use crate::entities::Entity;

pub use events::DictationEvent;
pub use finishing::OtherNodes;
pub use ports::{
    AudioChunk, AudioCipher, BlobContent, BlobError, BlobStore, CipherError, Claim, DictationStore,
    DictationStoreError, LEASE, RecordingKeys, Saved, StoreResult, WrappedKey,
};
pub use service::{DictationParts, DictationRequest, DictationService, Frame};
pub use transcript::{PlacedWord, Segment, SegmentWord, Transcript};
pub use view::DictationView;

/// Where a dictation stands; every state but the first two is an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DictationState {
    /// Audio is taken.
    Open,
    /// Audio is complete and is worked on.
    Finishing,
    /// Resources were drafted.
    Drafted,
    /// Nobody spoke.
    NoSpeech,
    /// The work ended with a problem.
    Failed,
    /// The audio's key was shredded.
    Withdrawn,
}

impl DictationState {
    const ALL: [Self; 6] = [Self::Open, Self::Finishing, Self::Drafted, Self::NoSpeech, Self::Failed, Self::Withdrawn];

    /// Returns the stored word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Finishing => "finishing",
            Self::Drafted => "drafted",
            Self::NoSpeech => "no-speech",
            Self::Failed => "failed",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Reads the stored word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Tells whether one state may follow the other.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        match self {
            Self::Open => matches!(next, Self::Finishing | Self::Failed | Self::Withdrawn),
            Self::Finishing => matches!(next, Self::Drafted | Self::NoSpeech | Self::Failed | Self::Withdrawn),
            // A failed one may be tried again: its audio is still there.
            Self::Failed => matches!(next, Self::Finishing | Self::Withdrawn),
            Self::Drafted | Self::NoSpeech => matches!(next, Self::Withdrawn),
            Self::Withdrawn => false,
        }
    }
}

/// How the microphone is worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DictationMode {
    /// While a key is held.
    Hold,
    /// Between two presses.
    Toggle,
    /// During the whole consultation.
    Ambient,
    /// A recorded file.
    Upload,
}

/// What was decided when the dictation was made.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DictationSettings {
    /// The account that records.
    pub account: String,
    /// The name of the account's holder.
    pub display: String,
    /// The Practitioner that the account acts as, `Practitioner/x`.
    pub practitioner: Option<String>,
    /// The spoken language as a BCP 47 tag.
    pub language: String,
    /// How the microphone is worked.
    pub mode: DictationMode,
    /// The speech engine's name.
    pub engine: String,
    /// The speech engine's version.
    pub engine_version: String,
}

/// What came out of it so far.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DictationResult {
    /// How much is transcribed, 0 to 100.
    pub progress: u8,
    /// What went wrong, in words for the user.
    pub problem: Option<String>,
    /// The recognised segments.
    pub segments: Vec<Segment>,
    /// The entities of the transcript.
    pub entities: Vec<Entity>,
    /// The transcript's DocumentReference.
    pub transcript: Option<String>,
    /// The drafted Composition.
    pub composition: Option<String>,
}

/// A dictation as it is stored.
#[derive(Clone, PartialEq)]
pub struct Dictation {
    /// Its id.
    pub id: Uuid,
    /// Where it stands.
    pub state: DictationState,
    /// The patient.
    pub patient: ResourceKey,
    /// The encounter.
    pub encounter: ResourceKey,
    /// The consent that permits the recording.
    pub consent: ResourceKey,
    /// What was decided at the start.
    pub settings: DictationSettings,
    /// What came out.
    pub result: DictationResult,
    /// When it was made.
    pub created: Instant,
    /// When it last changed.
    pub updated: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_reads_back_and_withdrawn_is_final() {
        for state in DictationState::ALL {
            assert_eq!(DictationState::from_code(state.code()), Some(state));
            assert!(!DictationState::Withdrawn.may_become(state));
        }
        assert!(!DictationState::Open.may_become(DictationState::Drafted));
    }
}
