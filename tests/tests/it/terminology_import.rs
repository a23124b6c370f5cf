//! Code systems from the files of their publishers, with codes of our own: imported by the program, then used like any other.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use seva_tests::client::Client;
use seva_tests::server::{Program, command, data_folder, free_port};

const SNOMED: &str = "http://snomed.info/sct";
const WARD_FEVER: &str = "1001";
const FEVER: &str = "1002";

/// Lines of columns: a blank parts columns, an underscore is a blank.
fn columns(path: PathBuf, lines: &[&str]) {
    let text: String = lines.iter().map(|line| format!("{}\r\n", line.replace(' ', "\t").replace('_', " "))).collect();
    std::fs::write(path, text).unwrap();
}

/// A snapshot of three concepts; one of its relationships leads to `broad`.
fn snapshot(folder: &Path, broad: &str) -> String {
    std::fs::create_dir_all(folder).unwrap();
    columns(
        folder.join("sct2_Concept_Snapshot_INT_20310131.txt"),
        &[
            "id effectiveTime active moduleId definitionStatusId",
            "1002 20310131 1 77 9",
            "1001 20310131 1 77 900000000000073002",
            "1003 20310131 1 88 9",
            "1004 20310131 0 88 9",
        ],
    );
    columns(
        folder.join("sct2_Description_Snapshot-en_INT_20310131.txt"),
        &[
            "id effectiveTime active moduleId conceptId languageCode typeId term case",
            "50 20310131 1 77 1002 en 900000000000003001 Fever_(finding) 9",
            "51 20310131 1 77 1001 en 900000000000003001 Ward_fever_(disorder) 9",
            "52 20310131 1 77 1001 en 900000000000013009 Ward_fever 9",
            "53 20310131 1 77 1001 hi 900000000000013009 Jvara 9",
            "54 20310131 1 77 1003 en 900000000000003001 Night_fever_(disorder) 9",
        ],
    );
    columns(
        folder.join("sct2_Relationship_Snapshot_INT_20310131.txt"),
        &[
            "id effectiveTime active moduleId sourceId destinationId group typeId characteristicTypeId modifierId",
            "71 20310131 1 77 1001 1002 0 116680003 9 9",
            &format!("72 20310131 1 77 1003 {broad} 0 116680003 9 9"),
        ],
    );
    columns(
        folder.join("der2_cRefset_LanguageSnapshot-en_INT_20310131.txt"),
        &[
            "id effectiveTime active moduleId refsetId referencedComponentId acceptabilityId",
            "a 20310131 1 77 900000000000509007 52 900000000000548007",
        ],
    );
    folder.to_str().unwrap().to_owned()
}

async fn import(data: &Path, arguments: &[&str]) -> (bool, String) {
    let all: Vec<&str> = ["terminology", "import"].iter().chain(arguments).copied().collect();
    let done = command(data, &all, "").await.unwrap();
    (done.status.success(), String::from_utf8_lossy(&done.stderr).into_owned())
}

async fn get(client: &Client, path: &str) -> Value {
    let answer = client.get(&format!("/fhir/{path}")).await.unwrap();
    assert_eq!(answer.status, 200, "{path}: {}", answer.issues());
    answer.json
}

fn codes(expanded: &Value) -> Vec<&str> {
    let contains = expanded["expansion"]["contains"].as_array().map(Vec::as_slice).unwrap_or_default();
    contains.iter().map(|one| one["code"].as_str().unwrap()).collect()
}

