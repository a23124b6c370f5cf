//! Every answer that a test gets is held against the contract (OpenAPI 3.0.3, <https://spec.openapis.org/oas/v3.0.3>):
//! the operation of its method and path, its status, its media type, and its body by its schema.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};

use anyhow::{Context, bail, ensure};
use flate2::read::GzDecoder;
use jsonschema::Validator;
use serde_json::{Value, json};

use crate::client::Answer;

/// What is served and is no operation of the contract: the contract itself with its reader, and the pages.
fn is_outside(path: &str) -> bool {
    let described = ["/fhir", "/v1", "/health", "/.well-known"];
    !described.iter().any(|root| path == *root || path.strip_prefix(root).is_some_and(|rest| rest.starts_with('/')))
}

/// What the router answers where the contract has no operation: no such address, no such method.
const ROUTER: &[u16] = &[404, 405];

/// The contract in the words of JSON Schema 2020-12: what is `nullable` there may be null here.
static CONTRACT: LazyLock<Value> = LazyLock::new(|| translated(seva_openapi::contract()));

/// Validators by the JSON pointer of their schema.
static VALIDATORS: LazyLock<Mutex<HashMap<String, Arc<Validator>>>> = LazyLock::new(Mutex::default);

/// Fails, with the JSON pointer of what is wrong, when an answer is not one that the contract promises.
pub fn check(method: &str, target: &str, answer: &Answer) -> anyhow::Result<()> {
    let path = target.split(['?', '#']).next().unwrap_or_default().replace("%24", "$");
    let path = if path.len() > 1 { path.trim_end_matches('/') } else { &path };
    if is_outside(path) {
        return Ok(());
    }
    let place = || format!("{method} {path}, answered {} {}", answer.status, answer.header("content-type"));
    let Some(operation) = operation(method, path).filter(|_| answer.status != 405) else {
        ensure!(ROUTER.contains(&answer.status), "{}: the contract has no such operation", place());
        let schema = if path.starts_with("/fhir") { "OperationOutcome" } else { "Problem" };
        return if is_json(kind_of(answer)) {
            fits(&format!("/components/schemas/{schema}"), &answer.json).with_context(place)
        } else {
            Ok(())
        };
    };
    let listed = |status: &str| resolved(&format!("{operation}/responses/{status}"));
    let response = listed(&answer.status.to_string()).or_else(|| listed("default"));
    let response = response.with_context(|| format!("{}: {operation} lists {}", place(), statuses(&operation)))?;
    body(&response, (method, path), answer).with_context(place)
}

fn statuses(operation: &str) -> String {
    let responses = CONTRACT.pointer(&format!("{operation}/responses")).and_then(Value::as_object);
    responses.map(|all| all.keys().cloned().collect::<Vec<_>>().join(", ")).unwrap_or_default()
}

fn kind_of(answer: &Answer) -> &str {
    answer.header("content-type").split(';').next().unwrap_or_default().trim()
}

/// One JSON document; not lines of them.
fn is_json(kind: &str) -> bool {
    kind == "application/json" || kind.ends_with("+json")
}

fn body(response: &str, (method, path): (&str, &str), answer: &Answer) -> anyhow::Result<()> {
    let content = CONTRACT.pointer(&format!("{response}/content")).and_then(Value::as_object);
    // FHIR's `Prefer: return=minimal` leaves the body of a write away, and HEAD always.
    if answer.bytes.is_empty() {
        let optional = content.is_none() || method == "HEAD" || (method != "GET" && path.starts_with("/fhir"));
        let empty = content.is_some_and(|content| content.contains_key("*/*"));
        ensure!(optional || empty, "{response} promises a body and there is none");
        return Ok(());
    }
    let content = content.with_context(|| format!("{response} promises no body and there is one"))?;
    let kind = kind_of(answer);
    let named = if content.contains_key(kind) { kind } else { "*/*" };
    ensure!(content.contains_key(named), "{response} lists the media types {:?}", content.keys().collect::<Vec<_>>());
    if named == "*/*" || !is_json(kind) {
        return Ok(());
    }
    let json = unpacked(answer)?;
    fits(&format!("{response}/content/{}/schema", escaped(named)), &json)?;
    if kind == "application/fhir+json" {
        of_its_type(&json)?;
    }
    Ok(())
}

