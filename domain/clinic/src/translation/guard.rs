//! Holds a translation against its source: every number with its unit, every medicine and every denial must be there
//! again, and none more. It reads words, not meaning: it refuses what it can't find, and proves nothing else.
//!
//! Digits of all scripts count (<https://www.unicode.org/reports/tr44/#Numeric_Type>).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Serialize;

use crate::formulary::{Brand, Formulary, brands};
use crate::lexicon::concepts::rows;
use crate::lexicon::tokens::{Token, TokenKind, tokenize};

/// How many words may stand between a number and its unit.
const REACH: usize = 2;

/// What differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A number.
    Number,
    /// A number with its unit or interval.
    Unit,
    /// A medicine.
    Medicine,
    /// That something is not, or is not to be done.
    Denial,
}

/// One thing that the source has more often than the translation, or less often.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    /// What it is.
    pub kind: Kind,
    /// The number, the number and unit, or the name; empty for a denial.
    pub value: String,
    /// How often the source has it.
    pub said: usize,
    /// How often the translation has it.
    pub translated: usize,
}

/// The words of one language that must be found again.
#[derive(Default)]
struct Words {
    units: BTreeMap<&'static str, &'static str>,
    denials: Vec<&'static str>,
}

static WORDS: LazyLock<BTreeMap<&'static str, Words>> = LazyLock::new(|| {
    let mut languages: BTreeMap<&'static str, Words> = BTreeMap::new();
    for row in rows(include_str!("../../data/translation.tsv")) {
        let [language, kind, code, words] = row.as_slice() else { continue };
        let known = languages.entry(language).or_default();
        for word in words.split('|') {
            if *kind == "unit" {
                known.units.insert(word, code);
            } else {
                known.denials.push(word);
            }
        }
    }
    languages
});

/// Checks translations from English into one language.
#[derive(Clone, Copy)]
pub struct Guard {
    english: &'static Words,
    target: &'static Words,
}

impl Guard {
    /// Finds the guard of a language by its tag; none where its words are not known.
    #[must_use]
    pub fn into_language(language: &str) -> Option<Self> {
        let target = WORDS.get(language).filter(|_| language != "en")?;
        Some(Self { english: WORDS.get("en")?, target })
    }

    /// The languages that have a guard, by their tags.
    #[must_use]
    pub fn languages() -> Vec<&'static str> {
        WORDS.keys().copied().filter(|language| *language != "en").collect()
    }

    /// Lists what a translation lost, added or changed.
    #[must_use]
    pub fn differences(self, source: &str, translation: &str, names: &[String]) -> Vec<Difference> {
        let said = facts(source, &[self.english], names);
        let translated = facts(translation, &[self.target, self.english], names);
        let mut all: Vec<&(Kind, String)> = said.keys().chain(translated.keys()).collect();
        all.sort();
        all.dedup();
        let count = |found: &Facts, fact: &(Kind, String)| found.get(fact).copied().unwrap_or_default();
        let each = all.into_iter().map(|fact| Difference {
            kind: fact.0,
            value: fact.1.clone(),
            said: count(&said, fact),
            translated: count(&translated, fact),
        });
        each.filter(|one| one.said != one.translated).collect()
    }
}

/// Facts, and how often each was said.
type Facts = BTreeMap<(Kind, String), usize>;

fn facts(text: &str, languages: &[&Words], names: &[String]) -> Facts {
    let pieces = pieces(text);
    let mut facts = Facts::new();
    let mut say = |kind: Kind, value: String| *facts.entry((kind, value)).or_default() += 1;
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Number(number) => {
                say(Kind::Number, number.clone());
                let after = pieces.iter().skip(at + 1).take_while(|next| matches!(next, Piece::Word(_))).take(REACH);
                let unit = after.filter_map(Piece::word).find_map(|word| unit(word, languages));
                if let Some(unit) = unit {
                    say(Kind::Unit, format!("{number} {unit}"));
                }
            }
            Piece::Word(word) if languages.iter().any(|known| known.denials.contains(&word.as_str())) => {
                say(Kind::Denial, String::new());
            }
            Piece::Word(_) | Piece::Mark => {}
        }
    }
    for name in medicines(&pieces, names) {
        say(Kind::Medicine, name);
    }
    facts
}

fn unit(word: &str, languages: &[&Words]) -> Option<&'static str> {
    languages.iter().find_map(|known| known.units.get(word).copied())
}

/// The medicines that a text names: those of the formulary and those that are given, by whole words in Latin letters.
fn medicines(pieces: &[Piece], names: &[String]) -> Vec<String> {
    let words: Vec<&str> = pieces.iter().filter_map(Piece::word).collect();
    let text = format!(" {} ", words.join(" "));
    let known = Formulary::seed().medicines().iter().flat_map(|medicine| medicine.names()).map(str::to_lowercase);
    let known = known.chain(brands().iter().flat_map(Brand::names));
    let mut wanted: Vec<String> = known.chain(names.iter().map(|name| name.to_lowercase())).collect();
    wanted.sort();
    wanted.dedup();
    let times = |name: &str| {
        let spaced = self::pieces(name).iter().filter_map(Piece::word).collect::<Vec<_>>().join(" ");
        if spaced.is_empty() { 0 } else { text.matches(&format!(" {spaced} ")).count() }
    };
    wanted.into_iter().flat_map(|name| std::iter::repeat_n(name.clone(), times(&name))).collect()
}

