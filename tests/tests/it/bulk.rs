//! Bulk export and import, and requests that are answered later (bulk data 2.0, R4 async.html).

use std::io::Read as _;
use std::time::Duration;

use flate2::read::GzDecoder;
use reqwest::Method;
use serde_json::{Value, json};
use seva_tests::client::{Answer, Client};
use seva_tests::server::TestServer;

const LINES: &str = "application/fhir+ndjson";

/// Asks until the work is done.
async fn done(client: &Client, accepted: &Answer) -> Answer {
    assert_eq!(accepted.status, 202, "{}", accepted.issues());
    let place = accepted.header("content-location").to_owned();
    for _ in 0..600 {
        let status = client.get(&place).await.unwrap();
        if status.status != 202 {
            return status;
        }
        assert!(!status.header("x-progress").is_empty() && status.header("retry-after") == "1");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the work at {place} never ended");
}

/// The resources of a manifest's files of a type.
async fn lines(client: &Client, manifest: &Answer, list: &str, kind: &str) -> Vec<Value> {
    let mut found = Vec::new();
    for file in manifest.json[list].as_array().unwrap() {
        if file["type"] != kind {
            continue;
        }
        let url = file["url"].as_str().unwrap();
        let answer = client.send(Method::GET, url, &[("accept", LINES)], None).await.unwrap();
        assert_eq!((answer.status, answer.header("content-type")), (200, LINES));
        let text = String::from_utf8(answer.bytes).unwrap();
        let read: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(file["count"], read.len());
        found.extend(read);
    }
    found
}

fn ids(resources: &[Value]) -> Vec<&str> {
    let mut ids: Vec<&str> = resources.iter().filter_map(|resource| resource["id"].as_str()).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn exports_hold_what_they_are_asked_for() {
    let server = TestServer::start().await.unwrap();
    let (admin, doctor) = (&server.administrator().await.unwrap(), &server.doctor);
    assert_eq!(doctor.get("/fhir/$export").await.unwrap().status, 403);
    for (query, word) in [
        ("_type=Fish", "Fish"),
        ("_outputFormat=csv", "csv"),
        ("wrong=1", "wrong"),
        ("_typeFilter=Patient", "_typeFilter"),
        ("_since=soon", "_since"),
    ] {
        let refused = admin.get(&format!("/fhir/$export?{query}")).await.unwrap();
        assert!(refused.status == 400 && refused.issues().contains(word), "{query}: {}", refused.issues());
    }
    let whole = done(admin, &admin.get("/fhir/$export?_outputFormat=ndjson").await.unwrap()).await;
    assert_eq!((whole.status, &whole.json["requiresAccessToken"]), (200, &json!(true)));
    assert!(!whole.header("expires").is_empty() && whole.json["request"].as_str().unwrap().contains("/fhir/$export"));
    let patients = lines(admin, &whole, "output", "Patient").await;
    let searched = admin.get("/fhir/Patient?_count=1000").await.unwrap();
    assert_eq!(patients.len(), searched.matches().len());
    let stored = admin.get("/fhir/Patient/rane").await.unwrap().json;
    assert!(patients.contains(&stored));
    assert_eq!(
        lines(admin, &whole, "output", "Practitioner").await.len(),
        admin.get("/fhir/Practitioner").await.unwrap().matches().len()
    );
    let first = whole.json["output"][0]["url"].as_str().unwrap();
    let packed = admin.send(Method::GET, first, &[("accept", LINES), ("accept-encoding", "gzip")], None).await.unwrap();
    assert_eq!((packed.header("content-encoding"), packed.header("content-type")), ("gzip", LINES));
    let mut plain = Vec::new();
    GzDecoder::new(packed.bytes.as_slice()).read_to_end(&mut plain).unwrap();
    assert_eq!(plain, admin.get(first).await.unwrap().bytes);
    // Nobody else's job exists, and a file without a token is not handed out.
    let place = whole.json["output"][0]["url"].as_str().unwrap().to_owned();
    assert_eq!(doctor.get(&place).await.unwrap().status, 404);
    assert_eq!(Client::anonymous("").unwrap().get(&place).await.unwrap().status, 401);

    server.stop().await.unwrap();
}

#[tokio::test]
async fn exports_are_of_some_patients_elements_and_times() {
    let server = TestServer::start().await.unwrap();
    let admin = &server.administrator().await.unwrap();
    let one = json!({"resourceType": "Parameters", "parameter": [
        {"name": "patient", "valueReference": {"reference": "Patient/rane"}},
        {"name": "_type", "valueString": "Patient,Observation"}, {"name": "_elements", "valueString": "Patient.name"}]});
    let one = done(admin, &admin.post("/fhir/Patient/$export", &one).await.unwrap()).await;
    let patients = lines(admin, &one, "output", "Patient").await;
    assert_eq!(ids(&patients), ["rane"]);
    assert!(
        patients[0].get("name").is_some()
            && patients[0].get("gender").is_none()
            && patients[0]["meta"]["tag"][0]["code"] == "SUBSETTED"
    );
    assert_eq!(ids(&lines(admin, &one, "output", "Observation").await), ["weight-rane"]);

    let group = json!({"resourceType": "Group", "id": "g", "type": "person", "actual": true, "member": [
        {"entity": {"reference": "Patient/rane"}}, {"entity": {"reference": "Patient/gawande"}, "inactive": true}]});
    admin.put("/fhir/Group/g", &group).await.unwrap();
    let group = done(
        admin,
        &admin
            .get("/fhir/Group/g/$export?_typeFilter=Encounter%3Fstatus%3Dfinished,Encounter%3F_id%3Dvisit-rane")
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(ids(&lines(admin, &group, "output", "Patient").await), ["rane"]);
    assert_eq!(ids(&lines(admin, &group, "output", "Encounter").await), ["visit-rane"]);

    let before = done(admin, &admin.get("/fhir/$export?_type=Basic").await.unwrap()).await;
    assert_eq!(before.json["output"], json!([]));
    let since = before.json["transactionTime"].as_str().unwrap().to_owned();
    tokio::time::sleep(Duration::from_millis(1200)).await;
    admin.put("/fhir/Patient/late", &json!({"resourceType": "Patient", "id": "late"})).await.unwrap();
    admin
        .put("/fhir/Basic/gone", &json!({"resourceType": "Basic", "id": "gone", "code": {"text": "x"}}))
        .await
        .unwrap();
    admin.delete("/fhir/Basic/gone").await.unwrap();
    let newer =
        done(admin, &admin.get(&format!("/fhir/$export?_since={since}&_type=Patient,Basic")).await.unwrap()).await;
    assert!(ids(&lines(admin, &newer, "output", "Patient").await).contains(&"late"));
    let deleted = lines(admin, &newer, "deleted", "Bundle").await;
    assert_eq!(deleted[0]["entry"][0]["request"], json!({"method": "DELETE", "url": "Basic/gone"}));

    let place = admin.get("/fhir/$export").await.unwrap().header("content-location").to_owned();
    assert_eq!(admin.delete(&place).await.unwrap().status, 202);
    assert_eq!(admin.get(&place).await.unwrap().status, 404);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn filters_of_exports_look_into_contained_resources() {
    let server = TestServer::start().await.unwrap();
    let admin = &server.administrator().await.unwrap();
    for code in ["x", "y"] {
        let order = json!({"resourceType": "MedicationRequest", "id": code, "status": "active", "intent": "order",
            "contained": [{"resourceType": "Medication", "id": "m", "code": {"coding": [{"code": code}]}}],
            "subject": {"reference": "Patient/rane"}, "medicationReference": {"reference": "#m"}});
        assert_eq!(admin.put(&format!("/fhir/MedicationRequest/{code}"), &order).await.unwrap().status, 201);
    }
    let filter = "MedicationRequest%3Fmedication.code%3Dy";
    let path = format!("/fhir/$export?_type=MedicationRequest&_typeFilter={filter}");
    let manifest = done(admin, &admin.get(&path).await.unwrap()).await;
    assert_eq!(ids(&lines(admin, &manifest, "output", "MedicationRequest").await), ["y"]);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn imported_lines_are_written_and_faulty_ones_are_named() {
    let server = TestServer::start().await.unwrap();
    let admin = &server.administrator().await.unwrap();
    let mut body = String::new();
    for number in 0..1200 {
        body.push_str(&json!({"resourceType": "Patient", "id": format!("bulk-{number}"), "name": [{"family": format!("Bulk{number}")}]}).to_string());
        body.push('\n');
    }
    body.push_str("{\"resourceType\":\"Patient\",\"id\":\"wrong\",\"birthDate\":\"yesterday\"}\n\nno json\n");
    body.push_str("{\"resourceType\":\"Patient\",\"id\":\"bulk-0\",\"active\":true}\n{\"resourceType\":\"Patient\",\"active\":false}\n");
    let send = async |client: &Client, kind: &str| {
        let body = Some(body.clone().into_bytes());
        client.send(Method::POST, "/fhir/$import", &[("content-type", kind)], body).await.unwrap()
    };
    assert_eq!(send(admin, "text/plain").await.status, 415);
    assert_eq!(send(&server.doctor, LINES).await.status, 403);
    let ended = done(admin, &send(admin, LINES).await).await;
    assert_eq!((&ended.json["written"], &ended.json["refused"]), (&json!(1202), &json!(2)), "{}", ended.json);
    let errors = lines(admin, &ended, "error", "OperationOutcome").await;
    let told: String = errors.iter().map(|outcome| outcome["issue"].to_string()).collect();
    assert!(
        told.contains("line 1201: ") && told.contains("Patient.birthDate") && told.contains("line 1202: "),
        "{told}"
    );
    assert_eq!(admin.get("/fhir/Patient?family=Bulk77&family:exact=Bulk77").await.unwrap().matches(), ["bulk-77"]);
    let first = admin.get("/fhir/Patient/bulk-0").await.unwrap().json;
    assert_eq!((&first["meta"]["versionId"], &first["active"]), (&json!("2"), &json!(true)));
    let again = done(admin, &send(admin, LINES).await).await;
    assert_eq!(again.json["written"], 1202);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn any_request_can_be_answered_later() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let later = async |path: &str| doctor.send(Method::GET, path, &[("prefer", "respond-async")], None).await.unwrap();
    let ended = done(doctor, &later("/fhir/Patient/rane/$everything").await).await;
    assert_eq!(ended.json["status"], 200);
    let bundle = lines(doctor, &ended, "output", "Bundle").await;
    assert_eq!(
        bundle[0]["entry"].as_array().unwrap().len(),
        doctor.get("/fhir/Patient/rane/$everything").await.unwrap().json["entry"].as_array().unwrap().len()
    );
    let wrong = later("/fhir/Patient?colour=red").await;
    assert!(wrong.status == 400 && wrong.issues().contains("colour"), "a search is checked at once");
    let headers = [("prefer", "respond-async, handling=lenient")];
    let lenient = doctor.send(Method::GET, "/fhir/Patient?colour=red", &headers, None).await.unwrap();
    assert_eq!(done(doctor, &lenient).await.json["status"], 200);
    let absent = done(doctor, &later("/fhir/Patient/nobody").await).await;
    assert_eq!(absent.json["status"], 404);
    assert!(lines(doctor, &absent, "error", "OperationOutcome").await[0].to_string().contains("nobody"));
    let patient = json!({"resourceType": "Patient", "id": "later"}).to_string();
    let headers = [("prefer", "respond-async"), ("content-type", "application/fhir+json")];
    let written = doctor.send(Method::PUT, "/fhir/Patient/later", &headers, Some(patient.into())).await.unwrap();
    assert_eq!(done(doctor, &written).await.json["status"], 201);
    assert_eq!(doctor.get("/fhir/Patient/later").await.unwrap().status, 200);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn files_are_imported_from_listed_origins_only() {
    use wiremock::matchers::path;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    let away = MockServer::start().await;
    let patients: String = (0..700)
        .map(|number| {
            json!({"resourceType": "Patient", "id": format!("far-{number}"), "active": true}).to_string() + "\n"
        })
        .collect();
    let wrong = json!({"resourceType": "Basic", "id": "b", "code": {"text": "x"}}).to_string();
    let answers = [
        ("/patients", ResponseTemplate::new(200).set_body_string(patients + &wrong)),
        ("/basics", ResponseTemplate::new(200).set_body_string(wrong.clone())),
        ("/gone", ResponseTemplate::new(404)),
        ("/moved", ResponseTemplate::new(302).insert_header("location", format!("{}/basics", away.uri()))),
    ];
    for (place, answer) in answers {
        Mock::given(path(place)).respond_with(answer).mount(&away).await;
    }
    let server =
        TestServer::start_with(|configuration| configuration.import.origins = away.uri().into()).await.unwrap();
    let admin = &server.administrator().await.unwrap();
    let input = |kind: &str, place: &str| json!({"type": kind, "url": format!("{}{place}", away.uri())});
    let inputs =
        [input("Patient", "/patients"), input("Basic", "/gone"), input("Basic", "/moved"), input("Basic", "/basics")];
    let manifest = |inputs: &[Value]| json!({"inputFormat": LINES, "inputSource": away.uri(), "input": inputs});
    let ended = done(admin, &admin.post("/fhir/$import", &manifest(&inputs)).await.unwrap()).await;
    assert_eq!((&ended.json["written"], &ended.json["refused"]), (&json!(701), &json!(3)), "{}", ended.json);
    let errors = lines(admin, &ended, "error", "OperationOutcome").await;
    let told: String = errors.iter().map(|outcome| outcome["issue"].to_string()).collect();
    for text in ["input[0], line 701: ", "input[1] was not read to its end: the answer was 404", "input[2]", "302"] {
        assert!(told.contains(text), "{text}: {told}");
    }
    assert_eq!(admin.get("/fhir/Patient/far-699").await.unwrap().status, 200);
    assert_eq!(admin.get("/fhir/Basic/b").await.unwrap().status, 200);

    let parameters = json!({"resourceType": "Parameters", "parameter": [{"name": "inputFormat", "valueCode": LINES},
        {"name": "input", "part": [{"name": "type", "valueCode": "Basic"}, {"name": "url", "valueUri": format!("{}/basics", away.uri())}]}]});
    let ended = done(admin, &admin.post("/fhir/$import", &parameters).await.unwrap()).await;
    assert_eq!(ended.json["written"], 1, "{}", ended.json);

    let elsewhere = json!({"type": "Basic", "url": "http://169.254.169.254/latest/meta-data"});
    let refused = admin.post("/fhir/$import", &manifest(&[inputs[3].clone(), elsewhere])).await.unwrap();
    assert_eq!(
        (refused.status, &refused.json["issue"][0]["expression"]),
        (400, &json!(["input[1].url"])),
        "{}",
        refused.json
    );
    assert!(refused.issues().contains("not listed"), "{}", refused.issues());
    assert_eq!(server.doctor.post("/fhir/$import", &manifest(&inputs)).await.unwrap().status, 403);
    server.stop().await.unwrap();
}
