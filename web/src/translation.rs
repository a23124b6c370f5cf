//! Advice in the patient's language on the prescription's page, over `/v1/encounters/{encounter}/translations` of the contract.
//! A machine's words stand beside the doctor's until the page is left, and nowhere else.

use poem::Response;
use poem::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answers::{see, value};
use crate::asker::Asker;
use crate::language::Language;
use crate::note::Prescription;
use crate::prescription;
use crate::records::text;
use crate::routes::{Fields, Pages};

/// What can be translated, as the contract has it.
#[derive(Deserialize)]
struct Offer {
    languages: Vec<String>,
    sections: Vec<String>,
    destination: Option<String>,
}

/// A translation, as the contract has it.
#[derive(Deserialize, Serialize)]
struct Said {
    section: String,
    source: String,
    language: String,
    text: Option<String>,
    engine: String,
    differences: Vec<Difference>,
}

/// What the machine's words lost, added or changed.
#[derive(Deserialize, Serialize)]
struct Difference {
    kind: String,
    value: String,
    said: u64,
    translated: u64,
}

/// What became of a question.
pub(crate) struct Asked {
    section: String,
    said: Option<Said>,
    /// The status of a page that says why there is no answer.
    pub(crate) status: Option<StatusCode>,
    /// What the API says about it, in English.
    detail: String,
}

/// What the page shows of translations.
#[derive(Serialize)]
pub(crate) struct Translations {
    /// Where the text leaves for; empty when it stays.
    destination: String,
    languages: Vec<Offered>,
    advice: Vec<Advice>,
}

#[derive(Serialize)]
struct Offered {
    code: &'static str,
    name: &'static str,
}

/// A section of advice, and what was answered for it.
#[derive(Serialize)]
struct Advice {
    code: String,
    /// The doctor's words.
    source: String,
    said: Option<Said>,
    /// Whether a translation was asked for and there is none.
    failed: bool,
    /// Why, in English.
    detail: String,
}

/// What can be translated of a prescription; none where no translator is configured, or there is no advice.
pub(crate) async fn load(
    pages: &Pages,
    asker: &Asker,
    (encounter, found): (&str, &Prescription),
    asked: Option<Asked>,
) -> poem::Result<Option<Translations>> {
    let answer = pages.send(asker, ("GET", &place(encounter)), &Value::Null).await?;
    // A page that can't tell what is offered offers nothing; the prescription is what it is for.
    let Ok(offer) = serde_json::from_value::<Offer>(value(&answer)) else { return Ok(None) };
    let languages = offer.languages.iter().filter_map(|tag| Language::of(tag));
    let languages: Vec<Offered> =
        languages.map(|language| Offered { code: language.code(), name: language.own_name() }).collect();
    let is_advice = |code: &str, state: &str| offer.sections.iter().any(|one| one == code) && state != "rejected";
    let sections = found.sections.iter().filter(|one| is_advice(&one.code, &one.state) && !one.text.trim().is_empty());
    let mut advice: Vec<Advice> = sections
        .map(|section| Advice {
            code: section.code.clone(),
            source: section.text.clone(),
            said: None,
            failed: false,
            detail: String::new(),
        })
        .collect();
    if let Some(asked) = asked
        && let Some(row) = advice.iter_mut().find(|row| row.code == asked.section)
    {
        row.failed = asked.said.is_none();
        row.detail = asked.detail;
        row.said = asked.said;
    }
    let shown = !languages.is_empty() && !advice.is_empty();
    Ok(shown.then(|| Translations { destination: offer.destination.unwrap_or_default(), languages, advice }))
}

/// Asks for a section in a language, and shows the prescription with what came back.
pub(crate) async fn submit(
    pages: &Pages,
    asker: &Asker,
    (encounter, fields): (&str, &Fields),
) -> poem::Result<Response> {
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let section = field("section");
    let body = json!({ "section": section, "language": field("language") });
    // Without an idempotency key, whose answers are kept for a day: these are kept nowhere.
    let answer = pages.send(asker, ("POST", &place(encounter)), &body).await?;
    if answer.status == 401 {
        return Ok(see("/log-in"));
    }
    let said: Option<Said> = serde_json::from_value(value(&answer)).ok().filter(|_| answer.status == 200);
    let refused = StatusCode::from_u16(answer.status).ok().filter(|status| !status.is_success());
    let status = if said.is_some() { None } else { Some(refused.unwrap_or(StatusCode::BAD_GATEWAY)) };
    let asked = Asked { section, said, status, detail: text(&value(&answer), "/detail") };
    prescription::show_after(pages, asker, (encounter, fields), Some(asked)).await
}

fn place(encounter: &str) -> String {
    format!("/v1/encounters/{encounter}/translations")
}
