//! Search: types of parameters, paging, includes, strictness (R4 search.html).

use reqwest::Method;
use serde_json::json;
use seva_tests::server::TestServer;

#[tokio::test]
async fn every_kind_of_parameter_finds_what_fits() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let found = async |query: &str| {
        let answer = doctor.get(&format!("/fhir/{query}")).await.unwrap();
        assert_eq!(answer.status, 200, "{query}: {}", answer.issues());
        answer.matches().len()
    };
    for (query, count) in [
        ("Patient", 7),
        ("Patient?_id=rane,naik,nobody", 2),
        ("Patient?family=RAN", 1),
        ("Patient?family:exact=Rane", 1),
        ("Patient?family:exact=rane", 0),
        ("Patient?family:contains=awan", 1),
        ("Patient?name=ra", 1),
        ("Patient?gender=female", 3),
        ("Patient?gender:not=female", 4),
        ("Patient?gender=female,male", 7),
        ("Patient?gender=female&birthdate=lt1960", 1),
        ("Patient?birthdate=1974-03-15", 1),
        ("Patient?birthdate=1974", 1),
        ("Patient?birthdate=ge1974&birthdate=lt1980", 2),
        ("Patient?identifier=0042-7718", 1),
        ("Patient?identifier=https://seva-arogya.org/demo/mrn%7C0042-7718", 1),
        ("Patient?identifier=https://seva-arogya.org/demo/mrn%7C", 7),
        ("Patient?identifier=%7C0042-7718", 0),
        ("Patient?organization=Organization/sahyadri", 7),
        ("Patient?deceased=false", 7),
        ("Patient?general-practitioner:missing=true", 7),
        ("Patient?organization:missing=true", 0),
        ("Observation?patient=rane", 1),
        ("Observation?subject:Patient=rane", 1),
        ("Observation?value-quantity=61%7Chttp://unitsofmeasure.org%7Ckg", 1),
        ("Observation?value-quantity=gt70", 2),
        ("Observation?value-quantity=61000%7Chttp://unitsofmeasure.org%7Cg", 1),
        ("Observation?value-quantity=61%7Chttp://unitsofmeasure.org%7Cg", 0),
        ("Observation?value-quantity=gt70000%7Chttp://unitsofmeasure.org%7Cg", 2),
        ("Observation?code-value-quantity=29463-7$61000%7Chttp://unitsofmeasure.org%7Cg", 1),
        ("Patient?_filter=family eq \"Rane\"", 1),
        ("Patient?_filter=family eq \"rane\"", 0),
        ("Patient?_filter=family sw ra and gender eq female", 1),
        ("Patient?_filter=family ew ANE and gender eq female", 1),
        ("Patient?_filter=family ew ran", 0),
        ("Observation?_filter=patient.family ew ne and value-quantity gt 5", 1),
        ("Patient?_filter=(birthdate ge 1974 and birthdate lt 1980) or birthdate lt 1960", 3),
        ("Patient?_filter=not (gender eq female)", 4),
        ("Patient?_filter=gender ne female", 4),
        ("Patient?_filter=general-practitioner pr false and gender eq male", 4),
        ("Observation?_filter=patient.family eq \"Rane\" and value-quantity gt 5", 1),
        ("Observation?code=http://loinc.org%7C29463-7&subject=Patient/rane", 1),
        ("AllergyIntolerance?patient=Patient/rane", 1),
        ("Encounter?_lastUpdated=ge2020-01-01", 7),
        ("Encounter?_lastUpdated=lt2020-01-01", 0),
    ] {
        assert_eq!(found(query).await, count, "{query}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn filters_stand_within_paths_of_filters() {
    let server = TestServer::start().await.unwrap();
    for (query, count) in [
        ("Observation?_filter=patient[gender eq female and family eq \"Rane\"].birthdate ge 1900", 1),
        ("Observation?_filter=patient[gender eq male].family eq \"Rane\"", 0),
        ("Observation?_filter=(patient[not (gender eq male)].family eq \"Rane\") and value-quantity gt 5||kg", 1),
        ("Observation?_filter=value-quantity lt 500||mm[Hg] and patient[gender eq female].family eq nobody", 0),
    ] {
        let answer = server.doctor.get(&format!("/fhir/{query}")).await.unwrap();
        assert_eq!((answer.status, answer.matches().len()), (200, count), "{query}: {}", answer.issues());
    }
    for filter in [
        "organization[name eq x",
        "organization[name eq x]",
        "organization[name eq].name eq x",
        "[name eq x].name eq y",
    ] {
        let refused = server.doctor.get(&format!("/fhir/Patient?_filter={filter} eq y")).await.unwrap();
        assert_eq!(refused.status, 400, "{filter}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn pages_repeat_and_skip_nothing_while_data_change() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    for start in [
        "/fhir/Patient?_count=2",
        "/fhir/Patient?_count=2&_sort=-_lastUpdated",
        "/fhir/Patient?_count=3&gender=male,female",
    ] {
        let mut seen = Vec::new();
        let mut next = Some(start.to_owned());
        while let Some(url) = next {
            let page = doctor.get(&url).await.unwrap();
            assert_eq!(page.status, 200, "{}", page.issues());
            seen.extend(page.matches().iter().map(|id| (*id).to_owned()).filter(|id| !id.contains('-')));
            assert!(page.link("self").is_some());
            next = page.link("next").map(str::to_owned);
            doctor.post("/fhir/Patient", &json!({"resourceType": "Patient", "gender": "other"})).await.unwrap();
            if seen.len() > 50 {
                panic!("paging does not end");
            }
        }
        let mut unique = seen.clone();
        unique.sort();
        unique.dedup();
        assert_eq!((unique.len(), seen.len()), (7, 7), "{start}");
    }
    let page = doctor.get("/fhir/Patient?_count=2").await.unwrap();
    let other = page.link("next").unwrap().replace("Patient?", "Patient?gender=male&");
    assert_eq!(doctor.get(&other).await.unwrap().status, 400);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn includes_come_along_and_are_not_counted() {
    let server = TestServer::start().await.unwrap();
    let answer =
        server.doctor.get("/fhir/Encounter?patient=rane&_include=Encounter:patient&_total=accurate").await.unwrap();
    assert_eq!(answer.json["total"], 1);
    assert_eq!(answer.matches(), ["visit-rane"]);
    let modes: Vec<&str> =
        answer.json["entry"].as_array().unwrap().iter().map(|e| e["search"]["mode"].as_str().unwrap()).collect();
    assert_eq!(modes, ["match", "include"]);
    let reverse = server.doctor.get("/fhir/Patient?_id=rane&_revinclude=AllergyIntolerance:patient").await.unwrap();
    assert_eq!(reverse.json["entry"][1]["resource"]["id"], "allergy-rane");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_unknown_parameter_is_refused_or_named() {
    let server = TestServer::start().await.unwrap();
    let strict = server.doctor.get("/fhir/Patient?famly=x").await.unwrap();
    assert_eq!(strict.status, 400);
    assert!(strict.issues().contains("famly"));
    let lenient = server
        .doctor
        .send(Method::GET, "/fhir/Patient?famly=x", &[("prefer", "handling=lenient")], None)
        .await
        .unwrap();
    assert_eq!(lenient.status, 200);
    let quoted = [("prefer", "handling=\"lenient\"")];
    let quoted = server.doctor.send(Method::GET, "/fhir/Patient?famly=x", &quoted, None).await.unwrap();
    assert_eq!(quoted.bytes, lenient.bytes);
    assert!(String::from_utf8(lenient.bytes.clone()).unwrap().contains("it was ignored"));
    assert_eq!(server.doctor.get("/fhir/Patient?birthdate=15.3.1974").await.unwrap().status, 400);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let posted =
        server.doctor.send(Method::POST, "/fhir/Patient/_search", &form, Some(b"family=rane".to_vec())).await.unwrap();
    assert_eq!(posted.matches(), ["rane"]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn links_repeat_what_was_used_and_forms_are_forms() {
    let server = TestServer::start().await.unwrap();
    let lenient = [("prefer", "handling=lenient")];
    let path = "/fhir/Patient?famly=x&family=rane&given=&_type=Observation";
    let answer = server.doctor.send(Method::GET, path, &lenient, None).await.unwrap();
    assert_eq!(answer.matches(), ["rane"]);
    assert!(answer.link("self").unwrap().ends_with("/Patient?family=rane"), "{:?}", answer.link("self"));
    let strict = server.doctor.get("/fhir/Patient?_type=Observation").await.unwrap();
    assert_eq!(strict.status, 400, "a type is searched by its own address");

    let send = async |kind: &str, body: &str| {
        let headers = [("content-type", kind)];
        server.doctor.send(Method::POST, "/fhir/Patient/_search", &headers, Some(body.into())).await.unwrap()
    };
    let refused = send("application/fhir+json", "{\"resourceType\": \"Parameters\"}").await;
    assert_eq!(refused.status, 415, "a body that isn't read would search everything");
    assert_eq!(send("Application/X-WWW-Form-Urlencoded; charset=UTF-8", "family=rane").await.matches(), ["rane"]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn modifiers_reach_what_every_resource_has_and_the_texts_of_concepts() {
    let server = TestServer::start().await.unwrap();
    let concept = json!({"coding": [{"system": "urn:c", "code": "a", "display": "Body weight"}], "text": "How heavy"});
    let observation = json!({"resourceType": "Observation", "id": "o", "status": "final", "code": concept,
        "subject": {"reference": "Patient/rane"}});
    assert_eq!(server.doctor.put("/fhir/Observation/o", &observation).await.unwrap().status, 201);
    for (query, count) in [
        ("Patient?_id:not=rane,naik", 5),
        ("Patient?_id:missing=false", 7),
        ("Patient?_id:missing=true", 0),
        ("Patient?_lastUpdated:missing=false", 7),
        ("Patient?_lastUpdated:missing=true", 0),
        ("Patient?_filter=_id pr true", 7),
        ("Observation?_id=o&subject:Patient._id:not=rane", 0),
        ("Observation?_id=o&code:text=weight", 1),
        ("Observation?_id=o&code:text=how hea", 1),
        ("Observation?_id=o&code:text=eavy", 0),
    ] {
        let answer = server.doctor.get(&format!("/fhir/{query}")).await.unwrap();
        assert_eq!((answer.status, answer.matches().len()), (200, count), "{query}: {}", answer.json);
    }
    for (query, text) in [
        ("Patient?_id:missing=perhaps", ":missing=false"),
        ("Patient?_text:missing=true", ":missing is not offered"),
        ("Patient?_query=x", "no named queries"),
    ] {
        let refused = server.doctor.get(&format!("/fhir/{query}")).await.unwrap();
        assert!(refused.status == 400 && refused.issues().contains(text), "{query}: {}", refused.issues());
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn values_that_nothing_can_have_are_refused_or_ignored() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    for query in ["active=maybe", "active:not=maybe", "deceased=perhaps", "active=true,maybe"] {
        let refused = doctor.get(&format!("/fhir/Patient?{query}")).await.unwrap();
        assert!(refused.status == 400 && refused.issues().contains("neither true nor false"), "{query}");
        let lenient = [("prefer", "handling=lenient")];
        let ignored = doctor.send(Method::GET, &format!("/fhir/Patient?{query}"), &lenient, None).await.unwrap();
        assert_eq!((ignored.status, ignored.matches().len()), (200, 7), "{query}");
        assert!(String::from_utf8(ignored.bytes.clone()).unwrap().contains("it was ignored"), "{query}");
        assert!(!ignored.link("self").unwrap().contains("active"), "{query}");
    }
    for query in ["_sort:desc=birthdate", "_count:x=1", "_summary:x=true", "_elements:x=id", "_total:x=none"] {
        let refused = doctor.get(&format!("/fhir/Patient?{query}")).await.unwrap();
        assert!(refused.status == 400 && refused.issues().contains("no modifiers"), "{query}: {}", refused.issues());
    }
    let combined = doctor.get("/fhir/Observation?code-value-quantity:missing=false").await.unwrap();
    assert_eq!(combined.status, 400, "R4 has no :missing of combinations");
    let counted = doctor.get("/fhir/Patient?_summary=count&_count=5").await.unwrap().json;
    assert_eq!((&counted["total"], counted.get("entry")), (&json!(7), None));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn letters_and_units_are_compared_as_they_are_meant() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    for (id, family) in [("sharp", "Straße"), ("double", "STRASSE"), ("sigma", "ΟΔΟΣ")] {
        let patient = json!({"resourceType": "Patient", "id": id, "name": [{"family": family}]});
        assert_eq!(doctor.put(&format!("/fhir/Patient/{id}"), &patient).await.unwrap().status, 201);
    }
    for (id, quantity) in [
        ("coded", json!({"value": 5, "unit": "mg", "system": "http://unitsofmeasure.org", "code": "mg"})),
        ("plain", json!({"value": 5, "unit": "mg"})),
    ] {
        let weight = json!({"resourceType": "Observation", "id": id, "status": "final", "code": {"text": "x"},
            "subject": {"reference": "Patient/sharp"}, "valueQuantity": quantity});
        assert_eq!(doctor.put(&format!("/fhir/Observation/{id}"), &weight).await.unwrap().status, 201);
    }
    for (query, count) in [
        ("Patient?family=strasse", 2),
        ("Patient?family=Stra%C3%9Fe", 2),
        ("Patient?family:contains=ASSE", 2),
        ("Patient?family:exact=Stra%C3%9Fe", 1),
        ("Patient?family=%CE%BF%CE%B4%CE%BF%CF%82", 1),
        ("Patient?family=%CE%BF%CE%B4%CE%BF%CF%83", 1),
        ("Observation?patient=sharp&value-quantity=5", 2),
        ("Observation?patient=sharp&value-quantity=5||mg", 2),
        ("Observation?patient=sharp&value-quantity=5|http://unitsofmeasure.org|", 1),
        ("Observation?patient=sharp&value-quantity=5|urn:other|", 0),
    ] {
        let answer = doctor.get(&format!("/fhir/{}", query.replace('|', "%7C"))).await.unwrap();
        assert_eq!((answer.status, answer.matches().len()), (200, count), "{query}: {}", answer.issues());
    }
    server.stop().await.unwrap();
}
