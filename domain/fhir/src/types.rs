//! Names of things that are valid once they exist: types, ids, versions, keys, instants, references
//! (R4 <https://hl7.org/fhir/R4/datatypes.html>, <https://hl7.org/fhir/R4/references.html>).

mod instant;
mod reference;
mod resource_type;

#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

pub use instant::{Instant, InvalidInstant};
pub use reference::{ReferenceTarget, parse_reference};
pub use resource_type::{ResourceType, UnknownResourceType};

/// The longest id that R4 allows.
const MAX_ID_LENGTH: usize = 64;

/// A legal logical id: letters, digits, `-` and `.`, at most 64.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(Box<str>);

/// Says that a text isn't a legal id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id has 1 to 64 letters, digits, hyphens and full stops")]
pub struct InvalidId;

impl ResourceId {
    /// Returns the text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ResourceId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        let fits = (1..=MAX_ID_LENGTH).contains(&text.len()) && text.bytes().all(legal);
        if fits { Ok(Self(text.into())) } else { Err(InvalidId) }
    }
}

impl From<uuid::Uuid> for ResourceId {
    fn from(uuid: uuid::Uuid) -> Self {
        Self(uuid.hyphenated().to_string().into())
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The number of a resource's version, from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionId(i32);

/// Says that a text isn't a version of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version is a whole number from 1")]
pub struct InvalidVersion;

impl VersionId {
    /// The version that a create makes.
    pub const FIRST: Self = Self(1);

    /// Returns the number.
    #[must_use]
    pub fn get(self) -> i32 {
        self.0
    }

    /// Returns the version after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Reads an ETag, `W/"3"` or `"3"`, as `If-Match` carries it.
    #[must_use]
    pub fn from_etag(text: &str) -> Option<Self> {
        text.trim().trim_start_matches("W/").trim_matches('"').parse().ok()
    }
}

impl TryFrom<i32> for VersionId {
    type Error = InvalidVersion;

    fn try_from(number: i32) -> Result<Self, Self::Error> {
        if number >= 1 { Ok(Self(number)) } else { Err(InvalidVersion) }
    }
}

impl FromStr for VersionId {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A sign or leading zeros would give one version several addresses.
        if text.starts_with(['+', '0']) {
            return Err(InvalidVersion);
        }
        text.parse::<i32>().map_err(|_| InvalidVersion)?.try_into()
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The type and id of a resource on this server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceKey {
    resource_type: ResourceType,
    id: ResourceId,
}

/// Says why a text isn't `Type/id`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// There is no slash, or more than one.
    #[error("a resource's address has the form Type/id")]
    Form,
    /// The type isn't one of R4.
    #[error(transparent)]
    Type(#[from] UnknownResourceType),
    /// The id isn't legal.
    #[error(transparent)]
    Id(#[from] InvalidId),
}

impl ResourceKey {
    /// Joins a type and an id.
    #[must_use]
    pub fn new(resource_type: ResourceType, id: ResourceId) -> Self {
        Self { resource_type, id }
    }

    /// Returns the type.
    #[must_use]
    pub fn resource_type(&self) -> ResourceType {
        self.resource_type
    }

    /// Returns the id.
    #[must_use]
    pub fn id(&self) -> &ResourceId {
        &self.id
    }
}

impl FromStr for ResourceKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (resource_type, id) = text.split_once('/').ok_or(InvalidKey::Form)?;
        Ok(Self { resource_type: resource_type.parse()?, id: id.parse()? })
    }
}

impl fmt::Display for ResourceKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.resource_type, self.id)
    }
}

/// The number of a tenant; tenant 0 holds what all share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(i32);

impl TenantId {
    /// The tenant whose definitions and terminology all may read.
    pub const SHARED: Self = Self(0);

    /// Returns the number.
    #[must_use]
    pub fn get(self) -> i32 {
        self.0
    }
}

/// Says that a number isn't a tenant's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tenant's number isn't negative")]
pub struct InvalidTenant;

impl TryFrom<i32> for TenantId {
    type Error = InvalidTenant;

    fn try_from(number: i32) -> Result<Self, Self::Error> {
        if number >= 0 { Ok(Self(number)) } else { Err(InvalidTenant) }
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
