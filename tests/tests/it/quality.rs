//! The extraction stays as good as docs/quality.md says: floors a little under the figures of the reporting half.

use std::time::Duration;

use async_trait::async_trait;
use seva_embedded::extraction::LexiconExtractor;
use seva_embedded::extraction::scores::Evidence;
use seva_tests::quality::card::{MEDICINES, NAMES, NEGATION, PROBLEMS, measure};
use seva_tests::quality::corpus::{Half, Item};
use seva_tests::quality::dictations;
use seva_tests::quality::lab::{Ear, Lab, Limits};
use seva_tests::quality::listening::by_engine;
use seva_tests::quality::reliability::{Judged, counts, judge, table};

fn figures(items: &[Item], floors: &[(&str, f64)]) {
    let extractor = LexiconExtractor::default();
    let card = measure(items, |text| extractor.entities(text));
    for (name, floor) in floors {
        let f1 = card.counts(name).f1();
        assert!(f1 >= *floor, "{name}: F1 {f1:.3} is under {floor}\n{}", card.table());
    }
}

#[test]
fn the_reporting_half_is_read_as_well_as_the_figures_say() {
    let items = dictations(Half::Report).unwrap();
    figures(&items, FLOORS);
    let by_hand: Vec<Item> = items.into_iter().filter(|item| item.by_hand).collect();
    figures(&by_hand, HAND_FLOORS);
}

const FLOORS: &[(&str, f64)] = &[
    (MEDICINES, 0.935),
    (NAMES, 0.99),
    (PROBLEMS, 0.98),
    (NEGATION, 0.97),
    ("vital signs with value and unit", 0.98),
    ("laboratory results with value and unit", 0.98),
    ("allergies", 0.95),
    ("follow-up", 0.95),
];

const HAND_FLOORS: &[(&str, f64)] =
    &[(MEDICINES, 0.955), (PROBLEMS, 0.95), (NEGATION, 0.93), ("vital signs with value and unit", 0.95)];

#[test]
fn the_dictations_on_which_the_rules_were_written_are_still_read() {
    let mut items = dictations(Half::Develop).unwrap();
    items.retain(|item| item.by_hand);
    figures(&items, &[(MEDICINES, 0.99), (NAMES, 0.99), (PROBLEMS, 0.98), (NEGATION, 0.985), ("advice", 0.98)]);
}

#[test]
fn the_halves_share_no_dictation_and_are_large_enough() {
    let (develop, report) = (dictations(Half::Develop).unwrap(), dictations(Half::Report).unwrap());
    assert!(develop.len() + report.len() >= 300);
    assert!(develop.iter().chain(&report).filter(|item| item.by_hand).count() >= 80);
    assert!(develop.iter().all(|item| report.iter().all(|other| other.text != item.text)));
    let again = dictations(Half::Report).unwrap();
    assert!(report.iter().zip(&again).all(|(one, other)| one.text == other.text && one.labels == other.labels));
}

#[test]
fn scores_count_the_dictations_of_the_developing_half() {
    let mut items = dictations(Half::Develop).unwrap();
    items.retain(|item| item.by_hand);
    let judged = judge(&LexiconExtractor::default(), &items);
    for evidence in Evidence::ALL {
        let stated = evidence.dictated();
        if stated.1 > 0 {
            assert_eq!(counts(&judged, evidence), stated, "{evidence:?}");
        }
    }
}

#[test]
fn a_judged_reading_stands_in_the_band_of_its_score() {
    let judged = |score, right| Judged { evidence: Evidence::ConditionPhrase, score, right };
    let card =
        table(&[judged(Some(0.96), true), judged(Some(0.96), false), judged(None, true), judged(Some(0.5), false)]);
    assert!(card.contains("| condition or symptom phrase | 0.95 to 1 | 0.96 | 0.50 | 2 |"), "{card}");
    assert!(card.contains("| condition or symptom phrase | under 0.80 | 0.50 | 0.00 | 1 |"), "{card}");
    assert!(card.contains("| condition or symptom phrase | no score | - | 1.00 | 1 |"), "{card}");
}

/// What both engines heard of a spoken dictation, taken from a run of `make quality-audio`; speaking and hearing it takes minutes.
const RECORDED: [(&str, &str); 2] = [
    (
        "seva with this model",
        "Known case of Covid-19, weight 47 kilograms, ammoxicillin, 500 ml, twice daily for 4 days, and once daily for 4 days, \
         acetylsalicylic acid, 75 ml, once a week for 6 weeks, allergic to penicillin.",
    ),
    (
        "plain Whisper",
        "Known case of covid-19, weight 47 kilograms, amoxicilin 500 ml, twice daily for 4 days, and once daily for 4 days, \
         acetylsalicylic acid 75 ml, once a week for 6 weeks, allergic to penicillin.",
    ),
];

struct Recorded(usize);

#[async_trait]
impl Ear for Recorded {
    fn name(&self) -> &str {
        RECORDED[self.0].0
    }

    fn edition(&self) -> &str {
        "recorded"
    }

    async fn hear(&self, _: &[i16]) -> anyhow::Result<String> {
        Ok(RECORDED[self.0].1.to_owned())
    }
}

#[tokio::test]
async fn a_recorded_hearing_makes_a_card_by_engine() {
    let all = dictations(Half::Develop).unwrap();
    let items: Vec<&Item> = all.iter().filter(|item| item.id == "develop-081").collect();
    let folder = tempfile::tempdir().unwrap();
    let (own, plain) = (Recorded(0), Recorded(1));
    let speak = |item: &Item| Ok(vec![1; item.text.len()]);
    let lab = Lab { folder: folder.path().to_owned(), ears: vec![&own, &plain], speak: &speak };
    let limits = Limits { dictations: 5, time: Duration::from_secs(60) };
    let run = lab.run(&items, limits, &mut |_| ()).await.unwrap();
    assert!(run.standing().starts_with("1 of 1 dictations were heard"), "{}", run.standing());
    let extractor = LexiconExtractor::default();
    let card = by_engine(&run, |text| extractor.entities(text));
    let lines: Vec<&str> = card.lines().collect();
    assert_eq!(lines.len(), 4, "{card}");
    // Of 35 words "then" was heard as "and", "milligram" twice as "ml"; a name with a wrong letter is repaired for our own only.
    assert!(lines[2].starts_with("| seva with this model | 1 | 11.4 % | 1.000 | 0 | 0 of 7 |"), "{card}");
    assert!(lines[3].starts_with("| plain Whisper | 1 | 11.4 % | 0.500 | 1 | 0 of 7 |"), "{card}");
}
