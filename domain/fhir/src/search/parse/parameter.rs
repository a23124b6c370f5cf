//! The search parameters of the types, each with the modifiers that fit its type
//! (R4 <https://hl7.org/fhir/R4/search.html#modifiers>).

use seva_fhir_profiles::{Component, SearchParameter, SearchParameterType, definitions};

use super::{Parser, Problem, each, presence};
use crate::index::{LetterCase, codes_of, fold};
use crate::search::query_string::{split_escaped, unescape};
use crate::search::recheck::UriDirection;
use crate::search::{
    Clause, CodeSource, CodesTest, CompositeKey, CompositeTest, CompositeValue, DateTest, Membership, NumberTest,
    PartTest, PartsOf, PartsTest, QuantityTest, Recheck, ReferenceTest, StringMatch, Test, TokenTest, part_of, uri,
};
use crate::types::ResourceType;

impl Parser<'_> {
    /// `code`, `code:modifier`; in a search of several types each one has a parameter of its own.
    pub(super) fn parameter(&self, types: &[ResourceType], name: &str, value: &str) -> Result<Clause, Problem> {
        let (code, modifier) = match name.split_once(':') {
            Some((code, modifier)) => (code, Some(modifier)),
            None => (name, None),
        };
        let mut parameters: Vec<&'static SearchParameter> = Vec::new();
        for resource_type in types {
            let found = self.options.parameters.find(*resource_type, code).map_err(Problem::Bad)?;
            let parameter = found.ok_or_else(|| {
                Problem::Unknown(format!(
                    "{resource_type} has no search parameter {code:?}: see /fhir/metadata for those it has"
                ))
            })?;
            if !parameters.iter().any(|known| known.id == parameter.id) {
                parameters.push(parameter);
            }
        }
        if let [parameter] = parameters.as_slice() {
            return self.condition(parameter, modifier, value);
        }
        let conditions = parameters.into_iter().map(|parameter| self.condition(parameter, modifier, value));
        let clauses = conditions.collect::<Result<Vec<_>, _>>()?;
        if clauses.iter().any(|clause| matches!(clause, Clause::Recheck(_))) {
            return Err(Problem::Unknown(format!("{name:?} is not offered in a search of several types")));
        }
        // What must be absent must be absent under each name.
        let negative = matches!(modifier, Some("not" | "not-in")) || (modifier == Some("missing") && value == "true");
        Ok(if negative { Clause::All(clauses) } else { Clause::Any(clauses) })
    }

    fn condition(
        &self,
        parameter: &'static SearchParameter,
        modifier: Option<&str>,
        value: &str,
    ) -> Result<Clause, Problem> {
        if let Some(recheck) = recheck(parameter, modifier, value, self.options.base_url)? {
            return Ok(Clause::Recheck(recheck));
        }
        let test = self.test(parameter, modifier, value)?;
        Ok(Clause::Parameter { parameter, test })
    }

    fn test(&self, parameter: &'static SearchParameter, modifier: Option<&str>, value: &str) -> Result<Test, Problem> {
        use SearchParameterType as Kind;
        // Of a special parameter nothing is indexed that could be absent, and R4 has no :missing of combinations.
        if modifier == Some("missing") && !matches!(parameter.kind, Kind::Special | Kind::Composite) {
            return presence(value).map(Test::Presence);
        }
        let base_url = self.options.base_url;
        match (parameter.kind, modifier) {
            (Kind::Token, None) => Ok(Test::Token(tokens(parameter, value)?)),
            (Kind::Token, Some("not")) => Ok(Test::NotToken(tokens(parameter, value)?)),
            (Kind::Token, Some(modifier @ ("in" | "not-in" | "below" | "above"))) => codes(parameter, modifier, value),
            (Kind::String, None) => Ok(Test::String(StringMatch::Prefix, words(value)?)),
            (Kind::String, Some("exact")) => Ok(Test::String(StringMatch::Exact, words(value)?)),
            (Kind::String, Some("contains")) => Ok(Test::String(StringMatch::Contains, words(value)?)),
            (Kind::Reference, Some("below")) => parts(parameter, PartsOf::Below, value, base_url),
            (Kind::Reference, Some("above")) => parts(parameter, PartsOf::Above, value, base_url),
            (Kind::Reference, Some("identifier")) => Ok(Test::Reference(each(value, identifier)?)),
            (Kind::Reference, modifier) => {
                let wanted = match modifier {
                    Some(name) => Some(name.parse().map_err(|_| unfit(parameter, name))?),
                    None => None,
                };
                Ok(Test::Reference(each(value, |text| ReferenceTest::parse(text, parameter, wanted, base_url))?))
            }
            (Kind::Date, None) => Ok(Test::Date(each(value, DateTest::parse)?)),
            (Kind::Number, None) => Ok(Test::Number(each(value, NumberTest::parse)?)),
            (Kind::Quantity, None) => Ok(Test::Quantity(each(value, QuantityTest::parse)?)),
            (Kind::Uri, None) => Ok(Test::Uri(each(value, uri::parse)?)),
            (Kind::Composite, None) => Ok(Test::Composite(each(value, |text| composite(parameter, text, base_url))?)),
            (Kind::Special, None) => {
                Err(Problem::Unknown(format!("the special parameter {:?} is not offered", parameter.code)))
            }
            (_, Some(name)) => Err(unfit(parameter, name)),
        }
    }
}

