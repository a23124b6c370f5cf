//! `ValueSet/$expand` (R4 <https://hl7.org/fhir/R4/valueset-operation-expand.html>), filtered, in pages or as a tree.

use poem::Response;
use seva_fhir::json::{Json, JsonObject, array, object};
use seva_fhir::service::Named;
use seva_fhir::terminology::{Concept, Designation, Detail, Nested, Page, Wanted, nest, words_of};

use super::super::{CallerRef, FhirEndpoint};
use super::terminology::{as_it_is_now, flag, named};
use super::{On, Parameters, answer};
use crate::failure::Failure;

/// As many codes come back at once when no count is given.
const DEFAULT_COUNT: usize = 1000;
/// The extension by which R4 says what R5 says in `ValueSet.expansion.contains.property`.
const PROPERTY: &str = "http://hl7.org/fhir/5.0/StructureDefinition/extension-ValueSet.expansion.contains.property";
/// What is asked for and repeated in the answer, as the member that holds it.
const REPEATED: &[(&str, &str)] = &[
    ("filter", "valueString"),
    ("activeOnly", "valueBoolean"),
    ("includeDesignations", "valueBoolean"),
    ("designation", "valueString"),
    ("includeDefinition", "valueBoolean"),
    ("excludeNested", "valueBoolean"),
    ("excludeNotForUI", "valueBoolean"),
    ("displayLanguage", "valueCode"),
    ("property", "valueString"),
    ("exclude-system", "valueUri"),
    ("system-version", "valueUri"),
    ("check-system-version", "valueUri"),
    ("force-system-version", "valueUri"),
    ("offset", "valueInteger"),
    ("count", "valueInteger"),
];

/// How much of each concept is shown.
struct Shown<'g> {
    designations: bool,
    /// Languages, or `system|code` of uses; all when there are none.
    wanted: Vec<&'g str>,
    properties: Vec<&'g str>,
    language: Option<&'g str>,
}

pub(super) async fn run(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    on: &On,
    given: &Parameters,
) -> Result<Response, Failure> {
    let shown = Shown {
        designations: flag(given, "includeDesignations")?.unwrap_or_else(|| given.all("designation").next().is_some()),
        wanted: given.all("designation").collect(),
        properties: given.all("property").collect(),
        language: given.text("displayLanguage"),
    };
    as_it_is_now(face, given)?;
    let nested = flag(given, "excludeNested")? == Some(false);
    let wanted = wanted(given, nested || shown.needs_detail())?;
    let url = match (on, given.text("context")) {
        (On::Type(_), Some(context)) if given.text("url").is_none() && given.resource("valueSet").is_none() => {
            Some(face.service().value_set_of_context(caller, context).await?)
        }
        _ => given.text("url").map(|url| with_version(url, given.text("valueSetVersion"))),
    };
    let named = match &url {
        Some(url) if given.resource("valueSet").is_none() && !matches!(on, On::Instance(_)) => Named::Url(url),
        _ => named(on, given, ("url", "valueSet"))?,
    };
    let (mut value_set, expansion) = face.service().expand_value_set(caller, &named, &wanted).await?;
    let whole = expansion.concepts.len() as u64 == expansion.total;
    let contains: Vec<Json> = if nested && whole {
        nest(&expansion.concepts).iter().map(|one| shown.tree(one)).collect()
    } else {
        expansion.concepts.iter().map(|one| shown.concept(one).into()).collect()
    };
    let mut parameters = repeated(given);
    parameters.extend(expansion.used.iter().map(|used| parameter("version", ("valueUri", used.as_str().into()))));
    for url in &expansion.incomplete {
        let text = format!("{url} is known in part only");
        parameters.push(parameter("warning", ("valueString", text.into())));
    }
    let mut result: JsonObject = [
        ("identifier", Json::from(format!("urn:uuid:{}", face.service().new_uuid()))),
        ("timestamp", face.service().now().to_string().into()),
        ("total", expansion.total.into()),
        ("offset", wanted.page.map_or(0, |page| page.offset).into()),
    ]
    .into_iter()
    .collect();
    for (name, list) in [("parameter", parameters), ("contains", contains)] {
        if !list.is_empty() {
            result.insert(name, list);
        }
    }
    let with_definition = flag(given, "includeDefinition")? == Some(true);
    if let Some(members) = value_set.as_object_mut() {
        members.retain(|name, _| name != "text" && (with_definition || name != "compose"));
        members.insert("expansion", result);
    }
    Ok(answer(&value_set))
}

