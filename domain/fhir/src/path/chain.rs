//! Plain paths such as `Observation.value.ofType(Quantity)`, resolved to JSON names before any resource is seen
//! (R4 choice elements <https://hl7.org/fhir/R4/formats.html#choice>).

use seva_fhir_profiles::{TypeDefinition, definitions};

use super::syntax::{Expression, Operator};
use crate::json::Json;

/// One alternative of an expression.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    root: &'static TypeDefinition,
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
enum Step {
    /// The JSON names to follow, each with its type.
    Members(Vec<(&'static str, &'static TypeDefinition)>),
    /// `where(resolve() is T)`, decided by the reference's own text.
    RefersTo(Box<str>),
}

/// Resolves an expression if all its alternatives are plain paths.
pub(super) fn compile(expression: &Expression, root: &'static TypeDefinition) -> Option<Vec<Chain>> {
    if let Expression::Binary(Operator::Union, left, right) = expression {
        let mut chains = compile(left, root)?;
        chains.extend(compile(right, root)?);
        return Some(chains);
    }
    Some(vec![Chain { root, steps: steps(expression, root)? }])
}

fn steps(expression: &Expression, root: &'static TypeDefinition) -> Option<Vec<Step>> {
    match expression {
        Expression::Member(None, name) if definitions().is_subtype(root.name, name) => Some(Vec::new()),
        Expression::Member(None, name) => member(Vec::new(), root, name),
        Expression::Member(Some(focus), name) => member(steps(focus, root)?, root, name),
        Expression::As(focus, name) => of_type(steps(focus, root)?, &name.name),
        Expression::Call(Some(focus), function, arguments) => match (function.as_ref(), arguments.as_slice()) {
            ("ofType" | "as", [Expression::Member(None, name)]) => of_type(steps(focus, root)?, name),
            ("where", [Expression::Is(subject, name)]) if is_resolve(subject) => {
                let mut steps = steps(focus, root)?;
                steps.push(Step::RefersTo(name.name.clone()));
                Some(steps)
            }
            _ => None,
        },
        _ => None,
    }
}

/// Recognises `resolve()` on the current item.
pub(super) fn is_resolve(expression: &Expression) -> bool {
    matches!(expression, Expression::Call(None, name, arguments) if name.as_ref() == "resolve" && arguments.is_empty())
}

fn member(mut steps: Vec<Step>, root: &'static TypeDefinition, name: &str) -> Option<Vec<Step>> {
    let parents: Vec<&'static TypeDefinition> = match steps.last() {
        None => vec![root],
        Some(Step::Members(members)) => members.iter().map(|(_, definition)| *definition).collect(),
        Some(Step::RefersTo(_)) => return None,
    };
    let mut members: Vec<(&'static str, &'static TypeDefinition)> = Vec::new();
    for parent in parents {
        for child in parent.members_of(name) {
            let definition = definitions().type_at(child.type_id)?;
            // What an inline resource holds is known only when it is seen.
            if definition.is_abstract && definition.name == "Resource" {
                return None;
            }
            if !members.iter().any(|(known, _)| *known == child.name) {
                members.push((child.name, definition));
            }
        }
    }
    if members.is_empty() {
        return None;
    }
    steps.push(Step::Members(members));
    Some(steps)
}

fn of_type(mut steps: Vec<Step>, name: &str) -> Option<Vec<Step>> {
    let Some(Step::Members(members)) = steps.last_mut() else {
        return None;
    };
    members.retain(|(_, definition)| definitions().is_subtype(definition.name, name));
    if members.is_empty() { None } else { Some(steps) }
}

impl Chain {
    /// Returns the types at the end.
    pub(super) fn types(&self) -> Vec<&'static TypeDefinition> {
        let members = self.steps.iter().rev().find_map(|step| match step {
            Step::Members(members) => Some(members.iter().map(|(_, definition)| *definition).collect()),
            Step::RefersTo(_) => None,
        });
        members.unwrap_or_else(|| vec![self.root])
    }

    /// Returns each way through the JSON, a choice element giving several.
    pub(super) fn json_paths(&self) -> Vec<(Vec<&'static str>, &'static TypeDefinition)> {
        let mut paths = vec![(Vec::new(), self.root)];
        for step in &self.steps {
            let Step::Members(members) = step else { continue };
            let longer = paths.iter().flat_map(|(path, _)| {
                members.iter().map(|(name, definition)| {
                    let mut path: Vec<&'static str> = path.clone();
                    path.push(name);
                    (path, *definition)
                })
            });
            paths = longer.collect();
        }
        paths
    }

    /// Visits the values at the end.
    pub(super) fn visit(&self, focus: &Json, visitor: &mut dyn FnMut(&Json, &'static TypeDefinition)) {
        walk(&self.steps, focus, self.root, visitor);
    }
}

fn walk(
    steps: &[Step],
    value: &Json,
    definition: &'static TypeDefinition,
    visitor: &mut dyn FnMut(&Json, &'static TypeDefinition),
) {
    match steps.split_first() {
        None => visitor(value, definition),
        Some((Step::RefersTo(name), rest)) => {
            if refers_to(value, name) {
                walk(rest, value, definition, visitor);
            }
        }
        Some((Step::Members(members), rest)) => {
            let Some(object) = value.as_object() else {
                return;
            };
            for (name, child) in members {
                for item in object.get(name).map_or(&[][..], Json::items) {
                    if !item.is_null() {
                        walk(rest, item, child, visitor);
                    }
                }
            }
        }
    }
}

/// Tells from a reference alone whether it points at a type (R4 references.html#literal).
pub(super) fn refers_to(value: &Json, name: &str) -> bool {
    let text = value.as_str().or_else(|| value.get_str("reference"));
    match text.and_then(referenced_type) {
        Some(own) => own == name,
        None => value.get_str("type") == Some(name),
    }
}

fn referenced_type(text: &str) -> Option<&str> {
    let before_version = text.split("/_history/").next().unwrap_or(text);
    let mut parts = before_version.rsplit('/');
    let _id = parts.next()?;
    parts.next().filter(|name| definitions().type_named(name).is_some())
}