/// The conditions that the resource itself decides.
fn recheck(
    parameter: &'static SearchParameter,
    modifier: Option<&str>,
    value: &str,
    base_url: &str,
) -> Result<Option<Recheck>, Problem> {
    use SearchParameterType as Kind;
    Ok(Some(match (parameter.kind, modifier) {
        (Kind::Token, Some("text")) => {
            Recheck::TokenText { parameter, texts: words(value)?.iter().map(|text| fold(text)).collect() }
        }
        (Kind::Token, Some("of-type")) => Recheck::OfType { parameter, identifiers: each(value, of_type)? },
        (Kind::Uri, Some(modifier @ ("below" | "above"))) => {
            let direction = if modifier == "below" { UriDirection::Below } else { UriDirection::Above };
            Recheck::UriPath { parameter, uris: each(value, uri::parse)?, direction }
        }
        (Kind::Reference, Some(modifier @ ("below" | "above"))) => {
            let direction = if modifier == "below" { UriDirection::Below } else { UriDirection::Above };
            let tests = each(value, |text| ReferenceTest::parse(text, parameter, None, base_url))?;
            let canonicals = tests.into_iter().map(|test| match test {
                ReferenceTest::Url(url) => Some(url),
                _ => None,
            });
            // What is on this server has parts, not versions.
            let Some(canonicals) = canonicals.collect() else { return Ok(None) };
            Recheck::CanonicalVersion { parameter, canonicals, direction }
        }
        (Kind::Special, None) if parameter.code == "near" => Recheck::Near { parameter, places: each(value, place)? },
        (Kind::Quantity, None) if value.contains('|') => {
            let tests = each(value, QuantityTest::parse)?;
            if !tests.iter().any(QuantityTest::is_of_system) {
                return Ok(None);
            }
            Recheck::Quantity { parameter, tests }
        }
        (Kind::Composite, None) if !is_indexed(parameter) => {
            Recheck::Composite { parameter, tests: each(value, |text| composite_parts(parameter, text, base_url))? }
        }
        _ => return Ok(None),
    }))
}

fn unfit(parameter: &SearchParameter, modifier: &str) -> Problem {
    Problem::Bad(format!(
        "the modifier :{modifier} is not offered for {:?}, a parameter of type {:?}",
        parameter.code, parameter.kind
    ))
}

fn tokens(parameter: &SearchParameter, value: &str) -> Result<Vec<TokenTest>, Problem> {
    let (letter_case, is_boolean) = codes_of(parameter);
    let tests = each(value, |text| token(text, letter_case))?;
    let mut codes = tests.iter().filter_map(TokenTest::code).filter(|_| is_boolean);
    match codes.find(|code| !matches!(*code, "true" | "false")) {
        Some(code) => Err(Problem::Impossible(format!("{code:?} is neither true nor false"))),
        None => Ok(tests),
    }
}

