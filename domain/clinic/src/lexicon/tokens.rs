//! Cuts a transcript into tokens that know their exact place, and groups them into sentences.
//!
//! Robust to speech engines: punctuation may be missing, numbers may be digits or words, units may be glued ("650mg").

use super::{Span, decimal::Decimal, numbers::read_number};

/// Says what a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A word.
    Word,
    /// A number, from digits or words.
    Number(Decimal),
    /// A daily pattern such as 1-0-1.
    Slots(Vec<Decimal>),
    /// The end of a sentence.
    Stop,
    /// Any other mark.
    Mark,
}

/// Is one token with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Its text in lower case.
    pub word: String,
    /// Its place in code points.
    pub span: Span,
}

impl Token {
    /// Returns the number of a number token.
    #[must_use]
    pub const fn number(&self) -> Option<Decimal> {
        match self.kind {
            TokenKind::Number(value) => Some(value),
            _ => None,
        }
    }
}

/// Cuts a text into tokens.
#[must_use]
pub fn tokenize(text: &str) -> Vec<Token> {
    join_numbers(&cut(text))
}

/// Groups tokens into sentences, leaving the stops out.
#[must_use]
pub fn sentences(tokens: &[Token]) -> Vec<&[Token]> {
    tokens.split(|token| token.kind == TokenKind::Stop).filter(|sentence| !sentence.is_empty()).collect()
}

fn lower(character: char) -> char {
    let mut folded = character.to_lowercase();
    match (folded.next(), folded.next()) {
        (Some(single), None) => single,
        _ => character,
    }
}

fn cut(text: &str) -> Vec<Token> {
    let characters: Vec<char> = text.chars().map(lower).collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        let end = match character {
            '\n' => at + 1,
            _ if character.is_whitespace() => {
                at += 1;
                continue;
            }
            _ if character.is_ascii_digit() => number_end(&characters, at),
            _ if is_letter(character) => word_end(&characters, at),
            _ => at + 1,
        };
        tokens.push(raw_token(&characters, at, end));
        at = end;
    }
    tokens
}

fn is_letter(character: char) -> bool {
    if matches!(character, '।' | '॥') {
        return false;
    }
    // Vowel signs of Indian scripts are marks, not letters, and still belong to the word.
    character.is_alphanumeric() && !character.is_ascii_digit() && !matches!(character, '½' | '¼')
        || ('\u{900}'..'\u{e00}').contains(&character)
}

fn number_end(characters: &[char], from: usize) -> usize {
    let mut end = from;
    while let Some(&character) = characters.get(end) {
        let next_is_digit = characters.get(end + 1).is_some_and(char::is_ascii_digit);
        let grouped = character == ',' && next_is_digit && end > from && thousands(characters, end);
        if !(character.is_ascii_digit() || (character == '.' && next_is_digit) || grouped) {
            break;
        }
        end += 1;
    }
    end
}

fn thousands(characters: &[char], comma: usize) -> bool {
    let digits = characters.iter().skip(comma + 1).take_while(|character| character.is_ascii_digit()).count();
    digits == 3
}

fn word_end(characters: &[char], from: usize) -> usize {
    let mut end = from;
    while let Some(&character) = characters.get(end) {
        let inside =
            matches!(character, '\'' | '-' | '/') && characters.get(end + 1).is_some_and(|next| is_letter(*next));
        if !(is_letter(character) || inside) {
            break;
        }
        end += 1;
    }
    end
}

fn raw_token(characters: &[char], begin: usize, end: usize) -> Token {
    let word: String = characters.iter().skip(begin).take(end - begin).collect();
    let span = Span::new(begin, end);
    let kind = match word.chars().next() {
        Some(first) if first.is_ascii_digit() => {
            word.replace(',', "").parse().map_or(TokenKind::Mark, TokenKind::Number)
        }
        Some(first) if is_letter(first) => TokenKind::Word,
        Some('.') if is_abbreviation_point(characters, begin) => TokenKind::Mark,
        Some('.' | '?' | '!' | ';' | '\n' | '।') => TokenKind::Stop,
        _ => TokenKind::Mark,
    };
    Token { kind, word, span }
}

/// Tells whether a point belongs to an abbreviation such as "Tab." or "b.d.".
fn is_abbreviation_point(characters: &[char], at: usize) -> bool {
    let before: String = characters
        .get(..at)
        .unwrap_or_default()
        .iter()
        .rev()
        .take_while(|character| character.is_alphanumeric())
        .collect();
    let word: String = before.chars().rev().collect();
    let next_is_letter = characters.get(at + 1).is_some_and(|next| is_letter(*next));
    // The last point of "b.d." belongs to it as well.
    let after_point = at >= 2 && characters.get(at - 2) == Some(&'.');
    let letter = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
    ["tab", "cap", "inj", "syr", "dr", "mr", "mrs", "ms", "oint", "susp"].contains(&word.as_str())
        || (letter && (next_is_letter || after_point))
}

