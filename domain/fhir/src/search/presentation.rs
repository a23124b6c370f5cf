//! How much of a resource is answered: `_summary` and `_elements`
//! (R4 <https://hl7.org/fhir/R4/search.html#summary>, <https://hl7.org/fhir/R4/search.html#elements>).

use std::borrow::Cow;

use bytes::Bytes;
use seva_fhir_profiles::{TypeDefinition, definitions};

use super::query_string::parse_query_string;
use crate::json::{Json, JsonObject, Limits, object, parse};
use crate::outcome::{Issue, IssueCode};
use crate::ports::Stored;

/// R4's tag for a resource that is not whole.
const SUBSETTED: (&str, &str) = ("http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "SUBSETTED");
/// What every answer holds.
const ALWAYS: &[&str] = &["resourceType", "id", "meta"];

/// The choice of a caller.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presentation {
    /// `_summary`.
    pub summary: Summary,
    /// `_elements`: names of top-level elements; empty means all.
    pub elements: Vec<String>,
}

/// The values of `_summary`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Summary {
    /// Everything.
    #[default]
    Whole,
    /// The elements that the definitions mark as summary.
    Marked,
    /// Narrative, id, meta and required elements.
    Text,
    /// Everything but the narrative.
    Data,
    /// The number of matches only.
    Count,
}

impl Summary {
    /// Reads a value of `_summary`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "false" => Self::Whole,
            "true" => Self::Marked,
            "text" => Self::Text,
            "data" => Self::Data,
            "count" => Self::Count,
            _ => return None,
        })
    }
}

impl Presentation {
    /// Reads `_summary` and `_elements` of what is no search, where there is nothing to count
    /// (R4 <https://hl7.org/fhir/R4/http.html#parameters>).
    pub fn of_query(raw: &str) -> Result<Self, Issue> {
        let mut presentation = Self::default();
        if !raw.contains("_summary") && !raw.contains("_elements") {
            return Ok(presentation);
        }
        for (name, value) in parse_query_string(raw)? {
            match name.as_str() {
                "_summary" => {
                    let summary = Summary::parse(&value).filter(|summary| *summary != Summary::Count);
                    presentation.summary = summary.ok_or_else(|| {
                        let text = "_summary of what is read is true, false, text or data";
                        Issue::error(IssueCode::Invalid, text).at("http._summary")
                    })?;
                }
                "_elements" => presentation.take_elements(&value),
                _ => {}
            }
        }
        Ok(presentation)
    }

    /// Adds the names of a value of `_elements`.
    pub(super) fn take_elements(&mut self, value: &str) {
        let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
        self.elements.extend(names.map(str::to_owned));
    }

    /// The stored bytes, or as much of the resource as was asked for.
    #[must_use]
    pub fn cut<'s>(&self, body: &'s Bytes) -> Cow<'s, [u8]> {
        if self.is_whole() {
            return Cow::Borrowed(body);
        }
        match parse(body, &Limits::default()) {
            Ok(resource) => Cow::Owned(self.apply(resource).to_bytes()),
            // What is stored was parsed before: whole is better than nothing.
            Err(_) => Cow::Borrowed(body),
        }
    }

    /// A version, or as much of it as was asked for.
    #[must_use]
    pub fn shown(&self, stored: Stored) -> Stored {
        let cut = match self.cut(&stored.body) {
            Cow::Owned(cut) => cut,
            Cow::Borrowed(_) => return stored,
        };
        Stored { body: cut.into(), ..stored }
    }

    /// Whether resources go out as they are stored.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.elements.is_empty() && matches!(self.summary, Summary::Whole | Summary::Count)
    }

    /// Cuts a resource down, and tags it.
    #[must_use]
    pub fn apply(&self, resource: Json) -> Json {
        let kind = resource.get_str("resourceType").unwrap_or_default().to_owned();
        let (Some(definition), Json::Object(members)) = (definitions().type_named(&kind), resource) else {
            return Json::Null;
        };
        let mut kept = JsonObject::new();
        for (name, value) in members.iter() {
            if self.keeps(definition, name) {
                let value =
                    if self.summary == Summary::Marked { summarised(definition, name, value) } else { value.clone() };
                kept.insert(name, value);
            }
        }
        tag(&mut kept);
        kept.into()
    }

    fn keeps(&self, definition: &TypeDefinition, name: &str) -> bool {
        let plain = name.strip_prefix('_').unwrap_or(name);
        if ALWAYS.contains(&plain) {
            return true;
        }
        let child = definition.child(plain);
        let element = child.and_then(|child| definition.element_of(child));
        let required = element.is_some_and(|element| element.is_required());
        if !self.elements.is_empty() {
            let wanted = |own: &str| self.elements.iter().any(|wanted| wanted == own);
            return required
                || wanted(plain)
                || element.is_some_and(|element| wanted(element.name.trim_end_matches("[x]")));
        }
        match self.summary {
            Summary::Whole | Summary::Count => true,
            Summary::Data => plain != "text",
            Summary::Text => plain == "text" || required,
            Summary::Marked => required || element.is_some_and(|element| element.is_summary),
        }
    }
}

/// Cuts what lies below a backbone element too; datatypes stay whole.
fn summarised(definition: &TypeDefinition, name: &str, value: &Json) -> Json {
    let below = definition.child(name).and_then(|child| definitions().type_at(child.type_id));
    let Some(below) = below.filter(|below| below.name.contains('.')) else { return value.clone() };
    match value {
        Json::Array(items) => Json::Array(items.iter().map(|item| cut(below, item)).collect()),
        one => cut(below, one),
    }
}

fn cut(definition: &TypeDefinition, value: &Json) -> Json {
    let Json::Object(members) = value else { return value.clone() };
    let mut kept = JsonObject::new();
    for (name, member) in members.iter() {
        let plain = name.strip_prefix('_').unwrap_or(name);
        let element = definition.child(plain).and_then(|child| definition.element_of(child));
        if plain == "id" || element.is_some_and(|element| element.is_summary || element.is_required()) {
            kept.insert(name, summarised(definition, name, member));
        }
    }
    kept.into()
}

fn tag(members: &mut JsonObject) {
    let mut meta = match members.remove("meta") {
        Some(Json::Object(meta)) => meta,
        _ => JsonObject::new(),
    };
    let mut tags = match meta.remove("tag") {
        Some(Json::Array(tags)) => tags,
        _ => Vec::new(),
    };
    tags.push(object([("system", SUBSETTED.0.into()), ("code", SUBSETTED.1.into())]));
    meta.insert("tag", tags);
    let id = members.remove("id");
    let kind = members.remove("resourceType");
    members.insert_first("meta", meta);
    for (name, value) in [("id", id), ("resourceType", kind)] {
        if let Some(value) = value {
            members.insert_first(name, value);
        }
    }
}
