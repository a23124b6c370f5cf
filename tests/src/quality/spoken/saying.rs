//! Writes a dictation as it is said: a clinician says "milligram" and "three times a day" where he writes "mg" and "tds".

/// What stands in the text, and what is said.
const SAID: [(&str, &str); 32] = [
    ("mg", "milligram"),
    ("mcg", "microgram"),
    ("ml", "milliliters"),
    ("kg", "kilograms"),
    ("g/dl", "grams per deciliter"),
    ("mg/dl", "milligram per deciliter"),
    ("tab", "tablet"),
    ("cap", "capsule"),
    ("inj", "injection"),
    ("syp", "syrup"),
    ("od", "O D"),
    ("bd", "B D"),
    ("bid", "B I D"),
    ("tds", "T D S"),
    ("tid", "T I D"),
    ("qid", "Q I D"),
    ("hs", "H S"),
    ("sos", "S O S"),
    ("prn", "P R N"),
    ("b.d", "B D"),
    ("p.c", "after food"),
    ("ac", "before food"),
    ("pc", "after food"),
    ("stat", "stat"),
    ("bp", "B P"),
    ("spo2", "S P O 2"),
    ("hba1c", "H B A 1 C"),
    ("hb", "H B"),
    ("ors", "O R S"),
    ("ecg", "E C G"),
    ("cbc", "C B C"),
    ("x", "for"),
];

/// Returns the words to say.
#[must_use]
pub fn said(text: &str) -> String {
    let words = text.split_whitespace().map(|word| {
        let bare = word.trim_end_matches([',', '.', ';', ':']);
        let tail = word.strip_prefix(bare).unwrap_or_default();
        format!("{}{}", spoken(bare), tail.replace(['.', ':'], ". ").trim_end())
    });
    words.collect::<Vec<_>>().join(" ")
}

fn spoken(word: &str) -> String {
    let lower = word.to_lowercase();
    if let Some((_, words)) = SAID.iter().find(|(written, _)| *written == lower) {
        return (*words).to_owned();
    }
    // "650mg": the unit is a word of its own.
    let digits = word.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(word.len());
    let (number, unit) = word.split_at(digits);
    match SAID.iter().find(|(written, _)| !number.is_empty() && *written == unit.to_lowercase()) {
        Some((_, words)) => format!("{number} {words}"),
        None if lower.split('-').count() == 3 && !number.is_empty() => word.replace('-', " "),
        None if !number.is_empty() && unit.starts_with('/') => word.replace('/', " over "),
        None => word.replace('%', " percent"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_short_is_said_long() {
        assert_eq!(said("Tab. X 650mg tds, BP 120/80."), "tablet. for 650 milligram T D S, B P 120 over 80.");
        assert_eq!(said("Pan 1-0-1 for 5 days"), "Pan 1 0 1 for 5 days");
    }
}