fn wanted(given: &Parameters, detailed: bool) -> Result<Wanted, Failure> {
    let all = |name| given.all(name).map(str::to_owned).collect::<Vec<String>>();
    Ok(Wanted {
        words: words_of(given.text("filter").unwrap_or_default()),
        codes: None,
        active_only: flag(given, "activeOnly")? == Some(true),
        selectable_only: flag(given, "excludeNotForUI")? == Some(true),
        detail: if detailed { Detail::Full } else { Detail::Brief },
        page: Some(Page {
            offset: given.number("offset")?.unwrap_or(0) as usize,
            count: given.number("count")?.map_or(DEFAULT_COUNT, |count| count as usize),
        }),
        system_versions: all("system-version"),
        checked_versions: all("check-system-version"),
        forced_versions: all("force-system-version"),
        excluded_systems: all("exclude-system"),
    })
}

fn with_version(url: &str, version: Option<&str>) -> String {
    match version {
        Some(version) if !url.contains('|') => format!("{url}|{version}"),
        _ => url.to_owned(),
    }
}

/// What was asked for, each in the type that the expansion's parameter has.
fn repeated(given: &Parameters) -> Vec<Json> {
    let mut list = Vec::new();
    for (name, kind) in REPEATED {
        for text in given.all(name) {
            let value = match (*kind, text.parse::<u32>()) {
                ("valueBoolean", _) => (text == "true").into(),
                ("valueInteger", Ok(number)) => number.into(),
                _ => Json::from(text),
            };
            list.push(parameter(name, (kind, value)));
        }
    }
    list
}

fn parameter(name: &str, (kind, value): (&str, Json)) -> Json {
    object([("name", name.into()), (kind, value)])
}

impl Shown<'_> {
    fn needs_detail(&self) -> bool {
        self.designations || self.language.is_some() || !self.properties.is_empty()
    }

    fn tree(&self, nested: &Nested<'_>) -> Json {
        let mut members = self.concept(nested.concept);
        if !nested.contains.is_empty() {
            members.insert("contains", nested.contains.iter().map(|one| self.tree(one)).collect::<Vec<Json>>());
        }
        members.into()
    }

    fn concept(&self, concept: &Concept) -> JsonObject {
        let mut members = JsonObject::new();
        let properties = self.properties(concept);
        if !properties.is_empty() {
            members.insert("extension", properties);
        }
        members.insert("system", concept.system.as_str());
        if concept.not_selectable {
            members.insert("abstract", true);
        }
        if concept.inactive {
            members.insert("inactive", true);
        }
        members.insert("code", concept.code.as_str());
        if let Some(display) = concept.display_in(self.language) {
            members.insert("display", display);
        }
        let designations: Vec<Json> =
            concept.designations.iter().filter(|one| self.shows(one)).map(Designation::to_json).collect();
        if !designations.is_empty() {
            members.insert("designation", designations);
        }
        members
    }

    fn shows(&self, designation: &Designation) -> bool {
        let is_use = |token: &str| {
            let usage = designation.usage.as_ref();
            let text = |name| usage.and_then(|usage| usage.get_str(name)).unwrap_or_default();
            token == format!("{}|{}", text("system"), text("code"))
        };
        let language = |token: &str| token.strip_prefix("urn:ietf:bcp:47|").unwrap_or(token).to_owned();
        let fits = |token: &&str| is_use(token) || designation.is_in(&language(token));
        self.designations && (self.wanted.is_empty() || self.wanted.iter().any(fits))
    }

    fn properties(&self, concept: &Concept) -> Vec<Json> {
        let of = |code: &str, (kind, value): (&str, Json)| {
            let parts = array([
                object([("url", "code".into()), ("valueCode", code.into())]),
                object([("url", "value".into()), (kind, value)]),
            ]);
            object([("url", PROPERTY.into()), ("extension", parts)])
        };
        let mut list = Vec::new();
        for code in &self.properties {
            if let ("definition", Some(definition)) = (*code, &concept.definition) {
                list.push(of(code, ("valueString", definition.as_str().into())));
            }
            if *code == "parent" {
                list.extend(concept.parents.iter().map(|own| of(code, ("valueCode", own.as_str().into()))));
            }
            let own = concept.properties.iter().filter(|own| own.code == *code);
            list.extend(own.map(|own| of(code, (&own.kind, own.value.clone()))));
        }
        list
    }
}

/// A Parameters resource of named values.
pub(super) fn parameters(values: Vec<(&str, (&str, Json))>) -> Json {
    let list = values.into_iter().map(|(name, value)| parameter(name, value));
    object([("resourceType", "Parameters".into()), ("parameter", array(list))])
}

#[cfg(test)]
mod tests {
    use seva_fhir::capability::EXPANSION_PARAMETERS;

    use super::REPEATED;

    #[test]
    fn the_terminology_capabilities_name_what_is_read_here() {
        let mut named: Vec<&str> = REPEATED.iter().map(|(name, _)| *name).collect();
        named.sort_unstable();
        assert_eq!(named, EXPANSION_PARAMETERS);
    }
}
