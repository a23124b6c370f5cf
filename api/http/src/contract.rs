//! The contract as it is written: `/openapi.json`, `/openapi.yaml`, and Swagger UI at `/docs`.

use std::sync::Arc;

use poem::http::{StatusCode, header};
use poem::{Endpoint, Request, Response, Route, get, handler};
use utoipa_swagger_ui::Config;

/// Adds the routes of the contract.
pub(crate) fn routes(route: Route) -> Route {
    route
        .at("/openapi.json", get(json))
        .at("/openapi.yaml", get(yaml))
        .nest("/docs", SwaggerUi { config: Arc::new(Config::from("/openapi.json")) })
}

#[handler]
fn json() -> Response {
    Response::builder().content_type("application/json").body(seva_openapi::json())
}

#[handler]
fn yaml() -> Response {
    Response::builder().content_type("application/yaml").body(seva_openapi::yaml())
}

/// Swagger UI, vendored: nothing is fetched from elsewhere.
struct SwaggerUi {
    config: Arc<Config<'static>>,
}

impl Endpoint for SwaggerUi {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let path = request.uri().path().trim_start_matches('/');
        if path.is_empty() && !request.original_uri().path().ends_with('/') {
            // The page's own files are relative to it.
            let response = Response::builder().status(StatusCode::PERMANENT_REDIRECT);
            return Ok(response.header(header::LOCATION, "/docs/").finish());
        }
        let file = utoipa_swagger_ui::serve(path, Arc::clone(&self.config));
        Ok(match file {
            Ok(Some(file)) => Response::builder().content_type(&file.content_type).body(file.bytes.to_vec()),
            Ok(None) => crate::Failure::NotFound(format!("there is no file {path:?} in /docs")).to_problem(),
            Err(error) => crate::Failure::Internal(error.to_string()).to_problem(),
        })
    }
}
