//! A resource beside the elements of a profile (R4 <https://hl7.org/fhir/R4/profiling.html#resources>).

use std::cmp::Ordering;

use seva_fhir_profiles::{TypeKind, definitions};

use super::codes::CodeQuestion;
use super::element::{Element, Rule, TypeRule};
use super::value::{compare, has_pattern, is_equal};
use super::{Profiles, Report, base_type};
use crate::json::Json;
use crate::outcome::{Issue, IssueCode};
use crate::path::EvaluationContext;

/// After so many issues the rest isn't looked at.
const MAX_ISSUES: usize = 200;
/// So many pairs of value and element are looked at, then the check says that it stopped.
const MAX_STEPS: usize = 400_000;
/// Profiles that ask for each other end somewhere.
const MAX_DEPTH: usize = 60;

/// A value with its place.
#[derive(Clone, Debug)]
pub(super) struct Found<'r> {
    /// The JSON name.
    pub(super) member: &'static str,
    /// The value is the focus; `null` if a primitive has extensions only.
    pub(super) context: EvaluationContext<'r>,
    /// The `_field` of a primitive.
    pub(super) companion: Option<&'r Json>,
    pub(super) path: String,
}

impl<'r> Found<'r> {
    pub(super) fn root(context: EvaluationContext<'r>, path: &str) -> Self {
        Self { member: "", context, companion: None, path: path.to_owned() }
    }

    fn type_name(&self) -> &'static str {
        self.context.definition.map_or("", |definition| definition.name)
    }

    /// The values of an element; all types of a choice.
    pub(super) fn children(&self, name: &str) -> Vec<Found<'r>> {
        let (holder, definition) = match (self.context.focus, self.companion) {
            (Json::Object(_), _) => (self.context.focus, self.context.definition),
            (_, Some(companion)) => (companion, definitions().type_named("Element")),
            _ => return Vec::new(),
        };
        let Some(definition) = definition else { return Vec::new() };
        let mut found = Vec::new();
        match name.strip_suffix("[x]") {
            Some(stem) => definition.members_of(stem).for_each(|child| self.member(holder, child, &mut found)),
            None => definition.child(name).into_iter().for_each(|child| self.member(holder, child, &mut found)),
        }
        found
    }

    fn member(&self, holder: &'r Json, child: &'static seva_fhir_profiles::Child, found: &mut Vec<Found<'r>>) {
        let value = holder.get(child.name);
        let companions = holder.get(&format!("_{}", child.name));
        let count = value.map_or(0, |value| value.items().len().max(usize::from(value.is_null())));
        let count = count.max(companions.map_or(0, |companions| companions.items().len()));
        let is_list = value.or(companions).is_some_and(|value| value.as_array().is_some());
        let Some(definition) = definitions().type_at(child.type_id) else { return };
        for index in 0..count {
            let focus = value.and_then(|value| value.items().get(index)).unwrap_or(&Json::Null);
            let companion = companions.and_then(|all| all.items().get(index)).filter(|one| !one.is_null());
            if focus.is_null() && companion.is_none() {
                continue;
            }
            let position = if is_list { format!("[{index}]") } else { String::new() };
            let path = format!("{}.{}{position}", self.path, child.name);
            let context = if definition.kind == TypeKind::Resource {
                // A contained resource lies within its container; one in a Bundle stands for itself.
                let root = if child.name == "contained" { self.context.root } else { focus };
                EvaluationContext { root, now: self.context.now, ..EvaluationContext::of_resource(focus) }
            } else {
                self.context.at(focus, Some(definition))
            };
            found.push(Found { member: child.name, context, companion, path });
        }
    }
}

pub(super) struct Checker<'p> {
    pub(super) profiles: &'p Profiles,
    pub(super) report: Report,
    steps: usize,
    depth: usize,
}

impl<'p> Checker<'p> {
    pub(super) fn new(profiles: &'p Profiles) -> Self {
        Self { profiles, report: Report::default(), steps: 0, depth: 0 }
    }

    /// The same fault found by an element and by its slice is told once.
    pub(super) fn into_report(self) -> Report {
        let Self { mut report, steps, .. } = self;
        let mut told: Vec<Issue> = Vec::new();
        for issue in report.issues.drain(..) {
            if !told.contains(&issue) {
                told.push(issue);
            }
        }
        if steps >= MAX_STEPS {
            let text = "the resource is too large to be checked to its end; validate its parts by themselves";
            told.push(Issue::warning(IssueCode::TooCostly, text));
        }
        report.issues = told;
        report.codes.dedup();
        report
    }