fn token(text: &str, letter_case: LetterCase) -> Result<TokenTest, String> {
    Ok(TokenTest::parse(text)?.or_implied(letter_case).comparable(letter_case))
}

/// Codes of a value set or of a hierarchy, which aren't known here.
fn codes(parameter: &SearchParameter, modifier: &str, value: &str) -> Result<Test, Problem> {
    let sources = each(value, |text| match modifier {
        "below" => CodeSource::relative(text, CodeSource::Below),
        "above" => CodeSource::relative(text, CodeSource::Above),
        _ => CodeSource::value_set(text),
    })?;
    let membership = if modifier == "not-in" { Membership::NotAmong } else { Membership::Among };
    let name = format!("{}:{modifier}", parameter.code);
    Ok(Test::Codes(CodesTest { name, sources, membership, letter_case: LetterCase::of(parameter) }))
}

/// References to parts of a resource, or to what it is a part of, which aren't known here.
fn parts(
    parameter: &'static SearchParameter,
    direction: PartsOf,
    value: &str,
    base_url: &str,
) -> Result<Test, Problem> {
    let mut keys = Vec::new();
    for test in each(value, |text| ReferenceTest::parse(text, parameter, None, base_url))? {
        match test {
            ReferenceTest::Local(own) if own.iter().any(|key| part_of(key.resource_type()).is_some()) => {
                keys.extend(own)
            }
            _ => return Err(Problem::Bad(format!("{:?} leads to nothing that has parts of its type", parameter.code))),
        }
    }
    Ok(Test::Parts(PartsTest { name: parameter.code, direction, keys }))
}

fn words(value: &str) -> Result<Vec<String>, Problem> {
    let filled = |text: &str| if text.is_empty() { Err("the value is empty".to_owned()) } else { Ok(unescape(text)) };
    each(value, filled)
}

fn identifier(text: &str) -> Result<ReferenceTest, String> {
    match TokenTest::parse(text)?.comparable(LetterCase::Folded) {
        TokenTest::Code(value) | TokenTest::NoSystem(value) => Ok(ReferenceTest::Identifier { system: None, value }),
        TokenTest::Exact { system, code } | TokenTest::Implied { system, code } => {
            Ok(ReferenceTest::Identifier { system: Some(system), value: code })
        }
        TokenTest::System(_) => Err("an identifier needs a value".to_owned()),
    }
}

/// `system|code|value`.
fn of_type(text: &str) -> Result<(String, String, String), String> {
    let parts: Vec<String> = split_escaped(text, '|').iter().map(|part| unescape(part)).collect();
    match parts.as_slice() {
        [system, code, value] if !code.is_empty() && !value.is_empty() => {
            let [code, value] = [code, value].map(|text| LetterCase::Folded.comparable(text).into_owned());
            Ok((system.clone(), code, value))
        }
        _ => Err(format!("{text:?} is not system|code|value")),
    }
}

/// `latitude|longitude|distance|units`; without a distance a place within 50 km is near.
fn place(text: &str) -> Result<(f64, f64, f64), String> {
    const NEAR: f64 = 50.0;
    let parts: Vec<&str> = text.split('|').collect();
    let number = |part: Option<&&str>, name: &str| {
        let text = part.copied().unwrap_or_default();
        text.parse::<f64>().map_err(|_| format!("{text:?} is not a {name}: write latitude|longitude|distance|units"))
    };
    let (latitude, longitude) = (number(parts.first(), "latitude")?, number(parts.get(1), "longitude")?);
    let distance = match parts.get(2).filter(|text| !text.is_empty()) {
        Some(_) => number(parts.get(2), "distance")?,
        None => NEAR,
    };
    let kilometres = match parts.get(3).copied().filter(|unit| !unit.is_empty()) {
        None | Some("km") => distance,
        Some("m") => distance / 1000.0,
        Some("[mi_us]" | "mi_us" | "[mi_i]" | "mi") => distance * 1.609_344,
        Some(unit) => return Err(format!("the unit {unit:?} is not one of km, m, [mi_us]")),
    };
    Ok((latitude, longitude, kilometres))
}

