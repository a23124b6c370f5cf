//! The doctor behind an account: Practitioner with registration and qualification, PractitionerRole with specialty and
//! hospital (R4: <https://hl7.org/fhir/R4/practitioner.html>, <https://hl7.org/fhir/R4/practitionerrole.html>).

use anyhow::Context;
use seva_fhir::FhirService;
use seva_fhir::access::Caller;
use seva_fhir::clock::{IdSource, RandomIds};
use seva_fhir::json::{Json, JsonObject, Limits, array, object, parse};
use seva_fhir::service::FhirError;
use seva_fhir::types::{ResourceId, ResourceKey, TenantId};
use seva_postgres::Database;

use crate::cli::PractitionerDetails;
use crate::offline;

const IDENTIFIER_TYPE: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
/// HL7's code for a medical licence number.
const LICENCE: &str = "MD";

pub(super) struct Wanted<'a> {
    pub(super) tenant: TenantId,
    pub(super) name: &'a str,
    pub(super) details: &'a PractitionerDetails,
}

/// Writes what is said about the doctor, in one transaction; nothing where nothing is said.
pub(super) async fn write(
    database: &Database,
    known: Option<ResourceId>,
    wanted: Wanted<'_>,
) -> anyhow::Result<Option<ResourceId>> {
    let details = wanted.details;
    let about_person = details.registration.is_some() || details.qualification.is_some();
    let about_role = details.specialty.is_some() || details.organization.is_some();
    if !about_person && !about_role {
        return Ok(known);
    }
    let id = match known {
        Some(id) => id,
        None => RandomIds.new_uuid().to_string().parse()?,
    };
    let caller = offline::program(wanted.tenant, "seva account");
    offline::with_service(database, async |service| {
        let person = stored(service, &caller, &format!("Practitioner/{id}")).await?;
        let mut entries = vec![put(practitioner(person, &id, &wanted))];
        if about_role {
            let role = stored(service, &caller, &format!("PractitionerRole/{id}")).await?;
            entries.push(put(practitioner_role(role, &id, details)));
        }
        let bundle =
            object([("resourceType", "Bundle".into()), ("type", "transaction".into()), ("entry", entries.into())]);
        service.transaction(&caller, bundle).await.map(drop).context("the Practitioner can't be written")
    })
    .await?;
    Ok(Some(id))
}

async fn stored(service: &FhirService, caller: &Caller, key: &str) -> anyhow::Result<JsonObject> {
    let key: ResourceKey = key.parse()?;
    let body = match service.read(caller, &key).await {
        Ok(found) => parse(&found.body, &Limits::default())?,
        Err(FhirError::NotFound(_) | FhirError::Gone { .. }) => Json::Null,
        Err(error) => return Err(error.into()),
    };
    let new = object([
        ("resourceType", key.resource_type().as_str().into()),
        ("id", key.id().as_str().into()),
        ("active", true.into()),
    ]);
    Ok(body.as_object().or(new.as_object()).cloned().unwrap_or_default())
}

fn practitioner(mut person: JsonObject, id: &ResourceId, wanted: &Wanted<'_>) -> (String, Json) {
    if !person.contains("name") {
        person.insert("name", array([object([("text", wanted.name.into())])]));
    }
    if let Some(number) = &wanted.details.registration {
        let kind = object([("system", IDENTIFIER_TYPE.into()), ("code", LICENCE.into())]);
        let mut licence: JsonObject =
            [("type", object([("coding", array([kind]))])), ("value", number.as_str().into())].into_iter().collect();
        if let Some(register) = &wanted.details.register {
            licence.insert("system", register.as_str());
        }
        // The first identifier is the one that prescriptions print.
        let mut identifiers = vec![Json::from(licence)];
        if let Some(Json::Array(others)) = person.remove("identifier") {
            identifiers.extend(others.into_iter().filter(|other| !is_licence(other)));
        }
        person.insert("identifier", identifiers);
    }
    if let Some(text) = &wanted.details.qualification {
        let code = object([("text", text.as_str().into())]);
        person.insert("qualification", array([object([("code", code)])]));
    }
    (format!("Practitioner/{id}"), person.into())
}

fn is_licence(identifier: &Json) -> bool {
    let codings = identifier.get("type").and_then(|kind| kind.get("coding")).map_or(&[][..], Json::items);
    codings
        .iter()
        .any(|coding| coding.get_str("system") == Some(IDENTIFIER_TYPE) && coding.get_str("code") == Some(LICENCE))
}

fn practitioner_role(mut role: JsonObject, id: &ResourceId, details: &PractitionerDetails) -> (String, Json) {
    role.insert("practitioner", object([("reference", format!("Practitioner/{id}").into())]));
    if let Some(text) = &details.specialty {
        role.insert("specialty", array([object([("text", text.as_str().into())])]));
    }
    if let Some(organization) = &details.organization {
        role.insert("organization", object([("reference", format!("Organization/{organization}").into())]));
    }
    (format!("PractitionerRole/{id}"), role.into())
}

fn put((place, resource): (String, Json)) -> Json {
    let request = object([("method", "PUT".into()), ("url", place.into())]);
    object([("resource", resource), ("request", request)])
}
