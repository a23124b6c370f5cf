//! What the scores are worth: by kind of evidence and band of the stated score, the share of readings that the labels confirm.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use seva_embedded::extraction::LexiconExtractor;
use seva_embedded::extraction::scores::Evidence;

use super::card::KINDS;
use super::corpus::Item;
use super::reading::labels;
use super::score::take;

/// The bands of scores by their lower ends; what has no score stands apart.
const BANDS: [(f32, &str); 4] =
    [(0.95, "0.95 to 1"), (0.9, "0.90 to 0.95"), (0.8, "0.80 to 0.90"), (0.0, "under 0.80")];
const UNSAID: &str = "no score";

/// Is a reading that the labels confirm or not.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    /// By what it was recognised.
    pub evidence: Evidence,
    /// The stated score.
    pub score: Option<f32>,
    /// Whether it is right, as the scorecard counts.
    pub right: bool,
}

/// Judges all readings of which there are labels: sites of the body and ages have none.
pub fn judge(extractor: &LexiconExtractor, items: &[Item]) -> Vec<Judged> {
    let mut judged = Vec::new();
    for item in items {
        let mut open: Vec<Vec<&String>> = KINDS.iter().map(|(_, of, _)| of(&item.labels).iter().collect()).collect();
        for (entity, evidence) in extractor.readings(&item.text) {
            let said = labels(std::slice::from_ref(&entity));
            for ((_, of, likeness), open) in KINDS.iter().zip(&mut open) {
                for label in of(&said) {
                    judged.push(Judged { evidence, score: entity.score, right: take(*likeness, open, label) });
                }
            }
        }
    }
    judged
}

/// Counts readings that are right and all readings of a kind of evidence.
#[must_use]
pub fn counts(judged: &[Judged], evidence: Evidence) -> (u32, u32) {
    let all = judged.iter().filter(|each| each.evidence == evidence);
    all.fold((0, 0), |(right, seen), each| (right + u32::from(each.right), seen + 1))
}

/// Writes the table in Markdown: the stated score is the mean of the band.
#[must_use]
pub fn table(judged: &[Judged]) -> String {
    let mut rows: BTreeMap<(usize, usize), (f64, u32, u32)> = BTreeMap::new();
    for each in judged {
        let kind = Evidence::ALL.iter().position(|other| *other == each.evidence).unwrap_or_default();
        let band = each.score.and_then(|score| BANDS.iter().position(|(least, _)| score >= *least));
        let (sum, right, seen) = rows.entry((kind, band.unwrap_or(BANDS.len()))).or_default();
        *sum += f64::from(each.score.unwrap_or_default());
        *right += u32::from(each.right);
        *seen += 1;
    }
    let mut text = String::from("| evidence | band | stated | right | readings |\n|---|---|---|---|---|\n");
    for ((kind, band), (sum, right, seen)) in rows {
        let name = Evidence::ALL.get(kind).map_or("", |evidence| evidence.name());
        let (band, stated) = match BANDS.get(band) {
            Some((_, band)) => (*band, format!("{:.2}", sum / f64::from(seen))),
            None => (UNSAID, "-".to_owned()),
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| {name} | {band} | {stated} | {:.2} | {seen} |", f64::from(right) / f64::from(seen));
    }
    text
}
