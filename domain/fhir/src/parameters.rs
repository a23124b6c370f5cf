//! The search parameters in force in a tenant: R4's, and those of its own SearchParameter resources
//! (R4 <https://hl7.org/fhir/R4/searchparameter.html>).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use seva_fhir_profiles::{Component, SearchParameter, SearchParameterType, definitions};

use crate::index::Planned;
use crate::interactions::served_types;
use crate::json::Json;
use crate::types::{ResourceId, ResourceType};

/// The numbers of own parameters begin here; R4's lie below.
const FIRST_OWN: u32 = 1 << 24;

/// What a SearchParameter resource says, for one type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The resource.
    pub resource: ResourceId,
    /// Its version: another version may mean something else.
    pub version: String,
    /// The type that is searched.
    pub base: ResourceType,
    /// The name in a query.
    pub code: String,
    /// How values compare.
    pub kind: SearchParameterType,
    /// Where values are.
    pub expression: String,
    targets: Vec<String>,
    components: Vec<(String, String)>,
    url: String,
}

/// Whether an own parameter can be searched by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Every resource is indexed.
    Ready,
    /// Resources are being indexed.
    Indexing,
    /// It can't be used; why.
    Unusable(String),
}

/// The parameters in force in a tenant; cheap to clone.
#[derive(Clone, Default)]
pub struct Parameters {
    own: Arc<Own>,
    set: i32,
    /// Rows of older sets are left: a search may miss their resources.
    is_incomplete: bool,
}

#[derive(Default)]
struct Own {
    named: HashMap<(ResourceType, String), (Option<&'static SearchParameter>, State)>,
    plans: HashMap<ResourceType, Vec<&'static Planned>>,
}

impl Parameters {
    /// R4's alone, in the version of this number.
    #[must_use]
    pub fn of_pack(set: i32) -> Self {
        Self { own: Arc::default(), set, is_incomplete: false }
    }

    /// With own ones, each with its number in the registry.
    #[must_use]
    pub fn with(set: i32, definitions: &[(i32, Definition, State)]) -> Self {
        let mut own = Own::default();
        for (number, definition, state) in definitions {
            let key = (definition.base, definition.code.clone());
            match planned(*number, definition) {
                Ok(plan) => {
                    own.named.insert(key, (Some(plan.parameter), state.clone()));
                    own.plans.entry(definition.base).or_default().push(plan);
                }
                Err(reason) => {
                    own.named.insert(key, (None, State::Unusable(reason)));
                }
            }
        }
        Self { own: Arc::new(own), set, is_incomplete: false }
    }

    /// The same, while resources are left that R4's parameters don't find yet.
    #[must_use]
    pub fn incomplete(self) -> Self {
        Self { is_incomplete: true, ..self }
    }

    /// Whether resources are left that R4's parameters don't find yet: a search must say so.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        self.is_incomplete
    }

    /// The version of the set: what is indexed under it has the values of all its parameters.
    #[must_use]
    pub fn set(&self) -> i32 {
        self.set
    }

    /// Finds a parameter of a type.
    ///
    /// # Errors
    /// Why one that is defined here can't be searched by now.
    pub fn find(&self, resource_type: ResourceType, code: &str) -> Result<Option<&'static SearchParameter>, String> {
        if let Some(known) = definitions().search_parameter(resource_type.as_str(), code) {
            return Ok(Some(known));
        }
        if self.own.named.is_empty() {
            return Ok(None);
        }
        match self.own.named.get(&(resource_type, code.to_owned())) {
            None => Ok(None),
            Some((parameter, State::Ready)) => Ok(*parameter),
            Some((_, State::Indexing)) => {
                Err(format!("the search parameter {code:?} of {resource_type} is being indexed: try again in a moment"))
            }
            Some((_, State::Unusable(reason))) => {
                Err(format!("the search parameter {code:?} of {resource_type} can't be used: {reason}"))
            }
        }
    }

    /// The own parameters that can be indexed, each with its type.
    pub fn own(&self) -> impl Iterator<Item = (ResourceType, &'static SearchParameter)> {
        self.own.plans.iter().flat_map(|(kind, plans)| plans.iter().map(|plan| (*kind, plan.parameter)))
    }

    /// The plans of a type's own parameters.
    pub(crate) fn plans(&self, resource_type: ResourceType) -> &[&'static Planned] {
        self.own.plans.get(&resource_type).map_or(&[], Vec::as_slice)
    }
}

