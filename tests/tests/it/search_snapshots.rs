//! The searchset of one search of each type, as it goes out (R4 search.html): links, order, total, modes, entries. What
//! differs from run to run is replaced. `INSTA_UPDATE=always` writes the snapshots anew.

use serde_json::{Value, json};
use seva_tests::client::Client;
use seva_tests::server::TestServer;

/// A name for the snapshot, and the search.
const SEARCHES: &[(&str, &str)] = &[
    ("string", "Patient?family=snap"),
    ("string_exact", "Patient?family:exact=Snapper"),
    ("token", "Observation?code=urn:snap%7Cweight"),
    ("token_not", "Observation?code=urn:snap%7C&status:not=final"),
    ("token_of_type", "Patient?identifier:of-type=http://terminology.hl7.org/CodeSystem/v2-0203%7CMR%7C1"),
    ("reference", "Observation?subject=Patient/snap-1"),
    ("reference_identifier", "Observation?subject:identifier=urn:snap%7C9"),
    ("date", "Observation?code=urn:snap%7C&date=ge2020-02-01"),
    ("number", "RiskAssessment?probability=gt0.5"),
    ("quantity", "Observation?value-quantity=gt60000%7Chttp://unitsofmeasure.org%7Cg&code=urn:snap%7C"),
    ("uri", "ValueSet?url:below=http://snap.example/vs"),
    ("composite", "Observation?code-value-quantity=urn:snap%7Cweight$gt65"),
    ("special_near", "Location?near=18.52%7C73.85%7C5%7Ckm"),
    ("special_filter", "Patient?_filter=family sw snap and birthdate lt 1990-01-01"),
    ("missing", "Patient?family=snap&birthdate:missing=true"),
    ("chain", "Observation?subject:Patient.family=Snapper"),
    ("has", "Patient?_has:Observation:subject:code=urn:snap%7Cweight"),
    ("include", "Observation?code=urn:snap%7Cweight&_include=Observation:subject"),
    ("revinclude", "Patient?_id=snap-1&_revinclude=Observation:subject"),
    ("sort", "Patient?family=snap&_sort=-birthdate,family"),
    ("page", "Patient?family=snap&_sort=birthdate&_count=1&_total=accurate"),
    ("count_only", "Patient?family=snap&_summary=count"),
    ("elements", "Patient?_id=snap-1&_elements=birthDate"),
    ("summary", "Patient?_id=snap-1&_summary=true"),
    ("contained", "Observation?_contained=true&_containedType=container&subject:missing=true&code=urn:snap%7Cinside"),
    ("compartment", "Patient/snap-1/Observation?code=urn:snap%7C"),
    ("system", "?_type=Patient,Observation&_id=snap-1,snap-w1"),
    ("nothing", "Patient?family=nobody-of-this-name"),
    ("lenient", "Patient?family=snap&unknown=1"),
];

fn patient(id: &str, family: &str, birth: Option<&str>) -> Value {
    let identifier = json!({"system": "urn:snap", "value": id.trim_start_matches("snap-"),
        "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]}});
    let mut patient = json!({"resourceType": "Patient", "id": id, "active": true, "identifier": [identifier],
        "name": [{"family": family, "given": ["Asha"]}], "contact": [{"name": {"text": "Mother"}}]});
    if let Some(birth) = birth {
        patient["birthDate"] = json!(birth);
    }
    patient
}

fn observation(id: &str, code: &str, day: &str, more: Value) -> Value {
    let mut observation = json!({"resourceType": "Observation", "id": id, "status": "final", "effectiveDateTime": day,
        "code": {"coding": [{"system": "urn:snap", "code": code}]}});
    for (name, value) in more.as_object().unwrap() {
        observation[name.as_str()] = value.clone();
    }
    observation
}

fn resources() -> Vec<Value> {
    let of = |id: &str| json!({"reference": format!("Patient/{id}")});
    let kilograms =
        |value: u32| json!({"value": value, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"});
    let place = |latitude: f64| json!({"latitude": latitude, "longitude": 73.85});
    vec![
        patient("snap-1", "Snapper", Some("1980-05-06")),
        patient("snap-2", "Snape", Some("1990-01-02")),
        patient("snap-3", "Snapson", None),
        observation(
            "snap-w1",
            "weight",
            "2020-01-05",
            json!({"subject": of("snap-1"), "valueQuantity": kilograms(61)}),
        ),
        observation(
            "snap-w2",
            "weight",
            "2020-02-05",
            json!({"subject": of("snap-2"), "valueQuantity": kilograms(72)}),
        ),
        observation(
            "snap-h1",
            "height",
            "2020-03-05",
            json!({"subject": {"identifier": {"system": "urn:snap", "value": "9"}}, "status": "amended"}),
        ),
        json!({"resourceType": "RiskAssessment", "id": "snap-r1", "status": "final", "subject": of("snap-1"),
            "prediction": [{"probabilityDecimal": 0.75}]}),
        json!({"resourceType": "RiskAssessment", "id": "snap-r2", "status": "final", "subject": of("snap-2"),
            "prediction": [{"probabilityDecimal": 0.25}]}),
        json!({"resourceType": "ValueSet", "id": "snap-v1", "status": "draft", "url": "http://snap.example/vs/one"}),
        json!({"resourceType": "ValueSet", "id": "snap-v2", "status": "draft", "url": "http://snap.example/other"}),
        json!({"resourceType": "Location", "id": "snap-l1", "position": place(18.53)}),
        json!({"resourceType": "Location", "id": "snap-l2", "position": place(19.53)}),
        json!({"resourceType": "DiagnosticReport", "id": "snap-d1", "status": "final", "code": {"text": "report"},
            "contained": [observation("inside", "inside", "2020-01-01", json!({}))], "result": [{"reference": "#inside"}]}),
    ]
}

async fn store(client: &Client) {
    // One by one, so that the order of their writing is theirs.
    for resource in resources() {
        let place =
            format!("/fhir/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        let stored = client.put(&place, &resource).await.unwrap();
        assert_eq!(stored.status, 201, "{place}: {}", stored.issues());
    }
}

/// Replaces what differs from run to run: the base, times, cursors.
fn steady(value: &mut Value, base: &str) {
    match value {
        Value::String(text) => {
            *text = text.replace(base, "[base]");
            if let Some((before, _)) = text.split_once("_cursor=") {
                *text = format!("{before}_cursor=[cursor]");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| steady(item, base)),
        Value::Object(members) => {
            for (name, member) in members {
                match name.as_str() {
                    "lastUpdated" => *member = json!("[time]"),
                    _ => steady(member, base),
                }
            }
        }
        _ => {}
    }
}

#[tokio::test]
async fn searchsets_look_as_they_did() {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    store(&admin).await;
    for (name, search) in SEARCHES {
        let path = format!("/fhir/{search}").replace("/fhir/?", "/fhir?");
        let headers = [("prefer", "handling=lenient")];
        let headers = if *name == "lenient" { &headers[..] } else { &[] };
        let answer = admin.send(reqwest::Method::GET, &path, headers, None).await.unwrap();
        assert_eq!(answer.status, 200, "{search}: {}", answer.issues());
        let mut bundle = answer.json;
        let base = bundle["link"][0]["url"].as_str().unwrap_or_default();
        let base = base.split_once("/fhir").map_or_else(String::new, |(host, _)| format!("{host}/fhir"));
        steady(&mut bundle, &base);
        insta::assert_snapshot!(*name, format!("GET {search}\n{}", serde_json::to_string_pretty(&bundle).unwrap()));
    }
    server.stop().await.unwrap();
}
