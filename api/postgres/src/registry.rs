//! The parameter registry: index rows point at a row that names a parameter and its expression (decision D3).

mod forget;

use std::collections::{BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock};

use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseConnection, DbErr, EntityTrait, QueryFilter};
use seva_fhir::index::{CONTAINED, has_systems, made_of, narrower_than};
use seva_fhir::parameters::{Definition, Parameters, State, own_number};
use seva_fhir::types::TenantId;
use seva_fhir_profiles::{SearchParameter, definitions};

use crate::entities::parameter::{self, Column};

/// The base and code of the row that compartment membership hangs on.
const COMPARTMENT: (&str, &str) = ("Patient", "_compartment");
/// The base and code of the row that the types of contained resources hang on.
const INSIDE: Row<'static> = ["Resource", "_contained", "token", ""];
/// The base and code of the row that the dates of resources of a code hang on.
const DATED: Row<'static> = ["Resource", "_dated", "composite", ""];
/// Types whose resources of a code are often asked for in the order of their dates, and their parameters.
const DATED_TYPES: [&str; 3] = ["Observation", "DiagnosticReport", "Procedure"];
const ROLES: [(&str, Role); 4] =
    [("code", Role::Code), ("date", Role::Date), ("subject", Role::Subject), ("patient", Role::Patient)];
/// A row that names how values become index rows: another way is another set of parameters, and all rows are made anew.
const WAY: Row<'static> = ["Resource", "_index", "special", "systems in the low bits; ß as ss; versions elsewhere"];
/// What every resource has stands in its row.
const COLUMNS: [&str; 2] = ["_id", "_lastUpdated"];
/// The bases of tenants' own parameters begin so: `own/tenant/resource/version/type`.
const OWN: &str = "own/";
/// So many rows are inserted at once: a statement takes at most 65,535 values.
const CHUNK: usize = 10_000;

/// How the values of a parameter of the pack are indexed.
#[derive(Clone, Debug, Default)]
struct Way {
    is_qualified: bool,
    /// The registry's ids of the parameters that it is made of.
    parts: Vec<i32>,
    /// The registry's ids under which some of its values are found.
    narrower: Vec<i32>,
    /// Its value is a column of the resource's row.
    is_column: bool,
    role: Option<(&'static str, Role)>,
}

/// What a parameter is for resources that stand in the order of their dates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Code,
    Date,
    /// Whom the resource is about.
    Subject,
    /// The same, where it is a patient.
    Patient,
}

/// Base, code, kind and expression.
type Row<'a> = [&'a str; 4];

/// A parameter whose values get rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Indexed {
    /// Its number in the registry.
    pub(crate) id: i32,
    /// Whether its codes may have a system.
    pub(crate) is_qualified: bool,
}

/// Registry ids by the pack's ids.
pub(crate) struct Registry {
    ids: Vec<i32>,
    /// Those without a system and those that are found under others, by the pack's ids.
    ways: Vec<Way>,
    compartment: i32,
    contained: i32,
    dated: i32,
    set: i32,
    tenants: RwLock<HashMap<TenantId, Parameters>>,
}

impl Registry {
    /// Writes the parameters that the registry does not know yet, and reads their ids.
    pub(crate) async fn load(orm: &DatabaseConnection) -> Result<Self, DbErr> {
        let parameters = definitions().all_search_parameters();
        let mut rows: Vec<Row<'_>> = parameters
            .iter()
            .map(|parameter| [parameter.base, parameter.code, parameter.kind.as_str(), parameter.expression])
            .collect();
        rows.push([COMPARTMENT.0, COMPARTMENT.1, "token", ""]);
        rows.push(WAY);
        rows.push(INSIDE);
        rows.push(DATED);
        let mut ids = known(orm, &rows).await?;
        let dated = ids.pop().ok_or_else(missing)?;
        let contained = ids.pop().ok_or_else(missing)?;
        let way = ids.pop().ok_or_else(missing)?;
        let compartment = ids.pop().ok_or_else(missing)?;
        let id = |parameter: &SearchParameter| place(parameter.id).and_then(|place| ids.get(place).copied());
        let ways = parameters.iter().map(|parameter| Way {
            is_qualified: has_systems(parameter),
            parts: made_of(parameter).iter().filter_map(|part| id(part)).collect(),
            narrower: narrower_than(parameter).iter().filter_map(|own| id(own)).collect(),
            is_column: parameter.base == "Resource" && COLUMNS.contains(&parameter.code),
            role: role(parameter),
        });
        let ways = ways.collect();
        let set = ids.iter().copied().max().unwrap_or_default().max(compartment).max(way).max(contained).max(dated);
        Ok(Self { ids, ways, compartment, contained, dated, set, tenants: RwLock::default() })
    }

    /// The registry's id of a parameter.
    pub(crate) fn id(&self, parameter: u32) -> Option<i32> {
        if let Some(own) = own_number(parameter) {
            return Some(own);
        }
        self.ids.get(place(parameter)?).copied()
    }

    /// How the values of a parameter are indexed; one that is found under others, or in the resource's row, has no rows.
    pub(crate) fn indexed(&self, parameter: u32) -> Option<Indexed> {
        if parameter == CONTAINED {
            return Some(Indexed { id: self.contained, is_qualified: false });
        }
        let way = self.way(parameter);
        let id = self.id(parameter).filter(|_| way.is_none_or(|way| way.parts.is_empty() && !way.is_column))?;
        Some(Indexed { id, is_qualified: way.is_none_or(|way| way.is_qualified) })
    }

