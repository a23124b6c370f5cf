//! Pages, redirects and errors as HTTP answers; every page carries a strict content security policy
//! (<https://www.w3.org/TR/CSP3/>).

use poem::Response;
use poem::http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Value;

use crate::asker::Asker;
use crate::client::ApiResponse;
use crate::frame::Frame;
use crate::routes::Pages;

const HEADERS: &[(&str, &str)] = &[
    (
        "content-security-policy",
        "default-src 'self'; object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("permissions-policy", "camera=(), geolocation=(), microphone=(self)"),
    ("cache-control", "no-store"),
];

/// What a page's template sees.
#[derive(Serialize)]
struct Whole<'p, P> {
    frame: &'p Frame,
    page: &'p P,
}

#[derive(Serialize)]
struct MessagePage {
    status: u16,
    /// The key of the sentence.
    message: &'static str,
    /// What the API says about it, in English; empty when it says nothing.
    detail: String,
}

/// A page that only says something.
#[derive(Clone, Copy)]
pub(crate) struct Message<'d> {
    /// The status of the answer.
    pub(crate) status: StatusCode,
    /// The key of the sentence.
    pub(crate) key: &'static str,
    /// What the API says about it.
    pub(crate) detail: &'d str,
}

impl Message<'_> {
    /// A sentence without details.
    pub(crate) const fn of(status: StatusCode, key: &'static str) -> Self {
        Self { status, key, detail: "" }
    }
}

impl Pages {
    /// A rendered page.
    pub(crate) fn page(&self, asker: &Asker, template: &str, (frame, page): (&Frame, &impl Serialize)) -> Response {
        match self.templates().render(template, asker.language, &Whole { frame, page }) {
            Ok(html) => Response::builder().content_type("text/html; charset=utf-8").body(html),
            Err(error) => {
                tracing::error!(%error, template, request = %asker.request, "a page did not render");
                StatusCode::INTERNAL_SERVER_ERROR.into()
            }
        }
    }

    /// A page that only says something.
    pub(crate) fn message(&self, asker: &Asker, message: Message<'_>) -> Response {
        let page =
            MessagePage { status: message.status.as_u16(), message: message.key, detail: message.detail.to_owned() };
        let mut response = self.page(asker, "pages/message.html", (&Frame::plain(self, asker), &page));
        if response.status().is_success() {
            response.set_status(message.status);
        }
        response
    }

    /// The same as an error, to leave a function early.
    pub(crate) fn refuse(&self, asker: &Asker, message: Message<'_>) -> poem::Error {
        poem::Error::from_response(self.message(asker, message))
    }
}

/// Sets the headers that every page carries; a page that sets its own keeps them.
pub(crate) fn secured(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().entry(*name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// A redirect to another page.
pub(crate) fn see(place: &str) -> Response {
    Response::builder().status(StatusCode::SEE_OTHER).header(header::LOCATION, place).finish()
}

/// Adds a cookie to an answer.
pub(crate) fn set_cookie(response: &mut Response, cookie: &str) {
    if let Ok(value) = cookie.parse() {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// The JSON of an answer.
pub(crate) fn value(answer: &ApiResponse) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or(Value::Null)
}
