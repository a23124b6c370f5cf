//! What a resource claims itself, wherever it stands: extensions, against their own definitions
//! (R4 <https://hl7.org/fhir/R4/defining-extensions.html>), and the profiles in `meta.profile`.

use seva_fhir_profiles::{TypeDefinition, TypeKind, definitions};

use super::check::{Checker, Found};
use crate::json::Json;
use crate::outcome::{Issue, IssueCode, Severity};
use crate::path::EvaluationContext;

/// The structure's own limit; values built otherwise stop here.
const MAX_DEPTH: usize = 100;

/// Checks every extension of a resource whose definition is known, and the profiles that it and its parts claim.
pub(super) fn check(checker: &mut Checker<'_>, context: &EvaluationContext<'_>, path: &str) {
    let name = context.definition.map_or("", |definition| definition.name);
    Walk { checker, depth: 0 }.visit(&Found::root(*context, path), name);
}

struct Walk<'c, 'p> {
    checker: &'c mut Checker<'p>,
    depth: usize,
}

impl Walk<'_, '_> {
    /// `element` is the path of the definition that the value has, such as `Patient.name`.
    fn visit(&mut self, found: &Found<'_>, element: &str) {
        let Some(definition) = found.context.definition.filter(|_| self.depth < MAX_DEPTH) else { return };
        if definition.kind == TypeKind::Resource {
            self.claims(found);
        }
        // Primitives hold theirs in a companion.
        let definition = if definition.kind == TypeKind::Primitive {
            definitions().type_named("Element").unwrap_or(definition)
        } else {
            definition
        };
        self.depth += 1;
        for child in definition.children() {
            let path = definition.element_of(child).map_or("", |element| element.path);
            for value in found.children(child.name) {
                match child.name {
                    "extension" | "modifierExtension" => self.extension(&value, (found, element)),
                    _ => self.visit(&value, path),
                }
            }
        }
        self.depth -= 1;
    }

    fn claims(&mut self, found: &Found<'_>) {
        let claimed = found.context.focus.get("meta").and_then(|meta| meta.get("profile")).map_or(&[][..], Json::items);
        for url in claimed.iter().filter_map(Json::as_str) {
            self.checker.conform(url, found);
        }
    }

    fn extension(&mut self, value: &Found<'_>, (holder, element): (&Found<'_>, &str)) {
        let url = value.context.focus.get("url").and_then(Json::as_str).unwrap_or_default().to_owned();
        // A part of a complex extension is defined within it.
        if !url.contains(':') {
            return;
        }
        let profiles = self.checker.profiles;
        if !profiles.known.contains_key(&url) {
            self.checker.report.unknown.insert(url);
            return;
        }
        let Some(profile) = profiles.get(&url) else {
            if value.member == "modifierExtension" {
                let text = format!("the modifier {url} isn't known here; who reads this may not understand it");
                self.checker.add(Issue::warning(IssueCode::Extension, text), value);
            }
            return;
        };
        self.checker.conform(&url, value);
        let contexts = &profile.contexts;
        if !contexts.is_empty() && !contexts.iter().any(|one| is_context(one, holder.context.definition, element)) {
            let text = format!("the extension {url} is for {}; move or remove it", contexts.join(", "));
            // R4's own publication has its extensions where their contexts don't allow them, so these only warn.
            let is_core = url.starts_with("http://hl7.org/fhir/StructureDefinition/");
            let severity = if is_core { Severity::Warning } else { Severity::Error };
            self.checker.add(Issue::new(severity, IssueCode::Extension, text), value);
        }
    }
}

/// Whether a context names the type of the holder, one that it extends, or its element; `Element` is any place.
fn is_context(context: &str, holder: Option<&'static TypeDefinition>, element: &str) -> bool {
    let named = holder.is_some_and(|definition| definitions().is_subtype(definition.name, context));
    let stem = context.strip_suffix("[x]").unwrap_or(context);
    named || stem == element || context == "Element"
}
