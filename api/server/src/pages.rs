//! The pages beside the API: one port, and one client among many. Pages reach the API through its whole endpoint,
//! middleware included, with the user's own token.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use poem::endpoint::BoxEndpoint;
use poem::http::Uri;
use poem::{Body, Endpoint, Request, Response};
use seva_fhir::clock::{Clock as _, IdSource as _, RandomIds, SystemClock};
use seva_http::{ClientAddress, TrustedProxies};
use seva_web::{ApiClient, ApiRequest, ApiResponse, ApiUnavailable, Pages, Surroundings, WebSettings, pages};

/// The first path segments that belong to the API.
const API: &[&str] = &[
    "fhir",
    "v1",
    "health",
    "docs",
    ".well-known",
    "openapi.json",
    "openapi.yaml",
    "stream-transcription",
    "medical-stream-transcription",
];

tokio::task_local! {
    /// Where the request of the page came from that is being made.
    static CLIENT: Option<IpAddr>;
}

type Api = Arc<BoxEndpoint<'static, Response>>;

/// Serves the API and the pages.
pub(crate) fn with_pages(
    api: BoxEndpoint<'static, Response>,
    settings: WebSettings,
    proxies: TrustedProxies,
) -> impl Endpoint<Output = Response> + 'static {
    let api = Arc::new(api);
    let client = Arc::new(InProcess(Arc::clone(&api)));
    Both { pages: pages(client, Arc::new(Machine), settings), api, proxies }
}

struct Both {
    api: Api,
    pages: Pages,
    proxies: TrustedProxies,
}

impl Endpoint for Both {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let first = request.uri().path().trim_start_matches('/').split('/').next().unwrap_or_default();
        if API.contains(&first) {
            return self.api.call(request).await;
        }
        let address = self.proxies.client(&request);
        CLIENT.scope(address, self.pages.call(request)).await
    }
}

/// The machine's clock and its randomness.
struct Machine;

impl Surroundings for Machine {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(SystemClock.now().micros()).unwrap_or(DateTime::UNIX_EPOCH)
    }

    fn chance(&self) -> String {
        RandomIds.new_uuid().simple().to_string()
    }
}

/// The API without a network between.
struct InProcess(Api);

#[async_trait]
impl ApiClient for InProcess {
    async fn call(&self, mut asked: ApiRequest) -> Result<ApiResponse, ApiUnavailable> {
        let body = Body::from(std::mem::take(&mut asked.body));
        self.pass_on(asked, body).await
    }

    async fn pass_on(&self, asked: ApiRequest, body: Body) -> Result<ApiResponse, ApiUnavailable> {
        let unavailable = |error: &dyn std::fmt::Display| ApiUnavailable(error.to_string());
        let uri: Uri = asked.path.parse().map_err(|error| unavailable(&error))?;
        let method = asked.method.parse().map_err(|_| ApiUnavailable("the method is unknown".to_owned()))?;
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in &asked.headers {
            request = request.header(name.as_str(), value.as_str());
        }
        if let Some(token) = &asked.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut request = request.body(body);
        request.set_data(ClientAddress(CLIENT.try_with(|address| *address).ok().flatten()));
        let mut response = self.0.get_response(request).await;
        let headers = response.headers().iter();
        let headers = headers.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        let headers = headers.collect();
        let status = response.status().as_u16();
        let body = response.take_body().into_bytes().await.map_err(|error| unavailable(&error))?;
        Ok(ApiResponse { status, headers, body })
    }
}