fn join_numbers(raw: &[Token]) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(token) = raw.get(at) {
        let rest = raw.get(at..).unwrap_or_default();
        let (joined, used) = read_slots(rest)
            .or_else(|| read_half_fraction(rest))
            .or_else(|| read_spoken(rest))
            .unwrap_or_else(|| (token.clone(), 1));
        tokens.push(joined);
        at += used;
    }
    tokens
}

fn merged(parts: &[Token], kind: TokenKind) -> Option<Token> {
    let span = parts.first()?.span.joined(parts.last()?.span);
    let word = parts.iter().map(|part| part.word.as_str()).collect::<Vec<_>>().join(" ");
    Some(Token { kind, word, span })
}

fn slot_value(token: &Token) -> Option<Decimal> {
    let value = match token.word.as_str() {
        "½" | "half" => Decimal::HALF,
        "zero" | "oh" => Decimal::ZERO,
        "one" => Decimal::ONE,
        "two" => Decimal::whole(2),
        _ => token.number()?,
    };
    (value <= Decimal::whole(10)).then_some(value)
}

/// Reads one place of a pattern: "1", "half", "1/2".
fn slot_at(rest: &[Token]) -> Option<(Decimal, usize)> {
    let half = read_half_fraction(rest).and_then(|(token, used)| Some((token.number()?, used)));
    half.or_else(|| Some((slot_value(rest.first()?)?, 1)))
}

/// Reads "1-0-1", "1 - 0 - 1", "1 0 1" and "one zero one"; the mark between must stay the same, so "1-0-1 x 5 days" ends at the x.
fn read_slots(rest: &[Token]) -> Option<(Token, usize)> {
    let (first, mut used) = slot_at(rest)?;
    let mut values = vec![first];
    let mark =
        rest.get(used).map(|token| token.word.as_str()).filter(|word| matches!(*word, "-" | "–" | "+" | "dash" | "/"));
    while values.len() < 4 {
        let step = usize::from(mark.is_some());
        if mark.is_some() && rest.get(used).map(|token| token.word.as_str()) != mark {
            break;
        }
        let Some((value, length)) = rest.get(used + step..).and_then(slot_at) else {
            break;
        };
        values.push(value);
        used += step + length;
    }
    let small = values.iter().all(|value| *value <= Decimal::whole(3));
    let taken = values.iter().any(|value| *value > Decimal::ZERO);
    // Digits without a mark are a pattern only with a zero in it: "one one one" may be a telephone number.
    // With strokes they may be a date.
    let sure = mark.is_some_and(|mark| mark != "/") || (values.contains(&Decimal::ZERO) && small);
    if values.len() < 3 || !taken || !sure {
        return None;
    }
    merged(rest.get(..used)?, TokenKind::Slots(values)).map(|token| (token, used))
}

/// Reads "1/2" before a form as one half; "120/80" stays two numbers.
fn read_half_fraction(rest: &[Token]) -> Option<(Token, usize)> {
    let parts = rest.get(..3)?;
    let words: Vec<&str> = parts.iter().map(|part| part.word.as_str()).collect();
    if words != ["1", "/", "2"] {
        return None;
    }
    merged(parts, TokenKind::Number(Decimal::HALF)).map(|token| (token, 3))
}

fn read_spoken(rest: &[Token]) -> Option<(Token, usize)> {
    let words: Vec<&str> = rest
        .iter()
        .take(8)
        .take_while(|token| token.kind != TokenKind::Stop)
        .map(|token| token.word.as_str())
        .collect();
    let (value, used) = read_number(&words)?;
    merged(rest.get(..used)?, TokenKind::Number(value)).map(|token| (token, used))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        tokenize(text).into_iter().map(|token| token.span.text_in(text)).collect()
    }

    #[test]
    fn tokens_keep_their_place() {
        assert_eq!(words("Tab. Dolo 650mg 1-0-1"), ["Tab", ".", "Dolo", "650", "mg", "1-0-1"]);
        assert_eq!(words("BP 138/86, SpO2 98%"), ["BP", "138", "/", "86", ",", "SpO", "2", "98", "%"]);
        assert_eq!(words("बुखार है। खांसी"), ["बुखार", "है", "।", "खांसी"]);
    }

    #[test]
    fn points_in_numbers_and_abbreviations_end_no_sentence() {
        let tokens = tokenize("Temperature 38.5. Tab. X b.d. for 5 days");
        assert_eq!(sentences(&tokens).len(), 2);
    }

    proptest! {
        #[test]
        fn tokenizing_never_panics_and_never_overlaps(text in ".{0,120}") {
            let mut last = 0;
            for token in tokenize(&text) {
                prop_assert!(token.span.begin >= last && token.span.end > token.span.begin);
                last = token.span.end;
            }
            prop_assert!(last <= text.chars().count());
        }
    }
}
