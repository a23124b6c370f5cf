//! Two texts that were written at the same time, with the words in which they differ
//! (FHIR R4, <https://hl7.org/fhir/R4/http.html#concurrency>).

use serde::Serialize;

/// The longest text, in words, that is compared word by word; a longer one is marked whole.
const LONGEST: usize = 400;

/// A text that somebody else overtook.
#[derive(Clone, Default)]
pub(crate) struct Overtaken {
    /// The section's code; empty when it was a medicine, a finding or the signature.
    pub(crate) section: String,
    /// The text that was not saved.
    pub(crate) yours: String,
    /// The decision that was not saved.
    pub(crate) state: String,
}

/// Both texts of a section.
#[derive(Serialize)]
pub(crate) struct Conflict {
    section: String,
    state: String,
    text: String,
    yours: Vec<Piece>,
    theirs: Vec<Piece>,
}

/// Words that stand in both texts, or in one only.
#[derive(Serialize, Debug, PartialEq, Eq)]
struct Piece {
    text: String,
    differs: bool,
}

impl Conflict {
    /// Compares what was not saved with what stands there now.
    pub(crate) fn between(overtaken: Overtaken, theirs: &str) -> Self {
        let (yours, theirs) = compared(&overtaken.yours, theirs);
        Self { section: overtaken.section, state: overtaken.state, text: overtaken.yours, yours, theirs }
    }
}

fn compared(yours: &str, theirs: &str) -> (Vec<Piece>, Vec<Piece>) {
    let (ours, others): (Vec<&str>, Vec<&str>) =
        (yours.split_whitespace().collect(), theirs.split_whitespace().collect());
    if ours.len().max(others.len()) > LONGEST {
        let whole = |text: &str| vec![Piece { text: text.to_owned(), differs: true }];
        return (whole(yours), whole(theirs));
    }
    let common = common(&ours, &others);
    (
        pieces(&ours, |place| common.iter().any(|(our, _)| *our == place)),
        pieces(&others, |place| common.iter().any(|(_, other)| *other == place)),
    )
}

/// The places of the longest common run of words, in both texts.
fn common(ours: &[&str], others: &[&str]) -> Vec<(usize, usize)> {
    let width = others.len() + 1;
    let mut lengths = vec![0usize; (ours.len() + 1) * width];
    let at = |lengths: &[usize], row: usize, column: usize| lengths.get(row * width + column).copied().unwrap_or(0);
    for (row, our) in ours.iter().enumerate().rev() {
        for (column, other) in others.iter().enumerate().rev() {
            let longest = if our == other {
                at(&lengths, row + 1, column + 1) + 1
            } else {
                at(&lengths, row + 1, column).max(at(&lengths, row, column + 1))
            };
            if let Some(cell) = lengths.get_mut(row * width + column) {
                *cell = longest;
            }
        }
    }
    let (mut row, mut column, mut places) = (0, 0, Vec::new());
    while let (Some(our), Some(other)) = (ours.get(row), others.get(column)) {
        if our == other {
            places.push((row, column));
            (row, column) = (row + 1, column + 1);
        } else if at(&lengths, row + 1, column) >= at(&lengths, row, column + 1) {
            row += 1;
        } else {
            column += 1;
        }
    }
    places
}

fn pieces(words: &[&str], is_common: impl Fn(usize) -> bool) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (place, word) in words.iter().enumerate() {
        let differs = !is_common(place);
        match pieces.last_mut().filter(|last| last.differs == differs) {
            Some(last) => {
                last.text.push(' ');
                last.text.push_str(word);
            }
            None => pieces.push(Piece { text: (*word).to_owned(), differs }),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::{Piece, compared};

    fn piece(text: &str, differs: bool) -> Piece {
        Piece { text: text.to_owned(), differs }
    }

    #[test]
    fn the_words_that_differ_are_marked_in_both_texts() {
        let (yours, theirs) = compared("Acute tonsillitis, left", "Acute pharyngitis on the left");
        assert_eq!(yours, [piece("Acute", false), piece("tonsillitis,", true), piece("left", false)]);
        assert_eq!(theirs, [piece("Acute", false), piece("pharyngitis on the", true), piece("left", false)]);
        assert_eq!(compared("", "new"), (vec![], vec![piece("new", true)]));
        let long = "word ".repeat(500);
        assert_eq!(compared(&long, "x").1, [piece("x", true)]);
    }
}
