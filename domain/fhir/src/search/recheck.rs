//! Conditions that no index answers: they are decided on the resource that the other conditions found
//! (R4 <https://hl7.org/fhir/R4/search.html#modifiers>).

use seva_fhir_profiles::SearchParameter;

use super::{DateTest, NumberTest, QuantityTest, ReferenceTest, StringMatch, TokenTest, fits};
use crate::index::{self, IndexValue, LetterCase, ReferenceIndex, fold};
use crate::json::Json;

/// The mean radius of the earth in kilometres (IUGG).
const EARTH: f64 = 6_371.008_8;

/// A condition on the resource itself.
#[derive(Clone, Debug)]
pub enum Recheck {
    /// `:text`: what people read beside a code starts so, or one of its words does.
    TokenText {
        /// The parameter.
        parameter: &'static SearchParameter,
        /// The folded texts.
        texts: Vec<String>,
    },
    /// `:of-type`: an identifier of a type, `system|code|value`.
    OfType {
        /// The parameter.
        parameter: &'static SearchParameter,
        /// Type system, and type code and value in small letters.
        identifiers: Vec<(String, String, String)>,
    },
    /// `:below` and `:above` on URIs: one is a beginning of the other.
    UriPath {
        /// The parameter.
        parameter: &'static SearchParameter,
        /// The URIs.
        uris: Vec<String>,
        /// Which one begins with the other.
        direction: UriDirection,
    },
    /// `:below` and `:above` on canonicals: the version of one is a beginning of the other's.
    CanonicalVersion {
        /// The parameter.
        parameter: &'static SearchParameter,
        /// The canonicals, with a version or without.
        canonicals: Vec<String>,
        /// Which version begins with the other.
        direction: UriDirection,
    },
    /// `near`: within a distance of a place.
    Near {
        /// The parameter.
        parameter: &'static SearchParameter,
        /// Degrees north and east, and kilometres.
        places: Vec<(f64, f64, f64)>,
    },
    /// A number in any unit of a system, `number|system|`.
    Quantity {
        /// The parameter.
        parameter: &'static SearchParameter,
        /// The alternatives.
        tests: Vec<QuantityTest>,
    },
    /// A composite that no index has: of three values, or of kinds that no two of R4's stand together in.
    Composite {
        /// The parameter.
        parameter: &'static SearchParameter,
        /// The alternatives, each with a test for every part.
        tests: Vec<Vec<PartTest>>,
    },
    /// `_text`: all words stand in the narrative.
    Narrative(Vec<String>),
    /// `_content`: all words stand somewhere in the resource.
    Content(Vec<String>),
}

/// Which URI begins with the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UriDirection {
    /// The resource's one with the given one.
    Below,
    /// The given one with the resource's one.
    Above,
}

impl Recheck {
    /// Decides.
    #[must_use]
    pub fn holds(&self, resource: &Json) -> bool {
        match self {
            Self::TokenText { parameter, texts } => any(parameter, resource, &mut |value| match value {
                IndexValue::Token { text: Some(own), .. } => texts.iter().any(|text| begins_word(&fold(own), text)),
                _ => false,
            }),
            Self::OfType { parameter, identifiers } => {
                let mut found = false;
                index::visit(parameter, resource, &mut |value| {
                    found |= identifiers.iter().any(|wanted| is_of_type(value, wanted));
                });
                found
            }
            Self::UriPath { parameter, uris, direction } => any(parameter, resource, &mut |value| match value {
                IndexValue::Uri(own) => uris.iter().any(|uri| match direction {
                    UriDirection::Below => begins_path(own, uri),
                    UriDirection::Above => begins_path(uri, own),
                }),
                _ => false,
            }),
            Self::CanonicalVersion { parameter, canonicals, direction } => any(parameter, resource, &mut |value| {
                let IndexValue::Reference(ReferenceIndex { url: Some(own), .. }) = value else { return false };
                canonicals.iter().any(|canonical| match direction {
                    UriDirection::Below => begins_version(own, canonical),
                    // What has a version stands in the index without it, too.
                    UriDirection::Above => {
                        own.contains('|') == canonical.contains('|') && begins_version(canonical, own)
                    }
                })
            }),
            Self::Near { parameter, places } => any(parameter, resource, &mut |value| match value {
                IndexValue::Position { latitude, longitude } => {
                    places.iter().any(|(north, east, most)| distance((*latitude, *longitude), (*north, *east)) <= *most)
                }
                _ => false,
            }),
            Self::Quantity { parameter, tests } => {
                any(parameter, resource, &mut |value| tests.iter().any(|test| fits::quantity(value, test)))
            }
            Self::Composite { parameter, tests } => any(parameter, resource, &mut |value| match value {
                IndexValue::Composite(parts) => tests.iter().any(|test| together(parts, test)),
                _ => false,
            }),
            Self::Narrative(words) => {
                let text = resource.get("text").and_then(|text| text.get_str("div")).unwrap_or_default();
                contains_all(&fold(&without_tags(text)), words)
            }
            Self::Content(words) => {
                let mut text = String::new();
                gather(resource, &mut text);
                contains_all(&fold(&without_tags(&text)), words)
            }
        }
    }
}

