//! Numbers in words, as dictation engines write them: "six fifty", "thirty eight point five", "one twenty".
//!
//! Only readings that a clinician would share are joined; two numbers that merely stand side by side stay two.

use super::decimal::Decimal;

/// Words that own the small number before them.
const OWNED: [&str; 20] = [
    "tablet", "tablets", "capsule", "capsules", "tab", "tabs", "cap", "caps", "times", "time", "daily", "puff",
    "puffs", "drop", "drops", "spoon", "spoons", "sachet", "sachets", "vial",
];

/// Returns the value of a word from zero to ten or a teen.
#[must_use]
pub fn unit_word(word: &str) -> Option<u32> {
    const UNITS: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    UNITS.iter().position(|unit| *unit == word).and_then(|index| u32::try_from(index).ok())
}

/// Returns the value of a word for tens, from twenty.
#[must_use]
pub fn tens_word(word: &str) -> Option<u32> {
    const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    let index = TENS.iter().position(|tens| *tens == word)?;
    u32::try_from(index).ok().map(|index| (index + 2) * 10)
}

/// Hindi numbers as they are written in Latin letters; two of them are English words too.
const HINDI: [(&str, &str); 21] = [
    ("ek", "1"),
    ("do", "2"),
    ("teen", "3"),
    ("char", "4"),
    ("chaar", "4"),
    ("paanch", "5"),
    ("panch", "5"),
    ("chhe", "6"),
    ("che", "6"),
    ("saat", "7"),
    ("aath", "8"),
    ("nau", "9"),
    ("das", "10"),
    ("pandrah", "15"),
    ("bees", "20"),
    ("tees", "30"),
    ("aadha", "0.5"),
    ("aadhi", "0.5"),
    ("adhi", "0.5"),
    ("dedh", "1.5"),
    ("dhai", "2.5"),
];

/// Hindi words for what is counted.
const COUNTED_IN_HINDI: [&str; 12] =
    ["goli", "goliyan", "din", "dinon", "hafte", "hafta", "mahine", "mahina", "ghante", "baar", "boond", "chammach"];

/// Reads "do goli", "teen din": only what is counted makes such a word a number.
fn read_hindi(words: &[&str]) -> Option<(Decimal, usize)> {
    let [first, next, ..] = words else { return None };
    let counted = COUNTED_IN_HINDI.contains(next);
    let (_, value) = HINDI.iter().find(|(word, _)| counted && word == first)?;
    value.parse().ok().map(|value| (value, 1))
}

/// Reads one number from the front of some words and tells how many words it took.
#[must_use]
pub fn read_number(words: &[&str]) -> Option<(Decimal, usize)> {
    let first = *words.first()?;
    if let Some(found) = read_hindi(words) {
        return Some(found);
    }
    if let Some(found) = read_half(words) {
        return Some(found);
    }
    let (value, mut used) = match digits(first) {
        Some(value) => (value, 1),
        None => {
            let (value, used) = read_whole(words)?;
            (Decimal::whole(value), used)
        }
    };
    if let (Some(whole), Some(scale)) = (digits(first).and_then(|_| value.as_whole()), scale(words.get(1)))
        && whole < 1000
    {
        return Some((Decimal::whole(whole * scale), 2));
    }
    if let Some((fraction, length)) = read_fraction(words.get(used..).unwrap_or_default())
        && let Ok(joined) = format!("{value}.{fraction}").parse()
    {
        return value.as_whole().map(|_| (joined, used + length));
    }
    if is_half_more(words.get(used..).unwrap_or_default()) {
        used += words.get(used..).map_or(0, |rest| if rest.get(1) == Some(&"a") { 3 } else { 2 });
        return value.plus(Decimal::HALF).map(|value| (value, used));
    }
    Some((value, used))
}

/// "60 thousand", "2 lakh".
fn scale(word: Option<&&str>) -> Option<u32> {
    match *word? {
        "hundred" => Some(100),
        "thousand" => Some(1000),
        "lakh" | "lakhs" => Some(100_000),
        _ => None,
    }
}

fn digits(word: &str) -> Option<Decimal> {
    word.chars().next().filter(char::is_ascii_digit)?;
    word.parse().ok()
}

fn read_half(words: &[&str]) -> Option<(Decimal, usize)> {
    match *words.first()? {
        "half" => Some((Decimal::HALF, if words.get(1) == Some(&"a") { 2 } else { 1 })),
        "½" => Some((Decimal::HALF, 1)),
        "quarter" | "¼" => "0.25".parse().ok().map(|value| (value, 1)),
        _ => None,
    }
}

fn is_half_more(rest: &[&str]) -> bool {
    matches!(rest, ["and", "half", ..] | ["and", "a", "half", ..])
}

fn read_fraction(rest: &[&str]) -> Option<(String, usize)> {
    if rest.first() != Some(&"point") {
        return None;
    }
    let mut text = String::new();
    let mut used = 1;
    for word in rest.get(1..).unwrap_or_default() {
        if let Some(value) = unit_word(word).or_else(|| (*word == "oh").then_some(0)) {
            text.push_str(&value.to_string());
        } else if word.bytes().all(|byte| byte.is_ascii_digit()) {
            text.push_str(word);
        } else if let Some(value) = tens_word(word) {
            text.push_str(&value.to_string());
        } else {
            break;
        }
        used += 1;
        if text.len() >= 3 {
            break;
        }
    }
    (!text.is_empty()).then_some((text, used))
}

