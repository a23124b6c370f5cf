//! Moments as the database counts them: leases are compared by one clock, its own.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::ColumnTrait;
use sea_orm::sea_query::{Expr, ExprTrait};
use seva_fhir::types::Instant;

/// A domain moment as a `timestamptz`.
pub(crate) fn time(instant: Instant) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(instant.micros()).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

/// The database's time.
pub(crate) fn now() -> Expr {
    Expr::current_timestamp()
}

/// The database's time so much later.
pub(crate) fn after(duration: Duration) -> Expr {
    now().add(seconds(duration))
}

/// The database's time so much earlier.
pub(crate) fn before(duration: Duration) -> Expr {
    now().sub(seconds(duration))
}

/// Whether this moment is over.
pub(crate) fn past(column: impl ColumnTrait) -> Expr {
    column.into_expr().lt(now())
}

fn seconds(duration: Duration) -> Expr {
    Expr::cust_with_values("($1 * interval '1 second')", [duration.as_secs_f64()])
}
