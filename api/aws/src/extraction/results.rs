//! Tests of the service that have a result: an amount of a known test with its unit, or a word
//! (R4 Observation.value[x]: <https://hl7.org/fhir/R4/observation.html>).

use seva_clinic::dosage::Cursor;
use seva_clinic::entities::{Attribute, AttributeType, Category, Coding, Entity, EntityType, Trait};
use seva_clinic::laboratory::{LaboratoryTest, TestFinding, amount, laboratory_tests, unit_named};
use seva_clinic::lexicon::decimal::Decimal;
use seva_clinic::lexicon::tokens::tokenize;

use super::mapping::Reader;
use super::vitals::measure;

/// Gives the result of a test its canonical form; what is neither stays words of the text, of which no result is drafted.
pub(super) fn stated(reader: &Reader, entity: &mut Entity) {
    let values: Vec<Attribute> = entity.attributes_of(AttributeType::TestValue).cloned().collect();
    let [value] = values.as_slice() else { return };
    if entity.category != Category::TestTreatmentProcedure || entity.kind != EntityType::TestName {
        return;
    }
    if let Some(finding) = TestFinding::named(&cut(&value.text)) {
        worded(entity, finding);
    } else if let (Some(test), Some(number)) = (test_named(&entity.text), number(&value.text)) {
        measured(reader, entity, (test, number, value.clone()));
    }
}

/// A result that is denied may be the opposite, or none: it is not read.
fn worded(entity: &mut Entity, finding: TestFinding) {
    if entity.has(Trait::Negation) {
        entity.traits.push(Trait::LowConfidence);
        return;
    }
    for value in entity.attributes.iter_mut().filter(|each| each.kind == AttributeType::TestValue) {
        value.value = Some(finding.word().to_owned());
    }
}

fn measured(reader: &Reader, entity: &mut Entity, (test, number, value): (&LaboratoryTest, Decimal, Attribute)) {
    let named = entity.attributes_of(AttributeType::TestUnit).next().cloned();
    let unit = match named {
        // An implied unit has no words of its own, so it points at the number that implies it.
        None => test.implied_unit(number).map(|unit| Attribute {
            kind: AttributeType::TestUnit,
            value: Some(unit.to_owned()),
            ..value.clone()
        }),
        Some(unit) => {
            let known = unit_named(&cut(&unit.text)).or_else(|| unit_named(&unit.text.to_lowercase()));
            Some(Attribute { value: known.map(str::to_owned), ..unit })
        }
    };
    if unit.as_ref().is_none_or(|unit| unit.value.is_none()) {
        entity.traits.push(Trait::LowConfidence);
    }
    let value = Attribute { value: Some(number.to_string()), ..value };
    measure(reader, entity, [value].into_iter().chain(unit).collect());
    entity.codings = vec![Coding {
        system: "http://loinc.org".to_owned(),
        code: test.code.to_owned(),
        display: test.display.to_owned(),
        score: None,
    }];
}

fn test_named(words: &str) -> Option<&'static LaboratoryTest> {
    let words = cut(words);
    laboratory_tests().iter().find(|test| test.phrases.contains(&words))
}

/// The amount that a value is; "above 500" and "110 to 120" are none.
fn number(words: &str) -> Option<Decimal> {
    let tokens = tokenize(words);
    let mut cursor = Cursor::new(&tokens);
    let number = amount(&mut cursor)?;
    (cursor.place() == tokens.len()).then_some(number)
}

/// The words as a transcript is cut.
fn cut(words: &str) -> String {
    tokenize(words).iter().map(|token| token.word.as_str()).collect::<Vec<_>>().join(" ")
}
