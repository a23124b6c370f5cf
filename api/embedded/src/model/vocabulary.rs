//! Whisper's vocabulary as bytes, from the printable form in which it is packaged.
//!
//! GPT-2's byte-level BPE writes each byte as one printable character:
//! <https://github.com/openai/gpt-2/blob/master/src/encoder.py>, `bytes_to_unicode`.

use super::ModelError;

const FIRST_SPECIAL: &str = "<|endoftext|>";

/// The tokens of GPT-2's own vocabulary, which the English models use: its end-of-text is one of them.
const ENGLISH_TOKENS: usize = 50_256;

/// The tokens before the special ones, which whisper.cpp names itself.
pub(super) fn tokens(vocabulary: &str) -> Result<Vec<Vec<u8>>, ModelError> {
    let mut tokens = vocabulary
        .split('\n')
        .take_while(|line| *line != FIRST_SPECIAL)
        .map(|line| line.chars().map(byte).collect())
        .collect::<Result<Vec<Vec<u8>>, ModelError>>()?;
    if tokens.len() == ENGLISH_TOKENS {
        tokens.push(FIRST_SPECIAL.as_bytes().to_vec());
    }
    Ok(tokens)
}

fn byte(character: char) -> Result<u8, ModelError> {
    let code = u32::from(character);
    let printed = u8::try_from(code).ok().filter(|code| prints_itself(*code));
    // The bytes that do not print are numbered from 256 on, in order.
    let shifted = || {
        let index = usize::try_from(code.checked_sub(256)?).ok()?;
        (0..=u8::MAX).filter(|byte| !prints_itself(*byte)).nth(index)
    };
    printed
        .or_else(shifted)
        .ok_or_else(|| ModelError::format("the vocabulary holds a character that stands for no byte"))
}

fn prints_itself(byte: u8) -> bool {
    matches!(byte, 33..=126 | 161..=172 | 174..=255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leading_space_is_read_from_its_printable_form() {
        let read = tokens("!\nĠthe\nåľº\n\n<|endoftext|>\n<|en|>\n").expect("legal vocabulary");
        assert_eq!(read, [b"!".to_vec(), b" the".to_vec(), "场".as_bytes().to_vec(), vec![]]);
    }
}
