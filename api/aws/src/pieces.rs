//! Cuts a text into pieces that the service takes at once, at ends of sentences where there are any
//! (<https://docs.aws.amazon.com/comprehend-medical/latest/dev/comprehendmedical-quotas.html>, <https://docs.aws.amazon.com/translate/latest/dg/what-is-limits.html>).

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece<'a> {
    /// Its text.
    pub(crate) text: &'a str,
    /// How many code points stand before it.
    pub(crate) begin: usize,
}

/// Cuts a text into pieces of at most so many bytes; together they are the text, less pieces without any word.
pub(crate) fn pieces(text: &str, limit: usize) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut begin = 0;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(cut(rest, limit));
        if !piece.trim().is_empty() {
            pieces.push(Piece { text: piece, begin });
        }
        begin += piece.chars().count();
        rest = after;
    }
    pieces
}

/// Where the first piece of a text ends, in bytes.
fn cut(text: &str, limit: usize) -> usize {
    if text.len() <= limit {
        return text.len();
    }
    // One character at least, so that a limit below its bytes ends as well.
    let window = text.floor_char_boundary(limit).max(text.chars().next().map_or(0, char::len_utf8));
    let head = text.get(..window).unwrap_or(text);
    let mut sentence = None;
    let mut word = None;
    let mut before = ' ';
    for (place, character) in head.char_indices() {
        if character.is_whitespace() {
            let after = place + character.len_utf8();
            word = Some(after);
            if matches!(before, '.' | '?' | '!' | '।' | '॥') || character == '\n' {
                sentence = Some(after);
            }
        }
        before = character;
    }
    sentence.or(word).unwrap_or(window)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_one_piece_and_an_empty_one_none() {
        assert_eq!(pieces("Fever. Cough.", 20), [Piece { text: "Fever. Cough.", begin: 0 }]);
        assert_eq!(pieces("", 20), []);
        assert_eq!(pieces(" \n ", 20), []);
    }

    #[test]
    fn pieces_end_with_sentences_then_words_then_anywhere() {
        assert_eq!(
            pieces("Fever. Dry cough. Pain", 12),
            [
                Piece { text: "Fever. ", begin: 0 },
                Piece { text: "Dry cough. ", begin: 7 },
                Piece { text: "Pain", begin: 18 },
            ]
        );
        assert_eq!(pieces("fever cough", 8), [Piece { text: "fever ", begin: 0 }, Piece { text: "cough", begin: 6 },]);
        assert_eq!(pieces("abcdef", 4), [Piece { text: "abcd", begin: 0 }, Piece { text: "ef", begin: 4 }]);
        // A number is not the end of a sentence.
        assert_eq!(pieces("a 38.5 b", 6), [Piece { text: "a ", begin: 0 }, Piece { text: "38.5 b", begin: 2 }]);
    }

    #[test]
    fn places_count_code_points_and_limits_count_bytes() {
        let text = "बुखार है। खाँसी है। दर्द";
        for limit in 1..80 {
            let cut = pieces(text, limit);
            for piece in &cut {
                assert!(piece.text.len() <= limit.max(3), "{limit}: {piece:?}");
                let quoted: String = text.chars().skip(piece.begin).take(piece.text.chars().count()).collect();
                assert_eq!(quoted, piece.text);
            }
            let words = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            assert_eq!(words(&cut.iter().map(|piece| piece.text).collect::<String>()), words(text));
        }
    }
}
