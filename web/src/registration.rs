//! What a clinic writes down before the consultation: a patient, a visit, an allergy, as FHIR R4 resources
//! (<https://hl7.org/fhir/R4/patient.html>, <https://hl7.org/fhir/R4/encounter.html>,
//! <https://hl7.org/fhir/R4/allergyintolerance.html>).

use chrono::SecondsFormat;
use poem::Response;
use serde_json::{Map, Value, json};

use crate::answers::see;
use crate::asker::Asker;
use crate::frame::Frame;
use crate::once;
use crate::records::{resources, text};
use crate::routes::{Fields, Pages};

const SNOMED: &str = "http://snomed.info/sct";

/// Writes down a new patient and shows them.
pub(crate) async fn patient(pages: &Pages, asker: &Asker, fields: &Fields) -> poem::Result<Response> {
    let (_, organization) = author(pages, asker).await?;
    let body = new_patient(fields, &organization);
    match once::create(pages, asker, (body, fields)).await? {
        Ok(id) => Ok(see(&format!("/patients/{id}"))),
        Err(refusal) => Ok(refusal),
    }
}

/// Begins a visit of a patient and opens its consultation.
pub(crate) async fn visit(pages: &Pages, asker: &Asker, (patient, fields): (&str, &Fields)) -> poem::Result<Response> {
    let frame = Frame::load(pages, asker).await?;
    let (practitioner, organization) = author(pages, asker).await?;
    let last = frame.visits.iter().filter_map(|visit| visit.number.parse::<u32>().ok()).max().unwrap_or(0);
    let body = new_visit(&NewVisit {
        patient,
        practitioner: (&practitioner, &frame.user),
        organization: &organization,
        number: last + 1,
        now: &now(pages, asker),
        reason: field(fields, "reason"),
    });
    match once::create(pages, asker, (body, fields)).await? {
        Ok(id) => Ok(see(&format!("/consultations/{id}"))),
        Err(refusal) => Ok(refusal),
    }
}

/// Writes down an allergy, or that the patient was asked and knows of none.
pub(crate) async fn allergy(
    pages: &Pages,
    asker: &Asker,
    (patient, fields): (&str, &Fields),
) -> poem::Result<Response> {
    let (practitioner, _) = author(pages, asker).await?;
    let body = new_allergy((patient, &practitioner), fields, &now(pages, asker));
    match once::create(pages, asker, (body, fields)).await? {
        Ok(_) => Ok(see(&format!("/patients/{patient}#allergies"))),
        Err(refusal) => Ok(refusal),
    }
}

/// The references of the Practitioner who is logged in and of the Organization that they work for.
async fn author(pages: &Pages, asker: &Asker) -> poem::Result<(String, String)> {
    let session = pages.get(asker, "/v1/session").await?;
    let practitioner = text(&session, "/user/practitioner");
    let Some(id) = practitioner.strip_prefix("Practitioner/") else { return Ok((practitioner, String::new())) };
    let roles = pages.get(asker, &format!("/fhir/PractitionerRole?practitioner={id}&_count=10")).await?;
    let organization = resources(&roles, "PractitionerRole").map(|role| text(role, "/organization/reference")).next();
    Ok((practitioner, organization.unwrap_or_default()))
}

fn now(pages: &Pages, asker: &Asker) -> String {
    asker.now.with_timezone(&pages.zone()).to_rfc3339_opts(SecondsFormat::Secs, false)
}

fn field<'f>(fields: &'f Fields, name: &str) -> &'f str {
    fields.get(name).map(|text| text.trim()).unwrap_or_default()
}

/// Adds a member where there is something to say: FHIR knows no empty texts.
fn add(members: &mut Map<String, Value>, (name, said): (&str, &str), member: Value) {
    if !said.is_empty() {
        members.insert(name.to_owned(), member);
    }
}

fn concept(system: &str, code: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code }] })
}

fn new_patient(fields: &Fields, organization: &str) -> Value {
    let (family, given, number) = (field(fields, "family"), field(fields, "given"), field(fields, "number"));
    let mut name = Map::from_iter([("text".to_owned(), Value::from(format!("{given} {family}").trim()))]);
    add(&mut name, ("family", family), family.into());
    add(&mut name, ("given", given), given.split_whitespace().collect::<Vec<_>>().into());
    let mut patient = Map::from_iter([
        ("resourceType".to_owned(), "Patient".into()),
        ("active".to_owned(), true.into()),
        ("name".to_owned(), json!([name])),
    ]);
    let (born, phone, gender) = (field(fields, "born"), field(fields, "phone"), field(fields, "gender"));
    let kind = concept("http://terminology.hl7.org/CodeSystem/v2-0203", "MR");
    add(&mut patient, ("identifier", number), json!([{ "type": kind, "value": number }]));
    add(&mut patient, ("gender", gender), gender.into());
    add(&mut patient, ("birthDate", born), born.into());
    add(&mut patient, ("telecom", phone), json!([{ "system": "phone", "value": phone }]));
    add(&mut patient, ("managingOrganization", organization), json!({ "reference": organization }));
    patient.into()
}