/// The number in the registry of an own parameter; none of R4's.
#[must_use]
pub fn own_number(parameter: u32) -> Option<i32> {
    i32::try_from(parameter.checked_sub(FIRST_OWN)?).ok()
}

/// Reads an active SearchParameter resource: one definition for each type that R4 has no parameter of this name for.
#[must_use]
pub fn read_definitions(resource: &Json) -> Vec<Definition> {
    let text = |name: &str| resource.get_str(name).map(str::to_owned);
    let texts = |name: &str| {
        let items = resource.get(name).map_or(&[][..], Json::items);
        items.iter().filter_map(Json::as_str).map(str::to_owned).collect::<Vec<String>>()
    };
    let id = text("id").and_then(|id| id.parse::<ResourceId>().ok());
    let kind = resource.get_str("type").and_then(SearchParameterType::parse);
    let (Some("active"), Some(id), Some(kind), Some(code)) = (resource.get_str("status"), id, kind, text("code"))
    else {
        return Vec::new();
    };
    let meta = resource.get("meta");
    let components = resource.get("component").map_or(&[][..], Json::items).iter();
    let component = |part: &Json| {
        let member = |name: &str| part.get_str(name).unwrap_or_default().to_owned();
        (member("definition"), member("expression"))
    };
    let definition = Definition {
        resource: id,
        version: meta.and_then(|meta| meta.get_str("versionId")).unwrap_or_default().to_owned(),
        base: ResourceType::patient(),
        code,
        kind,
        expression: text("expression").unwrap_or_default(),
        targets: texts("target"),
        components: components.map(component).collect(),
        url: text("url").unwrap_or_default(),
    };
    let all = |name: &str| matches!(name, "Resource" | "DomainResource");
    let mut bases: Vec<ResourceType> = Vec::new();
    for name in texts("base") {
        if all(&name) {
            bases.extend(served_types());
        } else {
            bases.extend(name.parse::<ResourceType>());
        }
    }
    bases.sort_unstable();
    bases.dedup();
    let free = |base: &ResourceType| definitions().search_parameter(base.as_str(), &definition.code).is_none();
    bases.into_iter().filter(free).map(|base| Definition { base, ..definition.clone() }).collect()
}

/// What was compiled, by its number.
static PLANNED: Mutex<Option<HashMap<i32, &'static Planned>>> = Mutex::new(None);

/// The plan of an own parameter.
pub(crate) fn own_plan(parameter: &SearchParameter) -> Option<&'static Planned> {
    let number = own_number(parameter.id)?;
    let known = PLANNED.lock().unwrap_or_else(PoisonError::into_inner);
    known.as_ref()?.get(&number).copied()
}

/// Compiles a definition, once for its number: what is compiled is kept, as R4's own plans are, because queries and index
/// rows point at it; administrators alone write definitions.
fn planned(number: i32, definition: &Definition) -> Result<&'static Planned, String> {
    let mut known = PLANNED.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    if let Some(plan) = known.get(&number) {
        return Ok(plan);
    }
    let plan: &'static Planned = Box::leak(Box::new(compile(number, definition)?));
    known.insert(number, plan);
    Ok(plan)
}

