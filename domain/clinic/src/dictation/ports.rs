//! What a dictation needs of the world: rows for its audio, keys, a cipher, and a place for large files.

use std::ops::Range;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use seva_fhir::ports::Stored;
use seva_fhir::types::{ResourceKey, TenantId, VersionId};
use uuid::Uuid;

use super::{Dictation, DictationState, Expiry};

/// One committed piece of audio.
#[derive(Clone, PartialEq, Eq)]
pub struct AudioChunk {
    /// Its place, from 0 without gaps.
    pub sequence: u32,
    /// How long it sounds.
    pub milliseconds: u32,
    /// How many bytes it has before encryption.
    pub size: u32,
    /// The digest of the audio before encryption: a frame that is sent again is the same frame.
    pub sha256: [u8; 32],
    /// The encrypted audio.
    pub data: Vec<u8>,
}

/// How much audio is committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// The last committed sequence number; none before the first frame.
    pub sequence: Option<u32>,
    /// How long the committed audio sounds.
    pub milliseconds: u64,
    /// How many bytes its samples have.
    pub bytes: u64,
}

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum DictationStoreError {
    /// The dictation is not in the state that the change needs.
    #[error("the dictation is in another state")]
    State,
    /// A frame is missing before the first one that was given.
    #[error("the next audio frame is {expected}")]
    Gap {
        /// The sequence number that must come next.
        expected: u32,
    },
    /// A frame with this number was committed with other audio.
    #[error("audio frame {sequence} was committed with other audio")]
    Differs {
        /// The sequence number.
        sequence: u32,
    },
    /// Bytes of a file don't follow those that are there.
    #[error("the next byte of the file is {expected}")]
    Offset {
        /// How many bytes are there.
        expected: u64,
    },
    /// The database is away; the text is for the log.
    #[error("the dictation store is not available: {0}")]
    Unavailable(String),
}

/// A lease with its fencing token: a later claim makes an earlier one worthless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The fencing token.
    pub fence: i64,
    /// How often the stage was begun, this time counted.
    pub attempts: u32,
}

/// Whether work that was given back counts among the attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It was begun and did not come to its end.
    Counts,
    /// It was interrupted by no fault of its own.
    DoesNot,
}

/// How long a claim stands without being renewed.
pub const LEASE: Duration = Duration::from_secs(30);

/// What the store of dictations answers.
pub type StoreResult<T> = Result<T, DictationStoreError>;

/// Keeps dictations and their audio.
#[async_trait]
pub trait DictationStore: Send + Sync {
    /// Adds a dictation.
    async fn create(&self, tenant: TenantId, dictation: &Dictation) -> StoreResult<()>;

    /// Finds one.
    async fn find(&self, tenant: TenantId, id: Uuid) -> StoreResult<Option<Dictation>>;

    /// Lists those of an encounter, oldest first.
    async fn by_encounter(&self, tenant: TenantId, encounter: &ResourceKey) -> StoreResult<Vec<Dictation>>;

    /// Commits frames of a dictation that takes audio, all or none: contiguous, and idempotent for frames that are there
    /// already. The first new frame makes it live.
    async fn append(&self, tenant: TenantId, id: Uuid, chunks: Vec<AudioChunk>) -> StoreResult<Saved>;

    /// Removes the frames of a file, if the claim on its decoding still stands: it is decoded from its beginning.
    async fn clear(&self, tenant: TenantId, id: Uuid, claim: Claim) -> StoreResult<()>;

    /// Commits frames of a file, if the claim on its decoding still stands; its state stays as it is.
    async fn append_decoded(&self, tenant: TenantId, id: Uuid, run: (Claim, Vec<AudioChunk>)) -> StoreResult<Saved>;

    /// Reads at most `count` chunks from a sequence number on.
    async fn chunks(&self, tenant: TenantId, id: Uuid, from: u32, count: u32) -> StoreResult<Vec<AudioChunk>>;

    /// Writes state and result if the stored state is the expected one; the attempts are counted from the beginning.
    async fn update(&self, tenant: TenantId, dictation: &Dictation, expected: DictationState) -> StoreResult<()>;

    /// Ends a state for all dictations that were in it for too long, and tells which, a hundred at most.
    async fn expire(&self, expiry: &Expiry) -> StoreResult<Vec<(TenantId, Uuid)>>;

    /// Tells how many dictations, with this one, wait for a worker up to its place; 0 when it does not wait.
    async fn place(&self, tenant: TenantId, id: Uuid) -> StoreResult<u32>;

    /// Lists who waits for a worker, the longest first, so many at most.
    async fn waiting(&self, count: u32) -> StoreResult<Vec<(TenantId, Uuid)>>;

    /// Takes the dictation that has waited longest for its next stage, or whose worker is gone; the lease ends by itself.
    async fn claim(&self) -> StoreResult<Option<(TenantId, Dictation, Claim)>>;

    /// Goes on holding it; false when somebody else took it meanwhile.
    async fn renew(&self, tenant: TenantId, id: Uuid, claim: Claim) -> StoreResult<bool>;

