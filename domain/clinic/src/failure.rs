//! Why the clinic's services refuse or fail; `api/http` alone maps it to an answer (RFC 9457: <https://www.rfc-editor.org/rfc/rfc9457>).

use seva_fhir::service::FhirError;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum ClinicError {
    /// The FHIR kernel refused or failed.
    #[error(transparent)]
    Fhir(#[from] FhirError),
    /// There is no such thing for this caller.
    #[error("{0} does not exist")]
    NotFound(&'static str),
    /// There was such a thing, and it was destroyed.
    #[error("{0}")]
    Gone(&'static str),
    /// The state does not allow it, or somebody changed it meanwhile.
    #[error("{0}")]
    Conflict(String),
    /// What was sent cannot be accepted.
    #[error("{0}")]
    Invalid(String),
    /// The caller may not.
    #[error("{0}")]
    Forbidden(String),
    /// `If-Match` names another version than the current one.
    #[error("the prescription is at version {current}, If-Match names {wanted}")]
    Precondition {
        /// The current version.
        current: i32,
        /// The version in the request.
        wanted: i32,
    },
    /// A store or an engine is away; the text is for the log.
    #[error("a service is not available: {0}")]
    Unavailable(String),
}
