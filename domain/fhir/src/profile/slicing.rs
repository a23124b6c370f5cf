//! Slices and what tells them apart (R4 <https://hl7.org/fhir/R4/profiling.html#slicing>).

use seva_fhir_profiles::definitions;

use super::base_type;
use super::check::{Checker, Found};
use super::element::{Discriminator, Element, Kind, Openness};
use super::value::{has_pattern, is_equal};
use crate::json::Json;
use crate::outcome::{Issue, IssueCode};
use crate::path::{EvaluationContext, PathNode};

impl Checker<'_> {
    /// Gives each value to the first slice that it belongs to, and checks slices and order.
    pub(super) fn slices(&mut self, element: &Element, values: &[Found<'_>], place: &Found<'_>) {
        let mut counts = vec![0_usize; element.slices.len()];
        let mut latest = 0;
        let mut outside = false;
        let openness = element.slicing.as_ref().map_or(Openness::Open, |slicing| slicing.openness);
        let is_ordered = element.slicing.as_ref().is_some_and(|slicing| slicing.is_ordered);
        for value in values {
            let position = element.slices.iter().position(|slice| self.belongs(element, slice, value));
            let Some((position, slice)) = position.and_then(|at| Some((at, element.slices.get(at)?))) else {
                outside = true;
                if openness == Openness::Closed {
                    let names: Vec<&str> = element.slices.iter().map(|slice| slice.name.as_str()).collect();
                    let text = format!("the value belongs to none of {}; remove or change it", names.join(", "));
                    self.add(Issue::error(IssueCode::Structure, text), value);
                }
                continue;
            };
            if let Some(count) = counts.get_mut(position) {
                *count += 1;
            }
            if openness == Openness::OpenAtEnd && outside {
                let text = format!("{} must stand before values that belong to no slice; move it up", slice.name);
                self.add(Issue::error(IssueCode::Structure, text), value);
            }
            if is_ordered && position < latest {
                let text = format!("{} stands too late, the order of slices is fixed; move it up", slice.name);
                self.add(Issue::error(IssueCode::Structure, text), value);
            }
            latest = latest.max(position);
            self.value(slice, value);
            if !slice.slices.is_empty() {
                self.reslices(element, slice, value);
            }
        }
        for (slice, count) in element.slices.iter().zip(counts) {
            let path = format!("{}:{}", place.path, slice.name);
            self.cardinality(slice, count, &Found { path, ..place.clone() });
        }
    }

    /// A slice of a slice is told apart as the slice is, unless it says how itself.
    fn reslices(&mut self, element: &Element, slice: &Element, value: &Found<'_>) {
        let by = if slice.slicing.is_some() { slice } else { element };
        let inner = slice.slices.iter().find(|inner| self.belongs(by, inner, value));
        if let Some(inner) = inner {
            self.value(inner, value);
        }
    }

    fn belongs(&mut self, element: &Element, slice: &Element, value: &Found<'_>) -> bool {
        let discriminators = element.slicing.as_ref().map_or(&[][..], |slicing| &slicing.discriminators);
        if !discriminators.is_empty() {
            return discriminators.iter().all(|discriminator| self.holds(discriminator, slice, value));
        }
        if element.name.ends_with("[x]") {
            let type_name = value.context.definition.map_or("", |definition| definition.name);
            return slice.name == value.member || slice.types.iter().any(|rule| rule.code == type_name);
        }
        if value.member.ends_with("xtension") {
            return is_extension_of(slice, value.context.focus.get_str("url")).unwrap_or_default();
        }
        self.quietly(|own| own.value(slice, value))
    }

    fn holds(&mut self, discriminator: &Discriminator, slice: &Element, value: &Found<'_>) -> bool {
        if discriminator.path == "url"
            && let Some(answer) = is_extension_of(slice, value.context.focus.get_str("url"))
        {
            return answer;
        }
        let Ok(compiled) = &discriminator.compiled else { return false };
        let Ok(nodes) = compiled.evaluate(&value.context) else { return false };
        let expected = expected(slice, &discriminator.path);
        match discriminator.kind {
            Kind::Exists => {
                let wanted = expected.is_some_and(|one| one.max != Some(0));
                nodes.is_empty() != wanted
            }
            Kind::Type => self.is_of_type(expected, &nodes, value),
            Kind::Profile => {
                let rules = expected.map_or(&[][..], |one| &one.types);
                let urls: Vec<&String> =
                    rules.iter().flat_map(|rule| rule.profiles.iter().chain(&rule.targets)).collect();
                nodes.iter().any(|node| {
                    let context = value.context.at(node.json(), node.definition());
                    let place = Found::root(context, &value.path);
                    urls.iter().any(|url| self.quietly(|own| own.conform(url, &place)))
                })
            }
            Kind::Value => match expected {
                // An element that the slice says nothing about tells nothing apart.
                None => true,
                Some(expected) => nodes.iter().any(|node| self.fits(expected, node, value)),
            },
        }
    }

    fn fits(&mut self, expected: &Element, node: &PathNode<'_>, value: &Found<'_>) -> bool {
        if let Some(fixed) = &expected.fixed {
            return is_equal(node.json(), fixed);
        }
        if let Some(pattern) = &expected.pattern {
            return has_pattern(node.json(), pattern);
        }
        if let Some((_, value_set)) = &expected.binding
            && let Some(listed) = definitions().code_list(value_set.split('|').next().unwrap_or(value_set))
        {
            let code = node.json().as_str().or_else(|| node.json().get_str("code"));
            return code.is_some_and(|code| listed.contains(code));
        }
        let context = value.context.at(node.json(), node.definition());
        let place = Found::root(context, &value.path);
        self.quietly(|own| own.value(expected, &place))
    }

    fn is_of_type(&mut self, expected: Option<&Element>, nodes: &[PathNode<'_>], value: &Found<'_>) -> bool {
        let rules = expected.map_or(&[][..], |one| &one.types);
        let referred = target_type(&value.context);
        rules.iter().any(|rule| {
            let direct = nodes.iter().any(|node| definitions().is_subtype(node.type_name(), &rule.code));
            let target = |kind: &str| {
                rule.targets.iter().any(|url| {
                    let base = base_type(url).map(str::to_owned);
                    let base = base.or_else(|| self.profiles.get(url).map(|profile| profile.kind.clone()));
                    base.is_some_and(|base| definitions().is_subtype(kind, &base))
                })
            };
            if rule.targets.is_empty() { direct } else { referred.as_deref().is_some_and(target) }
        })
    }
}

/// Whether an extension is the one of a slice; nothing comes back where the slice doesn't name one by its profile.
fn is_extension_of(slice: &Element, url: Option<&str>) -> Option<bool> {
    let mut profiles = slice.types.iter().flat_map(|rule| &rule.profiles).peekable();
    profiles.peek()?;
    Some(profiles.any(|profile| Some(profile.split('|').next().unwrap_or(profile)) == url))
}

/// The element of a slice that a discriminator's path leads to.
fn expected<'e>(slice: &'e Element, path: &str) -> Option<&'e Element> {
    let mut place = slice;
    let mut rest = path;
    while !rest.is_empty() {
        let (segment, after) = segment(rest);
        rest = after;
        if segment == "$this" || segment == "resolve()" || segment.starts_with("ofType(") {
            continue;
        }
        if let Some(url) = segment.strip_prefix("extension(") {
            let url = url.trim_matches(|mark| matches!(mark, '\'' | '"' | ')'));
            let extensions = place.child("extension")?;
            place = extensions.slices.iter().find(|one| {
                let fixed = one.child("url").and_then(|child| child.fixed.as_ref()).and_then(Json::as_str);
                fixed == Some(url) || is_extension_of(one, Some(url)).unwrap_or_default()
            })?;
            continue;
        }
        let child = place.child(segment)?;
        // What is said of the only slice of an element on the way is what tells the outer slices apart.
        place = match child.slices.as_slice() {
            [only] if child.fixed.is_none() && child.pattern.is_none() && child.children.is_empty() => only,
            [only] if !rest.is_empty() && child.child(self::segment(rest).0).is_none_or(is_silent) => only,
            _ => child,
        };
    }
    Some(place)
}

