#![expect(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;
use crate::dosage;

fn said(text: &str, language: &str) -> Vec<String> {
    dosage::parse(text).iter().map(|step| render(step, language).unwrap().text).collect()
}

#[test]
fn patients_read_their_dose_in_their_language() {
    for (text, language, expected) in [
        ("one tablet 1-0-0 after food for 5 days", "hi", "सुबह 1 गोली, खाने के बाद, 5 दिन तक"),
        ("one tablet 1-0-1 after food for 5 days", "hi", "सुबह 1 गोली, रात 1 गोली, खाने के बाद, 5 दिन तक"),
        ("650 mg three times a day for 5 days", "en", "650 mg, 3 times a day, for 5 days"),
        ("650 mg three times a day for 5 days", "hi", "650 mg, दिन में 3 बार, 5 दिन तक"),
        ("half tablet at bedtime", "hi", "सोते समय 0.5 गोली"),
        ("two tablets sos for fever", "mr", "2 गोळ्या, ताप आल्यास"),
        ("two puffs every 6 hours", "en", "2 puffs, every 6 hours"),
        ("two puffs every four to six hours", "en", "2 puffs, every 4 to 6 hours"),
        ("two puffs every four to six hours", "hi", "2 पफ, हर 4 से 6 घंटे पर"),
    ] {
        assert_eq!(said(text, language), [expected], "{text}");
    }
}

#[test]
fn what_cannot_be_said_is_an_error() {
    let mut step = dosage::parse("one tablet od").remove(0);
    assert!(matches!(render(&step, "ta"), Err(MissingPhrase::Language { .. })));
    step.timing.as_needed = dosage::AsNeeded::For("hiccups".to_owned());
    assert!(matches!(render(&step, "hi"), Err(MissingPhrase::Phrase { .. })));
}

#[test]
fn all_catalogues_have_the_same_keys_and_no_comma() {
    let english = Catalogue::find("en").unwrap();
    for language in languages() {
        let catalogue = Catalogue::find(language).unwrap();
        assert_eq!(catalogue.phrases.len(), english.phrases.len(), "{language}");
        for (key, phrase) in &catalogue.phrases {
            assert!(english.phrases.contains_key(key), "{language} {key}");
            assert!(!phrase.text.contains(','), "{language} {key}");
            for placeholder in ["{n}", "{most}", "{dose}", "{time}"] {
                assert_eq!(
                    phrase.text.contains(placeholder),
                    english.phrase(key).unwrap().text.contains(placeholder),
                    "{language} {key}"
                );
            }
        }
    }
}

fn any_quantity() -> impl Strategy<Value = dosage::Quantity> {
    (1_u32..2000, 0_u32..4, 0..dosage::DoseUnit::ALL.len()).prop_map(|(whole, quarters, unit)| dosage::Quantity {
        value: format!("{}.{}", whole, ["0", "25", "5", "75"].get(quarters as usize).unwrap()).parse().unwrap(),
        unit: *dosage::DoseUnit::ALL.get(unit).unwrap(),
    })
}

fn any_timing() -> impl Strategy<Value = dosage::Timing> {
    use dosage::{AsNeeded, DayTime, Start, TimeUnit, Timing};
    let times = proptest::sample::subsequence(DayTime::ALL.to_vec(), 1..4).prop_map(|when| {
        let frequency = u32::try_from(when.len()).unwrap();
        Timing { when, ..Timing::every(frequency, crate::lexicon::decimal::Decimal::ONE, TimeUnit::Day) }
    });
    let unit = prop_oneof![Just(TimeUnit::Day), Just(TimeUnit::Week), Just(TimeUnit::Month)];
    let often =
        (1_u32..7, unit).prop_map(|(times, unit)| Timing::every(times, crate::lexicon::decimal::Decimal::ONE, unit));
    let every = (2_u32..25, prop_oneof![Just(TimeUnit::Hour), Just(TimeUnit::Day)])
        .prop_map(|(period, unit)| Timing::every(1, crate::lexicon::decimal::Decimal::whole(period), unit));
    let range = (1_u32..12, 1_u32..9, prop_oneof![Just(TimeUnit::Hour), Just(TimeUnit::Day)]).prop_map(
        |(least, more, unit)| {
            let whole = crate::lexicon::decimal::Decimal::whole;
            Timing { period_max: Some(whole(least + more)), ..Timing::every(1, whole(least), unit) }
        },
    );
    let needed = prop_oneof![Just(AsNeeded::No), Just(AsNeeded::Yes), Just(AsNeeded::For("loose motions".to_owned()))];
    let start = prop_oneof![Just(Start::Routine), Just(Start::Immediate)];
    (prop_oneof![times, often, every, range, Just(Timing::default())], needed, start, proptest::option::of(1_u32..9))
        .prop_map(|(timing, as_needed, start, count)| Timing { as_needed, start, count, ..timing })
}

fn any_dosage() -> impl Strategy<Value = Dosage> {
    let quantity = || proptest::option::of(any_quantity());
    let duration =
        proptest::option::of((1_u32..60, 0..dosage::TimeUnit::ALL.len()).prop_map(|(value, unit)| dosage::Duration {
            value: crate::lexicon::decimal::Decimal::whole(value),
            unit: *dosage::TimeUnit::ALL.get(unit).unwrap(),
        }));
    let route = proptest::option::of(proptest::sample::select(dosage::Route::ALL));
    let food = proptest::option::of(proptest::sample::select(dosage::Food::ALL.to_vec()));
    ((quantity(), quantity(), quantity()), any_timing(), duration, route, food, proptest::option::of(1_u32..5))
        .prop_map(|((dose, strength, max_per_day), timing, duration, route, food, sequence)| Dosage {
            sequence,
            text: None,
            dose,
            strength,
            timing,
            duration,
            route,
            food,
            max_per_day,
        })
}

#[test]
fn a_line_that_says_nothing_was_not_reviewed() {
    for language in languages() {
        let line = render(&Dosage::default(), language).unwrap();
        assert_eq!((line.text.as_str(), line.status), ("", ReviewStatus::Draft));
    }
}

proptest! {
    #[test]
    fn every_dosage_reads_back_in_every_language(dosage in any_dosage()) {
        for language in languages() {
            let line = render(&dosage, language).unwrap();
            prop_assert_eq!(parse(&line.text, language).unwrap(), Some(dosage.clone()), "{}", line.text);
            prop_assert_eq!(line.status, ReviewStatus::Draft);
        }
    }

    #[test]
    fn parsing_phrases_never_panics(text in ".{0,60}") {
        drop(parse(&text, "hi"));
    }
}
