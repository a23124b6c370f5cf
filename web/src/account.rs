//! The own password and signing PIN, over `/v1/session` of the contract
//! (NIST SP 800-63B, <https://pages.nist.gov/800-63-3/sp800-63b.html>).

use poem::Response;
use poem::http::StatusCode;
use serde::Serialize;
use serde_json::json;

use crate::answers::{see, value};
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
}

/// Shows the two forms.
pub(crate) async fn show(pages: &Pages, asker: &Asker, query: &Fields) -> poem::Result<Response> {
    let frame = Frame::load(pages, asker).await?;
    let done = query.get("done").cloned().unwrap_or_default();
    Ok(pages.page(asker, "pages/account.html", (&frame, &AccountPage { done, ..AccountPage::default() })))
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
    let page = AccountPage { failed: what, problem, detail, ..AccountPage::default() };
    let mut response = pages.page(asker, "pages/account.html", (&Frame::load(pages, asker).await?, &page));
    response.set_status(StatusCode::UNPROCESSABLE_ENTITY);
    Ok(response)
}
