//! `$graphql` (R4 graphql.html): elements, lists, references, directives, paging, rights and faults.

use reqwest::Method;
use serde_json::{Value, json};
use seva_server::demo::TENANT;
use seva_tests::client::{Answer, Client};
use seva_tests::server::{NewAccount, TestServer};

async fn ask(client: &Client, place: &str, query: &str) -> Answer {
    let headers = [("content-type", "application/graphql")];
    client.send(Method::POST, &format!("/fhir{place}/$graphql"), &headers, Some(query.into())).await.unwrap()
}

async fn data(client: &Client, place: &str, query: &str) -> Value {
    let answer = ask(client, place, query).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"), "{query}: {}", answer.json);
    answer.json["data"].clone()
}

async fn start() -> TestServer {
    let server = TestServer::start().await.unwrap();
    let patient = json!({"resourceType": "Patient", "id": "many", "active": true, "birthDate": "1980-03-04",
        "contained": [{"resourceType": "Organization", "id": "inside", "name": "Inside"}],
        "name": [{"use": "official", "family": "Rao", "given": ["Anil", "K"]}, {"use": "nickname", "given": ["Anu"]},
            {"use": "old", "family": "Desai", "given": ["Anil"]}],
        "managingOrganization": {"reference": "Organization/sahyadri"},
        "generalPractitioner": [{"reference": "#inside"}, {"reference": "Practitioner/kelkar"}]});
    assert_eq!(server.doctor.put("/fhir/Patient/many", &patient).await.unwrap().status, 201);
    for number in 1..=3 {
        let observation = json!({"resourceType": "Observation", "id": format!("o{number}"), "status": "final",
            "code": {"text": "weight"}, "subject": {"reference": "Patient/many"},
            "valueQuantity": {"value": 60 + number, "unit": "kg"}});
        let place = format!("/fhir/Observation/o{number}");
        assert_eq!(server.doctor.put(&place, &observation).await.unwrap().status, 201);
    }
    server
}

