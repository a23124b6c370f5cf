//! Results of tests that are words.

use super::*;

/// The tests with results in a word, and what of them is asserted.
fn results(text: &str) -> Vec<String> {
    let found = extract(text);
    let stated = found.iter().filter_map(|entity| {
        let finding = entity.finding()?;
        assert!(!entity.has(Trait::Negation), "a result denies nothing: {text}");
        Some(format!("{}={}", entity.text.to_lowercase(), finding.word()))
    });
    stated.collect()
}

#[test]
fn a_result_in_words_is_a_result_and_no_denial() {
    for (text, expected) in [
        ("NS1 negative.", vec!["ns1=negative"]),
        ("Malaria positive", vec!["malaria=positive"]),
        ("Dengue negative.", vec!["dengue=negative"]),
        ("dengue NS1 antigen came back positive", vec!["dengue ns1 antigen=positive"]),
        ("HIV and HBsAg non-reactive.", vec!["hiv=non-reactive", "hbsag=non-reactive"]),
        ("VDRL non reactive", vec!["vdrl=non-reactive"]),
        ("HIV, HBsAg negative.", vec!["hiv=negative", "hbsag=negative"]),
        ("HIV, HBsAg positive.", vec!["hiv=positive", "hbsag=positive"]),
        ("Sputum positive.", vec!["sputum=positive"]),
        ("Sputum negative for AFB.", vec!["sputum=negative"]),
        ("Urine albumin nil.", vec!["urine albumin=negative"]),
        ("Dengue, malaria and typhoid negative.", vec!["dengue=negative", "malaria=negative", "typhoid=negative"]),
        ("Malaria positive and dengue negative.", vec!["malaria=positive", "dengue=negative"]),
        ("Covid test is negative, NS1 -ve", vec!["covid test=negative", "ns1=negative"]),
        ("tested negative for dengue and malaria", vec!["dengue=negative", "malaria=negative"]),
        ("RT PCR not detected.", vec!["rt pcr=not detected"]),
        ("no cough no rash ns1 positive dengue fever", vec!["ns1=positive"]),
        ("No rash, malaria smear was negative.", vec!["malaria smear=negative"]),
    ] {
        assert_eq!(results(text), expected, "{text}");
    }
    let doubted = |text: &str| extract(text).first().map(|hiv| hiv.has(Trait::LowConfidence));
    assert_eq!(doubted("HIV, HBsAg positive."), Some(true), "whether the comma shares it the doctor says");
    assert_eq!(doubted("HIV and HBsAg positive."), Some(false));
    let found = extract("Dengue negative.");
    assert!(found.iter().all(|entity| entity.category != Category::MedicalCondition), "{found:?}");
}

#[test]
fn what_is_denied_asked_or_of_another_day_is_no_result_of_today() {
    for text in [
        "She is not HIV positive.",
        "Never had malaria positive.",
        "Known to be HIV positive.",
        "Covid positive last year.",
        "History of dengue positive.",
        "Dengue positive two years ago.",
        "Repeat NS1 if negative.",
        "NS1 not positive.",
        "Fever negative.",
        "NS1 and platelet count.",
        "Platelet count and CRP done, feels positive.",
        "Fever with chills, negative family history.",
    ] {
        assert_eq!(results(text), Vec::<String>::new(), "{text}");
    }
    for (text, expected) in [
        ("Viral fever and NS1 negative.", vec!["ns1=negative"]),
        ("He has malaria and dengue negative.", vec!["dengue=negative"]),
        ("Tuberculosis and HIV positive.", vec!["hiv=positive"]),
        ("Platelet count and NS1 negative.", vec!["ns1=negative"]),
        ("Dengue, NS1 positive.", vec!["ns1=positive"]),
    ] {
        assert_eq!(results(text), expected, "{text}");
    }
    let hypothetical = extract("If NS1 positive admit.");
    assert!(named(&hypothetical, "NS1").has(Trait::Hypothetical));
    let family = extract("Mother HIV positive.");
    assert!(named(&family, "HIV").has(Trait::FamilyHistory));
}

#[test]
fn a_test_of_another_day_is_neither_reported_nor_asked_for() {
    for text in ["Previous HbA1c 8.2 percent.", "Last HbA1c 8.2.", "HbA1c 8.2 three months ago.", "Old ECG normal."] {
        let found = extract(text);
        let test = found.iter().find(|entity| entity.kind == EntityType::TestName).unwrap();
        assert!(test.has(Trait::PastHistory) && !test.is_reported() && !test.is_requested(), "{text}: {found:?}");
    }
    for text in ["History of diabetes, HbA1c 8.2 percent.", "Previous CABG, fasting sugar 140."] {
        let found = extract(text);
        assert!(found.iter().any(Entity::is_reported), "{text}: {found:?}");
    }
    let asked = extract("Old case of tuberculosis, chest x-ray.");
    assert!(asked.iter().any(Entity::is_requested), "{asked:?}");
}
