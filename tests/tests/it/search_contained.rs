//! `_contained` and `_containedType` (R4 search.html#contained).

use serde_json::{Value, json};
use seva_server::demo::TENANT;
use seva_tests::client::{Answer, Client};
use seva_tests::server::{NewAccount, TestServer};

const DRUGS: &str = "http://clinic.example/drugs";

fn drug(id: &str, code: &str) -> Value {
    json!({"resourceType": "Medication", "id": id, "code": {"coding": [{"system": DRUGS, "code": code, "display": "Red pill"}]}})
}

fn order(id: &str, patient: &str, drugs: &[Value]) -> Value {
    let first = drugs.first().map(|drug| format!("#{}", drug["id"].as_str().unwrap()));
    json!({"resourceType": "MedicationRequest", "id": id, "status": "active", "intent": "order", "contained": drugs,
        "subject": {"reference": format!("Patient/{patient}")}, "medicationReference": {"reference": first}})
}

/// The ends of the `fullUrl`s.
fn urls(answer: &Answer) -> Vec<String> {
    let entries = answer.json["entry"].as_array().cloned().unwrap_or_default();
    let url = |entry: &Value| entry["fullUrl"].as_str().unwrap().split_once("/fhir/").unwrap().1.to_owned();
    entries.iter().map(url).collect()
}

async fn search(client: &Client, query: &str) -> Answer {
    let answer = client.get(&format!("/fhir/{query}")).await.unwrap();
    assert_eq!(answer.status, 200, "{query}: {}", answer.issues());
    answer
}

/// All pages, each of at most `count` entries.
async fn pages(client: &Client, query: &str, count: usize) -> Vec<String> {
    let (mut all, mut answer) = (Vec::new(), search(client, &format!("{query}&_count={count}")).await);
    for _ in 0..20 {
        let found = urls(&answer);
        assert!(found.len() <= count, "{found:?}");
        all.extend(found);
        let Some(next) = answer.link("next").map(str::to_owned) else { return all };
        answer = client.get(&next).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.issues());
    }
    panic!("{query} has no end: {all:?}");
}

async fn fill(admin: &Client) {
    for id in ["one", "other"] {
        let patient = json!({"resourceType": "Patient", "id": id});
        assert_eq!(admin.put(&format!("/fhir/Patient/{id}"), &patient).await.unwrap().status, 201);
    }
    assert_eq!(admin.put("/fhir/Medication/alone", &drug("alone", "x")).await.unwrap().status, 201);
    let orders = [
        order("a", "one", &[drug("m1", "x"), drug("m2", "y"), drug("m3", "x"), drug("m4", "x")]),
        order("b", "other", &[drug("m1", "x")]),
        order("c", "one", &[drug("m1", "y")]),
    ];
    for order in orders {
        let path = format!("/fhir/MedicationRequest/{}", order["id"].as_str().unwrap());
        let stored = admin.put(&path, &order).await.unwrap();
        assert_eq!(stored.status, 201, "{}", stored.issues());
    }
}

