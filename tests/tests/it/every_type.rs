//! Every R4 type that has an endpoint is created, read and searched by `_id`, from HL7's own examples.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value, json};
use seva_fhir::interactions::served_types;
use seva_server::demo::TENANT;
use seva_tests::server::{NewAccount, TestServer};

#[tokio::test]
async fn every_type_is_created_read_and_found() {
    let examples = examples();
    let missing: Vec<&str> =
        served_types().map(|kind| kind.as_str()).filter(|kind| !examples.contains_key(*kind)).collect();
    assert!(missing.is_empty(), "no example of {missing:?}");
    let server = TestServer::start().await.unwrap();
    let ehr = NewAccount { tenant: TENANT, username: "ehr", role: "system", practitioner: None, patient: None };
    let system = server.account(ehr).await.unwrap();
    let mut done = 0;
    for kind in served_types().map(|kind| kind.as_str()) {
        let example = &examples[kind];
        let id = example["id"].as_str().unwrap();
        let path = format!("/fhir/{kind}/{id}");
        let put = system.put(&path, example).await.unwrap();
        assert_eq!(put.status, 201, "{path}: {}", put.issues());
        assert_eq!(system.get(&path).await.unwrap().json["id"], id, "{path}");
        let found = system.get(&format!("/fhir/{kind}?_id={id}")).await.unwrap();
        assert_eq!(found.matches(), [id], "{path}");
        done += 1;
    }
    assert_eq!(done, 145);
    server.stop().await.unwrap();
}

/// Types of which HL7 publishes no example; none of their elements is required.
const WITHOUT_EXAMPLE: &[&str] = &[
    "SubstanceNucleicAcid",
    "SubstancePolymer",
    "SubstanceProtein",
    "SubstanceReferenceInformation",
    "SubstanceSourceMaterial",
];

/// The smallest example of each type; `make test` fetches the package.
fn examples() -> BTreeMap<String, Value> {
    let folder: PathBuf = seva_tests::project().join("tests/node_modules/hl7.fhir.r4.examples");
    let files =
        std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}: run `make test`", folder.display()));
    let mut smallest: BTreeMap<String, (u64, PathBuf)> = BTreeMap::new();
    for file in files.map(Result::unwrap) {
        let name = file.file_name().into_string().unwrap();
        let Some((kind, _)) = name.split_once('-') else { continue };
        let size = file.metadata().unwrap().len();
        let best = smallest.entry(kind.to_owned()).or_insert((u64::MAX, PathBuf::new()));
        if size < best.0 && name.ends_with(".json") && valid_id(&file.path()) {
            *best = (size, file.path());
        }
    }
    let read = |path: &PathBuf| serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let known = smallest.iter().filter(|(_, (size, _))| *size < u64::MAX);
    let mut examples: BTreeMap<String, Value> = known.map(|(kind, (_, path))| (kind.clone(), read(path))).collect();
    for kind in WITHOUT_EXAMPLE {
        examples.insert((*kind).to_owned(), json!({"resourceType": kind, "id": "example"}));
    }
    examples
}

fn valid_id(path: &PathBuf) -> bool {
    let value: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    value["id"].as_str().is_some_and(|id| id.parse::<seva_fhir::types::ResourceId>().is_ok())
}
