//! What went well or wrong, in FHIR's terms (R4 <https://hl7.org/fhir/R4/operationoutcome.html>).

use std::fmt;

use crate::json::{Json, JsonObject, object};

/// How grave an issue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing is wrong.
    Information,
    /// It was done, but should be looked at.
    Warning,
    /// It was not done.
    Error,
    /// The server could not go on.
    Fatal,
}

impl Severity {
    /// Returns the code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Information => "information",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }
}

/// The kinds of issue (R4 <https://hl7.org/fhir/R4/valueset-issue-type.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IssueCode {
    /// The code `invalid`.
    Invalid,
    /// The code `structure`.
    Structure,
    /// The code `required`.
    Required,
    /// The code `value`.
    Value,
    /// The code `invariant`.
    Invariant,
    /// The code `security`.
    Security,
    /// The code `login`.
    Login,
    /// The code `unknown`.
    Unknown,
    /// The code `expired`.
    Expired,
    /// The code `forbidden`.
    Forbidden,
    /// The code `suppressed`.
    Suppressed,
    /// The code `processing`.
    Processing,
    /// The code `not-supported`.
    NotSupported,
    /// The code `duplicate`.
    Duplicate,
    /// The code `multiple-matches`.
    MultipleMatches,
    /// The code `not-found`.
    NotFound,
    /// The code `deleted`.
    Deleted,
    /// The code `too-long`.
    TooLong,
    /// The code `code-invalid`.
    CodeInvalid,
    /// The code `extension`.
    Extension,
    /// The code `too-costly`.
    TooCostly,
    /// The code `business-rule`.
    BusinessRule,
    /// The code `conflict`.
    Conflict,
    /// The code `transient`.
    Transient,
    /// The code `lock-error`.
    LockError,
    /// The code `no-store`.
    NoStore,
    /// The code `exception`.
    Exception,
    /// The code `timeout`.
    Timeout,
    /// The code `incomplete`.
    Incomplete,
    /// The code `throttled`.
    Throttled,
    /// The code `informational`.
    Informational,
}

impl IssueCode {
    /// Returns the code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Structure => "structure",
            Self::Required => "required",
            Self::Value => "value",
            Self::Invariant => "invariant",
            Self::Security => "security",
            Self::Login => "login",
            Self::Unknown => "unknown",
            Self::Expired => "expired",
            Self::Forbidden => "forbidden",
            Self::Suppressed => "suppressed",
            Self::Processing => "processing",
            Self::NotSupported => "not-supported",
            Self::Duplicate => "duplicate",
            Self::MultipleMatches => "multiple-matches",
            Self::NotFound => "not-found",
            Self::Deleted => "deleted",
            Self::TooLong => "too-long",
            Self::CodeInvalid => "code-invalid",
            Self::Extension => "extension",
            Self::TooCostly => "too-costly",
            Self::BusinessRule => "business-rule",
            Self::Conflict => "conflict",
            Self::Transient => "transient",
            Self::LockError => "lock-error",
            Self::NoStore => "no-store",
            Self::Exception => "exception",
            Self::Timeout => "timeout",
            Self::Incomplete => "incomplete",
            Self::Throttled => "throttled",
            Self::Informational => "informational",
        }
    }
}

/// One finding about a request or a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issue {
    /// How grave it is.
    pub severity: Severity,
    /// What kind it is.
    pub code: IssueCode,
    /// A sentence for the caller.
    pub diagnostics: String,
    /// The place as a simple FHIRPath, such as `Patient.birthDate`.
    pub expression: Option<String>,
}

impl Issue {
    /// Makes an issue of any severity.
    #[must_use]
    pub fn new(severity: Severity, code: IssueCode, diagnostics: impl Into<String>) -> Self {
        Self { severity, code, diagnostics: diagnostics.into(), expression: None }
    }

    /// Makes an error.
    #[must_use]
    pub fn error(code: IssueCode, diagnostics: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, diagnostics)
    }

    /// Makes a warning.
    #[must_use]
    pub fn warning(code: IssueCode, diagnostics: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, diagnostics)
    }

    /// Makes an information.
    #[must_use]
    pub fn information(diagnostics: impl Into<String>) -> Self {
        Self::new(Severity::Information, IssueCode::Informational, diagnostics)
    }

    /// Says where it is.
    #[must_use]
    pub fn at(mut self, expression: impl Into<String>) -> Self {
        self.expression = Some(expression.into());
        self
    }

    /// Tells whether it is an error or worse.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity >= Severity::Error
    }

    /// Returns it as `OperationOutcome.issue`.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut members = JsonObject::new();
        members.insert("severity", self.severity.as_str());
        members.insert("code", self.code.as_str());
        members.insert("diagnostics", self.diagnostics.as_str());
        if let Some(expression) = &self.expression {
            members.insert("expression", vec![Json::from(expression.as_str())]);
        }
        members.into()
    }
}

impl fmt::Display for Issue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.expression {
            Some(expression) => write!(formatter, "{expression}: {}", self.diagnostics),
            None => formatter.write_str(&self.diagnostics),
        }
    }
}

/// The issues that answer a request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OperationOutcome(Vec<Issue>);

impl OperationOutcome {
    /// Gathers issues.
    #[must_use]
    pub fn new(issues: Vec<Issue>) -> Self {
        Self(issues)
    }

    /// Returns the issues.
    #[must_use]
    pub fn issues(&self) -> &[Issue] {
        &self.0
    }

    /// Tells whether an issue is an error or worse.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(Issue::is_error)
    }

    /// Returns the resource; without issues it says that all is well, because R4 demands at least one.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let issues: Vec<Json> = if self.0.is_empty() {
            vec![Issue::information("no issues were found").to_json()]
        } else {
            self.0.iter().map(Issue::to_json).collect()
        };
        object([("resourceType", "OperationOutcome".into()), ("issue", issues.into())])
    }
}

impl From<Issue> for OperationOutcome {
    fn from(issue: Issue) -> Self {
        Self(vec![issue])
    }
}

impl From<Vec<Issue>> for OperationOutcome {
    fn from(issues: Vec<Issue>) -> Self {
        Self(issues)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outcome_is_never_empty() {
        let text = OperationOutcome::default().to_json().to_string();
        assert!(text.contains(r#""severity":"information""#), "{text}");
    }

    #[test]
    fn an_issue_says_where_it_is() {
        let issue = Issue::error(IssueCode::CodeInvalid, "the code is unknown").at("Patient.gender");
        let expected = r#"{"severity":"error","code":"code-invalid","diagnostics":"the code is unknown","expression":["Patient.gender"]}"#;
        assert_eq!(issue.to_json().to_string(), expected);
    }
}