async fn check_snomed(doctor: &Client) {
    let found = get(doctor, &format!("CodeSystem/$lookup?system={SNOMED}&code={WARD_FEVER}")).await.to_string();
    for part in [
        "\"Ward fever\"",
        "\"Ward fever (disorder)\"",
        "\"Jvara\"",
        "\"parent\"",
        "\"1002\"",
        "\"moduleId\"",
        "version/20310131",
    ] {
        assert!(found.contains(part), "{part}: {found}");
    }
    let found =
        get(doctor, &format!("CodeSystem/$lookup?system={SNOMED}&code={FEVER}&property=child")).await.to_string();
    assert!(found.contains("\"1001\"") && found.contains("\"1003\"") && !found.contains("moduleId"), "{found}");
    let outcome = get(doctor, &format!("CodeSystem/$subsumes?system={SNOMED}&codeA={FEVER}&codeB={WARD_FEVER}")).await;
    assert_eq!(outcome["parameter"][0]["valueCode"], "subsumes");

    let implicit = format!("{SNOMED}?fhir_vs=isa/{FEVER}").replace('?', "%3F").replace('=', "%3D");
    for (query, total, expected) in [
        ("", 3, vec!["1002", "1001", "1003"]),
        ("&count=1&offset=1", 3, vec!["1001"]),
        ("&filter=jvar", 1, vec!["1001"]),
        ("&filter=fever%20night", 1, vec!["1003"]),
        ("&count=0", 3, vec![]),
    ] {
        let expanded = get(doctor, &format!("ValueSet/$expand?url={implicit}{query}")).await;
        assert_eq!((expanded["expansion"]["total"].as_i64(), codes(&expanded)), (Some(total), expected), "{query}");
    }
    let nested = get(doctor, &format!("ValueSet/$expand?url={implicit}&excludeNested=false&displayLanguage=hi")).await;
    let below = &nested["expansion"]["contains"][0]["contains"];
    assert_eq!((&below[0]["display"], &below[1]["code"]), (&json!("Jvara"), &json!("1003")), "{nested}");
    let verdict = get(doctor, &format!("ValueSet/$validate-code?url={implicit}&system={SNOMED}&code=1003")).await;
    assert_eq!(verdict["parameter"][0]["valueBoolean"], true, "{verdict}");
    let verdict = get(doctor, &format!("ValueSet/$validate-code?url={implicit}&system={SNOMED}&code=1004")).await;
    assert_eq!(verdict["parameter"][0]["valueBoolean"], false, "{verdict}");
}

/// Every operator over the tables, and parts of value sets that are put together.
async fn check_filters(doctor: &Client) {
    for (filters, expected) in [
        (vec![("moduleId", "=", "88")], "1003 1004"),
        (vec![("moduleId", "in", "77,99")], "1002 1001"),
        (vec![("moduleId", "not-in", "77")], "1003 1004"),
        (vec![("concept", "descendent-of", FEVER)], "1001 1003"),
        (vec![("concept", "is-not-a", FEVER)], "1004"),
        (vec![("concept", "generalizes", WARD_FEVER)], "1002 1001"),
        (vec![("parent", "exists", "true"), ("display", "regex", "Night.*")], "1003"),
        (vec![("sufficientlyDefined", "=", "true")], "1001"),
        (vec![("inactive", "=", "true")], "1004"),
        (vec![("parent", "=", FEVER), ("moduleId", "exists", "false")], ""),
    ] {
        let list: Vec<Value> = filters
            .iter()
            .map(|(property, operator, value)| json!({"property": property, "op": operator, "value": value}))
            .collect();
        let set = json!({"resourceType": "ValueSet", "status": "active", "compose": {"include": [{"system": SNOMED, "filter": list}]}});
        let answer = doctor.post("/fhir/ValueSet/$expand", &set).await.unwrap();
        assert_eq!(answer.status, 200, "{filters:?}: {}", answer.issues());
        assert_eq!(codes(&answer.json).join(" "), expected, "{filters:?}");
    }
    let set = json!({"resourceType": "ValueSet", "status": "active", "compose": {
        "include": [{"system": SNOMED, "concept": [{"code": "1003", "display": "Our name"}]}, {"valueSet": [format!("{SNOMED}?fhir_vs=isa/{FEVER}")]}],
        "exclude": [{"system": SNOMED, "concept": [{"code": FEVER}]}]}});
    let expanded = doctor.post("/fhir/ValueSet/$expand", &set).await.unwrap().json;
    assert_eq!(codes(&expanded), ["1003", "1001"], "{expanded}");
    assert_eq!(expanded["expansion"]["contains"][0]["display"], "Our name");
}