fn any(parameter: &'static SearchParameter, resource: &Json, fits: &mut dyn FnMut(&IndexValue) -> bool) -> bool {
    index::values(parameter, resource).iter().any(fits)
}

/// Whether a text, or one of its words, starts so; both are folded.
fn begins_word(text: &str, start: &str) -> bool {
    text.match_indices(start).any(|(place, _)| {
        text.get(..place).is_some_and(|before| before.chars().next_back().is_none_or(|last| !last.is_alphanumeric()))
    })
}

/// Whether a URI lies below another: its path goes on at a boundary.
fn begins_path(uri: &str, start: &str) -> bool {
    uri.strip_prefix(start).is_some_and(|rest| {
        rest.is_empty() || start.ends_with(['/', ':', '#']) || rest.starts_with(['/', ':', '#', '.', '|', '?'])
    })
}

/// Whether a canonical is a version below another: `url|2.1.3` lies below `url|2.1`, and all versions below `url`.
fn begins_version(canonical: &str, start: &str) -> bool {
    canonical.strip_prefix(start).is_some_and(|rest| match start.contains('|') {
        true => rest.is_empty() || rest.starts_with(['.', '-', '+']),
        false => rest.is_empty() || rest.starts_with('|'),
    })
}

fn is_of_type(identifier: &Json, (system, code, value): &(String, String, String)) -> bool {
    let codings = identifier.get("type").and_then(|kind| kind.get("coding")).map_or(&[][..], Json::items);
    let is = |of: &Json, name: &str, wanted: &str| {
        of.get_str(name).is_some_and(|own| LetterCase::Folded.comparable(own) == wanted)
    };
    let fits =
        |coding: &Json| (system.is_empty() || coding.get_str("system") == Some(system)) && is(coding, "code", code);
    is(identifier, "value", value) && codings.iter().any(fits)
}

/// The great-circle distance in kilometres.
fn distance(one: (f64, f64), other: (f64, f64)) -> f64 {
    let (latitude, longitude) = (other.0 - one.0, other.1 - one.1);
    let half = |degrees: f64| (degrees.to_radians() / 2.0).sin().powi(2);
    let chord = half(latitude) + one.0.to_radians().cos() * other.0.to_radians().cos() * half(longitude);
    2.0 * EARTH * chord.sqrt().min(1.0).asin()
}

/// A part of a composite that only the resource decides.
#[derive(Clone, Debug, PartialEq)]
pub enum PartTest {
    /// A code.
    Token(TokenTest),
    /// Another resource.
    Reference(ReferenceTest),
    /// A number.
    Number(NumberTest),
    /// A number with a unit.
    Quantity(QuantityTest),
    /// A time.
    Date(DateTest),
    /// Text that starts so.
    String(String),
    /// A URI.
    Uri(String),
}

impl PartTest {
    fn fits(&self, value: &IndexValue) -> bool {
        match self {
            Self::Token(test) => fits::token(value, test),
            Self::Reference(test) => fits::reference(value, test),
            Self::Number(test) => fits::number(value, test),
            Self::Quantity(test) => fits::quantity(value, test),
            Self::Date(test) => fits::moment(value, test),
            Self::String(text) => fits::string(value, StringMatch::Prefix, text),
            Self::Uri(uri) => fits::uri(value, uri),
        }
    }
}

fn together(parts: &[Vec<IndexValue>], tests: &[PartTest]) -> bool {
    parts.len() == tests.len()
        && parts.iter().zip(tests).all(|(values, test)| values.iter().any(|value| test.fits(value)))
}

fn contains_all(text: &str, words: &[String]) -> bool {
    words.iter().all(|word| begins_word(text, word))
}

fn gather(value: &Json, text: &mut String) {
    match value {
        Json::String(own) => {
            text.push_str(own);
            text.push(' ');
        }
        Json::Array(items) => items.iter().for_each(|item| gather(item, text)),
        Json::Object(members) => members.iter().for_each(|(_, member)| gather(member, text)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut inside = false;
    for letter in html.chars() {
        match letter {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                text.push(' ');
            }
            _ if inside => {}
            _ => text.push(letter),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_paths_begin_at_boundaries() {
        assert!(begins_word("body weight", "weig") && !begins_word("overweight", "weight"));
        assert!(begins_path("http://a/b/c", "http://a/b") && !begins_path("http://a/bc", "http://a/b"));
        assert_eq!(without_tags("<div>a<b>b</b></div>").split_whitespace().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn versions_begin_at_boundaries_of_one_canonical() {
        assert!(begins_version("http://a/q|2.1.3", "http://a/q|2.1") && begins_version("http://a/q|2", "http://a/q"));
        assert!(!begins_version("http://a/q|2.10", "http://a/q|2.1") && !begins_version("http://a/q", "http://a/q|2"));
        assert!(!begins_version("http://a/q/r|2", "http://a/q"));
    }

    #[test]
    fn distances_are_those_of_the_globe() {
        let (mumbai, pune) = ((19.0760, 72.8777), (18.5204, 73.8567));
        assert!((distance(mumbai, pune) - 120.0).abs() < 3.0);
    }
}
