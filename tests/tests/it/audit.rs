//! The audit log as AuditEvents (decision D19): rendered when they are read, searched, paged, and shown to those who may.

use std::collections::HashSet;

use base64::Engine;
use serde_json::{Value, json};
use seva_server::demo::TENANT;
use seva_tests::client::{Answer, Client};
use seva_tests::server::{NewAccount, TestServer};

const AUDITOR: NewAccount<'static> =
    NewAccount { tenant: TENANT, username: "auditor", role: "auditor", practitioner: None, patient: None };

/// Searches until so many match: reads are written within 100 ms.
async fn found(client: &Client, query: &str, least: usize) -> Answer {
    for _ in 0..100 {
        let answer = client.get(&format!("/fhir/AuditEvent?{query}")).await.unwrap();
        assert_eq!(answer.status, 200, "{query}: {}", answer.issues());
        if answer.matches().len() >= least {
            return answer;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("{query} never found {least}");
}

fn events(answer: &Answer) -> Vec<Value> {
    answer.json["entry"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .map(|e| e["resource"].clone())
        .collect()
}

fn code(event: &Value) -> &str {
    event.pointer("/subtype/0/code").or_else(|| event.pointer("/type/code")).and_then(Value::as_str).unwrap()
}

fn names(event: &Value, reference: &str) -> bool {
    event["entity"].as_array().unwrap().iter().any(|entity| entity["what"]["reference"] == reference)
}

fn observation() -> Value {
    json!({"resourceType": "Observation", "id": "pulse", "status": "final", "code": {"text": "pulse"},
        "subject": {"reference": "Patient/rane"}, "valueQuantity": {"value": 72}})
}

#[tokio::test]
async fn reads_searches_and_writes_are_audit_events() {
    let server = TestServer::start().await.unwrap();
    let (doctor, auditor) = (&server.doctor, server.account(AUDITOR).await.unwrap());
    assert_eq!(doctor.put("/fhir/Observation/pulse", &observation()).await.unwrap().status, 201);
    assert_eq!(doctor.put("/fhir/Observation/pulse", &observation()).await.unwrap().status, 200);
    assert_eq!(doctor.get("/fhir/Observation/pulse/_history/1").await.unwrap().status, 200);
    assert_eq!(doctor.get("/fhir/Observation?subject=Patient/rane&code:text=pulse").await.unwrap().status, 200);
    assert_eq!(doctor.get("/fhir/Observation/pulse/_history").await.unwrap().status, 200);
    assert_eq!(doctor.delete("/fhir/Observation/pulse").await.unwrap().status, 204);

    let about = found(&auditor, "entity=Observation/pulse", 5).await;
    let of_it = events(&about);
    let codes: Vec<&str> = of_it.iter().map(code).collect();
    assert_eq!(codes, ["delete", "history-instance", "vread", "update", "update"], "newest first");
    let actions: Vec<&Value> = of_it.iter().map(|event| &event["action"]).collect();
    assert_eq!(actions, ["D", "R", "R", "U", "U"]);
    assert!(names(&of_it[0], "Observation/pulse/_history/3") && names(&of_it[0], "Patient/rane"), "{}", of_it[0]);
    assert!(names(&of_it[2], "Observation/pulse/_history/1"), "{}", of_it[2]);
    for event in &of_it {
        let who = &event["agent"][0];
        assert_eq!((&who["who"]["reference"], &who["requestor"]), (&json!("Practitioner/kelkar"), &json!(true)));
        assert_eq!(who["network"], json!({"address": "127.0.0.1", "type": "2"}));
        assert_eq!((&event["outcome"], &event["source"]["site"]), (&json!("0"), &json!(TENANT)));
        assert!(event["entity"].as_array().unwrap().iter().any(|e| e["type"]["code"] == "XrequestId"), "{event}");
        let valid = auditor.post("/fhir/AuditEvent/$validate", event).await.unwrap();
        assert!(!valid.issues().contains("\"error\""), "{}: {event}", valid.issues());
        let read = auditor.get(&format!("/fhir/AuditEvent/{}", event["id"].as_str().unwrap())).await.unwrap();
        assert_eq!((read.status, &read.json), (200, event), "the same when it is read");
    }
    let searched = found(&auditor, "subtype=search-type&agent=Practitioner/kelkar&patient=rane", 1).await;
    let encoded = events(&searched)[0]["entity"][0]["query"].as_str().unwrap().to_owned();
    let query = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap();
    assert_eq!(String::from_utf8(query).unwrap(), "Observation?subject=Patient/rane&code:text=pulse");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn every_parameter_narrows_the_log() {
    let server = TestServer::start().await.unwrap();
    let auditor = server.account(AUDITOR).await.unwrap();
    assert_eq!(server.doctor.get("/fhir/Patient/rane").await.unwrap().status, 200);
    assert_eq!(server.doctor.get("/fhir/Patient/naik").await.unwrap().status, 200);
    assert_eq!(server.doctor.get("/fhir/AuditEvent").await.unwrap().status, 403, "a doctor does not read the log");
    let naik = found(&auditor, "subtype=read&entity=Patient/naik", 1).await;
    let (id, recorded) = (naik.matches()[0].to_owned(), events(&naik)[0]["recorded"].as_str().unwrap().to_owned());
    let rane = found(&auditor, "subtype=read&patient=Patient/rane", 1).await.matches()[0].to_owned();
    let account = format!("urn:ietf:rfc:3986|urn:uuid:{}", server.doctor_account().await.unwrap());
    for query in [
        format!("_id={id}"),
        format!("_id={id}&_summary=true"),
        format!("date={recorded}&subtype=read"),
        format!("_lastUpdated={recorded}&subtype=read"),
        "patient=naik&action=R".to_owned(),
        "patient=naik&subtype=http://hl7.org/fhir/restful-interaction|read".to_owned(),
        format!("agent:identifier={account}&entity=Patient/naik&subtype=read"),
        "_filter=patient eq naik and subtype eq read".to_owned(),
    ] {
        assert_eq!(found(&auditor, &query, 1).await.matches(), [id.as_str()], "{query}");
    }
    let both = found(&auditor, &format!("_id={id},{rane}&_sort=date"), 2).await;
    assert_eq!(both.matches(), [rane.as_str(), id.as_str()], "the oldest first");
    let refused = found(&auditor, "outcome=8", 1).await;
    assert_eq!(events(&refused)[0]["entity"][0]["name"], "AuditEvent");
    assert!(found(&auditor, "type=110114&subtype=110122", 2).await.matches().iter().all(|id| id.starts_with("a-")));
    assert_eq!(found(&auditor, "date=lt2000", 0).await.matches().len(), 0);
    let counted = auditor.get("/fhir/AuditEvent?patient=naik&subtype=read&_summary=count").await.unwrap();
    assert_eq!((counted.json["total"].as_u64(), counted.matches().len()), (Some(1), 0));
    let cut = auditor.get(&format!("/fhir/AuditEvent?_id={id}&_elements=action&_total=accurate")).await.unwrap();
    assert_eq!(
        (cut.json["total"].as_u64(), &events(&cut)[0]["source"]["observer"]["type"]),
        (Some(1), &json!("Device"))
    );
    assert_eq!(events(&cut)[0]["entity"], Value::Null);
    for wrong in ["site=x", "_include=AuditEvent:patient", "agent.name=x", "_sort=type", "colour=red", "type:text=x"] {
        let answer = auditor.get(&format!("/fhir/AuditEvent?{wrong}")).await.unwrap();
        assert_eq!(answer.status, 400, "{wrong}");
    }
    let admin = server.administrator().await.unwrap();
    for (kind, status) in [("transaction", 400), ("batch", 200)] {
        let bundle = json!({"resourceType": "Bundle", "type": kind, "entry": [
            {"request": {"method": "POST", "url": "Basic"}, "resource": {"resourceType": "Basic", "code": {"text": "x"}}},
            {"request": {"method": "GET", "url": format!("AuditEvent?_id={id}")}}]});
        let answer = admin.post("/fhir", &bundle).await.unwrap();
        assert_eq!(answer.status, status, "{kind}: {}", answer.issues());
        assert_eq!(answer.json.to_string().contains("\"action\":\"R\""), kind == "batch");
    }
    let several = auditor.get("/fhir?_type=AuditEvent,Provenance&_id=x").await.unwrap();
    assert_eq!(several.status, 400);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn delivered_events_stand_among_ours_and_pages_lose_none() {
    let server = TestServer::start().await.unwrap();
    let ehr = NewAccount { username: "ehr", role: "system", ..AUDITOR };
    let (system, auditor) = (server.account(ehr).await.unwrap(), server.account(AUDITOR).await.unwrap());
    for (id, recorded) in [("first", "2001-01-01T00:00:00Z"), ("second", "2002-01-01T00:00:00Z")] {
        let event = json!({"resourceType": "AuditEvent", "id": id, "recorded": recorded,
            "type": {"system": "http://terminology.hl7.org/CodeSystem/audit-event-type", "code": "rest"}, "action": "R",
            "agent": [{"who": {"reference": "Practitioner/kelkar"}, "requestor": true}],
            "source": {"observer": {"display": "laboratory"}}, "entity": [{"what": {"reference": "Patient/rane"}}]});
        assert_eq!(system.put(&format!("/fhir/AuditEvent/{id}"), &event).await.unwrap().status, 201);
    }
    let mut forged = system.get("/fhir/AuditEvent/first").await.unwrap().json;
    forged["id"] = json!("a-1");
    assert_eq!(system.put("/fhir/AuditEvent/a-1", &forged).await.unwrap().status, 403);
    for _ in 0..3 {
        server.doctor.get("/fhir/Patient/rane").await.unwrap();
    }
    found(&auditor, "patient=rane&subtype=read", 3).await;
    let whole = auditor.get("/fhir/AuditEvent?patient=rane&_count=1000").await.unwrap();
    let all: Vec<String> = whole.matches().iter().map(ToString::to_string).collect();
    assert_eq!(all[all.len() - 2..], ["second", "first"], "{all:?}");
    assert!(all.iter().any(|id| id.starts_with("c-")) && all.iter().any(|id| id.starts_with("a-")), "{all:?}");
    for order in ["", "&_sort=date", "&_sort=-_lastUpdated"] {
        let until = events(&whole)[0]["recorded"].as_str().unwrap().to_owned();
        let query = format!("/fhir/AuditEvent?patient=rane&_count=2&date=le{until}{order}");
        let mut paged: Vec<String> = Vec::new();
        let mut next = Some(query);
        while let Some(link) = next {
            let page = auditor.get(&link).await.unwrap();
            assert_eq!(page.status, 200, "{link}: {}", page.issues());
            paged.extend(page.matches().iter().map(ToString::to_string));
            next = page.link("next").map(ToOwned::to_owned);
        }
        let distinct: HashSet<&String> = paged.iter().collect();
        assert_eq!((distinct.len(), paged.len()), (all.len(), all.len()), "{order}: {paged:?} {all:?}");
        match order {
            "" => assert_eq!(paged, all),
            "&_sort=date" => assert!(paged.iter().rev().eq(&all), "{paged:?} {all:?}"),
            _ => {}
        }
    }
    let link = auditor.get("/fhir/AuditEvent?patient=rane&_count=2").await.unwrap().link("next").unwrap().to_owned();
    let other = auditor.get(&link.replace("patient=rane", "patient=naik")).await.unwrap();
    assert_eq!(other.status, 400, "a page link belongs to its search");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn who_looked_at_me_tells_of_nobody_else() {
    let server = TestServer::start().await.unwrap();
    let rane = NewAccount { username: "rane", role: "patient", patient: Some("rane"), ..AUDITOR };
    let (patient, auditor) = (server.account(rane).await.unwrap(), server.account(AUDITOR).await.unwrap());
    assert!(server.doctor.get("/fhir/Patient").await.unwrap().matches().len() > 1);
    server.doctor.get("/fhir/Patient/naik").await.unwrap();
    let whole = found(&auditor, "patient=rane&subtype=search-type&agent=Practitioner/kelkar", 1).await;
    assert!(names(&events(&whole)[0], "Patient/naik"));
    let id = whole.matches()[0];
    let own = found(&patient, "subtype=search-type&agent=Practitioner/kelkar", 1).await;
    assert_eq!(own.matches(), [id]);
    let everything = found(&patient, "_count=1000", 3).await;
    assert!(!String::from_utf8(everything.bytes.clone()).unwrap().contains("naik"), "another patient is named");
    assert!(events(&everything).iter().all(|event| names(event, "Patient/rane") || code(event) == "110122"));
    let guessed = patient.get("/fhir/AuditEvent?patient=naik").await.unwrap();
    assert_eq!(guessed.matches().len(), 0, "what names both of them does not tell of the other");
    let read = patient.get(&format!("/fhir/AuditEvent/{id}")).await.unwrap();
    assert_eq!(read.status, 200);
    assert!(!read.json.to_string().contains("naik") && !read.json.to_string().contains("\"query\""), "{}", read.json);
    let others = found(&auditor, "entity=Patient/naik&subtype=read", 1).await;
    assert_eq!(patient.get(&format!("/fhir/AuditEvent/{}", others.matches()[0])).await.unwrap().status, 404);
    // A doctor of the patient sees as much of it as the patient does, and asks about one patient.
    let doctors = found(&server.doctor, "patient=Patient/rane&subtype=search-type&agent=Practitioner/kelkar", 1).await;
    assert!(doctors.matches().contains(&id) && !String::from_utf8(doctors.bytes.clone()).unwrap().contains("naik"));
    let stranger = NewAccount { username: "menon", role: "doctor", practitioner: Some("menon"), ..AUDITOR };
    let stranger = server.account(stranger).await.unwrap();
    assert_eq!(stranger.get("/fhir/AuditEvent?patient=rane").await.unwrap().status, 403, "no visit of this doctor");
    assert_eq!(server.doctor.get("/fhir/AuditEvent?patient=rane,naik").await.unwrap().status, 403);
    let elsewhere = server.account(NewAccount { tenant: "Elsewhere", username: "other", ..AUDITOR }).await.unwrap();
    assert_eq!(elsewhere.get(&format!("/fhir/AuditEvent/{id}")).await.unwrap().status, 404);
    assert_eq!(elsewhere.get(&format!("/fhir/AuditEvent?_id={id}")).await.unwrap().matches().len(), 0);
    server.stop().await.unwrap();
}
