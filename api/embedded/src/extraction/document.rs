//! A transcript with its tokens, sentences and exact places.

use seva_clinic::{
    entities::{Attribute, AttributeType, Category, Entity, EntityType},
    lexicon::{
        Span,
        tokens::{Token, TokenKind, tokenize},
    },
};

/// Is a text that was cut once and is read by all steps.
pub struct Document {
    characters: Vec<char>,
    tokens: Vec<Token>,
}

impl Document {
    /// Cuts a text.
    pub fn new(text: &str) -> Self {
        Self { characters: text.chars().collect(), tokens: tokenize(text) }
    }

    /// Returns all tokens.
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Copies the text of a range.
    pub fn slice(&self, span: Span) -> String {
        self.characters.iter().skip(span.begin).take(span.end.saturating_sub(span.begin)).collect()
    }

    /// Returns the tokens that a range touches, as indexes.
    pub fn covering(&self, span: Span) -> std::ops::Range<usize> {
        let begin = self.tokens.partition_point(|token| token.span.end <= span.begin);
        let end = self.tokens.partition_point(|token| token.span.begin < span.end);
        begin..end.max(begin)
    }

    /// Returns the sentence around a token, as indexes without the stops.
    pub fn sentence(&self, index: usize) -> std::ops::Range<usize> {
        let stop = |token: &Token| token.kind == TokenKind::Stop;
        let before = self.tokens.get(..index).unwrap_or_default();
        let after = self.tokens.get(index..).unwrap_or_default();
        let begin = before.iter().rposition(stop).map_or(0, |stop| stop + 1);
        let end = after.iter().position(stop).map_or(self.tokens.len(), |stop| index + stop);
        begin..end
    }

    /// Returns the word of a token, or nothing as an empty word.
    pub fn word(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |token| token.word.as_str())
    }

    /// Returns the range from one token to another, the last one excluded.
    pub fn span(&self, range: &std::ops::Range<usize>) -> Option<Span> {
        let tokens = self.tokens.get(range.clone())?;
        Some(tokens.first()?.span.joined(tokens.last()?.span))
    }

    /// Makes an entity without context.
    pub fn entity(&self, span: Span, category: Category, kind: EntityType) -> Entity {
        Entity {
            id: 0,
            text: self.slice(span),
            category,
            kind,
            begin: span.begin,
            end: span.end,
            score: None,
            traits: Vec::new(),
            attributes: Vec::new(),
            codings: Vec::new(),
            suggestion: None,
        }
    }

    /// Makes an attribute whose own reliability is unknown.
    pub fn attribute(&self, span: Span, kind: AttributeType, value: Option<String>) -> Attribute {
        Attribute { kind, text: self.slice(span), begin: span.begin, end: span.end, score: None, value }
    }
}
