//! `DocumentReference/$docref` (US Core <http://hl7.org/fhir/us/core/OperationDefinition/docref>): the documents of a
//! patient; on demand, the summary that is made when it is fetched.

use poem::Response;
use seva_fhir::json::{Json, array, object};
use seva_fhir::search::Cursor;
use seva_fhir::types::{ResourceKey, ResourceType};

use super::super::bundle::BundleWriter;
use super::super::search::searchset;
use super::super::{CallerRef, FhirEndpoint};
use super::Parameters;
use crate::failure::{FHIR_JSON, Failure};

/// LOINC's code of a patient summary.
const SUMMARY: &str = "60591-5";

pub(super) async fn run(face: &FhirEndpoint, caller: CallerRef<'_>, given: &Parameters) -> Result<Response, Failure> {
    let patient = given.text("patient").ok_or_else(|| Failure::BadRequest("$docref needs patient".to_owned()))?;
    let named = if patient.contains('/') { patient.to_owned() } else { format!("Patient/{patient}") };
    let key: ResourceKey = named.parse().map_err(|_| Failure::BadRequest(format!("patient: {patient:?} is no id")))?;
    if key.resource_type() != ResourceType::patient() {
        return Err(Failure::BadRequest(format!("patient: {patient:?} is no Patient")));
    }
    face.service().read(caller, &key).await?;
    let types = types(given);
    if given.text("on-demand") == Some("true") {
        return Ok(on_demand(face, &key, &types));
    }
    let mut pairs = vec![
        ("patient".to_owned(), key.id().to_string()),
        ("status".to_owned(), "current".to_owned()),
        ("_sort".to_owned(), "-date".to_owned()),
    ];
    if !types.is_empty() {
        pairs.push(("type".to_owned(), types.join(",")));
    }
    for (name, relation) in [("start", "ge"), ("end", "le")] {
        if let Some(text) = given.text(name) {
            given.time(name)?;
            // The time of care counts; a document that does not tell it is as old as its filing.
            let time = text.replace(' ', "+");
            let filter = format!("period {relation} {time} or (period pr false and date {relation} {time})");
            pairs.push(("_filter".to_owned(), filter));
        }
    }
    let kind: ResourceType =
        "DocumentReference".parse().map_err(|_| Failure::NotFound("DocumentReference".to_owned()))?;
    let mut query = face.service().strict_search(caller, kind, &pairs)?;
    query.used = given.texts().iter().filter(|(name, _)| name != "_cursor").cloned().collect();
    query.cursor = given.text("_cursor").map(|cursor| Cursor::from_text(cursor.to_owned()));
    let page = face.service().search(caller, query.clone()).await?;
    let body = searchset(face.base(), "DocumentReference/$docref", &query, &page);
    Ok(Response::builder().content_type(FHIR_JSON).body(body))
}

/// The types as tokens: `type` as text, Coding or CodeableConcept.
fn types(given: &Parameters) -> Vec<String> {
    let token = |coding: &Json| {
        let code = coding.get_str("code")?;
        Some(coding.get_str("system").map_or_else(|| code.to_owned(), |system| format!("{system}|{code}")))
    };
    let concepts = given.values("type").flat_map(|value| match value.get("coding") {
        Some(codings) => codings.items().iter().filter_map(token).collect::<Vec<_>>(),
        None => token(value).into_iter().collect(),
    });
    given.all("type").map(str::to_owned).chain(concepts).collect()
}

/// What is made when it is fetched: the summary, where its type is asked for or none is.
fn on_demand(face: &FhirEndpoint, patient: &ResourceKey, types: &[String]) -> Response {
    let wanted = types.is_empty() || types.iter().any(|token| token.rsplit('|').next() == Some(SUMMARY));
    let mut bundle = BundleWriter::new("searchset", Some(u64::from(wanted)), &[], 512);
    if wanted {
        let coding = object([
            ("system", "http://loinc.org".into()),
            ("code", SUMMARY.into()),
            ("display", "Patient summary Document".into()),
        ]);
        let attachment = object([
            ("contentType", "application/fhir+json".into()),
            ("url", format!("{}/{patient}/$summary", face.base()).into()),
        ]);
        let reference = object([
            ("resourceType", "DocumentReference".into()),
            ("status", "current".into()),
            ("type", object([("coding", array([coding]))])),
            ("subject", object([("reference", patient.to_string().into())])),
            ("content", array([object([("attachment", attachment)])])),
        ]);
        bundle.entry(None, Some(&reference.to_bytes()), b"\"search\":{\"mode\":\"match\"}");
    }
    Response::builder().content_type(FHIR_JSON).body(bundle.finish())
}