/// Fails when a text frame of a dictation's socket is none of the events that the contract knows.
pub fn check_event(event: &Value) -> anyhow::Result<()> {
    let kind = event.get("type").and_then(Value::as_str).context("an event without a type")?;
    let events = CONTRACT.pointer("/components/schemas/SocketEvent/oneOf").and_then(Value::as_array);
    let mut names = events.into_iter().flatten().filter_map(|event| event.get("$ref")?.as_str()?.strip_prefix('#'));
    let word = |name: &str| name.rsplit('/').next().unwrap_or_default().trim_end_matches("Event").to_lowercase();
    let schema = names.find(|name| word(name) == kind.replace('-', ""));
    fits(schema.with_context(|| format!("the contract has no event {kind:?}"))?, event)
}

fn unpacked(answer: &Answer) -> anyhow::Result<Cow<'_, Value>> {
    if answer.header("content-encoding") == "gzip" {
        return Ok(Cow::Owned(serde_json::from_reader(GzDecoder::new(answer.bytes.as_slice()))?));
    }
    Ok(Cow::Borrowed(&answer.json))
}

/// A resource, and each resource of a Bundle, fits the schema of its type where the contract has one.
fn of_its_type(resource: &Value) -> anyhow::Result<()> {
    let kind = resource.get("resourceType").and_then(Value::as_str).context("no resourceType")?;
    let schema = format!("/components/schemas/{kind}");
    // Other schemas may bear the name of a type: Evidence is a part of a prescription too.
    if CONTRACT.pointer(&format!("{schema}/properties/resourceType")).is_some() {
        fits(&schema, resource)?;
    }
    for (place, entry) in resource.get("entry").and_then(Value::as_array).into_iter().flatten().enumerate() {
        if let Some(inner) = entry.get("resource") {
            of_its_type(inner).with_context(|| format!("/entry/{place}/resource"))?;
        }
    }
    Ok(())
}

/// The JSON pointer of the operation, by OpenAPI's rule that concrete paths go before templated ones.
fn operation(method: &str, path: &str) -> Option<String> {
    let method = if method == "HEAD" { "get".to_owned() } else { method.to_lowercase() };
    let paths = CONTRACT.get("paths")?.as_object()?;
    let fitting = paths.iter().filter(|(template, item)| item.get(&method).is_some() && covers(template, path));
    let (template, _) = fitting.min_by_key(|(template, _)| template.matches('{').count())?;
    Some(format!("/paths/{}/{method}", escaped(template)))
}

fn covers(template: &str, path: &str) -> bool {
    let (wanted, given): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    // `_history`, `_search` and `$operations` are FHIR's: no id begins like this.
    let same = |(wanted, given): (&&str, &&str)| {
        wanted == given || (wanted.starts_with('{') && !given.starts_with(['_', '$']))
    };
    wanted.len() == given.len() && wanted.iter().zip(&given).all(same)
}

/// Follows a reference at a JSON pointer; nothing where the contract has nothing.
fn resolved(pointer: &str) -> Option<String> {
    match CONTRACT.pointer(pointer)?.get("$ref").and_then(Value::as_str) {
        Some(target) => resolved(target.trim_start_matches('#')),
        None => Some(pointer.to_owned()),
    }
}

fn fits(schema: &str, body: &Value) -> anyhow::Result<()> {
    let validator = validator(schema)?;
    let wrong: Vec<String> = validator
        .iter_errors(body)
        .map(|error| format!("at {:?}: {error}", error.instance_path().to_string()))
        .collect();
    if !wrong.is_empty() {
        bail!("the body does not hold against {schema}: {}", wrong.join("; "));
    }
    Ok(())
}

fn validator(schema: &str) -> anyhow::Result<Arc<Validator>> {
    let mut known = VALIDATORS.lock().map_err(|_| anyhow::anyhow!("another check ended halfway"))?;
    if let Some(validator) = known.get(schema) {
        return Ok(Arc::clone(validator));
    }
    let root = json!({
        "$ref": format!("#{}", schema.replace('{', "%7B").replace('}', "%7D")),
        "paths": CONTRACT.get("paths"),
        "components": CONTRACT.get("components"),
    });
    let made = jsonschema::options().should_validate_formats(true).build(&root);
    let validator = Arc::new(made.map_err(|error| anyhow::anyhow!("{schema} is no schema: {error}"))?);
    known.insert(schema.to_owned(), Arc::clone(&validator));
    Ok(validator)
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn translated(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut plain: serde_json::Map<String, Value> =
                members.iter().map(|(name, member)| (name.clone(), translated(member))).collect();
            match plain.remove("nullable") {
                Some(Value::Bool(true)) => json!({ "anyOf": [{ "type": "null" }, plain] }),
                _ => Value::Object(plain),
            }
        }
        Value::Array(items) => Value::Array(items.iter().map(translated).collect()),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
