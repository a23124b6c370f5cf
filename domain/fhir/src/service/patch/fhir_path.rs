//! FHIRPath Patch (R4: <https://hl7.org/fhir/R4/fhirpatch.html>): a path finds elements, which are then changed in place.

use seva_fhir_profiles::{TypeDefinition, definitions};

use crate::json::{Json, JsonObject};
use crate::outcome::{Issue, IssueCode};
use crate::path::{CompiledPath, EvaluationContext};

/// One operation, read from its parameter.
#[derive(Clone, Debug)]
pub struct Operation {
    kind: Kind,
    path: String,
    compiled: CompiledPath,
}

#[derive(Clone, Debug)]
enum Kind {
    Add { name: String, value: Value },
    Insert { index: usize, value: Value },
    Delete,
    Replace { value: Value },
    Move { source: usize, destination: usize },
}

/// A value with the datatype that its parameter names; parts make an element without a datatype.
#[derive(Clone, Debug)]
struct Value {
    suffix: String,
    json: Json,
}

/// Where an element stands.
#[derive(Clone, Debug)]
enum Step {
    Member(Box<str>),
    Item(usize),
}

/// An element's place, and its type where it is known.
type Place = (Vec<Step>, Option<&'static TypeDefinition>);

/// Reads the operations of a Parameters resource.
pub(super) fn read(parameters: &Json) -> Result<Vec<Operation>, Issue> {
    let list = parameters.get("parameter").map_or(&[][..], Json::items);
    if list.is_empty() {
        return Err(Issue::error(IssueCode::Required, "a patch has at least one operation"));
    }
    list.iter().map(one).collect()
}

fn one(parameter: &Json) -> Result<Operation, Issue> {
    let wrong = |text: String| Issue::error(IssueCode::Invalid, text);
    if parameter.get_str("name") != Some("operation") {
        return Err(wrong("each parameter of a patch is named operation".to_owned()));
    }
    let part = |name: &str| {
        parameter.get("part").map_or(&[][..], Json::items).iter().find(|part| part.get_str("name") == Some(name))
    };
    let text = |name: &str| part(name).and_then(|part| Some(value_of(part)?.json.as_str()?.to_owned()));
    let number = |name: &str| {
        let index = part(name).and_then(|part| part.get("valueInteger")?.as_i64());
        index.and_then(|index| usize::try_from(index).ok()).ok_or_else(|| wrong(format!("the operation needs {name}")))
    };
    let value = || part("value").and_then(value_of).ok_or_else(|| wrong("the operation needs a value".to_owned()));
    let path = text("path").ok_or_else(|| wrong("the operation needs a path".to_owned()))?;
    let kind = match text("type").as_deref() {
        Some("add") => {
            let name = text("name").ok_or_else(|| wrong("add needs a name".to_owned()))?;
            Kind::Add { name, value: value()? }
        }
        Some("insert") => Kind::Insert { index: number("index")?, value: value()? },
        Some("delete") => Kind::Delete,
        Some("replace") => Kind::Replace { value: value()? },
        Some("move") => Kind::Move { source: number("source")?, destination: number("destination")? },
        Some(other) => return Err(wrong(format!("{other:?} is none of add, insert, delete, replace, move"))),
        None => return Err(wrong("the operation needs a type: add, insert, delete, replace or move".to_owned())),
    };
    let compiled = CompiledPath::parse(&path).map_err(|error| wrong(format!("{path:?}: {error}")))?;
    Ok(Operation { kind, path, compiled })
}

/// The `value[x]` of a part, or an element made of its parts.
fn value_of(part: &Json) -> Option<Value> {
    let members = part.as_object()?;
    if let Some((name, json)) = members.iter().find(|(name, _)| name.starts_with("value")) {
        return Some(Value { suffix: name.strip_prefix("value")?.to_owned(), json: json.clone() });
    }
    let mut element = JsonObject::new();
    for inner in part.get("part")?.items() {
        let (name, value) = (inner.get_str("name")?, value_of(inner)?);
        match element.get_mut(name) {
            Some(Json::Array(list)) => list.push(value.json),
            Some(_) => {
                let first = element.remove(name)?;
                element.insert(name, vec![first, value.json]);
            }
            None => {
                element.insert(name, value.json);
            }
        }
    }
    Some(Value { suffix: String::new(), json: element.into() })
}

impl Operation {
    /// Changes the resource.
    pub(super) fn apply(&self, resource: &mut Json) -> Result<(), Issue> {
        match &self.kind {
            Kind::Add { name, value } => {
                let (place, definition) = self.single(resource)?;
                add(at(resource, &place).ok_or_else(|| self.lost())?, definition, name, value)
            }
            Kind::Delete => match self.places(resource)?.as_slice() {
                [] => Ok(()),
                [(place, _)] => remove(resource, place).ok_or_else(|| self.lost()),
                _ => Err(self.several()),
            },
            Kind::Replace { value } => {
                let (place, _) = self.single(resource)?;
                replace(resource, &place, value).ok_or_else(|| self.lost())
            }
            Kind::Insert { index, value } => {
                let list = self.list(resource)?;
                if *index > list.len() {
                    return Err(self.beyond(*index, list.len()));
                }
                list.insert(*index, value.json.clone());
                Ok(())
            }
            Kind::Move { source, destination } => {
                let list = self.list(resource)?;
                if *source >= list.len() || *destination >= list.len() {
                    return Err(self.beyond(*source.max(destination), list.len()));
                }
                let moved = list.remove(*source);
                list.insert(*destination, moved);
                Ok(())
            }
        }
    }

    /// The elements that the path finds in the resource itself.
    fn places(&self, resource: &Json) -> Result<Vec<Place>, Issue> {
        let found = self
            .compiled
            .evaluate(&EvaluationContext::of_resource(resource))
            .map_err(|error| Issue::error(IssueCode::Processing, format!("{:?}: {error}", self.path)))?;
        let mut places = Vec::new();
        for node in &found {
            let mut place = Vec::new();
            if locate(resource, node.json(), &mut place) {
                places.push((place, node.definition()));
            }
        }
        Ok(places)
    }

    fn single(&self, resource: &Json) -> Result<Place, Issue> {
        let mut places = self.places(resource)?;
        match (places.pop(), places.is_empty()) {
            (Some(place), true) => Ok(place),
            (None, _) => Err(Issue::error(IssueCode::Processing, format!("{:?} finds nothing to change", self.path))),
            (Some(_), false) => Err(self.several()),
        }
    }

    /// The list that the path's elements stand in; an empty one is made where the definitions know a list.
    fn list<'r>(&self, resource: &'r mut Json) -> Result<&'r mut Vec<Json>, Issue> {
        let none = || Issue::error(IssueCode::Processing, format!("{:?} is not a list", self.path));
        let places = self.places(resource)?;
        let Some((first, _)) = places.into_iter().next() else { return self.new_list(resource) };
        let (Some(Step::Item(_)), Some(list)) = (first.last(), first.get(..first.len().saturating_sub(1))) else {
            return Err(none());
        };
        at(resource, list).and_then(Json::as_array_mut).ok_or_else(none)
    }

    fn new_list<'r>(&self, resource: &'r mut Json) -> Result<&'r mut Vec<Json>, Issue> {
        let none = || Issue::error(IssueCode::Processing, format!("{:?} finds no list", self.path));
        let (parent, name) = self.path.rsplit_once('.').ok_or_else(none)?;
        let compiled = CompiledPath::parse(parent).map_err(|_| none())?;
        let (place, definition) = Self { kind: Kind::Delete, path: parent.to_owned(), compiled }.single(resource)?;
        let is_list = definition.and_then(|own| own.element(name)).is_some_and(|element| element.is_array());
        if !is_list {
            return Err(none());
        }
        let members = at(resource, &place).and_then(Json::as_object_mut).ok_or_else(none)?;
        members.insert(name, Vec::<Json>::new());
        members.get_mut(name).and_then(Json::as_array_mut).ok_or_else(none)
    }

    fn several(&self) -> Issue {
        Issue::error(IssueCode::Processing, format!("{:?} finds more than one element: name one", self.path))
    }

    fn lost(&self) -> Issue {
        Issue::error(IssueCode::Processing, format!("{:?} does not lead to an element that can be changed", self.path))
    }

    fn beyond(&self, index: usize, length: usize) -> Issue {
        Issue::error(IssueCode::Processing, format!("{:?} has {length} elements: {index} lies outside", self.path))
    }
}

