//! `$expand`, `$validate-code`, `$lookup`, `$translate`, `$closure` with all that R4 lets a request ask
//! (R4 terminology-service.html).

use serde_json::{Value, json};
use seva_tests::client::Client;
use seva_tests::server::TestServer;

const WARDS: &str = "http://clinic.example/cs/wards";

async fn filled(more: &[Value]) -> (TestServer, Client) {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    let system = json!({"resourceType": "CodeSystem", "id": "wards", "url": WARDS, "name": "Wards", "version": "1", "status": "active",
        "content": "complete", "concept": [
            {"code": "in", "display": "Inpatient", "definition": "Stays overnight", "property": [{"code": "notSelectable", "valueBoolean": true}], "concept": [
                {"code": "icu", "display": "Intensive care", "designation": [{"language": "hi", "value": "Gahan"}, {"language": "en", "use": {"system": "urn:use", "code": "short"}, "value": "ICU"}],
                    "property": [{"code": "floor", "valueInteger": 2}], "concept": [{"code": "nicu", "display": "Newborn intensive care"}]}]},
            {"code": "opd", "display": "Outpatient", "property": [{"code": "retirementDate", "valueDateTime": "2020-01-01"}]}]});
    let set = json!({"resourceType": "ValueSet", "id": "all", "url": "http://clinic.example/vs/all", "status": "active",
        "compose": {"include": [{"system": WARDS}]}});
    for resource in [system, set].iter().chain(more) {
        let place =
            format!("/fhir/{}/{}", resource["resourceType"].as_str().unwrap(), resource["id"].as_str().unwrap());
        let answer = admin.put(&place, resource).await.unwrap();
        assert_eq!(answer.status, 201, "{place}: {}", answer.issues());
    }
    (server, admin)
}

async fn get(client: &Client, path: &str) -> Value {
    let answer = client.get(&format!("/fhir/{path}")).await.unwrap();
    assert_eq!(answer.status, 200, "{path}: {}", answer.issues());
    answer.json
}

fn value<'j>(answer: &'j Value, name: &str) -> &'j Value {
    let list = answer["parameter"].as_array().unwrap();
    let found = list.iter().find(|one| one["name"] == name).and_then(Value::as_object);
    found
        .and_then(|one| one.iter().find(|(name, _)| name.starts_with("value")))
        .map_or(&Value::Null, |(_, value)| value)
}