#[tokio::test]
async fn a_snapshot_of_snomed_is_imported_whole_or_not_at_all() {
    let data = data_folder().unwrap();
    let program = Program::start(data.path(), free_port().unwrap()).await.unwrap();
    let doctor = program.doctor().await.unwrap();
    let (done, said) = import(data.path(), &["rf2", &snapshot(&data.path().join("good"), FEVER)]).await;
    assert!(done && said.contains("4 concepts, 5 names, 2 pairs"), "{said}");
    check_snomed(&doctor).await;
    check_filters(&doctor).await;

    let (done, said) = import(data.path(), &["rf2", &snapshot(&data.path().join("bad"), "4711")]).await;
    let named = "sct2_Relationship_Snapshot_INT_20310131.txt:3: the relationship names 4711";
    assert!(!done && said.contains(named), "{said}");
    let (done, said) = import(data.path(), &["rf2", &snapshot(&data.path().join("circle"), "1003")]).await;
    assert!(!done && said.contains("the code 1003 lies below itself"), "{said}");
    check_snomed(&doctor).await;

    let condition = json!({"resourceType": "Condition", "id": "ward-fever", "subject": {"reference": "Patient/rane"},
        "code": {"coding": [{"system": SNOMED, "code": WARD_FEVER}]}});
    assert_eq!(doctor.put("/fhir/Condition/ward-fever", &condition).await.unwrap().status, 201);
    for (query, found) in [
        ("below=http://snomed.info/sct%7C1002", 1),
        ("below=http://snomed.info/sct%7C1003", 0),
        ("above=http://snomed.info/sct%7C1001", 1),
    ] {
        let answer = doctor.get(&format!("/fhir/Condition?code:{query}")).await.unwrap();
        assert_eq!((answer.status, answer.matches().len()), (200, found), "{query}: {}", answer.issues());
    }
    program.kill().await.unwrap();
}

#[tokio::test]
async fn other_releases_are_imported_for_all_or_for_one_hospital() {
    let data = data_folder().unwrap();
    let program = Program::start(data.path(), free_port().unwrap()).await.unwrap();
    let doctor = program.doctor().await.unwrap();
    let order = data.path().join("icd10cm_order_2031.txt");
    let line =
        |number: u32, code: &str, flag: &str, text: &str| format!("{number:05} {code:<7} {flag} {text:<60} {text}\n");
    std::fs::write(&order, [line(1, "Q00", "0", "Odd fever"), line(2, "Q001", "1", "Odd fever, mild")].concat())
        .unwrap();
    let order = order.to_str().unwrap();
    let other = [
        "account",
        "--new-hospital",
        "--tenant",
        "Another hospital",
        "--username",
        "o",
        "--name",
        "O",
        "--roles",
        "auditor",
    ];
    assert!(command(data.path(), &other, "a long enough password\n").await.unwrap().status.success());
    let (done, said) = import(data.path(), &["icd-10-cm", order, "--tenant", "Another hospital"]).await;
    assert!(done && said.contains("ICD-10-CM 2031: 2 concepts"), "{said}");
    let mild = "CodeSystem/$lookup?system=http://hl7.org/fhir/sid/icd-10-cm&code=Q00.1";
    assert_eq!(doctor.get(&format!("/fhir/{mild}")).await.unwrap().status, 404, "it is another hospital's");
    let (done, said) = import(data.path(), &["icd-10-cm", order]).await;
    assert!(done, "{said}");
    assert!(get(&doctor, mild).await.to_string().contains("Odd fever, mild"));
    let place = "CodeSystem/$validate-code?url=http://hl7.org/fhir/sid/icd-10-cm&abstract=false&code=";
    for (code, valid) in [("Q00.1", true), ("Q00", false), ("Q99", false)] {
        assert_eq!(get(&doctor, &format!("{place}{code}")).await["parameter"][0]["valueBoolean"], valid, "{code}");
    }
    std::fs::write(order, line(1, "Q00", "0", "Odd fever") + "00002 Q001    ? Odd\n").unwrap();
    let (done, said) = import(data.path(), &["icd-10-cm", order]).await;
    assert!(!done && said.contains("icd10cm_order_2031.txt:2: column 15"), "{said}");
    assert!(get(&doctor, mild).await.to_string().contains("Odd fever, mild"), "what was there stays");

    let table = data.path().join("mine.csv");
    std::fs::write(&table, "\"LOINC_NUM\",\"LONG_COMMON_NAME\"\n\"90001-1\",\"Ward heat\"\n").unwrap();
    let table = table.to_str().unwrap();
    let (done, said) = import(data.path(), &["loinc", table]).await;
    assert!(!done && said.contains("--version"), "{said}");
    let (done, said) = import(data.path(), &["loinc", table, "--version", "9.9"]).await;
    assert!(done && said.contains("LOINC 9.9: 1 concepts"), "{said}");
    let expanded = get(&doctor, "ValueSet/$expand?url=http://loinc.org/vs").await;
    assert_eq!(codes(&expanded), ["90001-1"]);
    let used = expanded["expansion"]["parameter"].to_string();
    assert!(used.contains("http://loinc.org|9.9"), "{used}");
    program.kill().await.unwrap();
}
