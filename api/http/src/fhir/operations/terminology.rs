//! `$validate-code`, `$lookup`, `$subsumes`, `$translate` (R4 <https://hl7.org/fhir/R4/terminology-service.html>).

use poem::Response;
use seva_fhir::json::{Json, array, object};
use seva_fhir::service::Named;
use seva_fhir::terminology::{CodeSystem, Concept, Direction, translate};

use super::super::{CallerRef, FhirEndpoint};
use super::expand::parameters;
use super::{On, Parameters, answer};
use crate::failure::Failure;

/// What the operation is about: the instance, a resource in the request, or a URL.
pub(super) fn named<'a>(
    on: &'a On,
    given: &'a Parameters,
    (url, resource): (&str, &str),
) -> Result<Named<'a>, Failure> {
    match (on, given.resource(resource), given.text(url)) {
        (On::Instance(key), _, _) => Ok(Named::Key(key)),
        (_, Some(resource), _) => Ok(Named::Given(resource)),
        (_, None, Some(url)) => Ok(Named::Url(url)),
        (_, None, None) => Err(Failure::BadRequest(format!("the operation needs {url} or {resource}"))),
    }
}

/// A code as requests name it: `code` with `system`, a `coding`, or a `codeableConcept` with several.
fn codings(given: &Parameters) -> Vec<(Option<String>, String, Option<String>)> {
    let of = |coding: &Json| {
        let member = |name: &str| coding.get_str(name).map(str::to_owned);
        Some((member("system"), member("code")?, member("display")))
    };
    if let Some(code) = given.text("code") {
        let owned = |name: &str| given.text(name).map(str::to_owned);
        return vec![(owned("system"), code.to_owned(), owned("display"))];
    }
    if let Some(coding) = given.value("coding") {
        return of(coding).into_iter().collect();
    }
    let concept = given.value("codeableConcept");
    concept.and_then(|concept| concept.get("coding")).map_or(&[][..], Json::items).iter().filter_map(of).collect()
}

pub(super) async fn validate_code(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    on: &On,
    given: &Parameters,
) -> Result<Response, Failure> {
    let codes = codings(given);
    if codes.is_empty() {
        return Err(Failure::BadRequest("$validate-code needs code, coding or codeableConcept".to_owned()));
    }
    let of_value_set = match on {
        On::Type(kind) => kind.as_str() == "ValueSet",
        On::Instance(key) => key.resource_type().as_str() == "ValueSet",
        On::System => false,
    };
    let found = if of_value_set {
        let named = named(on, given, ("url", "valueSet"))?;
        let (_, expansion) = face.service().expand_value_set(caller, &named).await?;
        codes.iter().find_map(|(system, code, display)| {
            Some((expansion.find(system.as_deref(), code)?.clone(), display.clone()))
        })
    } else {
        let system = code_system(face, caller, on, given).await?;
        let system = CodeSystem::of(&system);
        codes.iter().find_map(|(_, code, display)| Some((system.concept(system.find(code)?), display.clone())))
    };
    Ok(answer(&verdict(found, &codes)))
}

/// Whether the code is valid; a display that is not the code's own makes it invalid, and is named.
fn verdict(found: Option<(Concept, Option<String>)>, codes: &[(Option<String>, String, Option<String>)]) -> Json {
    let Some((concept, display)) = found else {
        let named = |(system, code, _): &(Option<String>, String, Option<String>)| match system {
            Some(system) => format!("{system}|{code}"),
            None => code.clone(),
        };
        let names: Vec<String> = codes.iter().map(named).collect();
        let message = format!("{} is not among the codes", names.join(", "));
        return parameters(vec![
            ("result", ("valueBoolean", false.into())),
            ("message", ("valueString", message.into())),
        ]);
    };
    let wrong = match (&display, &concept.display) {
        (Some(given), Some(own)) => !given.eq_ignore_ascii_case(own),
        _ => false,
    };
    let mut values = vec![("result", ("valueBoolean", (!wrong).into()))];
    if wrong {
        let text = format!("the display of {} is {:?}", concept.code, concept.display.clone().unwrap_or_default());
        values.push(("message", ("valueString", text.into())));
    }
    if let Some(display) = concept.display {
        values.push(("display", ("valueString", display.into())));
    }
    values.push(("code", ("valueCode", concept.code.into())));
    values.push(("system", ("valueUri", concept.system.into())));
    parameters(values)
}

/// The code system that an operation is about.
async fn code_system(face: &FhirEndpoint, caller: CallerRef<'_>, on: &On, given: &Parameters) -> Result<Json, Failure> {
    let coding = given.value("coding").or_else(|| given.value("codingA"));
    let of_coding = coding.and_then(|coding| coding.get_str("system"));
    let url = given.text("url").or_else(|| given.text("system")).or(of_coding);
    let named = match (on, url) {
        (On::Instance(key), _) => Named::Key(key),
        (_, Some(url)) => Named::Url(url),
        (_, None) => return Err(Failure::BadRequest("the operation needs the code system's url or system".to_owned())),
    };
    let found = face.service().terminology(caller, "CodeSystem", &named).await?;
    found.ok_or_else(|| Failure::NotFound(format!("the code system {} is not on this server", url.unwrap_or_default())))
}

