//! Which page answers which address, and the one way to the API (FHIR R4 RESTful API,
//! <https://hl7.org/fhir/R4/http.html>).

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use chrono_tz::Tz;
use poem::http::{Method, StatusCode};
use poem::web::Form;
use poem::{Body, Endpoint, FromRequest, Request, RequestBody, Response};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::answers::{Message, secured, see, set_cookie, value};
use crate::asker::Asker;
use crate::client::{ApiClient, ApiRequest, ApiResponse, ApiUnavailable, Surroundings};
use crate::session::{FORM_TOKEN, Life, cookie, same_origin};
use crate::templates::Templates;
use crate::{
    account, assets, choices, commands, consent, consultation, log_in, looks, patient, patients, prescription,
    proposals, registration, review, translation, voice, walk, worklist,
};

/// The fields of a form.
pub(crate) type Fields = HashMap<String, String>;

/// How the pages are served.
#[derive(Debug, Clone)]
pub struct WebSettings {
    /// The address that browsers use.
    pub url: String,
    /// The hospital's time zone.
    pub zone: Tz,
}

/// The pages as an endpoint.
pub struct Pages {
    client: Arc<dyn ApiClient>,
    surroundings: Arc<dyn Surroundings>,
    settings: WebSettings,
    templates: Templates,
}

/// Makes the pages.
pub fn pages(client: Arc<dyn ApiClient>, surroundings: Arc<dyn Surroundings>, settings: WebSettings) -> Pages {
    let templates = Templates::new(settings.zone);
    Pages { client, surroundings, settings, templates }
}

impl Endpoint for Pages {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let path = request.uri().path().trim_matches('/').to_owned();
        let place: Vec<&str> = path.split('/').collect();
        let asker = Asker::of(&request, self.surroundings.as_ref());
        if let ["static", file @ ..] = place.as_slice() {
            let found = assets::serve(&request, file);
            return Ok(found.unwrap_or_else(|| secured(self.message(&asker, NO_PAGE))));
        }
        let answer = if request.method() == Method::POST {
            self.post(request, &asker, &place).await
        } else {
            self.show(request, &asker, &place).await
        };
        let mut response = answer.unwrap_or_else(poem::Error::into_response);
        if asker.is_new {
            set_cookie(&mut response, &cookie((FORM_TOKEN, &asker.form_token), Life::Session, &self.settings.url));
        }
        Ok(secured(response))
    }
}

const NO_PAGE: Message<'static> = Message::of(StatusCode::NOT_FOUND, "error-no-page");
const OTHER_SITE: Message<'static> = Message::of(StatusCode::FORBIDDEN, "error-other-site");

impl Pages {
    async fn show(&self, request: Request, asker: &Asker, place: &[&str]) -> poem::Result<Response> {
        if let ["log-in"] = place {
            return log_in::show(self, asker).await;
        }
        if asker.token.is_empty() {
            return Ok(see("/log-in"));
        }
        match place {
            [""] => Ok(see("/worklist")),
            ["worklist"] => worklist::show(self, asker, &query(&request)).await,
            ["account"] => account::show(self, asker, &query(&request)).await,
            ["patients"] => patients::show(self, asker, &query(&request)).await,
            ["patients", id] => patient::show(self, asker, id).await,
            ["patients", id, "looks"] => looks::show(self, asker, (id, &query(&request))).await,
            ["consultations", id] => consultation::show(self, asker, (id, &query(&request))).await,
            ["consultations", id, "prescription"] => prescription::show(self, asker, (id, &query(&request))).await,
            // The answer to a translation is kept nowhere, so its address shows the prescription.
            ["consultations", id, "prescription", "translation"] => {
                Ok(see(&format!("/consultations/{id}/prescription")))
            }
            ["consultations", id, "walk"] => walk::show(self, asker, (id, &query(&request))).await,
            ["consultations", id, "document.pdf"] => prescription::document(self, asker, (id, &query(&request))).await,
            ["consultations", id, place @ ..] => voice::show(self, asker, &request, (id, place)).await,
            _ => Ok(self.message(asker, NO_PAGE)),
        }
    }

    async fn post(&self, request: Request, asker: &Asker, place: &[&str]) -> poem::Result<Response> {
        if !same_origin(&request) {
            return Ok(self.message(asker, OTHER_SITE));
        }
        let (request, mut body) = request.split();
        if let ["consultations", id, place @ ..] = place
            && voice::takes(place)
        {
            return voice::post(self, asker, (&request, &mut body), (id, place)).await;
        }
        if let ["consultations", id, "commands"] = place {
            return commands::submit(self, asker, (&request, &mut body), id).await;
        }
        let fields = self.fields(&request, &mut body, asker).await?;
        match place {
            ["log-in"] => return log_in::submit(self, asker, &fields).await,
            ["choices"] => return Ok(choices::submit(self, &fields)),
            _ if asker.token.is_empty() => return Ok(see("/log-in")),
            _ => {}
        }
        match place {
            ["log-out"] => log_in::leave(self, asker).await,
            ["account", "password"] => account::submit(self, asker, ("password", &fields)).await,
            ["account", "pin"] => account::submit(self, asker, ("pin", &fields)).await,
            ["account", "lexicon"] => account::forget(self, asker, &fields).await,
            ["patients"] => registration::patient(self, asker, &fields).await,
            ["patients", id, "visits"] => registration::visit(self, asker, (id, &fields)).await,
            ["patients", id, "allergies"] => registration::allergy(self, asker, (id, &fields)).await,
            ["consultations", id, "consent"] => consent::record(self, asker, (id, &fields)).await,
            ["consultations", id, "consent", "withdraw"] => consent::withdraw(self, asker, id).await,
            ["consultations", id, "proposals", dictation, number] => {
                proposals::submit(self, asker, (id, dictation, number), &fields).await
            }
            ["consultations", id, "walk", dictation, stop] => {
                walk::submit(self, asker, (id, dictation, stop), &fields).await
            }
            ["consultations", id, "prescription", "translation"] => {
                translation::submit(self, asker, (id, &fields)).await
            }
            ["consultations", id, place @ ..] => review::submit(self, asker, (id, place), &fields).await,
            _ => Ok(self.message(asker, NO_PAGE)),
        }
    }

