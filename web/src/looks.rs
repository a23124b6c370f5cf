//! Who looked at a patient's record and who wrote in it: AuditEvents (FHIR R4, <https://hl7.org/fhir/R4/auditevent.html>).
//!
//! A page of its own, because asking is recorded too: nobody's name is put into the log for opening a patient.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use poem::Response;
use serde::Serialize;
use serde_json::Value;

use crate::asker::Asker;
use crate::banner::{self, Banner};
use crate::frame::Frame;
use crate::records::{items, resources, text};
use crate::routes::{Fields, Pages};

/// Records read for a page; equal ones beside each other become one line.
const MOST: usize = 200;

#[derive(Serialize)]
struct LooksPage {
    patient: Banner,
    looks: Vec<Look>,
    /// Where older ones begin; empty at the end.
    older: String,
}

/// What somebody did, once or several times in a row on one day.
#[derive(Serialize)]
struct Look {
    who: String,
    /// The end of a key: read, wrote, signed …
    what: &'static str,
    refused: bool,
    /// The last time of them.
    at: String,
    count: usize,
}

/// Shows who looked.
pub(crate) async fn show(pages: &Pages, asker: &Asker, (id, query): (&str, &Fields)) -> poem::Result<Response> {
    let from = query.get("from").map(|cursor| format!("&_cursor={}", utf8_percent_encode(cursor, NON_ALPHANUMERIC)));
    let path = format!("/fhir/AuditEvent?patient={id}&_count={MOST}{}", from.unwrap_or_default());
    let events = pages.get(asker, &path).await?;
    let frame = Frame::load(pages, asker).await?;
    let next = items(&events, "/link").find(|link| text(link, "/relation") == "next");
    let older = next.map(|link| cursor_of(&text(link, "/url"))).unwrap_or_default();
    let page = LooksPage { patient: banner::load(pages, asker, id).await?, looks: looks(&events), older };
    Ok(pages.page(asker, "pages/looks.html", (&frame, &page)))
}

fn cursor_of(url: &str) -> String {
    let query = url.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let cursor = query.split('&').find_map(|pair| pair.strip_prefix("_cursor="));
    cursor.unwrap_or_default().to_owned()
}

fn looks(events: &Value) -> Vec<Look> {
    let mut looks: Vec<Look> = Vec::new();
    for event in resources(events, "AuditEvent") {
        let agents = || items(event, "/agent");
        let user = agents().find(|agent| agent.get("requestor") == Some(&Value::Bool(true)));
        let Some(user) = user.or_else(|| agents().next()) else { continue };
        let mut who = text(user, "/name");
        for place in ["/who/display", "/who/reference", "/who/identifier/value"] {
            if who.is_empty() {
                who = text(user, place);
            }
        }
        let (what, at) = (what(event), text(event, "/recorded"));
        let refused = text(event, "/outcome") != "0" && !text(event, "/outcome").is_empty();
        let same = |last: &&mut Look| {
            (&last.who, last.what, last.refused, last.at.get(..10)) == (&who, what, refused, at.get(..10))
        };
        match looks.last_mut().filter(same) {
            Some(last) => last.count += 1,
            None => looks.push(Look { who, what, refused, at, count: 1 }),
        }
    }
    looks
}

/// The kind of record, as a reader thinks of it.
fn what(event: &Value) -> &'static str {
    match (text(event, "/type/code").as_str(), text(event, "/action").as_str()) {
        ("attest", _) => "signed",
        ("report", _) => "printed",
        ("disclose", _) => "sent",
        ("110106", _) => "exported",
        (_, "C" | "U") => "wrote",
        (_, "D") => "deleted",
        (_, _) => "read",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{cursor_of, looks};

    #[test]
    fn looks_beside_each_other_are_one_line() {
        let event = |action: &str, at: &str, name: &str| {
            json!({"resource": {"resourceType": "AuditEvent", "type": {"code": "rest"}, "action": action, "recorded": at,
                "outcome": "0", "agent": [{"who": {"display": "program"}, "requestor": false},
                    {"name": name, "who": {"display": "x"}, "requestor": true}]}})
        };
        let bundle = json!({"entry": [event("R", "2026-07-14T06:09:00Z", "Dr Kelkar"), event("E", "2026-07-14T06:07:00Z", "Dr Kelkar"),
            event("U", "2026-07-14T06:06:00Z", "Dr Kelkar"), event("R", "2026-07-13T06:06:00Z", "Sister Pinto")]});
        let found: Vec<(String, &str, usize)> =
            looks(&bundle).into_iter().map(|look| (look.who, look.what, look.count)).collect();
        let line = |who: &str, what, count| (who.to_owned(), what, count);
        assert_eq!(
            found,
            [line("Dr Kelkar", "read", 2), line("Dr Kelkar", "wrote", 1), line("Sister Pinto", "read", 1)]
        );
        assert_eq!(cursor_of("http://h/fhir/AuditEvent?patient=x&_cursor=ab-c_"), "ab-c_");
    }
}