#[tokio::test]
async fn a_query_chooses_elements_lists_and_what_is_referred_to() {
    let server = start().await;
    let doctor = &server.doctor;
    let query = r#"{ Patient(id: "many") { resourceType __typename born: birthDate active deceased
        name(use: official) { family given } old: name(fhirpath: "use = 'old'") { ...Name }
        page: name(_offset: 1, _count: 1) { use }
        generalPractitioner { resource { __typename ... on Organization { name } ... on Practitioner { id } } }
        managingOrganization { reference resource(type: Organization) { name } other: resource(type: Patient) { id } } } }
        fragment Name on HumanName { family }"#;
    let found = data(doctor, "", query).await;
    let expected = json!({"Patient": {"resourceType": "Patient", "__typename": "Patient", "born": "1980-03-04", "active": true,
        "name": [{"family": "Rao", "given": ["Anil", "K"]}], "old": [{"family": "Desai"}], "page": [{"use": "nickname"}],
        "generalPractitioner": [{"resource": {"__typename": "Organization", "name": "Inside"}},
            {"resource": {"__typename": "Practitioner", "id": "kelkar"}}],
        "managingOrganization": {"reference": "Organization/sahyadri", "resource": {"name": "Sahyadri Clinic"}}}});
    let mut seen = found.clone();
    seen["Patient"]["managingOrganization"]["resource"]["name"] = json!("Sahyadri Clinic");
    assert_eq!(seen, expected, "{found}");

    let query = "{ id ObservationList(_reference: subject, _sort: _id) { id value { ... on Quantity { value } } valueQuantity { unit } } \
                 ConditionList(_reference: patient) { id } }";
    let found = data(doctor, "/Patient/many", query).await;
    assert_eq!(
        found["ObservationList"][1],
        json!({"id": "o2", "value": {"value": 62}, "valueQuantity": {"unit": "kg"}})
    );
    assert_eq!((&found["id"], &found["ConditionList"]), (&json!("many"), &json!([])));
    let found =
        data(doctor, "", r#"{ PatientList(family: "rao", general_practitioner: "Practitioner/kelkar") { id } }"#).await;
    assert_eq!(found, json!({"PatientList": [{"id": "many"}]}));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn directives_flatten_single_out_and_name() {
    let server = start().await;
    let place = "/Patient/many";
    let flat = data(&server.doctor, place, "{ name @flatten { given @first family @singleton } }").await;
    assert_eq!(flat, json!({"given": "Anil", "family": "Desai"}), "the last of several stays");
    let all = data(&server.doctor, place, "{ name @flatten { family } first: name @first { given } }").await;
    assert_eq!(all, json!({"family": ["Rao", "Desai"], "first": {"given": ["Anil", "K"]}}));
    let sliced = data(&server.doctor, place, r#"{ name @flatten @slice(path: "use") { family @first given } }"#).await;
    let expected = json!({"family.official": "Rao", "given.official": ["Anil", "K"], "given.nickname": ["Anu"],
        "family.old": "Desai", "given.old": ["Anil"]});
    assert_eq!(sliced, expected);
    let numbered = data(&server.doctor, place, r#"{ name @slice(path: "$index") @first { use } }"#).await;
    assert_eq!(numbered, json!({"name.0": {"use": "official"}}));
    let chosen = "{ id @skip(if: true) birthDate @include(if: false) active @include(if: true) @skip(if: false) }";
    assert_eq!(data(&server.doctor, place, chosen).await, json!({"active": true}));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn connections_come_in_pages_and_variables_have_values() {
    let server = start().await;
    let query = r#"query Page($patient: ID!, $cursor: String = "") { ObservationConnection(subject: $patient, _count: 2,
        _sort: _id, _cursor: $cursor) { count pagesize next edges { mode resource { id } } } } query Other { PatientList { id } }"#;
    let page = async |cursor: Value| {
        let body = json!({"query": query, "operationName": "Page", "variables": {"patient": "Patient/many", "cursor": cursor}});
        let answer = server.doctor.send(
            Method::POST,
            "/fhir/$graphql",
            &[("content-type", "application/json")],
            Some(body.to_string().into()),
        );
        let answer = answer.await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.json);
        answer.json["data"]["ObservationConnection"].clone()
    };
    let first = page(json!("")).await;
    assert_eq!((&first["count"], &first["pagesize"]), (&json!(3), &json!(2)), "{first}");
    assert_eq!(first["edges"][1], json!({"mode": "match", "resource": {"id": "o2"}}));
    let second = page(first["next"].clone()).await;
    assert_eq!((&second["edges"][0]["resource"]["id"], &second["next"]), (&json!("o3"), &Value::Null), "{second}");
    let by_get = server.doctor.get("/fhir/Patient/many/$graphql?query=%7Bid%7D").await.unwrap();
    assert_eq!(by_get.json, json!({"data": {"id": "many"}}));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn faults_are_told_and_rights_hold() {
    let server = start().await;
    for (place, query, status, wanted) in [
        ("", "{ Patient(id: \"many\") { colour } }", 400, "Patient has no element colour"),
        ("", "{ Patient(id: \"many\") { name } }", 400, "needs a selection"),
        ("", "{ Patient(id: \"many\") { id { x } } }", 400, "plain value"),
        ("", "{ Patient { id } }", 400, "needs the argument id"),
        ("", "{ Weather { id } }", 400, "nothing to ask for"),
        ("", "{ PatientList(colour: \"red\") { id } }", 400, "no search parameter"),
        ("", "{ Patient(id: \"nobody\") { id } }", 404, "does not exist"),
        ("", "mutation { PatientDelete(id: \"many\") { id } }", 400, "changed by REST"),
        ("/Patient/many", "{ ...F } fragment F on Patient { ...F }", 400, "nests deeper"),
        ("/Patient/many", "{ name(colour: red) { use } }", 400, "takes no argument colour"),
        ("/Patient/many", "{ ObservationList { id } }", 400, "_reference"),
        ("/Patient/nobody", "{ id }", 404, "does not exist"),
        ("/Patient/many", "{ id", 400, "ends too early"),
    ] {
        let answer = ask(&server.doctor, place, query).await;
        let text = answer.json.to_string();
        assert_eq!(answer.status, status, "{query}: {text}");
        assert_eq!(answer.json["errors"][0]["extensions"]["resource"]["resourceType"], "OperationOutcome", "{text}");
        assert!(text.contains(wanted), "{query}: {text}");
    }
    let doubling: String =
        (0..30).map(|n| format!("fragment F{n} on Patient {{ ...F{} ...F{} }} ", n + 1, n + 1)).collect();
    let bomb = format!("{{ ...F0 }} {doubling} fragment F30 on Patient {{ id }}");
    assert!(ask(&server.doctor, "/Patient/many", &bomb).await.json.to_string().contains("more than"));
    let own =
        NewAccount { tenant: TENANT, username: "rane", role: "patient", practitioner: None, patient: Some("rane") };
    let patient = server.account(own).await.unwrap();
    assert_eq!(data(&patient, "/Patient/rane", "{ id }").await, json!({"id": "rane"}));
    assert_eq!(ask(&patient, "/Patient/many", "{ id }").await.status, 404);
    let list = data(&patient, "", "{ ObservationList { id } }").await;
    assert_eq!(list, json!({"ObservationList": [{"id": "weight-rane"}]}));
    let xml = [("content-type", "text/plain")];
    let refused = server.doctor.send(Method::POST, "/fhir/$graphql", &xml, Some("{ id }".into())).await.unwrap();
    assert_eq!(refused.status, 415);
    server.stop().await.unwrap();
}

/// The query that tools send, as graphql-js writes it.
const INTROSPECTION: &str = "query IntrospectionQuery { __schema { queryType { name } mutationType { name } subscriptionType { name }
    types { ...FullType } directives { name description locations args { ...InputValue } } } }
    fragment FullType on __Type { kind name description fields(includeDeprecated: true) { name description args { ...InputValue }
        type { ...TypeRef } isDeprecated deprecationReason } inputFields { ...InputValue } interfaces { ...TypeRef }
        enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } }
    fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
    fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
        ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";

