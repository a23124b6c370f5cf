//! The parameter registry: index rows point at a row that names a parameter and its expression (decision D3).

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use seva_fhir::parameters::{Definition, Parameters, State, own_number};
use seva_fhir::types::TenantId;
use seva_fhir_profiles::{SearchParameter, definitions};
use sqlx::PgPool;

/// The base and code of the row that compartment membership hangs on.
const COMPARTMENT: (&str, &str) = ("Patient", "_compartment");
/// A row that names how values become index rows: another way is another set of parameters, and all rows are made anew.
const WAY: [&str; 4] = ["Resource", "_index", "special", "relative canonicals by key"];
/// The bases of tenants' own parameters begin so: `own/tenant/resource/version/type`.
const OWN: &str = "own/";

/// Registry ids by the pack's ids.
pub(crate) struct Registry {
    ids: Vec<i32>,
    compartment: i32,
    set: i32,
    tenants: RwLock<HashMap<TenantId, Parameters>>,
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
        push(&mut columns, WAY);
        let mut ids = known(pool, &columns).await?;
        let way = ids.pop().ok_or(sqlx::Error::RowNotFound)?;
        let compartment = ids.pop().ok_or(sqlx::Error::RowNotFound)?;
        let set = ids.iter().copied().max().unwrap_or_default().max(compartment).max(way);
        Ok(Self { ids, compartment, set, tenants: RwLock::default() })
    }

    /// The registry's id of a parameter.
    pub(crate) fn id(&self, parameter: u32) -> Option<i32> {
        if let Some(own) = own_number(parameter) {
            return Some(own);
        }
        // The pack counts from one.
        self.ids.get(usize::try_from(parameter.checked_sub(1)?).ok()?).copied()
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

    /// The version of R4's own set: the newest registry row.
    pub(crate) fn set(&self) -> i32 {
        self.set
    }

    /// The parameters in force in a tenant.
    pub(crate) fn parameters(&self, tenant: TenantId) -> Parameters {
        let tenants = self.tenants.read().unwrap_or_else(PoisonError::into_inner);
        tenants.get(&tenant).cloned().unwrap_or_else(|| Parameters::of_pack(self.set))
    }

    /// Gives the tenants' own definitions their numbers, and puts them in force; `indexed` tells the set with which every
    /// row of a tenant is known to be indexed.
    pub(crate) async fn put_in_force(
        &self,
        pool: &PgPool,
        own: &[(TenantId, Definition)],
        indexed: &HashMap<TenantId, i32>,
    ) -> Result<(), sqlx::Error> {
        let bases: Vec<String> = own.iter().map(|(tenant, definition)| base(*tenant, definition)).collect();
        // A number is never used again: what returns is indexed again.
        sqlx::query(FORGET).bind(&bases).bind(format!("{OWN}%")).execute(pool).await?;
        let mut columns: [Vec<&str>; 4] = Default::default();
        for ((_, definition), base) in own.iter().zip(&bases) {
            push(&mut columns, [base, &definition.code, definition.kind.as_str(), &definition.expression]);
        }
        let numbers = known(pool, &columns).await?;
        let mut by_tenant: HashMap<TenantId, Vec<(i32, Definition, State)>> = HashMap::new();
        for ((tenant, definition), number) in own.iter().zip(numbers) {
            let ready = indexed.get(tenant).is_some_and(|set| *set >= number);
            let state = if ready { State::Ready } else { State::Indexing };
            by_tenant.entry(*tenant).or_default().push((number, definition.clone(), state));
        }
        let in_force = by_tenant.into_iter().map(|(tenant, own)| {
            let set = own.iter().map(|(number, ..)| *number).max().unwrap_or_default().max(self.set);
            (tenant, Parameters::with(set, &own))
        });
        *self.tenants.write().unwrap_or_else(PoisonError::into_inner) = in_force.collect();
        Ok(())
    }
}

fn base(tenant: TenantId, definition: &Definition) -> String {
    let Definition { resource, version, base, .. } = definition;
    format!("{OWN}{tenant}/{resource}/{version}/{base}")
}

fn push<'a>(columns: &mut [Vec<&'a str>; 4], row: [&'a str; 4]) {
    for (column, value) in columns.iter_mut().zip(row) {
        column.push(value);
    }
}

/// The ids of rows, which are inserted if they are not there.
async fn known(pool: &PgPool, [bases, codes, kinds, expressions]: &[Vec<&str>; 4]) -> Result<Vec<i32>, sqlx::Error> {
    sqlx::query(INSERT).bind(bases).bind(codes).bind(kinds).bind(expressions).execute(pool).await?;
    sqlx::query_scalar(SELECT).bind(bases).bind(codes).bind(kinds).bind(expressions).fetch_all(pool).await
}

const INSERT: &str = "INSERT INTO parameter (base, code, kind, expression) \
    SELECT * FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[]) n(base, code, kind, expression) \
    WHERE NOT EXISTS (SELECT FROM parameter p WHERE p.base = n.base AND p.code = n.code AND p.kind = n.kind AND p.expression = n.expression) \
    ON CONFLICT DO NOTHING";

const SELECT: &str = "SELECT p.id FROM UNNEST($1::text[], $2::text[], $3::text[], $4::text[]) \
    WITH ORDINALITY n(base, code, kind, expression, place) \
    JOIN parameter p USING (base, code, kind, expression) ORDER BY n.place";

/// Own parameters that are defined no more, with their index rows: `$1` the bases of those that are.
const FORGET: &str = "WITH p AS (DELETE FROM parameter WHERE base LIKE $2 AND base <> ALL($1) \
        RETURNING id, split_part(base, '/', 2)::int4 AS tenant), \
    t AS (DELETE FROM index_token i USING p WHERE i.tenant = p.tenant AND i.parameter = p.id), \
    r AS (DELETE FROM index_reference i USING p WHERE i.tenant = p.tenant AND i.parameter = p.id), \
    u AS (DELETE FROM index_uri i USING p WHERE i.tenant = p.tenant AND i.parameter = p.id), \
    s AS (DELETE FROM index_string i USING p WHERE i.tenant = p.tenant AND i.parameter = p.id), \
    d AS (DELETE FROM index_date i USING p WHERE i.tenant = p.tenant AND i.parameter = p.id), \
    n AS (DELETE FROM index_number i USING p WHERE i.tenant = p.tenant AND i.parameter = p.id) \
    SELECT count(*) FROM p";
