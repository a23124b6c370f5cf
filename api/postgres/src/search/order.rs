//! In which order the rows of a page come, and where a page begins (R4 <https://hl7.org/fhir/R4/search.html#sort>).
//!
//! One date or text key walks its index; several keys, or keys that no index orders, are computed for each row.

use seva_fhir::index;
use seva_fhir::search::{Clause, CursorKey, SearchQuery, SortBy, SortKey, SortValue};
use seva_fhir::types::ResourceType;
use seva_fhir_profiles::{SearchParameter, SearchParameterType};

use super::clauses;
use super::dated::Dated;
use super::drive::Walked;
use super::sql::{Bind, Sql};
use crate::Database;

/// The order of a query.
#[derive(Clone, Debug)]
pub(super) enum Order {
    /// By row, which is the order of the driving index.
    Row,
    /// By the time of writing.
    Updated(Direction),
    /// By the one index that orders the key; then those without the element, by row.
    Walk(Walk),
    /// By the last date, descending, of the resources of a code.
    Dated(Dated),
    /// By computed keys, those without the element last.
    Keys(Vec<Key>),
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Ascending,
    Descending,
}

/// An index that is walked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    pub(super) table: &'static str,
    pub(super) column: &'static str,
    pub(super) parameter: i32,
    pub(super) direction: Direction,
    /// Whether the type of the resources follows from the parameter.
    pub(super) tells_type: bool,
}

/// A key that is computed for each row.
#[derive(Clone, Debug)]
pub(super) struct Key {
    source: Source,
    direction: Direction,
}

#[derive(Clone, Debug)]
enum Source {
    Column(&'static str, Kind),
    Index { table: &'static str, column: &'static str, parameters: Vec<i32>, kind: Kind },
    Json { paths: Vec<String>, kind: Kind },
}

/// The SQL type of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    Number,
    Text,
}

impl Direction {
    fn of(descending: bool) -> Self {
        if descending { Self::Descending } else { Self::Ascending }
    }

    pub(super) fn opposite(self) -> Self {
        Self::of(self == Self::Ascending)
    }

    /// What comes after, and how it is written.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Ascending => (" > ", " ASC"),
            Self::Descending => (" < ", " DESC"),
        }
    }
}

impl Order {
    pub(super) fn of(database: &Database, query: &SearchQuery) -> Self {
        match query.sort.as_slice() {
            [] if query.clauses.is_empty() && query.compartment.is_none() && query.resource_types.len() == 1 => {
                Self::Updated(Direction::Ascending)
            }
            [] => Self::Row,
            [SortKey { by: SortBy::LastUpdated, descending }] if query.resource_types.len() == 1 => {
                Self::Updated(Direction::of(*descending))
            }
            [SortKey { by: SortBy::Parameter(parameter), descending }] if !is_narrow(database, query) => {
                let walk = walk(database, query, parameter, Direction::of(*descending));
                walk.map_or_else(|| Self::computed(database, query), Self::Walk)
            }
            _ => Self::computed(database, query),
        }
    }

    /// The order by keys that are computed for each row.
    pub(super) fn computed(database: &Database, query: &SearchQuery) -> Self {
        Self::Keys(query.sort.iter().map(|key| Key::of(database, query, key)).collect())
    }

    /// What is walked to find the rows in their order.
    pub(super) fn walked(&self, query: &SearchQuery) -> Option<Walked> {
        match (self, query.resource_types.as_slice()) {
            (Self::Walk(walk), _) => Some(Walked { table: walk.table, column: "parameter", value: walk.parameter }),
            (Self::Updated(_), [one]) => {
                Some(Walked { table: "resource", column: "type", value: i32::from(one.code()) })
            }
            _ => None,
        }
    }

    /// A name for the seal of page links.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Row => "row".to_owned(),
            Self::Updated(direction) => format!("updated{}", direction.words().1),
            Self::Dated(dated) => format!("dated {}", dated.unit),
            Self::Walk(walk) => format!("walk {}{}", walk.parameter, walk.direction.words().1),
            Self::Keys(keys) => format!("{} keys", keys.len()),
        }
    }

    /// The keys that a row's columns `k1`, `k2` … hold.
    pub(super) fn kinds(&self) -> Vec<Kind> {
        match self {
            Self::Row => Vec::new(),
            Self::Updated(_) => vec![Kind::Integer],
            Self::Walk(walk) => vec![if walk.column == "low" { Kind::Integer } else { Kind::Text }],
            Self::Dated(_) => vec![Kind::Number, Kind::Integer],
            Self::Keys(keys) => keys.iter().map(Key::kind).collect(),
        }
    }
}