fn pieces(text: &str, count: usize) -> Result<Vec<String>, String> {
    let parts = split_escaped(text, '$');
    if parts.len() == count { Ok(parts) } else { Err(format!("{text:?} has not {count} values joined by $")) }
}

/// Whether the index has rows for a composite: of two values, of the kinds that R4's own are made of.
fn is_indexed(parameter: &SearchParameter) -> bool {
    use SearchParameterType as Kind;
    let kinds: Vec<Kind> = parameter.components.iter().map(|part| part.kind).collect();
    match kinds.as_slice() {
        [Kind::Token, second] => {
            matches!(second, Kind::Token | Kind::Quantity | Kind::Date | Kind::String)
        }
        [Kind::Reference, second] => matches!(second, Kind::Token | Kind::String),
        _ => false,
    }
}

fn composite_parts(parameter: &SearchParameter, text: &str, base_url: &str) -> Result<Vec<PartTest>, String> {
    let pieces = pieces(text, parameter.components.len())?;
    let part = |(place, text): (usize, &String)| part_test(parameter, place, text, base_url);
    pieces.iter().enumerate().map(part).collect()
}

fn part_test(parameter: &SearchParameter, place: usize, text: &str, base_url: &str) -> Result<PartTest, String> {
    use SearchParameterType as Kind;
    let part = parameter.components.get(place).ok_or_else(|| format!("{text:?} is one value too many"))?;
    Ok(match part.kind {
        Kind::Token => PartTest::Token(token(text, LetterCase::of_part(parameter, place))?),
        Kind::Reference => PartTest::Reference(reference(part, text, base_url)?),
        Kind::Number => PartTest::Number(NumberTest::parse(text)?),
        Kind::Quantity => PartTest::Quantity(QuantityTest::parse(text)?),
        Kind::Date => PartTest::Date(DateTest::parse(text)?),
        Kind::String => PartTest::String(unescape(text)),
        Kind::Uri => PartTest::Uri(uri::parse(text)?),
        Kind::Composite | Kind::Special => return Err(format!("{} can't be a part of a composite", part.code)),
    })
}

fn composite(parameter: &SearchParameter, text: &str, base_url: &str) -> Result<CompositeTest, String> {
    use SearchParameterType as Kind;
    let [one, other] = parameter.components.as_slice() else {
        return Err(format!("{} does not have two parts", parameter.code));
    };
    let parts = pieces(text, 2)?;
    let part = |place: usize| parts.get(place).map(String::as_str).unwrap_or_default();
    let token =
        |place| Ok::<_, String>(TokenTest::parse(part(place))?.comparable(LetterCase::of_part(parameter, place)));
    let first = match one.kind {
        Kind::Reference => CompositeKey::Reference(reference(one, part(0), base_url)?),
        _ => CompositeKey::Token(token(0)?),
    };
    let second = match other.kind {
        Kind::Quantity => CompositeValue::Quantity(QuantityTest::parse(part(1))?),
        Kind::Date => CompositeValue::Date(DateTest::parse(part(1))?),
        Kind::String => CompositeValue::String(unescape(part(1))),
        _ => CompositeValue::Token(token(1)?),
    };
    Ok(CompositeTest { first, second })
}

/// A part that is a reference takes its targets from nowhere: it is written with its type, or as a URL.
fn reference(component: &Component, text: &str, base_url: &str) -> Result<ReferenceTest, String> {
    let all = definitions().all_search_parameters();
    let own = all.iter().find(|own| own.code == component.code && own.kind == SearchParameterType::Reference);
    let own = own.ok_or_else(|| format!("{} is not a reference parameter", component.code))?;
    ReferenceTest::parse(text, own, None, base_url)
}