/// Reads a whole number below a crore: "six hundred and fifty", "six fifty", "one twenty five", "ninety eight".
fn read_whole(words: &[&str]) -> Option<(u32, usize)> {
    // "hundred milligrams"
    match words.first() {
        Some(&"hundred") => return Some(add_rest(100, 1, words)),
        Some(&"thousand") => return Some((1000, 1)),
        _ => {}
    }
    let (first, used) = below_hundred(words)?;
    let rest = words.get(used..).unwrap_or_default();
    if let Some(scale) = scale(rest.first()) {
        return Some(add_rest(first * scale, used + 1, words));
    }
    match rest.first() {
        // "six fifty", "one twenty five": a digit before tens is hundreds, as doses and pressures are spoken.
        Some(word) if (1..10).contains(&first) && used == 1 && tens_word(word).is_some() => {
            let (more, length) = below_hundred(rest)?;
            // "six fifty one tablet": the one counts tablets.
            let counts = length == 2 && rest.get(2).is_some_and(|after| OWNED.contains(after));
            let (more, length) = if counts { (tens_word(word)?, 1) } else { (more, length) };
            Some((first * 100 + more, used + length))
        }
        _ => Some((first, used)),
    }
}

fn add_rest(base: u32, used: usize, words: &[&str]) -> (u32, usize) {
    let rest = words.get(used..).unwrap_or_default();
    let skip = usize::from(rest.first() == Some(&"and"));
    let Some((more, length)) = below_hundred(rest.get(skip..).unwrap_or_default()) else {
        return (base, used);
    };
    let after = rest.get(skip + length).copied().unwrap_or_default();
    // "five hundred one tablet" and "five hundred three times": the small number belongs to what follows.
    if more < 10 && skip == 0 && OWNED.contains(&after) {
        return (base, used);
    }
    if after == "hundred" {
        let (hundreds, taken) = add_rest(more * 100, used + skip + length + 1, words);
        return (base + hundreds, taken);
    }
    if after == "thousand" && base >= 100_000 {
        let (thousands, taken) = add_rest(more * 1000, used + skip + length + 1, words);
        return (base + thousands, taken);
    }
    (base + more, used + skip + length)
}

fn below_hundred(words: &[&str]) -> Option<(u32, usize)> {
    let first = words.first()?;
    if let Some(value) = unit_word(first) {
        return Some((value, 1));
    }
    let (tens, hyphenated) = match first.split_once('-') {
        Some((tens, unit)) => (tens_word(tens)?, Some(unit_word(unit)?)),
        None => (tens_word(first)?, None),
    };
    if let Some(unit) = hyphenated {
        return Some((tens + unit, 1));
    }
    match words.get(1).and_then(|word| unit_word(word)).filter(|unit| (1..10).contains(unit)) {
        // "twenty one tablets" is 21; "fifty three times" is 50, three times.
        Some(_) if matches!(words.get(2), Some(&"times" | &"time")) => Some((tens, 1)),
        // "fifty one tablet" is fifty, one tablet: fifty-one would be tablets.
        Some(1) if matches!(words.get(2), Some(&"tablet" | &"capsule" | &"puff" | &"drop")) => Some((tens, 1)),
        Some(unit) => Some((tens + unit, 2)),
        None => Some((tens, 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, usize)> {
        let words: Vec<&str> = text.split(' ').collect();
        read_number(&words).map(|(value, used)| (value.to_string(), used))
    }

    #[test]
    fn spoken_numbers_are_joined_as_clinicians_mean_them() {
        for (text, value, used) in [
            ("six fifty milligram", "650", 2),
            ("six hundred and fifty", "650", 4),
            ("six hundred fifty", "650", 3),
            ("one thousand", "1000", 2),
            ("one thousand five hundred", "1500", 4),
            ("thirty eight point five", "38.5", 4),
            ("38 point 5", "38.5", 3),
            ("one twenty over eighty", "120", 2),
            ("one thirty eight over", "138", 3),
            ("five hundred once daily", "500", 2),
            ("five hundred one tablet", "500", 2),
            ("fifty three times a day", "50", 1),
            ("six fifty one tablet", "650", 2),
            ("six fifty two tablets", "650", 2),
            ("fifty one tablet", "50", 1),
            ("one hundred one", "101", 3),
            ("one and a half tablets", "1.5", 4),
            ("half a tablet", "0.5", 2),
            ("hundred milligrams", "100", 1),
            ("hundred and fifty milligrams", "150", 3),
            ("fifteen hundred micrograms", "1500", 2),
            ("5 hundred mg", "500", 2),
            ("do goli", "2", 1),
            ("paanch din", "5", 1),
            ("zero point two five", "0.25", 4),
            ("twenty-one", "21", 1),
            ("sixty thousand units", "60000", 2),
            ("sixty thousand five hundred", "60500", 4),
            ("60 thousand", "60000", 2),
            ("one lakh fifty thousand", "150000", 4),
            ("two lakh", "200000", 2),
        ] {
            assert_eq!(read(text), Some((value.to_owned(), used)), "{text}");
        }
        assert_eq!(read("tablet"), None);
        assert_eq!(read("do not stop"), None);
    }
}
