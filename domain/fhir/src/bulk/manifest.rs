//! What an import by address asks for: a JSON manifest or a Parameters resource of the same names
//! (<https://github.com/smart-on-fhir/bulk-import/blob/master/import-manifest.md>).

use super::LINES;
use crate::interactions::is_served;
use crate::json::{Json, array, object};
use crate::outcome::{Issue, IssueCode};
use crate::service::FhirError;
use crate::types::ResourceType;

/// So many files are fetched by one import.
const MOST_INPUTS: usize = 1_000;
/// The names of lines of JSON.
const FORMATS: &[&str] = &[LINES, "application/ndjson", "application/x-ndjson", "ndjson"];

/// A file that is to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportInput {
    /// The type of its resources.
    pub resource_type: ResourceType,
    /// Where it is.
    pub url: String,
}

impl ImportInput {
    /// Reads a manifest or a Parameters resource; every fault is named.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read_all(asked: &Json) -> Result<Vec<Self>, FhirError> {
        let (format, inputs) = match asked.get_str("resourceType") {
            Some("Parameters") => of_parameters(asked),
            Some(other) => return Err(invalid(&format!("{other} is no manifest: send Parameters"), "resourceType")),
            None => of_manifest(asked),
        };
        let mut issues = Vec::new();
        match format {
            None => issues.push(issue("the format of the files is missing", "inputFormat")),
            Some(name) if !FORMATS.contains(&name) => {
                issues.push(issue(&format!("{name:?} is not read here: use {LINES}"), "inputFormat"));
            }
            Some(_) => {}
        }
        if inputs.is_empty() || inputs.len() > MOST_INPUTS {
            issues.push(issue(&format!("an import has between 1 and {MOST_INPUTS} files"), "input"));
        }
        let mut read = Vec::with_capacity(inputs.len().min(MOST_INPUTS));
        for (place, (kind, url)) in inputs.into_iter().enumerate().take(MOST_INPUTS) {
            let known = kind.parse::<ResourceType>().ok().filter(|kind| is_served(*kind));
            match known {
                Some(resource_type) if !url.is_empty() => read.push(Self { resource_type, url: url.to_owned() }),
                Some(_) => issues.push(issue("the address of the file is missing", &format!("input[{place}].url"))),
                None => issues.push(issue(
                    &format!("{kind:?} is not a type of resource that is stored"),
                    &format!("input[{place}].type"),
                )),
            }
        }
        if issues.is_empty() { Ok(read) } else { Err(FhirError::Invalid(issues)) }
    }

    /// As the request of a job holds them.
    #[must_use]
    pub fn to_json(inputs: &[Self]) -> Json {
        array(
            inputs.iter().map(|input| {
                object([("type", input.resource_type.as_str().into()), ("url", input.url.as_str().into())])
            }),
        )
    }

    /// Reads what [`to_json`](Self::to_json) wrote.
    pub(super) fn of_job(request: &Json) -> Vec<Self> {
        let inputs = request.get("inputs").map_or(&[][..], Json::items).iter();
        let input = |one: &Json| {
            Some(Self { resource_type: one.get_str("type")?.parse().ok()?, url: one.get_str("url")?.to_owned() })
        };
        inputs.filter_map(input).collect()
    }
}

/// A format, and types with addresses.
type Asked<'a> = (Option<&'a str>, Vec<(&'a str, &'a str)>);

fn of_manifest(asked: &Json) -> Asked<'_> {
    let inputs = asked.get("input").map_or(&[][..], Json::items).iter();
    let inputs = inputs.map(|one| (one.get_str("type").unwrap_or_default(), one.get_str("url").unwrap_or_default()));
    (asked.get_str("inputFormat"), inputs.collect())
}

fn of_parameters(asked: &Json) -> Asked<'_> {
    let list = asked.get("parameter").map_or(&[][..], Json::items);
    let format = named(list, "inputFormat").next().and_then(value);
    let inputs = named(list, "input").map(|input| {
        let parts = input.get("part").map_or(&[][..], Json::items);
        let part = |name| named(parts, name).next().and_then(value).unwrap_or_default();
        (part("type"), part("url"))
    });
    (format, inputs.collect())
}

fn named<'a>(list: &'a [Json], name: &'a str) -> impl Iterator<Item = &'a Json> {
    list.iter().filter(move |one| one.get_str("name") == Some(name))
}

fn value(parameter: &Json) -> Option<&str> {
    ["valueUri", "valueUrl", "valueCode", "valueString"].into_iter().find_map(|name| parameter.get_str(name))
}

fn issue(text: &str, place: &str) -> Issue {
    Issue::error(IssueCode::Invalid, text).at(place)
}

fn invalid(text: &str, place: &str) -> FhirError {
    FhirError::Invalid(vec![issue(text, place)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::{Limits, parse};

    fn read(text: &str) -> Result<Vec<ImportInput>, String> {
        let asked = parse(text.as_bytes(), &Limits::default()).expect("JSON");
        ImportInput::read_all(&asked).map_err(|error| match error {
            FhirError::Invalid(issues) => issues.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
            other => other.to_string(),
        })
    }

    #[test]
    fn manifest_and_parameters_say_the_same() {
        let manifest = r#"{"inputFormat":"application/fhir+ndjson","inputSource":"https://a.example",
            "storageDetail":{"type":"https"},"input":[{"type":"Patient","url":"https://a.example/1"}]}"#;
        let parameters = r#"{"resourceType":"Parameters","parameter":[{"name":"inputFormat","valueCode":"application/fhir+ndjson"},
            {"name":"input","part":[{"name":"type","valueCode":"Patient"},{"name":"url","valueUri":"https://a.example/1"}]}]}"#;
        let found = read(manifest).expect("a manifest");
        assert_eq!(read(parameters).as_ref(), Ok(&found));
        assert_eq!(found.first().map(|input| input.url.as_str()), Some("https://a.example/1"));
        let job = object([("inputs", ImportInput::to_json(&found))]);
        assert_eq!(ImportInput::of_job(&job), found);
    }

    #[test]
    fn every_fault_of_a_manifest_is_named() {
        let told = read(r#"{"inputFormat":"text/csv","input":[{"type":"Fish","url":"x"},{"type":"Patient"}]}"#);
        let told = told.expect_err("faults");
        assert!(told.contains("text/csv") && told.contains("Fish") && told.contains("address of the file"), "{told}");
        assert!(read("{}").expect_err("empty").contains("between 1 and"));
        assert!(read(r#"{"resourceType":"Patient"}"#).expect_err("no manifest").contains("Patient is no manifest"));
    }
}
