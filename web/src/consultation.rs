//! The consultation: banner, voice bar, transcript, note and medicines of one FHIR R4 Encounter
//! (<https://hl7.org/fhir/R4/encounter.html>).

use poem::Response;
use poem::http::StatusCode;
use serde::Serialize;

use crate::asker::Asker;
use crate::banner::{self, Banner};
use crate::conflict::{Conflict, Overtaken};
use crate::frame::Frame;
use crate::language::Language;
use crate::note::{NoteView, Prescription};
use crate::omissions::Omissions;
use crate::prescription::{self, Paper};
use crate::proposals::Proposals;
use crate::readiness;
use crate::records::referred;
use crate::routes::{Fields, Pages};
use crate::transcript::{DictationView, Dictations};

/// What a form left behind.
#[derive(Default)]
pub(crate) struct Outcome {
    /// The key of what went wrong; empty when nothing did.
    pub(crate) problem: &'static str,
    /// What the API says about it, in English.
    pub(crate) detail: String,
    pub(crate) overtaken: Option<Overtaken>,
}

/// What the address asks for.
#[derive(Serialize)]
struct Asked {
    /// The pane on a telephone.
    tab: &'static str,
    /// The section or medicine whose text is open for changes.
    edit: String,
    /// Whether the signature dialog is open.
    sign: bool,
}

#[derive(Serialize)]
struct ConsultationPage {
    encounter: String,
    patient: Banner,
    dictations: Vec<DictationView>,
    /// Whether an engine is at work, so that the page looks again.
    working: bool,
    doubtful: usize,
    note: NoteView,
    omissions: Omissions,
    proposals: Proposals,
    paper: Paper,
    asked: Asked,
    /// What is wrong with the speech engine; empty when nothing is.
    speech: String,
    /// The language of the handout beside English.
    handout: &'static str,
    /// Whether the signature dialog is open: asked for, and nothing blocks.
    signing: bool,
    /// The key of what went wrong; empty when nothing did.
    problem: &'static str,
    /// What the API says about it, in English.
    detail: String,
    conflict: Option<Conflict>,
}

const TABS: [&str; 3] = ["transcript", "note", "medicines"];

impl Asked {
    fn of(query: &Fields) -> Self {
        let field = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        Self {
            tab: TABS.into_iter().find(|tab| *tab == field("tab")).unwrap_or("note"),
            edit: field("edit").to_owned(),
            sign: field("sign") == "1",
        }
    }
}

/// Shows a consultation.
pub(crate) async fn show(pages: &Pages, asker: &Asker, (id, query): (&str, &Fields)) -> poem::Result<Response> {
    show_after(pages, asker, (id, query), Outcome::default()).await
}

/// Shows a consultation after a form that did not succeed.
pub(crate) async fn show_after(
    pages: &Pages,
    asker: &Asker,
    (id, query): (&str, &Fields),
    outcome: Outcome,
) -> poem::Result<Response> {
    let frame = Frame::load(pages, asker).await?.at(id);
    let encounter = pages.get(asker, &format!("/fhir/Encounter/{id}")).await?;
    let patient = referred(&encounter, "/subject/reference", "Patient").unwrap_or_default();
    let listed: Dictations = pages.get_as(asker, &format!("/v1/encounters/{id}/dictations")).await?;
    let found: Prescription = pages.get_as(asker, &format!("/v1/encounters/{id}/prescription")).await?;
    let dictations: Vec<DictationView> = listed.dictations.into_iter().map(DictationView::from).collect();
    let status =
        if outcome.overtaken.is_some() { StatusCode::PRECONDITION_FAILED } else { StatusCode::UNPROCESSABLE_ENTITY };
    let failed = !outcome.problem.is_empty();
    let (note, asked) = (NoteView::from(found), Asked::of(query));
    let conflict = outcome.overtaken.map(|overtaken| {
        let theirs = note.text_of(&overtaken.section);
        Conflict::between(overtaken, &theirs)
    });
    let patient = banner::load(pages, asker, &patient).await?;
    let wanted = query.get("language").map(String::as_str).unwrap_or_default();
    let page = ConsultationPage {
        encounter: id.to_owned(),
        handout: Language::handout(wanted, &patient.speaks).code(),
        patient,
        working: dictations.iter().any(|dictation| dictation.working),
        doubtful: dictations.iter().map(|dictation| dictation.doubtful).sum(),
        dictations,
        signing: asked.sign && !note.signed && note.exists && (note.blockers.is_empty() || failed),
        note,
        omissions: pages.get_as(asker, &format!("/v1/encounters/{id}/omissions")).await?,
        proposals: pages.get_as(asker, &format!("/v1/encounters/{id}/proposals")).await?,
        paper: prescription::paper(pages, asker, &encounter).await?,
        speech: readiness::speech(pages, asker).await,
        asked,
        problem: outcome.problem,
        detail: outcome.detail,
        conflict,
    };
    let mut response = pages.page(asker, "pages/consultation.html", (&frame, &page));
    if failed && response.status().is_success() {
        response.set_status(status);
    }
    Ok(response)
}

/// The patient of an encounter.
pub(crate) async fn patient_of(pages: &Pages, asker: &Asker, encounter: &str) -> poem::Result<String> {
    let encounter = pages.get(asker, &format!("/fhir/Encounter/{encounter}")).await?;
    Ok(referred(&encounter, "/subject/reference", "Patient").unwrap_or_default())
}
