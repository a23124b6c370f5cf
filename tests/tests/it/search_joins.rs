//! Search beyond one type: chains, `_has`, compartments, composites, order, and what shapes the answer (R4 search.html).

use serde_json::{Value, json};
use seva_tests::client::Client;
use seva_tests::server::TestServer;

fn loinc(code: &str) -> Value {
    json!({"coding": [{"system": "http://loinc.org", "code": code}]})
}

fn pressure(number: &str, unit: &str) -> Value {
    let value: Value = serde_json::from_str(number).unwrap();
    json!({"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": "mm[Hg]"})
}

/// A panel whose parts must not be mixed up, and an observation that points at it.
async fn fill(doctor: &Client) {
    let panel = json!({"resourceType": "Observation", "id": "panel", "status": "final", "code": loinc("85354-9"),
        "subject": {"reference": "Patient/rane"}, "effectiveDateTime": "2024-02-03",
        "component": [
            {"code": loinc("8480-6"), "valueQuantity": pressure("138", "mm[Hg]")},
            {"code": loinc("8462-4"), "valueQuantity": pressure("86", "mm[Hg]")}]});
    let smoker = json!({"resourceType": "Observation", "id": "smoker", "status": "preliminary",
        "code": {"coding": [{"system": "http://loinc.org", "code": "72166-2", "display": "Tobacco smoking status"}]},
        "subject": {"reference": "Patient/naik"}, "effectivePeriod": {"start": "2023-01-01", "end": "2023-12-31"},
        "valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "8517006"}], "text": "Ex-smoker"},
        "derivedFrom": [{"reference": "Observation/panel"}]});
    let clinic = json!({"resourceType": "Location", "id": "clinic", "name": "OPD", "position": {"latitude": 18.52, "longitude": 73.85}});
    let system = json!({"resourceType": "CodeSystem", "id": "local", "url": "http://clinic.example/cs/ward/types", "status": "active",
        "content": "not-present", "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">Types of <b>wards</b></div>"}});
    let list = json!({"resourceType": "List", "id": "mine", "status": "current", "mode": "working",
        "entry": [{"item": {"reference": "Patient/rane"}}, {"item": {"reference": "Patient/naik"}}]});
    for resource in [panel, smoker, clinic, system, list] {
        let place =
            format!("/fhir/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        let answer = doctor.put(&place, &resource).await.unwrap();
        assert_eq!(answer.status, 201, "{place}: {}", answer.issues());
    }
}

#[tokio::test]
async fn conditions_reach_across_references() {
    let server = TestServer::start().await.unwrap();
    let admin = &server.administrator().await.unwrap();
    fill(admin).await;
    for (query, expected) in [
        ("Observation?subject:Patient.family=rane&code=85354-9", vec!["panel"]),
        ("Observation?patient.name=meenakshi&_sort=_id", vec!["panel", "weight-rane"]),
        ("Observation?patient.organization.name=sahyadri&status=preliminary", vec!["smoker"]),
        ("Observation?subject.gender=male&status=preliminary", vec!["smoker"]),
        ("Patient?_has:Observation:patient:code=85354-9", vec!["rane"]),
        ("Patient?_has:Observation:patient:_has:Observation:derived-from:status=preliminary", vec!["rane"]),
        ("Patient?_list=mine&gender=female", vec!["rane"]),
        ("Patient/rane/Observation?_sort=_id", vec!["panel", "weight-rane"]),
        ("Practitioner/kelkar/Encounter?patient=rane", vec!["visit-rane"]),
        ("Patient/rane/*?_type=Observation,Encounter&_sort=_id", vec!["panel", "visit-rane", "weight-rane"]),
        ("?_type=Patient,Observation&_id=rane,panel&_sort=_id", vec!["panel", "rane"]),
        ("Observation?component-code-value-quantity=8480-6$gt130", vec!["panel"]),
        ("Observation?component-code-value-quantity=8462-4$gt130", vec![]),
        (
            "Observation?component-code-value-quantity=http://loinc.org%7C8462-4$lt90%7Chttp://unitsofmeasure.org%7Cmm[Hg]",
            vec!["panel"],
        ),
        ("Observation?combo-code=8480-6", vec!["panel"]),
        ("Observation?code-value-concept=72166-2$8517006", vec!["smoker"]),
        ("Observation?code:text=tobacco", vec!["smoker"]),
        ("Observation?value-concept:text=ex", vec!["smoker"]),
        ("Observation?status=http://hl7.org/fhir/observation-status%7Cpreliminary", vec!["smoker"]),
        ("Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203%7CMR%7C0042-7718", vec!["rane"]),
        ("Location?near=18.5%7C73.86%7C5%7Ckm", vec!["clinic"]),
        ("Location?near=19.07%7C72.87%7C5%7Ckm", vec![]),
        ("CodeSystem?url:below=http://clinic.example/cs", vec!["local"]),
        ("CodeSystem?_text=wards", vec!["local"]),
        ("CodeSystem?_content=not-present", vec!["local"]),
    ] {
        let answer = admin.get(&format!("/fhir/{query}")).await.unwrap();
        assert_eq!(answer.status, 200, "{query}: {}", answer.issues());
        assert_eq!(answer.matches(), expected, "{query}");
    }
    for query in ["Observation?patient.nonsense=1", "Patient?_has:Observation:nonsense:code=1", "Observation?code.x=1"]
    {
        assert_eq!(admin.get(&format!("/fhir/{query}")).await.unwrap().status, 400, "{query}");
    }
    assert_eq!(admin.get("/fhir/?_count=5").await.unwrap().status, 400);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn any_order_pages_without_gaps_and_puts_what_has_no_value_last() {
    let server = TestServer::start().await.unwrap();
    let admin = &server.administrator().await.unwrap();
    fill(admin).await;
    let undated = json!({"resourceType": "Observation", "id": "undated", "status": "final", "code": loinc("1-8")});
    assert_eq!(admin.put("/fhir/Observation/undated", &undated).await.unwrap().status, 201);
    for (order, first, last) in [
        ("date", "smoker", "undated"),
        ("-date", "", "undated"),
        ("status,-date", "", "smoker"),
        ("-status,_id", "smoker", "weight-varghese"),
        ("code,_id", "undated", "panel"),
        ("value-quantity", "weight-sheikh", ""),
        ("_id", "panel", "weight-varghese"),
        ("-_lastUpdated", "undated", ""),
    ] {
        let (mut seen, mut next) = (Vec::new(), Some(format!("/fhir/Observation?_sort={order}&_count=3")));
        while let Some(url) = next {
            let page = admin.get(&url).await.unwrap();
            assert_eq!(page.status, 200, "{order}: {}", page.issues());
            seen.extend(page.matches().iter().map(|id| (*id).to_owned()));
            next = page.link("next").map(str::to_owned);
            assert!(seen.len() <= 10, "{order}: {seen:?}");
        }
        assert_eq!(seen.len(), 10, "{order}: {seen:?}");
        assert!(first.is_empty() || seen[0] == first, "{order}: {seen:?}");
        assert!(last.is_empty() || seen[9] == last, "{order}: {seen:?}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn answers_are_cut_down_counted_and_completed() {
    let server = TestServer::start().await.unwrap();
    let admin = &server.administrator().await.unwrap();
    fill(admin).await;
    let counted = admin.get("/fhir/Patient?_summary=count").await.unwrap().json;
    assert_eq!((&counted["total"], counted.get("entry")), (&json!(7), None));
    assert!(admin.get("/fhir/Patient?_total=estimate").await.unwrap().json["total"].is_number());
    let cut = admin.get("/fhir/Patient?_id=rane&_elements=gender").await.unwrap().json;
    let cut = &cut["entry"][0]["resource"];
    assert_eq!((&cut["gender"], cut.get("name"), &cut["id"]), (&json!("female"), None, &json!("rane")));
    assert_eq!(cut["meta"]["tag"][0]["code"], "SUBSETTED");
    let summary = admin.get("/fhir/CodeSystem?_id=local&_summary=true").await.unwrap().json;
    let summary = &summary["entry"][0]["resource"];
    assert_eq!((&summary["url"], summary.get("text")), (&json!("http://clinic.example/cs/ward/types"), None));
    let text = admin.get("/fhir/CodeSystem?_id=local&_summary=text").await.unwrap().json;
    assert!(text["entry"][0]["resource"]["text"].is_object() && text["entry"][0]["resource"].get("url").is_none());
    let read = admin.get("/fhir/Patient/rane?_elements=birthDate").await.unwrap().json;
    assert_eq!((&read["birthDate"], read.get("gender")), (&json!("1974-03-15"), None));

    let iterated = "/fhir/Observation?_id=smoker&_include=Observation:derived-from&_include:iterate=Observation:patient\
        &_include:iterate=Patient:organization";
    let iterated = admin.get(iterated).await.unwrap();
    let found: Vec<&str> =
        iterated.json["entry"].as_array().unwrap().iter().map(|e| e["resource"]["id"].as_str().unwrap()).collect();
    for id in ["smoker", "panel", "naik", "rane", "sahyadri"] {
        assert!(found.contains(&id), "{id} in {found:?}");
    }
    let all = admin.get("/fhir/Observation?_id=panel&_include=*&_revinclude=*").await.unwrap();
    assert_eq!(all.json["entry"].as_array().unwrap().len(), 3, "{}", all.json);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn references_are_followed_to_parts_and_wholes() {
    let server = TestServer::start().await.unwrap();
    let admin = &server.administrator().await.unwrap();
    let whole = |id: &str| json!({"reference": format!("Location/{id}")});
    for (id, part_of) in [("site", Some("room")), ("ward", Some("site")), ("room", Some("ward")), ("shed", None)] {
        let mut location = json!({"resourceType": "Location", "id": id});
        if let Some(part_of) = part_of {
            location["partOf"] = whole(part_of);
        }
        assert_eq!(admin.put(&format!("/fhir/Location/{id}"), &location).await.unwrap().status, 201);
    }
    // A circle is walked once; without it the site is the top.
    let circle = admin.get("/fhir/Location?partof:below=ward").await.unwrap();
    assert_eq!(circle.matches().len(), 3, "{}", circle.json);
    let site = json!({"resourceType": "Location", "id": "site"});
    assert_eq!(admin.put("/fhir/Location/site", &site).await.unwrap().status, 200);
    for id in ["site", "ward", "room", "shed"] {
        let visit = json!({"resourceType": "Encounter", "id": format!("at-{id}"), "status": "finished", "class": {"code": "AMB"},
            "location": [{"location": whole(id)}]});
        assert_eq!(admin.put(&format!("/fhir/Encounter/at-{id}"), &visit).await.unwrap().status, 201);
    }
    for (query, expected) in [
        ("Encounter?location:below=site", "at-room at-site at-ward"),
        ("Encounter?location:below=Location/ward", "at-room at-ward"),
        ("Encounter?location:above=ward", "at-site at-ward"),
        ("Encounter?location:above=room,shed", "at-room at-shed at-site at-ward"),
        ("Location?partof:below=site", "room ward"),
        ("Location?partof:above=ward", "room ward"),
    ] {
        let answer = admin.get(&format!("/fhir/{query}")).await.unwrap();
        let mut found = answer.matches();
        found.sort_unstable();
        assert_eq!((answer.status, found.join(" ").as_str()), (200, expected), "{query}: {}", answer.issues());
    }
    let flat = admin.get("/fhir/Encounter?subject:below=Patient/rane").await.unwrap();
    assert_eq!(flat.status, 400, "{}", flat.issues());
    // What comes along by the wildcard is of any type, and so is what comes along with that.
    let all = admin.get("/fhir/Encounter?_id=at-room&_include:iterate=*").await.unwrap();
    assert_eq!(all.json["entry"].as_array().map(Vec::len), Some(4), "{}", all.json);
    server.stop().await.unwrap();
}