    /// Writes what a stage came to, if the claim still stands; where another stage follows, the claim goes on.
    async fn advance(&self, tenant: TenantId, done: &Dictation, under: (DictationState, Claim)) -> StoreResult<()>;

    /// Gives a dictation back whose stage was not done.
    async fn give_back(&self, tenant: TenantId, id: Uuid, claim: Claim, attempt: Attempt) -> StoreResult<()>;

    /// Ends all leases, without counting them as attempts: for a node that knows that it is alone, at its start.
    async fn release(&self) -> StoreResult<()>;

    /// Marks it withdrawn, for a reason where there is one to tell, and removes its text, its audio rows and its key, in one
    /// unit; a blob of its audio is removed after.
    async fn withdraw(&self, tenant: TenantId, id: Uuid, reason: Option<&str>) -> StoreResult<()>;
}

/// Where the audio of a dictation lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AudioPlace {
    /// In rows, a chunk each, as it came.
    Rows,
    /// In one sealed blob.
    Blob,
    /// Its key is gone, its blob not yet.
    Shredding,
    /// Nowhere.
    Shredded,
}

impl AudioPlace {
    /// Every place.
    pub const ALL: [Self; 4] = [Self::Rows, Self::Blob, Self::Shredding, Self::Shredded];

    /// Returns the stored word.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Blob => "blob",
            Self::Shredding => "shredding",
            Self::Shredded => "shredded",
        }
    }

    /// Reads the stored word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|place| place.code() == code)
    }

    /// Tells whether there is audio to hear.
    #[must_use]
    pub const fn is_kept(self) -> bool {
        matches!(self, Self::Rows | Self::Blob)
    }
}

/// A dictation whose audio is kept, beside the Consent that it was recorded under, as it stands now.
#[derive(Clone)]
pub struct UnderConsent {
    /// The hospital.
    pub tenant: TenantId,
    /// The dictation.
    pub dictation: Dictation,
    /// The Consent; none when it was deleted.
    pub consent: Option<Stored>,
}

/// What the life of recorded audio needs of the database, from its last frame to its end.
#[async_trait]
pub trait RecordingArchive: Send + Sync {
    /// Takes a dictation whose work is done and whose audio still lies in rows; the lease ends by itself.
    async fn claim_audio(&self) -> StoreResult<Option<(TenantId, Dictation, Claim)>>;

    /// Removes the rows of audio that lies in a blob now, if the claim still stands and the audio is still kept.
    async fn moved(&self, tenant: TenantId, id: Uuid, claim: Claim) -> StoreResult<()>;

    /// Finds the chunk that holds a byte of the samples: its sequence number, and its first byte.
    async fn chunk_at(&self, tenant: TenantId, id: Uuid, byte: u64) -> StoreResult<Option<(u32, u64)>>;

    /// Destroys the key and the rows of kept audio, in one unit; false when there was nothing to destroy. What the audio
    /// came to stays.
    async fn shred(&self, tenant: TenantId, id: Uuid) -> StoreResult<bool>;

    /// Notes that the blob of shredded audio is gone too.
    async fn blob_removed(&self, tenant: TenantId, id: Uuid) -> StoreResult<()>;

    /// Lists audio whose key is gone and whose blob may not be, so many at most.
    async fn shredding(&self, count: u32) -> StoreResult<Vec<(TenantId, Uuid)>>;

    /// Lists dictations that were reviewed, or in which nobody spoke, so long ago and whose audio is kept, so many at most.
    async fn kept_since(&self, age: Duration, count: u32) -> StoreResult<Vec<(TenantId, Dictation)>>;

    /// Lists dictations whose audio is kept and whose Consent is not the version that was last judged, from behind a place
    /// on, so many looked at; with the place where it stopped, none at the end.
    async fn under_changed_consents(&self, after: Option<ArchivePlace>, looked_at: u32) -> StoreResult<ConsentsPage>;

    /// Notes which version of its Consent permits a dictation.
    async fn judged(&self, tenant: TenantId, id: Uuid, version: VersionId) -> StoreResult<()>;
}

/// A place in the order in which kept audio is looked through.
pub type ArchivePlace = (TenantId, Uuid);

/// A page of dictations whose Consents changed.
#[derive(Clone, Default)]
pub struct ConsentsPage {
    /// The dictations.
    pub changed: Vec<UnderConsent>,
    /// Where to go on; none at the end.
    pub next: Option<ArchivePlace>,
}

/// Where a part of an uploaded file lies in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartPlace {
    /// Its number, from 0.
    pub number: u32,
    /// The first byte.
    pub at: u64,
    /// How many bytes it has.
    pub size: u32,
}

impl PartPlace {
    /// The byte after the last.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.at + u64::from(self.size)
    }

    /// Whether a byte of the file lies in it.
    #[must_use]
    pub fn holds(&self, byte: u64) -> bool {
        byte >= self.at && byte < self.end()
    }
}