fn compile(number: i32, definition: &Definition) -> Result<Planned, String> {
    let kept = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
    if definition.expression.is_empty() {
        return Err("it has no expression".to_owned());
    }
    if definition.kind == SearchParameterType::Special {
        return Err("what a special parameter means is known to its author only".to_owned());
    }
    let components = definition.components.iter().map(|(url, expression)| component(url, kept(expression)));
    let components = components.collect::<Result<Vec<Component>, String>>()?;
    if (definition.kind == SearchParameterType::Composite) != (components.len() >= 2) {
        return Err("a composite needs two components or more, and only a composite has them".to_owned());
    }
    if let Some(part) = components
        .iter()
        .find(|part| matches!(part.kind, SearchParameterType::Composite | SearchParameterType::Special))
    {
        return Err(format!("its component {:?} can't be a part of a composite", part.code));
    }
    let number = u32::try_from(number).unwrap_or_default();
    let parameter: &'static SearchParameter = Box::leak(Box::new(SearchParameter {
        id: FIRST_OWN + number,
        base: definition.base.as_str(),
        code: kept(&definition.code),
        kind: definition.kind,
        expression: kept(&definition.expression),
        targets: definition.targets.iter().map(|target| kept(target)).collect(),
        components,
        url: kept(&definition.url),
    }));
    Planned::of(parameter, definition.base).map_err(|error| format!("its expression can't be evaluated: {error}"))
}

/// A component's values compare like those of the parameter that it names.
fn component(url: &str, expression: &'static str) -> Result<Component, String> {
    let found = definitions().all_search_parameters().iter().find(|known| known.url == url);
    let known = found.ok_or_else(|| format!("its component {url:?} is not a search parameter of R4"))?;
    Ok(Component { code: known.code, kind: known.kind, expression })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::{IndexValue, extract};
    use crate::json::{Limits, parse};

    fn definition(text: &str) -> Vec<Definition> {
        read_definitions(&parse(text.as_bytes(), &Limits::default()).expect("JSON"))
    }

    #[test]
    fn an_own_parameter_finds_values_and_says_when_it_cant() {
        let nick = definition(
            r#"{"resourceType":"SearchParameter","id":"n","meta":{"versionId":"1"},"status":"active","code":"nick","type":"string",
            "base":["Patient","Practitioner"],"expression":"Patient.extension.where(url='urn:nick').value | Practitioner.name.text"}"#,
        );
        assert_eq!(nick.len(), 2);
        let nick = nick.first().expect("one for each type");
        let patient = ResourceType::patient();
        let ready = Parameters::with(9, &[(7, nick.clone(), State::Ready)]);
        let found = ready.find(patient, "nick").expect("ready").expect("known");
        let text = r#"{"resourceType":"Patient","id":"p","extension":[{"url":"urn:nick","valueString":"Bunty"}]}"#;
        let resource = parse(text.as_bytes(), &Limits::default()).expect("JSON");
        let entries = extract(&resource, patient, &ready);
        let own: Vec<_> =
            entries.iter().filter(|entry| entry.parameter == found.id).map(|entry| &entry.value).collect();
        assert_eq!(own, [&IndexValue::String("Bunty".into())]);
        let indexing = Parameters::with(9, &[(7, nick.clone(), State::Indexing)]);
        assert!(indexing.find(patient, "nick").is_err_and(|text| text.contains("being indexed")));
        let wrong = Definition { expression: "Patient.(".to_owned(), ..nick.clone() };
        let wrong = Parameters::with(9, &[(8, wrong, State::Ready)]);
        assert!(wrong.find(patient, "nick").is_err_and(|text| text.contains("can't be evaluated")));
        assert_eq!(wrong.find(patient, "other").map(|found| found.is_some()), Ok(false));
    }

    #[test]
    fn drafts_and_names_of_r4_are_left_alone() {
        let base = r#"{"resourceType":"SearchParameter","id":"n","status":"STATUS","code":"CODE","type":"string","base":["Patient"],"expression":"Patient.id"}"#;
        assert!(definition(&base.replace("STATUS", "draft").replace("CODE", "x")).is_empty());
        assert!(definition(&base.replace("STATUS", "active").replace("CODE", "family")).is_empty());
        assert_eq!(definition(&base.replace("STATUS", "active").replace("CODE", "x")).len(), 1);
    }
}
