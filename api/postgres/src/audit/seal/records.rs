//! Records of both logs in the order of their transactions, each with its digest.

use sea_orm::sea_query::{Condition, Expr};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use seva_fhir::access::{AuditSource, Digest, Stream, record_digest};
use seva_fhir::ports::StoreError;

use super::wrong;
use crate::entities::{audit, change};
use crate::failure::orm_unavailable;

/// Transaction and number: the order in which records become final.
pub(super) type Position = (i64, i64);

/// What a seal covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) tenant: i32,
    pub(super) position: Position,
    pub(super) digest: Digest,
}

/// Which records are read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    /// Only this tenant's.
    pub(super) tenant: Option<i32>,
    /// After this position.
    pub(super) from: Position,
    /// Up to this one; without it up to the oldest transaction that still runs, because what lies before it is final.
    pub(super) to: Option<Position>,
    /// At most so many.
    pub(super) limit: u64,
}

/// The records of a window, in order.
pub(super) async fn read(
    connection: &impl ConnectionTrait,
    source: AuditSource,
    window: Window,
) -> Result<Vec<Record>, StoreError> {
    match source {
        AuditSource::Audit => {
            let tenant = window.tenant.map(|tenant| audit::Column::Tenant.eq(tenant));
            let rows = within(audit::Entity::find(), window, tenant, [audit::Column::Xid, audit::Column::Seq]);
            rows.all(connection).await.map_err(orm_unavailable)?.iter().map(of_audit).collect()
        }
        AuditSource::Change => {
            let tenant = window.tenant.map(|tenant| change::Column::Tenant.eq(tenant));
            let rows = within(change::Entity::find(), window, tenant, [change::Column::Xid, change::Column::Seq]);
            rows.all(connection).await.map_err(orm_unavailable)?.iter().map(of_change).collect()
        }
    }
}

/// Transactions are compared as PostgreSQL's own type, which text converts to; the order names its columns with their
/// table, since `xid` alone would be the text that is selected, in which 9 comes after 10.
fn within<E: EntityTrait>(
    find: Select<E>,
    window: Window,
    tenant: Option<Expr>,
    [xid, seq]: [E::Column; 2],
) -> Select<E> {
    let values = |(xid, seq): Position| [sea_orm::Value::from(xid.to_string()), seq.into()];
    let end = match window.to {
        Some(to) => Expr::cust_with_values("(xid, seq) <= ($1::text::xid8, $2)", values(to)),
        None => Expr::cust("xid < pg_snapshot_xmin(pg_current_snapshot())"),
    };
    let after = Expr::cust_with_values("(xid, seq) > ($1::text::xid8, $2)", values(window.from));
    find.filter(Condition::all().add(after).add(end).add_option(tenant))
        .order_by_asc(xid)
        .order_by_asc(seq)
        .limit(window.limit)
}

fn of_audit(row: &audit::Model) -> Result<Record, StoreError> {
    let mut fields = vec![
        row.xid.clone(),
        row.seq.to_string(),
        row.at.to_string(),
        row.tenant.to_string(),
        row.who.clone(),
        row.action.clone(),
        row.outcome.clone(),
        row.target.clone(),
        row.request.clone(),
        row.query.is_some().to_string(),
        row.query.clone().unwrap_or_default(),
    ];
    fields.extend(row.patients.iter().cloned());
    record(row.tenant, (&row.xid, row.seq), (Stream::Audit, row.address.as_deref()), &fields)
}

fn of_change(row: &change::Model) -> Result<Record, StoreError> {
    let mut fields = vec![
        row.xid.clone(),
        row.seq.to_string(),
        row.rid.to_string(),
        row.at.to_string(),
        row.tenant.to_string(),
        row.version.to_string(),
        row.resource_type.to_string(),
        row.method.to_string(),
        row.id.clone(),
        row.who.clone(),
        row.request.clone(),
    ];
    fields.extend(row.patients.iter().cloned());
    record(row.tenant, (&row.xid, row.seq), (Stream::Change, row.address.as_deref()), &fields)
}

fn record(
    tenant: i32,
    (xid, seq): (&str, i64),
    (stream, address): (Stream, Option<&str>),
    fields: &[String],
) -> Result<Record, StoreError> {
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let xid = xid.parse().map_err(|_| wrong("a transaction"))?;
    Ok(Record { tenant, position: (xid, seq), digest: record_digest(stream, address, &fields) })
}

/// The stream of a log.
pub(super) fn stream_of(source: AuditSource) -> Stream {
    match source {
        AuditSource::Audit => Stream::Audit,
        AuditSource::Change => Stream::Change,
    }
}

/// What a gap is sealed as.
pub(super) fn gap_digest(number: i64) -> Digest {
    record_digest(Stream::Gap, None, &[&number.to_string()])
}
