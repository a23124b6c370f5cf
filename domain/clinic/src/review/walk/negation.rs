//! The words that deny, after NegEx (<https://doi.org/10.1006/jbin.2001.1029>): where the denial of an entity stands.

use crate::lexicon::Span;
use crate::lexicon::tokens::{Token, TokenKind};

/// They deny what follows.
const BEFORE: [&str; 13] =
    ["no", "not", "denies", "denied", "deny", "denying", "without", "never", "nil", "none", "neither", "nor", "cannot"];
/// They deny what stands before them.
const AFTER: [&str; 4] = ["absent", "negative", "ruled", "nil"];

/// The word that denies an entity: the nearest before it in its sentence, or the first after it.
pub(super) fn cue(tokens: &[Token], entity: Span) -> Option<&Token> {
    let within = |token: &&Token| token.kind != TokenKind::Stop;
    let before = tokens.iter().rev().filter(|token| token.span.end <= entity.begin).take_while(within);
    let after = tokens.iter().filter(|token| token.span.begin >= entity.end).take_while(within);
    let mut before = before.filter(|token| denies(token));
    let mut after = after.filter(|token| AFTER.contains(&token.word.as_str()));
    before.next().or_else(|| after.next())
}

/// All words that deny what follows, each with the word after it.
pub(super) fn cues(tokens: &[Token]) -> impl Iterator<Item = (Span, Span)> {
    let next = |index: usize| {
        let next = tokens.get(index + 1).filter(|next| next.kind == TokenKind::Word);
        next.or_else(|| tokens.get(index)).map(|token| token.span)
    };
    let cues = tokens.iter().enumerate().filter(|(_, token)| denies(token));
    cues.filter_map(move |(index, token)| Some((token.span, next(index)?)))
}

fn denies(token: &Token) -> bool {
    token.kind == TokenKind::Word && (BEFORE.contains(&token.word.as_str()) || token.word.ends_with("n't"))
}
