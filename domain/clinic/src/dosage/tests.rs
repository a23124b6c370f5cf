#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use seva_models::MedicationRequest;

use super::*;
use crate::drafting::elements::written;

fn one(text: &str) -> Dosage {
    let steps = parse(text);
    assert_eq!(steps.len(), 1, "{text}: {steps:?}");
    steps[0].clone()
}

fn amount(quantity: Option<Quantity>) -> String {
    quantity.map_or_else(|| "-".to_owned(), |found| format!("{} {}", found.value, found.unit.code()))
}

fn summary(text: &str) -> String {
    let step = one(text);
    let timing = match step.timing.rate() {
        (Some(times), Some(period), None, Some(unit)) => format!("{times}/{period}{}", unit.code()),
        (Some(times), Some(period), Some(most), Some(unit)) => format!("{times}/{period}-{most}{}", unit.code()),
        _ => "-".to_owned(),
    };
    let when: Vec<&str> = step.timing.when.iter().map(|time| time.code()).collect();
    let length =
        step.duration.map_or_else(|| "-".to_owned(), |length| format!("{}{}", length.value, length.unit.code()));
    let food = step.food.map_or("-", Food::code);
    format!("{} | {} | {timing} {} | {length} | {food}", amount(step.dose), amount(step.strength), when.join("+"))
}

const WAYS: &[(&str, &str)] = &[
    ("650 milligram three times a day for five days", "650 mg | - | 3/1d  | 5d | -"),
    ("500 mg once daily for three days", "500 mg | - | 1/1d  | 3d | -"),
    ("six fifty mg tds x 5 days", "650 mg | - | 3/1d  | 5d | -"),
    ("650mg tid after food for 5 days", "650 mg | - | 3/1d  | 5d | PC"),
    ("1-0-1 after food for 5 days", "- | - | 2/1d MORN+NIGHT | 5d | PC"),
    ("1-1-1-1", "- | - | 4/1d MORN+NOON+EVE+NIGHT | - | -"),
    ("500 mg 1-0-1", "1 {tablet} | 500 mg | 2/1d MORN+NIGHT | - | -"),
    ("one zero one for five days", "- | - | 2/1d MORN+NIGHT | 5d | -"),
    ("half tablet at bedtime", "0.5 {tablet} | - | 1/1d HS | - | -"),
    ("½ tablet od", "0.5 {tablet} | - | 1/1d  | - | -"),
    ("500 mg one tablet twice a day after food for five days", "1 {tablet} | 500 mg | 2/1d  | 5d | PC"),
    ("5 ml every 8 hours", "5 mL | - | 1/8h  | - | -"),
    ("two puffs q6h", "2 {puff} | - | 1/6h  | - | -"),
    ("50 micrograms once a day before breakfast", "50 ug | - | 1/1d  | - | AC"),
    ("one tablet morning and night for a week", "1 {tablet} | - | 2/1d MORN+NIGHT | 1wk | -"),
    ("60000 units once a week for 8 weeks", "60000 [iU] | - | 1/1wk  | 8wk | -"),
    ("1 tab b.d. p.c.", "1 {tablet} | - | 2/1d  | - | PC"),
    ("one tablet alternate days", "1 {tablet} | - | 1/2d  | - | -"),
    ("one and a half tablets hs", "1.5 {tablet} | - | 1/1d HS | - | -"),
    ("500 mg twice daily", "500 mg | - | 2/1d  | - | -"),
    ("500 mg 6-hourly for 5 days", "500 mg | - | 1/6h  | 5d | -"),
    ("10 mg 12 hourly", "10 mg | - | 1/12h  | - | -"),
    ("500 mg with breakfast and dinner for three months", "500 mg | - | 2/1d  | 3mo | C"),
    ("500 mg after breakfast, lunch and dinner", "500 mg | - | 3/1d  | - | PC"),
    ("75 mg after lunch", "75 mg | - | -  | - | PC"),
    ("one tablet a day for a week", "1 {tablet} | - | 1/1d  | 1wk | -"),
    ("sixty thousand units weekly", "60000 [iU] | - | 1/1wk  | - | -"),
    ("40 mg tablet two at night", "2 {tablet} | 40 mg | 1/1d NIGHT | - | -"),
    ("40 mg at two in the afternoon", "40 mg | - | 1/1d NOON | - | -"),
    ("10 mg every sunday", "10 mg | - | 1/1wk  | - | -"),
    ("10 mg every monday and thursday for two more weeks", "10 mg | - | 2/1wk  | 2wk | -"),
    ("150 mg b.i.d. for 10/7", "150 mg | - | 2/1d  | 10d | -"),
    ("150 mg once in two weeks", "150 mg | - | 1/2wk  | - | -"),
    ("one tablet twice for five days", "1 {tablet} | - | 2/1d  | 5d | -"),
    ("one capsule monthly", "1 {capsule} | - | 1/1mo  | - | -"),
    ("500 mg every four to six hours", "500 mg | - | 1/4-6h  | - | -"),
    ("500 mg every 4-6 hours for 3 days", "500 mg | - | 1/4-6h  | 3d | -"),
    ("500 mg 6 to 8 hourly", "500 mg | - | 1/6-8h  | - | -"),
    ("one tablet every 2 to 3 days", "1 {tablet} | - | 1/2-3d  | - | -"),
    ("5 mg od for a fortnight", "5 mg | - | 1/1d  | 2wk | -"),
];

