//! What an operation is given (R4 <https://hl7.org/fhir/R4/parameters.html>): the query string, a Parameters resource, or
//! one resource alone.

use poem::Request;
use poem::http::header;
use seva_fhir::FhirService;
use seva_fhir::date::date_range;
use seva_fhir::json::Json;
use seva_fhir::search::parse_query_string;
use seva_fhir::types::ResourceType;

use super::super::{format, negotiation};
use crate::failure::Failure;

/// The given parameters, in their order.
#[derive(Debug, Default)]
pub(in super::super) struct Parameters {
    texts: Vec<(String, String)>,
    values: Vec<(String, Json)>,
    /// What stood in the Parameters resource.
    given: Vec<Json>,
    /// A body that is no Parameters resource.
    resource: Option<Json>,
}

impl Parameters {
    /// Reads the query string.
    pub(in super::super) fn from_query(request: &Request) -> Result<Self, Failure> {
        let texts = parse_query_string(request.uri().query().unwrap_or_default())?;
        Ok(Self { texts, ..Self::default() })
    }

    /// Reads the query string and the body: a form, a Parameters resource, or another resource.
    pub(in super::super) fn from_body(request: &Request, service: &FhirService, body: &[u8]) -> Result<Self, Failure> {
        let mut given = Self::from_query(request)?;
        let kind = request.header(header::CONTENT_TYPE).unwrap_or_default();
        if body.is_empty() {
            return Ok(given);
        }
        if format::is_form(kind) {
            let text =
                std::str::from_utf8(body).map_err(|_| Failure::BadRequest("the form is not UTF-8".to_owned()))?;
            given.texts.extend(parse_query_string(text)?);
            return Ok(given);
        }
        if !kind.is_empty() {
            negotiation::check_content_type(kind)?;
        }
        let mut resource = service.read_loose_resource(body)?;
        match resource.get_str("resourceType") {
            Some("Parameters") => service.check_resource(&without_resources(&resource))?,
            Some(_) => {
                given.resource = Some(resource);
                return Ok(given);
            }
            None => return Err(Failure::BadRequest("the body is no resource: it has no resourceType".to_owned())),
        }
        let list = resource.remove("parameter").map(|list| list.items().to_vec()).unwrap_or_default();
        given.given.clone_from(&list);
        for mut parameter in list {
            let Some(name) = parameter.get_str("name").map(str::to_owned) else { continue };
            let member = parameter.as_object().and_then(|members| {
                members
                    .iter()
                    .map(|(name, _)| name.to_owned())
                    .find(|name| name.starts_with("value") || name == "resource")
            });
            let Some(value) = member.and_then(|member| parameter.remove(&member)) else { continue };
            match (&value, value.as_number()) {
                (Json::String(text), _) => given.texts.push((name.clone(), text.to_string())),
                (Json::Bool(flag), _) => given.texts.push((name.clone(), flag.to_string())),
                (_, Some(digits)) => given.texts.push((name.clone(), digits.to_owned())),
                _ => {}
            }
            given.values.push((name, value));
        }
        Ok(given)
    }

    /// The parameters of the body, as a Parameters resource has them.
    pub(in super::super) fn repeated(&self) -> Vec<Json> {
        self.given.clone()
    }

    /// The type of a body that is no Parameters resource.
    pub(in super::super) fn bare(&self) -> Option<&str> {
        self.resource.as_ref()?.get_str("resourceType")
    }

    /// The text of a parameter.
    pub(in super::super) fn text(&self, name: &str) -> Option<&str> {
        self.texts.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// All texts of a repeated parameter.
    pub(in super::super) fn all<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        self.texts.iter().filter(move |(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// All names with their texts, for links.
    pub(in super::super) fn texts(&self) -> &[(String, String)] {
        &self.texts
    }

    /// The names that are used.
    pub(in super::super) fn names(&self) -> impl Iterator<Item = &str> {
        let texts = self.texts.iter().map(|(name, _)| name.as_str());
        texts.chain(self.values.iter().map(|(name, _)| name.as_str()))
    }

    /// All values of a repeated parameter.
    pub(in super::super) fn values<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p Json> {
        self.values.iter().filter(move |(own, _)| own == name).map(|(_, value)| value)
    }

    /// The value of a parameter: a datatype or a resource.
    pub(in super::super) fn value(&self, name: &str) -> Option<&Json> {
        self.values.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// The resource that the operation is about: a parameter of this name, or the body itself.
    pub(in super::super) fn resource(&self, name: &str) -> Option<&Json> {
        self.value(name).or(self.resource.as_ref())
    }

    /// The first and the last microsecond of a time; a plus sign of the URL is meant as one.
    pub(in super::super) fn time(&self, name: &str) -> Result<Option<(i64, i64)>, Failure> {
        let wrong = |text: &str| Failure::BadRequest(format!("{name}: {text:?} is not a date"));
        self.text(name).map(|text| date_range(&text.replace(' ', "+")).ok_or_else(|| wrong(text))).transpose()
    }

    /// The items of a parameter that is repeated or separated by commas.
    pub(in super::super) fn list<'p>(&'p self, name: &'p str) -> impl Iterator<Item = &'p str> {
        self.all(name).flat_map(|list| list.split(',')).map(str::trim).filter(|item| !item.is_empty())
    }

    /// The types that a parameter names.
    pub(in super::super) fn types(&self, name: &str) -> Result<Vec<ResourceType>, Failure> {
        let types = self.list(name).map(str::parse).collect::<Result<_, _>>();
        types.map_err(|error| Failure::BadRequest(format!("{name}: {error}")))
    }

    /// A whole number.
    pub(in super::super) fn number(&self, name: &str) -> Result<Option<u32>, Failure> {
        let wrong = |text: &str| Failure::BadRequest(format!("{name}: {text:?} is not a whole number"));
        self.text(name).map(|text| text.parse().map_err(|_| wrong(text))).transpose()
    }
}

/// Parameters without the resources in them: what is wrong with those is the operation's to tell.
fn without_resources(value: &Json) -> Json {
    match value {
        Json::Object(members) => {
            let kept = members.iter().filter(|(name, _)| *name != "resource");
            let kept = kept.map(|(name, member)| match name {
                "parameter" | "part" => (name, without_resources(member)),
                _ => (name, member.clone()),
            });
            Json::Object(kept.collect())
        }
        Json::Array(items) => Json::Array(items.iter().map(without_resources).collect()),
        other => other.clone(),
    }
}
