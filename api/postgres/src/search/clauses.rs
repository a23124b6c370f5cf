//! Clauses as conditions on `resource r`.

use seva_fhir::search::{Clause, Presence, SearchQuery, StringMatch, Test};
use seva_fhir_profiles::{SearchParameter, SearchParameterType};

use super::sql::{Bind, Sql};
use super::{dates, numbers, references, strings, tokens};
use crate::Database;
use crate::hash::Tag;
use crate::rows::compartment_hash;

/// Appends every clause but the one that drives the statement.
pub(super) fn push_all(database: &Database, sql: &mut Sql, query: &SearchQuery, skip: Option<usize>) {
    for (place, clause) in query.clauses.iter().enumerate() {
        if Some(place) == skip {
            continue;
        }
        sql.push(" AND ");
        match clause {
            Clause::Id(ids) => {
                let ids = ids.iter().map(|id| id.as_str().to_owned()).collect();
                sql.push("r.id = ANY(").bind(Bind::Texts(ids)).push(")");
            }
            Clause::LastUpdated(tests) => {
                sql.any(tests, |sql, test| dates::push(sql, test, "r.updated", "r.updated"));
            }
            Clause::Parameter { parameter, test } => push_test(database, sql, parameter, test),
        }
    }
    if let Some(patient) = &query.compartment {
        sql.push(" AND EXISTS (SELECT FROM index_token m WHERE m.tenant = $1 AND m.parameter = ");
        sql.bind(Bind::Int4(database.registry.compartment())).push(" AND m.value = ");
        sql.bind(Bind::Int8(compartment_hash(database, patient))).push(" AND m.rid = r.rid)");
    }
}

fn push_test(database: &Database, sql: &mut Sql, parameter: &SearchParameter, test: &Test) {
    let id = database.registry.id_of(parameter);
    match test {
        Test::Token(tests) => hashed(sql, "index_token", id, tokens::values(database, tests)),
        Test::NotToken(tests) => {
            sql.push("NOT ");
            hashed(sql, "index_token", id, tokens::values(database, tests));
        }
        Test::Reference(tests) => references::push(database, sql, id, tests),
        Test::Uri(uris) => {
            let values = uris.iter().map(|uri| database.hash.of(Tag::Url, &[uri])).collect();
            hashed(sql, "index_uri", id, values);
        }
        Test::String(how, words) => strings::push(sql, id, *how, words),
        Test::Date(tests) => {
            open(sql, "index_date", id);
            sql.any(tests, |sql, test| dates::push(sql, test, "x.low", "x.high"));
            sql.push(")");
        }
        Test::Number(tests) => numbers::push_numbers(sql, id, tests),
        Test::Quantity(tests) => numbers::push_quantities(database, sql, id, tests),
        Test::Presence(presence) => {
            if *presence == Presence::Missing {
                sql.push("NOT ");
            }
            sql.push("r.rid IN (SELECT x.rid FROM ").push(table_of(parameter.kind));
            sql.push(" x WHERE x.tenant = $1 AND x.parameter = ").bind(Bind::Int4(id)).push(")");
        }
    }
}

/// Begins `r.rid IN (SELECT … WHERE tenant and parameter AND `; the caller adds the condition and the bracket.
pub(super) fn open(sql: &mut Sql, table: &str, parameter: i32) {
    sql.push("r.rid IN (SELECT x.rid FROM ").push(table);
    sql.push(" x WHERE x.tenant = $1 AND x.parameter = ").bind(Bind::Int4(parameter)).push(" AND ");
}

pub(super) fn hashed(sql: &mut Sql, table: &str, parameter: i32, values: Vec<i64>) {
    open(sql, table, parameter);
    sql.push("x.value = ANY(").bind(Bind::Int8s(values)).push("))");
}

/// The table and hash of a test that is one equality.
pub(super) fn single_equality(database: &Database, test: &Test) -> Option<(&'static str, i64)> {
    let (table, values) = match test {
        Test::Token(tests) => ("index_token", tokens::values(database, tests)),
        Test::Reference(tests) => ("index_reference", references::local_values(database, tests)?),
        Test::Uri(uris) => ("index_uri", uris.iter().map(|uri| database.hash.of(Tag::Url, &[uri])).collect()),
        Test::NotToken(_) | Test::String(StringMatch::Prefix | StringMatch::Exact | StringMatch::Contains, _) => {
            return None;
        }
        Test::Date(_) | Test::Number(_) | Test::Quantity(_) | Test::Presence(_) => return None,
    };
    match values.as_slice() {
        [value] => Some((table, *value)),
        _ => None,
    }
}

fn table_of(kind: SearchParameterType) -> &'static str {
    match kind {
        SearchParameterType::Reference => "index_reference",
        SearchParameterType::String => "index_string",
        SearchParameterType::Date => "index_date",
        SearchParameterType::Number | SearchParameterType::Quantity => "index_number",
        SearchParameterType::Uri => "index_uri",
        SearchParameterType::Token | SearchParameterType::Composite | SearchParameterType::Special => "index_token",
    }
}