#[test]
fn the_ways_of_writing_a_dosage_are_read() {
    for (text, expected) in WAYS {
        assert_eq!(summary(text), *expected, "{text}");
    }
}

#[test]
fn needed_urgent_route_and_maximum_are_read() {
    assert_eq!(one("500 mg sos for fever").timing.as_needed, AsNeeded::For("fever".to_owned()));
    assert_eq!(one("500 mg prn").timing.as_needed, AsNeeded::Yes);
    assert_eq!(one("75 mg im stat").timing.start, Start::Immediate);
    assert_eq!(one("75 mg im stat").route, Some(Route::Intramuscular));
    assert_eq!(
        one("500 mg six hourly maximum 4 g per day").max_per_day.map(|most| most.value.to_string()),
        Some("4".to_owned())
    );
    assert_eq!(one("apply twice a day").route, Some(Route::Topical));
    for (text, most) in [
        ("650 mg sos not more than four a day", "4 {tablet}"),
        ("50 mg one capsule sos up to two a day", "2 {capsule}"),
        ("400 mg as needed at most three tablets a day", "3 {tablet}"),
        ("5 ml sos not more than four a day", "-"),
    ] {
        let step = one(text);
        assert_eq!((amount(step.max_per_day), step.duration), (most.to_owned(), None), "{text}");
    }
    for (text, reason) in [
        ("5 ml every six hours if fever is above 100", Some("fever")),
        ("15 ml at night if constipated", Some("constipated")),
        ("50 mg one capsule when pain is severe", Some("pain")),
        ("650 mg tds for 3 days if fever is above 102 come to the hospital", None),
        ("650 mg tds for 3 days if pain is there after 3 days report", None),
        ("650 mg sos for fever review after 3 days", Some("fever")),
        ("50 mg od when pain subsides stop", None),
    ] {
        let expected = reason.map_or(AsNeeded::No, |reason| AsNeeded::For(reason.to_owned()));
        assert_eq!(one(text).timing.as_needed, expected, "{text}");
    }
}

#[test]
fn what_the_model_cannot_state_is_doubtful_and_never_another_dose() {
    use crate::lexicon::tokens::tokenize;
    for text in [
        "15 mg per kg every 6 hours",
        "5 mg od except sunday",
        "40 mg od 20 mg od",
        "500 mg od bd",
        "5 to 10 mg od",
        "500 mg 1-2 tablets sos",
        "100 mg bd, increase to 200 mg if needed",
        "10 mg hs, can increase to 25 mg",
        "40 mg 1 tab in the morning and 1 tab at 4 pm",
        "0.5 ml im on day 0, 3, 7",
        "400 mg once and repeat after two weeks",
    ] {
        assert!(read(&tokenize(text)).conflicts > 0, "{text}");
    }
    assert_eq!(read(&tokenize("15 mg per kg every 6 hours")).steps[0].dose, None);
    // A count beside another one says that it is a count.
    let unequal = read(&tokenize("500 mg one in the morning and two at night"));
    let doses: Vec<String> = unequal.steps.iter().map(|step| amount(step.dose)).collect();
    assert_eq!((unequal.conflicts, doses), (0, vec!["1 {tablet}".to_owned(), "2 {tablet}".to_owned()]));
    let regular = one("400 mg tds for three days if fever persists come back");
    assert_eq!(regular.timing.as_needed, AsNeeded::No);
    assert_eq!(one("1-0-1 x 5 days").duration.map(|length| length.value), Some(Decimal::whole(5)));
    assert_eq!(amount(one("six fifty mg one tablet tds").dose), "1 {tablet}");
}

