//! What every translator promises, whichever it is: the text comes back whole, or an error that tells whether to ask again.

use crate::translation::{Languages, TranslationError, Translator};

const HINDI: Languages<'static> = Languages { source: "en", target: "hi" };

/// A translator under contract, before services that behave in one way each.
#[derive(Clone, Copy)]
pub struct TranslationContract<'a> {
    /// The service answers each text that it is asked with the same text: what is missing then, the adapter lost.
    pub ready: &'a dyn Translator,
    /// The service refuses every text.
    pub refusing: &'a dyn Translator,
    /// The service can't now.
    pub busy: &'a dyn Translator,
    /// Nobody is there.
    pub away: &'a dyn Translator,
    /// The longest text, in bytes.
    pub limit: usize,
}

/// Checks a translator against the port's promises.
pub async fn translation_contract(contract: TranslationContract<'_>) {
    let TranslationContract { ready, refusing, busy, away, limit } = contract;
    assert!(!ready.name().is_empty() && !ready.version().is_empty(), "an engine has a name and a version");
    assert_eq!(ready.destination(), ready.destination(), "the place is told before anything leaves, and stays");
    ready.health().await.expect("a ready service is healthy");
    check_whole(ready).await;
    check_length(ready, limit).await;
    let secret = "Do not tell Meera.";
    let refused = refusing.translate(secret, HINDI).await.expect_err("a refusal");
    assert!(matches!(refused, TranslationError::Refused { .. }), "asking again does not help: {refused}");
    for silent in [busy, away] {
        let error = silent.translate(secret, HINDI).await.expect_err("no answer");
        assert!(matches!(error, TranslationError::Unavailable { .. }), "asking again may help: {error}");
        assert!(!error.to_string().contains("Meera"), "an error quotes no text");
    }
    assert!(!refused.to_string().contains("Meera"), "an error quotes no text");
    let unhealthy = away.health().await.expect_err("nobody is there");
    assert!(matches!(unhealthy, TranslationError::Unavailable { .. }), "{unhealthy}");
}

async fn check_whole(ready: &dyn Translator) {
    let said = ready.translate("Rest.", HINDI).await.expect("an answer");
    assert_eq!(said, "Rest.", "nothing is added, no white space either");
    let lines = "Drink 3 litres of water a day.\nDo not walk for 5 days.";
    assert_eq!(ready.translate(lines, HINDI).await.expect("an answer"), lines, "lines stay lines");
    let long = (0..1500).map(|number| format!("Sentence {number}.")).collect::<Vec<_>>().join(" ");
    assert_eq!(ready.translate(&long, HINDI).await.expect("an answer"), long, "a long text is whole, and in order");
}

async fn check_length(ready: &dyn Translator, limit: usize) {
    let long = "a".repeat(limit + 1);
    let refused = ready.translate(&long, HINDI).await.expect_err("it is too long");
    let told =
        matches!(refused, TranslationError::TooLong { length, limit: told } if (length, told) == (limit + 1, limit));
    assert!(told, "a text that is too long is refused as such: {refused}");
}
