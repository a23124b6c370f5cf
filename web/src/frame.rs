//! What stands around every page: who is logged in, today's visits (FHIR R4 Encounter,
//! <https://hl7.org/fhir/R4/encounter.html>), language, colours and the form token.

use serde::Serialize;
use serde_json::Value;

use crate::asker::Asker;
use crate::language::LANGUAGES;
use crate::moment;
use crate::records::{items, name, referred, resources, text};
use crate::routes::Pages;

/// How far a visit has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Progress {
    /// The patient waits.
    Waiting,
    /// The patient is with the doctor.
    Room,
    /// The prescription is written and not signed.
    Sign,
    /// The prescription is signed.
    Signed,
    /// The visit is over without a prescription.
    Over,
    /// The patient did not come, or the visit was called off.
    Absent,
}

/// A visit of today.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Visit {
    pub(crate) id: String,
    pub(crate) patient: String,
    pub(crate) name: String,
    /// The family name, for the narrow rail.
    pub(crate) family: String,
    pub(crate) gender: String,
    pub(crate) born: String,
    pub(crate) identifier: String,
    /// The number that the patient holds in the hand.
    pub(crate) number: String,
    pub(crate) reason: String,
    pub(crate) begin: String,
    /// The reference of the doctor whose visit it is; empty while nobody has taken it.
    pub(crate) doctor: String,
    pub(crate) progress: Progress,
    /// When it was signed or drafted last.
    pub(crate) written: String,
}

#[derive(Serialize)]
struct Choice {
    code: &'static str,
    name: &'static str,
}

/// What every template sees as `frame`.
#[derive(Serialize)]
pub(crate) struct Frame {
    language: &'static str,
    theme: &'static str,
    languages: Vec<Choice>,
    form_token: String,
    /// The hospital's day, as FHIR writes it.
    today: String,
    request: String,
    /// Where a choice of language or colours leads back to.
    place: String,
    pub(crate) user: String,
    /// The reference of the Practitioner who is logged in; empty for other accounts.
    pub(crate) practitioner: String,
    pub(crate) hospital: String,
    pub(crate) visits: Vec<Visit>,
    /// The visit that is open.
    pub(crate) visit: String,
}

impl Frame {
    /// The frame of a page without log-in.
    pub(crate) fn plain(pages: &Pages, asker: &Asker) -> Self {
        let choices = LANGUAGES.map(|language| Choice { code: language.code(), name: language.own_name() });
        Self {
            language: asker.language.code(),
            theme: asker.theme.code(),
            languages: choices.into(),
            form_token: asker.form_token.clone(),
            today: asker.today(pages.zone()).to_string(),
            request: asker.request.clone(),
            place: asker.place.clone(),
            user: String::new(),
            practitioner: String::new(),
            hospital: String::new(),
            visits: Vec::new(),
            visit: String::new(),
        }
    }

    /// The frame of a page of somebody who is logged in.
    pub(crate) async fn load(pages: &Pages, asker: &Asker) -> poem::Result<Self> {
        let session = pages.get(asker, "/v1/session").await?;
        Ok(Self {
            user: text(&session, "/user/name"),
            practitioner: text(&session, "/user/practitioner"),
            hospital: text(&session, "/user/tenant"),
            visits: visits(pages, asker).await?,
            ..Self::plain(pages, asker)
        })
    }

    /// The same with a visit marked as open.
    pub(crate) fn at(self, visit: &str) -> Self {
        Self { visit: visit.to_owned(), ..self }
    }
}

async fn visits(pages: &Pages, asker: &Asker) -> poem::Result<Vec<Visit>> {
    let Some((from, to)) = moment::bounds(asker.today(pages.zone()), pages.zone()) else { return Ok(Vec::new()) };
    let day = format!("date=ge{from}&date=lt{to}&_count=100");
    let encounters = pages.get(asker, &format!("/fhir/Encounter?{day}&_include=Encounter:patient")).await?;
    let compositions = pages.get(asker, &format!("/fhir/Composition?{day}")).await?;
    let mut visits: Vec<Visit> =
        resources(&encounters, "Encounter").map(|encounter| visit(encounter, &encounters, &compositions)).collect();
    visits.sort_by(|one, other| (&one.begin, &one.id).cmp(&(&other.begin, &other.id)));
    Ok(visits)
}

fn visit(encounter: &Value, encounters: &Value, compositions: &Value) -> Visit {
    let id = text(encounter, "/id");
    let patient = referred(encounter, "/subject/reference", "Patient").unwrap_or_default();
    let found = resources(encounters, "Patient").find(|found| text(found, "/id") == patient).unwrap_or(&Value::Null);
    let note = resources(compositions, "Composition")
        .find(|note| referred(note, "/encounter/reference", "Encounter").as_deref() == Some(&id));
    let reasons: Vec<String> = items(encounter, "/reasonCode").map(|reason| text(reason, "/text")).collect();
    Visit {
        progress: progress(&text(encounter, "/status"), &note.map(|note| text(note, "/status")).unwrap_or_default()),
        doctor: text(encounter, "/participant/0/individual/reference"),
        written: note.map(|note| text(note, "/date")).unwrap_or_default(),
        name: name(found),
        family: text(found, "/name/0/family"),
        gender: text(found, "/gender"),
        born: text(found, "/birthDate"),
        identifier: text(found, "/identifier/0/value"),
        number: text(encounter, "/identifier/0/value"),
        reason: reasons.join(", "),
        begin: text(encounter, "/period/start"),
        id,
        patient,
    }
}

fn progress(encounter: &str, note: &str) -> Progress {
    match (note, encounter) {
        ("final" | "amended", _) => Progress::Signed,
        (_, "cancelled" | "entered-in-error") => Progress::Absent,
        ("preliminary", _) => Progress::Sign,
        (_, "in-progress" | "triaged" | "onleave") => Progress::Room,
        (_, "finished") => Progress::Over,
        _ => Progress::Waiting,
    }
}

#[cfg(test)]
mod tests {
    use super::{Progress, progress};

    #[test]
    fn a_visit_is_where_its_note_and_its_status_say() {
        assert_eq!(progress("in-progress", "final"), Progress::Signed);
        assert_eq!(progress("arrived", "preliminary"), Progress::Sign);
        assert_eq!(progress("arrived", ""), Progress::Waiting);
        assert_eq!(progress("in-progress", ""), Progress::Room);
        assert_eq!(progress("cancelled", ""), Progress::Absent);
    }
}
