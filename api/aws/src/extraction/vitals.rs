//! Tests of the service that are vital signs: value and unit in canonical form
//! (R4 vital signs: <https://hl7.org/fhir/R4/observation-vitalsigns.html>).

use seva_clinic::entities::{Attribute, AttributeType, Category, Coding, Entity, EntityType, Trait};
use seva_clinic::lexicon::Span;
use seva_clinic::lexicon::decimal::Decimal;
use seva_clinic::lexicon::tokens::tokenize;
use seva_clinic::vitals::{PRESSURE_COMPONENTS, VitalKind};

use super::mapping::Reader;

/// Turns a measured test into a vital sign; any other entity stays as it is.
pub(super) fn measured(reader: &Reader, entity: &mut Entity) {
    let named = entity.text.to_lowercase();
    let kind = VitalKind::ALL.into_iter().find(|kind| kind.phrases().contains(&named.as_str()));
    let Some(kind) = kind.filter(|_| entity.kind == EntityType::TestName) else { return };
    let values: Vec<(Decimal, Attribute)> =
        entity.attributes_of(AttributeType::TestValue).flat_map(|value| numbers(reader, value)).collect();
    let expected = if kind == VitalKind::BloodPressure { 2 } else { 1 };
    if values.len() != expected {
        return;
    }
    let Some((first, place)) = values.first().cloned() else { return };
    let units: Vec<Attribute> = entity.attributes_of(AttributeType::TestUnit).cloned().collect();
    let unit = match units.as_slice() {
        // An implied unit has no words of its own, so it points at the number that implies it.
        [] => kind.implied_unit(first).map(|unit| Attribute {
            kind: AttributeType::TestUnit,
            value: Some(unit.to_owned()),
            ..place
        }),
        [unit, ..] => {
            let words: Vec<String> = tokenize(&unit.text).into_iter().map(|token| token.word).collect();
            let known = kind.unit_named(&words.join(" ")).or_else(|| kind.unit_named(&unit.text.to_lowercase()));
            Some(Attribute { value: known.map(str::to_owned), ..unit.clone() })
        }
    };
    let known = unit.as_ref().and_then(|unit| unit.value.clone());
    let plausible = |unit: &str| values.iter().all(|(value, _)| kind.is_plausible(*value, unit));
    if !known.as_deref().is_some_and(plausible) && !entity.has(Trait::LowConfidence) {
        entity.traits.push(Trait::LowConfidence);
    }
    measure(reader, entity, values.into_iter().map(|(_, attribute)| attribute).chain(unit).collect());
    entity.category = Category::Vital;
    entity.kind = EntityType::VitalSign;
    entity.codings = codings(kind);
}

/// Puts the values and their unit into an entity, which then reaches over all of them.
pub(super) fn measure(reader: &Reader, entity: &mut Entity, attributes: Vec<Attribute>) {
    entity.attributes = attributes;
    let whole = entity.attributes.iter().fold(entity.span(), |span, each| span.joined(Span::new(each.begin, each.end)));
    (entity.begin, entity.end) = (whole.begin, whole.end);
    entity.text = reader.quote(whole);
}

/// The numbers of a value: "120/80" holds two.
fn numbers(reader: &Reader, value: &Attribute) -> Vec<(Decimal, Attribute)> {
    let tokens = tokenize(&value.text);
    let found = tokens.iter().filter_map(|token| {
        let number = token.number()?;
        let place = Span::new(value.begin + token.span.begin, value.begin + token.span.end);
        let attribute = Attribute {
            text: reader.quote(place),
            begin: place.begin,
            end: place.end,
            value: Some(number.to_string()),
            ..value.clone()
        };
        Some((number, attribute))
    });
    found.collect()
}

fn codings(kind: VitalKind) -> Vec<Coding> {
    let components = if kind == VitalKind::BloodPressure { &PRESSURE_COMPONENTS[..] } else { &[] };
    let loinc = |(code, display): &(&str, &str)| Coding {
        system: "http://loinc.org".to_owned(),
        code: (*code).to_owned(),
        display: (*display).to_owned(),
        score: None,
    };
    [kind.loinc()].iter().chain(components).map(loinc).collect()
}