/// A part of a text.
enum Piece {
    /// A number in ASCII digits.
    Number(String),
    /// A word in lower case, without the points of abbreviations.
    Word(String),
    /// Anything that parts words.
    Mark,
}

impl Piece {
    fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Number(_) | Self::Mark => None,
        }
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let characters: Vec<char> = text.chars().flat_map(char::to_lowercase).map(ascii_digit).collect();
    let mut pieces = Vec::new();
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        let rest = characters.get(at..).unwrap_or_default();
        let (piece, length) = if character.is_ascii_digit() || is_fraction(character) {
            number(rest)
        } else if belongs(character) {
            word(rest)
        } else {
            (Some(Piece::Mark).filter(|_| !character.is_whitespace()), 1)
        };
        pieces.extend(piece);
        at += length;
    }
    pieces
}

/// Reads a number; points between digits are decimal, commas before three digits part thousands.
fn number(rest: &[char]) -> (Option<Piece>, usize) {
    if rest.first().copied().is_some_and(is_fraction) {
        return (Some(Piece::Number(rest.iter().take(1).collect())), 1);
    }
    let mut text = String::new();
    let mut length = 0;
    while let Some(&character) = rest.get(length) {
        let following = rest.iter().skip(length + 1).take_while(|next| next.is_ascii_digit()).count();
        let point = character == '.' && following > 0 && !text.contains('.');
        match character {
            _ if character.is_ascii_digit() || point => text.push(character),
            ',' if following == 3 => {}
            _ => break,
        }
        length += 1;
    }
    (Some(Piece::Number(canonical(&text))), length)
}

/// 05 and 5 are one number, 0.50 and 0.5 too.
fn canonical(text: &str) -> String {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

/// Reads a word; a point between two letters belongs to it ("मि.ग्रा"), as an apostrophe does.
fn word(rest: &[char]) -> (Option<Piece>, usize) {
    let mut text = String::new();
    let mut length = 0;
    while let Some(&character) = rest.get(length) {
        let inside = rest.get(length + 1).copied().is_some_and(belongs);
        match character {
            _ if belongs(character) => text.push(character),
            '\'' | '’' if inside => text.push('\''),
            '.' if inside => {}
            _ => break,
        }
        length += 1;
    }
    (Some(Piece::Word(text)), length)
}

/// Letters, the vowel signs of Indian scripts, and the marks that say units.
fn belongs(character: char) -> bool {
    if matches!(character, '।' | '॥') || character.is_ascii_digit() || is_fraction(character) {
        return false;
    }
    character.is_alphabetic() || ('\u{900}'..'\u{e00}').contains(&character) || matches!(character, '%' | '°' | 'µ')
}

const fn is_fraction(character: char) -> bool {
    matches!(character, '½' | '¼' | '¾')
}

/// The digit of any script of the Indian subcontinent, of Arabic or full width as the ASCII one.
fn ascii_digit(character: char) -> char {
    const ZEROS: [char; 14] = [
        '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}', '\u{c66}', '\u{ce6}',
        '\u{d66}', '\u{de6}', '\u{1c50}', '\u{ff10}',
    ];
    let value =
        ZEROS.iter().find_map(|zero| u32::from(character).checked_sub(u32::from(*zero)).filter(|value| *value < 10));
    value.and_then(|value| char::from_digit(value, 10)).unwrap_or(character)
}

/// Writes the number words of an English text in digits.
#[must_use]
pub fn with_digits(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let tokens = tokenize(text);
    let mut written = String::new();
    let mut from = 0;
    for (at, token) in tokens.iter().enumerate() {
        let Some(digits) = digits_of(token, tokens.get(at + 1)) else { continue };
        let said = characters.get(token.span.begin).is_some_and(char::is_ascii_digit);
        if said {
            continue;
        }
        written.extend(characters.get(from..token.span.begin).unwrap_or_default());
        written.push_str(&digits);
        from = token.span.end;
    }
    written.extend(characters.get(from..).unwrap_or_default());
    written
}

/// A number word, or how often: "once daily" is once a day, "once the fever has gone" is not.
fn digits_of(token: &Token, next: Option<&Token>) -> Option<String> {
    if let TokenKind::Number(value) = &token.kind {
        return Some(value.to_string());
    }
    let next = next.map(|next| next.word.as_str())?;
    let often = ["a", "per", "daily", "every", "each", "in", "weekly", "monthly"].contains(&next);
    match (token.word.as_str(), often) {
        ("once", true) => Some("1 time".to_owned()),
        ("twice", true) => Some("2 times".to_owned()),
        ("thrice", true) => Some("3 times".to_owned()),
        _ => None,
    }
}
