//! `Patient/$summary` (IPS <https://hl7.org/fhir/uv/ips/OperationDefinition/summary>) of an instance, or of whom an
//! identifier names.

use poem::Response;
use seva_fhir::types::{ResourceKey, ResourceType};

use super::super::{CallerRef, FhirEndpoint};
use super::{On, Parameters, answer};
use crate::failure::Failure;

pub(super) async fn run(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    on: &On,
    given: &Parameters,
) -> Result<Response, Failure> {
    let key = match on {
        On::Instance(key) => key.clone(),
        On::Type(_) | On::System | On::Version(..) => named(face, caller, given).await?,
    };
    Ok(answer(&face.service().patient_summary(caller, &key).await?))
}

async fn named(face: &FhirEndpoint, caller: CallerRef<'_>, given: &Parameters) -> Result<ResourceKey, Failure> {
    let missing = || Failure::BadRequest("$summary of the type needs identifier, as system|value".to_owned());
    let identifier = given.text("identifier").ok_or_else(missing)?;
    let pairs = vec![("identifier".to_owned(), identifier.to_owned())];
    let query = face.service().strict_search(caller, ResourceType::patient(), &pairs)?;
    let mut found = face.service().search(caller, query).await?.matches.into_iter();
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only.key),
        (None, _) => Err(Failure::NotFound("the identifier names no patient".to_owned())),
        (Some(_), Some(_)) => Err(Failure::Unprocessable("the identifier names more than one patient".to_owned())),
    }
}
