//! Operations on resources (R4 operations.html).

use serde_json::{Value, json};
use seva_tests::server::{NewAccount, TestServer};

fn ids(bundle: &Value) -> Vec<String> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    entries.iter().map(|entry| entry["resource"]["id"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn everything_of_a_patient_comes_in_pages_with_what_it_refers_to() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let all = doctor.get("/fhir/Patient/rane/$everything").await.unwrap();
    assert_eq!(all.status, 200, "{}", all.issues());
    let found = ids(&all.json);
    for id in ["rane", "visit-rane", "weight-rane", "allergy-rane", "kelkar", "sahyadri"] {
        assert!(found.iter().any(|own| own == id), "{id} in {found:?}");
    }
    assert!(!found.iter().any(|id| id.contains("naik")), "{found:?}");
    let typed = doctor.get("/fhir/Patient/rane/$everything?_type=Observation,Encounter").await.unwrap();
    assert_eq!(ids(&typed.json).len(), 2, "{}", typed.json);
    assert_eq!(ids(&doctor.get("/fhir/Patient/rane/$everything?_since=2100-01-01").await.unwrap().json).len(), 0);
    let early = doctor.get("/fhir/Patient/rane/$everything?end=2001-01-01&_type=Observation,Patient").await.unwrap();
    assert_eq!(ids(&early.json), ["rane"], "{}", early.json);
    let (mut seen, mut next) = (Vec::new(), Some("/fhir/Patient/rane/$everything?_count=2".to_owned()));
    while let Some(url) = next {
        let page = doctor.get(&url).await.unwrap();
        seen.extend(page.matches().iter().map(|id| (*id).to_owned()));
        next = page.link("next").map(str::to_owned);
    }
    assert_eq!(seen.len(), all.matches().len());
    assert_eq!(ids(&doctor.get("/fhir/Encounter/visit-rane/$everything").await.unwrap().json).len(), 5);
    assert_eq!(doctor.get("/fhir/Patient/nobody/$everything").await.unwrap().status, 404);
    assert_eq!(doctor.get("/fhir/Observation/weight-rane/$everything").await.unwrap().status, 404);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn labels_newest_values_documents_and_faults_are_told() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let tag = |code: &str| json!({"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": {"tag": [{"system": "urn:t", "code": code}]}}]});
    let added = doctor.post("/fhir/Patient/rane/$meta-add", &tag("a")).await.unwrap();
    assert_eq!(added.json["parameter"][0]["valueMeta"]["tag"][0]["code"], "a", "{}", added.json);
    assert_eq!(doctor.get("/fhir/Patient?_tag=urn:t|a").await.unwrap().matches(), ["rane"]);
    doctor.post("/fhir/Patient/rane/$meta-delete", &tag("a")).await.unwrap();
    let meta = doctor.get("/fhir/Patient/rane/$meta").await.unwrap().json;
    assert_eq!(meta["parameter"][0]["valueMeta"].get("tag"), None);
    let old = doctor.get("/fhir/Patient/rane/_history/2/$meta").await.unwrap().json;
    assert_eq!(old["parameter"][0]["valueMeta"]["tag"][0]["code"], "a", "{old}");
    assert_eq!(doctor.get("/fhir/Patient/rane/_history/2/$meta-add").await.unwrap().status, 404);
    assert_eq!(doctor.get("/fhir/Patient/rane/$meta-add").await.unwrap().status, 405);

    for (id, day, code) in
        [("w1", "2024-01-01", "29463-7"), ("w2", "2024-01-02", "29463-7"), ("h1", "2023-01-01", "8302-2")]
    {
        let observation = json!({"resourceType": "Observation", "id": id, "status": "final", "effectiveDateTime": day,
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]}, "subject": {"reference": "Patient/gawande"}});
        assert_eq!(doctor.put(&format!("/fhir/Observation/{id}"), &observation).await.unwrap().status, 201);
    }
    let newest = doctor.get("/fhir/Observation/$lastn?patient=gawande&max=2").await.unwrap();
    assert_eq!(ids(&newest.json), ["weight-gawande", "w2", "h1"], "{}", newest.json);
    assert_eq!(doctor.get("/fhir/Observation/$lastn").await.unwrap().status, 400);
    assert_eq!(doctor.get("/fhir/Observation/$lastn?patient=gawande&max=0").await.unwrap().status, 400);

    let composition = json!({"resourceType": "Composition", "id": "note", "status": "final", "type": {"text": "note"},
        "date": "2024-01-01", "title": "Note", "author": [{"reference": "Practitioner/kelkar"}],
        "subject": {"reference": "Patient/rane"}, "section": [{"entry": [{"reference": "Observation/weight-rane"}]}]});
    assert_eq!(doctor.put("/fhir/Composition/note", &composition).await.unwrap().status, 201);
    let document = doctor.get("/fhir/Composition/note/$document").await.unwrap().json;
    assert_eq!(document["type"], "document");
    let found = ids(&document);
    assert_eq!(found[0], "note");
    for id in ["kelkar", "rane", "weight-rane", "sahyadri"] {
        assert!(found.iter().any(|own| own == id), "{id} in {found:?}");
    }
    let wrong = json!({"resourceType": "Patient", "gender": "x", "brithDate": "1980"});
    let outcome = doctor.post("/fhir/Patient/$validate", &wrong).await.unwrap();
    assert_eq!((outcome.status, outcome.json["issue"].as_array().unwrap().len()), (200, 2), "{}", outcome.json);
    let fine = doctor.get("/fhir/Patient/rane/$validate").await.unwrap().json;
    assert_eq!(fine["issue"][0]["severity"], "information", "{fine}");
    let unruly = json!({"resourceType": "Parameters", "parameter": [
        {"name": "mode", "valueCode": "update"},
        {"name": "resource", "resource": {"resourceType": "Patient", "telecom": [{"value": "1"}],
            "meta": {"profile": ["http://x.example/p"]}}}]});
    let outcome = doctor.post("/fhir/Patient/$validate", &unruly).await.unwrap().json.to_string();
    for found in ["cpt-2", "an update needs an id", "http://x.example/p isn't known"] {
        assert!(outcome.contains(found), "{found} in {outcome}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn what_is_in_use_is_told_of_a_type_and_of_the_system() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let label = |code: &str| json!({"system": "urn:l", "code": code});
    for (kind, id, meta) in [
        ("Patient", "p1", json!({"tag": [label("p"), label("both")], "profile": ["urn:profile:p"]})),
        ("Patient", "p2", json!({"tag": [label("p")], "security": [label("r")]})),
        ("Specimen", "o1", json!({"tag": [label("both"), label("o")]})),
    ] {
        let resource = json!({"resourceType": kind, "id": id, "meta": meta, "identifier": [{"value": id}]});
        assert_eq!(doctor.put(&format!("/fhir/{kind}/{id}"), &resource).await.unwrap().status, 201);
    }
    let of = |meta: &Value, list: &str| -> Vec<String> {
        let items = meta["parameter"][0]["valueMeta"][list].as_array().cloned().unwrap_or_default();
        let text = |one: &Value| one["code"].as_str().or(one.as_str()).unwrap().to_owned();
        items.iter().filter(|one| one["system"] == "urn:l" || one.is_string()).map(text).collect()
    };
    let patients = doctor.get("/fhir/Patient/$meta").await.unwrap();
    assert_eq!(patients.status, 200, "{}", patients.issues());
    assert_eq!(of(&patients.json, "tag"), ["both", "p"]);
    assert_eq!(of(&patients.json, "security"), ["r"]);
    assert_eq!(of(&patients.json, "profile"), ["urn:profile:p"]);
    assert!(patients.json["parameter"][0]["valueMeta"].get("versionId").is_none());
    let all = doctor.post("/fhir/$meta", &json!({"resourceType": "Parameters"})).await.unwrap();
    assert_eq!(of(&all.json, "tag"), ["both", "o", "p"], "{}", all.json);
    assert_eq!(of(&doctor.get("/fhir/Slot/$meta").await.unwrap().json, "tag"), [""; 0]);
    for name in ["$meta-add", "$meta-delete"] {
        assert_eq!(doctor.post(&format!("/fhir/Patient/{name}"), &json!({})).await.unwrap().status, 404);
    }
    assert_eq!(doctor.delete("/fhir/Specimen/o1").await.unwrap().status, 204);
    assert_eq!(of(&doctor.get("/fhir/$meta").await.unwrap().json, "tag"), ["both", "p"], "nobody bears it any more");

    let (tenant, patient) = (seva_server::demo::TENANT, Some("p2"));
    let account = NewAccount { tenant, username: "p2", role: "patient", practitioner: None, patient };
    let own = server.account(account).await.unwrap();
    let seen = own.get("/fhir/$meta").await.unwrap();
    assert_eq!((of(&seen.json, "tag"), of(&seen.json, "profile")), (vec!["p".to_owned()], vec![]), "{}", seen.json);
    assert_eq!(of(&own.get("/fhir/Patient/$meta").await.unwrap().json, "security"), ["r"]);
    assert_eq!(own.get("/fhir/Substance/$meta").await.unwrap().status, 403);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn labels_in_use_are_told_of_a_type_and_of_the_system() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    for url in ["/fhir/$meta", "/fhir/Patient/$meta"] {
        let none = doctor.get(url).await.unwrap();
        let meta = &none.json["parameter"][0]["valueMeta"];
        assert!(meta["extension"][0]["url"].as_str().unwrap().ends_with("data-absent-reason"), "{}", none.json);
    }
    for (kind, code) in [("Patient", "one"), ("Basic", "other")] {
        let meta = json!({"tag": [{"system": "urn:t", "code": code}], "profile": [format!("urn:p:{code}")]});
        let code = json!({"text": "x"});
        let resource = match kind {
            "Basic" => json!({"resourceType": kind, "meta": meta, "code": code}),
            _ => json!({"resourceType": kind, "meta": meta}),
        };
        assert_eq!(doctor.post(&format!("/fhir/{kind}"), &resource).await.unwrap().status, 201);
    }
    for (url, number) in [("/fhir/$meta", 2), ("/fhir/Patient/$meta", 1)] {
        let meta = doctor.get(url).await.unwrap().json["parameter"][0]["valueMeta"].clone();
        let counts = ["tag", "profile"].map(|name| meta[name].as_array().map(Vec::len));
        assert_eq!(counts, [Some(number); 2], "{url} {meta}");
    }
    server.stop().await.unwrap();
}
