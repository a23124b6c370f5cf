//! `$validate` against profiles (R4 resource-operation-validate.html), with HL7's own blood pressure profile.

use std::path::Path;

use serde_json::{Value, json};
use seva_server::demo::TENANT;
use seva_tests::client::Client;
use seva_tests::project;
use seva_tests::server::{Program, TestServer, command, data_folder, free_port};

const BLOOD_PRESSURE: &str = "http://hl7.org/fhir/StructureDefinition/bp";

/// One of HL7's examples, from the npm package that `make test` installs.
fn example(name: &str) -> Value {
    let path = project().join("tests/node_modules/hl7.fhir.r4.examples").join(name);
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; run npm ci in tests", path.display()));
    serde_json::from_slice(&text).unwrap()
}

/// Errors and warnings of a validation, each as `severity expression: diagnostics`.
async fn faults(client: &Client, place: &str, resource: &Value) -> Vec<String> {
    let answer = client.post(&format!("/fhir/{place}"), resource).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.issues());
    let issues = answer.json["issue"].as_array().unwrap();
    let text = |issue: &Value| {
        let part = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        format!("{} {}: {}", part(&issue["severity"]), part(&issue["expression"][0]), part(&issue["diagnostics"]))
    };
    issues.iter().filter(|issue| issue["severity"] != "information").map(text).collect()
}

/// A profile that is asked for and isn't here is an error: nothing was checked.
async fn unknown(client: &Client, place: &str, resource: &Value) {
    let answer = client.post(&format!("/fhir/{place}"), resource).await.unwrap();
    assert!(answer.status == 400 && answer.issues().contains("/bp isn't known here"), "{}", answer.issues());
}

#[tokio::test]
async fn a_blood_pressure_is_checked_against_its_published_profile() {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    let place = format!("Observation/$validate?profile={BLOOD_PRESSURE}");
    let pressure = example("Observation-blood-pressure.json");
    unknown(&admin, &place, &pressure).await;
    for name in ["bp", "vitalsigns"] {
        let profile = example(&format!("StructureDefinition-{name}.json"));
        let stored = admin.put(&format!("/fhir/StructureDefinition/{name}"), &profile).await.unwrap();
        assert_eq!(stored.status, 201, "{}", stored.issues());
    }
    let found = faults(&admin, &place, &pressure).await;
    assert!(!found.iter().any(|fault| fault.starts_with("error")), "{found:?}");

    let mut wrong = pressure.clone();
    wrong["component"][0]["valueQuantity"]["code"] = json!("kPa");
    wrong["component"].as_array_mut().unwrap().truncate(1);
    wrong["subject"] = json!({"reference": "Group/x"});
    wrong["valueQuantity"] = json!({"value": 1});
    let found = faults(&admin, &place, &wrong).await;
    for expected in [
        "error Observation.component: component must occur at least 2 times",
        "error Observation.component:DiastolicBP: DiastolicBP must occur at least 1 times",
        "error Observation.component[0].valueQuantity.code: the value must be exactly \"mm[Hg]\"",
        "error Observation.subject: the reference is to a Group; it must be to Patient",
        "valueQuantity is not allowed by the profile; remove it",
    ] {
        assert!(found.iter().any(|fault| fault.contains(expected)), "{expected} in {found:#?}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn bindings_of_a_profile_are_judged_by_stored_value_sets() {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    let set = json!({"resourceType": "ValueSet", "id": "wards", "url": "http://clinic.example/vs/wards", "status": "active",
        "compose": {"include": [{"system": "urn:wards", "concept": [{"code": "icu"}, {"code": "opd"}]}]}});
    let bound = |strength: &str| {
        json!({"resourceType": "StructureDefinition", "id": "visit", "url": "http://clinic.example/sd/visit", "name": "Visit",
        "status": "active", "kind": "resource", "abstract": false, "type": "Encounter", "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Encounter", "differential": {"element": [
            {"id": "Encounter", "path": "Encounter"},
            {"id": "Encounter.type", "path": "Encounter.type", "min": 1,
                "binding": {"strength": strength, "valueSet": "http://clinic.example/vs/wards"}}]}})
    };
    assert_eq!(admin.put("/fhir/ValueSet/wards", &set).await.unwrap().status, 201);
    assert_eq!(admin.put("/fhir/StructureDefinition/visit", &bound("required")).await.unwrap().status, 201);
    let visit = |code: &str| {
        json!({"resourceType": "Encounter", "meta": {"profile": ["http://clinic.example/sd/visit"]}, "status": "planned",
        "text": {"status": "generated", "div": "<div xmlns=\"http://www.w3.org/1999/xhtml\">a</div>"},
        "class": {"code": "AMB", "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode"},
        "type": [{"coding": [{"system": "urn:wards", "code": code}]}]})
    };
    assert_eq!(faults(&admin, "Encounter/$validate", &visit("icu")).await, Vec::<String>::new());
    let wrong = faults(&admin, "Encounter/$validate", &visit("bar")).await;
    let text = "Encounter.type[0]: the code isn't in http://clinic.example/vs/wards";
    assert!(wrong.len() == 1 && wrong[0].starts_with(&format!("error {text}")), "{wrong:?}");
    // A change of the definition counts at once.
    assert_eq!(admin.put("/fhir/StructureDefinition/visit", &bound("extensible")).await.unwrap().status, 200);
    let weaker = faults(&admin, "Encounter/$validate", &visit("bar")).await;
    assert!(weaker.len() == 1 && weaker[0].starts_with(&format!("warning {text}")), "{weaker:?}");
    server.stop().await.unwrap();
}