struct NewVisit<'v> {
    patient: &'v str,
    /// The reference and the name.
    practitioner: (&'v str, &'v str),
    organization: &'v str,
    number: u32,
    now: &'v str,
    reason: &'v str,
}

fn new_visit(new: &NewVisit<'_>) -> Value {
    let class =
        json!({ "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB", "display": "ambulatory" });
    let mut visit = Map::from_iter([
        ("resourceType".to_owned(), "Encounter".into()),
        ("status".to_owned(), "in-progress".into()),
        ("class".to_owned(), class),
        ("identifier".to_owned(), json!([{ "type": { "text": "token" }, "value": new.number.to_string() }])),
        ("subject".to_owned(), json!({ "reference": format!("Patient/{}", new.patient) })),
        ("period".to_owned(), json!({ "start": new.now })),
    ]);
    let (reference, display) = new.practitioner;
    let individual = json!({ "reference": reference, "display": display });
    add(&mut visit, ("participant", reference), json!([{ "individual": individual }]));
    add(&mut visit, ("serviceProvider", new.organization), json!({ "reference": new.organization }));
    add(&mut visit, ("reasonCode", new.reason), json!([{ "text": new.reason }]));
    visit.into()
}

fn new_allergy((patient, practitioner): (&str, &str), fields: &Fields, now: &str) -> Value {
    let (substance, reaction) = (field(fields, "substance"), field(fields, "reaction"));
    let status = |kind: &str, code: &str| {
        concept(&format!("http://terminology.hl7.org/CodeSystem/allergyintolerance-{kind}"), code)
    };
    let none = json!({ "coding": [{ "system": SNOMED, "code": "716186003", "display": "No known allergy" }],
        "text": "No known allergies" });
    let mut allergy = Map::from_iter([
        ("resourceType".to_owned(), "AllergyIntolerance".into()),
        ("clinicalStatus".to_owned(), status("clinical", "active")),
        // The patient says so; nobody has tested it.
        ("verificationStatus".to_owned(), status("verification", "unconfirmed")),
        ("code".to_owned(), if substance.is_empty() { none } else { json!({ "text": substance }) }),
        ("patient".to_owned(), json!({ "reference": format!("Patient/{patient}") })),
        ("asserter".to_owned(), json!({ "reference": format!("Patient/{patient}") })),
        ("recordedDate".to_owned(), now.into()),
    ]);
    add(&mut allergy, ("recorder", practitioner), json!({ "reference": practitioner }));
    if !substance.is_empty() {
        add(&mut allergy, ("reaction", reaction), json!([{ "manifestation": [{ "text": reaction }] }]));
    }
    allergy.into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{NewVisit, new_allergy, new_patient, new_visit};
    use crate::routes::Fields;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn nothing_that_was_not_typed_is_written() {
        let sparse = new_patient(&fields(&[("family", "Rane"), ("given", " "), ("phone", "")]), "");
        let expected = json!({"resourceType": "Patient", "active": true, "name": [{"text": "Rane", "family": "Rane"}]});
        assert_eq!(sparse, expected);
        let full = [
            ("family", "Rane"),
            ("given", "Meenakshi S"),
            ("born", "1974-03-15"),
            ("gender", "female"),
            ("number", "7"),
        ];
        let full = new_patient(&fields(&full), "Organization/h");
        assert_eq!(full["name"][0]["given"], json!(["Meenakshi", "S"]));
        assert_eq!(
            (&full["identifier"][0]["value"], &full["managingOrganization"]["reference"]),
            (&json!("7"), &json!("Organization/h"))
        );
    }

    #[test]
    fn a_visit_names_patient_doctor_and_number() {
        let visit = new_visit(&NewVisit {
            patient: "p",
            practitioner: ("Practitioner/d", "Dr"),
            organization: "",
            number: 18,
            now: "2026-07-14T11:00:00+05:30",
            reason: "Fever",
        });
        assert_eq!(visit["identifier"][0]["value"], "18");
        assert_eq!(visit["participant"][0]["individual"]["reference"], "Practitioner/d");
        assert!(visit.get("serviceProvider").is_none());
    }

    #[test]
    fn no_known_allergies_is_a_statement_of_its_own() {
        let none = new_allergy(("p", "Practitioner/d"), &fields(&[("reaction", "rash")]), "2026-07-14");
        assert_eq!(none["code"]["coding"][0]["code"], "716186003");
        assert!(none.get("reaction").is_none());
        let known = new_allergy(("p", ""), &fields(&[("substance", "Penicillin"), ("reaction", "rash")]), "2026-07-14");
        assert_eq!(known["reaction"][0]["manifestation"][0]["text"], "rash");
        assert!(known.get("recorder").is_none() && known["code"].get("coding").is_none());
    }
}
