//! A dictation: one recording of one encounter, from the microphone to drafted resources.
//!
//! Its results are DocumentReference, Observation, Condition and MedicationRequest (R4:
//! <https://hl7.org/fhir/R4/documentreference.html>); the dictation itself is the work, not the record.

mod acts;
mod archive;
mod decoding;
mod events;
mod finishing;
mod limits;
mod live;
mod ports;
mod service;
mod states;
mod streams;
mod transcript;
mod unpacking;
mod uploads;
mod view;
mod working;

use serde::{Deserialize, Serialize};
use seva_fhir::types::{Instant, ResourceKey, VersionId};
use uuid::Uuid;

use crate::entities::Entity;

pub use archive::RecordingFile;
pub use decoding::{COMMON_MEDICINES, vocabulary};
pub use events::DictationEvent;
pub use limits::{CountedFrom, DictationLimits, Expiry};
pub use ports::{
    ArchivePlace, Attempt, AudioChunk, AudioCipher, AudioPlace, BlobContent, BlobError, BlobStore, BlobWriter,
    CipherError, Claim, ConsentsPage, DictationStore, DictationStoreError, LEASE, PartPlace, RecordingArchive,
    RecordingKeys, RecordingUploads, Saved, StoreResult, UnderConsent, WrappedKey,
};
pub use service::{DictationParts, DictationRequest, DictationService, Frame};
pub use states::{DictationState, Stage};
pub use streams::Listening;
pub use transcript::{PlacedWord, Segment, SegmentWord, Transcript};
pub use uploads::LARGEST_PART;
use uploads::UploadedFile;
pub use view::DictationView;
pub use working::OtherNodes;

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
    /// Whether final segments are read as commands.
    #[serde(default)]
    pub commands: bool,
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
    /// In which stage.
    pub failed_stage: Option<Stage>,
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
    /// The version of it that was last found to permit it.
    pub consent_version: Option<VersionId>,
    /// What was decided at the start.
    pub settings: DictationSettings,
    /// What came out.
    pub result: DictationResult,
    /// How much audio is committed.
    pub saved: Saved,
    /// Where the audio lies.
    pub audio: AudioPlace,
    /// How many bytes of a file are committed that is not decoded yet.
    pub uploaded: u64,
    /// When its state began.
    pub since: Instant,
    /// How many wait before it and with it for a worker: 0 while it is worked on, none where nothing is to be done.
    pub place: Option<u32>,
    /// When it was made.
    pub created: Instant,
    /// When it last changed.
    pub updated: Instant,
}
