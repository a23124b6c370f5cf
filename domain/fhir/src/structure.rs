//! Whether untrusted JSON has the structure of an R4 resource (R4 <https://hl7.org/fhir/R4/json.html>,
//! <https://hl7.org/fhir/R4/validation.html>): names, types, cardinalities, formats and required codes.

mod binding;
mod companion;
mod nearest;
mod object;
mod primitive;

#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use seva_fhir_profiles::{TypeDefinition, TypeKind, definitions};

use crate::json::Json;
use crate::outcome::{Issue, IssueCode};

/// After so many issues the rest isn't looked at.
const MAX_ISSUES: usize = 100;
/// No reader of ours nests deeper; values built otherwise stop here.
const MAX_DEPTH: usize = 100;

/// Returns what is wrong with a resource; nothing means that it has the structure of its type.
#[must_use]
pub fn check(resource: &Json) -> Vec<Issue> {
    let mut checker = Checker { issues: Vec::new(), path: String::new(), depth: 0 };
    checker.resource(resource);
    checker.issues
}

struct Checker {
    issues: Vec<Issue>,
    /// The place of the value in hand, such as `Patient.name[0]`.
    path: String,
    depth: usize,
}

impl Checker {
    fn error(&mut self, code: IssueCode, diagnostics: impl Into<String>) {
        if self.issues.len() < MAX_ISSUES {
            self.issues.push(Issue::error(code, diagnostics).at(self.path.as_str()));
        }
    }

    /// Runs a check at a member of the value in hand.
    fn at_member(&mut self, name: &str, check: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push('.');
        // The name may be the caller's own; a long one would fill the answer.
        self.path.extend(name.chars().take(64));
        check(self);
        self.path.truncate(length);
    }

    /// Runs a check at an item of the array in hand.
    fn at_item(&mut self, index: usize, check: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        // Writing to a string cannot fail.
        let _ = write!(self.path, "[{index}]");
        check(self);
        self.path.truncate(length);
    }

    /// Checks a whole, contained or bundled resource.
    fn resource(&mut self, value: &Json) {
        if self.path.is_empty() {
            self.path.push_str(value.get_str("resourceType").filter(|name| is_resource(name)).unwrap_or("Resource"));
        }
        let Some(members) = value.as_object() else {
            let text = format!("a resource must be a JSON object, not {}", with_article(value));
            return self.error(IssueCode::Structure, text);
        };
        let Some(name) = members.get("resourceType") else {
            return self
                .error(IssueCode::Required, "the member resourceType is missing; name the type of the resource");
        };
        let definition = name.as_str().filter(|name| is_resource(name)).and_then(|name| definitions().type_named(name));
        match definition {
            Some(definition) => self.members(members, definition),
            None => {
                let own = name.as_str().unwrap_or_default();
                let near = nearest::nearest(own, definitions().resource_types());
                let hint = near.map_or_else(String::new, |name| format!("; did you mean {name}?"));
                let text = format!("the resourceType isn't a resource type of FHIR R4{hint}");
                self.at_member("resourceType", |checker| checker.error(IssueCode::Structure, text));
            }
        }
    }

    /// Checks a value of a type that isn't primitive.
    fn complex(&mut self, value: &Json, definition: &'static TypeDefinition) {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            self.error(IssueCode::TooCostly, "the resource nests too deeply");
        } else if definition.kind == TypeKind::Resource {
            self.resource(value);
        } else if let Some(members) = value.as_object() {
            self.members(members, definition);
        } else {
            let text = format!("a {} must be a JSON object, not {}", definition.name, with_article(value));
            self.error(IssueCode::Structure, text);
        }
        self.depth -= 1;
    }
}

fn is_resource(name: &str) -> bool {
    let definition = definitions().type_named(name);
    definition.is_some_and(|definition| definition.kind == TypeKind::Resource && !definition.is_abstract)
}

/// Names the kind of a value with its article.
fn with_article(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}
