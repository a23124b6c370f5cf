//! Conditions on records as conditions on the rows of their log.

use sea_orm::ColumnTrait;
use sea_orm::sea_query::extension::postgres::PgBinOper;
use sea_orm::sea_query::{Condition, Expr, ExprTrait, Query, SelectStatement, UnionType};
use seva_fhir::access::{AuditCondition, AuditOrder, AuditOutcome, AuditSource, Kinds, prescription_of};
use seva_fhir::search::{DateTest, Prefix};
use seva_fhir::types::{ResourceId, ResourceKey, TenantId};

use crate::entities::{audit, change, history, membership, resource};

/// After which row of a log a page goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct After {
    pub(super) at: i64,
    pub(super) number: i64,
}

/// What both logs have.
struct Columns {
    at: Expr,
    number: Expr,
    who: Expr,
    patients: Expr,
    tenant: Expr,
}

fn columns(source: AuditSource) -> Columns {
    match source {
        AuditSource::Audit => Columns {
            at: Expr::col((audit::Entity, audit::Column::At)),
            number: Expr::col((audit::Entity, audit::Column::Seq)),
            who: Expr::col((audit::Entity, audit::Column::Who)),
            patients: Expr::col((audit::Entity, audit::Column::Patients)),
            tenant: Expr::col((audit::Entity, audit::Column::Tenant)),
        },
        AuditSource::Change => Columns {
            at: Expr::col((change::Entity, change::Column::At)),
            number: Expr::col((change::Entity, change::Column::Seq)),
            who: Expr::col((change::Entity, change::Column::Who)),
            patients: Expr::col((change::Entity, change::Column::Patients)),
            tenant: Expr::col((change::Entity, change::Column::Tenant)),
        },
    }
}

/// The rows of a tenant that fit.
pub(super) fn condition(source: AuditSource, tenant: TenantId, asked: &AuditCondition) -> Condition {
    let own = columns(source).tenant.eq(tenant.get());
    Condition::all().add(own).add(each(source, tenant, asked))
}

/// The rows after a place.
pub(super) fn later(source: AuditSource, after: After, order: AuditOrder) -> Expr {
    let Columns { at, number, .. } = columns(source);
    let (row, place) = (Expr::tuple([at, number]), Expr::tuple([Expr::val(after.at), Expr::val(after.number)]));
    match order {
        AuditOrder::Newest => row.lt(place),
        AuditOrder::Oldest => row.gt(place),
    }
}

fn each(source: AuditSource, tenant: TenantId, asked: &AuditCondition) -> Condition {
    let Columns { at, number, who, patients, .. } = columns(source);
    match asked {
        AuditCondition::Id(ids) => {
            let own = ids.iter().filter(|id| id.source == source).map(|id| id.number);
            Condition::all().add(number.is_in(own))
        }
        AuditCondition::At(tests) => any(tests.iter().map(|test| time(&at, test))),
        AuditCondition::Kinds(kinds) => of_kinds(source, kinds),
        AuditCondition::Patient(ids) if ids.is_empty() => never(),
        AuditCondition::Patient(ids) => {
            // The first patient has an index of its own; the others are only looked for where there are several.
            let first = Expr::cust_with_exprs("($1)[1] = ANY($2)", [patients.clone(), Expr::val(texts(ids))]);
            let several = Expr::cust_with_exprs("cardinality($1) > 1", [patients.clone()]);
            let others = Condition::all().add(several).add(patients.binary(PgBinOper::Overlap, Expr::val(texts(ids))));
            Condition::any().add(first).add(others)
        }
        AuditCondition::NoPatient => Condition::all().add(patients.eq(Expr::val(Vec::<String>::new()))),
        AuditCondition::Agent { accounts, practitioners, patients } => {
            let acting = [(membership::Column::Practitioner, practitioners), (membership::Column::Patient, patients)];
            let mut held = never();
            if !accounts.is_empty() {
                held = held.add(who.clone().is_in(accounts.iter().map(String::as_str)));
            }
            for (column, ids) in acting.into_iter().filter(|(_, ids)| !ids.is_empty()) {
                held = held.add(who.clone().in_subquery(accounts_of(tenant, column, ids)));
            }
            held
        }
        AuditCondition::Entity(keys) => any(keys.iter().map(|key| entity(source, tenant, key))),
        AuditCondition::Any(conditions) => any(conditions.iter().map(|one| each(source, tenant, one))),
        AuditCondition::All(conditions) => {
            conditions.iter().fold(Condition::all(), |held, one| held.add(each(source, tenant, one)))
        }
        AuditCondition::Not(one) => each(source, tenant, one).not(),
    }
}

