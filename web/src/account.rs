//! The own password and signing PIN, over `/v1/session` of the contract
//! (NIST SP 800-63B, <https://pages.nist.gov/800-63-3/sp800-63b.html>).

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use poem::Response;
use poem::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::answers::{Message, see, value};
use crate::asker::Asker;
use crate::frame::Frame;
use crate::records::text;
use crate::routes::{Fields, Pages};

#[derive(Serialize, Default)]
struct AccountPage {
    /// What was done: `password`, `pin`, or nothing yet.
    done: String,
    /// Which form did not succeed.
    failed: &'static str,
    /// The key of what went wrong.
    problem: &'static str,
    /// What the API said about it, in English.
    detail: String,
    /// What the doctor's own lexicon has learnt.
    names: Vec<LearntName>,
}

/// A name of the lexicon.
#[derive(Deserialize, Serialize)]
struct LearntName {
    heard: String,
    meant: String,
    times: u32,
}

/// Shows the two forms.
pub(crate) async fn show(pages: &Pages, asker: &Asker, query: &Fields) -> poem::Result<Response> {
    let frame = Frame::load(pages, asker).await?;
    let done = query.get("done").cloned().unwrap_or_default();
    let names = lexicon(pages, asker).await?;
    Ok(pages.page(asker, "pages/account.html", (&frame, &AccountPage { done, names, ..AccountPage::default() })))
}

/// The caller's own lexicon; who is no practitioner has none.
async fn lexicon(pages: &Pages, asker: &Asker) -> poem::Result<Vec<LearntName>> {
    let answer = pages.send(asker, ("GET", "/v1/lexicon"), &Value::Null).await?;
    let names = value(&answer).get("names").cloned().unwrap_or_default();
    Ok(serde_json::from_value(names).unwrap_or_default())
}

/// Forgets a name of the lexicon.
pub(crate) async fn forget(pages: &Pages, asker: &Asker, fields: &Fields) -> poem::Result<Response> {
    let heard = fields.get("heard").map(String::as_str).unwrap_or_default();
    let path = format!("/v1/lexicon/{}", utf8_percent_encode(heard, NON_ALPHANUMERIC));
    let answer = pages.send(asker, ("DELETE", &path), &Value::Null).await?;
    match answer.status {
        // It is gone already, by the first of two clicks.
        204 | 404 => Ok(see("/account#lexicon")),
        401 => Ok(see("/log-in")),
        _ => Ok(pages.message(asker, Message::of(StatusCode::BAD_GATEWAY, "error-not-saved"))),
    }
}

/// Changes one of the two.
pub(crate) async fn submit(
    pages: &Pages,
    asker: &Asker,
    (what, fields): (&'static str, &Fields),
) -> poem::Result<Response> {
    let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
    let same = field("new") == field("again");
    let body = match what {
        "pin" => json!({ "password": field("current"), "pin": field("new") }),
        _ => json!({ "current": field("current"), "new": field("new") }),
    };
    let (problem, detail) = if same {
        let answer = pages.send(asker, ("PUT", &format!("/v1/session/{what}")), &body).await?;
        let problem = match answer.status {
            204 => return Ok(see(&format!("/account?done={what}"))),
            401 => return Ok(see("/log-in")),
            429 => "log-in-too-many",
            403 | 422 => "error-secret-refused",
            _ => "error-no-answer",
        };
        (problem, text(&value(&answer), "/detail"))
    } else {
        ("error-secret-differs", String::new())
    };
    let names = lexicon(pages, asker).await?;
    let page = AccountPage { failed: what, problem, detail, names, ..AccountPage::default() };
    let mut response = pages.page(asker, "pages/account.html", (&Frame::load(pages, asker).await?, &page));
    response.set_status(StatusCode::UNPROCESSABLE_ENTITY);
    Ok(response)
}