/// Finds where an element stands, by its address: equal values elsewhere are other elements.
fn locate(value: &Json, target: &Json, place: &mut Vec<Step>) -> bool {
    if std::ptr::eq(value, target) {
        return true;
    }
    match value {
        Json::Array(items) => items.iter().enumerate().any(|(index, item)| {
            place.push(Step::Item(index));
            locate(item, target, place) || place.pop().is_none()
        }),
        Json::Object(members) => members.iter().any(|(name, member)| {
            place.push(Step::Member(name.into()));
            locate(member, target, place) || place.pop().is_none()
        }),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}

fn at<'r>(resource: &'r mut Json, place: &[Step]) -> Option<&'r mut Json> {
    let mut value = resource;
    for step in place {
        value = match step {
            Step::Member(name) => value.get_mut(name)?,
            Step::Item(index) => value.as_array_mut()?.get_mut(*index)?,
        };
    }
    Some(value)
}

/// Adds a child under its JSON name: a choice element takes the datatype's, a list takes one more.
fn add(parent: &mut Json, definition: Option<&'static TypeDefinition>, name: &str, value: &Value) -> Result<(), Issue> {
    let member = definition.map_or_else(|| name.to_owned(), |own| json_name(own, name, &value.suffix));
    let is_list = definition.and_then(|own| own.element(name)).is_some_and(|element| element.is_array());
    let members = parent.as_object_mut().ok_or_else(|| {
        Issue::error(IssueCode::Processing, format!("{name:?} can't be added to a value without children"))
    })?;
    match members.get_mut(&member) {
        Some(Json::Array(list)) => list.push(value.json.clone()),
        _ if is_list => {
            members.insert(member, vec![value.json.clone()]);
        }
        Some(_) => {
            return Err(Issue::error(IssueCode::Processing, format!("{name:?} is there already: replace it")));
        }
        None => {
            members.insert(member, value.json.clone());
        }
    }
    Ok(())
}