/// One patient's data, or what belongs to one resource: sorting those few is less work than walking everybody's index, and
/// one statement instead of two.
fn is_narrow(database: &Database, query: &SearchQuery) -> bool {
    let to_one = |clause: &Clause| match clause {
        Clause::Parameter { parameter, test } => {
            clauses::single_equality(database, parameter, test).is_some_and(|own| own.table == "index_reference")
        }
        _ => false,
    };
    query.compartment.is_some() || query.clauses.iter().any(to_one)
}

/// The walk of a date or text whose values all stand under one parameter.
fn walk(database: &Database, query: &SearchQuery, by: &SearchParameter, direction: Direction) -> Option<Walk> {
    let (SearchParameterType::Date | SearchParameterType::String) = by.kind else { return None };
    let (table, column) = indexed(by.kind);
    match database.registry.found_under(by).as_slice() {
        [parameter] => {
            let tells_type = clauses::tells_type(query, by);
            Some(Walk { table, column, parameter: *parameter, direction, tells_type })
        }
        _ => None,
    }
}

fn indexed(kind: SearchParameterType) -> (&'static str, &'static str) {
    match kind {
        SearchParameterType::Date => ("index_date", "low"),
        _ => ("index_string", "value"),
    }
}

impl Key {
    fn of(database: &Database, query: &SearchQuery, key: &SortKey) -> Self {
        let direction = Direction::of(key.descending);
        let source = match key.by {
            SortBy::LastUpdated => Source::Column("updated", Kind::Integer),
            SortBy::Id => Source::Column("id", Kind::Text),
            SortBy::Parameter(parameter) => match parameter.kind {
                SearchParameterType::Date | SearchParameterType::String => {
                    let (table, column) = indexed(parameter.kind);
                    let kind = if column == "low" { Kind::Integer } else { Kind::Text };
                    Source::Index { table, column, parameters: database.registry.found_under(parameter), kind }
                }
                _ => json(parameter, query.resource_types.first().copied()),
            },
        };
        Self { source, direction }
    }

    fn kind(&self) -> Kind {
        match &self.source {
            Source::Column(_, kind) | Source::Index { kind, .. } | Source::Json { kind, .. } => *kind,
        }
    }

    /// Whether the key is made from the resource's own row.
    fn needs_row(&self) -> bool {
        !matches!(self.source, Source::Index { .. })
    }

    /// Appends the lateral join that computes the key of a row as `name.v`.
    fn push_join(&self, sql: &mut Sql, row: &str, name: &str) {
        let least = if self.direction == Direction::Ascending { "min" } else { "max" };
        sql.push(" LEFT JOIN LATERAL (SELECT ");
        match &self.source {
            Source::Column(column, _) => {
                sql.push("r.").push(column).push(" AS v");
            }
            Source::Index { table, column, parameters, .. } => {
                sql.push(least).push("(x.").push(column).push(") AS v FROM ").push(table);
                sql.push(" x WHERE x.rid = ").push(row).push(".rid AND ");
                clauses::in_parameters(sql, parameters);
            }
            Source::Json { paths, kind } => {
                let value = if *kind == Kind::Number { "(j #>> '{}')::float8" } else { "(j #>> '{}') COLLATE \"C\"" };
                sql.push(least).push("(").push(value).push(") AS v FROM unnest(");
                sql.bind(Bind::Texts(paths.clone()));
                sql.push(") p, jsonb_path_query(convert_from(r.body, 'UTF8')::jsonb, p::jsonpath) j");
            }
        }
        sql.push(") ").push(name).push(" ON true");
    }
}