#[tokio::test]
async fn the_schema_is_told_and_what_it_tells_can_be_asked() {
    let server = start().await;
    let doctor = &server.doctor;
    let whole = data(doctor, "", INTROSPECTION).await;
    let schema = &whole["__schema"];
    assert_eq!((&schema["queryType"]["name"], &schema["mutationType"]), (&json!("Query"), &Value::Null));
    let types = schema["types"].as_array().unwrap();
    let named = |name: &str| types.iter().find(|own| own["name"] == name).unwrap_or_else(|| panic!("no type {name}"));
    let field = |of: &str, name: &str| {
        let fields = named(of)["fields"].as_array().unwrap();
        fields.iter().find(|field| field["name"] == name).unwrap_or_else(|| panic!("no field {of}.{name}")).clone()
    };
    let list =
        |of: &str| json!({"kind": "LIST", "name": null, "ofType": {"kind": "OBJECT", "name": of, "ofType": null}});
    assert_eq!(field("Patient", "name")["type"], list("HumanName"));
    assert_eq!(field("Patient", "contact")["type"], list("Patient_contact"));
    assert_eq!(field("Query", "ObservationList")["type"], list("Observation"));
    let arguments = field("Query", "ObservationList")["args"].to_string();
    assert!(arguments.contains("\"value_quantity\"") && arguments.contains("\"_count\""), "{arguments}");
    assert_eq!(field("Observation", "valueQuantity")["type"]["name"], "Quantity");
    assert_eq!(named("Resource")["kind"], "UNION");
    assert!(named("Resource")["possibleTypes"].as_array().unwrap().len() > 140);
    let directives: Vec<&Value> = schema["directives"].as_array().unwrap().iter().map(|own| &own["name"]).collect();
    assert!(directives.contains(&&json!("slice")), "{directives:?}");

    let one = data(doctor, "", "{ __typename __type(name: \"PatientConnection\") { name fields { name type { name } } } none: __type(name: \"Fish\") { name } }").await;
    assert_eq!(
        (&one["__typename"], &one["__type"]["fields"][0]["name"], &one["none"]),
        (&json!("Query"), &json!("count"), &Value::Null)
    );
    let own = data(doctor, "/Patient/many", "{ __schema { queryType { name } } }").await;
    assert_eq!(own["__schema"]["queryType"]["name"], "Patient");
    let wrong = ask(doctor, "", "{ __schema { colour } }").await;
    assert!(wrong.status == 400 && wrong.json.to_string().contains("no field colour"), "{}", wrong.json);
    // Every plain element that the schema tells can be asked for.
    let plain = |field: &&Value| field["type"]["kind"] == "SCALAR" && field["args"].as_array().unwrap().is_empty();
    let fields: Vec<&str> = named("Patient")["fields"]
        .as_array()
        .unwrap()
        .iter()
        .filter(plain)
        .map(|field| field["name"].as_str().unwrap())
        .collect();
    let found = data(doctor, "/Patient/many", &format!("{{ {} }}", fields.join(" "))).await;
    assert_eq!(found["birthDate"], "1980-03-04");
    server.stop().await.unwrap();
}