    pub(super) fn add(&mut self, issue: Issue, found: &Found<'_>) {
        if self.report.issues.len() < MAX_ISSUES {
            self.report.issues.push(issue.at(found.path.as_str()));
        }
    }

    /// Tells whether a value keeps to an element, or to a profile, without telling why not.
    pub(super) fn quietly(&mut self, check: impl FnOnce(&mut Self)) -> bool {
        let report = std::mem::take(&mut self.report);
        check(self);
        let quiet = std::mem::replace(&mut self.report, report);
        self.report.unknown.extend(quiet.unknown);
        !quiet.issues.iter().any(Issue::is_error)
    }

    /// Checks a value against a profile that is named by URL.
    pub(super) fn conform(&mut self, url: &str, found: &Found<'_>) {
        let profiles = self.profiles;
        let Some(profile) = profiles.get(url) else {
            if let Some(base) = base_type(url) {
                self.base(base, found);
            } else if !profiles.known.contains_key(url) {
                self.report.unknown.insert(url.to_owned());
            } else {
                let text =
                    format!("the profile {url} isn't known here and wasn't checked; store its StructureDefinition");
                self.add(Issue::warning(IssueCode::NotSupported, text), found);
            }
            return;
        };
        if !definitions().is_subtype(found.type_name(), &profile.kind) {
            let text = format!("the profile {url} is for {}, this is a {}", profile.kind, found.type_name());
            self.add(Issue::error(IssueCode::Invalid, text), found);
            return;
        }
        self.value(&profile.root, found);
    }

    fn base(&mut self, base: &str, found: &Found<'_>) {
        if !definitions().is_subtype(found.type_name(), base) {
            let text = format!("a {base} is asked for here, this is a {}", found.type_name());
            self.add(Issue::error(IssueCode::Invalid, text), found);
        }
    }

    /// Checks one value against what an element says about each of its values.
    pub(super) fn value(&mut self, element: &Element, found: &Found<'_>) {
        self.steps += 1;
        if self.steps >= MAX_STEPS || self.depth >= MAX_DEPTH {
            return;
        }
        self.depth += 1;
        if !found.context.focus.is_null() {
            self.content(element, found);
            self.types(element, found);
        }
        for rule in &element.rules {
            self.rule(rule, found);
        }
        for child in &element.children {
            self.element(child, found);
        }
        self.depth -= 1;
    }

    /// Checks how often an element occurs, then its values and slices.
    fn element(&mut self, element: &Element, parent: &Found<'_>) {
        let values = parent.children(&element.name);
        let place =
            Found { path: format!("{}.{}", parent.path, element.name.trim_end_matches("[x]")), ..parent.clone() };
        self.cardinality(element, values.len(), &place);
        for value in &values {
            self.value(element, value);
        }
        if !element.slices.is_empty() || element.slicing.is_some() {
            self.slices(element, &values, &place);
        }
    }

    pub(super) fn cardinality(&mut self, element: &Element, count: usize, place: &Found<'_>) {
        let count = count as u64;
        let name = &element.name;
        if count < element.min {
            let text = format!(
                "{name} must occur at least {} times, it occurs {count} times; add what is missing",
                element.min
            );
            self.add(Issue::error(IssueCode::Required, text), place);
        }
        if let Some(max) = element.max.filter(|max| count > *max) {
            let text = match max {
                0 => format!("{name} is not allowed by the profile; remove it"),
                _ => format!("{name} may occur {max} times at most, it occurs {count} times; remove what is too many"),
            };
            self.add(Issue::error(IssueCode::Structure, text), place);
        }
    }

