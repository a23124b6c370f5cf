use proptest::prelude::*;

use super::guard::{Difference, Guard, Kind, with_digits};

fn differences(language: &str, source: &str, translation: &str) -> Vec<(Kind, String)> {
    let guard = Guard::into_language(language).expect("a known language");
    let found = guard.differences(source, translation, &["Zerodol P".to_owned()]);
    found.into_iter().map(|Difference { kind, value, .. }| (kind, value)).collect()
}

#[test]
fn what_is_found_again_is_kept() {
    for (language, source, translation) in [
        ("hi", "Drink 3 litres of water a day.", "दिन में 3 लीटर पानी पिएं।"),
        ("hi", "Drink 3 litres of water a day.", "दिन में ३ लीटर पानी पिएं।"),
        ("hi", "Do not drive for 5 days.", "5 दिनों तक गाड़ी न चलाएं।"),
        ("hi", "Take paracetamol 650 mg if feverish.", "बुखार हो तो Paracetamol 650 मि.ग्रा. लें।"),
        ("hi", "Come back after 1,500 steps or 0.50 hours.", "1500 कदम या 0.5 घंटे बाद आएं।"),
        ("mr", "Avoid alcohol for 2 weeks.", "2 आठवडे मद्यपान टाळा."),
        ("mr", "Take Zerodol P after food.", "Zerodol P जेवणानंतर घ्या."),
        ("hi", "Rest.", "आराम करें।"),
    ] {
        assert_eq!(differences(language, source, translation), [], "{source}: {translation}");
    }
}

#[test]
fn what_is_lost_changed_or_added_is_named() {
    let named = |kind, value: &str| (kind, value.to_owned());
    for (source, translation, lost) in [
        ("Drink 3 litres.", "5 लीटर पिएं।", named(Kind::Number, "3")),
        ("Drink 3 litres.", "पानी पिएं।", named(Kind::Number, "3")),
        ("Drink water.", "3 लीटर पानी पिएं।", named(Kind::Number, "3")),
        ("Take 50 mcg.", "50 मिलीग्राम लें।", named(Kind::Unit, "50 ug")),
        ("Rest 5 days, walk 10 minutes.", "10 दिन आराम, 5 मिनट टहलें।", named(Kind::Unit, "5 day")),
        ("Take 0.5 mg.", "5 मिलीग्राम लें।", named(Kind::Number, "0.5")),
        ("Do not stop insulin.", "insulin बंद करें।", named(Kind::Denial, "")),
        ("Avoid milk.", "दूध पिएं।", named(Kind::Denial, "")),
        ("Drink milk.", "दूध न पिएं।", named(Kind::Denial, "")),
        ("Stop paracetamol.", "पैरासिटामोल बंद करें।", named(Kind::Medicine, "paracetamol")),
        ("Take paracetamol.", "ibuprofen लें।", named(Kind::Medicine, "ibuprofen")),
        ("Take Zerodol P.", "Zerodol लें।", named(Kind::Medicine, "zerodol p")),
    ] {
        let found = differences("hi", source, translation);
        assert!(found.contains(&lost), "{source}: {translation}: {found:?}");
    }
}

#[test]
fn number_words_leave_as_digits() {
    for (said, sent) in [
        ("Rest for five days.", "Rest for 5 days."),
        ("Walk thirty five minutes twice a day", "Walk 35 minutes 2 times a day"),
        ("Once the fever has gone, bathe once daily.", "Once the fever has gone, bathe 1 time daily."),
        ("Temperature above 38.5, call.", "Temperature above 38.5, call."),
        ("आराम करें।", "आराम करें।"),
    ] {
        assert_eq!(with_digits(said), sent);
    }
}

#[test]
fn a_language_whose_words_are_not_known_has_no_guard() {
    for language in ["en", "ta", "", "hi-IN"] {
        assert!(Guard::into_language(language).is_none(), "{language}");
    }
}

proptest! {
    #[test]
    fn any_text_is_read_and_agrees_with_itself(text in "\\PC{0,80}") {
        let english = with_digits(&text);
        let guard = Guard::into_language("hi").expect("Hindi is known");
        // A text is its own translation but for words that deny or measure in Hindi alone.
        if text.is_ascii() {
            prop_assert_eq!(guard.differences(&english, &english, &[]), vec![]);
        }
        drop(guard.differences(&english, "", &[]));
    }

    #[test]
    fn another_number_is_never_taken(said in 0u32..100_000, told in 0u32..100_000) {
        let found = differences("hi", &format!("Walk {said} steps."), &format!("{told} कदम चलें।"));
        prop_assert_eq!(found.is_empty(), said == told);
    }
}