fn json_name(definition: &TypeDefinition, name: &str, suffix: &str) -> String {
    match definition.element(name) {
        Some(element) if element.is_choice => format!("{name}{suffix}"),
        _ => name.to_owned(),
    }
}

/// Removes an element, its companion, and a list that becomes empty: FHIR's JSON has no empty lists.
fn remove(resource: &mut Json, place: &[Step]) -> Option<()> {
    let (last, parents) = place.split_last()?;
    match last {
        Step::Item(index) => {
            let list = at(resource, parents)?.as_array_mut()?;
            if *index >= list.len() {
                return None;
            }
            list.remove(*index);
            if list.is_empty() {
                return remove(resource, parents);
            }
        }
        Step::Member(name) => {
            let members = at(resource, parents)?.as_object_mut()?;
            members.remove(name)?;
            members.remove(&format!("_{name}"));
        }
    }
    Some(())
}

/// Replaces an element; a choice element may change its datatype and with it its JSON name.
fn replace(resource: &mut Json, place: &[Step], value: &Value) -> Option<()> {
    if let Some((Step::Member(name), parents)) = place.split_last()
        && let Some(renamed) = renamed(resource, parents, name, &value.suffix)
    {
        let members = at(resource, parents)?.as_object_mut()?;
        members.remove(name)?;
        members.remove(&format!("_{name}"));
        members.insert(renamed, value.json.clone());
        return Some(());
    }
    *at(resource, place)? = value.json.clone();
    Some(())
}

/// The JSON name of a choice element under another datatype.
fn renamed(resource: &Json, parents: &[Step], name: &str, suffix: &str) -> Option<String> {
    let definition = definition_at(resource, parents)?;
    let element = definition.element_of(definition.child(name)?)?;
    let renamed = format!("{}{suffix}", element.name);
    (element.is_choice && !suffix.is_empty() && renamed != name).then_some(renamed)
}

fn definition_at(resource: &Json, place: &[Step]) -> Option<&'static TypeDefinition> {
    let mut definition = definitions().type_named(resource.get_str("resourceType")?)?;
    let mut value = resource;
    for step in place {
        match step {
            Step::Member(name) => {
                definition = definitions().type_at(definition.child(name)?.type_id)?;
                value = value.get(name)?;
            }
            Step::Item(index) => value = value.get_index(*index)?,
        }
        // An inline resource names its own type.
        if let Some(own) = value.get_str("resourceType") {
            definition = definitions().type_named(own)?;
        }
    }
    Some(definition)
}
