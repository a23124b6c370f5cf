//! The contract against what the handlers say of themselves, and against the FHIR table.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use seva_fhir::interactions::OFFERS;
use seva_fhir::operations::{OPERATIONS, Scope};
use seva_tests::server::TestServer;

const METHODS: &[&str] = &["get", "put", "post", "delete", "patch"];

/// What of an operation must agree: id, path parameters, body's media types, statuses of success.
#[derive(Debug, PartialEq, Eq)]
struct Operation {
    id: String,
    body: BTreeSet<String>,
    success: BTreeSet<String>,
}

fn operations(document: &Value) -> BTreeMap<String, Operation> {
    let mut found = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap().iter().filter(|(name, _)| METHODS.contains(&name.as_str()))
        {
            let keys = |value: &Value| -> Vec<String> {
                value.as_object().map(|map| map.keys().cloned().collect()).unwrap_or_default()
            };
            // poem-openapi names the charset; the contract does not.
            let plain = |kind: String| kind.split(';').next().unwrap().to_owned();
            let id = operation["operationId"].as_str().unwrap().to_owned();
            let body = keys(&operation["requestBody"]["content"]).into_iter().map(plain).collect();
            let success = keys(&operation["responses"]).into_iter().filter(|status| status.starts_with('2')).collect();
            found.insert(format!("{method} {path}"), Operation { id, body, success });
        }
    }
    found
}

#[tokio::test]
async fn handlers_and_contract_agree() {
    let server = TestServer::start().await.unwrap();
    let contract = operations(seva_openapi::contract());
    let handlers = operations(&serde_json::from_str(&server.specification()).unwrap());
    for (place, handler) in &handlers {
        assert_eq!(contract.get(place), Some(handler), "{place}");
    }
    // Socket and event streams are no operations of the library's, and the FHIR face comes from its own table.
    let streams = ["/socket", "stream-transcription"];
    let outside = |place: &&String| !place.contains("/fhir") && !streams.iter().any(|end| place.ends_with(end));
    for place in contract.keys().filter(outside) {
        assert!(handlers.contains_key(place), "{place} is in the contract only");
    }
    server.stop().await.unwrap();
}

#[test]
fn the_contract_offers_what_the_interaction_table_offers() {
    let contract = operations(seva_openapi::contract());
    let generic = |place: &&String| place.contains("/fhir/{type}") && !place.contains("/$");
    let generic: BTreeSet<String> = contract.keys().filter(generic).cloned().collect();
    let table: BTreeSet<String> =
        OFFERS.iter().map(|offer| format!("{} /fhir{}", offer.method.to_lowercase(), offer.path)).collect();
    assert_eq!(generic, table);
}

#[test]
fn the_contract_offers_the_operations_of_the_table() {
    let contract = operations(seva_openapi::contract());
    let mut table = BTreeSet::new();
    for operation in OPERATIONS {
        let types = if operation.types.is_empty() { &["{type}"] } else { operation.types };
        for kind in types {
            for scope in operation.scopes {
                let place = match scope {
                    Scope::System => String::new(),
                    Scope::Type => format!("/{kind}"),
                    Scope::Instance => format!("/{kind}/{{id}}"),
                };
                let place = format!("/fhir{place}/${}", operation.name);
                assert!(contract.contains_key(&format!("post {place}")), "POST {place}");
                let read = contract.contains_key(&format!("get {place}"));
                assert!(!(read && operation.writes), "GET {place} would change the record");
                table.insert(place);
                if operation.name == "meta" {
                    table.insert("/fhir/{type}/{id}/_history/{version}/$meta".to_owned());
                }
            }
        }
    }
    // Jobs are asked after, not called.
    let of_contract = contract
        .keys()
        .filter_map(|place| place.split(' ').nth(1))
        .filter(|place| place.starts_with("/fhir") && place.contains("/$") && !place.contains("/$job"));
    assert_eq!(of_contract.map(str::to_owned).collect::<BTreeSet<String>>(), table);
}

/// `$job` is where jobs are asked after, and no operation.
fn is_operation(place: &str) -> bool {
    place.contains('$') && !place.contains("/$job")
}

/// The CapabilityStatement, the contract and the tables name the same operations and interactions.
#[tokio::test]
async fn the_capability_statement_says_what_the_contract_says() {
    let server = TestServer::start().await.unwrap();
    let statement = server.doctor.get("/fhir/metadata").await.unwrap().json;
    let contract = operations(seva_openapi::contract());
    let resources = statement["rest"][0]["resource"].as_array().unwrap();
    assert_eq!(resources.len(), 145, "all of R4's types but Parameters");
    let mut named = BTreeSet::new();
    for resource in resources {
        let kind = resource["type"].as_str().unwrap();
        for interaction in resource["interaction"].as_array().unwrap() {
            let place = match interaction["code"].as_str().unwrap() {
                "read" => "get /fhir/{type}/{id}",
                "vread" => "get /fhir/{type}/{id}/_history/{version}",
                "update" => "put /fhir/{type}/{id}",
                "patch" => "patch /fhir/{type}/{id}",
                "delete" => "delete /fhir/{type}/{id}",
                "history-instance" => "get /fhir/{type}/{id}/_history",
                "history-type" => "get /fhir/{type}/_history",
                "create" => "post /fhir/{type}",
                "search-type" => "get /fhir/{type}",
                other => panic!("{kind}: {other} is no interaction of R4"),
            };
            assert!(contract.contains_key(place), "{kind}: {place}");
        }
        for operation in resource["operation"].as_array().into_iter().flatten() {
            let name = operation["name"].as_str().unwrap();
            let fits = |place: &&String| {
                let ours =
                    [format!("/fhir/{kind}/"), "/fhir/{type}/".to_owned()].iter().any(|root| place.contains(root));
                ours && place.ends_with(&format!("/${name}"))
            };
            let found: Vec<&String> = contract.keys().filter(fits).collect();
            assert!(!found.is_empty(), "the contract has no ${name} on {kind}");
            named.extend(found.into_iter().cloned());
        }
    }
    for operation in statement["rest"][0]["operation"].as_array().into_iter().flatten() {
        let place = format!("post /fhir/${}", operation["name"].as_str().unwrap());
        assert!(contract.contains_key(&place), "{place}");
    }
    let below_a_type = |place: &&String| is_operation(place) && place.matches('/').count() > 2;
    let unnamed: Vec<&String> = contract.keys().filter(below_a_type).filter(|place| !named.contains(*place)).collect();
    assert!(unnamed.is_empty(), "the CapabilityStatement does not name {unnamed:?}");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_contract_is_served() {
    let server = TestServer::start().await.unwrap();
    assert_eq!(&server.doctor.get("/openapi.json").await.unwrap().json, seva_openapi::contract());
    let yaml = String::from_utf8(server.doctor.get("/openapi.yaml").await.unwrap().bytes).unwrap();
    assert!(yaml.contains("openapi: 3.0.3"));
    let docs = server.doctor.get("/docs/swagger-initializer.js").await.unwrap();
    assert!(String::from_utf8(docs.bytes).unwrap().contains("/openapi.json"));
    server.stop().await.unwrap();
}
