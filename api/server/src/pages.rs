//! The pages beside the API: one port, and one client among many. Pages reach the API through its whole endpoint,
//! middleware included, with the user's own token.

use poem::endpoint::BoxEndpoint;
use poem::{Endpoint, Request, Response};

/// The first path segments that belong to the API.
const API: &[&str] = &["fhir", "v1", "health", "docs", ".well-known", "openapi.json", "openapi.yaml"];

/// Serves the API and the pages.
pub(crate) fn with_pages(
    api: BoxEndpoint<'static, Response>,
    _url: &str,
) -> impl Endpoint<Output = Response> + 'static {
    Both { api }
}

struct Both {
    api: BoxEndpoint<'static, Response>,
}

impl Endpoint for Both {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let first = request.uri().path().trim_start_matches('/').split('/').next().unwrap_or_default();
        let _belongs = API.contains(&first);
        self.api.call(request).await
    }
}
