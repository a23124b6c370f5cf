//! What a speaker takes back: "250, no sorry, 500 mg", "for five days, I mean seven days".

use super::{AsNeeded, Dosage, DoseUnit, grammar::read_as_said, parts::Cursor, parts::time_unit};
use crate::lexicon::tokens::{Token, TokenKind};

/// Words with which something said is taken back.
const CUES: [&str; 13] = [
    "no sorry",
    "no , sorry",
    "sorry no",
    "sorry , no",
    "sorry",
    "no no",
    "i mean",
    "i meant",
    "correction",
    "or rather",
    "make that",
    "make it",
    "sorry i mean",
];

/// Names what a piece of a dosage states; only the same is taken back.
#[derive(Clone, Copy, PartialEq)]
enum Sort {
    Amount(Option<DoseUnit>),
    Rate,
    Food,
    Need,
    Length,
    Route,
}

struct Piece {
    sort: Sort,
    begin: usize,
    end: usize,
}

/// Leaves out what was taken back and the words that say so. Where it is not clear what that is, all stays as it was said,
/// and the grammar finds such a dosage doubtful.
#[must_use]
pub fn corrected(tokens: &[Token]) -> Vec<Token> {
    let mut said = tokens.to_vec();
    let mut from = 0;
    while let Some((begin, end)) = cue(&said, from) {
        from = end;
        let (before, after) = (said.get(..begin).unwrap_or_default(), said.get(end..).unwrap_or_default());
        let Some(first) = pieces(after).into_iter().find(|piece| is_blank(after, piece.begin)) else { continue };
        let mut earlier = pieces(before).into_iter().rev();
        // A number alone corrects only what was said just before it: it may be of days as well as of milligrams.
        let taken_back = match first.sort {
            Sort::Amount(None) => earlier.next().filter(|piece| alike(piece.sort, first.sort)),
            _ => earlier.find(|piece| alike(piece.sort, first.sort)),
        };
        let Some(taken_back) = taken_back else { continue };
        let kept = before.iter().take(taken_back.begin).chain(before.iter().skip(taken_back.end));
        said = kept.chain(after).cloned().collect();
        from = 0;
    }
    said
}

/// Finds where the next correction begins and ends.
fn cue(tokens: &[Token], from: usize) -> Option<(usize, usize)> {
    (from..tokens.len()).find_map(|at| {
        let mut cursor = Cursor::new(tokens);
        cursor.advance(at);
        if cursor.take_any(&CUES) {
            return Some((at, cursor.place()));
        }
        // "650, no, 500 mg"
        let comma = usize::from(cursor.word(1) == ",");
        let number = cursor.word(0) == "no" && at > 0 && cursor.number(1 + comma).is_some();
        number.then_some((at, at + 1))
    })
}

/// Tells whether only marks stand before a place.
fn is_blank(tokens: &[Token], end: usize) -> bool {
    tokens.iter().take(end).all(|token| token.kind == TokenKind::Mark)
}

fn alike(one: Sort, other: Sort) -> bool {
    match (one, other) {
        (Sort::Amount(Some(one)), Sort::Amount(Some(other))) => one == other || (is_mass(one) && is_mass(other)),
        (Sort::Amount(_), Sort::Amount(_)) => true,
        _ => one == other,
    }
}

const fn is_mass(unit: DoseUnit) -> bool {
    matches!(unit, DoseUnit::Milligram | DoseUnit::Microgram | DoseUnit::Gram)
}

/// Lists what tokens state, with numbers of which nothing is known, in order.
fn pieces(tokens: &[Token]) -> Vec<Piece> {
    let reading = read_as_said(tokens);
    let mut pieces: Vec<Piece> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let part = reading.parts.iter().find(|part| part.span.overlaps(token.span));
        match part {
            Some(part) if part.span.begin == token.span.begin => {
                let end = at + tokens.iter().skip(at).take_while(|token| part.span.overlaps(token.span)).count();
                if let Some(sort) = sort(tokens.get(at..end).unwrap_or_default()) {
                    pieces.push(Piece { sort, begin: at, end });
                }
            }
            None if token.number().is_some() && !counts_time(tokens.get(at + 1)) => {
                pieces.push(Piece { sort: Sort::Amount(None), begin: at, end: at + 1 });
            }
            _ => {}
        }
    }
    pieces
}

/// "one hour before sleep"
fn counts_time(next: Option<&Token>) -> bool {
    next.is_some_and(|next| time_unit(&next.word).is_some() || matches!(next.word.as_str(), "times" | "am" | "pm"))
}

fn sort(tokens: &[Token]) -> Option<Sort> {
    let steps = read_as_said(tokens).steps;
    let Dosage { dose, timing, duration, route, food, .. } = steps.first()?;
    if let Some(dose) = dose {
        return Some(Sort::Amount(Some(dose.unit)));
    }
    if duration.is_some() {
        return Some(Sort::Length);
    }
    if timing.as_needed != AsNeeded::No {
        return Some(Sort::Need);
    }
    match (food, timing.frequency, route) {
        (Some(_), ..) => Some(Sort::Food),
        (_, Some(_), _) => Some(Sort::Rate),
        (.., Some(_)) => Some(Sort::Route),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{dosage::read, lexicon::tokens::tokenize};

    fn said(text: &str) -> String {
        corrected(&tokenize(text)).iter().map(|token| token.word.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_said_again_replaces_what_was_said() {
        for (text, meant) in [
            ("250, no sorry, 500 mg once daily", ", , 500 mg once daily"),
            ("5 mg, I mean 10 mg, at night", ", 10 mg , at night"),
            ("650 mg twice, sorry, thrice a day for 5 days", "650 mg , , thrice a day for 5 days"),
            ("650 mg twice a day, sorry, thrice a day", "650 mg , , thrice a day"),
            ("10 ml twice daily for five days, sorry, seven days", "10 ml twice daily , , seven days"),
            ("500 mg one tablet, correction, two tablets before food", "500 mg , , two tablets before food"),
            ("650, no, 500 mg", ", , 500 mg"),
            ("3 mg one hour before sleep, I mean 5 mg", "one hour before sleep , 5 mg"),
            ("before food, sorry, after food", ", , after food"),
        ] {
            assert_eq!(said(text), meant, "{text}");
        }
    }

    #[test]
    fn a_correction_of_nothing_known_is_doubtful() {
        for text in ["500 mg for 3 days, sorry 5", "twice a day, sorry, not that one", "650 mg, sorry"] {
            assert!(read(&tokenize(text)).conflicts > 0, "{text}");
        }
        assert_eq!(read(&tokenize("650 mg twice a day, sorry, thrice a day")).conflicts, 0);
    }
}