    fn content(&mut self, element: &Element, found: &Found<'_>) {
        let value = found.context.focus;
        if let Some(fixed) = element.fixed.as_ref().filter(|fixed| !is_equal(value, fixed)) {
            self.add(Issue::error(IssueCode::Value, format!("the value must be exactly {fixed}")), found);
        }
        if let Some(pattern) = element.pattern.as_ref().filter(|pattern| !has_pattern(value, pattern)) {
            self.add(Issue::error(IssueCode::Value, format!("the value must contain {pattern}")), found);
        }
        let beyond = |limit: &Option<Json>, side| limit.clone().filter(|limit| compare(value, limit) == Some(side));
        if let Some(limit) = beyond(&element.lowest, Ordering::Less) {
            self.add(Issue::error(IssueCode::Value, format!("the value must not be less than {limit}")), found);
        }
        if let Some(limit) = beyond(&element.highest, Ordering::Greater) {
            self.add(Issue::error(IssueCode::Value, format!("the value must not be more than {limit}")), found);
        }
        let length = value.as_str().map(|text| text.chars().count());
        if let (Some(length), Some(most)) = (length, element.max_length)
            && length > most
        {
            let text = format!("the text has {length} characters, {most} are allowed; shorten it");
            self.add(Issue::error(IssueCode::TooLong, text), found);
        }
        if let Some((strength, value_set)) = &element.binding
            && self.report.codes.len() < MAX_ISSUES
        {
            let (value, path) = (value.clone(), found.path.clone());
            self.report.codes.push(CodeQuestion { strength: *strength, value_set: value_set.clone(), value, path });
        }
    }

    /// The type must be one that is allowed, and keep to one of its profiles; a reference must name an allowed target.
    fn types(&mut self, element: &Element, found: &Found<'_>) {
        let name = found.type_name();
        let fits = |rule: &&TypeRule| rule.code.is_empty() || definitions().is_subtype(name, &rule.code);
        // Inline types are named by their path, and BackboneElement or Element says nothing about them.
        let is_inline = found.context.definition.is_none_or(|definition| definition.kind == TypeKind::Backbone);
        if element.types.is_empty() || is_inline {
            return;
        }
        let Some(rule) = element.types.iter().find(fits) else {
            let allowed: Vec<&str> = element.types.iter().map(|rule| rule.code.as_str()).collect();
            let text = format!("the type {name} is not allowed here; use {}", allowed.join(" or "));
            self.add(Issue::error(IssueCode::Structure, text), found);
            return;
        };
        match rule.profiles.as_slice() {
            [] => {}
            [only] => self.conform(only, found),
            several => {
                let mut one_fits = false;
                for url in several {
                    one_fits = one_fits || self.quietly(|own| own.conform(url, found));
                }
                if !one_fits {
                    let text = format!("the value must keep to one of the profiles {}", several.join(", "));
                    self.add(Issue::error(IssueCode::Structure, text), found);
                }
            }
        }
        self.target(rule, found);
    }

    fn target(&mut self, rule: &TypeRule, found: &Found<'_>) {
        let Some(kind) = super::slicing::target_type(&found.context) else { return };
        if rule.targets.is_empty() || rule.code != "Reference" {
            return;
        }
        let mut allowed = Vec::new();
        for url in &rule.targets {
            match (base_type(url), self.profiles.get(url)) {
                (Some(base), _) => allowed.push(base.to_owned()),
                (None, Some(profile)) => allowed.push(profile.kind.clone()),
                (None, None) => {
                    // What the profile is for isn't known: the reference can't be judged.
                    if !self.profiles.known.contains_key(url) {
                        self.report.unknown.insert(url.clone());
                    }
                    return;
                }
            }
        }
        if !allowed.iter().any(|base| definitions().is_subtype(&kind, base)) {
            let text = format!("the reference is to a {kind}; it must be to {}", allowed.join(" or "));
            self.add(Issue::error(IssueCode::Structure, text), found);
        }
    }

    fn rule(&mut self, rule: &Rule, found: &Found<'_>) {
        let answer = match &rule.compiled {
            Ok(compiled) => compiled.evaluate(&found.context).map_err(|error| error.to_string()),
            Err(error) => Err(error.clone()),
        };
        let issue = match answer {
            Ok(nodes) if nodes.iter().all(|node| node.json().as_bool() != Some(false)) => return,
            Ok(_) => {
                let text = format!("the rule {} isn't kept: {}", rule.key, rule.human);
                Issue::new(rule.severity, IssueCode::Invariant, text)
            }
            Err(error) => Issue::information(format!("the rule {} couldn't be checked: {error}", rule.key)),
        };
        self.add(issue, found);
    }
}
