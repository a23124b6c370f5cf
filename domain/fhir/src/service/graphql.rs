//! `$graphql` (R4 <https://hl7.org/fhir/R4/graphql.html>): a query walks over resources; what it refers to is read and
//! searched with the caller's own rights, and a budget keeps one query from asking for everything.

mod fetch;
mod introspection;

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::update::stored_json;
use super::{FhirError, FhirService};
use crate::access::Caller;
use crate::graphql::schema::{QUERY, type_name};
use crate::graphql::shape::{self, Node, Place, Shape};
use crate::graphql::{Document, Field, GraphError, GraphRequest, Selection, Variables, prepare};
use crate::json::{Json, JsonObject, object};
use crate::types::{ResourceKey, ResourceType};

/// As many reads and searches as one query makes.
const MOST_FETCHES: usize = 500;
/// As many fields as one answer has: fragments can double fragments.
const MOST_FIELDS: usize = 200_000;
/// As deep as an answer nests, fragments counted.
const DEEPEST: usize = 40;

/// Why a query is not answered.
#[derive(Debug, thiserror::Error)]
pub enum GraphFailure {
    /// The query is at fault.
    #[error(transparent)]
    Query(#[from] GraphError),
    /// A resource or a search is.
    #[error(transparent)]
    Fhir(#[from] FhirError),
}

type Done<'f> = Pin<Box<dyn Future<Output = Result<(), GraphFailure>> + Send + 'f>>;

/// One query while it is answered.
struct Walk<'a> {
    service: &'a FhirService,
    caller: &'a Caller,
    document: &'a Document,
    variables: &'a Variables,
    fetches: AtomicUsize,
    fields: AtomicUsize,
}

impl FhirService {
    /// Answers a query about one resource, or about the whole system.
    pub async fn graphql(
        &self,
        caller: &Caller,
        on: Option<&ResourceKey>,
        request: &GraphRequest,
    ) -> Result<Json, GraphFailure> {
        let (document, operation, variables) = prepare(request)?;
        let walk = Walk {
            service: self,
            caller,
            document: &document,
            variables: &variables,
            fetches: AtomicUsize::new(0),
            fields: AtomicUsize::new(0),
        };
        let mut data = JsonObject::new();
        match on {
            Some(key) => {
                let resource = stored_json(&self.read(caller, key).await?)?;
                walk.select(Node::of_resource(&resource), &operation.selection, (&mut data, 0)).await?;
            }
            None => walk.root(&operation.selection, (&mut data, 0)).await?,
        }
        Ok(object([("data", data.into())]))
    }
}

fn query(text: impl Into<String>) -> GraphFailure {
    GraphFailure::Query(GraphError::Query(text.into()))
}

impl Walk<'_> {
    /// What stands at the top of a query of the system: resources by id, lists and connections.
    fn root<'f>(&'f self, selection: &'f [Selection], (out, depth): (&'f mut JsonObject, usize)) -> Done<'f> {
        Box::pin(async move {
            for field in self.fields_of(selection, None, depth)? {
                if field.name == "__typename" {
                    out.insert(field.key(), QUERY);
                } else if let Some(told) = self.introspected(field, QUERY, depth)? {
                    out.insert(field.key(), told);
                } else if let Ok(kind) = field.name.parse::<ResourceType>() {
                    let id = self.variables.text(&field.arguments, "id")?;
                    let id = id.ok_or_else(|| query(format!("{} needs the argument id", field.name)))?;
                    let id = id.parse().map_err(|_| query(format!("{id:?} is no id")))?;
                    let resource = self.read(&ResourceKey::new(kind, id)).await?;
                    self.child(Node::of_resource(&resource), field, (out, depth), Shape::One).await?;
                } else if !self.listed(None, field, (out, depth)).await? {
                    return Err(query(format!("there is nothing to ask for as {}", field.name)));
                }
            }
            Ok(())
        })
    }

    /// Selects from an object.
    fn select<'f>(
        &'f self,
        node: Node<'f>,
        selection: &'f [Selection],
        (out, depth): (&'f mut JsonObject, usize),
    ) -> Done<'f> {
        Box::pin(async move {
            for field in self.fields_of(selection, Some(&node), depth)? {
                let key = |name: &str| match &node.place {
                    Place::Own => name.to_owned(),
                    Place::Above(suffix) => format!("{name}{suffix}"),
                };
                match field.name.as_str() {
                    "__typename" => {
                        out.insert(key(field.key()), type_name(node.type_name().unwrap_or_default()).as_str());
                    }
                    "__schema" | "__type" if depth == 0 && node.is_resource() => {
                        let told = self.introspected(field, node.type_name().unwrap_or_default(), depth)?;
                        out.insert(key(field.key()), told.unwrap_or(Json::Null));
                    }
                    "resourceType" if node.is_resource() => {
                        out.insert(key(field.key()), node.type_name().unwrap_or_default());
                    }
                    "resource" if node.is_a("Reference") && !node.is_resource() => {
                        self.referred(&node, field, (out, depth)).await?;
                    }
                    _ if node.is_resource() && self.listed(Some(&node), field, (out, depth)).await? => {}
                    _ => self.element(&node, field, (out, depth)).await?,
                }
            }
            Ok(())
        })
    }

    /// The fields of a selection, those of its fragments among them.
    fn fields_of<'f>(
        &'f self,
        selection: &'f [Selection],
        node: Option<&Node<'_>>,
        depth: usize,
    ) -> Result<Vec<&'f Field>, GraphFailure> {
        if depth > DEEPEST {
            return Err(query(format!("the answer nests deeper than {DEEPEST}, fragments counted")));
        }
        let mut fields = Vec::new();
        for one in selection {
            if self.fields.fetch_add(1, Ordering::Relaxed) > MOST_FIELDS {
                return Err(query(format!("the answer has more than {MOST_FIELDS} fields")));
            }
            let fits = |on: &str| node.is_none_or(|node| node.is_a(on));
            match one {
                Selection::Field(field) => {
                    if self.variables.selects(&field.directives)? {
                        fields.push(field);
                    }
                }
                Selection::Inline { on, directives, selection } => {
                    if self.variables.selects(directives)? && on.as_deref().is_none_or(fits) {
                        fields.extend(self.fields_of(selection, node, depth + 1)?);
                    }
                }
                Selection::Spread { name, directives } => {
                    let fragment = self.document.fragments.get(name);
                    let fragment = fragment.ok_or_else(|| query(format!("there is no fragment {name}")))?;
                    if self.variables.selects(directives)? && fits(&fragment.on) {
                        fields.extend(self.fields_of(&fragment.selection, node, depth + 1)?);
                    }
                }
            }
        }
        Ok(fields)
    }

    /// An element of an object, by its JSON name.
    async fn element(
        &self,
        node: &Node<'_>,
        field: &Field,
        (out, depth): (&mut JsonObject, usize),
    ) -> Result<(), GraphFailure> {
        let (name, definition) = node.member(&field.name)?;
        let Some(value) = node.value.get(name) else { return Ok(()) };
        let own = shape::shape(field, value, &node.place);
        let context = (node.resource, self.variables);
        for (place, item) in shape::narrowed(field, (value.items(), definition), context)? {
            let suffix = shape::slice(field, (place, (item, definition)), context)?;
            let above = match &node.place {
                Place::Own => suffix,
                Place::Above(before) => format!("{before}{suffix}"),
            };
            let key = format!("{}{above}", field.key());
            match (item, field.selection.is_empty()) {
                (Json::Object(_), true) => return Err(query(format!("{} needs a selection of fields", field.name))),
                (Json::Object(_), false) => {
                    let resource = if item.get("resourceType").is_some() { item } else { node.resource };
                    let child = Node { value: item, definition, resource, place: Place::Own };
                    let child = if item.get("resourceType").is_some() { Node::of_resource(item) } else { child };
                    if field.directive("flatten").is_some() {
                        let child = Node { place: Place::Above(above), ..child };
                        self.select(child, &field.selection, (out, depth + 1)).await?;
                    } else {
                        let mut made = JsonObject::new();
                        self.select(child, &field.selection, (&mut made, depth + 1)).await?;
                        shape::put(out, key, made.into(), own);
                    }
                }
                (_, true) => shape::put(out, key, item.clone(), own),
                (_, false) => return Err(query(format!("{} is a plain value: it has no fields", field.name))),
            }
        }
        Ok(())
    }

    /// An object that was fetched, under the field's name.
    async fn child(
        &self,
        node: Node<'_>,
        field: &Field,
        (out, depth): (&mut JsonObject, usize),
        own: Shape,
    ) -> Result<(), GraphFailure> {
        if field.selection.is_empty() {
            return Err(query(format!("{} needs a selection of fields", field.name)));
        }
        if field.directive("flatten").is_some() {
            let node = Node { place: Place::Above(String::new()), ..node };
            return self.select(node, &field.selection, (out, depth + 1)).await;
        }
        let mut made = JsonObject::new();
        self.select(node, &field.selection, (&mut made, depth + 1)).await?;
        shape::put(out, field.key().to_owned(), made.into(), own);
        Ok(())
    }
}
