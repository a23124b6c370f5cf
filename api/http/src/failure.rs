//! The one place that knows HTTP status, FHIR issue code and problem type of each failure; no `_` arm, so a new failure
//! does not compile until it is mapped.
//!
//! Inside FHIR a failure is an OperationOutcome (<https://hl7.org/fhir/R4/operationoutcome.html>), outside it is
//! `application/problem+json` (RFC 9457).

use poem::Response;
use poem::http::{StatusCode, header};
use seva_clinic::failure::ClinicError;
use seva_fhir::access::Refusal;
use seva_fhir::json::Json;
use seva_fhir::outcome::{Issue, IssueCode, OperationOutcome};
use seva_fhir::ports::StoreError;
use seva_fhir::service::FhirError;

/// The media type of FHIR JSON.
pub(crate) const FHIR_JSON: &str = "application/fhir+json";
/// The media type of FHIR XML.
pub(crate) const FHIR_XML: &str = "application/fhir+xml";
/// The media type of a problem.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// What went wrong, as a client is told.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The FHIR service refused or failed.
    #[error(transparent)]
    Fhir(#[from] FhirError),
    /// No credentials, or none that are valid.
    #[error("{0}")]
    Unauthenticated(&'static str),
    /// The request is wrong.
    #[error("{0}")]
    BadRequest(String),
    /// The caller may not.
    #[error("{0}")]
    Forbidden(String),
    /// There is nothing at this address.
    #[error("{0}")]
    NotFound(String),
    /// The address does not know the method.
    #[error("{method} is not offered here")]
    MethodNotAllowed {
        /// What was tried.
        method: String,
        /// What is offered.
        allow: &'static str,
    },
    /// The answer can't be given in the format that was asked for.
    #[error("{0}")]
    NotAcceptable(String),
    /// The body is in a format that is not read.
    #[error("{0}")]
    UnsupportedMediaType(String),
    /// The body is too large.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// There was such a thing, and it was destroyed.
    #[error("{0}")]
    Gone(&'static str),
    /// The range holds none of the bytes.
    #[error("the range lies outside the {size} bytes of the whole")]
    OutOfRange {
        /// The size of the whole.
        size: u64,
    },
    /// Something else was done meanwhile, or the state does not allow it.
    #[error("{0}")]
    Conflict(String),
    /// The version named by `If-Match` is not the current one.
    #[error("{0}")]
    Precondition(String),
    /// The request is well-formed, and can't be done.
    #[error("{0}")]
    Unprocessable(String),
    /// Too many requests.
    #[error("too many attempts: wait a minute")]
    TooMany,
    /// A service that is needed is not there; named.
    #[error("{0}")]
    ServiceUnavailable(String),
    /// Our fault; the text goes to the log only.
    #[error("{0}")]
    Internal(String),
}

struct Mapped {
    status: StatusCode,
    issues: Vec<Issue>,
}

impl Failure {
    fn mapped(&self) -> Mapped {
        let one = |status, code, text: String| Mapped { status, issues: vec![Issue::error(code, text)] };
        match self {
            Self::Fhir(error) => mapped_fhir(error),
            Self::Unauthenticated(text) => one(StatusCode::UNAUTHORIZED, IssueCode::Login, (*text).to_owned()),
            Self::BadRequest(text) => one(StatusCode::BAD_REQUEST, IssueCode::Invalid, text.clone()),
            Self::Forbidden(text) => one(StatusCode::FORBIDDEN, IssueCode::Forbidden, text.clone()),
            Self::NotFound(text) => one(StatusCode::NOT_FOUND, IssueCode::NotFound, text.clone()),
            Self::MethodNotAllowed { .. } => {
                one(StatusCode::METHOD_NOT_ALLOWED, IssueCode::NotSupported, self.to_string())
            }
            Self::NotAcceptable(text) => one(StatusCode::NOT_ACCEPTABLE, IssueCode::NotSupported, text.clone()),
            Self::UnsupportedMediaType(text) => {
                one(StatusCode::UNSUPPORTED_MEDIA_TYPE, IssueCode::NotSupported, text.clone())
            }
            Self::TooLarge { .. } => one(StatusCode::PAYLOAD_TOO_LARGE, IssueCode::TooLong, self.to_string()),
            Self::OutOfRange { .. } => one(StatusCode::RANGE_NOT_SATISFIABLE, IssueCode::Invalid, self.to_string()),
            Self::Gone(text) => one(StatusCode::GONE, IssueCode::Deleted, (*text).to_owned()),
            Self::Conflict(text) => one(StatusCode::CONFLICT, IssueCode::Conflict, text.clone()),
            Self::Precondition(text) => one(StatusCode::PRECONDITION_FAILED, IssueCode::Conflict, text.clone()),
            Self::Unprocessable(text) => one(StatusCode::UNPROCESSABLE_ENTITY, IssueCode::BusinessRule, text.clone()),
            Self::TooMany => one(StatusCode::TOO_MANY_REQUESTS, IssueCode::Throttled, self.to_string()),
            Self::ServiceUnavailable(text) => one(StatusCode::SERVICE_UNAVAILABLE, IssueCode::Transient, text.clone()),
            Self::Internal(text) => {
                tracing::error!(error = %text, "internal failure");
                one(StatusCode::INTERNAL_SERVER_ERROR, IssueCode::Exception, INTERNAL.to_owned())
            }
        }
    }

    /// Status and OperationOutcome, for an entry of a batch.
    pub(crate) fn status_and_outcome(&self) -> (StatusCode, Json) {
        let Mapped { status, issues } = self.mapped();
        (status, OperationOutcome::new(issues).to_json())
    }

    /// The failure as an OperationOutcome.
    pub fn to_outcome(&self) -> Response {
        let Mapped { status, issues } = self.mapped();
        let body = OperationOutcome::new(issues).to_json().to_bytes();
        self.decorate(Response::builder().status(status).content_type(FHIR_JSON)).body(body)
    }

    /// The failure as a problem.
    pub fn to_problem(&self) -> Response {
        let Mapped { status, issues } = self.mapped();
        let detail: Vec<&str> = issues.iter().map(|issue| issue.diagnostics.as_str()).collect();
        let body = serde_json::json!({
            "type": "about:blank",
            "title": status.canonical_reason().unwrap_or("failure"),
            "status": status.as_u16(),
            "detail": detail.join("; "),
        });
        self.decorate(Response::builder().status(status).content_type(PROBLEM_JSON)).body(body.to_string())
    }

    fn decorate(&self, response: poem::ResponseBuilder) -> poem::ResponseBuilder {
        match self {
            Self::Unauthenticated(_) => response.header(header::WWW_AUTHENTICATE, "Bearer realm=\"seva\""),
            Self::MethodNotAllowed { allow, .. } => response.header(header::ALLOW, *allow),
            Self::OutOfRange { size } => response.header(header::CONTENT_RANGE, format!("bytes */{size}")),
            Self::TooMany => response.header(header::RETRY_AFTER, "60"),
            _ => response,
        }
    }
}

const INTERNAL: &str = "something went wrong on the server; the request id finds it in the log";

fn mapped_fhir(error: &FhirError) -> Mapped {
    let one = |status, code, text: String| Mapped { status, issues: vec![Issue::error(code, text)] };
    match error {
        FhirError::Invalid(issues) => {
            // What a request names by URL and is not here is not found, as if its id had been named.
            let absent = !issues.is_empty() && issues.iter().all(|issue| issue.code == IssueCode::NotFound);
            // What is well-formed and goes against a rule of the operation can't be processed.
            let rule = !issues.is_empty() && issues.iter().all(|issue| issue.code == IssueCode::BusinessRule);
            let status = match (absent, rule) {
                (true, _) => StatusCode::NOT_FOUND,
                (false, true) => StatusCode::UNPROCESSABLE_ENTITY,
                (false, false) => StatusCode::BAD_REQUEST,
            };
            Mapped { status, issues: issues.clone() }
        }
        FhirError::Unprocessable(issues) => Mapped { status: StatusCode::UNPROCESSABLE_ENTITY, issues: issues.clone() },
        FhirError::Refused(refusal) => match refusal {
            Refusal::Role { .. }
            | Refusal::Author { .. }
            | Refusal::Bulk { .. }
            | Refusal::Logged { .. }
            | Refusal::Defined { .. }
            | Refusal::NoPractitioner { .. } => one(StatusCode::FORBIDDEN, IssueCode::Forbidden, refusal.to_string()),
        },
        FhirError::NotFound(_) | FhirError::NoVersion { .. } => {
            one(StatusCode::NOT_FOUND, IssueCode::NotFound, error.to_string())
        }
        FhirError::Gone { .. } => one(StatusCode::GONE, IssueCode::Deleted, error.to_string()),
        FhirError::Precondition { .. } => one(StatusCode::PRECONDITION_FAILED, IssueCode::Conflict, error.to_string()),
        FhirError::Busy(text) => one(StatusCode::TOO_MANY_REQUESTS, IssueCode::Throttled, text.clone()),
        FhirError::Condition(text) => one(StatusCode::PRECONDITION_FAILED, IssueCode::Conflict, text.clone()),
        FhirError::Store(store) => match store {
            StoreError::Conflict { .. } | StoreError::Exists { .. } | StoreError::Stale => {
                one(StatusCode::CONFLICT, IssueCode::Conflict, store.to_string())
            }
            StoreError::Foreign { .. } => {
                one(StatusCode::UNPROCESSABLE_ENTITY, IssueCode::BusinessRule, store.to_string())
            }
            StoreError::Cursor(cursor) => one(StatusCode::BAD_REQUEST, IssueCode::Invalid, cursor.to_string()),
            StoreError::TooLong => {
                let text = "it took longer than a statement may; ask for less at once";
                one(StatusCode::SERVICE_UNAVAILABLE, IssueCode::Timeout, text.to_owned())
            }
            StoreError::Unavailable(text) => {
                tracing::error!(error = %text, "the store is not available");
                let text = "the store is not available: try again";
                one(StatusCode::SERVICE_UNAVAILABLE, IssueCode::Transient, text.to_owned())
            }
        },
    }
}

/// What is wrong with a request, by itself.
impl From<Issue> for Failure {
    fn from(issue: Issue) -> Self {
        Self::Fhir(FhirError::Invalid(vec![issue]))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Fhir(FhirError::Store(error))
    }
}

impl From<ClinicError> for Failure {
    fn from(error: ClinicError) -> Self {
        match error {
            ClinicError::Fhir(error) => Self::Fhir(error),
            ClinicError::NotFound(_) => Self::NotFound(error.to_string()),
            ClinicError::Gone(text) => Self::Gone(text),
            ClinicError::Conflict(text) => Self::Conflict(text),
            ClinicError::Invalid(text) => Self::Unprocessable(text),
            ClinicError::Forbidden(text) => Self::Forbidden(text),
            ClinicError::Precondition { .. } => Self::Precondition(error.to_string()),
            ClinicError::Unavailable(text) => {
                tracing::error!(error = %text, "a service is not available");
                Self::ServiceUnavailable("a service that this needs is not available: see /health".to_owned())
            }
        }
    }
}

impl poem::error::ResponseError for Failure {
    fn status(&self) -> StatusCode {
        self.mapped().status
    }

    fn as_response(&self) -> Response {
        self.to_problem()
    }
}
