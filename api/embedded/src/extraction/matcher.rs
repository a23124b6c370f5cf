//! Finds the phrases of all lists in one pass with an Aho-Corasick automaton, whole words only, longest first.

use std::borrow::Cow;

use aho_corasick::{AhoCorasick, MatchKind};
use seva_clinic::{
    formulary::{Formulary, Product, brands},
    lexicon::{
        Span,
        concepts::{Concept, concepts},
    },
};

/// Is what a phrase stands for.
#[derive(Clone, Copy)]
pub enum Term {
    /// A medicine or a brand.
    Product(Product),
    /// A condition, symptom, test or site.
    Concept(&'static Concept),
}

/// Is a phrase at a place.
#[derive(Clone, Copy)]
pub struct Hit {
    /// The place.
    pub span: Span,
    /// The meaning.
    pub term: Term,
}

/// Holds the automaton and the meaning of each of its patterns.
pub struct Matcher {
    automaton: AhoCorasick,
    terms: Vec<Term>,
}

struct Folded {
    text: String,
    /// For each byte of the text the code point of the source, and one more for the end.
    places: Vec<usize>,
}

impl Matcher {
    /// Builds the automaton over the formulary, the brands and the phrase lists.
    pub fn new(formulary: &'static Formulary) -> Self {
        let mut patterns: Vec<Cow<'static, str>> = Vec::new();
        let mut terms = Vec::new();
        for concept in concepts() {
            patterns.extend(concept.phrases.iter().map(|phrase| Cow::Borrowed(*phrase)));
            terms.extend(concept.phrases.iter().map(|_| Term::Concept(concept)));
        }
        for medicine in formulary.medicines() {
            let otherwise = medicine.said_otherwise();
            let names = medicine.names().map(Cow::Borrowed).chain(otherwise.into_iter().map(Cow::Owned));
            let known = patterns.len();
            patterns.extend(names);
            terms.extend((known..patterns.len()).map(|_| Term::Product(Product::Medicine(medicine))));
        }
        for brand in brands() {
            let known = patterns.len();
            patterns.extend(brand.names().map(Cow::Owned));
            terms.extend((known..patterns.len()).map(|_| Term::Product(Product::Brand(brand))));
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(patterns.iter().map(|pattern| pattern.as_bytes()))
            .expect("the shipped lists are far smaller than the automaton's limits");
        Self { automaton, terms }
    }

    /// Finds the phrases of a text in order, without overlaps.
    pub fn hits(&self, text: &str) -> Vec<Hit> {
        let folded = fold(text);
        let mut hits: Vec<Hit> = Vec::new();
        for found in self.automaton.find_overlapping_iter(&folded.text) {
            if !is_whole(&folded.text, found.start(), found.end()) {
                continue;
            }
            let (Some(begin), Some(last)) = (folded.places.get(found.start()), folded.places.get(found.end() - 1))
            else {
                continue;
            };
            let Some(term) = self.terms.get(found.pattern().as_usize()) else {
                continue;
            };
            hits.push(Hit { span: Span::new(*begin, last + 1), term: *term });
        }
        hits.sort_by_key(|hit| (hit.span.begin, std::cmp::Reverse(hit.span.end)));
        let mut end = 0;
        hits.retain(|hit| {
            let free = hit.span.begin >= end;
            if free {
                end = hit.span.end;
            }
            free
        });
        hits
    }
}

/// Lowers the case and joins white space, so that line breaks and double spaces do not hide a phrase.
fn fold(text: &str) -> Folded {
    let mut folded = Folded { text: String::with_capacity(text.len()), places: Vec::with_capacity(text.len()) };
    for (place, character) in text.chars().enumerate() {
        let mut lower = character.to_lowercase();
        let single = match (lower.next(), lower.next()) {
            (Some(single), None) => single,
            _ => character,
        };
        let single = if single.is_whitespace() { ' ' } else { single };
        if single == ' ' && folded.text.ends_with(' ') {
            continue;
        }
        folded.text.push(single);
        folded.places.resize(folded.text.len(), place);
    }
    folded
}

fn is_whole(text: &str, begin: usize, end: usize) -> bool {
    let before = text.get(..begin).and_then(|before| before.chars().next_back());
    let after = text.get(end..).and_then(|after| after.chars().next());
    let free = |neighbour: Option<char>| neighbour.is_none_or(|neighbour| !neighbour.is_alphanumeric());
    free(before) && free(after)
}
