//! The scorecard of an extractor on clean text.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use seva_clinic::entities::Entity;

use super::corpus::{Item, Labels};
use super::reading::labels;
use super::score::{Counts, Likeness, compare, marks};

/// Is one line of a scorecard.
#[derive(Clone, Debug)]
pub struct Row {
    /// What is measured.
    pub name: &'static str,
    /// How often it was right.
    pub counts: Counts,
}

/// Is the result of a run.
#[derive(Clone, Debug, Default)]
pub struct Card {
    /// How many dictations were read.
    pub dictations: usize,
    /// The lines.
    pub rows: Vec<Row>,
    /// What was missed or made up, dictation by dictation.
    pub faults: Vec<String>,
}

impl Card {
    /// Returns the counts of a line.
    #[must_use]
    pub fn counts(&self, name: &str) -> Counts {
        self.rows.iter().find(|row| row.name == name).map_or_else(Counts::default, |row| row.counts)
    }

    /// Writes the lines as a table in Markdown.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::from("| what | precision | recall | F1 | labels |\n|---|---|---|---|---|\n");
        for Row { name, counts } in &self.rows {
            let (precision, recall, f1) = (counts.precision(), counts.recall(), counts.f1());
            // Writing to a string cannot fail.
            let _ = writeln!(text, "| {name} | {precision:.3} | {recall:.3} | {f1:.3} | {} |", counts.expected);
        }
        text
    }
}

/// A name, the labels that it counts, and how they are compared.
pub type Kind = (&'static str, fn(&Labels) -> &Vec<String>, Likeness);

/// Lists what is measured: its name, its labels, and when two of them mean the same.
pub const KINDS: [Kind; 8] = [
    ("medicines with all attributes", |labels| &labels.medications, Likeness::Exact),
    ("problems with polarity", |labels| &labels.problems, Likeness::Overlapping),
    ("vital signs with value and unit", |labels| &labels.vitals, Likeness::Exact),
    ("laboratory results with value and unit", |labels| &labels.labs, Likeness::Exact),
    ("tests and procedures", |labels| &labels.tests, Likeness::Overlapping),
    ("allergies", |labels| &labels.allergies, Likeness::Overlapping),
    ("advice", |labels| &labels.advice, Likeness::Overlapping),
    ("follow-up", |labels| &labels.follow_up, Likeness::Exact),
];

/// The line of medicines.
pub const MEDICINES: &str = "medicines with all attributes";
/// The line of problems.
pub const PROBLEMS: &str = "problems with polarity";
/// The line of medicines by name alone.
pub const NAMES: &str = "medicines by name";
/// The line of what is denied, absent or stopped.
pub const NEGATION: &str = "negation";

/// Reads all dictations and compares.
pub fn measure(items: &[Item], extract: impl Fn(&str) -> Vec<Entity>) -> Card {
    let mut card = Card { dictations: items.len(), ..Card::default() };
    let all = KINDS.iter().map(|(name, ..)| *name).chain([NAMES, NEGATION]);
    card.rows = all.map(|name| Row { name, counts: Counts::default() }).collect();
    for item in items {
        let found = labels(&extract(&item.text));
        let mut silent = Vec::new();
        for (name, of, likeness) in KINDS {
            let mut faults = Vec::new();
            let counts = compare(likeness, of(&item.labels), of(&found), &mut faults);
            add(&mut card, name, counts);
            card.faults.extend(faults.into_iter().map(|fault| format!("{} {name}: {fault}", item.id)));
        }
        let counts = compare(Likeness::Exact, &names(&item.labels), &names(&found), &mut silent);
        add(&mut card, NAMES, counts);
        let counts = compare(Likeness::Overlapping, &denied(&item.labels), &denied(&found), &mut silent);
        add(&mut card, NEGATION, counts);
    }
    card
}

fn add(card: &mut Card, name: &str, counts: Counts) {
    if let Some(row) = card.rows.iter_mut().find(|row| row.name == name) {
        row.counts.add(counts);
    }
}

fn names(labels: &Labels) -> Vec<String> {
    let name = |label: &String| marks(label).1.split('|').next().unwrap_or_default().to_owned();
    labels.medications.iter().map(name).collect()
}

fn denied(labels: &Labels) -> Vec<String> {
    let all = labels.problems.iter().chain(&labels.allergies).chain(&labels.medications);
    all.filter(|label| marks(label).0.contains(&"!")).cloned().collect()
}

/// Measures how long a transcript of a number of words takes: the least of several runs, which is what the machine can do.
pub fn latency(items: &[Item], words: usize, extract: impl Fn(&str) -> Vec<Entity>) -> Duration {
    let text: Vec<&str> = items.iter().flat_map(|item| item.text.split(' ')).cycle().take(words).collect();
    let text = text.join(" ");
    let runs = (0..5).map(|_| {
        let begun = Instant::now();
        let found = extract(&text);
        (begun.elapsed(), found.len())
    });
    runs.map(|(time, _)| time).min().unwrap_or_default()
}
