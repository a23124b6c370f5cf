//! What several orders share and is said once, behind the last of them: "A 200 mg BD and B 400 mg TDS, both for five days".

use std::ops::Range;

use seva_clinic::{
    dosage::{Cursor, read},
    entities::AttributeType,
    lexicon::tokens::TokenKind,
};

use super::{document::Document, medications::Mention};

/// How the orders are counted to which something applies, and how many they are; none where it is all of the sentence.
const COUNTED: [(&str, Option<usize>); 7] = [
    ("both of them", Some(2)),
    ("both", Some(2)),
    ("all three", Some(3)),
    ("all four", Some(4)),
    ("all of them", None),
    ("all these", None),
    ("all", None),
];

/// Returns for each order the tokens behind another one that are said of it as well.
pub fn tails(document: &Document, mentions: &[Mention], reaches: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut tails = vec![0..0; mentions.len()];
    for (last, (mention, reach)) in mentions.iter().zip(reaches).enumerate() {
        let Some((count, tail)) = (mention.tokens.end..reach.end).find_map(|at| tail(document, at, reach.end)) else {
            continue;
        };
        let sentence = document.sentence(mention.tokens.start);
        let first = count.map_or(0, |count| (last + 1).saturating_sub(count));
        for (earlier, kept) in mentions.iter().zip(&mut tails).take(last).skip(first) {
            if sentence.contains(&earlier.tokens.start) {
                *kept = tail.clone();
            }
        }
    }
    tails
}

/// Reads "both for five days" at a place; "both eyes" counts no orders.
fn tail(document: &Document, at: usize, end: usize) -> Option<(Option<usize>, Range<usize>)> {
    let mut cursor = Cursor::new(document.tokens());
    cursor.advance(at);
    let (_, count) = COUNTED.iter().find(|(words, _)| cursor.take(words))?;
    cursor.take_any(&[
        "to be taken",
        "are to be taken",
        "taken",
        "to be given",
        "given",
        "to continue",
        "to be continued",
    ]);
    let tail = cursor.place()..end;
    let tokens = document.tokens().get(tail.clone())?;
    let first = read(tokens).parts.into_iter().next()?;
    let opens = tokens.first().is_some_and(|token| token.span.begin == first.span.begin);
    let timed = matches!(first.kind, AttributeType::Frequency | AttributeType::Duration);
    // Behind a full stop another sentence speaks of them: "Both for five days."
    let same = !tokens.iter().any(|token| token.kind == TokenKind::Stop);
    (opens && timed && same).then_some((*count, tail))
}