/// A package of these files.
pub(crate) fn package(folder: &Path, files: &[(&str, &Value)]) -> String {
    let path = folder.join("guide.tgz");
    let packed = flate2::write::GzEncoder::new(std::fs::File::create(&path).unwrap(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(packed);
    for (name, content) in files {
        let bytes = content.to_string().into_bytes();
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, format!("package/{name}"), bytes.as_slice()).unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap();
    path.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_package_is_installed_from_a_file_and_removed() {
    let data = data_folder().unwrap();
    let program = Program::start(data.path(), free_port().unwrap()).await.unwrap();
    let doctor = program.doctor().await.unwrap();
    let run = async |action: &str, last: &[&str]| {
        let arguments: Vec<&str> = ["package", action, "--tenant", TENANT].iter().chain(last).copied().collect();
        let done = command(data.path(), &arguments, "").await.unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (done.status.success(), format!("{}{}", text(&done.stdout), text(&done.stderr)))
    };
    let manifest = |version: &str| json!({"name": "example.guide", "version": "1.2.0", "fhirVersions": [version]});
    let broken = json!({"resourceType": "ValueSet", "url": "urn:broken", "status": "no such status"});
    let (bp, vitals) = (example("StructureDefinition-bp.json"), example("StructureDefinition-vitalsigns.json"));
    let pressure = example("Observation-blood-pressure.json");
    let content = |manifest: &Value| {
        let files = [
            ("package.json", manifest),
            ("StructureDefinition-bp.json", &bp),
            ("StructureDefinition-vitalsigns.json", &vitals),
            ("ValueSet-broken.json", &broken),
            ("example/Observation-blood-pressure.json", &pressure),
        ];
        package(data.path(), &files)
    };
    let (refused, said) = run("install", &[&content(&manifest("5.0.0"))]).await;
    assert!(!refused && said.contains("is for FHIR 5.0.0"), "{said}");
    let file = content(&manifest("4.0.1"));
    let (installed, said) = run("install", &[&file]).await;
    assert!(
        installed && said.contains("example.guide#1.2.0: 2 resources stored, 0 were there, 1 not stored"),
        "{said}"
    );
    assert!(said.contains("ValueSet-broken.json") && said.contains("ValueSet.status"), "{said}");
    let (_, again) = run("install", &[&file]).await;
    assert!(again.contains("0 resources stored, 2 were there, 1 not stored"), "{again}");
    assert!(run("list", &[]).await.1.contains("example.guide#1.2.0\n"));

    let place = format!("Observation/$validate?profile={BLOOD_PRESSURE}");
    let mut wrong = pressure.clone();
    wrong["component"].as_array_mut().unwrap().truncate(1);
    let found = faults(&doctor, &place, &wrong).await;
    assert!(found.iter().any(|fault| fault.contains("DiastolicBP must occur at least 1 times")), "{found:?}");
    assert_eq!(doctor.get("/fhir/Observation/blood-pressure").await.unwrap().status, 404, "examples stay outside");

    let (removed, said) = run("remove", &["example.guide#1.2.0"]).await;
    assert!(removed && said.contains("2 resources removed"), "{said}");
    unknown(&doctor, &place, &wrong).await;
    let (gone, said) = run("remove", &["example.guide#1.2.0"]).await;
    assert!(!gone && said.contains("isn't installed"), "{said}");
    program.kill().await.unwrap();
}

#[tokio::test]
async fn a_package_for_all_hospitals_binds_each_until_it_has_its_own() {
    let data = data_folder().unwrap();
    let variables = [("SEVA_VALIDATION_LEVEL", "profiles")];
    let program = Program::start_with(data.path(), free_port().unwrap(), &variables).await.unwrap();
    let run = async |arguments: &[&str], input: &str| {
        let done = command(data.path(), arguments, input).await.unwrap();
        (done.status.success(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
    };
    let other = "account --new-hospital --tenant Other --username other --name O --roles hospital-admin";
    let other: Vec<&str> = other.split(' ').collect();
    assert!(run(&other, "a long enough password\n").await.0);
    let other = Client::anonymous(&program.base).unwrap().log_in("other", "a long enough password").await.unwrap();
    let (bp, vitals) = (example("StructureDefinition-bp.json"), example("StructureDefinition-vitalsigns.json"));
    let manifest = json!({"name": "example.guide", "version": "1.2.0", "fhirVersions": ["4.0.1"]});
    let files = [("package.json", &manifest), ("StructureDefinition-bp.json", &bp), ("vitalsigns.json", &vitals)];
    let file = package(data.path(), &files);
    let (installed, said) = run(&["package", "install", &file], "").await;
    assert!(installed && said.contains("2 resources stored"), "{said}");
    assert!(run(&["package", "list"], "").await.1.contains("example.guide#1.2.0\n"));
    let of_hospital = run(&["package", "list", "--tenant", TENANT], "").await.1;
    assert!(!of_hospital.contains("example.guide"), "it is no hospital's own: {of_hospital}");

    let mut wrong = example("Observation-blood-pressure.json");
    wrong["component"].as_array_mut().unwrap().truncate(1);
    wrong["meta"] = json!({"profile": [BLOOD_PRESSURE]});
    for reference in ["subject", "performer"] {
        wrong.as_object_mut().unwrap().remove(reference);
    }
    wrong["subject"] = json!({"reference": "Patient/ramesh-kumar"});
    wrong.as_object_mut().unwrap().remove("id");
    for client in [&program.doctor().await.unwrap(), &other] {
        let found = faults(client, "Observation/$validate", &wrong).await;
        assert!(found.iter().any(|fault| fault.contains("DiastolicBP must occur at least 1 times")), "{found:?}");
        let refused = client.post("/fhir/Observation", &wrong).await.unwrap();
        assert!(refused.status == 422 && refused.issues().contains("DiastolicBP"), "{}", refused.issues());
    }
    // A hospital's own definition of the same URL comes first, also where the shared one was compiled before.
    let own = json!({"resourceType": "StructureDefinition", "url": BLOOD_PRESSURE, "name": "Own", "status": "active",
        "kind": "resource", "abstract": false, "type": "Observation", "derivation": "constraint",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Observation",
        "differential": {"element": [{"id": "Observation", "path": "Observation"}]}});
    assert_eq!(other.post("/fhir/StructureDefinition", &own).await.unwrap().status, 201);
    let accepted = other.post("/fhir/Observation", &wrong).await.unwrap();
    assert_eq!(accepted.status, 201, "{}", accepted.issues());
    assert_eq!(program.doctor().await.unwrap().post("/fhir/Observation", &wrong).await.unwrap().status, 422);

    let (removed, said) = run(&["package", "remove", "example.guide#1.2.0"], "").await;
    assert!(removed && said.contains("2 resources removed"), "{said}");
    let accepted = program.doctor().await.unwrap().post("/fhir/Observation", &wrong).await.unwrap();
    assert_eq!(accepted.status, 201, "{}", accepted.issues());
    program.kill().await.unwrap();
}