/// Whether nothing of an element tells values apart.
fn is_silent(element: &Element) -> bool {
    element.fixed.is_none() && element.pattern.is_none() && element.children.iter().all(is_silent)
}

/// The first step of a path and the rest; dots in parentheses belong to URLs.
fn segment(path: &str) -> (&str, &str) {
    let mut depth = 0_i32;
    let end = path.find(|mark| {
        depth += match mark {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        mark == '.' && depth == 0
    });
    end.and_then(|end| Some((path.get(..end)?, path.get(end + 1..)?))).unwrap_or((path, ""))
}

/// The type of what a reference refers to, as its text or the contained resource tells.
pub(super) fn target_type(context: &EvaluationContext<'_>) -> Option<String> {
    let reference = context.focus.get_str("reference");
    if let Some(id) = reference.and_then(|text| text.strip_prefix('#')) {
        let contained = context.root.get("contained")?.items().iter().find(|one| one.get_str("id") == Some(id))?;
        return contained.get_str("resourceType").map(str::to_owned);
    }
    let of_text = reference.and_then(|text| {
        let text = text.split("/_history/").next()?;
        let (before, _) = text.rsplit_once('/')?;
        let kind = before.rsplit('/').next()?;
        definitions().resource_types().find(|one| *one == kind)
    });
    of_text.or_else(|| context.focus.get_str("type")).map(str::to_owned)
}
