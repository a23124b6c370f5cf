//! Operations on patients: match, member-match, merge, summary, docref; and $convert (R4 operations.html).

use reqwest::Method;
use serde_json::{Value, json};
use seva_tests::client::{Answer, Client};
use seva_tests::server::TestServer;

const MRN: &str = "urn:oid:1.2.3";

fn patient(id: &str, number: &str, birth: &str) -> Value {
    json!({"resourceType": "Patient", "id": id, "active": true, "identifier": [{"system": MRN, "value": number}],
        "name": [{"family": "Deshpande", "given": ["Aarti"]}], "birthDate": birth, "gender": "female"})
}

async fn put(client: &Client, resource: &Value) {
    let place = format!("/fhir/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
    let answer = client.put(&place, resource).await.unwrap();
    assert!(matches!(answer.status, 200 | 201), "{place}: {}", answer.issues());
}

fn parameters(list: Value) -> Value {
    json!({"resourceType": "Parameters", "parameter": list})
}

fn grades(bundle: &Value) -> Vec<(String, String)> {
    let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    entries
        .iter()
        .map(|entry| (text(&entry["resource"]["id"]), text(&entry["search"]["extension"][0]["valueCode"])))
        .collect()
}

#[tokio::test]
async fn a_patient_is_matched_with_grades() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    for (id, number, birth) in
        [("one", "100", "1980-03-04"), ("two", "200", "1980-04-03"), ("three", "300", "1955-12-31")]
    {
        put(doctor, &patient(id, number, birth)).await;
    }
    let ask = async |wanted: Value, more: Value| {
        let mut list = vec![json!({"name": "resource", "resource": wanted})];
        list.extend(more.as_array().cloned().unwrap_or_default());
        doctor.post("/fhir/Patient/$match", &parameters(Value::Array(list))).await.unwrap()
    };
    let known = json!({"resourceType": "Patient", "identifier": [{"system": MRN, "value": "100"}],
        "name": [{"family": "Deshpande", "given": ["Aarti"]}], "birthDate": "1980-03-04", "gender": "female"});
    let found = ask(known.clone(), json!([])).await;
    assert_eq!(found.status, 200, "{}", found.issues());
    let pair = |id: &str, grade: &str| (id.to_owned(), grade.to_owned());
    assert_eq!(grades(&found.json), [pair("one", "certain"), pair("two", "possible")], "{}", found.json);
    assert_eq!(found.json["entry"][0]["search"]["score"].to_string(), "1.00");
    let unnumbered = json!({"resourceType": "Patient", "name": [{"family": "deshpande", "given": ["Aarti"]}],
        "birthDate": "1980-03-04", "gender": "female"});
    let found = ask(unnumbered.clone(), json!([])).await;
    assert_eq!(grades(&found.json), [pair("one", "probable"), pair("two", "probable"), pair("three", "possible")]);
    assert_eq!(ask(unnumbered.clone(), json!([{"name": "count", "valueInteger": 1}])).await.matches(), ["one"]);
    let certain = json!([{"name": "onlyCertainMatches", "valueBoolean": true}]);
    assert_eq!(ask(unnumbered, certain.clone()).await.json["total"], 0);
    assert_eq!(ask(known, certain).await.matches(), ["one"]);
    assert_eq!(ask(json!({"resourceType": "Patient", "gender": "female"}), json!([])).await.status, 400);
    assert_eq!(ask(json!({"resourceType": "Practitioner"}), json!([])).await.status, 400);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn one_member_is_told_by_its_number() {
    let server = TestServer::start().await.unwrap();
    let client = server.administrator().await.unwrap();
    put(&client, &patient("one", "100", "1980-03-04")).await;
    let coverage = json!({"resourceType": "Coverage", "id": "c", "status": "active", "subscriberId": "S-1",
        "beneficiary": {"reference": "Patient/one"}, "payor": [{"reference": "Organization/sahyadri"}]});
    put(&client, &coverage).await;
    let consent = |status: &str, end: &str| {
        json!({"resourceType": "Consent", "status": status, "patient": {"reference": "Patient/1"},
            "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
            "category": [{"text": "sharing"}], "policy": [{"uri": "http://hl7.org/fhir/us/davinci-hrex/StructureDefinition-hrex-consent.html#regular"}],
            "provision": {"type": "permit", "period": {"start": "2020-01-01", "end": end}}})
    };
    let ask = async |birth: &str, subscriber: &str, consent: Value| {
        let theirs = json!({"resourceType": "Patient", "name": [{"family": "Deshpande", "given": ["Aarti"]}],
            "birthDate": birth, "gender": "female"});
        let card = json!({"resourceType": "Coverage", "status": "active", "subscriberId": subscriber,
            "beneficiary": {"reference": "Patient/1"}, "payor": [{"display": "other"}]});
        let list = json!([{"name": "MemberPatient", "resource": theirs}, {"name": "CoverageToMatch", "resource": card},
            {"name": "Consent", "resource": consent}]);
        client.post("/fhir/Patient/$member-match", &parameters(list)).await.unwrap()
    };
    let found = ask("1980-03-04", "S-1", consent("active", "2100-01-01")).await;
    assert_eq!(found.status, 200, "{}", found.issues());
    assert_eq!(found.json["parameter"][0]["valueIdentifier"]["value"], "100", "{}", found.json);
    assert_eq!(found.json["parameter"][1]["valueReference"]["reference"], "Patient/one");
    assert_eq!(ask("1980-03-04", "S-2", consent("active", "2100-01-01")).await.status, 422);
    assert_eq!(ask("1911-01-01", "S-1", consent("active", "2100-01-01")).await.status, 422);
    assert_eq!(ask("1980-03-04", "S-1", consent("inactive", "2100-01-01")).await.status, 422);
    assert_eq!(ask("1980-03-04", "S-1", consent("active", "2021-01-01")).await.status, 422);
    let less = parameters(json!([{"name": "MemberPatient", "resource": patient("x", "1", "1980-03-04")}]));
    assert_eq!(client.post("/fhir/Patient/$member-match", &less).await.unwrap().status, 400);
    server.stop().await.unwrap();
}

async fn merge(client: &Client, more: Value) -> Answer {
    let mut list = vec![
        json!({"name": "source-patient", "valueReference": {"reference": "Patient/two"}}),
        json!({"name": "target-patient-identifier", "valueIdentifier": {"system": MRN, "value": "100"}}),
    ];
    list.extend(more.as_array().cloned().unwrap_or_default());
    client.post("/fhir/Patient/$merge", &parameters(Value::Array(list))).await.unwrap()
}

#[tokio::test]
async fn two_records_of_one_person_become_one() {
    let server = TestServer::start().await.unwrap();
    let client = server.administrator().await.unwrap();
    put(&client, &patient("one", "100", "1980-03-04")).await;
    put(&client, &patient("two", "200", "1980-03-04")).await;
    let weight = json!({"resourceType": "Observation", "id": "w", "status": "final", "code": {"text": "weight"},
        "subject": {"reference": "Patient/two"}, "performer": [{"reference": "Patient/two"}]});
    put(&client, &weight).await;
    let list = json!({"resourceType": "List", "id": "l", "status": "current", "mode": "working",
        "entry": [{"item": {"reference": "Patient/two"}}, {"item": {"reference": "Patient/rane"}}]});
    put(&client, &list).await;

    assert_eq!(merge(&server.doctor, json!([])).await.status, 403, "not everybody merges");
    let preview = merge(&client, json!([{"name": "preview", "valueBoolean": true}])).await;
    assert_eq!(preview.status, 200, "{}", preview.issues());
    assert_eq!(preview.json["parameter"][0]["resource"]["parameter"].as_array().unwrap().len(), 3);
    assert_eq!(client.get("/fhir/Observation?patient=two").await.unwrap().matches(), ["w"], "nothing was written");

    let merged = merge(&client, json!([])).await;
    assert_eq!(merged.status, 200, "{}", merged.issues());
    let result = &merged.json["parameter"][2]["resource"];
    assert_eq!(result["identifier"][1], json!({"use": "old", "system": MRN, "value": "200"}), "{result}");
    assert_eq!(result["link"][0], json!({"other": {"reference": "Patient/two"}, "type": "replaces"}));
    let source = client.get("/fhir/Patient/two").await.unwrap().json;
    assert_eq!((&source["active"], &source["link"][0]["type"]), (&json!(false), &json!("replaced-by")));
    assert_eq!(client.get("/fhir/Observation?patient=one&performer=Patient/one").await.unwrap().matches(), ["w"]);
    assert_eq!(client.get("/fhir/Observation?patient=two").await.unwrap().matches().len(), 0);
    let list = client.get("/fhir/List/l").await.unwrap().json;
    assert_eq!(list["entry"][0]["item"]["reference"], "Patient/one");
    assert_eq!(list["entry"][1]["item"]["reference"], "Patient/rane");
    let told = client.get("/fhir/Provenance?target=Patient/two").await.unwrap().json;
    let told = &told["entry"][0]["resource"];
    assert_eq!(told["reason"][0]["coding"][0]["code"], "MDATA", "{told}");
    let targets: Vec<&str> =
        told["target"].as_array().unwrap().iter().filter_map(|target| target["reference"].as_str()).collect();
    assert_eq!(targets[..2], ["Patient/one", "Patient/two"]);
    assert!(targets.contains(&"Observation/w") && targets.contains(&"List/l"), "{targets:?}");
    assert_eq!(told["entity"][0]["what"]["reference"], "Patient/two/_history/1");
    assert!(!told["agent"][0]["who"]["display"].is_null());
    assert_eq!(merge(&client, json!([])).await.status, 422, "once only");
    let old = json!({"resourceType": "Patient", "identifier": [{"system": MRN, "value": "200"}]});
    let asked = parameters(
        json!([{"name": "resource", "resource": old}, {"name": "onlyCertainMatches", "valueBoolean": true}]),
    );
    assert_eq!(client.post("/fhir/Patient/$match", &asked).await.unwrap().matches(), ["one"], "by the old number");
    let same = parameters(json!([{"name": "source-patient", "valueReference": {"reference": "Patient/one"}},
        {"name": "target-patient", "valueReference": {"reference": "Patient/one"}}]));
    assert_eq!(client.post("/fhir/Patient/$merge", &same).await.unwrap().status, 422);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_summary_is_a_document_of_what_is_known_and_what_is_not() {
    let server = TestServer::start().await.unwrap();
    let client = server.administrator().await.unwrap();
    let condition = |id: &str, clinical: &str, name: &str| {
        json!({"resourceType": "Condition", "id": id, "code": {"text": name}, "subject": {"reference": "Patient/rane"},
            "clinicalStatus": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": clinical}]}})
    };
    put(&client, &condition("now", "active", "Asthma <mild>")).await;
    put(&client, &condition("then", "resolved", "Malaria")).await;
    let summary = client.get("/fhir/Patient/rane/$summary").await.unwrap();
    assert_eq!(summary.status, 200, "{}", summary.issues());
    let bundle = &summary.json;
    assert_eq!(
        (&bundle["type"], &bundle["entry"][0]["resource"]["resourceType"]),
        (&json!("document"), &json!("Composition"))
    );
    let sections = bundle["entry"][0]["resource"]["section"].as_array().unwrap();
    let of = |code: &str| sections.iter().find(|one| one["code"]["coding"][0]["code"] == code);
    assert_eq!(of("11450-4").unwrap()["entry"], json!([{"reference": "Condition/now"}]));
    assert!(of("11450-4").unwrap()["text"]["div"].as_str().unwrap().contains("Asthma &lt;mild&gt;"));
    assert_eq!(of("11348-0").unwrap()["entry"], json!([{"reference": "Condition/then"}]));
    assert_eq!(of("10160-0").unwrap()["emptyReason"]["coding"][0]["code"], "unavailable");
    assert!(of("8716-3").unwrap()["entry"].as_array().unwrap().len() == 1 && of("11369-6").is_none());
    let keys: Vec<String> =
        bundle["entry"].as_array().unwrap().iter().map(|entry| entry["fullUrl"].to_string()).collect();
    for key in ["Patient/rane", "Condition/now", "AllergyIntolerance/allergy-rane", "Organization/sahyadri"] {
        assert!(keys.iter().any(|own| own.contains(key)), "{key} in {keys:?}");
    }
    let again = client.get("/fhir/Patient/rane/$summary").await.unwrap();
    assert_eq!(again.bytes, summary.bytes, "the same record, the same document");
    let valid = client.post("/fhir/Bundle/$validate", bundle).await.unwrap();
    assert_eq!(valid.json["issue"][0]["severity"], "information", "{}", valid.json);

    let number = client.get("/fhir/Patient/rane").await.unwrap().json["identifier"][0].clone();
    let token = format!("{}|{}", number["system"].as_str().unwrap_or_default(), number["value"].as_str().unwrap());
    let named = client.get(&format!("/fhir/Patient/$summary?identifier={}", token.replace('|', "%7C"))).await.unwrap();
    assert_eq!(named.bytes, summary.bytes);
    assert_eq!(client.get("/fhir/Patient/$summary").await.unwrap().status, 400);
    let pharmacist = seva_tests::server::NewAccount {
        tenant: seva_server::demo::TENANT,
        username: "pharmacist",
        role: "pharmacist",
        practitioner: None,
        patient: None,
    };
    let pharmacist = server.account(pharmacist).await.unwrap();
    let seen = pharmacist.get("/fhir/Patient/rane/$summary").await.unwrap().json;
    assert_eq!(seen["entry"][0]["resource"]["section"][0]["emptyReason"]["coding"][0]["code"], "withheld");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn documents_are_found_by_care_dates_and_made_on_demand() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let document = |id: &str, filed: &str, period: Value| {
        let context = if period.is_null() {
            json!({"encounter": [{"reference": "Encounter/visit-rane"}]})
        } else {
            json!({"period": period})
        };
        json!({"resourceType": "DocumentReference", "id": id, "status": "current", "date": filed,
            "type": {"coding": [{"system": "http://loinc.org", "code": "34133-9"}]}, "subject": {"reference": "Patient/rane"},
            "content": [{"attachment": {"contentType": "text/plain", "data": "YQ=="}}], "context": context})
    };
    put(doctor, &document("care", "2024-06-01T00:00:00Z", json!({"start": "2021-02-01", "end": "2021-02-03"}))).await;
    put(doctor, &document("filed", "2021-05-01T00:00:00Z", Value::Null)).await;
    let find = async |query: &str| doctor.get(&format!("/fhir/DocumentReference/$docref?{query}")).await.unwrap();
    let all = find("patient=rane").await;
    assert_eq!((all.status, all.matches()), (200, vec!["care", "filed"]), "{}", all.issues());
    assert_eq!(find("patient=rane&start=2021-01-01&end=2021-03-01").await.matches(), ["care"]);
    assert_eq!(find("patient=Patient/rane&start=2021-04-01&end=2021-12-31").await.matches(), ["filed"]);
    assert_eq!(find("patient=rane&type=http://loinc.org%7C1-1").await.matches().len(), 0);
    let demanded = find("patient=rane&on-demand=true").await.json;
    let url = demanded["entry"][0]["resource"]["content"][0]["attachment"]["url"].as_str().unwrap();
    assert!(url.ends_with("/fhir/Patient/rane/$summary"), "{url}");
    assert_eq!(find("patient=nobody").await.status, 404);
    assert_eq!(find("start=2021").await.status, 400);
    let body = parameters(json!([{"name": "patient", "valueId": "rane"},
        {"name": "type", "valueCodeableConcept": {"coding": [{"system": "http://loinc.org", "code": "34133-9"}]}}]));
    let posted = doctor.post("/fhir/DocumentReference/$docref", &body).await.unwrap();
    assert_eq!(posted.matches().len(), 2, "{}", posted.issues());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_resource_is_converted_between_json_and_xml() {
    let server = TestServer::start().await.unwrap();
    let xml = r#"<Patient xmlns="http://hl7.org/fhir"><id value="x"/><name><family value="Rane"/></name></Patient>"#;
    let headers = [("content-type", "application/fhir+xml"), ("accept", "application/fhir+json")];
    let json_again = server.doctor.send(Method::POST, "/fhir/$convert", &headers, Some(xml.into())).await.unwrap();
    assert_eq!(json_again.json, json!({"resourceType": "Patient", "id": "x", "name": [{"family": "Rane"}]}));
    let headers = [("content-type", "application/fhir+json"), ("accept", "application/fhir+xml")];
    let back = server.doctor.send(Method::POST, "/fhir/$convert", &headers, Some(json_again.bytes)).await.unwrap();
    let text = String::from_utf8(back.bytes).unwrap();
    assert!(text.contains(r#"<family value="Rane"/>"#), "{text}");
    assert_eq!(server.doctor.post("/fhir/$convert", &parameters(json!([]))).await.unwrap().status, 400);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn operations_are_called_within_a_batch() {
    let server = TestServer::start().await.unwrap();
    put(&server.doctor, &patient("one", "100", "1980-03-04")).await;
    let wanted = json!({"resourceType": "Patient", "identifier": [{"system": MRN, "value": "100"}]});
    let gender = "ValueSet/$validate-code?url=http://hl7.org/fhir/ValueSet/administrative-gender&code=female&system=http://hl7.org/fhir/administrative-gender";
    let get = |url: &str| json!({"request": {"method": "GET", "url": url}});
    let merge = parameters(json!([]));
    let bundle = json!({"resourceType": "Bundle", "type": "batch", "entry": [
        get(gender), get("Patient/one"),
        {"resource": parameters(json!([{"name": "resource", "resource": wanted}])), "request": {"method": "POST", "url": "Patient/$match"}},
        {"resource": merge, "request": {"method": "POST", "url": "Patient/$merge"}},
        get("Patient/nobody/$everything"), get("Patient/one/$summary"), get("Nothing/at-all")]});
    let answer = server.doctor.post("/fhir", &bundle).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.issues());
    let entries = answer.json["entry"].as_array().unwrap();
    let statuses: Vec<&str> = entries.iter().map(|entry| entry["response"]["status"].as_str().unwrap()).collect();
    let expected = ["200 OK", "200 OK", "200 OK", "400 Bad Request", "404 Not Found", "200 OK", "404 Not Found"];
    assert_eq!(statuses, expected, "{}", answer.json);
    assert!(entries[6].to_string().contains("Bundle.entry[6]"), "a fault names its entry: {}", entries[6]);
    assert_eq!(entries[0]["resource"]["parameter"][0]["valueBoolean"], true, "{}", entries[0]);
    assert_eq!(entries[1]["resource"]["id"], "one");
    assert_eq!(entries[2]["resource"]["entry"][0]["resource"]["id"], "one");
    assert_eq!(entries[5]["resource"]["type"], "document");
    let only = json!({"resourceType": "Bundle", "type": "batch", "entry": [get(gender)]});
    assert_eq!(server.doctor.post("/fhir", &only).await.unwrap().json["entry"].as_array().unwrap().len(), 1);
    server.stop().await.unwrap();
}
