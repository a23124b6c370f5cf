//! Whether a resource fits conditions, decided on the resource itself as the indexes decide it
//! (R4 <https://hl7.org/fhir/R4/search.html#ptypes>).

use seva_fhir_profiles::SearchParameter;

use super::date::Prefix;
use super::{
    CanonicalUnit, Clause, CompositeKey, CompositeTest, CompositeValue, DateTest, NumberTest, Presence, QuantityTest,
    ReferenceTest, StringMatch, Test, TokenTest,
};
use crate::date::date_range;
use crate::index::{self, IndexValue, fold};
use crate::json::Json;

/// "Approximately" reaches a day further, as a person means it.
const DAY: i64 = 86_400_000_000;

/// Whether a resource fits a condition; what it refers to, and what refers to it, isn't known here.
pub(super) fn clause(clause: &Clause, resource: &Json) -> bool {
    match clause {
        Clause::Types(types) => {
            resource.get_str("resourceType").is_some_and(|name| types.iter().any(|own| own.as_str() == name))
        }
        Clause::Id(ids) => resource.get_str("id").is_some_and(|id| ids.iter().any(|own| own.as_str() == id)),
        Clause::LastUpdated(tests) => {
            let updated = resource.get("meta").and_then(|meta| meta.get_str("lastUpdated")).and_then(date_range);
            updated.is_some_and(|range| tests.iter().any(|test| date(range, test)))
        }
        Clause::Parameter { parameter, test } => parameter_fits(parameter, test, resource),
        Clause::Any(clauses) => clauses.iter().any(|own| self::clause(own, resource)),
        Clause::All(clauses) => clauses.iter().all(|own| self::clause(own, resource)),
        Clause::Not(own) => !self::clause(own, resource),
        Clause::Recheck(recheck) => recheck.holds(resource),
        Clause::Chain(_) | Clause::Has(_) | Clause::List(_) => false,
    }
}

fn parameter_fits(parameter: &'static SearchParameter, test: &Test, resource: &Json) -> bool {
    let values = index::values(parameter, resource);
    let any = |fits: &dyn Fn(&IndexValue) -> bool| values.iter().any(fits);
    match test {
        Test::Token(tests) => any(&|value| tests.iter().any(|test| token(value, test))),
        Test::NotToken(tests) => !any(&|value| tests.iter().any(|test| token(value, test))),
        // The service has looked for the codes before.
        Test::Codes(_) | Test::Parts(_) => false,
        Test::String(how, words) => any(&|value| words.iter().any(|word| string(value, *how, word))),
        Test::Reference(tests) => any(&|value| tests.iter().any(|test| reference(value, test))),
        Test::Date(tests) => any(&|value| tests.iter().any(|test| moment(value, test))),
        Test::Number(tests) => any(&|value| tests.iter().any(|test| number(value, test))),
        Test::Quantity(tests) => any(&|value| tests.iter().any(|test| quantity(value, test))),
        Test::Uri(uris) => any(&|value| uris.iter().any(|wanted| uri(value, wanted))),
        Test::Composite(tests) => any(&|value| tests.iter().any(|test| composite(value, test))),
        Test::Presence(Presence::Missing) => values.is_empty(),
        Test::Presence(Presence::Present) => !values.is_empty(),
    }
}

/// Whether a value is a code that is asked for.
pub(super) fn token(value: &IndexValue, test: &TokenTest) -> bool {
    let IndexValue::Token { system, code, .. } = value else { return false };
    match test {
        TokenTest::Code(wanted) => code.as_deref() == Some(wanted),
        TokenTest::Exact { system: space, code: wanted } => {
            code.as_deref() == Some(wanted) && system.as_deref() == Some(space)
        }
        TokenTest::Implied { system: space, code: wanted } => {
            code.as_deref() == Some(wanted) && system.as_deref().is_none_or(|own| own == space)
        }
        TokenTest::NoSystem(wanted) => code.as_deref() == Some(wanted) && system.is_none(),
        TokenTest::System(space) => system.as_deref() == Some(space),
    }
}

/// Whether a value is text that is asked for.
pub(super) fn string(value: &IndexValue, how: StringMatch, word: &str) -> bool {
    let IndexValue::String(text) = value else { return false };
    match how {
        StringMatch::Prefix => fold(text).starts_with(&fold(word)),
        StringMatch::Exact => **text == *word,
        StringMatch::Contains => fold(text).contains(&fold(word)),
        StringMatch::Suffix => fold(text).ends_with(&fold(word)),
    }
}

