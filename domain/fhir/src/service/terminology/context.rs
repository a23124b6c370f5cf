//! The value set of an element, where a request names the element instead (`context` of
//! <https://hl7.org/fhir/R4/valueset-operation-expand.html>).

use seva_fhir_profiles::definitions;

use super::{FhirError, FhirService, Named, invalid, unknown};
use crate::access::Caller;
use crate::json::Json;

/// The base of R4's own definitions.
const OF_FHIR: &str = "http://hl7.org/fhir/StructureDefinition/";

impl FhirService {
    /// Finds the value set that an element is bound to: `[StructureDefinition URL]#[path or id of the element]`.
    pub async fn value_set_of_context(&self, caller: &Caller, context: &str) -> Result<String, FhirError> {
        let shape =
            || invalid(format!("context: {context:?} is not the URL of a StructureDefinition, # and an element"));
        let (url, element) = context.split_once('#').ok_or_else(shape)?;
        let stored = self.terminology(caller, "StructureDefinition", &Named::Url(url)).await?;
        let bound = match &stored {
            Some(definition) => binding_of(definition, element),
            None => of_pack(url, element),
        };
        match (bound, stored) {
            (Some(url), _) => Ok(url),
            (None, None) if !url.starts_with(OF_FHIR) => Err(unknown(url)),
            (None, _) => Err(invalid(format!("context: {element:?} of {url} is not bound to a value set here"))),
        }
    }
}

fn binding_of(definition: &Json, name: &str) -> Option<String> {
    ["snapshot", "differential"].into_iter().find_map(|part| {
        let elements = definition.get(part)?.get("element")?.items();
        let named = |one: &&Json| one.get_str("id") == Some(name) || one.get_str("path") == Some(name);
        elements.iter().filter(named).find_map(|one| Some(one.get("binding")?.get_str("valueSet")?.to_owned()))
    })
}

/// Of R4's own elements the required bindings are known.
fn of_pack(url: &str, name: &str) -> Option<String> {
    let own = definitions().type_named(url.strip_prefix(OF_FHIR)?)?;
    own.elements().iter().find(|one| one.path == name)?.binding.map(str::to_owned)
}
