#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::HashMap;

use seva_clinic::{
    dosage::{self, DoseUnit},
    entities::{AttributeType, Category, Entity, EntityType, Trait},
    testing::{extraction_contract, golden_cases},
};

use super::*;

mod findings;
mod orders;
mod products;
mod results;
mod styles;

fn extract(text: &str) -> Vec<Entity> {
    LexiconExtractor::default().entities(text)
}

fn named<'a>(entities: &'a [Entity], text: &str) -> &'a Entity {
    let found = entities.iter().find(|entity| entity.text.eq_ignore_ascii_case(text));
    assert!(found.is_some(), "{text} in {entities:#?}");
    found.unwrap()
}

fn value(entity: &Entity, kind: AttributeType) -> Option<String> {
    entity.attributes_of(kind).next().and_then(|attribute| attribute.value.clone())
}

/// Checks what is written of the entities of a category in each text.
fn check(cases: &[(&str, &[&str])], category: Category, written: impl Fn(&Entity) -> String) {
    let mut faults = Vec::new();
    for (said, expected) in cases {
        let found: Vec<String> = extract(said).iter().filter(|each| each.category == category).map(&written).collect();
        if found != *expected {
            faults.push(format!("{said}\n    {found:?}"));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn check_visit(text: &str) {
    let found = extract(text);
    for complaint in ["fever", "cough"] {
        let entity = named(&found, complaint);
        assert!(entity.has(Trait::Symptom) && !entity.has(Trait::Negation), "{text}: {entity:?}");
        assert_eq!(value(entity, AttributeType::Duration).as_deref(), Some("3 d"), "{text}");
    }
    let temperature = found.iter().find(|entity| entity.category == Category::Vital).unwrap();
    assert_eq!(value(temperature, AttributeType::TestValue).as_deref(), Some("38.5"), "{text}");
    assert_eq!(value(temperature, AttributeType::TestUnit).as_deref(), Some("Cel"));
    assert_eq!(temperature.codings.first().map(|coding| coding.code.as_str()), Some("8310-5"));
    let allergy = found.iter().find(|entity| entity.category == Category::Allergy).unwrap();
    assert!(allergy.has(Trait::Negation), "{text}");
    check_medicines(text, &found);
}

fn check_medicines(text: &str, found: &[Entity]) {
    for (name, amount, times, days) in [("paracetamol", "650", 3, "5"), ("azithromycin", "500", 1, "3")] {
        let entity = named(found, name);
        assert!(entity.traits.is_empty(), "{entity:?}");
        let steps = dosage::parse(&entity.dosage_text());
        assert_eq!(steps.len(), 1, "{text}: {}", entity.dosage_text());
        let step = steps.first().unwrap();
        let dose = step.dose.unwrap();
        assert_eq!((dose.value.to_string().as_str(), dose.unit), (amount, DoseUnit::Milligram), "{text}");
        assert_eq!(step.timing.per_day(), Some(times), "{text}");
        assert_eq!(step.duration.map(|length| length.value.to_string()).as_deref(), Some(days), "{text}");
    }
    assert_eq!(found.iter().filter(|entity| entity.category == Category::Medication).count(), 2);
}

#[test]
fn the_visit_that_everybody_dictates_is_understood() {
    check_visit(
        "Patient is a 45 year old with fever and cough for three days. Temperature 38.5. No known allergies. Prescribe paracetamol 650 milligram three times a day for five days and azithromycin 500 milligram once daily for three days.",
    );
}

#[test]
fn the_visit_is_understood_as_speech_engines_write_it() {
    for text in [
        "patient is a 45 year old with fever and cough for three days temperature 38.5 no known allergies prescribe paracetamol 650 milligram three times a day for five days and azithromycin 500 milligram once daily for three days",
        "patient is a forty five year old with fever and cough for 3 days temperature 38 point 5 no known allergies prescribe paracetamol six fifty three times a day for five days and azithromycin five hundred once daily for three days",
        "Patient is a 45-year-old with fever and cough for three days. Temperature: 38.5 °C. No known drug allergies. Prescribe Paracetamol 650mg, three times a day, for five days, and Azithromycin 500mg, once daily, for three days.",
        "Fever and cough for three days. Temperature thirty eight point five. No known allergies. Prescribe paracetamol 650 mg. Three times a day for five days. And azithromycin 500 mg. Once daily for three days.",
        "fever, cough since 3 days temp 38.5 nkda tab paracetamol 650 mg tds x 5 days tab azithromycin 500 mg od x 3 days",
    ] {
        check_visit(text);
    }
}

#[test]
fn an_order_that_is_continued_keeps_its_length() {
    for text in [
        "Tab metformin 500 mg twice a day, continue for six months.",
        "Tab metformin 500 mg twice a day. Continue the same for six months.",
        "Tab metformin 500 mg twice a day continue for another 6 months.",
    ] {
        let found = extract(text);
        let steps = dosage::parse(&named(&found, "metformin").dosage_text());
        let length = steps.first().and_then(|step| step.duration);
        assert_eq!(
            length.map(|length| (length.value.to_string(), length.unit.code())),
            Some(("6".into(), "mo")),
            "{text}"
        );
    }
    let found = extract("Tab metformin 500 mg twice a day, continue amlodipine 5 mg once daily for three months.");
    let steps = dosage::parse(&named(&found, "metformin").dosage_text());
    assert_eq!(steps.first().and_then(|step| step.duration), None, "it is another medicine's");
}

#[test]
fn misheard_medicines_keep_what_was_heard() {
    let found = extract("prescribe azithromicin 500 mg once daily for three days");
    let entity = named(&found, "azithromicin");
    let suggestion = entity.suggestion.as_ref().unwrap();
    assert_eq!((suggestion.heard.as_str(), suggestion.suggested.as_str()), ("azithromicin", "azithromycin"));
    assert!(entity.has(Trait::LowConfidence));
}

#[test]
fn temperature_units_follow_the_stated_rule() {
    for (text, unit) in [
        ("temperature 38.5", Some("Cel")),
        ("temp 101", Some("[degF]")),
        ("temperature is 101.2 f", Some("[degF]")),
        ("fever of 102", Some("[degF]")),
        ("Fever 102 since two days", Some("[degF]")),
        ("fever 101.4", Some("[degF]")),
        ("fever 38.5, cough", Some("Cel")),
        ("fever 102 degree fahrenheit", Some("[degF]")),
        ("temp 101.4", Some("[degF]")),
        ("temperature 60", None),
    ] {
        let found = extract(text);
        let vital = found.iter().find(|entity| entity.category == Category::Vital).unwrap();
        assert_eq!(value(vital, AttributeType::TestUnit).as_deref(), unit, "{text}");
        assert_eq!(vital.has(Trait::LowConfidence), unit.is_none());
    }
    let found = extract("Fever 102 since two days.");
    assert!(named(&found, "Fever").has(Trait::Symptom), "it is a complaint all the same");
    for text in [
        "fever of 3 days",
        "fever 3 days",
        "fever 40",
        "fever 100 days",
        "fever 100 to 102",
        "fever 102 yesterday",
        "Paracetamol 650 mg SOS for fever 101",
        "give paracetamol if temp 102",
        "Paracetamol SOS for fever 500 mg",
        "fever 2 weeks back",
    ] {
        let found = extract(text);
        assert!(found.iter().all(|entity| entity.category != Category::Vital), "{text}: {found:?}");
    }
}

#[test]
fn a_pressure_has_two_values_and_three_codes() {
    for text in [
        "BP 138 over 86",
        "BP 138 by 86",
        "BP one thirty eight by eighty six",
        "blood pressure is 138/86 mmHg",
        "bp one thirty eight over eighty six",
    ] {
        let found = extract(text);
        let vital = found.iter().find(|entity| entity.category == Category::Vital).unwrap();
        let values: Vec<_> =
            vital.attributes_of(AttributeType::TestValue).filter_map(|attribute| attribute.value.as_deref()).collect();
        assert_eq!(values, ["138", "86"], "{text}");
        assert_eq!(vital.codings.len(), 3);
    }
}

#[test]
fn allergies_are_kept_and_never_prescribed() {
    let found = extract("She is allergic to penicillin and ibuprofen. Give paracetamol 500 mg sos for fever.");
    for name in ["penicillin", "ibuprofen"] {
        assert_eq!(named(&found, name).category, Category::Allergy);
    }
    let medicines: Vec<&str> = found
        .iter()
        .filter(|entity| entity.category == Category::Medication)
        .map(|entity| entity.text.as_str())
        .collect();
    assert_eq!(medicines, ["paracetamol"]);
    assert!(found.iter().all(|entity| entity.text != "fever"), "the reason for a dose is not a finding");
}

/// Compares the whole labelled corpus and returns, by evidence, how many readings were right and seen.
fn measure() -> (HashMap<scores::Evidence, (u32, u32)>, Vec<String>) {
    let extractor = LexiconExtractor::default();
    let mut counts: HashMap<scores::Evidence, (u32, u32)> = HashMap::new();
    let mut faults = Vec::new();
    for case in golden_cases() {
        let mut missing = case.expected.clone();
        for each in extractor.found(case.text) {
            let label = seva_clinic::testing::golden_label(&each.entity);
            let (right, seen) = counts.entry(each.evidence).or_default();
            *seen += 1;
            if let Some(place) = missing.iter().position(|expected| *expected == label) {
                missing.remove(place);
                *right += 1;
            } else {
                faults.push(format!("{}: unexpected {label}", case.text));
            }
        }
        faults.extend(missing.iter().map(|label| format!("{}: missing {label}", case.text)));
    }
    (counts, faults)
}

#[test]
fn scores_are_what_was_measured_on_the_labelled_sentences() {
    let (counts, faults) = measure();
    let stated: HashMap<_, _> = scores::Evidence::ALL
        .into_iter()
        .map(|evidence| (evidence, evidence.typed()))
        .filter(|(_, counts)| counts.1 > 0)
        .collect();
    assert_eq!(counts, stated, "faults: {faults:#?}");
    for evidence in scores::Evidence::ALL {
        let (right, seen) = evidence.counts();
        let share = f64::from(right) / f64::from(seen);
        assert!(evidence.score().is_none_or(|score| score > 0.5 && f64::from(score) < share), "{evidence:?}");
    }
}

#[test]
fn cold_that_is_to_be_avoided_is_no_complaint() {
    let found = extract("Avoid cold water.");
    assert_eq!(named(&found, "avoid cold water").category, Category::CarePlan);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(
        named(&extract("Cough and cold since two days."), "cough and cold").category,
        Category::MedicalCondition
    );
    assert_eq!(named(&extract("Cold since two days."), "cold").category, Category::MedicalCondition);
}

#[tokio::test]
async fn the_extractor_keeps_the_contract() {
    extraction_contract(&LexiconExtractor::default(), "no fever. paracetamol 650 mg bd, बुखार, BP 120/80").await;
}

proptest::proptest! {
    #[test]
    fn offsets_are_exact_on_any_text(words in proptest::collection::vec("(fever|no|paracetamol|650|mg|tds|for|3 days|BP|120/80|allergic to|बुखार|é|½|1-0-1|\\.|,|temperature|  |\n|İ|sugar 140|six fifty|and|of)", 0..25)) {
        let text = words.join(" ");
        seva_clinic::testing::check_entities(&text, &extract(&text));
    }

    #[test]
    fn any_text_is_survived(text in ".{0,100}") {
        seva_clinic::testing::check_entities(&text, &extract(&text));
    }
}
