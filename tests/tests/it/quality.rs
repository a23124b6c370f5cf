//! The extraction stays as good as docs/quality.md says: floors a little under the figures of the reporting half.

use seva_embedded::extraction::LexiconExtractor;
use seva_tests::quality::card::{MEDICINES, NAMES, NEGATION, PROBLEMS, measure};
use seva_tests::quality::corpus::{Half, Item};
use seva_tests::quality::dictations;

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
    (MEDICINES, 0.93),
    (NAMES, 0.98),
    (PROBLEMS, 0.95),
    (NEGATION, 0.97),
    ("vital signs with value and unit", 0.95),
    ("laboratory results with value and unit", 0.95),
    ("allergies", 0.95),
    ("follow-up", 0.95),
];

const HAND_FLOORS: &[(&str, f64)] = &[(MEDICINES, 0.94), (PROBLEMS, 0.93), (NEGATION, 0.90)];

#[test]
fn the_halves_share_no_dictation_and_are_large_enough() {
    let (develop, report) = (dictations(Half::Develop).unwrap(), dictations(Half::Report).unwrap());
    assert!(develop.len() + report.len() >= 300);
    assert!(develop.iter().chain(&report).filter(|item| item.by_hand).count() >= 80);
    assert!(develop.iter().all(|item| report.iter().all(|other| other.text != item.text)));
    let again = dictations(Half::Report).unwrap();
    assert!(report.iter().zip(&again).all(|(one, other)| one.text == other.text && one.labels == other.labels));
}