#[test]
fn unequal_slots_run_together_and_tapers_follow() {
    let together = parse("1-0-2 for 3 days");
    assert_eq!(together.len(), 2);
    assert!(together.iter().all(|step| step.sequence == Some(1)));
    let taper = parse("40 mg once daily for 5 days then 20 mg once daily for 5 days then 10 mg once daily for 5 days");
    let steps: Vec<(Option<u32>, String)> = taper.iter().map(|step| (step.sequence, amount(step.dose))).collect();
    assert_eq!(steps, [(Some(1), "40 mg".to_owned()), (Some(2), "20 mg".to_owned()), (Some(3), "10 mg".to_owned())]);
}

#[test]
fn unequal_counts_run_together_and_steps_keep_what_is_unsaid() {
    // The commas are those of the words that an entity keeps of its dosage.
    for text in [
        "40 mg one tablet in the morning and half tablet in the afternoon for 5 days",
        "40 mg, 1 tablet, in the morning, 0.5 tablet, in the afternoon, for 5 days",
    ] {
        let steps = parse(text);
        let amounts: Vec<String> = steps.iter().map(|step| amount(step.dose)).collect();
        assert_eq!(amounts, ["1 {tablet}", "0.5 {tablet}"], "{text}");
        assert!(steps.iter().all(|step| step.sequence == Some(1) && step.duration.is_some()), "{text}");
        assert!(steps.iter().all(|step| amount(step.strength) == "40 mg"), "{text}");
    }
    let taper = parse("5 mg at night for 1 week then increase to 10 mg for 5 days then stop");
    let steps: Vec<(String, Option<u32>)> =
        taper.iter().map(|step| (amount(step.dose), step.timing.per_day())).collect();
    assert_eq!(steps, [("5 mg".to_owned(), Some(1)), ("10 mg".to_owned(), Some(1))]);
    assert_eq!(one("half tablet five days a week").timing.frequency, Some(5));
    assert_eq!(one("40 mg once daily to be started after two weeks").duration, None);
}

#[test]
fn slots_count_by_time_of_day() {
    let slots = one("1-0-1").slots().unwrap();
    assert_eq!(slots.map(|slot| slot.to_string()), ["1", "0", "0", "1"]);
    assert_eq!(amount(one("325 mg two tablets od").substance()), "650 mg");
    assert_eq!(one("5 ml every 8 hours").timing.per_day(), Some(3));
}

#[test]
fn fhir_says_what_the_doctor_said() {
    let dosages = vec![to_fhir(&one("650 mg one tablet orally three times a day after food for five days"))];
    let request = MedicationRequest { dosages, ..MedicationRequest::default() };
    let json = String::from_utf8(request.to_json()).unwrap();
    for part in [
        r#""frequency":3,"period":1,"periodUnit":"d","when":["PC"]"#,
        r#""boundsDuration":{"value":5,"unit":"d","system":"http://unitsofmeasure.org","code":"d"}"#,
        r#""code":"26643006""#,
        r#""code":"calculated""#,
        r#""value":650,"unit":"mg""#,
    ] {
        assert!(json.contains(part), "{part} in {json}");
    }
}

fn any_dosage() -> impl Strategy<Value = String> {
    let dose = prop_oneof![
        Just("650 mg"),
        Just("500 mg one tablet"),
        Just("half tablet"),
        Just("5 ml"),
        Just("two puffs"),
        Just("50 mcg 2 capsules"),
        Just("")
    ];
    let timing = prop_oneof![
        Just("od"),
        Just("tds"),
        Just("1-0-1"),
        Just("1-0-2"),
        Just("every 6 hours"),
        Just("hs"),
        Just("sos for pain"),
        Just("stat"),
        Just("weekly")
    ];
    let food = prop_oneof![Just("after food"), Just("before food"), Just("")];
    let length = prop_oneof![Just("for 5 days"), Just("for 2 weeks"), Just("")];
    let route = prop_oneof![Just("orally"), Just("iv"), Just("")];
    (dose, timing, food, length, route).prop_map(|(a, b, c, d, e)| format!("{a} {b} {c} {d} {e}"))
}

proptest! {
    #[test]
    fn a_dosage_survives_fhir(text in any_dosage()) {
        let steps = parse(&text);
        let request = MedicationRequest { dosages: regimen_to_fhir(&steps), ..MedicationRequest::default() };
        let written = written(&request.to_json());
        let back = written.get("dosageInstruction").map(regimen_from_fhir).transpose().unwrap().unwrap_or_default();
        prop_assert_eq!(steps, back);
    }

    #[test]
    fn parsing_never_panics(text in ".{0,80}") {
        drop(parse(&text));
    }
}
