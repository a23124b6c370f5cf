//! The verify walk: the dangerous words of a consultation's dictations, from `/v1/dictations/{id}/walk` of the contract.

use poem::Response;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::answers::see;
use crate::asker::Asker;
use crate::banner::{self, Banner};
use crate::frame::Frame;
use crate::proposals::once_posted;
use crate::records::referred;
use crate::routes::{Fields, Pages};
use crate::transcript::Dictations;

#[derive(Serialize)]
struct WalkPage {
    encounter: String,
    patient: Banner,
    walks: Vec<Walk>,
    left: usize,
    stops: usize,
    /// The stop that is to be looked at now; empty at the end.
    next: String,
}

/// A walk as the contract has it.
#[derive(Deserialize, Serialize)]
struct Walk {
    dictation: String,
    left: usize,
    stops: Vec<Stop>,
}

/// A stop.
#[derive(Deserialize, Serialize)]
#[serde(rename_all(deserialize = "camelCase"))]
struct Stop {
    id: String,
    danger: String,
    text: String,
    drafted: Option<String>,
    before: String,
    after: String,
    start_ms: Option<i64>,
    end_ms: Option<i64>,
    doubt: f64,
    reason: String,
    suggested: Option<String>,
    #[serde(skip_serializing)]
    resource: Option<String>,
    /// The id of the medicine that they touch; empty where they touch none.
    #[serde(skip_deserializing)]
    medicine: String,
    mark: Option<Mark>,
}

/// What was done at a stop.
#[derive(Deserialize, Serialize)]
struct Mark {
    act: String,
    meant: Option<String>,
    applied: bool,
    learnt: bool,
}

/// Shows the walk; `after` in the address is the stop that was marked last.
pub(crate) async fn show(pages: &Pages, asker: &Asker, (id, query): (&str, &Fields)) -> poem::Result<Response> {
    let frame = Frame::load(pages, asker).await?.at(id);
    let encounter = pages.get(asker, &format!("/fhir/Encounter/{id}")).await?;
    let patient = referred(&encounter, "/subject/reference", "Patient").unwrap_or_default();
    let listed: Dictations = pages.get_as(asker, &format!("/v1/encounters/{id}/dictations")).await?;
    let mut walks: Vec<Walk> = Vec::new();
    for dictation in &listed.dictations {
        walks.push(pages.get_as(asker, &format!("/v1/dictations/{}/walk", dictation.id)).await?);
    }
    walks.retain(|walk| !walk.stops.is_empty());
    for stop in walks.iter_mut().flat_map(|walk| &mut walk.stops) {
        let touched = stop.resource.as_deref().and_then(|resource| resource.strip_prefix("MedicationRequest/"));
        stop.medicine = touched.unwrap_or_default().to_owned();
    }
    let after = query.get("after").map(String::as_str).unwrap_or_default();
    let page = WalkPage {
        encounter: id.to_owned(),
        patient: banner::load(pages, asker, &patient).await?,
        left: walks.iter().map(|walk| walk.left).sum(),
        stops: walks.iter().map(|walk| walk.stops.len()).sum(),
        next: next(&walks, after),
        walks,
    };
    Ok(pages.page(asker, "pages/walk.html", (&frame, &page)))
}

/// The first stop without a mark behind the one that was marked last, or the first of all.
fn next(walks: &[Walk], after: &str) -> String {
    let all: Vec<(String, bool)> = walks
        .iter()
        .flat_map(|walk| walk.stops.iter().map(|stop| (format!("{}-{}", stop.id, walk.dictation), stop.mark.is_none())))
        .collect();
    let behind = all.iter().skip_while(|(place, _)| place != after).find(|(_, waits)| *waits);
    let first = all.iter().find(|(_, waits)| *waits);
    behind.or(first).map(|(place, _)| place.clone()).unwrap_or_default()
}

/// Marks a stop, and goes on to the next one.
pub(crate) async fn submit(
    pages: &Pages,
    asker: &Asker,
    (encounter, dictation, stop): (&str, &str, &str),
    fields: &Fields,
) -> poem::Result<Response> {
    let field = |name: &str| fields.get(name).map(String::as_str).filter(|text| !text.is_empty());
    let mut body = json!({ "act": field("act").unwrap_or_default() });
    if let (Some(meant), Some(members)) =
        (field("meant").filter(|_| field("act") == Some("corrected")), body.as_object_mut())
    {
        members.insert("meant".to_owned(), meant.into());
    }
    let call = (format!("/v1/dictations/{dictation}/walk/{stop}"), body);
    once_posted(pages, asker, call, fields).await?;
    Ok(see(&format!("/consultations/{encounter}/walk?after={stop}-{dictation}#next")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Walk, next};

    #[test]
    fn the_walk_goes_on_behind_the_last_mark_and_comes_back_to_what_was_left() {
        let stop = |id: &str, marked: bool| {
            let mark = marked.then(|| json!({"act": "heard", "meant": null, "applied": false, "learnt": false}));
            json!({"id": id, "danger": "drug", "text": "x", "drafted": null, "before": "", "after": "", "startMs": null, "endMs": null,
                "doubt": 0.5, "reason": "unknown", "suggested": null, "resource": null, "mark": mark})
        };
        let walk = |marks: [bool; 3]| -> Vec<Walk> {
            let [a, b, c] = marks;
            let stops = json!([stop("a", a), stop("b", b), stop("c", c)]);
            vec![
                serde_json::from_value(json!({"dictation": "d", "left": 0, "stops": stops}))
                    .expect("the contract's shape"),
            ]
        };
        assert_eq!(next(&walk([false, true, false]), "b-d"), "c-d");
        assert_eq!(next(&walk([false, true, true]), "c-d"), "a-d");
        assert_eq!(next(&walk([true, true, true]), "c-d"), "");
        assert_eq!(next(&walk([false, false, false]), ""), "a-d");
    }
}
