//! Which page answers which address; every page carries a strict content security policy
//! (<https://www.w3.org/TR/CSP3/>).

use std::sync::Arc;

use bytes::Bytes;
use poem::http::{Method, StatusCode};
use poem::web::Form;
use poem::{Endpoint, FromRequest, Request, RequestBody, Response};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::{ApiClient, ApiRequest, ApiResponse};
use crate::templates::render;
use crate::views::{LogInPage, MessagePage, Visit, WorklistPage, name, resources, text};
use crate::{consultation, review, session};

const STYLE: &str = include_str!("../static/seva.css");
const ICON: &str = include_str!("../static/icon.svg");
const POLICY: &str = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// How the pages are served.
#[derive(Debug, Clone)]
pub struct WebSettings {
    /// The address that browsers use.
    pub url: String,
}

/// The pages as an endpoint.
pub struct Pages {
    client: Arc<dyn ApiClient>,
    settings: WebSettings,
}

/// Makes the pages.
pub fn pages(client: Arc<dyn ApiClient>, settings: WebSettings) -> Pages {
    Pages { client, settings }
}

#[derive(Deserialize)]
struct LogInForm {
    username: String,
    password: String,
}

impl Endpoint for Pages {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let (request, mut body) = request.split();
        let path = request.uri().path().trim_matches('/').to_owned();
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["static", "seva.css"] => return Ok(Response::builder().content_type("text/css").body(STYLE)),
            ["static", "icon.svg"] => return Ok(Response::builder().content_type("image/svg+xml").body(ICON)),
            _ => {}
        }
        if request.method() == Method::POST && !session::same_origin(&request) {
            return Ok(message(StatusCode::FORBIDDEN, "The form came from another site. Nothing was changed."));
        }
        if let ["log-in"] = parts.as_slice() {
            return self.log_in(&request, &mut body).await;
        }
        let Some(token) = session::token(&request) else { return Ok(see("/log-in")) };
        let post = request.method() == Method::POST;
        match (post, parts.as_slice()) {
            (false, [""]) => Ok(see("/worklist")),
            (false, ["worklist"]) => self.worklist(&token).await,
            (false, ["patients", id]) => consultation::patient(self, &token, id).await,
            (false, ["consultations", id]) => consultation::show(self, &token, id).await,
            (false, ["consultations", id, "document.pdf"]) => review::document(self, &token, id).await,
            (true, ["consultations", id, "demo"]) => consultation::play_demo(self, &token, id).await,
            (true, ["consultations", id, place @ ..]) => {
                let Form(fields) = Form::<review::Fields>::from_request(&request, &mut body).await?;
                review::submit(self, &token, (id, place), &fields).await
            }
            (true, ["log-out"]) => self.log_out(&token).await,
            _ => Ok(message(StatusCode::NOT_FOUND, "There is no such page.")),
        }
    }
}

impl Pages {
    async fn log_in(&self, request: &Request, body: &mut RequestBody) -> poem::Result<Response> {
        if request.method() != Method::POST {
            return page("log-in.html", &LogInPage { title: "Log in", problem: String::new() });
        }
        let Form(form) = Form::<LogInForm>::from_request(request, body).await?;
        let body = json!({ "username": form.username, "password": form.password });
        let answer = self.send("POST", "/v1/sessions", None, &body).await?;
        let token = text(&value(&answer), "/token");
        if answer.status != 201 || token.is_empty() {
            let problem = "The name or the password is not right.".to_owned();
            return page("log-in.html", &LogInPage { title: "Log in", problem });
        }
        let mut response = see("/worklist");
        set_cookie(&mut response, &session::cookie(&token, &self.settings.url));
        Ok(response)
    }

    async fn log_out(&self, token: &str) -> poem::Result<Response> {
        self.send("DELETE", "/v1/session", Some(token), &Value::Null).await?;
        let mut response = see("/log-in");
        set_cookie(&mut response, &session::cookie("", &self.settings.url));
        Ok(response)
    }

    async fn worklist(&self, token: &str) -> poem::Result<Response> {
        let path = "/fhir/Encounter?_include=Encounter:patient&_sort=-_lastUpdated&_count=50";
        let bundle = self.get(token, path).await?;
        let visits = resources(&bundle, "Encounter").map(|encounter| {
            let patient = text(encounter, "/subject/reference");
            let id = patient.trim_start_matches("Patient/").to_owned();
            let found = resources(&bundle, "Patient").find(|patient| text(patient, "/id") == id);
            Visit {
                id: text(encounter, "/id"),
                name: found.map(name).unwrap_or_default(),
                patient: id,
                status: text(encounter, "/status"),
                begin: text(encounter, "/period/start"),
            }
        });
        page("worklist.html", &WorklistPage { title: "Worklist", visits: visits.collect() })
    }

    /// Reads JSON from the API; a session that ended leads to the log-in.
    pub(crate) async fn get(&self, token: &str, path: &str) -> poem::Result<Value> {
        let answer = self.send("GET", path, Some(token), &Value::Null).await?;
        match answer.status {
            200 => Ok(value(&answer)),
            401 => Err(poem::Error::from_response(see("/log-in"))),
            status => {
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
                Err(poem::Error::from_response(message(status, "This did not load. Nothing is lost. Try again.")))
            }
        }
    }

    /// Sends JSON to the API.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &Value,
    ) -> poem::Result<ApiResponse> {
        let bytes = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let request = ApiRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: bytes,
            token: token.map(str::to_owned),
        };
        self.call_api(request).await
    }

    /// Sends any request to the API.
    pub(crate) async fn call_api(&self, request: ApiRequest) -> poem::Result<ApiResponse> {
        self.client.call(request).await.map_err(|error| {
            tracing::warn!(%error, "a page could not reach the API");
            poem::Error::from_response(message(StatusCode::BAD_GATEWAY, "The server does not answer. Try again."))
        })
    }
}

/// The JSON of an answer.
pub(crate) fn value(answer: &ApiResponse) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or(Value::Null)
}

/// A redirect to another page.
pub(crate) fn see(place: &str) -> Response {
    Response::builder().status(StatusCode::SEE_OTHER).header("location", place).finish()
}

/// A page that only says something.
pub(crate) fn message(status: StatusCode, words: &str) -> Response {
    let context = MessagePage { title: "SEVA Arogya", message: words.to_owned() };
    let mut response = page("message.html", &context).unwrap_or_else(|_| Response::builder().body(words.to_owned()));
    response.set_status(status);
    response
}

/// A rendered page with its headers.
pub(crate) fn page(template: &str, context: &impl Serialize) -> poem::Result<Response> {
    let html = render(template, context).map_err(poem::error::InternalServerError)?;
    Ok(Response::builder()
        .content_type("text/html; charset=utf-8")
        .header("content-security-policy", POLICY)
        .header("x-content-type-options", "nosniff")
        .header("referrer-policy", "same-origin")
        .header("cache-control", "no-store")
        .body(html))
}

fn set_cookie(response: &mut Response, cookie: &str) {
    if let Ok(header) = cookie.parse() {
        response.headers_mut().insert("set-cookie", header);
    }
}
