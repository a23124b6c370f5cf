//! Names as Whisper spells them: a tree of its tokens, in which a name that may be heard is looked up token by token.

use std::collections::HashMap;

use whisper_rs::WhisperContext;

/// A token of the model's vocabulary.
pub(super) type Token = i32;

/// The model's text tokens by their bytes. A token's number is the rank of its merge (byte pair encoding as GPT-2 has it,
/// <https://github.com/openai/tiktoken>).
pub(super) struct Vocabulary(HashMap<Vec<u8>, Token>);

impl Vocabulary {
    /// Reads the text tokens of a model.
    pub(super) fn of(context: &WhisperContext) -> Self {
        let bytes = |token| Some((context.token_to_bytes(token).ok()?.to_vec(), token));
        Self((0..context.token_eot()).filter_map(bytes).collect())
    }

    /// Splits a text as the model was taught to: the adjacent pair of the lowest rank is merged first.
    fn tokens(&self, text: &str) -> Option<Vec<Token>> {
        let mut parts: Vec<Vec<u8>> = text.bytes().map(|byte| vec![byte]).collect();
        loop {
            let joined = |(at, pair): (usize, &[Vec<u8>])| Some((*self.0.get(&pair.concat())?, at));
            let Some((_, at)) = parts.windows(2).enumerate().filter_map(joined).min() else { break };
            let tail = parts.remove(at + 1);
            parts.get_mut(at)?.extend(tail);
        }
        parts.iter().map(|part| self.0.get(part).copied()).collect()
    }
}

/// Where one is in the tree.
pub(super) type Place = usize;

#[derive(Default)]
struct Node {
    next: Vec<(Token, Place)>,
    /// Whether a name ends here.
    ends: bool,
}

/// The tree of names; its root is the place 0.
pub(super) struct Names(Vec<Node>);

impl Names {
    /// Puts names into a tree, each as it stands within a sentence and at its beginning.
    pub(super) fn new<'a>(vocabulary: &Vocabulary, names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut tree = Self(vec![Node::default()]);
        for name in names {
            for spelt in [format!(" {name}"), format!(" {}", capitalized(name))] {
                // What has letters that the model does not write is never heard.
                tree.add(&vocabulary.tokens(&spelt).unwrap_or_default());
            }
        }
        tree
    }

    fn add(&mut self, tokens: &[Token]) {
        let mut place = 0;
        for token in tokens {
            let known = self.after(place).iter().find(|(next, _)| next == token).map(|(_, place)| *place);
            place = known.unwrap_or_else(|| {
                let new = self.0.len();
                self.0.push(Node::default());
                if let Some(node) = self.0.get_mut(place) {
                    node.next.push((*token, new));
                }
                new
            });
        }
        if let Some(node) = self.0.get_mut(place).filter(|_| place != 0) {
            node.ends = true;
        }
    }

    /// The tokens that go on from a place, with the place that each leads to.
    pub(super) fn after(&self, place: Place) -> &[(Token, Place)] {
        self.0.get(place).map_or(&[], |node| &node.next)
    }

    /// Whether a name ends at a place.
    pub(super) fn ends(&self, place: Place) -> bool {
        self.0.get(place).is_some_and(|node| node.ends)
    }
}

fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary() -> Vocabulary {
        let merged =
            ["me", "t", "form", "in", "or", "form", " me", "fo", "rm", " M", "e", "f", "o", "r", "m", "i", "n"];
        let single = b" Metformin".iter().map(|byte| vec![*byte]);
        Vocabulary(single.chain(merged.iter().map(|part| part.as_bytes().to_vec())).zip(0..).collect())
    }

    #[test]
    fn pairs_are_merged_by_rank() {
        let vocabulary = vocabulary();
        let parts = vocabulary.tokens(" metformin").expect("all bytes are there");
        let back: Vec<u8> = parts
            .iter()
            .flat_map(|token| vocabulary.0.iter().find(|(_, id)| *id == token).expect("known").0.clone())
            .collect();
        assert_eq!(back, b" metformin");
        assert!(parts.len() < 8, "{parts:?}");
        assert_eq!(vocabulary.tokens(" xyz"), None);
    }

    #[test]
    fn a_name_is_found_at_its_end_only() {
        let vocabulary = vocabulary();
        let names = Names::new(&vocabulary, ["metformin"]);
        let mut place = 0;
        let tokens = vocabulary.tokens(" metformin").expect("all bytes are there");
        for token in &tokens {
            assert!(!names.ends(place));
            place = names.after(place).iter().find(|(next, _)| next == token).expect("in the tree").1;
        }
        assert!(names.ends(place) && names.after(place).is_empty());
        assert_eq!(names.after(0).len(), 2);
    }
}
