//! `Patient/$match` (R4 <https://hl7.org/fhir/R4/patient-operation-match.html>) and `Patient/$member-match`
//! (HRex <http://hl7.org/fhir/us/davinci-hrex/OperationDefinition/member-match>).

use poem::Response;
use seva_fhir::json::object;
use seva_fhir::matching::Grade;
use seva_fhir::service::{Match, MemberQuestion};

use super::super::bundle::BundleWriter;
use super::super::{CallerRef, FhirEndpoint};
use super::expand::parameters;
use super::{Parameters, answer};
use crate::failure::{FHIR_JSON, Failure};

const DEFAULT_COUNT: u32 = 10;
const MOST: u32 = 100;

pub(super) async fn patient(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    given: &Parameters,
) -> Result<Response, Failure> {
    let wanted = given
        .resource("resource")
        .ok_or_else(|| Failure::BadRequest("$match needs the parameter resource, a Patient".to_owned()))?;
    let count = given.number("count")?.unwrap_or(DEFAULT_COUNT).clamp(1, MOST) as usize;
    let mut found = face.service().match_patient(caller, wanted).await?;
    if given.text("onlyCertainMatches") == Some("true") {
        found.retain(|one| one.likeness.grade == Grade::Certain);
        // R4: with several that may be meant, none is certain.
        if found.len() > 1 {
            found.clear();
        }
    }
    let total = found.len() as u64;
    found.truncate(count);
    let size = found.iter().map(|one| one.stored.body.len() + 256).sum();
    let mut bundle = BundleWriter::new("searchset", Some(total), &[], size);
    for one in &found {
        bundle.entry(Some(&format!("{}/{}", face.base(), one.stored.key)), Some(&one.stored.body), &search(one));
    }
    Ok(Response::builder().content_type(FHIR_JSON).body(bundle.finish()))
}

fn search(one: &Match) -> Vec<u8> {
    let (grade, score) = (one.likeness.grade.code(), one.likeness.score.min(100));
    format!(
        "\"search\":{{\"extension\":[{{\"url\":\"http://hl7.org/fhir/StructureDefinition/match-grade\",\"valueCode\":\"{grade}\"}}],\
         \"mode\":\"match\",\"score\":{}.{:02}}}",
        score / 100,
        score % 100
    )
    .into_bytes()
}

pub(super) async fn member(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    given: &Parameters,
) -> Result<Response, Failure> {
    let needed = |name: &str| {
        let missing = || Failure::BadRequest(format!("$member-match needs the parameter {name}"));
        given.value(name).ok_or_else(missing)
    };
    let asked = MemberQuestion {
        patient: needed("MemberPatient")?,
        coverage: needed("CoverageToMatch")?,
        consent: needed("Consent")?,
    };
    let member = face.service().match_member(caller, asked).await?;
    let reference = object([("reference", member.key.to_string().into())]);
    Ok(answer(&parameters(vec![
        ("MemberIdentifier", ("valueIdentifier", member.identifier)),
        ("MemberId", ("valueReference", reference)),
    ])))
}