/// A value that no index orders is read from the resource; its path comes from the definitions, never from a request.
fn json(parameter: &SearchParameter, resource_type: Option<ResourceType>) -> Source {
    let paths = resource_type.map(|kind| index::json_paths(parameter, kind)).unwrap_or_default();
    let number = matches!(parameter.kind, SearchParameterType::Number | SearchParameterType::Quantity);
    let written = paths.iter().map(|(names, datatype)| {
        let mut path = String::from("$");
        for name in names {
            path.push('.');
            path.push('"');
            path.push_str(name);
            path.push('"');
        }
        path.push_str(match *datatype {
            "CodeableConcept" => ".coding.code",
            "Coding" => ".code",
            "Identifier" | "ContactPoint" | "Money" | "Quantity" | "Age" | "Duration" | "Distance" | "Count"
            | "SimpleQuantity" => ".value",
            "Reference" => ".reference",
            "Range" => ".low.value",
            _ => "",
        });
        path
    });
    Source::Json { paths: written.collect(), kind: if number { Kind::Number } else { Kind::Text } }
}

/// Whether a key is made from the resource's own row.
pub(super) fn needs_row(keys: &[Key]) -> bool {
    keys.iter().any(Key::needs_row)
}

/// Appends the joins that compute the keys of a row.
pub(super) fn push_joins(sql: &mut Sql, row: &str, keys: &[Key]) {
    for (place, key) in (1..).zip(keys) {
        key.push_join(sql, row, &format!("k{place}"));
    }
}

/// Appends the keys of a page whose rows were chosen before.
pub(super) fn push_page_columns(sql: &mut Sql, keys: &[Key]) {
    for place in 1..=keys.len() {
        sql.push(&format!(", p.k{place}"));
    }
}

/// Appends the keys to the columns.
pub(super) fn push_columns(sql: &mut Sql, keys: &[Key]) {
    for place in 1..=keys.len() {
        sql.push(&format!(", k{place}.v AS k{place}"));
    }
}

/// Appends the condition that a row comes after a key, and the order.
pub(super) fn push_keys(sql: &mut Sql, row: &str, keys: &[Key], after: Option<&CursorKey>) {
    if let Some(after) = after {
        sql.push(" AND (");
        for (place, key) in keys.iter().enumerate() {
            push_equal(sql, after, place);
            push_later(sql, key, after.values.get(place), place);
            sql.push(" OR ");
        }
        push_equal(sql, after, keys.len());
        sql.push(row).push(".rid > ").bind(Bind::Int8(after.rid)).push(")");
    }
    push_order(sql, row, keys, |place| format!("k{place}.v"));
}

/// Appends the order of a page whose rows were chosen before, with their keys as columns of `p`.
pub(super) fn push_chosen(sql: &mut Sql, keys: &[Key]) {
    push_order(sql, "p", keys, |place| format!("p.k{place}"));
}

fn push_order(sql: &mut Sql, row: &str, keys: &[Key], value: impl Fn(usize) -> String) {
    sql.push(" ORDER BY ");
    for (place, key) in (1..).zip(keys) {
        sql.push(&value(place)).push(key.direction.words().1).push(" NULLS LAST, ");
    }
    sql.push(row).push(".rid");
}

/// The keys before `place` are those of the cursor.
fn push_equal(sql: &mut Sql, after: &CursorKey, place: usize) {
    for (number, value) in (1..=place).zip(&after.values) {
        match value {
            Some(value) => {
                sql.push(&format!("k{number}.v = ")).bind(bind(value));
            }
            None => {
                sql.push(&format!("k{number}.v IS NULL"));
            }
        }
        sql.push(" AND ");
    }
}

fn push_later(sql: &mut Sql, key: &Key, value: Option<&Option<SortValue>>, place: usize) {
    let number = place + 1;
    match value {
        Some(Some(value)) => {
            sql.push(&format!("(k{number}.v")).push(key.direction.words().0).bind(bind(value));
            sql.push(&format!(" OR k{number}.v IS NULL)"));
        }
        // Nothing comes after what has no value.
        _ => {
            sql.push("false");
        }
    }
}

pub(super) fn bind(value: &SortValue) -> Bind {
    match value {
        SortValue::Integer(value) => Bind::Int8(*value),
        SortValue::Number(value) => Bind::Float8(*value),
        SortValue::Text(value) => Bind::Text(value.clone()),
    }
}
