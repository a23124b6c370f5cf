//! A concept with what is known of it (R4 <https://hl7.org/fhir/R4/codesystem.html#concept>).

use super::{list, text};
use crate::json::{Json, object};

/// A code in its system.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Concept {
    /// The code system.
    pub system: String,
    /// The code.
    pub code: String,
    /// What people read.
    pub display: Option<String>,
    /// What it means, at length.
    pub definition: Option<String>,
    /// Whether it only groups others, and is not to be chosen.
    pub not_selectable: bool,
    /// Whether it is no longer in use.
    pub inactive: bool,
    /// Other names, in other languages too.
    pub designations: Vec<Designation>,
    /// What else the code system says; its place in the hierarchy isn't among them.
    pub properties: Vec<Property>,
    /// The codes directly above it.
    pub parents: Vec<String>,
}

/// Another name of a concept.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Designation {
    /// Its language, as BCP 47 has it.
    pub language: Option<String>,
    /// A Coding: what it is used for.
    pub usage: Option<Json>,
    /// The name.
    pub value: String,
}

/// A property of a concept.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// Its code.
    pub code: String,
    /// The member that holds it, such as `valueString`.
    pub kind: String,
    /// Its value.
    pub value: Json,
}

impl Property {
    /// The value as filters compare it.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        match &self.value {
            Json::String(text) => Some(text.to_string()),
            Json::Number(digits) => Some(digits.to_string()),
            Json::Bool(flag) => Some(flag.to_string()),
            coding => coding.get_str("code").map(str::to_owned),
        }
    }
}

impl Designation {
    /// Reads one of a CodeSystem or ValueSet.
    fn of(json: &Json) -> Self {
        Self {
            language: json.get_str("language").map(str::to_owned),
            usage: json.get("use").cloned(),
            value: text(json, "value").to_owned(),
        }
    }

    /// Whether it is in a language; `en` covers `en-IN`.
    #[must_use]
    pub fn is_in(&self, wanted: &str) -> bool {
        self.language.as_deref().is_some_and(|own| covers(wanted, own))
    }

    /// As resources hold it.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut json = object([]);
        if let Some(members) = json.as_object_mut() {
            if let Some(language) = &self.language {
                members.insert("language", language.as_str());
            }
            if let Some(usage) = &self.usage {
                members.insert("use", usage.clone());
            }
            members.insert("value", self.value.as_str());
        }
        json
    }
}

impl Concept {
    /// A code of which nothing else is known.
    #[must_use]
    pub fn bare(system: &str, code: &str) -> Self {
        Self { system: system.to_owned(), code: code.to_owned(), ..Self::default() }
    }

    /// Reads what a CodeSystem says of a concept; its parents come from the whole.
    pub(super) fn of(system: &str, json: &Json) -> Self {
        let mut concept = Self {
            display: json.get_str("display").map(str::to_owned),
            definition: json.get_str("definition").map(str::to_owned),
            designations: list(json, "designation").iter().map(Designation::of).collect(),
            ..Self::bare(system, text(json, "code"))
        };
        for property in list(json, "property") {
            let value = property.as_object().and_then(|all| all.iter().find(|(name, _)| name.starts_with("value")));
            let (code, Some((kind, value))) = (text(property, "code"), value) else { continue };
            let set = value.as_bool() == Some(true);
            concept.not_selectable |= set && matches!(code, "notSelectable" | "abstract");
            concept.inactive |= set && code == "inactive";
            concept.inactive |= code == "status" && matches!(value.as_str(), Some("retired" | "inactive"));
            if !matches!(code, "parent" | "child") {
                let (code, kind) = (code.to_owned(), kind.to_owned());
                concept.properties.push(Property { code, kind, value: value.clone() });
            }
        }
        concept
    }

    /// Takes over what a value set says of a concept of its own list.
    pub(super) fn renamed(mut self, json: &Json) -> Self {
        if let Some(display) = json.get_str("display") {
            self.display = Some(display.to_owned());
        }
        self.designations.extend(list(json, "designation").iter().map(Designation::of));
        self
    }

    /// The name in a language: a designation, or the display.
    #[must_use]
    pub fn display_in(&self, language: Option<&str>) -> Option<&str> {
        let named = language.and_then(|wanted| {
            // An HTTP-like list of languages: the first one that is there.
            let wanted = wanted.split(',').map(|one| one.split(';').next().unwrap_or(one).trim());
            wanted.flat_map(|one| self.designations.iter().find(|designation| designation.is_in(one))).next()
        });
        named.map(|designation| designation.value.as_str()).or(self.display.as_deref())
    }

    /// Whether a text is a name of the concept, ignoring case.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        let names = self.designations.iter().map(|designation| designation.value.as_str());
        let folded = name.trim().to_lowercase();
        self.display.as_deref().into_iter().chain(names).any(|own| own.trim().to_lowercase() == folded)
    }

    /// Whether all words of a folded text stand in the code or one of the names.
    pub(super) fn matches(&self, words: &[String]) -> bool {
        if words.is_empty() {
            return true;
        }
        let names = self.designations.iter().map(|designation| designation.value.as_str());
        let all: Vec<&str> = names.chain([self.code.as_str()]).chain(self.display.as_deref()).collect();
        let whole = crate::index::fold(&all.join("\n"));
        words.iter().all(|word| whole.contains(word))
    }

    /// The values of a property as filters compare them.
    #[must_use]
    pub fn values(&self, property: &str) -> Vec<String> {
        match property {
            "code" | "concept" => vec![self.code.clone()],
            "display" => self.display.iter().cloned().collect(),
            "definition" => self.definition.iter().cloned().collect(),
            "parent" => self.parents.clone(),
            _ => self.properties.iter().filter(|own| own.code == property).filter_map(Property::text).collect(),
        }
    }
}

/// The words of a text filter.
#[must_use]
pub fn words_of(filter: &str) -> Vec<String> {
    filter.split_whitespace().map(crate::index::fold).filter(|word| !word.is_empty()).collect()
}

/// Whether a range of languages covers a language (RFC 4647 basic filtering).
fn covers(wanted: &str, own: &str) -> bool {
    let (wanted, own) = (wanted.to_lowercase(), own.to_lowercase());
    wanted == "*" || own.strip_prefix(&wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}
