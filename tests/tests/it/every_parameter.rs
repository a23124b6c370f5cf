//! HL7's examples are found again by every search parameter that has a value in them, and not by a value that nobody has
//! (R4 <https://hl7.org/fhir/R4/searchparameter-registry.html>).

use std::collections::{BTreeMap, BTreeSet};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use seva_fhir::access::is_audit_parameter;
use seva_fhir::index::{IndexValue, extract};
use seva_fhir::interactions::served_types;
use seva_fhir::json::{Json, Limits, parse};
use seva_fhir::parameters::Parameters;
use seva_fhir::structure;
use seva_fhir::types::{Instant, ResourceType};
use seva_fhir_profiles::definitions;
use seva_server::demo::TENANT;
use seva_tests::client::Client;
use seva_tests::server::{NewAccount, TestServer};

/// Larger examples are definitions of hundreds of elements; they add time and no parameter.
const LARGEST: u64 = 300_000;

/// A parameter of a type, and what it finds.
struct Asked {
    code: &'static str,
    value: String,
    kind: ResourceType,
    id: String,
}

#[tokio::test]
async fn examples_are_found_by_every_parameter_that_they_have_a_value_for() {
    let server = TestServer::start().await.unwrap();
    let ehr = NewAccount { tenant: TENANT, username: "ehr", role: "system", practitioner: None, patient: None };
    let system = server.account(ehr).await.unwrap();
    let (resources, asked) = chosen();
    store(&system, resources).await;
    let mut missed = Vec::new();
    for Asked { code, value, kind, id } in &asked {
        let encoded = utf8_percent_encode(value, NON_ALPHANUMERIC);
        let (name, encoded) = match value.strip_prefix("identifier:") {
            Some(identifier) => (format!("{code}:identifier"), utf8_percent_encode(identifier, NON_ALPHANUMERIC)),
            None => ((*code).to_owned(), encoded),
        };
        let found = system.get(&format!("/fhir/{kind}?{name}={encoded}&_id={id}")).await.unwrap();
        if found.status != 200 || found.matches() != [id.as_str()] {
            missed.push(format!("{kind}/{id}?{name}={value}: {} {}", found.status, found.issues()));
        }
        if let Some(absent) = absent(kind, code, value) {
            let found = system.get(&format!("/fhir/{kind}?{code}={absent}&_id={id}")).await.unwrap();
            if found.status != 200 || !found.matches().is_empty() {
                missed.push(format!("{kind}/{id}?{code}={absent} was found: {} {}", found.status, found.issues()));
            }
        }
    }
    assert!(missed.is_empty(), "{} of {}:\n{}", missed.len(), asked.len(), missed.join("\n"));
    assert!(asked.len() > 1000, "{}", asked.len());
    server.stop().await.unwrap();
}

/// A value that no example has.
fn absent(kind: &ResourceType, code: &str, value: &str) -> Option<&'static str> {
    let parameter = definitions().search_parameter(kind.as_str(), code)?;
    match parameter.kind.as_str() {
        "string" => Some("zzzz-nobody"),
        // Of what is true or false another code is refused.
        "token" if matches!(value, "true" | "false") => Some("urn%3Anobody%7Ctrue"),
        "token" if code != "_id" => Some("urn%3Anobody%7Cnothing"),
        "reference" => Some("Basic%2Fnobody"),
        "uri" => Some("urn%3Anobody"),
        "date" => Some("1066"),
        "number" => Some("-987654321"),
        _ => None,
    }
}

/// For each parameter of each type the first example that has a value for it.
fn chosen() -> (Vec<Json>, Vec<Asked>) {
    let folder = seva_tests::project().join("tests/node_modules/hl7.fhir.r4.examples");
    let served: BTreeMap<&str, ResourceType> = served_types().map(|kind| (kind.as_str(), kind)).collect();
    let mut names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap()).collect();
    names.sort_by_key(|file| (file.metadata().unwrap().len(), file.file_name()));
    let (mut seen, mut resources, mut asked) = (BTreeSet::new(), Vec::new(), Vec::new());
    for file in names.iter().filter(|file| file.metadata().unwrap().len() < LARGEST) {
        let name = file.file_name().into_string().unwrap();
        let Some(kind) = name.split('-').next().and_then(|name| served.get(name)) else { continue };
        let resource = parse(&std::fs::read(file.path()).unwrap(), &Limits::default()).unwrap();
        let id = resource.get_str("id").unwrap_or_default().to_owned();
        if id.parse::<seva_fhir::types::ResourceId>().is_err()
            || structure::check(&resource).iter().any(|issue| issue.is_error())
        {
            continue;
        }
        let mut used = false;
        for entry in extract(&resource, *kind, &Parameters::of_pack(1)) {
            // What a resource contains is no parameter.
            let Some(parameter) = definitions().search_parameter_by_id(entry.parameter) else { continue };
            // The audit log is searched by some parameters only (decision 0004).
            let is_offered = kind.as_str() != "AuditEvent" || is_audit_parameter(parameter.code);
            if !is_offered || seen.contains(&(kind.as_str(), parameter.code)) {
                continue;
            }
            if let Some(value) = written(&entry.value) {
                seen.insert((kind.as_str(), parameter.code));
                asked.push(Asked { code: parameter.code, value, kind: *kind, id: id.clone() });
                used = true;
            }
        }
        if used {
            resources.push(resource);
        }
    }
    (resources, asked)
}

