//! What a query has to fetch (R4 <https://hl7.org/fhir/R4/graphql.html#searching>): what a reference names, lists of what
//! refers to a resource or fits a search, and connections, which are lists in pages.

use std::sync::atomic::Ordering;

use super::{GraphFailure, MOST_FETCHES, Walk, query};
use crate::graphql::Field;
use crate::graphql::shape::{Node, Shape};
use crate::json::{Json, JsonObject};
use crate::ports::SearchPage;
use crate::search::{Cursor, SearchQuery, Searched, Total};
use crate::service::update::stored_json;
use crate::types::{ResourceKey, ResourceType};

/// How a list is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    List,
    Connection,
}

/// The type and the form that a field such as `ConditionList` names.
fn named(field: &Field) -> Option<(ResourceType, Form)> {
    let forms = [("List", Form::List), ("Connection", Form::Connection)];
    forms.into_iter().find_map(|(end, form)| Some((field.name.strip_suffix(end)?.parse().ok()?, form)))
}

/// A search parameter as an argument names it: GraphQL's names have no hyphens.
fn parameter(argument: &str) -> String {
    match argument.strip_prefix('_') {
        Some(rest) => format!("_{}", rest.replace('_', "-")),
        None => argument.replace('_', "-"),
    }
}

impl Walk<'_> {
    /// Counts a fetch.
    fn spend(&self) -> Result<(), GraphFailure> {
        if self.fetches.fetch_add(1, Ordering::Relaxed) < MOST_FETCHES {
            return Ok(());
        }
        Err(query(format!("the query needs more than {MOST_FETCHES} reads and searches")))
    }

    pub(super) async fn read(&self, key: &ResourceKey) -> Result<Json, GraphFailure> {
        self.spend()?;
        Ok(stored_json(&self.service.read(self.caller, key).await?)?)
    }

    /// The resource that a Reference names; one that is not there is an error unless it is `optional`.
    pub(super) async fn referred(
        &self,
        node: &Node<'_>,
        field: &Field,
        (out, depth): (&mut JsonObject, usize),
    ) -> Result<(), GraphFailure> {
        let Some(target) = node.value.get_str("reference") else { return Ok(()) };
        let kind = self.variables.text(&field.arguments, "type")?;
        let fits = |resource: &Json| kind.as_deref().is_none_or(|kind| resource.get_str("resourceType") == Some(kind));
        if let Some(id) = target.strip_prefix('#') {
            let contained = node.resource.get("contained").map_or(&[][..], Json::items);
            let Some(found) = contained.iter().find(|one| one.get_str("id") == Some(id)) else { return Ok(()) };
            return match fits(found) {
                true => self.child(Node::of_resource(found), field, (out, depth), Shape::One).await,
                false => Ok(()),
            };
        }
        let optional = self.variables.text(&field.arguments, "optional")?.as_deref() == Some("true");
        let base = self.service.base_url();
        let local = target.strip_prefix(base).map_or(target, |rest| rest.trim_start_matches('/'));
        let found = match local.parse::<ResourceKey>() {
            Ok(key) if kind.as_deref().is_some_and(|kind| key.resource_type().as_str() != kind) => return Ok(()),
            Ok(key) => self.read(&key).await,
            Err(_) => Err(query(format!("{target} is not a resource of this server"))),
        };
        match found {
            Ok(resource) => self.child(Node::of_resource(&resource), field, (out, depth), Shape::One).await,
            Err(_) if optional => Ok(()),
            Err(failure) => Err(failure),
        }
    }

    /// A list or a connection; tells whether the field is one.
    pub(super) async fn listed(
        &self,
        node: Option<&Node<'_>>,
        field: &Field,
        (out, depth): (&mut JsonObject, usize),
    ) -> Result<bool, GraphFailure> {
        let Some((kind, form)) = named(field) else { return Ok(false) };
        let search = self.search_of(node, kind, field)?;
        self.spend()?;
        let page = self.service.search(self.caller, search.clone()).await?;
        if form == Form::Connection {
            let connection = self.connection(field, (&search, &page), depth).await?;
            out.insert(field.key(), connection);
            return Ok(true);
        }
        let one = field.directive("first").is_some() || field.directive("singleton").is_some();
        let own = if one { Shape::One } else { Shape::Many };
        if own == Shape::Many && field.directive("flatten").is_none() && page.matches.is_empty() {
            out.insert(field.key(), Vec::<Json>::new());
        }
        let most = if field.directive("first").is_some() { 1 } else { usize::MAX };
        for stored in page.matches.iter().take(most) {
            let resource = stored_json(stored)?;
            self.child(Node::of_resource(&resource), field, (out, depth), own).await?;
        }
        Ok(true)
    }

    fn search_of(
        &self,
        node: Option<&Node<'_>>,
        kind: ResourceType,
        field: &Field,
    ) -> Result<SearchQuery, GraphFailure> {
        let mut pairs = Vec::new();
        let mut cursor = None;
        for (name, value) in &field.arguments {
            let text = self.variables.texts(value)?.join(",");
            match name.as_str() {
                "_reference" => {
                    let node = node.ok_or_else(|| query("_reference is for lists within a resource"))?;
                    let place = (node.value.get_str("resourceType"), node.value.get_str("id"));
                    let (Some(own), Some(id)) = place else { return Err(query("the resource has no id")) };
                    pairs.push((parameter(&text), format!("{own}/{id}")));
                }
                "_cursor" => cursor = Some(Cursor::from_text(text)).filter(|cursor| !cursor.as_str().is_empty()),
                _ => pairs.push((parameter(name), text)),
            }
        }
        if node.is_some() && !field.arguments.iter().any(|(name, _)| name == "_reference") {
            return Err(query(format!("{} within a resource needs the argument _reference", field.name)));
        }
        let mut search = self.service.strict_search(self.caller, kind, &pairs)?;
        search.cursor = cursor;
        if search.contained.searched != Searched::Outside {
            return Err(query("contained resources are not listed here: ask for `contained` of a resource".to_owned()));
        }
        let counts = field
            .selection
            .iter()
            .any(|one| matches!(one, crate::graphql::Selection::Field(own) if own.name == "count"));
        if counts && field.name.ends_with("Connection") {
            search.total = Total::Accurate;
        }
        Ok(search)
    }

    async fn connection(
        &self,
        field: &Field,
        (search, page): (&SearchQuery, &SearchPage),
        depth: usize,
    ) -> Result<Json, GraphFailure> {
        let mut made = JsonObject::new();
        for own in self.fields_of(&field.selection, None, depth + 1)? {
            let value: Json = match own.name.as_str() {
                "count" => page.total.map_or(Json::Null, |total| Json::Number(total.to_string().into())),
                "pagesize" => Json::Number(search.count.to_string().into()),
                // Pages are told apart by their keys, not by how many matches came before them.
                "offset" | "previous" | "last" => Json::Null,
                "first" => "".into(),
                "next" => page.next.as_ref().map_or(Json::Null, |cursor| cursor.as_str().into()),
                "edges" => self.edges(own, page, depth + 1).await?,
                other => return Err(query(format!("a connection has no field {other}"))),
            };
            made.insert(own.key(), value);
        }
        Ok(made.into())
    }

    async fn edges(&self, field: &Field, page: &SearchPage, depth: usize) -> Result<Json, GraphFailure> {
        let mut edges = Vec::with_capacity(page.matches.len());
        for stored in &page.matches {
            let mut edge = JsonObject::new();
            for own in self.fields_of(&field.selection, None, depth + 1)? {
                match own.name.as_str() {
                    "mode" => drop(edge.insert(own.key(), "match")),
                    "score" => drop(edge.insert(own.key(), Json::Null)),
                    "resource" => {
                        let resource = stored_json(stored)?;
                        self.child(Node::of_resource(&resource), own, (&mut edge, depth + 1), Shape::One).await?;
                    }
                    other => return Err(query(format!("an edge has no field {other}"))),
                }
            }
            edges.push(Json::from(edge));
        }
        Ok(edges.into())
    }
}