/// Whether a value is a reference to what is asked for.
pub(super) fn reference(value: &IndexValue, test: &ReferenceTest) -> bool {
    let IndexValue::Reference(own) = value else { return false };
    match test {
        ReferenceTest::Local(keys) => own.key.as_ref().is_some_and(|key| keys.contains(key)),
        ReferenceTest::Url(url) => own.url.as_deref() == Some(url),
        ReferenceTest::Identifier { system, value } => own.identifier.as_ref().is_some_and(|(space, identifier)| {
            **identifier == **value && (system.is_none() || space.as_deref() == system.as_deref())
        }),
    }
}

/// Whether a value is the URI that is asked for.
pub(super) fn uri(value: &IndexValue, wanted: &str) -> bool {
    matches!(value, IndexValue::Uri(own) if **own == *wanted)
}

/// Whether a value is a time that is asked for.
pub(super) fn moment(value: &IndexValue, test: &DateTest) -> bool {
    matches!(value, IndexValue::Date { low, high } if date((*low, *high), test))
}

fn date((low, high): (i64, i64), test: &DateTest) -> bool {
    let within = low >= test.low && high <= test.high;
    match test.prefix {
        Prefix::Equal => within,
        Prefix::NotEqual => !within,
        Prefix::Greater => high > test.high,
        Prefix::Less => low < test.low,
        Prefix::GreaterOrEqual => high >= test.low,
        Prefix::LessOrEqual => low <= test.high,
        Prefix::StartsAfter => low > test.high,
        Prefix::EndsBefore => high < test.low,
        Prefix::Approximately => high >= test.low.saturating_sub(DAY) && low <= test.high.saturating_add(DAY),
    }
}

/// Whether a value is a number that is asked for.
pub(super) fn number(value: &IndexValue, test: &NumberTest) -> bool {
    matches!(value, IndexValue::Number { low, high } if compare(f64::midpoint(*low, *high), test))
}

fn compare(value: f64, test: &NumberTest) -> bool {
    match test.prefix {
        Prefix::Equal => value >= test.low && value < test.high,
        Prefix::NotEqual => value < test.low || value >= test.high,
        Prefix::Greater | Prefix::StartsAfter => value > test.value,
        Prefix::Less | Prefix::EndsBefore => value < test.value,
        Prefix::GreaterOrEqual => value >= test.value,
        Prefix::LessOrEqual => value <= test.value,
        Prefix::Approximately => {
            let tenth = test.value.abs() / 10.0;
            value >= test.value - tenth && value < test.value + tenth
        }
    }
}

/// Whether a value is a quantity that is asked for: in base units where the unit has some.
pub(super) fn quantity(value: &IndexValue, test: &QuantityTest) -> bool {
    let IndexValue::Quantity { low, high, system, code, unit } = value else { return false };
    let middle = f64::midpoint(*low, *high);
    if let Some((wanted, number)) = test.canonical() {
        let own = CanonicalUnit::of(system.as_deref().unwrap_or_default(), code.as_deref().unwrap_or_default());
        return own.is_some_and(|own| {
            own.base == wanted.base && compare(f64::midpoint(own.value(*low), own.value(*high)), &number)
        });
    }
    let fits = match (&test.system, &test.code) {
        (Some(space), Some(wanted)) => system.as_deref() == Some(space) && code.as_deref() == Some(wanted),
        (None, Some(wanted)) => code.as_deref() == Some(wanted) || unit.as_deref() == Some(wanted),
        (Some(space), None) => system.as_deref() == Some(space),
        (None, None) => true,
    };
    fits && compare(middle, &test.number)
}

fn composite(value: &IndexValue, test: &CompositeTest) -> bool {
    let IndexValue::Composite(parts) = value else { return false };
    let [firsts, seconds] = parts.as_slice() else { return false };
    let first = |value: &IndexValue| match &test.first {
        CompositeKey::Token(test) => token(value, test),
        CompositeKey::Reference(test) => reference(value, test),
    };
    let second = |value: &IndexValue| match &test.second {
        CompositeValue::Token(test) => token(value, test),
        CompositeValue::Quantity(test) => quantity(value, test),
        CompositeValue::Date(test) => moment(value, test),
        CompositeValue::String(text) => string(value, StringMatch::Prefix, text),
    };
    firsts.iter().any(first) && seconds.iter().any(second)
}
