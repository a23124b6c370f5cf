//! The worklist: today's FHIR R4 Encounters (<https://hl7.org/fhir/R4/encounter.html>) on a day ruler, in a table, and
//! what is to be signed.

use chrono::{DateTime, Utc};
use poem::Response;
use serde::Serialize;

use crate::asker::Asker;
use crate::banner::{AllergyView, known_allergies};
use crate::frame::{Frame, Progress, Visit};
use crate::note::{BlockerView, NoteView, Prescription};
use crate::records::{referred, resources};
use crate::routes::{Fields, Pages};

/// How many prescriptions that wait for a signature are looked into.
const LOOKED_INTO: usize = 12;
/// The ruler's grid: a cell is a quarter of an hour.
const CELL_MINUTES: i64 = 15;
const CELLS_PER_HOUR: i64 = 60 / CELL_MINUTES;

#[derive(Serialize)]
struct WorklistPage {
    today: String,
    /// Whether the visits of other doctors are shown as well.
    all: bool,
    ruler: Ruler,
    waiting: Vec<Row>,
    /// The longest wait in minutes.
    longest: i64,
    to_sign: Vec<ToSign>,
    signed: Vec<Visit>,
    over: Vec<Visit>,
}

/// A visit with what to take care of.
#[derive(Serialize)]
struct Row {
    visit: Visit,
    allergies: Vec<AllergyView>,
    none_known: bool,
    /// Minutes since the visit began; nothing before it begins.
    minutes: Option<i64>,
}

/// A prescription to be signed with what still blocks it.
#[derive(Serialize)]
struct ToSign {
    visit: Visit,
    blockers: Vec<BlockerView>,
}

/// The day from its first hour to its last.
#[derive(Serialize, Default)]
struct Ruler {
    hours: Vec<Hour>,
    blocks: Vec<Block>,
    /// The cell of the present, where it lies on the ruler.
    now: Option<i64>,
    clock: String,
}

#[derive(Serialize)]
struct Hour {
    cell: i64,
    label: String,
}

#[derive(Serialize)]
struct Block {
    cell: i64,
    number: String,
    id: String,
    name: String,
    progress: Progress,
}

/// Shows the worklist.
pub(crate) async fn show(pages: &Pages, asker: &Asker, query: &Fields) -> poem::Result<Response> {
    let frame = Frame::load(pages, asker).await?;
    let now = asker.now;
    let all = query.get("show").is_some_and(|shown| shown == "all") || frame.practitioner.is_empty();
    let visits: Vec<Visit> =
        frame.visits.iter().filter(|visit| all || is_of(visit, &frame.practitioner)).cloned().collect();
    let of = |wanted: &[Progress]| -> Vec<Visit> {
        visits.iter().filter(|visit| wanted.contains(&visit.progress)).cloned().collect()
    };
    let waiting = rows(pages, asker, (of(&[Progress::Room, Progress::Waiting]), now)).await?;
    let page = WorklistPage {
        today: now.with_timezone(&pages.zone()).date_naive().to_string(),
        all,
        ruler: ruler(&visits, pages, now),
        longest: waiting.iter().filter_map(|row| row.minutes).max().unwrap_or(0),
        waiting,
        to_sign: to_sign(pages, asker, of(&[Progress::Sign])).await?,
        signed: of(&[Progress::Signed]),
        over: of(&[Progress::Over, Progress::Absent]),
    };
    Ok(pages.page(asker, "pages/worklist.html", (&frame, &page)))
}

/// A visit is a doctor's own, or still nobody's.
fn is_of(visit: &Visit, practitioner: &str) -> bool {
    visit.doctor.is_empty() || visit.doctor == practitioner
}

async fn rows(pages: &Pages, asker: &Asker, (visits, now): (Vec<Visit>, DateTime<Utc>)) -> poem::Result<Vec<Row>> {
    if visits.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<&str> = visits.iter().map(|visit| visit.patient.as_str()).collect();
    let path = format!("/fhir/AllergyIntolerance?patient={}&_count=200", ids.join(","));
    let bundle = pages.get(asker, &path).await?;
    let of = |patient: &str| {
        let own = resources(&bundle, "AllergyIntolerance")
            .filter(|allergy| referred(allergy, "/patient/reference", "Patient").as_deref() == Some(patient));
        let entries: Vec<_> = own.map(|allergy| serde_json::json!({ "resource": allergy })).collect();
        known_allergies(&serde_json::json!({ "entry": entries }))
    };
    let rows = visits.into_iter().map(|visit| {
        let (allergies, none_known) = of(&visit.patient);
        let begin = DateTime::parse_from_rfc3339(&visit.begin).ok();
        let minutes =
            begin.map(|begin| (now - begin.with_timezone(&Utc)).num_minutes()).filter(|minutes| *minutes >= 0);
        Row { visit, allergies, none_known, minutes }
    });
    let mut rows: Vec<Row> = rows.collect();
    rows.sort_by_key(|row| row.visit.progress != Progress::Room);
    Ok(rows)
}

async fn to_sign(pages: &Pages, asker: &Asker, visits: Vec<Visit>) -> poem::Result<Vec<ToSign>> {
    let mut list = Vec::new();
    for visit in visits.into_iter().take(LOOKED_INTO) {
        let path = format!("/v1/encounters/{}/prescription", visit.id);
        let found: Prescription = pages.get_as(asker, &path).await?;
        list.push(ToSign { visit, blockers: NoteView::from(found).blockers });
    }
    Ok(list)
}

fn ruler(visits: &[Visit], pages: &Pages, now: DateTime<Utc>) -> Ruler {
    let local =
        |time: &str| DateTime::parse_from_rfc3339(time).ok().map(|time| time.with_timezone(&pages.zone()).time());
    let times: Vec<_> = visits.iter().filter_map(|visit| Some((visit, local(&visit.begin)?))).collect();
    let minute = |time: chrono::NaiveTime| {
        use chrono::Timelike as _;
        i64::from(time.hour()) * 60 + i64::from(time.minute())
    };
    let Some(first) = times.iter().map(|(_, time)| minute(*time) / 60).min() else { return Ruler::default() };
    let last = times.iter().map(|(_, time)| minute(*time) / 60).max().unwrap_or(first) + 1;
    // Grid lines count from 1.
    let cell = |minutes: i64| (minutes - first * 60) / CELL_MINUTES + 1;
    let here = now.with_timezone(&pages.zone());
    let present = minute(here.time());
    Ruler {
        hours: (first..=last)
            .map(|hour| Hour { cell: (hour - first) * CELLS_PER_HOUR + 1, label: format!("{hour}:00") })
            .collect(),
        blocks: blocks(&times, |time| cell(minute(time))),
        now: (first * 60..=last * 60 + 60).contains(&present).then(|| cell(present)),
        clock: here.format("%H:%M").to_string(),
    }
}

/// One block a visit; who comes in the same quarter of an hour stands beside, not above, the one before.
fn blocks(times: &[(&Visit, chrono::NaiveTime)], cell: impl Fn(chrono::NaiveTime) -> i64) -> Vec<Block> {
    let mut taken = 0;
    let placed = times.iter().map(|(visit, time)| {
        taken = cell(*time).max(taken + 1);
        Block {
            cell: taken,
            number: visit.number.clone(),
            id: visit.id.clone(),
            name: visit.name.clone(),
            progress: visit.progress,
        }
    });
    placed.collect()
}