/// Keeps the parts of uploaded files, encrypted, until they are decoded.
#[async_trait]
pub trait RecordingUploads: Send + Sync {
    /// Commits the next part of a dictation that takes a file.
    async fn keep(&self, tenant: TenantId, id: Uuid, place: PartPlace, data: Vec<u8>) -> StoreResult<()>;

    /// The last part that is there.
    async fn last(&self, tenant: TenantId, id: Uuid) -> StoreResult<Option<PartPlace>>;

    /// Lists the parts in their order.
    async fn parts(&self, tenant: TenantId, id: Uuid) -> StoreResult<Vec<PartPlace>>;

    /// Reads a part.
    async fn part(&self, tenant: TenantId, id: Uuid, number: u32) -> StoreResult<Option<Vec<u8>>>;

    /// Removes the parts of a dictation.
    async fn remove(&self, tenant: TenantId, id: Uuid) -> StoreResult<()>;

    /// Removes those of dictations that have been abandoned, or have waited for another file, for so long.
    async fn remove_left(&self, after: Duration) -> StoreResult<()>;
}

/// A recording's own key, encrypted under the master key.
#[derive(Clone, PartialEq, Eq)]
pub struct WrappedKey(pub Vec<u8>);

/// Keeps one wrapped key for each recording or blob.
#[async_trait]
pub trait RecordingKeys: Send + Sync {
    /// Stores the key of a recording, once.
    async fn create(&self, tenant: TenantId, blob: Uuid, key: &WrappedKey) -> Result<(), DictationStoreError>;

    /// Finds it; none after it was shredded.
    async fn find(&self, tenant: TenantId, blob: Uuid) -> Result<Option<WrappedKey>, DictationStoreError>;

    /// Destroys it, and with it whatever was encrypted under it.
    async fn shred(&self, tenant: TenantId, blob: Uuid) -> Result<(), DictationStoreError>;
}

/// Says that encryption or decryption failed, without saying why: the reason would help an attacker only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the recording cannot be encrypted or decrypted with this key")]
pub struct CipherError;

/// Encrypts the pieces of a recording under its own key (AES-256-GCM, NIST SP 800-38D).
pub trait AudioCipher: Send + Sync {
    /// Makes a new key for a blob, wrapped by the master key.
    fn new_key(&self, blob: Uuid) -> Result<WrappedKey, CipherError>;

    /// Encrypts the piece with a sequence number; one number is used for one content only.
    fn encrypt(&self, blob: Uuid, key: &WrappedKey, sequence: u32, plain: &[u8]) -> Result<Vec<u8>, CipherError>;

    /// By how many bytes a sealed piece is longer.
    fn overhead(&self) -> u64;

    /// Decrypts it; a piece moved to another place or recording is refused.
    fn decrypt(&self, blob: Uuid, key: &WrappedKey, sequence: u32, sealed: &[u8]) -> Result<Vec<u8>, CipherError>;
}

/// What a blob store answers.
#[derive(Clone, PartialEq, Eq)]
pub struct BlobContent {
    /// The media type it was stored with.
    pub content_type: String,
    /// The size of the whole.
    pub size: u64,
    /// The bytes that were asked for.
    pub bytes: Vec<u8>,
}

/// Why a blob store could not do it.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The range lies outside the blob.
    #[error("the range lies outside the blob of {size} bytes")]
    Range {
        /// The size of the blob.
        size: u64,
    },
    /// The store is away or refused; the text is for the log.
    #[error("the blob store is not available: {0}")]
    Unavailable(String),
}

/// Keeps files that are too large for rows of a resource: signed documents, uploaded recordings.
#[async_trait]
pub trait BlobStore: Send + Sync {
    /// Stores a blob; the same id with the same bytes is stored once.
    async fn put(&self, tenant: TenantId, id: Uuid, content_type: &str, bytes: Vec<u8>) -> Result<(), BlobError>;

    /// Reads a range of a blob, or all of it; none when there is no such blob.
    async fn get(
        &self,
        tenant: TenantId,
        id: Uuid,
        range: Option<Range<u64>>,
    ) -> Result<Option<BlobContent>, BlobError>;

    /// Begins a blob of unknown size. Nothing can be read under its id before [`BlobWriter::finish`]; then it stands in
    /// place of one that was there.
    async fn write(&self, tenant: TenantId, id: Uuid, content_type: &str) -> Result<Box<dyn BlobWriter>, BlobError>;

    /// Removes a blob; one that is not there is no error.
    async fn delete(&self, tenant: TenantId, id: Uuid) -> Result<(), BlobError>;

    /// Tells whether blobs can be stored now.
    async fn health(&self) -> Result<(), BlobError>;
}

/// A blob that is being written piece by piece.
#[async_trait]
pub trait BlobWriter: Send {
    /// Adds bytes at its end.
    async fn append(&mut self, bytes: Vec<u8>) -> Result<(), BlobError>;

    /// Makes it durable, and readable under its id.
    async fn finish(self: Box<Self>) -> Result<(), BlobError>;

    /// Lets go of what was written.
    async fn abandon(self: Box<Self>);
}