fn any(alternatives: impl Iterator<Item = Condition>) -> Condition {
    alternatives.fold(never(), Condition::add)
}

/// An OR that nothing holds of, until something is added.
fn never() -> Condition {
    Condition::any().add(Expr::val(1).eq(0))
}

fn texts(ids: &[ResourceId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

/// Records are moments: both ends of their range are the same.
fn time(at: &Expr, test: &DateTest) -> Condition {
    const DAY: i64 = 86_400_000_000;
    let at = || at.clone();
    let within = |low: i64, high: i64| Condition::all().add(at().gte(low)).add(at().lte(high));
    match test.prefix {
        Prefix::Equal => within(test.low, test.high),
        Prefix::NotEqual => within(test.low, test.high).not(),
        Prefix::Greater | Prefix::StartsAfter => Condition::all().add(at().gt(test.high)),
        Prefix::Less | Prefix::EndsBefore => Condition::all().add(at().lt(test.low)),
        Prefix::GreaterOrEqual => Condition::all().add(at().gte(test.low)),
        Prefix::LessOrEqual => Condition::all().add(at().lte(test.high)),
        Prefix::Approximately => within(test.low.saturating_sub(DAY), test.high.saturating_add(DAY)),
    }
}

fn of_kinds(source: AuditSource, kinds: &Kinds) -> Condition {
    match source {
        AuditSource::Change => {
            Condition::all().add(change::Column::Method.is_in(kinds.changed.iter().map(|method| method.code())))
        }
        AuditSource::Audit => any([AuditOutcome::Success, AuditOutcome::Refused].into_iter().map(|outcome| {
            let own = kinds.logged.iter().filter(|(_, how)| *how == outcome).map(|(action, _)| action.code());
            Condition::all().add(audit::Column::Outcome.eq(outcome.code())).add(audit::Column::Action.is_in(own))
        })),
    }
}

/// The accounts that act as these people in the tenant, those who have left among them.
fn accounts_of(tenant: TenantId, column: membership::Column, ids: &[ResourceId]) -> SelectStatement {
    Query::select()
        .expr(Expr::col((membership::Entity, membership::Column::Account)).cast_as("text"))
        .from(membership::Entity)
        .and_where(Expr::col((membership::Entity, membership::Column::Tenant)).eq(tenant.get()))
        .and_where(Expr::col((membership::Entity, column)).is_in(texts(ids)))
        .to_owned()
}

fn entity(source: AuditSource, tenant: TenantId, key: &ResourceKey) -> Condition {
    match source {
        AuditSource::Audit => Condition::any()
            .add(audit::Column::Target.eq(key.to_string()))
            .add(audit::Column::Target.eq(prescription_of(&key.to_string())))
            .add(audit::Column::Target.starts_with(format!("{key}/_history/"))),
        // A version's row in the feed bears its time, and the feed has an index by time.
        AuditSource::Change => Condition::all()
            .add(change::Column::ResourceType.eq(key.resource_type().code()))
            .add(change::Column::Id.eq(key.id().as_str()))
            .add(Expr::col((change::Entity, change::Column::At)).in_subquery(times_of(tenant, key))),
    }
}

fn times_of(tenant: TenantId, key: &ResourceKey) -> SelectStatement {
    let (kind, id) = (key.resource_type().code(), key.id().as_str());
    let past = Query::select()
        .column((history::Entity, history::Column::Updated))
        .from(history::Entity)
        .and_where(history::Column::Tenant.eq(tenant.get()))
        .and_where(history::Column::ResourceType.eq(kind))
        .and_where(history::Column::Id.eq(id))
        .to_owned();
    Query::select()
        .column((resource::Entity, resource::Column::Updated))
        .from(resource::Entity)
        .and_where(resource::Column::Tenant.eq(tenant.get()))
        .and_where(resource::Column::ResourceType.eq(kind))
        .and_where(resource::Column::Id.eq(id))
        .union(UnionType::All, past)
        .to_owned()
}