    /// The registry's ids under whose rows the values of a parameter are found.
    pub(crate) fn found_under(&self, parameter: &SearchParameter) -> Vec<i32> {
        match self.way(parameter.id) {
            Some(way) if !way.parts.is_empty() => way.parts.clone(),
            way => {
                let narrower = way.into_iter().flat_map(|way| way.narrower.iter().copied());
                std::iter::once(self.id_of(parameter)).chain(narrower).collect()
            }
        }
    }

    /// The registry's id of a text parameter whose values are partly found under others, and theirs.
    pub(crate) fn partly_under(&self, parameter: u32) -> Option<(i32, &[i32])> {
        let way = self.way(parameter).filter(|way| !way.narrower.is_empty())?;
        Some((self.id(parameter)?, &way.narrower))
    }

    /// Whether the codes of a parameter may have a system.
    pub(crate) fn is_qualified(&self, parameter: &SearchParameter) -> bool {
        self.way(parameter.id).is_none_or(|way| way.is_qualified)
    }

    /// Own parameters have no way of their own.
    fn way(&self, parameter: u32) -> Option<&Way> {
        if own_number(parameter).is_some() { None } else { self.ways.get(place(parameter)?) }
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

    /// The id that the types of contained resources hang on.
    pub(crate) fn contained(&self) -> i32 {
        self.contained
    }

    /// The id that the dates of resources of a code hang on.
    pub(crate) fn dated(&self) -> i32 {
        self.dated
    }

    /// What a parameter is for resources that stand in the order of their dates, and their type.
    pub(crate) fn role(&self, parameter: u32) -> Option<(&'static str, Role)> {
        self.way(parameter)?.role
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
    /// row of a tenant is known to be indexed, `incomplete` the tenants of which rows are left without R4's own set.
    pub(crate) async fn put_in_force(
        &self,
        orm: &DatabaseConnection,
        own: &[(TenantId, Definition)],
        (indexed, incomplete): (&HashMap<TenantId, i32>, &[TenantId]),
    ) -> Result<(), DbErr> {
        let bases: Vec<String> = own.iter().map(|(tenant, definition)| base(*tenant, definition)).collect();
        // A number is never used again: what returns is indexed again.
        orm.execute(&forget::forget(OWN, &bases)).await?;
        let rows: Vec<Row<'_>> = own
            .iter()
            .zip(&bases)
            .map(|((_, definition), base)| [base, &*definition.code, definition.kind.as_str(), &*definition.expression])
            .collect();
        let numbers = known(orm, &rows).await?;
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
        let mut in_force: HashMap<TenantId, Parameters> = in_force.collect();
        for tenant in incomplete {
            let parameters = in_force.remove(tenant).unwrap_or_else(|| Parameters::of_pack(self.set));
            in_force.insert(*tenant, parameters.incomplete());
        }
        *self.tenants.write().unwrap_or_else(PoisonError::into_inner) = in_force;
        Ok(())
    }
}

fn role(parameter: &SearchParameter) -> Option<(&'static str, Role)> {
    let (_, role) = ROLES.iter().find(|(code, _)| *code == parameter.code)?;
    DATED_TYPES.contains(&parameter.base).then_some((parameter.base, *role))
}

/// The pack counts from one.
fn place(parameter: u32) -> Option<usize> {
    usize::try_from(parameter.checked_sub(1)?).ok()
}

fn base(tenant: TenantId, definition: &Definition) -> String {
    let Definition { resource, version, base, .. } = definition;
    format!("{OWN}{tenant}/{resource}/{version}/{base}")
}

/// The ids of rows, which are inserted if they are not there.
async fn known(orm: &DatabaseConnection, rows: &[Row<'_>]) -> Result<Vec<i32>, DbErr> {
    let mut ids = stored(orm, rows).await?;
    let new: Vec<&Row<'_>> = rows.iter().filter(|row| !ids.contains_key(&owned(row))).collect();
    if !new.is_empty() {
        for new in new.chunks(CHUNK) {
            let models = new.iter().map(|[base, code, kind, expression]| parameter::ActiveModel {
                base: Set((*base).to_owned()),
                code: Set((*code).to_owned()),
                kind: Set((*kind).to_owned()),
                expression: Set((*expression).to_owned()),
                ..Default::default()
            });
            // Another node may write them at the same time.
            let identity = [Column::Base, Column::Code, Column::Kind, Column::Expression];
            let insert = parameter::Entity::insert_many(models).on_conflict_do_nothing_on(identity);
            insert.exec_without_returning(orm).await?;
        }
        ids = stored(orm, rows).await?;
    }
    rows.iter().map(|row| ids.get(&owned(row)).copied().ok_or_else(missing)).collect()
}

/// What the registry has of the bases of these rows.
async fn stored(orm: &DatabaseConnection, rows: &[Row<'_>]) -> Result<HashMap<[String; 4], i32>, DbErr> {
    let bases: BTreeSet<String> = rows.iter().map(|[base, ..]| (*base).to_owned()).collect();
    if bases.is_empty() {
        return Ok(HashMap::new());
    }
    let known = parameter::Entity::find().filter(Column::Base.eq_any(bases)).all(orm).await?;
    let key = |row: parameter::Model| ([row.base, row.code, row.kind, row.expression], row.id);
    Ok(known.into_iter().map(key).collect())
}

fn owned(row: &Row<'_>) -> [String; 4] {
    row.map(str::to_owned)
}

fn missing() -> DbErr {
    DbErr::RecordNotFound("a row of the parameter registry".to_owned())
}
