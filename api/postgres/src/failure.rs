//! Driver errors, told apart by their SQLSTATE and mapped once; their text goes to the log, never to a client.

use sea_orm::{DbErr, RuntimeErr};
use seva_fhir::ports::StoreError;

/// PostgreSQL's `unique_violation`.
const UNIQUE_VIOLATION: &str = "23505";
/// `query_canceled`: `statement_timeout` was reached.
const QUERY_CANCELED: &str = "57014";
/// `serialization_failure` and `deadlock_detected`: the whole transaction is tried again (decision D5).
const RETRYABLE: &[&str] = &["40001", "40P01"];

pub(crate) fn unavailable(error: sqlx::Error) -> StoreError {
    store_error(&error)
}

pub(crate) fn orm_unavailable(error: DbErr) -> StoreError {
    match &error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => store_error(error),
        _ => StoreError::Unavailable(error.to_string()),
    }
}

fn store_error(error: &sqlx::Error) -> StoreError {
    if code_of(error).as_deref() == Some(QUERY_CANCELED) {
        return StoreError::TooLong;
    }
    StoreError::Unavailable(error.to_string())
}

pub(crate) fn is_unique_violation(error: &sqlx::Error) -> bool {
    code_of(error).as_deref() == Some(UNIQUE_VIOLATION)
}

pub(crate) fn is_retryable(error: &sqlx::Error) -> bool {
    code_of(error).is_some_and(|code| RETRYABLE.contains(&code.as_str()))
}

fn code_of(error: &sqlx::Error) -> Option<String> {
    error.as_database_error()?.code().map(std::borrow::Cow::into_owned)
}
