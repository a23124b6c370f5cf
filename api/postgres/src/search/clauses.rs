//! Clauses as conditions on the resource row in scope.

use seva_fhir::search::{Clause, Presence, SearchQuery, Test};
use seva_fhir::types::ResourceKey;
use seva_fhir_profiles::{SearchParameter, SearchParameterType};

use super::dates::Columns;
use super::sql::{Bind, Sql};
use super::{composites, dates, joins, numbers, references, strings, tokens};
use crate::Database;
use crate::hash::Tag;
use crate::rows::compartment_hash;

/// The condition that drives the statement, and needs no repetition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skip {
    /// The clause at this place.
    Clause(usize),
    /// The compartment.
    Compartment,
}

/// What conditions are rendered with.
pub(super) struct Scope<'a> {
    pub(super) database: &'a Database,
    /// The compartment that the access rules impose, on joined rows too.
    pub(super) compartment: Option<&'a ResourceKey>,
}

/// Appends every clause but those that drive the statement, and the compartment.
pub(super) fn push_all(database: &Database, sql: &mut Sql, query: &SearchQuery, skip: &[Skip]) {
    let scope = Scope { database, compartment: query.compartment.as_ref() };
    for (place, clause) in query.clauses.iter().enumerate() {
        if skip.contains(&Skip::Clause(place)) || matches!(clause, Clause::Recheck(_)) {
            continue;
        }
        sql.push(" AND ");
        push(&scope, sql, clause);
    }
    if let Some(patient) = query.compartment.as_ref().filter(|_| !skip.contains(&Skip::Compartment)) {
        sql.push(" AND ");
        push_compartment(database, sql, patient);
    }
}

/// Whether a clause looks at the resource's own row, not only at its number.
pub(super) fn needs_row(clause: &Clause) -> bool {
    match clause {
        Clause::Types(_) | Clause::Id(_) | Clause::LastUpdated(_) | Clause::Has(_) | Clause::List(_) => true,
        Clause::Parameter { .. } | Clause::Chain(_) | Clause::Recheck(_) => false,
        Clause::Any(clauses) | Clause::All(clauses) => clauses.iter().any(needs_row),
        Clause::Not(clause) => needs_row(clause),
    }
}

/// Appends one clause.
pub(super) fn push(scope: &Scope<'_>, sql: &mut Sql, clause: &Clause) {
    match clause {
        Clause::Types(types) => {
            let codes = types.iter().map(|own| own.code()).collect();
            sql.column("type").push(" = ANY(").bind(Bind::Int2s(codes)).push(")");
        }
        Clause::Id(ids) => {
            let ids = ids.iter().map(|id| id.as_str().to_owned()).collect();
            sql.column("id").push(" = ANY(").bind(Bind::Texts(ids)).push(")");
        }
        Clause::LastUpdated(tests) => {
            let updated = sql.named("updated");
            sql.any(tests, |sql, test| dates::push(sql, test, Columns::of_moments(&updated, &updated)));
        }
        Clause::Parameter { parameter, test } => push_test(scope.database, sql, parameter, test),
        Clause::Chain(links) => {
            sql.any(links, |sql, link| joins::chain(scope, sql, link));
        }
        Clause::Has(link) => joins::has(scope, sql, link),
        Clause::Any(clauses) => {
            sql.any(clauses, |sql, clause| push(scope, sql, clause));
        }
        Clause::All(clauses) => {
            sql.push("(true");
            for clause in clauses {
                sql.push(" AND ");
                push(scope, sql, clause);
            }
            sql.push(")");
        }
        Clause::Not(clause) => {
            sql.push("NOT (");
            push(scope, sql, clause);
            sql.push(")");
        }
        Clause::List(id) => joins::list(scope.database, sql, id),
        // Decided on the resource after the row is read: here nothing is excluded.
        Clause::Recheck(_) => {
            sql.push("true");
        }
    }
}

/// Appends that the row lies in a patient's compartment.
pub(super) fn push_compartment(database: &Database, sql: &mut Sql, patient: &ResourceKey) {
    sql.push("EXISTS (SELECT FROM index_token m WHERE m.tenant = $1 AND m.parameter = ");
    sql.bind(Bind::Int4(database.registry.compartment())).push(" AND m.value = ");
    sql.bind(Bind::Int8(compartment_hash(database, patient))).push(" AND m.rid = ").column("rid");
    sql.push(if sql.is_probing() { " OFFSET 0)" } else { ")" });
}

