//! The pages' only way to data: the HTTP API (FHIR R4 <https://hl7.org/fhir/R4/http.html> and `/v1`).

use async_trait::async_trait;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use poem::Body;

/// A request to the API.
#[derive(Debug, Clone, Default)]
pub struct ApiRequest {
    /// The HTTP method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// Headers besides the authorization.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
    /// The user's token, sent as a bearer token.
    pub token: Option<String>,
}

/// The API's answer.
#[derive(Debug, Clone, Default)]
pub struct ApiResponse {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// The API does not answer.
#[derive(Debug, thiserror::Error)]
#[error("the API does not answer: {0}")]
pub struct ApiUnavailable(pub String);

/// Calls the API.
#[async_trait]
pub trait ApiClient: Send + Sync {
    /// Sends one request and waits for its answer.
    async fn call(&self, request: ApiRequest) -> Result<ApiResponse, ApiUnavailable>;

    /// Sends one request whose body, in place of the request's own, is passed on while it arrives where that is possible.
    async fn pass_on(&self, mut request: ApiRequest, body: Body) -> Result<ApiResponse, ApiUnavailable> {
        request.body = body.into_bytes().await.map_err(|error| ApiUnavailable(error.to_string()))?;
        self.call(request).await
    }
}

/// Time and chance, which are given to the pages and not taken by them.
pub trait Surroundings: Send + Sync {
    /// The present.
    fn now(&self) -> DateTime<Utc>;

    /// A number that nobody can guess, in hexadecimal digits.
    fn chance(&self) -> String;
}