#[tokio::test]
async fn expansions_are_shaped_as_they_are_asked_for() {
    let (server, admin) = filled(&[]).await;
    let get =
        async |query: &str| get(&admin, &format!("ValueSet/$expand?url=http://clinic.example/vs/all{query}")).await;
    let nested = get("&excludeNested=false&includeDesignations=true&property=floor&property=definition").await;
    let top = &nested["expansion"]["contains"][0];
    let icu = &top["contains"][0];
    assert_eq!(
        (&icu["code"], &icu["contains"][0]["code"], &top["abstract"]),
        (&json!("icu"), &json!("nicu"), &json!(true))
    );
    assert_eq!(icu["designation"].as_array().map(Vec::len), Some(2), "{icu}");
    assert!(icu["extension"].to_string().contains("\"valueInteger\":2"), "{icu}");
    assert!(top["extension"].to_string().contains("Stays overnight"), "{top}");
    assert_eq!(nested["expansion"]["contains"].as_array().map(Vec::len), Some(2));
    let flat = get("&designation=urn:use%7Cshort&excludeNotForUI=true&includeDefinition=true&displayLanguage=hi").await;
    let contains = flat["expansion"]["contains"].as_array().unwrap();
    assert_eq!((contains.len(), &contains[0]["display"]), (3, &json!("Gahan")), "{flat}");
    assert_eq!(
        contains[0]["designation"],
        json!([{"language": "en", "use": {"system": "urn:use", "code": "short"}, "value": "ICU"}])
    );
    assert!(flat["compose"].is_object() && nested["compose"].is_null());
    assert_eq!(get("&filter=care%20new").await["expansion"]["total"], 1, "words in any order");
    let used = get("&system-version=http://clinic.example/cs/wards%7C1").await;
    assert!(used["expansion"]["parameter"].to_string().contains("http://clinic.example/cs/wards|1"), "{used}");
    assert_eq!(get("&exclude-system=http://clinic.example/cs/wards").await["expansion"]["total"], 0);
    for (query, status) in [
        ("&force-system-version=http://clinic.example/cs/wards%7C7", 404),
        ("&excludeNested=perhaps", 400),
        ("&valueSetVersion=9", 404),
    ] {
        let path = format!("/fhir/ValueSet/$expand?url=http://clinic.example/vs/all{query}");
        assert_eq!(admin.get(&path).await.unwrap().status, status, "{query}");
    }
    let of_element = "ValueSet/$expand?context=http://hl7.org/fhir/StructureDefinition/Patient%23Patient.gender";
    assert_eq!(self::get(&admin, of_element).await["expansion"]["total"], 4);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn codes_are_judged_by_name_date_version_and_use() {
    let (server, admin) = filled(&[]).await;
    let system = format!("&system={WARDS}");
    for (query, result, message) in [
        ("&code=icu&display=intensive%20CARE", true, ""),
        ("&code=icu&display=ICU", true, ""),
        ("&code=icu&display=Gahan", true, ""),
        ("&code=icu&display=Ward", false, "the display of icu is \"Intensive care\""),
        ("&code=in&abstract=false", false, "in is abstract"),
        ("&code=in&abstract=true", true, ""),
        ("&code=opd&date=2019-06", true, ""),
        ("&code=opd&date=2021", false, "no longer in use since 2020-01-01"),
        ("&code=icu&systemVersion=1", true, ""),
        ("&code=none", false, "none is not among the codes of http://clinic.example/vs/all"),
    ] {
        let verdict =
            get(&admin, &format!("ValueSet/$validate-code?url=http://clinic.example/vs/all{system}{query}")).await;
        assert_eq!(value(&verdict, "result"), &json!(result), "{query}: {verdict}");
        assert!(value(&verdict, "message").as_str().unwrap_or_default().contains(message), "{query}: {verdict}");
    }
    let wrong_date = format!("/fhir/ValueSet/all/$validate-code?code=icu&date=yesterday{system}");
    assert_eq!(admin.get(&wrong_date).await.unwrap().status, 400);
    let body = json!({"resourceType": "Parameters", "parameter": [
        {"name": "codeableConcept", "valueCodeableConcept": {"coding": [{"system": "urn:other", "code": "icu"}, {"system": WARDS, "code": "nicu"}]}},
        {"name": "valueSet", "resource": {"resourceType": "ValueSet", "status": "active", "compose": {"include": [{"system": WARDS, "filter": [{"property": "concept", "op": "descendent-of", "value": "icu"}]}]}}}]});
    let verdict = admin.post("/fhir/ValueSet/$validate-code", &body).await.unwrap().json;
    assert_eq!((value(&verdict, "result"), value(&verdict, "code")), (&json!(true), &json!("nicu")), "{verdict}");
    let gender = "context=http://hl7.org/fhir/StructureDefinition/Patient%23Patient.gender&code=";
    for (code, valid) in [("female", true), ("icu", false)] {
        assert_eq!(
            value(&get(&admin, &format!("ValueSet/$validate-code?{gender}{code}")).await, "result"),
            &json!(valid)
        );
    }
    let found =
        get(&admin, &format!("CodeSystem/$lookup?code=icu&displayLanguage=hi&property=child&property=lang.hi{system}"))
            .await;
    assert_eq!((value(&found, "display"), value(&found, "version")), (&json!("Gahan"), &json!("1")));
    let text = found.to_string();
    assert!(
        text.contains("\"nicu\"") && text.contains("\"Gahan\"") && !text.contains("floor") && !text.contains("\"ICU\""),
        "{text}"
    );
    let text = get(&admin, &format!("CodeSystem/$lookup?code=icu{system}")).await.to_string();
    assert!(text.contains("floor") && text.contains("parent") && text.contains("\"ICU\""), "{text}");
    let pair = |one: &str, other: &str| {
        json!({"resourceType": "Parameters", "parameter": [
        {"name": "codingA", "valueCoding": {"system": WARDS, "code": one}}, {"name": "codingB", "valueCoding": {"system": other, "code": "icu"}}]})
    };
    let outcome = admin.post("/fhir/CodeSystem/$subsumes", &pair("nicu", WARDS)).await.unwrap().json;
    assert_eq!(value(&outcome, "outcome"), "subsumed-by");
    assert_eq!(admin.post("/fhir/CodeSystem/$subsumes", &pair("nicu", "urn:other")).await.unwrap().status, 400);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn translations_follow_direction_conditions_and_other_maps() {
    let map = json!({"resourceType": "ConceptMap", "id": "old", "url": "http://clinic.example/cm/old", "status": "active",
        "sourceUri": "http://clinic.example/vs/all", "targetUri": "http://clinic.example/vs/old", "group": [{"source": WARDS, "target": "urn:old",
        "element": [{"code": "icu", "target": [
            {"code": "7", "equivalence": "wider", "product": [{"property": "urn:bed", "system": "urn:beds", "value": "high"}]},
            {"code": "8", "equivalence": "equivalent", "dependsOn": [{"property": "urn:age", "value": "child"}]}]},
            {"code": "opd", "target": [{"equivalence": "unmatched"}]}],
        "unmapped": {"mode": "other-map", "url": "http://clinic.example/cm/rest"}}]});
    let rest = json!({"resourceType": "ConceptMap", "id": "rest", "url": "http://clinic.example/cm/rest", "status": "active",
        "group": [{"source": WARDS, "target": "urn:old", "unmapped": {"mode": "fixed", "code": "0", "display": "Elsewhere"}, "element": [{"code": "icu"}]}]});
    let (server, admin) = filled(&[map, rest]).await;
    let get = async |query: &str| get(&admin, &format!("ConceptMap/$translate?{query}")).await;
    let matches = |answer: &Value| -> Vec<String> {
        let list = answer["parameter"].as_array().unwrap();
        let parts = |one: &Value| -> String {
            let of = |name: &str| {
                one["part"].as_array().unwrap().iter().find(|part| part["name"] == name).cloned().unwrap_or_default()
            };
            format!(
                "{} {}",
                of("equivalence")["valueCode"].as_str().unwrap(),
                of("concept")["valueCoding"]["code"].as_str().unwrap_or("-")
            )
        };
        list.iter().filter(|one| one["name"] == "match").map(parts).collect()
    };
    let named = "url=http://clinic.example/cm/old";
    let found = get(&format!("{named}&system={WARDS}&code=icu")).await;
    assert_eq!(matches(&found), ["wider 7"], "the other one depends on an age");
    assert!(
        found.to_string().contains("\"urn:bed\"") && found.to_string().contains("http://clinic.example/cm/old"),
        "{found}"
    );
    assert_eq!(matches(&get(&format!("{named}&system=urn:old&code=7&reverse=true")).await), ["narrower icu"]);
    let none = get(&format!("{named}&system={WARDS}&code=opd")).await;
    assert_eq!((value(&none, "result"), matches(&none)), (&json!(false), vec!["unmatched -".to_owned()]));
    assert_eq!(matches(&get(&format!("{named}&system={WARDS}&code=nicu")).await), ["inexact 0"]);
    assert_eq!(
        matches(&get(&format!("system={WARDS}&code=icu&targetsystem=urn:old")).await),
        ["wider 7"],
        "the map that fits"
    );
    assert_eq!(
        matches(&get(&format!("{named}&system={WARDS}&code=icu&source=http://clinic.example/vs/else")).await),
        [""; 0]
    );
    assert_eq!(matches(&get(&format!("{named}&system={WARDS}&code=icu&targetsystem=urn:new")).await), [""; 0]);
    let body = json!({"resourceType": "Parameters", "parameter": [{"name": "url", "valueUri": "http://clinic.example/cm/old"},
        {"name": "coding", "valueCoding": {"system": WARDS, "code": "icu"}},
        {"name": "dependency", "part": [{"name": "element", "valueUri": "urn:age"}, {"name": "concept", "valueCodeableConcept": {"coding": [{"code": "child"}]}}]}]});
    let found = admin.post("/fhir/ConceptMap/$translate", &body).await.unwrap().json;
    assert_eq!(
        (value(&found, "result"), matches(&found)),
        (&json!(true), vec!["wider 7".to_owned(), "equivalent 8".to_owned()])
    );
    assert_eq!(admin.get("/fhir/ConceptMap/$translate?code=icu").await.unwrap().status, 400);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn closure_tables_tell_what_is_new() {
    let (server, admin) = filled(&[]).await;
    let call = async |more: Value| {
        let mut list = vec![json!({"name": "name", "valueString": "ward-round"})];
        list.extend(more.as_array().unwrap().iter().cloned());
        admin.post("/fhir/$closure", &json!({"resourceType": "Parameters", "parameter": list})).await.unwrap()
    };
    let concept = |code: &str| json!({"name": "concept", "valueCoding": {"system": WARDS, "code": code}});
    let lines = |map: &Value| -> Vec<String> {
        let elements = map["group"][0]["element"].as_array().map(Vec::as_slice).unwrap_or_default();
        let targets = |one: &Value| {
            one["target"]
                .as_array()
                .unwrap()
                .iter()
                .map(|target| {
                    format!(
                        "{} {} {}",
                        one["code"].as_str().unwrap(),
                        target["equivalence"].as_str().unwrap(),
                        target["code"].as_str().unwrap()
                    )
                })
                .collect::<Vec<_>>()
        };
        let mut all: Vec<String> = elements.iter().flat_map(targets).collect();
        all.sort();
        all
    };
    assert_eq!(call(json!([concept("icu")])).await.status, 404, "it was never begun");
    let begun = call(json!([])).await;
    assert_eq!((begun.status, begun.json["version"].as_str(), lines(&begun.json).len()), (200, Some("0"), 0));
    let first = call(json!([concept("icu"), concept("opd")])).await.json;
    assert_eq!((first["version"].as_str(), lines(&first).len()), (Some("1"), 0));
    let second = call(json!([concept("nicu"), concept("in"), concept("icu")])).await.json;
    assert_eq!(second["version"], "2");
    assert_eq!(lines(&second), ["icu subsumes in", "nicu subsumes icu", "nicu subsumes in"]);
    let again = call(json!([concept("nicu")])).await.json;
    assert_eq!((again["version"].as_str(), lines(&again).len()), (Some("2"), 0), "nothing is new");
    let replayed = call(json!([{"name": "version", "valueString": "1"}])).await.json;
    assert_eq!(lines(&replayed), lines(&second));
    assert_eq!(call(json!([{"name": "version", "valueString": "x"}])).await.status, 400);
    let unknown = call(json!([concept("none")])).await;
    assert_eq!(unknown.status, 400, "{}", unknown.issues());
    assert_eq!(call(json!([concept("icu"), {"name": "version", "valueString": "1"}])).await.status, 400);
    call(json!([])).await;
    assert!(lines(&call(json!([{"name": "version", "valueString": "0"}])).await.json).is_empty(), "begun anew");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_code_system_without_a_name_is_told_by_its_url() {
    let nameless = json!({"resourceType": "CodeSystem", "id": "nameless", "url": "urn:nameless", "status": "active",
        "content": "complete", "concept": [{"code": "a"}]});
    let (server, admin) = filled(&[nameless]).await;
    let told = get(&admin, "CodeSystem/$lookup?system=urn:nameless&code=a").await;
    assert_eq!(value(&told, "name"), "urn:nameless", "no string of FHIR is empty");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_version_of_a_system_is_left_out_and_a_concept_without_codes_is_not_valid() {
    let (server, admin) = filled(&[]).await;
    for (left_out, codes) in [("|1", 0), ("", 0), ("|2", 4)] {
        let url = format!("ValueSet/$expand?url=http://clinic.example/vs/all&exclude-system={WARDS}{left_out}");
        let expansion = get(&admin, &url.replace('|', "%7C")).await["expansion"].clone();
        assert_eq!(expansion["total"], codes, "{left_out} {expansion}");
    }
    let concept = json!({"resourceType": "Parameters", "parameter": [
        {"name": "codeableConcept", "valueCodeableConcept": {"text": "ward"}}]});
    let answer = admin.post("/fhir/ValueSet/all/$validate-code", &concept).await.unwrap();
    assert_eq!((answer.status, value(&answer.json, "result")), (200, &json!(false)), "{}", answer.json);
    assert_eq!(admin.get("/fhir/ValueSet/all/$validate-code").await.unwrap().status, 400);
    server.stop().await.unwrap();
}