#[tokio::test]
async fn contained_resources_are_found_with_their_containers_or_by_themselves() {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    fill(&admin).await;
    let x = format!("Medication?code={DRUGS}|x");
    assert_eq!(urls(&search(&admin, &x).await), ["Medication/alone"]);
    assert_eq!(urls(&search(&admin, &format!("{x}&_contained=false")).await), ["Medication/alone"]);
    let (a, b) = ("MedicationRequest/a", "MedicationRequest/b");
    let inside = search(&admin, &format!("{x}&_contained=true")).await;
    assert_eq!((urls(&inside), &inside.json["total"]), (vec![a.into(), b.into()], &json!(2)));
    assert_eq!(inside.json["entry"][0]["search"]["mode"], "match");
    let both = search(&admin, &format!("{x}&_contained=both&_total=accurate")).await;
    assert_eq!((urls(&both), &both.json["total"]), (vec!["Medication/alone".into(), a.into(), b.into()], &json!(3)));

    let alone = format!("{x}&_containedType=contained");
    let all = [format!("{a}#m1"), format!("{a}#m3"), format!("{a}#m4"), format!("{b}#m1")];
    let inside = search(&admin, &format!("{alone}&_contained=true&_total=accurate")).await;
    assert_eq!((urls(&inside), &inside.json["total"]), (all.to_vec(), &json!(4)));
    assert_eq!(inside.json["entry"][0]["resource"], drug("m1", "x"));
    let counted = search(&admin, &format!("{alone}&_contained=both&_summary=count")).await;
    assert_eq!(counted.json["total"], 5, "{}", counted.json);
    for count in 1..=4 {
        assert_eq!(pages(&admin, &format!("{x}&_contained=true"), count).await, [a, b]);
        assert_eq!(pages(&admin, &format!("{x}&_contained=both"), count).await, ["Medication/alone", a, b]);
        assert_eq!(pages(&admin, &format!("{alone}&_contained=true"), count).await, all);
        let both = pages(&admin, &format!("{alone}&_contained=both"), count).await;
        assert_eq!(both, [&["Medication/alone".to_owned()], all.as_slice()].concat());
    }
    // What is written counts at once.
    admin.put("/fhir/MedicationRequest/a", &order("a", "one", &[drug("m1", "z")])).await.unwrap();
    assert_eq!(urls(&search(&admin, &format!("{x}&_contained=true")).await), [b]);
    admin.delete("/fhir/MedicationRequest/b").await.unwrap();
    assert_eq!(urls(&search(&admin, &format!("{x}&_contained=true")).await), Vec::<String>::new());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn each_kind_of_condition_is_decided_on_the_contained_resource() {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    let observation = json!({"resourceType": "Observation", "id": "o", "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}], "text": "Body weight"},
        "effectiveDateTime": "2020-05-17", "subject": {"reference": "Patient/one"},
        "valueQuantity": {"value": 72.5, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}});
    let organization = json!({"resourceType": "Organization", "id": "g", "name": "Ward Élan",
        "identifier": [{"system": "urn:org", "value": "7"}]});
    let report = json!({"resourceType": "DiagnosticReport", "id": "r", "status": "final", "code": {"text": "x"},
        "contained": [observation, organization], "result": [{"reference": "#o"}], "performer": [{"reference": "#g"}]});
    let stored = admin.put("/fhir/DiagnosticReport/r", &report).await.unwrap();
    assert_eq!(stored.status, 201, "{}", stored.issues());
    for (query, fits) in [
        ("Observation?_id=o", true),
        ("Observation?_id=g", false),
        ("Observation?code=29463-7", true),
        ("Observation?code:text=body", true),
        ("Observation?code:not=29463-7", false),
        ("Observation?status:not=preliminary", true),
        ("Observation?date=2020-05", true),
        ("Observation?date=gt2020-05-17", false),
        ("Observation?date=le2020-05-17", true),
        ("Observation?subject=Patient/one", true),
        ("Observation?patient=other", false),
        ("Observation?value-quantity=gt72000|http://unitsofmeasure.org|g", true),
        ("Observation?value-quantity=72.5", true),
        ("Observation?value-quantity=lt70||kg", false),
        ("Observation?code-value-quantity=29463-7$gt70", true),
        ("Observation?code-value-quantity=29463-7$gt80", false),
        ("Observation?category:missing=true", true),
        ("Observation?code:missing=true", false),
        ("Observation?_filter=code%20eq%2029463-7%20and%20not%20(status%20eq%20amended)", true),
        ("Organization?name=ward", true),
        ("Organization?name:contains=elan", true),
        ("Organization?name:exact=ward", false),
        ("Organization?identifier=urn:org|7", true),
        ("Organization?identifier=urn:org|8", false),
        ("Organization?_lastUpdated=gt2000-01-01", false),
        ("Organization?_content=elan", true),
    ] {
        let found = search(&admin, &format!("{query}&_contained=true")).await;
        assert_eq!(urls(&found).len(), usize::from(fits), "{query}");
    }
    let system = search(&admin, "?_type=Observation,Organization&_contained=true&_containedType=contained&_id=o").await;
    assert_eq!(urls(&system), ["DiagnosticReport/r#o"]);
    for (query, text) in [
        ("_contained=yes", "true, false or both"),
        ("_contained=true&_containedType=x", "container or contained"),
        ("_contained=true&_sort=date", "no order"),
        ("_contained=true&subject:Patient.name=a", "chains"),
        ("_contained=both&_has:DiagnosticReport:result:code=x", "chains"),
    ] {
        let refused = admin.get(&format!("/fhir/Observation?{query}")).await.unwrap();
        assert!(refused.status == 400 && refused.issues().contains(text), "{query}: {}", refused.issues());
    }
    let addressed = admin.delete("/fhir/Observation?code=29463-7&_contained=true").await.unwrap();
    assert_eq!(addressed.status, 400, "{}", addressed.issues());
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_patient_finds_what_the_own_record_contains() {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    for id in ["one", "other"] {
        let patient = json!({"resourceType": "Patient", "id": id});
        assert_eq!(admin.put(&format!("/fhir/Patient/{id}"), &patient).await.unwrap().status, 201);
        let ward = |id: &str| json!({"resourceType": "Organization", "id": id, "name": "Ward"});
        let report = json!({"resourceType": "DiagnosticReport", "id": id, "status": "final", "code": {"text": "x"},
            "contained": [ward("g"), ward("h")], "performer": [{"reference": "#g"}, {"reference": "#h"}],
            "subject": {"reference": format!("Patient/{id}")}});
        let stored = admin.put(&format!("/fhir/DiagnosticReport/{id}"), &report).await.unwrap();
        assert_eq!(stored.status, 201, "{}", stored.issues());
    }
    let account =
        NewAccount { tenant: TENANT, username: "one", role: "patient", practitioner: None, patient: Some("one") };
    let one = server.account(account).await.unwrap();
    let wards = "Organization?name=ward&_contained=true&_total=accurate";
    let found = search(&one, wards).await;
    assert_eq!((urls(&found), &found.json["total"]), (vec!["DiagnosticReport/one".into()], &json!(1)));
    let found = search(&one, &format!("{wards}&_containedType=contained&_count=1")).await;
    assert_eq!((urls(&found), &found.json["total"]), (vec!["DiagnosticReport/one#g".into()], &json!(2)));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn chains_lead_into_contained_resources() {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    fill(&admin).await;
    let patient = |family: &str| {
        json!({"resourceType": "Patient", "id": "p", "name": [{"family": family}],
        "managingOrganization": {"reference": "#o"}})
    };
    let performer = json!({"resourceType": "Practitioner", "id": "q", "name": [{"family": "Quill"}]});
    let ward = json!({"resourceType": "Organization", "id": "o", "name": "Ward"});
    let observation = |id: &str, contained: Vec<Value>, subject: &str| {
        json!({"resourceType": "Observation", "id": id, "status": "final", "code": {"text": "x"}, "contained": contained,
            "subject": {"reference": subject}, "performer": [{"reference": "#q"}]})
    };
    let observations = [
        observation("in", vec![patient("Quill"), performer.clone(), ward], "#p"),
        observation("not-in", vec![performer], "Patient/one"),
    ];
    for observation in &observations {
        let path = format!("/fhir/Observation/{}", observation["id"].as_str().unwrap());
        let stored = admin.put(&path, observation).await.unwrap();
        assert_eq!(stored.status, 201, "{}", stored.issues());
    }
    let outside = json!({"resourceType": "Patient", "id": "one", "name": [{"family": "Quill"}]});
    assert_eq!(admin.put("/fhir/Patient/one", &outside).await.unwrap().status, 200);
    for (query, expected) in [
        // One has the patient within itself, the other one refers to it.
        ("Observation?subject.name=quill", "in not-in"),
        ("Observation?subject:Patient.family=quill", "in not-in"),
        ("Observation?patient.name=quill", "in not-in"),
        ("Observation?performer:Practitioner.name=quill", "in not-in"),
        ("Observation?subject:Group.code=x", ""),
        ("Observation?performer:Practitioner.name=nobody", ""),
        ("Observation?patient.name=quill&_id=in", "in"),
        ("Observation?_filter=patient.name eq quill and status eq final", "in not-in"),
        ("Observation?_filter=not (subject.name eq quill) and _id eq in", ""),
        ("MedicationRequest?medication.code=http://clinic.example/drugs%7Cy", "c"),
        // Only the drug that the order refers to counts, not what else it contains.
        ("MedicationRequest?medication.code=http://clinic.example/drugs%7Cx", "a b"),
        ("MedicationRequest?medication.code=x&patient=Patient/one", "a"),
        ("MedicationRequest?medication.code=x&_sort=-_id", "b a"),
        ("Patient?_has:MedicationRequest:patient:medication.code=x", "one other"),
    ] {
        let answer = search(&admin, query).await;
        let mut found: Vec<&str> = answer.matches();
        if !query.contains("_sort") {
            found.sort_unstable();
        }
        assert_eq!(found.join(" "), expected, "{query}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn conditions_of_writes_look_into_contained_resources() {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    fill(&admin).await;
    let new = order("new", "one", &[drug("m1", "w")]).to_string();
    let criteria = [("content-type", "application/fhir+json"), ("if-none-exist", "medication.code=w")];
    let create = || admin.send(reqwest::Method::POST, "/fhir/MedicationRequest", &criteria, Some(new.clone().into()));
    let mut statuses: Vec<u16> = futures_util::future::join_all((0..4).map(|_| create()))
        .await
        .into_iter()
        .map(|one| one.unwrap().status)
        .collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 201], "four at once make one");
    let refused = admin.delete("/fhir/MedicationRequest?medication.code=nothing").await.unwrap();
    assert_eq!(refused.status, 204, "{}", refused.issues());
    assert_eq!(admin.delete("/fhir/MedicationRequest?medication.code=y").await.unwrap().status, 204);
    assert_eq!(admin.get("/fhir/MedicationRequest/c").await.unwrap().status, 410);
    assert_eq!(admin.get("/fhir/MedicationRequest/b").await.unwrap().status, 200);
    server.stop().await.unwrap();
}
