use std::collections::BTreeSet;

use minijinja::context;

use super::{SOURCES, sources};
use crate::language::Language;

/// What is the same in every language: the product's name and each language's name for itself.
const NAMES: &[&str] = &["SEVA", "Arogya", "English", "हिन्दी", "मराठी"];

/// The source without what stands between two marks.
fn without(source: &str, open: &str, close: &str) -> String {
    let mut rest = source;
    let mut kept = String::new();
    while let Some((before, after)) = rest.split_once(open) {
        kept.push_str(before);
        kept.push(' ');
        rest = after.split_once(close).map_or("", |(_, rest)| rest);
    }
    kept.push_str(rest);
    kept
}

#[test]
fn templates_hold_no_visible_words_of_their_own() {
    let mut faults = Vec::new();
    for (name, source) in sources(&SOURCES) {
        let plain: String = source
            .lines()
            .filter(|line| !line.contains("_class %}") && !line.contains("block inert"))
            .map(|line| format!("{line}\n"))
            .collect();
        let plain = without(&without(&plain, "{%", "%}"), "{{", "}}");
        // Blocks of classes are no text, and the log-in shows the same dose line in three languages, each marked as such.
        let lines: Vec<&str> = plain.lines().filter(|line| !line.contains("<dd lang=")).collect();
        let plain = without(&lines.join("\n"), "<kbd>", "</kbd>");
        for attribute in ["aria-label=\"", "placeholder=\"", "title=\"", "alt=\""] {
            for part in plain.split(attribute).skip(1) {
                let text = part.split('"').next().unwrap_or_default();
                if text.chars().any(char::is_alphabetic) {
                    faults.push(format!("{name}: {attribute}{text}"));
                }
            }
        }
        for word in without(&plain, "<", ">").replace("&amp;", " ").split(|c: char| !c.is_alphabetic() && !is_sign(c)) {
            if word.chars().any(char::is_alphabetic) && !NAMES.contains(&word) {
                faults.push(format!("{name}: {word}"));
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// The vowel signs of Devanagari belong to the word.
fn is_sign(c: char) -> bool {
    ('\u{900}'..'\u{980}').contains(&c)
}

#[test]
fn every_text_is_used_and_every_used_key_has_a_text() {
    let mut exact = BTreeSet::new();
    let mut beginnings = BTreeSet::new();
    let all: Vec<String> = sources(&SOURCES).iter().map(|(_, source)| source.replace("asset('", "")).collect();
    for source in &all {
        for call in source.split("t('").skip(1) {
            let key = call.split('\'').next().unwrap_or_default();
            if call[key.len()..].starts_with("' ~") {
                beginnings.insert(key)
            } else {
                exact.insert(key)
            };
        }
    }
    let rust = ["month-", "age-", "conflict-", "error-", "log-in-"];
    for key in &exact {
        assert!(Language::English.text(key).is_some(), "{key} has no text");
    }
    for key in Language::English.texts().keys() {
        let used =
            exact.contains(key.as_str()) || beginnings.iter().chain(&rust).any(|beginning| key.starts_with(beginning));
        assert!(used, "{key} is not used");
    }
}

#[test]
fn templates_keep_to_the_content_security_policy() {
    for (name, source) in sources(&SOURCES) {
        for forbidden in
            [" style=", "<style", " onclick=", " onload=", "javascript:", "http://", "https://", "|safe", "| safe"]
        {
            assert!(!source.contains(forbidden), "{name} holds {forbidden}");
        }
        for form in source.split("<form").skip(1) {
            let form = form.split("</form>").next().unwrap_or_default();
            let guarded = form.contains("partials/token.html") || form.contains("method=\"get\"");
            assert!(guarded, "a form of {name} lacks its token");
        }
    }
}

#[test]
fn how_often_is_said_as_people_say_it() {
    let templates = super::Templates::new(chrono_tz::Asia::Kolkata);
    let often = |language, frequency: u32, period: &str, most: Option<&str>, unit: &str| {
        let dosage = context! { frequency => frequency, period => period, period_max => most, period_unit => unit };
        templates.render("partials/often.html", language, &context! { dosage => dosage }).expect("a line")
    };
    for (frequency, period, most, unit, said) in [
        (1, "1", None, "d", "once a day"),
        (3, "1", None, "d", "3 times a day"),
        (1, "1", None, "wk", "once a week"),
        (1, "6", None, "h", "every 6 hours"),
        (1, "4", Some("6"), "h", "every 4–6 hours"),
        (2, "1", None, "wk", "2 times in 1 weeks"),
    ] {
        assert_eq!(often(Language::English, frequency, period, most, unit), said);
    }
    assert_eq!(often(Language::Hindi, 1, "4", Some("6"), "h"), "हर 4–6 घंटे में");
    assert_eq!(often(Language::Marathi, 1, "1", None, "wk"), "आठवड्यातून एकदा");
}