fn push_test(database: &Database, sql: &mut Sql, parameter: &SearchParameter, test: &Test) {
    let ids = &database.registry.found_under(parameter);
    match test {
        Test::Token(tests) => tokens::push(database, sql, parameter, tests),
        Test::NotToken(tests) => {
            sql.push("NOT ");
            tokens::push(database, sql, parameter, tests);
        }
        // Refused before a statement is made: see `search::known`.
        Test::Codes(_) | Test::Parts(_) => {
            sql.push("false");
        }
        Test::Reference(tests) => references::push(database, sql, ids, tests),
        Test::Uri(uris) => {
            let values = uris.iter().map(|uri| database.hash.of(Tag::Url, &[uri])).collect();
            hashed(sql, "index_uri", ids, values);
        }
        Test::String(how, words) => strings::push(sql, ids, *how, words),
        Test::Date(tests) => {
            open(sql, "index_date", ids);
            sql.any(tests, |sql, test| dates::push(sql, test, Columns::of_moments("x.low", "x.high")));
            close(sql, "index_date");
        }
        Test::Number(tests) => numbers::push_numbers(sql, ids, tests),
        Test::Quantity(tests) => numbers::push_quantities(database, sql, ids, tests),
        Test::Composite(tests) => composites::push(database, sql, ids, tests),
        Test::Presence(presence) => {
            if *presence == Presence::Missing {
                sql.push("NOT ");
            }
            sql.column("rid").push(" IN (SELECT x.rid FROM ").push(table_of(parameter.kind));
            sql.push(" x WHERE x.tenant = $1 AND ");
            in_parameters(sql, ids);
            sql.push(")");
        }
    }
}

/// Begins a condition on the rows of an index, of a tenant and parameters; the caller adds the rest and calls [`close`].
pub(super) fn open(sql: &mut Sql, table: &str, parameters: &[i32]) {
    if probes(sql, table) {
        sql.push("EXISTS (SELECT FROM ")
            .push(table)
            .push(" x WHERE x.rid = ")
            .column("rid")
            .push(" AND x.tenant = $1 AND ");
    } else {
        sql.column("rid").push(" IN (SELECT x.rid FROM ").push(table).push(" x WHERE x.tenant = $1 AND ");
    }
    in_parameters(sql, parameters);
    sql.push(" AND ");
}

/// Ends what [`open`] began.
pub(super) fn close(sql: &mut Sql, table: &str) {
    // Without it the planner makes a join of the probe, in an order of its own.
    sql.push(if probes(sql, table) { " OFFSET 0)" } else { ")" });
}

/// Numbers have no index that leads from a row to its values.
fn probes(sql: &Sql, table: &str) -> bool {
    sql.is_probing() && table != "index_number"
}

/// The row is one of these parameters, almost always of one.
pub(super) fn in_parameters(sql: &mut Sql, parameters: &[i32]) {
    match parameters {
        [one] => sql.push("x.parameter = ").bind(Bind::Int4(*one)),
        several => sql.push("x.parameter = ANY(").bind(Bind::Int4s(several.to_vec())).push(")"),
    };
}

pub(super) fn hashed(sql: &mut Sql, table: &str, parameters: &[i32], values: Vec<i64>) {
    open(sql, table, parameters);
    match values.as_slice() {
        [one] => sql.push("x.value = ").bind(Bind::Int8(*one)),
        _ => sql.push("x.value = ANY(").bind(Bind::Int8s(values)).push(")"),
    };
    close(sql, table);
}

/// A test that is one equality on the rows of one parameter.
#[derive(Clone, Copy, Debug)]
pub(super) struct Equality {
    pub(super) table: &'static str,
    pub(super) parameter: i32,
    pub(super) value: i64,
}

impl Equality {
    /// Appends the condition that a row `d` of the table is one of its rows.
    pub(super) fn push(&self, sql: &mut Sql) {
        sql.push(" WHERE d.tenant = $1 AND d.parameter = ").bind(Bind::Int4(self.parameter));
        sql.push(" AND d.value = ").bind(Bind::Int8(self.value));
    }
}

/// Whether a parameter is of the one type that is searched, so that its rows are of that type too.
pub(super) fn tells_type(query: &SearchQuery, parameter: &SearchParameter) -> bool {
    matches!(query.resource_types.as_slice(), [one] if one.as_str() == parameter.base)
}

/// Tells whether a test is one equality.
pub(super) fn single_equality(database: &Database, parameter: &SearchParameter, test: &Test) -> Option<Equality> {
    let (table, values) = match test {
        Test::Token(tests) if tests.iter().all(|test| tokens::system(database, test).is_none()) => {
            ("index_token", tokens::values(database, database.registry.is_qualified(parameter), tests))
        }
        Test::Reference(tests) => ("index_reference", references::local_values(database, tests)?),
        Test::Uri(uris) => ("index_uri", uris.iter().map(|uri| database.hash.of(Tag::Url, &[uri])).collect()),
        Test::Token(_) | Test::NotToken(_) | Test::Codes(_) | Test::Parts(_) | Test::String(_, _) => {
            return None;
        }
        Test::Date(_) | Test::Number(_) | Test::Quantity(_) | Test::Composite(_) | Test::Presence(_) => return None,
    };
    match (database.registry.found_under(parameter).as_slice(), values.as_slice()) {
        ([parameter], [value]) => Some(Equality { table, parameter: *parameter, value: *value }),
        _ => None,
    }
}

/// The index table of a kind of parameters.
pub(super) fn table_of(kind: SearchParameterType) -> &'static str {
    match kind {
        SearchParameterType::Reference => "index_reference",
        SearchParameterType::String => "index_string",
        SearchParameterType::Date => "index_date",
        SearchParameterType::Number | SearchParameterType::Quantity => "index_number",
        SearchParameterType::Uri => "index_uri",
        SearchParameterType::Token | SearchParameterType::Composite | SearchParameterType::Special => "index_token",
    }
}
