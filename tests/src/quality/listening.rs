//! The scorecard of an engine on spoken dictations.

use std::collections::HashMap;

use seva_clinic::entities::{Category, Entity};
use seva_clinic::lexicon::tokens::tokenize;
use seva_clinic::review::learning::{Instead, substituted};

use super::card::{Card, NAMES, measure};
use super::corpus::Item;
use super::lab::Run;
use super::spoken::said;

/// What an engine heard of a dictation.
pub struct Hearing<'a> {
    /// The dictation.
    pub item: &'a Item,
    /// The engine's text; below it a line for each name that it proposes: what was heard, a tab, the name.
    pub heard: String,
}

impl Hearing<'_> {
    /// Returns the text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.heard.lines().next().unwrap_or_default()
    }

    /// Extracts from the text as the product does: proposed names are read in place of what was heard.
    fn entities(&self, extract: impl Fn(&str) -> Vec<Entity>) -> Vec<Entity> {
        let proposal = |line: &str| line.split_once('\t').and_then(|(heard, meant)| Instead::of(heard, meant));
        let names: Vec<Instead> = self.heard.lines().skip(1).filter_map(proposal).collect();
        let read = substituted(self.text(), &names);
        read.restored(extract(&read.text), self.text())
    }
}

/// Is the result of an engine on some dictations.
#[derive(Clone, Debug)]
pub struct Score {
    /// Words that were said.
    pub words: usize,
    /// Words to change, to add and to leave out for the right text.
    pub wrong_words: usize,
    /// Numbers that were said.
    pub numbers: usize,
    /// Numbers that are missing or were not said.
    pub wrong_numbers: usize,
    /// What the extraction understands of the heard text.
    pub card: Card,
}

impl Score {
    /// Returns the medicines that are missing, wrong or were never said.
    #[must_use]
    pub fn medicine_errors(&self) -> u32 {
        let names = self.card.counts(NAMES);
        names.expected + names.found - 2 * names.right
    }

    /// Writes the line of a table in Markdown.
    #[must_use]
    pub fn line(&self, name: &str) -> String {
        let share = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
        let (names, polarity) = (self.card.counts(NAMES), self.card.counts(super::card::NEGATION));
        format!(
            "| {name} | {} | {:.1} % | {:.3} | {} | {} of {} | {} | {:.3} | {:.3} |",
            self.card.dictations,
            share(self.wrong_words, self.words),
            names.recall(),
            self.medicine_errors(),
            self.wrong_numbers,
            self.numbers,
            polarity.expected + polarity.found - 2 * polarity.right,
            self.card.counts(super::card::PROBLEMS).f1(),
            self.card.counts(super::card::MEDICINES).f1(),
        )
    }
}

/// The head of the table.
pub const HEAD: &str = "| | dictations | words wrong | medicine recall | medicine errors | numbers wrong | polarity errors | problems F1 | medicines with dosage F1 |\n|---|---|---|---|---|---|---|---|---|";

/// Writes the card by engine; the first is our own, the others have no repair of names that merely sound alike.
#[must_use]
pub fn by_engine(run: &Run<'_>, extract: impl Fn(&str) -> Vec<Entity>) -> String {
    let mut table = format!("{HEAD}\n");
    for (place, (name, hearings)) in run.heard.iter().enumerate() {
        let read = |text: &str| if place == 0 { extract(text) } else { without_repairs(extract(text)) };
        table.push_str(&score(hearings, read).line(name));
        table.push('\n');
    }
    table
}

/// Scores what an engine heard.
pub fn score(hearings: &[Hearing<'_>], extract: impl Fn(&str) -> Vec<Entity>) -> Score {
    let items: Vec<Item> = hearings.iter().map(|hearing| hearing.item.clone()).collect();
    let by_text: HashMap<&str, &Hearing<'_>> =
        hearings.iter().map(|hearing| (hearing.item.text.as_str(), hearing)).collect();
    let card = measure(&items, |text| by_text.get(text).map_or(Vec::new(), |hearing| hearing.entities(&extract)));
    let mut score = Score { words: 0, wrong_words: 0, numbers: 0, wrong_numbers: 0, card };
    for hearing in hearings {
        let spoken = said(&hearing.item.text);
        let (right, heard) = (words(&spoken), words(&said(hearing.text())));
        score.words += right.len();
        score.wrong_words += distance(&right, &heard);
        let (right, heard) = (numbers(&spoken), numbers(hearing.text()));
        score.numbers += right.values().sum::<usize>();
        score.wrong_numbers += difference(&right, &heard);
    }
    score
}

/// Leaves out what is read from a name that merely sounds alike: plain Whisper has no such repair.
#[must_use]
pub fn without_repairs(entities: Vec<Entity>) -> Vec<Entity> {
    let repaired = |entity: &Entity| entity.category == Category::Medication && entity.suggestion.is_some();
    entities.into_iter().filter(|entity| !repaired(entity)).collect()
}

/// Words without case and marks; numbers in figures, as the dosage grammar reads them.
fn words(text: &str) -> Vec<String> {
    let spelt = |token: seva_clinic::lexicon::tokens::Token| {
        token.number().map_or_else(|| token.word.to_lowercase(), |number| number.to_string())
    };
    let all = tokenize(text).into_iter().map(spelt);
    all.filter(|word| word.chars().any(char::is_alphanumeric)).collect()
}

fn numbers(text: &str) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for number in tokenize(text).iter().filter_map(seva_clinic::lexicon::tokens::Token::number) {
        *counts.entry(number.to_string()).or_default() += 1;
    }
    counts
}

/// Counts wrong numbers: one that is heard in another's place counts once.
fn difference(right: &HashMap<String, usize>, heard: &HashMap<String, usize>) -> usize {
    let surplus = |these: &HashMap<String, usize>, those: &HashMap<String, usize>| -> usize {
        these.iter().map(|(number, count)| count.saturating_sub(those.get(number).copied().unwrap_or(0))).sum()
    };
    surplus(right, heard).max(surplus(heard, right))
}

fn distance(right: &[String], heard: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (line, word) in right.iter().enumerate() {
        let mut next = vec![line + 1];
        for ((other, pair), left) in heard.iter().zip(row.windows(2)).zip(0..) {
            let [corner, above] = pair else { continue };
            let before: usize = next.get(left).copied().unwrap_or(usize::MAX - 1);
            next.push((corner + usize::from(word != other)).min(above + 1).min(before + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(right.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_are_counted_apart() {
        assert_eq!(distance(&words("give two tablets daily"), &words("Give 2 tablet, daily now")), 2);
        assert_eq!(difference(&numbers("650 mg for 5 days"), &numbers("650 mg for 9 days")), 1);
        assert_eq!(difference(&numbers("650 mg"), &numbers("6 50 mg")), 2);
    }
}
