//! `ConceptMap/$translate` and `$closure` (R4 <https://hl7.org/fhir/R4/conceptmap-operation-translate.html>,
//! <https://hl7.org/fhir/R4/conceptmap-operation-closure.html>).

use poem::Response;
use seva_fhir::json::{Json, JsonObject, object};
use seva_fhir::service::{ClosureAsked, Named, TranslationAsked};
use seva_fhir::terminology::{ClosureCode, Direction, ToTranslate, Translation};

use super::super::{CallerRef, FhirEndpoint};
use super::terminology::{codings, flag, part};
use super::{On, Parameters, answer};
use crate::failure::Failure;

pub(super) async fn run(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    on: &On,
    given: &Parameters,
) -> Result<Response, Failure> {
    let url = given.text("url").map(|url| match given.text("conceptMapVersion") {
        Some(version) if !url.contains('|') => format!("{url}|{version}"),
        _ => url.to_owned(),
    });
    let map = match (on, given.resource("conceptMap"), &url) {
        (On::Instance(key), _, _) => Some(Named::Key(key)),
        (_, Some(resource), _) => Some(Named::Given(resource)),
        (_, None, Some(url)) => Some(Named::Url(url)),
        (_, None, None) => None,
    };
    let direction = if flag(given, "reverse")? == Some(true) { Direction::Reverse } else { Direction::Forward };
    let (target_system, dependencies) = (given.text("targetsystem").map(str::to_owned), dependencies(given));
    let codes: Vec<ToTranslate> = codings(given, "version")
        .into_iter()
        .map(|one| ToTranslate {
            system: one.system,
            code: one.code,
            direction,
            target_system: target_system.clone(),
            dependencies: dependencies.clone(),
        })
        .collect();
    if codes.is_empty() {
        return Err(Failure::BadRequest("$translate needs code, coding or codeableConcept".to_owned()));
    }
    if map.is_none() && codes.iter().all(|one| one.system.is_none()) {
        return Err(Failure::BadRequest("$translate needs url or conceptMap, or the code's system".to_owned()));
    }
    let asked = TranslationAsked { map, codes, source: given.text("source"), target: given.text("target") };
    let mapping = face.service().translate(caller, &asked).await?;
    let mut list = vec![part("result", ("valueBoolean", mapping.result.into()))];
    list.extend(mapping.message.map(|text| part("message", ("valueString", text.into()))));
    list.extend(mapping.translations.iter().map(matched));
    Ok(answer(&object([("resourceType", "Parameters".into()), ("parameter", list.into())])))
}

/// The values of other elements that mappings depend on.
fn dependencies(given: &Parameters) -> Vec<(String, Option<String>, String)> {
    let mut found = Vec::new();
    let all = given.repeated();
    for dependency in all.iter().filter(|one| one.get_str("name") == Some("dependency")) {
        let parts = dependency.get("part").map_or(&[][..], Json::items);
        let named = |name: &str| parts.iter().find(|one| one.get_str("name") == Some(name));
        let Some(element) = named("element").and_then(|one| one.get_str("valueUri")) else { continue };
        let Some(concept) = named("concept") else { continue };
        let codings =
            concept.get("valueCodeableConcept").and_then(|own| own.get("coding")).map_or(&[][..], Json::items);
        for coding in codings {
            let system = coding.get_str("system").map(str::to_owned);
            let code = coding.get_str("code").unwrap_or_default().to_owned();
            found.push((element.to_owned(), system, code));
        }
        let text = concept.get("valueCodeableConcept").and_then(|own| own.get_str("text"));
        found.extend(
            text.or_else(|| concept.get_str("valueString")).map(|text| (element.to_owned(), None, text.to_owned())),
        );
    }
    found
}

fn matched(one: &Translation) -> Json {
    let mut parts = vec![part("equivalence", ("valueCode", one.equivalence.as_str().into()))];
    if let Some(concept) = &one.concept {
        let mut coding = JsonObject::new();
        coding.insert("system", concept.system.as_str());
        if let Some(version) = &one.version {
            coding.insert("version", version.as_str());
        }
        coding.insert("code", concept.code.as_str());
        if let Some(display) = &concept.display {
            coding.insert("display", display.as_str());
        }
        parts.push(part("concept", ("valueCoding", coding.into())));
    }
    for (element, coding) in &one.products {
        let own = vec![
            part("element", ("valueUri", element.as_str().into())),
            part("concept", ("valueCoding", coding.clone())),
        ];
        parts.push(object([("name", "product".into()), ("part", own.into())]));
    }
    parts.extend(one.map.as_deref().map(|url| part("source", ("valueUri", url.into()))));
    object([("name", "match".into()), ("part", parts.into())])
}

pub(super) async fn closure(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    given: &Parameters,
) -> Result<Response, Failure> {
    let name = given.text("name").ok_or_else(|| Failure::BadRequest("$closure needs the table's name".to_owned()))?;
    let code = |coding: &Json| {
        let member = |name: &str| coding.get_str(name).map(str::to_owned);
        let wrong = || Failure::BadRequest("$closure: a concept needs system and code".to_owned());
        Ok(ClosureCode { system: member("system").ok_or_else(wrong)?, code: member("code").ok_or_else(wrong)? })
    };
    let codes = given.values("concept").map(code).collect::<Result<Vec<ClosureCode>, Failure>>()?;
    let asked = ClosureAsked { name, codes, version: given.text("version") };
    Ok(answer(&face.service().closure(caller, &asked).await?))
}
