//! `CodeSystem/$lookup` (R4 <https://hl7.org/fhir/R4/codesystem-operation-lookup.html>).

use poem::Response;
use seva_fhir::json::{Json, object};
use seva_fhir::service::Details;

use super::super::{CallerRef, FhirEndpoint};
use super::terminology::{as_it_is_now, code_system, codings, part};
use super::{On, Parameters, answer};
use crate::failure::Failure;

pub(super) async fn run(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    on: &On,
    given: &Parameters,
) -> Result<Response, Failure> {
    as_it_is_now(face, given)?;
    let codes = codings(given, "version");
    let asked = codes.first().ok_or_else(|| Failure::BadRequest("$lookup needs code or coding".to_owned()))?;
    let named = code_system(on, given)?;
    let version = given.text("version").or(asked.version.as_deref());
    let details = face.service().lookup(caller, (&named, version), &asked.code).await?;
    let shown = Shown { given, details: &details };
    let list = shown.list();
    Ok(answer(&object([("resourceType", "Parameters".into()), ("parameter", list.into())])))
}

struct Shown<'s> {
    given: &'s Parameters,
    details: &'s Details,
}

impl Shown<'_> {
    /// Without a choice of properties everything is told.
    fn wants(&self, property: &str) -> bool {
        let mut chosen = self.given.all("property").peekable();
        chosen.peek().is_none() || chosen.any(|one| one == property || one == "*")
    }

    fn list(&self) -> Vec<Json> {
        let Details { system, concept, children } = self.details;
        let language = self.given.text("displayLanguage");
        let mut list = vec![part("name", ("valueString", system.name().into()))];
        list.extend(system.version().map(|version| part("version", ("valueString", version.into()))));
        let display = concept.display_in(language).unwrap_or(&concept.code);
        list.push(part("display", ("valueString", display.into())));
        list.extend(concept.designations.iter().filter(|one| self.shows(one.language.as_deref())).map(|one| {
            let mut parts = Vec::new();
            parts.extend(one.language.as_deref().map(|own| part("language", ("valueCode", own.into()))));
            parts.extend(one.usage.as_ref().map(|own| part("use", ("valueCoding", own.clone()))));
            parts.push(part("value", ("valueString", one.value.as_str().into())));
            object([("name", "designation".into()), ("part", parts.into())])
        }));
        let mut push = |code: &str, value: (&str, Json)| {
            if self.wants(code) {
                let parts = vec![part("code", ("valueCode", code.into())), part("value", value)];
                list.push(object([("name", "property".into()), ("part", parts.into())]));
            }
        };
        if let Some(definition) = &concept.definition {
            push("definition", ("valueString", definition.as_str().into()));
        }
        if concept.inactive && !concept.properties.iter().any(|own| own.code == "inactive") {
            push("inactive", ("valueBoolean", true.into()));
        }
        for (code, relatives) in [("parent", &concept.parents), ("child", children)] {
            for relative in relatives {
                push(code, ("valueCode", relative.as_str().into()));
            }
        }
        for property in &concept.properties {
            push(&property.code, (&property.kind, property.value.clone()));
        }
        list
    }

    /// `designation` shows all, `lang.X` those of a language.
    fn shows(&self, language: Option<&str>) -> bool {
        self.wants("designation") || language.is_some_and(|own| self.wants(&format!("lang.{own}")))
    }
}
