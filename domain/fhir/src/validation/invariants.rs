//! The constraints of R4's types, evaluated at every value that they are stated for
//! (R4 <https://hl7.org/fhir/R4/conformance-rules.html#constraints>).

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::OnceLock;

use seva_fhir_profiles::{Invariant, TypeDefinition, TypeKind, definitions, invariants};

use crate::json::Json;
use crate::outcome::{Issue, IssueCode, Severity};
use crate::path::{CompiledPath, EvaluationContext, PathError};
use crate::types::Instant;

/// After so many issues the rest isn't looked at.
const MAX_ISSUES: usize = 100;
/// The structure's own limit; values built otherwise stop here.
const MAX_DEPTH: usize = 100;

struct Rule {
    invariant: &'static Invariant,
    compiled: Result<CompiledPath, PathError>,
}

/// Returns the rules by the type or element that they are stated at, compiled once.
fn rules() -> &'static HashMap<&'static str, Vec<Rule>> {
    static RULES: OnceLock<HashMap<&'static str, Vec<Rule>>> = OnceLock::new();
    RULES.get_or_init(|| {
        let mut rules: HashMap<&'static str, Vec<Rule>> = HashMap::new();
        for invariant in invariants() {
            let compiled = CompiledPath::parse(invariant.expression);
            rules.entry(invariant.path).or_default().push(Rule { invariant, compiled });
        }
        rules
    })
}

/// Returns the rules that a resource breaks.
pub(super) fn check(resource: &Json, now: Instant) -> Vec<Issue> {
    let context = EvaluationContext { now: Some(now.micros()), ..EvaluationContext::of_resource(resource) };
    let name = resource.get_str("resourceType").unwrap_or("Resource");
    let mut walker = Walker { issues: Vec::new(), path: name.to_owned(), depth: 0 };
    if let Some(definition) = context.definition {
        walker.visit(&context, definition, None);
    }
    walker.issues
}

struct Walker {
    issues: Vec<Issue>,
    /// The place of the value in hand, such as `Patient.name[0]`.
    path: String,
    depth: usize,
}

impl Walker {
    fn visit(
        &mut self,
        context: &EvaluationContext<'_>,
        definition: &'static TypeDefinition,
        element: Option<&'static str>,
    ) {
        if self.issues.len() >= MAX_ISSUES || self.depth >= MAX_DEPTH {
            return;
        }
        if let Some(path) = element.filter(|path| *path != definition.name) {
            self.apply(path, context);
        }
        let mut ancestor = Some(definition);
        while let Some(each) = ancestor {
            // The structure refuses empty values already, and primitives are most of a resource.
            if each.name != "Element" || definition.kind != TypeKind::Primitive {
                self.apply(each.name, context);
            }
            ancestor = each.base.and_then(|base| definitions().type_named(base));
        }
        self.depth += 1;
        self.members(context, definition);
        self.depth -= 1;
    }

    fn members(&mut self, context: &EvaluationContext<'_>, definition: &'static TypeDefinition) {
        let Some(members) = context.focus.as_object() else {
            return;
        };
        for (name, value) in members.iter() {
            let Some(child) = definition.child(name) else { continue };
            let element = definition.element_of(child).map(|element| element.path);
            let Some(child_type) = definitions().type_at(child.type_id) else { continue };
            for (index, item) in value.items().iter().enumerate().filter(|(_, item)| !item.is_null()) {
                let length = self.path.len();
                let position = if value.as_array().is_some() { format!("[{index}]") } else { String::new() };
                // Writing to a string cannot fail.
                let _ = write!(self.path, ".{name}{position}");
                if child_type.kind == TypeKind::Resource {
                    self.inline(name, &context.at(item, None), element);
                } else {
                    self.visit(&context.at(item, Some(child_type)), child_type, element);
                }
                self.path.truncate(length);
            }
        }
    }

    /// A contained resource lies within its container; one in a Bundle stands for itself.
    fn inline(&mut self, member: &str, context: &EvaluationContext<'_>, element: Option<&'static str>) {
        let root = if member == "contained" { context.root } else { context.focus };
        let own = EvaluationContext { root, now: context.now, ..EvaluationContext::of_resource(context.focus) };
        if let Some(definition) = own.definition {
            self.visit(&own, definition, element);
        }
    }

    fn apply(&mut self, path: &str, context: &EvaluationContext<'_>) {
        for rule in rules().get(path).map_or(&[][..], Vec::as_slice) {
            let answer = rule.compiled.as_ref().map_err(Clone::clone).and_then(|compiled| compiled.evaluate(context));
            let Invariant { key, human, .. } = rule.invariant;
            let issue = match answer {
                // A rule on what isn't there, such as `reference.startsWith('#').not()`, is empty and not broken.
                Ok(nodes) if nodes.iter().all(|node| node.json().as_bool() != Some(false)) => continue,
                Ok(_) => {
                    let severity = if rule.invariant.is_warning { Severity::Warning } else { Severity::Error };
                    Issue::new(severity, IssueCode::Invariant, format!("the rule {key} isn't kept: {human}"))
                }
                Err(error) => Issue::information(format!("the rule {key} couldn't be checked: {error}")),
            };
            self.issues.push(issue.at(self.path.as_str()));
        }
    }
}
