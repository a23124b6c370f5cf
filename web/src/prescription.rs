//! The prescription as it is read and printed: FHIR R4 Organization, Practitioner and the signed note
//! (<https://hl7.org/fhir/R4/composition.html>).

use poem::Response;
use poem::http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::answers::Message;
use crate::asker::Asker;
use crate::banner::{self, Banner};
use crate::frame::Frame;
use crate::language::Language;
use crate::note::{NoteView, Prescription};
use crate::records::{items, referred, text};
use crate::routes::{Fields, Pages};
use crate::translation::{self, Asked, Translations};

/// The head of the paper.
#[derive(Serialize)]
pub(crate) struct Paper {
    hospital: String,
    address: String,
    phone: String,
    doctor: String,
    qualification: String,
    registration: String,
    date: String,
}

#[derive(Serialize)]
struct PrescriptionPage {
    encounter: String,
    /// The language of the handout beside English.
    handout: &'static str,
    patient: Banner,
    note: NoteView,
    paper: Paper,
    /// What can be translated; none where nothing can.
    translations: Option<Translations>,
}

/// Shows the prescription, read-only.
pub(crate) async fn show(pages: &Pages, asker: &Asker, place: (&str, &Fields)) -> poem::Result<Response> {
    show_after(pages, asker, place, None).await
}

/// The same after a translation was asked for.
pub(crate) async fn show_after(
    pages: &Pages,
    asker: &Asker,
    (id, query): (&str, &Fields),
    asked: Option<Asked>,
) -> poem::Result<Response> {
    let frame = Frame::load(pages, asker).await?.at(id);
    let encounter = pages.get(asker, &format!("/fhir/Encounter/{id}")).await?;
    let patient = referred(&encounter, "/subject/reference", "Patient").unwrap_or_default();
    let found: Prescription = pages.get_as(asker, &format!("/v1/encounters/{id}/prescription")).await?;
    let patient = banner::load(pages, asker, &patient).await?;
    let failed = asked.as_ref().and_then(|asked| asked.status);
    let translations = translation::load(pages, asker, (id, &found), asked).await?;
    let page = PrescriptionPage {
        encounter: id.to_owned(),
        handout: Language::handout(wanted(query), &patient.speaks).code(),
        patient,
        note: found.into(),
        paper: paper(pages, asker, &encounter).await?,
        translations,
    };
    let mut response = pages.page(asker, "pages/prescription.html", (&frame, &page));
    if let Some(status) = failed.filter(|_| response.status().is_success()) {
        response.set_status(status);
    }
    Ok(response)
}

/// The head of the paper of an encounter.
pub(crate) async fn paper(pages: &Pages, asker: &Asker, encounter: &Value) -> poem::Result<Paper> {
    let hospital = resource(pages, asker, (encounter, "/serviceProvider/reference", "Organization")).await?;
    let doctor = resource(pages, asker, (encounter, "/participant/0/individual/reference", "Practitioner")).await?;
    let lines = items(&hospital, "/address/0/line").filter_map(Value::as_str).map(str::to_owned);
    let place =
        ["/address/0/city", "/address/0/postalCode", "/address/0/state"].map(|pointer| text(&hospital, pointer));
    let address: Vec<String> = lines.chain(place).filter(|part| !part.is_empty()).collect();
    Ok(Paper {
        hospital: text(&hospital, "/name"),
        address: address.join(", "),
        phone: text(&hospital, "/telecom/0/value"),
        doctor: text(&doctor, "/name/0/text"),
        qualification: text(&doctor, "/qualification/0/code/text"),
        registration: text(&doctor, "/identifier/0/value"),
        date: text(encounter, "/period/start"),
    })
}

/// What a reference of the encounter names; nothing stays empty on the paper.
async fn resource(
    pages: &Pages,
    asker: &Asker,
    (encounter, pointer, kind): (&Value, &str, &str),
) -> poem::Result<Value> {
    match referred(encounter, pointer, kind) {
        Some(id) => pages.get(asker, &format!("/fhir/{kind}/{id}")).await,
        None => Ok(Value::Null),
    }
}

/// The language that the address asks for.
fn wanted(query: &Fields) -> &str {
    query.get("language").map(String::as_str).unwrap_or_default()
}

/// The printed prescription as PDF.
pub(crate) async fn document(
    pages: &Pages,
    asker: &Asker,
    (encounter, query): (&str, &Fields),
) -> poem::Result<Response> {
    let language = Language::of(wanted(query)).map(|language| format!("?language={}", language.code()));
    let path = format!("/v1/encounters/{encounter}/prescription/document{}", language.unwrap_or_default());
    let answer = pages.send(asker, ("GET", &path), &Value::Null).await?;
    if answer.status == 404 {
        return Ok(pages.message(asker, Message::of(StatusCode::NOT_FOUND, "error-nothing-to-print")));
    }
    if answer.status != 200 {
        pages.read(asker, &answer)?;
    }
    Ok(Response::builder()
        .content_type("application/pdf")
        .header("content-disposition", "inline; filename=\"prescription.pdf\"")
        .body(answer.body))
}
