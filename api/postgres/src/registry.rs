//! The parameter registry: index rows point at a row that names a parameter and its expression (decision D3).

use seva_fhir_profiles::{SearchParameter, definitions};
use sqlx::PgPool;

/// The base and code of the row that compartment membership hangs on.
const COMPARTMENT: (&str, &str) = ("Patient", "_compartment");

/// Registry ids by the pack's ids.
#[derive(Debug)]
pub(crate) struct Registry {
    ids: Vec<i32>,
    compartment: i32,
    set: i32,
}

impl Registry {
    /// Writes the parameters that the registry does not know yet, and reads their ids.
    pub(crate) async fn load(pool: &PgPool) -> Result<Self, sqlx::Error> {
        let parameters = definitions().all_search_parameters();
        let mut columns: [Vec<&str>; 4] = Default::default();
        for parameter in parameters {
            push(&mut columns, [parameter.base, parameter.code, parameter.kind.as_str(), parameter.expression]);
        }
        push(&mut columns, [COMPARTMENT.0, COMPARTMENT.1, "token", ""]);
        let [bases, codes, kinds, expressions] = &columns;
        sqlx::query(INSERT).bind(bases).bind(codes).bind(kinds).bind(expressions).execute(pool).await?;
        let mut ids: Vec<i32> =
            sqlx::query_scalar(SELECT).bind(bases).bind(codes).bind(kinds).bind(expressions).fetch_all(pool).await?;
        let compartment = ids.pop().ok_or(sqlx::Error::RowNotFound)?;
        let set = ids.iter().copied().max().unwrap_or_default().max(compartment);
        Ok(Self { ids, compartment, set })
    }

    /// The registry's id of a pack parameter.
    pub(crate) fn id(&self, parameter: u16) -> Option<i32> {
        self.ids.get(usize::from(parameter)).copied()
    }

    /// The registry's id of a parameter.
    pub(crate) fn id_of(&self, parameter: &SearchParameter) -> i32 {
        // A parameter comes from the pack that the registry was loaded from; no row has id zero.
        self.id(parameter.id).unwrap_or_default()
    }

    /// The id that compartment rows hang on.
    pub(crate) fn compartment(&self) -> i32 {
        self.compartment
    }

    /// The version of the parameter set: the newest registry row.
    pub(crate) fn set(&self) -> i32 {
        self.set
    }
}

fn push<'a>(columns: &mut [Vec<&'a str>; 4], row: [&'a str; 4]) {
    for (column, value) in columns.iter_mut().zip(row) {
        column.push(value);
    }
}

const INSERT: &str = "INSERT INTO parameter (base, code, kind, expression) \
    SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[]) n(base, code, kind, expression) \
    WHERE NOT EXISTS (SELECT FROM parameter p WHERE p.base = n.base AND p.code = n.code AND p.kind = n.kind AND p.expression = n.expression) \
    ON CONFLICT DO NOTHING";

const SELECT: &str = "SELECT p.id FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[]) \
    WITH ORDINALITY n(base, code, kind, expression, place) \
    JOIN parameter p USING (base, code, kind, expression) ORDER BY n.place";
