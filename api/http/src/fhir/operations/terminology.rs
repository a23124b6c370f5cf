//! `$validate-code` and `$subsumes` (R4 <https://hl7.org/fhir/R4/terminology-service.html>), and how codes are named.

use poem::Response;
use seva_fhir::json::{Json, object};
use seva_fhir::outcome::{Issue, IssueCode};
use seva_fhir::service::{AskedCode, Named, ValidationAsked, ValidationPlace};

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

/// Definitions are used as they are now; R4 has an error where they are wanted as they were.
pub(super) fn as_it_is_now(face: &FhirEndpoint, given: &Parameters) -> Result<(), Failure> {
    if given.time("date")?.is_none_or(|(_, last)| last >= face.service().now().micros()) {
        return Ok(());
    }
    let text = "date: definitions are used as they are now, not as they were; leave it out";
    Err(Issue::error(IssueCode::NotSupported, text).into())
}

/// A parameter that is true or false.
pub(super) fn flag(given: &Parameters, name: &str) -> Result<Option<bool>, Failure> {
    match given.text(name) {
        None => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(other) => Err(Failure::BadRequest(format!("{name}: {other:?} is neither true nor false"))),
    }
}

/// A Coding as a code that is asked about.
pub(super) fn coding(json: &Json) -> Option<AskedCode> {
    let member = |name: &str| json.get_str(name).map(str::to_owned);
    Some(AskedCode {
        system: member("system"),
        version: member("version"),
        code: member("code")?,
        display: member("display"),
    })
}

/// A code as requests name it: `code` with `system`, a `coding`, or a `codeableConcept` with several.
pub(super) fn codings(given: &Parameters, version: &str) -> Vec<AskedCode> {
    if let Some(code) = given.text("code") {
        let owned = |name: &str| given.text(name).map(str::to_owned);
        let (system, version, display) = (owned("system"), owned(version), owned("display"));
        return vec![AskedCode { system, version, code: code.to_owned(), display }];
    }
    if let Some(one) = given.value("coding") {
        return coding(one).into_iter().collect();
    }
    let concept = given.value("codeableConcept");
    concept.and_then(|concept| concept.get("coding")).map_or(&[][..], Json::items).iter().filter_map(coding).collect()
}

pub(super) async fn validate_code(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    on: &On,
    given: &Parameters,
) -> Result<Response, Failure> {
    let of_value_set = match on {
        On::Type(kind) => kind.as_str() == "ValueSet",
        On::Instance(key) => key.resource_type().as_str() == "ValueSet",
        On::System | On::Version(..) => false,
    };
    let codes = codings(given, if of_value_set { "systemVersion" } else { "version" });
    let is_asked = ["coding", "codeableConcept"].iter().any(|name| given.value(name).is_some());
    if codes.is_empty() && !is_asked {
        return Err(Failure::BadRequest("$validate-code needs code, coding or codeableConcept".to_owned()));
    }
    let url = match (given.text("context"), given.text("url")) {
        (Some(context), None) if of_value_set && matches!(on, On::Type(_)) => {
            Some(face.service().value_set_of_context(caller, context).await?)
        }
        (_, url) => url.map(|url| match given.text("valueSetVersion") {
            Some(version) if of_value_set && !url.contains('|') => format!("{url}|{version}"),
            _ => url.to_owned(),
        }),
    };
    let place = if of_value_set {
        ValidationPlace::ValueSet(match (&url, on, given.resource("valueSet")) {
            (Some(url), On::Type(_), None) => Named::Url(url),
            _ => named(on, given, ("url", "valueSet"))?,
        })
    } else {
        ValidationPlace::CodeSystem(code_system(on, given)?, given.text("version"))
    };
    let asked = ValidationAsked {
        codes,
        place,
        allows_abstract: flag(given, "abstract")?,
        date: given.text("date"),
        language: given.text("displayLanguage"),
    };
    let verdict = face.service().validate_code(caller, &asked).await?;
    let mut values = vec![("result", ("valueBoolean", verdict.result.into()))];
    values.extend(verdict.message.map(|text| ("message", ("valueString", text.into()))));
    values.extend(verdict.display.map(|text| ("display", ("valueString", text.into()))));
    if let Some(concept) = verdict.concept {
        values.push(("code", ("valueCode", concept.code.into())));
        values.push(("system", ("valueUri", concept.system.into())));
    }
    values.extend(verdict.version.map(|text| ("version", ("valueString", text.into()))));
    Ok(answer(&parameters(values)))
}

/// The code system that an operation is about.
pub(super) fn code_system<'a>(on: &'a On, given: &'a Parameters) -> Result<Named<'a>, Failure> {
    if let On::Instance(key) = on {
        return Ok(Named::Key(key));
    }
    if let Some(resource) = given.resource("codeSystem") {
        return Ok(Named::Given(resource));
    }
    let of = |name| given.value(name).and_then(|coding| coding.get_str("system"));
    let of_concept = || {
        let codings = given.value("codeableConcept")?.get("coding")?.items();
        codings.iter().find_map(|coding| coding.get_str("system"))
    };
    let url = given.text("url").or_else(|| given.text("system")).or_else(|| of("coding")).or_else(|| of("codingA"));
    let url = url.or_else(of_concept);
    url.map(Named::Url)
        .ok_or_else(|| Failure::BadRequest("the operation needs the code system's url or system".to_owned()))
}

pub(super) async fn subsumes(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    on: &On,
    given: &Parameters,
) -> Result<Response, Failure> {
    let code = |name: &str, member: &str| {
        let of_coding = given.value(member).and_then(coding);
        let plain = given.text(name).map(|code| AskedCode { code: code.to_owned(), ..AskedCode::default() });
        plain.or(of_coding).ok_or_else(|| Failure::BadRequest(format!("$subsumes needs {name} or {member}")))
    };
    let (one, other) = (code("codeA", "codingA")?, code("codeB", "codingB")?);
    if let (Some(first), Some(second)) = (&one.system, &other.system)
        && first != second
    {
        let text = format!("codingA is of {first}, codingB of {second}: only codes of one system subsume each other");
        return Err(Failure::BadRequest(text));
    }
    let named = code_system(on, given)?;
    let version = given.text("version").or(one.version.as_deref());
    let outcome = face.service().subsumption(caller, (&named, version), (&one.code, &other.code)).await?;
    Ok(answer(&parameters(vec![("outcome", ("valueCode", outcome.code().into()))])))
}

/// A part of a parameter.
pub(super) fn part(name: &str, (kind, value): (&str, Json)) -> Json {
    object([("name", name.into()), (kind, value)])
}
