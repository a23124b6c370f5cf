//! References (R4 search.html#reference).

use seva_fhir_profiles::SearchParameter;

use super::query_string::unescape;
use crate::types::{ReferenceTarget, ResourceId, ResourceKey, ResourceType, parse_reference};

/// What a reference is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferenceTest {
    /// A resource of this server: several keys when the caller gave an id without a type.
    Local(Vec<ResourceKey>),
    /// A URL elsewhere, or a canonical.
    Url(String),
    /// `:identifier`: the business identifier in the reference.
    Identifier {
        /// The system, when given.
        system: Option<String>,
        /// The value.
        value: String,
    },
}

impl ReferenceTest {
    /// Reads `Patient/1`, `1`, or a URL; `type_modifier` is what stood after the colon.
    pub(super) fn parse(
        text: &str,
        parameter: &SearchParameter,
        type_modifier: Option<ResourceType>,
        base_url: &str,
    ) -> Result<Self, String> {
        let text = unescape(text);
        if let Ok(id) = text.parse::<ResourceId>() {
            let types: Vec<ResourceType> = match type_modifier {
                Some(resource_type) => vec![resource_type],
                None => parameter.targets.iter().filter_map(|name| name.parse().ok()).collect(),
            };
            return Ok(Self::Local(types.into_iter().map(|kind| ResourceKey::new(kind, id.clone())).collect()));
        }
        match parse_reference(&text, base_url) {
            Some(ReferenceTarget::Literal { key, .. }) => {
                if type_modifier.is_some_and(|wanted| wanted != key.resource_type()) {
                    return Err(format!("{text:?} is not of the type that the modifier names"));
                }
                Ok(Self::Local(vec![key]))
            }
            Some(ReferenceTarget::Absolute(url) | ReferenceTarget::Urn(url)) => Ok(Self::Url(url)),
            Some(ReferenceTarget::Contained(_)) | None => {
                Err(format!("{text:?} is not a reference: write Type/id, id or a URL"))
            }
        }
    }
}
