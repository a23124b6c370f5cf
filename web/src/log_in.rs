//! Logging in and out, over `/v1/sessions` of the contract.

use poem::Response;
use poem::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};

use crate::answers::{see, set_cookie, value};
use crate::asker::Asker;
use crate::frame::Frame;
use crate::records::text;
use crate::routes::{Fields, Pages};
use crate::session::{Life, SESSION, cookie};

#[derive(Serialize, Default)]
struct LogInPage {
    /// The key of what went wrong; empty at first.
    problem: &'static str,
    username: String,
}

/// Shows the form.
pub(crate) async fn show(pages: &Pages, asker: &Asker) -> poem::Result<Response> {
    Ok(pages.page(asker, "pages/log-in.html", (&Frame::plain(pages, asker), &LogInPage::default())))
}

/// Opens a session.
pub(crate) async fn submit(pages: &Pages, asker: &Asker, fields: &Fields) -> poem::Result<Response> {
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let body = json!({ "username": field("username"), "password": field("password") });
    let nobody = Asker { token: String::new(), ..asker.clone() };
    let answer = pages.send(&nobody, ("POST", "/v1/sessions"), &body).await?;
    let token = text(&value(&answer), "/token");
    if answer.status == 201 && !token.is_empty() {
        let mut response = see("/worklist");
        set_cookie(&mut response, &cookie((SESSION, &token), Life::Session, pages.url()));
        return Ok(response);
    }
    let problem = match answer.status {
        429 => "log-in-too-many",
        400..=499 => "log-in-wrong",
        _ => "error-no-answer",
    };
    let page = LogInPage { problem, username: field("username") };
    let mut response = pages.page(asker, "pages/log-in.html", (&Frame::plain(pages, asker), &page));
    response.set_status(StatusCode::UNPROCESSABLE_ENTITY);
    Ok(response)
}

/// Ends the session.
pub(crate) async fn leave(pages: &Pages, asker: &Asker) -> poem::Result<Response> {
    pages.send(asker, ("DELETE", "/v1/session"), &Value::Null).await?;
    let mut response = see("/log-in");
    set_cookie(&mut response, &cookie((SESSION, ""), Life::End, pages.url()));
    Ok(response)
}
