//! The last resources of a code, and of a code and a subject, by date (decision 0009): whatever was written, changed and deleted, the walk
//! finds what the resources themselves say.

use serde_json::{Value, json};
use seva_tests::client::Client;
use seva_tests::server::TestServer;

const SYSTEM: &str = "urn:dated";

fn observation(id: &str, codes: &[&str], subject: &Value, effective: Option<(&str, Value)>) -> Value {
    let coding: Vec<Value> = codes.iter().map(|code| json!({"system": SYSTEM, "code": code})).collect();
    let mut observation = json!({
        "resourceType": "Observation", "id": id, "status": "final", "code": {"coding": coding}, "subject": subject
    });
    if codes.is_empty() {
        observation["code"] = json!({"text": "words alone"});
    }
    if let Some((name, value)) = effective {
        observation[name] = value;
    }
    observation
}

/// The ids of all pages.
async fn pages(client: &Client, query: &str) -> Vec<String> {
    let (mut found, mut next) = (Vec::new(), Some(format!("/fhir/Observation?{query}")));
    while let Some(path) = next {
        let page = client.get(&path).await.unwrap();
        assert_eq!(page.status, 200, "{path}: {}", page.issues());
        found.extend(page.matches().into_iter().map(str::to_owned));
        next = page.link("next").map(str::to_owned);
    }
    found
}

/// Whether the first page of a search is walked by date.
async fn is_walked(admin: &Client, query: &str) -> bool {
    let answer = admin.get(&format!("/fhir/Observation/$explain?{query}")).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.issues());
    answer.json.to_string().contains("s.unit = ")
}

async fn put(client: &Client, resource: &Value) {
    let path = format!("/fhir/Observation/{}", resource["id"].as_str().unwrap());
    let answer = client.put(&path, resource).await.unwrap();
    assert!(matches!(answer.status, 200 | 201), "{}", answer.issues());
}

/// Writes Observations whose dates and codes come, go and move.
async fn write_all(doctor: &Client) {
    let rane = json!({"reference": "Patient/rane"});
    let elsewhere = json!({"reference": "https://other.example.org/fhir/Patient/77"});
    let moment = |day: &str| Some(("effectiveDateTime", json!(day)));
    for resource in [
        observation("newest", &["8867-4"], &rane, moment("2026-05-02T10:00:00+05:30")),
        observation("day", &["8867-4", "other"], &rane, moment("2026-05-01")),
        observation("month", &["8867-4"], &elsewhere, moment("2026-05")),
        observation(
            "period",
            &["8867-4"],
            &rane,
            Some(("effectivePeriod", json!({"start": "2026-04-01", "end": "2026-06-01"}))),
        ),
        observation("until", &["8867-4"], &rane, Some(("effectivePeriod", json!({"end": "2026-06-01"})))),
        observation(
            "timing",
            &["8867-4"],
            &rane,
            Some(("effectiveTiming", json!({"event": ["2026-01-01", "2026-05-03", "2026-02-01"]}))),
        ),
        observation("undated", &["8867-4"], &rane, None),
        observation("later", &["8867-4"], &rane, None),
        observation("moved", &["other"], &rane, moment("2026-05-04")),
        observation("deleted", &["8867-4"], &rane, moment("2026-05-05")),
        observation("words", &[], &rane, moment("2026-05-06")),
    ] {
        put(doctor, &resource).await;
    }
    // Changed afterwards: dates and codes come, go and move.
    put(doctor, &observation("later", &["8867-4"], &rane, moment("2026-05-07"))).await;
    put(doctor, &observation("moved", &["8867-4"], &rane, moment("2026-03-01"))).await;
    assert_eq!(doctor.delete("/fhir/Observation/deleted").await.unwrap().status, 204);
}

#[tokio::test]
async fn the_last_of_a_code_are_what_the_resources_say() {
    let server = TestServer::start().await.unwrap();
    let (admin, doctor) = (server.administrator().await.unwrap(), &server.doctor);
    write_all(doctor).await;

    let all = ["later", "newest", "month", "day", "period", "moved", "timing", "until", "undated"];
    let of_rane: Vec<&str> = all.into_iter().filter(|id| *id != "month").collect();
    let code = format!("code={SYSTEM}%7C8867-4&_sort=-date");
    let queries: [(String, Vec<&str>); 8] = [
        // A month begins when its first day does, and ends later; a timing begins with its first event.
        (code.clone(), all.to_vec()),
        (format!("{code}&patient=rane"), of_rane.clone()),
        (format!("{code}&subject=Patient/rane"), of_rane.clone()),
        (format!("patient=Patient/rane&status=final&{code}"), of_rane.clone()),
        (format!("{code}&subject=https://other.example.org/fhir/Patient/77"), vec!["month"]),
        (format!("{code}&patient=rane&date=ge2026-05-02"), vec!["later", "newest", "period", "timing", "until"]),
        (format!("code={SYSTEM}%7Cother&_sort=-date"), vec!["day"]),
        (format!("{code}&patient=nobody"), Vec::new()),
    ];
    for (query, expected) in &queries {
        // A status is an equality of its own, and a rare one here.
        assert_eq!(is_walked(&admin, query).await, !query.contains("status"), "{query}");
        for count in [1, 2, 50] {
            assert_eq!(pages(doctor, &format!("{query}&_count={count}")).await, *expected, "{query} by {count}");
        }
        // The same without a walk, and the other way round.
        let otherwise = query.replace(&format!("{SYSTEM}%7C"), "");
        assert!(!is_walked(&admin, &otherwise).await, "{otherwise}");
        let mut found = pages(doctor, &otherwise).await;
        let mut ascending = pages(doctor, &query.replace("-date", "date")).await;
        let mut wanted: Vec<String> = expected.iter().map(|id| (*id).to_owned()).collect();
        for ids in [&mut found, &mut ascending, &mut wanted] {
            ids.sort_unstable();
        }
        assert_eq!((&found, &ascending), (&wanted, &wanted), "{query}");
    }
    server.stop().await.unwrap();
}
