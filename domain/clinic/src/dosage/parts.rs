//! A reader over tokens: takes a phrase or leaves the place as it was.

use super::{Duration, TimeUnit};
use crate::lexicon::{
    Span,
    decimal::Decimal,
    tokens::{Token, TokenKind},
};

/// Is a place in a list of tokens.
#[derive(Clone, Copy)]
pub struct Cursor<'a> {
    tokens: &'a [Token],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// Starts at the first token.
    pub const fn new(tokens: &'a [Token]) -> Self {
        Self { tokens, at: 0 }
    }

    /// Returns the token some places ahead.
    pub fn peek(&self, ahead: usize) -> Option<&'a Token> {
        self.tokens.get(self.at + ahead)
    }

    /// Returns the word some places ahead, or nothing as an empty word.
    pub fn word(&self, ahead: usize) -> &'a str {
        self.peek(ahead).map_or("", |token| token.word.as_str())
    }

    /// Returns the word before this place, or nothing as an empty word.
    pub fn word_before(&self) -> &'a str {
        let before = self.at.checked_sub(1).and_then(|before| self.tokens.get(before));
        before.map_or("", |token| token.word.as_str())
    }

    /// Returns the number before this place.
    pub fn number_before(&self) -> Option<Decimal> {
        self.at.checked_sub(1).and_then(|before| self.tokens.get(before)).and_then(Token::number)
    }

    /// Returns the number some places ahead.
    pub fn number(&self, ahead: usize) -> Option<Decimal> {
        self.peek(ahead).and_then(Token::number)
    }

    /// Moves on.
    pub const fn advance(&mut self, by: usize) {
        self.at += by;
    }

    /// Returns the place.
    pub const fn place(&self) -> usize {
        self.at
    }

    /// Returns the range from a place to here.
    pub fn span_from(&self, from: usize) -> Option<Span> {
        let first = self.tokens.get(from)?;
        let last = self.tokens.get(self.at.checked_sub(1)?)?;
        Some(first.span.joined(last.span))
    }

    /// Takes the words of a phrase, or nothing. "b.d" stands for the tokens "b", ".", "d".
    pub fn take(&mut self, phrase: &str) -> bool {
        // Nearly every phrase of a list fails at its first letter: cutting it up first was most of the time of an extraction.
        if phrase.as_bytes().first() != self.word(0).as_bytes().first() {
            return false;
        }
        let mut ahead = 0;
        for part in phrase.split(' ') {
            for piece in part.split_inclusive('.') {
                let (word, point) = piece.strip_suffix('.').map_or((piece, false), |word| (word, true));
                if self.word(ahead) != word {
                    return false;
                }
                ahead += 1;
                if point {
                    if self.word(ahead) != "." {
                        return false;
                    }
                    ahead += 1;
                }
            }
        }
        self.at += ahead;
        true
    }

    /// Takes the longest phrase of a list.
    pub fn take_any<P: AsRef<str>>(&mut self, phrases: &[P]) -> bool {
        let mut best: Option<Self> = None;
        for phrase in phrases {
            let mut attempt = *self;
            if attempt.take(phrase.as_ref()) && best.is_none_or(|best| attempt.at > best.at) {
                best = Some(attempt);
            }
        }
        if let Some(best) = best {
            *self = best;
        }
        best.is_some()
    }

    /// Takes words of one kind with something between them, "Monday, Tuesday and Friday", and tells how many.
    pub fn take_series(&mut self, is_one: impl Fn(&str) -> bool, between: &[&str]) -> u32 {
        let (mut count, mut ahead) = (0, *self);
        while is_one(ahead.word(0)) {
            count += 1;
            ahead.advance(1);
            *self = ahead;
            ahead.take_any(between);
        }
        count
    }

    /// Takes "5/7", "2/52", "3/12": days, weeks, months as prescriptions abbreviate them.
    pub fn take_fraction(&mut self) -> Option<Duration> {
        let (value, of) = (self.number(0)?, self.number(2).filter(|_| self.word(1) == "/")?);
        let unit = match of.as_whole()? {
            7 => TimeUnit::Day,
            52 => TimeUnit::Week,
            12 => TimeUnit::Month,
            _ => return None,
        };
        self.at += 3;
        Some(Duration { value, unit })
    }

    /// Takes a number and a unit of time: "three days", "5 d", "two more weeks".
    pub fn take_length(&mut self) -> Option<Duration> {
        let value = match (self.number(0), self.word(0)) {
            (Some(value), _) => value,
            (None, "a" | "an") => Decimal::ONE,
            _ => return None,
        };
        let mut ahead = 1;
        if self.peek(ahead).is_some_and(|token| token.kind == TokenKind::Mark && token.word == "-") {
            ahead += 1;
        }
        ahead += usize::from(matches!(self.word(ahead), "more" | "full" | "complete" | "consecutive"));
        if matches!(self.word(ahead), "fortnight" | "fortnights") {
            self.at += ahead + 1;
            return Some(Duration { value: value.times(Decimal::whole(2))?, unit: TimeUnit::Week });
        }
        let unit = time_unit(self.word(ahead))?;
        self.at += ahead + 1;
        Some(Duration { value, unit })
    }
}

/// Finds the unit of time that a word names.
pub fn time_unit(word: &str) -> Option<TimeUnit> {
    match word {
        "minute" | "minutes" | "min" | "mins" => Some(TimeUnit::Minute),
        "hour" | "hours" | "hourly" | "hrs" | "hr" | "ghante" => Some(TimeUnit::Hour),
        "day" | "days" | "din" | "dinon" => Some(TimeUnit::Day),
        "week" | "weeks" | "wk" | "wks" | "hafte" | "hafta" => Some(TimeUnit::Week),
        "month" | "months" | "mahine" | "mahina" => Some(TimeUnit::Month),
        "year" | "years" => Some(TimeUnit::Year),
        _ => None,
    }
}
