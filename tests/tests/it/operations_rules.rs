//! Rules of R4's own OperationDefinitions that the other tests of operations leave out (R4 operations.html).

use reqwest::Method;
use serde_json::json;
use seva_tests::server::{NewAccount, TestServer};

#[tokio::test]
async fn a_document_is_stored_once_where_that_is_asked_for() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let composition = json!({"resourceType": "Composition", "id": "note", "status": "final", "type": {"text": "note"},
        "date": "2024-01-01", "title": "Note", "author": [{"reference": "Practitioner/kelkar"}],
        "subject": {"reference": "Patient/rane"}});
    assert_eq!(doctor.put("/fhir/Composition/note", &composition).await.unwrap().status, 201);
    let own = doctor.get("/fhir/Composition/note/$document").await.unwrap();
    assert_eq!((own.status, own.header("location")), (200, ""));
    let named = doctor.get("/fhir/Composition/$document?id=note").await.unwrap();
    assert_eq!(named.json, own.json);
    assert_eq!(doctor.get("/fhir/Bundle").await.unwrap().matches().len(), 0, "nothing was stored");

    let stored = doctor.get("/fhir/Composition/note/$document?persist=true").await.unwrap();
    assert_eq!(stored.status, 200, "{}", stored.issues());
    let place = stored.header("location").split("/_history/").next().unwrap().to_owned();
    assert_eq!(doctor.get(&place).await.unwrap().json, stored.json);
    assert_eq!(stored.json["identifier"], own.json["identifier"]);
    let body = json!({"resourceType": "Parameters", "parameter": [
        {"name": "id", "valueUri": "note"}, {"name": "persist", "valueBoolean": true}]});
    let again = doctor.post("/fhir/Composition/$document", &body).await.unwrap();
    assert_eq!(again.json["id"], stored.json["id"], "the same version is the same document");

    for (path, word) in [
        ("Composition/note/$document?id=note", "leave the parameter out"),
        ("Composition/$document", "needs id"),
        ("Composition/$document?id=http://elsewhere.example/Composition/1", "other servers"),
        ("Composition/note/$document?graph=urn:g", "GraphDefinition"),
        ("Composition/note/$document?persist=maybe", "neither true nor false"),
    ] {
        let refused = doctor.get(&format!("/fhir/{path}")).await.unwrap();
        assert!(refused.status == 400 && refused.issues().contains(word), "{path}: {}", refused.issues());
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn everything_without_a_patient_is_the_own_record() {
    let server = TestServer::start().await.unwrap();
    let refused = server.doctor.get("/fhir/Patient/$everything").await.unwrap();
    assert!(refused.status == 400 && refused.issues().contains("too-costly"), "{}", refused.issues());
    let account = NewAccount {
        tenant: seva_server::demo::TENANT,
        username: "rane",
        role: "patient",
        practitioner: None,
        patient: Some("rane"),
    };
    let rane = server.account(account).await.unwrap();
    let own = rane.get("/fhir/Patient/$everything?_type=Patient,Observation").await.unwrap();
    assert_eq!(own.status, 200, "{}", own.issues());
    assert_eq!(own.json, rane.get("/fhir/Patient/rane/$everything?_type=Patient,Observation").await.unwrap().json);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn everything_brings_the_binaries_of_attachments() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let binary = |id: &str, guard: &str| {
        json!({"resourceType": "Binary", "id": id, "contentType": "text/plain", "data": "bm90ZQ==",
            "securityContext": {"reference": guard}})
    };
    let document = json!({"resourceType": "DocumentReference", "id": "letter", "status": "current",
        "subject": {"reference": "Patient/rane"}, "content": [{"attachment": {"url": "Binary/own"}},
            {"attachment": {"url": "Binary/theirs"}}, {"attachment": {"url": "http://elsewhere.example/Binary/x"}}]});
    for resource in [binary("own", "DocumentReference/letter"), binary("theirs", "Patient/naik"), document] {
        let place =
            format!("/fhir/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        assert_eq!(doctor.put(&place, &resource).await.unwrap().status, 201);
    }
    let binaries = async |query: &str| {
        let all = doctor.get(&format!("/fhir/Patient/rane/$everything{query}")).await.unwrap().json;
        let entries = all["entry"].as_array().unwrap().iter().map(|entry| entry["resource"].clone());
        let found = entries.filter(|resource| resource["resourceType"] == "Binary");
        found.map(|resource| resource["id"].as_str().unwrap().to_owned()).collect::<Vec<String>>()
    };
    assert_eq!(binaries("").await, ["own"], "what another patient's record guards stays there");
    assert_eq!(binaries("?_type=DocumentReference,Binary").await, ["own"]);
    assert_eq!(binaries("?_type=DocumentReference").await, [""; 0]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn observations_with_one_coding_in_common_are_of_one_kind() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let coding = |code: &str| json!({"system": "urn:kinds", "code": code});
    for (id, day, codes) in
        [("a", "2024-03-03", vec!["x"]), ("b", "2024-03-02", vec!["y", "x"]), ("c", "2024-03-01", vec!["y"])]
    {
        let observation = json!({"resourceType": "Observation", "id": id, "status": "final", "effectiveDateTime": day,
            "code": {"coding": codes.into_iter().map(coding).collect::<Vec<_>>()}, "subject": {"reference": "Patient/naik"}});
        assert_eq!(doctor.put(&format!("/fhir/Observation/{id}"), &observation).await.unwrap().status, 201);
    }
    let newest = doctor.get("/fhir/Observation/$lastn?patient=naik&code=urn:kinds%7Cx,urn:kinds%7Cy").await.unwrap();
    assert_eq!(newest.matches(), ["a"], "{}", newest.json);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let server = TestServer::start().await.unwrap();
    for (method, path, allow) in [
        (Method::PUT, "/fhir/Patient/rane/$everything", "GET, HEAD, POST"),
        (Method::DELETE, "/fhir/ValueSet/$expand", "GET, HEAD, POST"),
        (Method::GET, "/fhir/Patient/$merge", "POST"),
        (Method::GET, "/fhir/$closure", "POST"),
    ] {
        let refused = server.doctor.send(method, path, &[], None).await.unwrap();
        assert_eq!((refused.status, refused.header("allow")), (405, allow), "{path}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn parameters_are_a_sound_resource() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    for (path, body, word) in [
        ("Patient/rane/$everything", json!({}), "no resourceType"),
        ("Patient/rane/$everything", json!({"resourceType": "Patient"}), "not as Patient"),
        (
            "Patient/rane/$everything",
            json!({"resourceType": "Parameters", "parameter": [{"valueString": "x"}]}),
            "name",
        ),
        ("Patient/rane/$everything", json!({"resourceType": "Parameters", "parameters": []}), "parameters"),
        (
            "Patient/rane/$meta-add",
            json!({"resourceType": "Parameters", "parameter": [{"name": "meta", "valueString": "x"}]}),
            "a Meta",
        ),
    ] {
        let refused = doctor.post(&format!("/fhir/{path}"), &body).await.unwrap();
        assert!(refused.status == 400 && refused.issues().contains(word), "{path} {body}: {}", refused.issues());
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn xml_that_is_not_fhirs_is_validated_too() {
    let server = TestServer::start().await.unwrap();
    let validate = async |body: &str| {
        let headers = [("content-type", "application/fhir+xml")];
        server.doctor.send(Method::POST, "/fhir/Patient/$validate", &headers, Some(body.into())).await.unwrap()
    };
    let wrong = validate("<Patient xmlns=\"http://hl7.org/fhir\"><brithDate value=\"1980\"/></Patient>").await;
    assert_eq!((wrong.status, &wrong.json["issue"][0]["severity"]), (200, &json!("error")), "{}", wrong.issues());
    assert_eq!(wrong.json["issue"][0]["expression"][0], "Patient.brithDate");
    assert_eq!(validate("no XML at all").await.status, 400);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn definitions_of_own_operations_are_read_where_the_statement_says() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let statement = doctor.get("/fhir/metadata").await.unwrap().json;
    let base = statement["implementation"]["url"].as_str().unwrap().to_owned();
    let rest = &statement["rest"][0];
    let types = rest["resource"].as_array().unwrap().iter().filter_map(|one| one["operation"].as_array()).flatten();
    let mut own: Vec<(String, String)> = Vec::new();
    for one in rest["operation"].as_array().unwrap().iter().chain(types) {
        let (name, url) = (one["name"].as_str().unwrap(), one["definition"].as_str().unwrap());
        assert!(url.starts_with("http"), "{url} can't be read");
        if url.starts_with(&base) {
            own.push((name.to_owned(), url.to_owned()));
        }
    }
    own.sort_unstable();
    own.dedup();
    assert_eq!(own.iter().map(|(name, _)| name.as_str()).collect::<Vec<&str>>(), ["evidence", "explain", "extract"]);
    for (name, url) in &own {
        let path = format!("/fhir{}", url.strip_prefix(&base).unwrap());
        let read = doctor.get(&path).await.unwrap();
        assert_eq!((read.status, &read.json["code"], &read.json["url"]), (200, &json!(name), &json!(url)));
        let found = doctor.get(&format!("/fhir/OperationDefinition?url={url}")).await.unwrap();
        assert_eq!((found.json["total"].as_i64(), &found.json["entry"][0]["resource"]), (Some(1), &read.json));
        assert_eq!(doctor.get(&format!("{path}/_history/1")).await.unwrap().json, read.json);
        assert_eq!(doctor.get(&format!("{path}/_history/2")).await.unwrap().status, 404);
        assert_eq!(doctor.get(&format!("{path}/_history")).await.unwrap().json["entry"][0]["resource"], read.json);
        let valid = doctor.post("/fhir/OperationDefinition/$validate", &read.json).await.unwrap();
        assert!(!valid.issues().contains("error"), "{}", valid.issues());
        let administrator = NewAccount {
            tenant: seva_server::demo::TENANT,
            username: &format!("of-{name}"),
            role: "hospital-admin",
            practitioner: None,
            patient: None,
        };
        let administrator = server.account(administrator).await.unwrap();
        assert_eq!(administrator.put(&path, &read.json).await.unwrap().status, 403);
        assert_eq!(administrator.delete(&path).await.unwrap().status, 403);
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn definitions_of_own_operations_page_before_stored_ones() {
    let server = TestServer::start().await.unwrap();
    let account = NewAccount {
        tenant: seva_server::demo::TENANT,
        username: "definer",
        role: "hospital-admin",
        practitioner: None,
        patient: None,
    };
    let definer = server.account(account).await.unwrap();
    let stored = json!({"resourceType": "OperationDefinition", "id": "theirs", "name": "Theirs", "status": "active",
        "kind": "query", "code": "theirs", "system": false, "type": true, "instance": false});
    assert_eq!(definer.put("/fhir/OperationDefinition/theirs", &stored).await.unwrap().status, 201);
    let all = ["seva-extract", "seva-evidence", "seva-explain", "theirs"];
    for count in 1..=5 {
        let (mut seen, mut next) = (Vec::new(), Some(format!("/fhir/OperationDefinition?_count={count}")));
        while let Some(url) = next {
            let page = definer.get(&url).await.unwrap();
            assert!(page.matches().len() <= count, "{}", page.json);
            seen.extend(page.matches().iter().map(|id| (*id).to_owned()));
            next = page.link("next").map(str::to_owned);
        }
        assert_eq!(seen, all, "pages of {count}");
    }
    let total = async |query: &str| {
        definer.get(&format!("/fhir/OperationDefinition?_total=accurate&{query}")).await.unwrap().json["total"].clone()
    };
    assert_eq!(total("_count=0").await, 4);
    assert_eq!(total("_count=1").await, 4);
    assert_eq!(total("kind=operation").await, 3);
    assert_eq!(total("kind=query").await, 1);
    assert_eq!(total("_id=seva-explain,theirs").await, 2);
    assert_eq!(total("instance=true").await, 1);
    assert_eq!(definer.get("/fhir/OperationDefinition?_page=own~x").await.unwrap().status, 400);
    server.stop().await.unwrap();
}
