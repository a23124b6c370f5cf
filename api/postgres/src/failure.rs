//! Driver errors, told apart by their SQLSTATE and mapped once; their text goes to the log, never to a client.

use seva_fhir::ports::StoreError;

/// PostgreSQL's `unique_violation`.
const UNIQUE_VIOLATION: &str = "23505";
/// `query_canceled`: `statement_timeout` was reached.
const QUERY_CANCELED: &str = "57014";
/// `serialization_failure` and `deadlock_detected`: the whole transaction is tried again (decision D5).
const RETRYABLE: &[&str] = &["40001", "40P01"];

pub(crate) fn unavailable(error: sqlx::Error) -> StoreError {
    if code_of(&error).as_deref() == Some(QUERY_CANCELED) {
        return StoreError::TooLong;
    }
    StoreError::Unavailable(error.to_string())
}

pub(crate) fn orm_unavailable(error: sea_orm::DbErr) -> StoreError {
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
