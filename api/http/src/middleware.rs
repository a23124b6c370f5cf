//! What every request passes: an id, a span, security headers, and errors of the router in our own words.

use std::sync::Arc;
use std::time::Instant;

use poem::http::header::{ORIGIN, VARY};
use poem::http::{HeaderName, HeaderValue, StatusCode};
use poem::middleware::Cors;
use poem::{Endpoint, EndpointExt, Middleware, Request, Response};
use seva_fhir::clock::IdSource;
use tracing::Instrument;

use crate::authentication::RequestId;
use crate::client_address::TrustedProxies;
use crate::failure::Failure;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");
/// The longest id that is taken over from a client.
const LONGEST_ID: usize = 64;
/// The longest id that is given back to a client.
const LONGEST_CORRELATION: usize = 256;

/// Gives each request an id, a span and a log line without paths' ids or queries.
pub struct RequestIds {
    ids: Arc<dyn IdSource>,
    proxies: Arc<TrustedProxies>,
}

impl RequestIds {
    /// With a source of ids, and the proxies that are believed.
    pub fn new(ids: Arc<dyn IdSource>, proxies: TrustedProxies) -> Self {
        Self { ids, proxies: Arc::new(proxies) }
    }
}

/// Lets programs in browsers call from anywhere: what they may is decided by the token that they send, and cookies don't
/// come along (<https://fetch.spec.whatwg.org/#http-cors-protocol>).
///
/// poem's `Cors` replaces `Vary`: what the answer varies by besides is laid aside and put back.
pub fn cross_origin<E: Endpoint<Output = Response> + 'static>(endpoint: E) -> impl Endpoint<Output = Response> {
    let shown = ["etag", "location", "content-location", "last-modified", "retry-after", "x-progress"];
    let shown = shown.into_iter().chain(["x-request-id", "x-correlation-id"]);
    let cors = shown.fold(Cors::new().allow_credentials(false).max_age(86_400), Cors::expose_header);
    let lay_aside = |endpoint: Arc<E>, request: Request| async move {
        // Without an origin `Cors` changes nothing.
        let is_from_elsewhere = request.headers().contains_key(ORIGIN);
        let mut response: Response = endpoint.call(request).await?;
        if is_from_elsewhere && let Some(varies) = response.headers_mut().remove(VARY) {
            response.extensions_mut().insert(Varies(varies));
        }
        Ok(response)
    };
    let put_back = |answer: poem::Result<Response>| async move {
        answer.map(|mut response| {
            if let Some(Varies(varies)) = response.extensions_mut().remove::<Varies>() {
                response.headers_mut().append(VARY, varies);
            }
            response
        })
    };
    endpoint.around(lay_aside).with(cors).after(put_back)
}

/// What an answer varies by.
#[derive(Clone)]
struct Varies(HeaderValue);

impl<E: Endpoint<Output = Response>> Middleware<E> for RequestIds {
    type Output = Identified<E>;

    fn transform(&self, endpoint: E) -> Self::Output {
        Identified { endpoint, ids: Arc::clone(&self.ids), proxies: Arc::clone(&self.proxies) }
    }
}

/// An endpoint whose requests have ids.
pub struct Identified<E> {
    endpoint: E,
    ids: Arc<dyn IdSource>,
    proxies: Arc<TrustedProxies>,
}

impl<E: Endpoint<Output = Response>> Endpoint for Identified<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let started = Instant::now();
        let id: Arc<str> = match request.header(REQUEST_ID).filter(|id| acceptable(id)) {
            Some(id) => id.into(),
            None => self.ids.new_uuid().to_string().into(),
        };
        let correlation = correlation(&request);
        let address = self.proxies.client(&request);
        request.extensions_mut().insert(RequestId { id: Arc::clone(&id), address });
        let method = request.method().clone();
        // The first two segments only: an id belongs to a patient, a query may hold a name.
        let place: String = request.uri().path().split('/').take(3).collect::<Vec<_>>().join("/");
        let span = tracing::info_span!("request", id = %id, method = %method, place = %place);
        let result = self.endpoint.call(request).instrument(span.clone()).await;
        let mut response = result.unwrap_or_else(|error| problem(&error));
        let status = response.status().as_u16();
        span.in_scope(|| tracing::debug!(status, milliseconds = started.elapsed().as_millis() as u64, "answered"));
        decorate(&mut response, &id);
        if let Some(correlation) = correlation {
            response.headers_mut().insert(CORRELATION_ID, correlation);
        }
        Ok(response)
    }
}

fn acceptable(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= LONGEST_ID
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// What the client calls the request, given back to it (R4 <https://hl7.org/fhir/R4/http.html#custom>): as it says, or the
/// id that it gave and that isn't taken over.
fn correlation(request: &Request) -> Option<HeaderValue> {
    let headers = request.headers();
    let refused = headers.get(REQUEST_ID).filter(|id| !id.to_str().is_ok_and(acceptable));
    let own = headers.get(CORRELATION_ID).or(refused)?;
    (own.len() <= LONGEST_CORRELATION).then(|| own.clone())
}

fn decorate(response: &mut Response, id: &str) {
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(REQUEST_ID, id);
    }
    headers.entry("x-content-type-options").or_insert(HeaderValue::from_static("nosniff"));
    headers.entry("cache-control").or_insert(HeaderValue::from_static("no-store"));
}

/// poem's own errors (no route, wrong method, unreadable body) in our own words: the parser's wording stays inside.
pub(crate) fn problem(error: &poem::Error) -> Response {
    if let Some(failure) = error.downcast_ref::<Failure>() {
        return failure.to_problem();
    }
    let failure = match error.status() {
        StatusCode::NOT_FOUND => Failure::NotFound("there is nothing at this address: see /docs".to_owned()),
        StatusCode::METHOD_NOT_ALLOWED => {
            Failure::MethodNotAllowed { method: "the method".to_owned(), allow: "GET, POST, PUT, DELETE" }
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Failure::UnsupportedMediaType("the body's Content-Type is not read here: see /docs".to_owned())
        }
        StatusCode::PAYLOAD_TOO_LARGE => Failure::TooLarge { limit: 0 },
        StatusCode::UNAUTHORIZED => Failure::Unauthenticated("log in first: send Authorization: Bearer <token>"),
        status if status.is_client_error() => {
            Failure::BadRequest("the request does not fit the contract: see /docs".to_owned())
        }
        _ => Failure::Internal(error.to_string()),
    };
    failure.to_problem()
}