/// A condition that a range fulfils; one side may be open, and an approximation of zero is zero.
fn near(low: f64, high: f64) -> String {
    match (low.is_finite(), high.is_finite()) {
        (true, true) if f64::midpoint(low, high) == 0.0 => "lt0.5".to_owned(),
        (true, true) => format!("ap{}", f64::midpoint(low, high)),
        (false, _) => format!("le{high}"),
        (true, false) => format!("ge{low}"),
    }
}

/// The value as a search writes it.
fn written(value: &IndexValue) -> Option<String> {
    let escaped = |text: &str| {
        ['\\', ',', '$', '|'].iter().fold(text.to_owned(), |text, sign| text.replace(*sign, &format!("\\{sign}")))
    };
    let moment = |micros: i64| Instant::from_micros(micros).to_string();
    match value {
        IndexValue::Token { system: Some(system), code: Some(code), .. } => {
            Some(format!("{}|{}", escaped(system), escaped(code)))
        }
        IndexValue::Token { system: None, code: Some(code), .. } => Some(escaped(code)),
        IndexValue::Token { .. } => None,
        IndexValue::String(text) => Some(escaped(text)),
        IndexValue::Reference(reference) => match (&reference.key, &reference.url, &reference.identifier) {
            (Some(key), _, _) => Some(key.to_string()),
            // One example names another resource by its id alone, which no canonical does.
            (None, Some(url), _) => url.contains(':').then(|| escaped(url)),
            (None, None, Some((system, value))) => {
                let system = system.as_deref().map(|system| format!("{}|", escaped(system))).unwrap_or_default();
                Some(format!("identifier:{system}{}", escaped(value)))
            }
            (None, None, None) => None,
        },
        IndexValue::Date { low, .. } if *low != i64::MIN => Some(format!("ge{}", moment(*low))),
        IndexValue::Date { high, .. } => Some(format!("le{}", moment(*high))),
        IndexValue::Number { low, high } => Some(near(*low, *high)),
        IndexValue::Quantity { low, high, system, code, unit } => {
            let unit = match (system, code, unit) {
                (Some(system), Some(code), _) => format!("|{}|{}", escaped(system), escaped(code)),
                (_, Some(code), _) => format!("||{}", escaped(code)),
                (_, None, Some(unit)) => format!("||{}", escaped(unit)),
                _ => String::new(),
            };
            Some(format!("{}{unit}", near(*low, *high)))
        }
        IndexValue::Uri(uri) => Some(escaped(uri)),
        IndexValue::Position { latitude, longitude } => Some(format!("{latitude}|{longitude}|1|km")),
        IndexValue::Composite(parts) => {
            let parts: Option<Vec<String>> = parts.iter().map(|values| values.first().and_then(written)).collect();
            Some(parts?.join("$"))
        }
    }
}

/// Writes under the examples' own ids, many to a batch.
async fn store(system: &Client, resources: Vec<Json>) {
    for chunk in resources.chunks(50) {
        let entry: Vec<Value> = chunk
            .iter()
            .map(|resource| {
                let resource: Value = serde_json::from_slice(&resource.to_bytes()).unwrap();
                let url =
                    format!("{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
                json!({"resource": resource, "request": {"method": "PUT", "url": url}})
            })
            .collect();
        let answer =
            system.post("/fhir", &json!({"resourceType": "Bundle", "type": "batch", "entry": entry})).await.unwrap();
        for (entry, done) in entry.iter().zip(answer.json["entry"].as_array().unwrap()) {
            let status = done["response"]["status"].as_str().unwrap_or_default();
            assert!(status.starts_with("20"), "{}: {done}", entry["request"]["url"]);
        }
    }
}
