//! What the kernel asks of the versions that a store keeps (R4 <https://hl7.org/fhir/R4/http.html#history>).

use bytes::Bytes;

use super::Method;
use crate::types::{Instant, ResourceKey, ResourceType, VersionId};

/// What a List names: a resource, or one version of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The resource.
    pub key: ResourceKey,
    /// The version, when only that one is meant.
    pub version: Option<VersionId>,
}

/// One line of a history.
pub struct HistoryEntry {
    /// Type and id.
    pub key: ResourceKey,
    /// The version.
    pub version: VersionId,
    /// When it was written.
    pub updated: Instant,
    /// How.
    pub method: Method,
    /// The resource; none for a deletion.
    pub body: Option<Bytes>,
}

/// Which versions of one resource are listed.
#[derive(Clone, Debug, Default)]
pub struct VersionsQuery {
    /// Written at or after this.
    pub since: Option<Instant>,
    /// Current at some time in this range of microseconds.
    pub at: Option<(i64, i64)>,
    /// Only these; none means any.
    pub only: Option<Vec<VersionId>>,
    /// Before this version.
    pub before: Option<VersionId>,
    /// At most so many.
    pub count: u32,
}

/// Which versions are listed.
#[derive(Clone, Debug, Default)]
pub struct ChangesQuery {
    /// Of these types; empty means of all.
    pub resource_types: Vec<ResourceType>,
    /// Written at or after this.
    pub since: Option<Instant>,
    /// Current at some time in this range of microseconds.
    pub at: Option<(i64, i64)>,
    /// Only of these; none means of any.
    pub only: Option<Vec<Listed>>,
    /// Before this place of the feed.
    pub before: Option<i64>,
    /// At most so many.
    pub count: u32,
}

/// One line of the feed of changes.
pub struct ChangeEntry {
    /// Its place in the feed.
    pub place: i64,
    /// The version.
    pub entry: HistoryEntry,
}