    /// The fields of a form that one of our pages sent.
    pub(crate) async fn fields(
        &self,
        request: &Request,
        body: &mut RequestBody,
        asker: &Asker,
    ) -> poem::Result<Fields> {
        let Form(fields) = Form::<Fields>::from_request(request, body).await?;
        let given = fields.get("form_token").map(String::as_str).unwrap_or_default();
        if asker.sent(given) || asker.sent_in_header(request) {
            Ok(fields)
        } else {
            Err(self.refuse(asker, OTHER_SITE))
        }
    }

    /// Reads JSON from the API; a session that ended leads to the log-in.
    pub(crate) async fn get(&self, asker: &Asker, path: &str) -> poem::Result<Value> {
        let answer = self.send(asker, ("GET", path), &Value::Null).await?;
        self.read(asker, &answer)
    }

    /// Reads JSON from the API into a type.
    pub(crate) async fn get_as<T: DeserializeOwned>(&self, asker: &Asker, path: &str) -> poem::Result<T> {
        let found = self.get(asker, path).await?;
        serde_json::from_value(found).map_err(|error| {
            tracing::error!(%error, request = %asker.request, "the API answered in another shape than a page reads");
            self.refuse(asker, Message::of(StatusCode::BAD_GATEWAY, "error-not-loaded"))
        })
    }

    /// The JSON of an answer to a read; any other answer becomes a page that says so.
    pub(crate) fn read(&self, asker: &Asker, answer: &ApiResponse) -> poem::Result<Value> {
        let refused = |status, key| Err(self.refuse(asker, Message::of(status, key)));
        match answer.status {
            200 => Ok(value(answer)),
            401 => Err(poem::Error::from_response(see("/log-in"))),
            403 => refused(StatusCode::FORBIDDEN, "error-not-allowed"),
            404 | 410 => refused(StatusCode::NOT_FOUND, "error-not-found"),
            status => refused(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY), "error-not-loaded"),
        }
    }

    /// Sends JSON to the API; `call` is the method and the path.
    pub(crate) async fn send(&self, asker: &Asker, call: (&str, &str), body: &Value) -> poem::Result<ApiResponse> {
        let bytes = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        let (method, path) = call;
        let kind = if path.starts_with("/fhir") { "application/fhir+json" } else { "application/json" };
        let request = ApiRequest {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: vec![("content-type".to_owned(), kind.to_owned())],
            body: bytes,
            token: None,
        };
        self.call_api(asker, request).await
    }

    /// Sends any request to the API, with the asker's rights and under the page's request number.
    pub(crate) async fn call_api(&self, asker: &Asker, request: ApiRequest) -> poem::Result<ApiResponse> {
        let answer = self.client.call(signed(asker, request)).await;
        answer.map_err(|error| self.unanswered(asker, &error))
    }

    /// The same with a body that is passed on while it arrives.
    pub(crate) async fn pass_on(&self, asker: &Asker, request: ApiRequest, body: Body) -> poem::Result<ApiResponse> {
        let answer = self.client.pass_on(signed(asker, request), body).await;
        answer.map_err(|error| self.unanswered(asker, &error))
    }

    fn unanswered(&self, asker: &Asker, error: &ApiUnavailable) -> poem::Error {
        tracing::warn!(%error, request = %asker.request, "a page could not reach the API");
        self.refuse(asker, Message::of(StatusCode::BAD_GATEWAY, "error-no-answer"))
    }

    /// The hospital's zone.
    pub(crate) const fn zone(&self) -> Tz {
        self.settings.zone
    }

    /// The address that browsers use.
    pub(crate) fn url(&self) -> &str {
        &self.settings.url
    }

    pub(crate) const fn templates(&self) -> &Templates {
        &self.templates
    }
}

/// The request in the asker's name.
fn signed(asker: &Asker, mut request: ApiRequest) -> ApiRequest {
    request.headers.push(("x-request-id".to_owned(), asker.request.clone()));
    request.token = Some(asker.token.clone()).filter(|token| !token.is_empty());
    request
}

/// The fields of a query.
fn query(request: &Request) -> Fields {
    request.params().unwrap_or_default()
}
