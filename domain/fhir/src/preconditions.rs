//! What a client knows of a version, and the condition that it makes of it
//! (RFC 9110 §13.1; R4 <https://hl7.org/fhir/R4/http.html#concurrency>, <https://hl7.org/fhir/R4/http.html#cread>).

use std::fmt;

use crate::types::{Instant, VersionId};

/// `If-Match`: which version must be the current one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: any, but there must be one.
    Any,
    /// One of these.
    Among(Vec<VersionId>),
}

impl IfMatch {
    /// Reads `*`, `W/"3"`, `"3"`, or a list of such; `None` when a part is no version.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.trim() == "*" {
            return Some(Self::Any);
        }
        text.split(',').map(VersionId::from_etag).collect::<Option<Vec<_>>>().map(Self::Among)
    }

    /// Whether the current version is one that is meant.
    #[must_use]
    pub fn holds(&self, current: VersionId) -> bool {
        match self {
            Self::Any => true,
            Self::Among(versions) => versions.contains(&current),
        }
    }
}

impl fmt::Display for IfMatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("any version"),
            Self::Among(versions) => {
                let names: Vec<String> = versions.iter().map(ToString::to_string).collect();
                formatter.write_str(&names.join(", "))
            }
        }
    }
}

/// `If-None-Match` and `If-Modified-Since` of a read: what the client has already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    tags: Option<Box<str>>,
    since: Option<Instant>,
}

impl Known {
    /// Joins the two; a tag goes before a time (RFC 9110 §13.1.3).
    #[must_use]
    pub fn new(if_none_match: Option<&str>, since: Option<Instant>) -> Self {
        Self { tags: if_none_match.map(Into::into), since }
    }

    /// Whether the client has the version; tags are compared weakly, because a version's bytes may be laid out in several
    /// ways.
    #[must_use]
    pub fn has(&self, version: VersionId, updated: Instant) -> bool {
        let is_meant = |one: &str| one.trim() == "*" || VersionId::from_etag(one) == Some(version);
        match &self.tags {
            Some(tags) => tags.split(',').any(is_meant),
            None => self.since.is_some_and(|since| updated <= since),
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn version(number: i32) -> VersionId {
        number.try_into().unwrap()
    }

    #[test]
    fn if_match_names_one_version_several_or_any() {
        assert_eq!(IfMatch::parse(" * "), Some(IfMatch::Any));
        let two = IfMatch::parse("W/\"3\", \"5\"").unwrap();
        assert!(two.holds(version(3)) && two.holds(version(5)) && !two.holds(version(4)));
        assert_eq!(two.to_string(), "3, 5");
        for wrong in ["", "W/\"x\"", "W/\"3\",", "W/\"0\""] {
            assert_eq!(IfMatch::parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_tag_is_compared_weakly_and_goes_before_a_time() {
        let at = Instant::from_micros(5_000_000);
        for tag in ["W/\"3\"", "\"3\"", "\"1\", W/\"3\"", "*"] {
            assert!(Known::new(Some(tag), None).has(version(3), at), "{tag:?}");
        }
        assert!(!Known::new(Some("W/\"2\""), Some(at)).has(version(3), at));
        assert!(Known::new(None, Some(at)).has(version(3), at));
        assert!(!Known::new(None, Some(Instant::from_micros(4_999_999))).has(version(3), at));
        assert!(!Known::default().has(version(3), at));
    }
}