pub(super) async fn lookup(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    given: &Parameters,
) -> Result<Response, Failure> {
    let codes = codings(given);
    let (_, code, _) = codes.first().ok_or_else(|| Failure::BadRequest("$lookup needs code or coding".to_owned()))?;
    let on = On::System;
    let resource = code_system(face, caller, &on, given).await?;
    let system = CodeSystem::of(&resource);
    let concept = system.find(code).ok_or_else(|| Failure::NotFound(format!("{} has no code {code:?}", system.url)))?;
    let mut list = vec![object([("name", "name".into()), ("valueString", system.name.into())])];
    if let Some(version) = system.version {
        list.push(object([("name", "version".into()), ("valueString", version.into())]));
    }
    let display = concept.get_str("display").unwrap_or(code);
    list.push(object([("name", "display".into()), ("valueString", display.into())]));
    if let Some(definition) = concept.get_str("definition") {
        let parts = array([
            part("code", ("valueCode", "definition".into())),
            part("value", ("valueString", definition.into())),
        ]);
        list.push(object([("name", "property".into()), ("part", parts)]));
    }
    for designation in concept.get("designation").map_or(&[][..], Json::items) {
        let mut parts = Vec::new();
        for (name, kind) in [("language", "valueCode"), ("use", "valueCoding"), ("value", "valueString")] {
            parts.extend(designation.get(name).map(|value| part(name, (kind, value.clone()))));
        }
        list.push(object([("name", "designation".into()), ("part", parts.into())]));
    }
    for property in concept.get("property").map_or(&[][..], Json::items) {
        let code = property.get_str("code").unwrap_or_default();
        let mut parts = vec![part("code", ("valueCode", code.into()))];
        let members = property.as_object();
        parts.extend(
            members
                .and_then(|members| members.iter().find(|(name, _)| name.starts_with("value")))
                .map(|(kind, value)| part("value", (kind, value.clone()))),
        );
        list.push(object([("name", "property".into()), ("part", parts.into())]));
    }
    Ok(answer(&object([("resourceType", "Parameters".into()), ("parameter", list.into())])))
}

fn part(name: &str, (kind, value): (&str, Json)) -> Json {
    object([("name", name.into()), (kind, value)])
}

pub(super) async fn subsumes(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    on: &On,
    given: &Parameters,
) -> Result<Response, Failure> {
    let code = |name: &str, coding: &str| {
        let of_coding = given.value(coding).and_then(|coding| coding.get_str("code"));
        let found = given.text(name).or(of_coding);
        found.map(str::to_owned).ok_or_else(|| Failure::BadRequest(format!("$subsumes needs {name} or {coding}")))
    };
    let (one, other) = (code("codeA", "codingA")?, code("codeB", "codingB")?);
    let resource = code_system(face, caller, on, given).await?;
    let system = CodeSystem::of(&resource);
    let outcome = system
        .subsumption(&one, &other)
        .ok_or_else(|| Failure::NotFound(format!("{} does not have both codes, {one:?} and {other:?}", system.url)))?;
    Ok(answer(&parameters(vec![("outcome", ("valueCode", outcome.code().into()))])))
}

pub(super) async fn translated(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    on: &On,
    given: &Parameters,
) -> Result<Response, Failure> {
    let named = named(on, given, ("url", "conceptMap"))?;
    let map = face.service().terminology(caller, "ConceptMap", &named).await?;
    let map = map.ok_or_else(|| Failure::NotFound("the concept map is not on this server".to_owned()))?;
    let direction = if given.text("reverse") == Some("true") { Direction::Reverse } else { Direction::Forward };
    let target = given.text("targetsystem").or_else(|| given.text("target"));
    let mut matches = Vec::new();
    for (system, code, _) in codings(given) {
        matches.extend(translate(&map, (system.as_deref(), &code), direction));
    }
    matches.retain(|one| target.is_none_or(|wanted| wanted == one.concept.system));
    let exact = |equivalence: &str| !matches!(equivalence, "unmatched" | "disjoint");
    let result = matches.iter().any(|one| exact(&one.equivalence));
    let mut list = vec![object([("name", "result".into()), ("valueBoolean", result.into())])];
    for one in &matches {
        let mut coding = vec![("system", one.concept.system.as_str()), ("code", one.concept.code.as_str())];
        coding.extend(one.concept.display.as_deref().map(|display| ("display", display)));
        let coding: Json = coding.into_iter().collect::<seva_fhir::json::JsonObject>().into();
        let parts = array([
            part("equivalence", ("valueCode", one.equivalence.as_str().into())),
            part("concept", ("valueCoding", coding)),
        ]);
        list.push(object([("name", "match".into()), ("part", parts)]));
    }
    Ok(answer(&object([("resourceType", "Parameters".into()), ("parameter", list.into())])))
}
