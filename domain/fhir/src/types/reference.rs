//! What a reference's text points at (R4 <https://hl7.org/fhir/R4/references.html#literal>).

use super::{ResourceKey, VersionId};

/// The target of `Reference.reference`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ReferenceTarget {
    /// A resource of this server, perhaps at one version.
    Literal {
        /// The resource.
        key: ResourceKey,
        /// The version, when the reference names one.
        version: Option<VersionId>,
    },
    /// A resource elsewhere, or any other URL.
    Absolute(String),
    /// A `urn:uuid:`, `urn:oid:` or other URN.
    Urn(String),
    /// The id of a contained resource, without `#`; empty for the container itself.
    Contained(String),
}

/// Reads a reference; URLs below the server's own base are literal. `None` if the text is no reference.
#[must_use]
pub fn parse_reference(text: &str, base_url: &str) -> Option<ReferenceTarget> {
    if let Some(id) = text.strip_prefix('#') {
        return Some(ReferenceTarget::Contained(id.to_owned()));
    }
    if text.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("urn:")) {
        return Some(ReferenceTarget::Urn(text.to_owned()));
    }
    if let Some(local) = below(text, base_url) {
        return parse_local(local).or_else(|| Some(ReferenceTarget::Absolute(text.to_owned())));
    }
    if has_scheme(text) {
        return Some(ReferenceTarget::Absolute(text.to_owned()));
    }
    parse_local(text)
}

fn below<'t>(text: &'t str, base_url: &str) -> Option<&'t str> {
    let base = base_url.trim_end_matches('/');
    if base.is_empty() {
        return None;
    }
    text.strip_prefix(base)?.strip_prefix('/')
}

/// RFC 3986 §3.1: a scheme is a letter, then letters, digits, `+`, `-` and `.`, before a colon.
fn has_scheme(text: &str) -> bool {
    text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
    })
}

fn parse_local(text: &str) -> Option<ReferenceTarget> {
    let (key, version) = match text.split_once("/_history/") {
        Some((key, version)) => (key, Some(version.parse().ok()?)),
        None => (text, None),
    };
    Some(ReferenceTarget::Literal { key: key.parse().ok()?, version })
}
