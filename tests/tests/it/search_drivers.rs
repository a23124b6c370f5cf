//! Which index drives a search (decision 0008), and what is found under fewer rows (decision 0007): whatever the way, the
//! answer is the same.

use serde_json::{Value, json};
use seva_tests::client::Client;
use seva_tests::server::TestServer;
use sqlx::Connection;

const COMMON: &str = "8867-4";
const RARE: &str = "8310-5";
const LOINC: &str = "http://loinc.org";

/// Ways of asking, and the Observations that they find.
const WAYS: &[(&str, &str)] = &[
    ("code=8480-6", "local"),
    ("combo-code=8480-6", "local pressure"),
    ("combo-code=urn:local%7C8480-6", "local"),
    ("combo-code=85354-9", "pressure"),
    ("combo-code:missing=false", "bare local pressure"),
    ("combo-code:not=8480-6", "bare"),
    ("code=urn:local%7C", "local"),
    ("code=http://loinc.org%7C,bare-code", "bare pressure"),
    ("code:not=http://loinc.org%7C", "bare local"),
    ("combo-code=http://loinc.org%7C", "pressure"),
    ("code=%7Cbare-code", "bare"),
    ("code=%7C8480-6", ""),
    ("status=final", "bare local pressure"),
    ("status=%7Cfinal", "bare local pressure"),
    ("status=http://hl7.org/fhir/observation-status%7Cfinal", "bare local pressure"),
    ("status=urn:other%7Cfinal", ""),
    ("value-quantity=5", "bare"),
    ("value-quantity=5%7C%7Cpuffs", "bare"),
    ("value-quantity=5%7C%7Csprays", ""),
    ("value-quantity=120%7C%7CmmHg", "local"),
    ("value-quantity=120%7C%7Cmm[Hg]", "local"),
    ("value-quantity=12.0%7Chttp://unitsofmeasure.org%7Ccm[Hg]", "local"),
    ("combo-value-quantity=gt100%7C%7CmmHg", "local pressure"),
    ("code-value-quantity=8480-6$gt100", "local"),
    ("code-value-quantity=http://loinc.org%7C8480-6$gt100", ""),
    ("combo-code-value-quantity=8480-6$gt100", "local pressure"),
    ("combo-code-value-quantity=http://loinc.org%7C8480-6$gt100%7C%7CmmHg", "pressure"),
    ("combo-code-value-quantity=urn:local%7C8480-6$lt125%7Chttp://unitsofmeasure.org%7Cmm[Hg]", "local"),
    ("component-code-value-quantity=8480-6$142", "pressure"),
];

fn observation(number: usize) -> Value {
    let code = if number.is_multiple_of(8) { RARE } else { COMMON };
    let mut observation = json!({
        "resourceType": "Observation", "status": if number.is_multiple_of(2) { "final" } else { "amended" },
        "code": {"coding": [{"system": LOINC, "code": code}]}, "subject": {"reference": "Patient/rane"},
        "valueQuantity": {"value": 60 + number, "unit": "beats/min", "system": "http://unitsofmeasure.org", "code": "/min"}
    });
    // Two of three share their day with others; every seventh has no date.
    if !number.is_multiple_of(7) {
        observation["effectiveDateTime"] = json!(format!("2026-03-{:02}", 1 + number / 3));
    }
    observation
}

/// All matches of all pages, as numbers and days; the second tells none for what has no date.
async fn walked(client: &Client, query: &str) -> Vec<(u64, Option<String>)> {
    let (mut found, mut next) = (Vec::new(), Some(format!("/fhir/Observation?{query}")));
    while let Some(path) = next {
        let page = client.get(&path).await.unwrap();
        assert_eq!(page.status, 200, "{path}: {}", page.issues());
        for entry in page.json["entry"].as_array().into_iter().flatten() {
            let resource = &entry["resource"];
            let day = resource["effectiveDateTime"].as_str().map(str::to_owned);
            found.push((resource["valueQuantity"]["value"].as_u64().unwrap() - 60, day));
        }
        next = page.link("next").map(str::to_owned);
    }
    found
}

/// The statement that finds the first page.
async fn statement(admin: &Client, query: &str) -> String {
    let answer = admin.get(&format!("/fhir/Observation/$explain?{query}")).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.issues());
    let statements = answer.json["parameter"].as_array().unwrap();
    let texts = statements.iter().filter_map(|one| one["part"][0]["valueString"].as_str());
    texts.filter(|text| text.contains("r.body")).map(str::to_owned).next().unwrap()
}

#[tokio::test]
async fn sorted_pages_are_the_same_whether_walked_or_sorted() {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    for number in 0..40 {
        assert_eq!(admin.post("/fhir/Observation", &observation(number)).await.unwrap().status, 201);
    }
    let mut database = sqlx::PgConnection::connect(&server.running.private_database().unwrap()).await.unwrap();
    sqlx::raw_sql("ANALYZE").execute(&mut database).await.unwrap();

    for (code, begins, count) in [(COMMON, "FROM (SELECT s.rid", 35), (RARE, "FROM (SELECT d.rid", 5)] {
        for direction in ["", "-"] {
            let query = format!("code={code}&_sort={direction}date&_count=4");
            let how = statement(&admin, &query).await;
            assert!(how.contains(begins), "{query}: {how}");
            let found = walked(&admin, &query).await;
            let mut numbers: Vec<u64> = found.iter().map(|(number, _)| *number).collect();
            numbers.sort_unstable();
            numbers.dedup();
            assert_eq!((found.len(), numbers.len()), (count, count), "{query}: {found:?}");
            let dated: Vec<&String> = found.iter().map_while(|(_, day)| day.as_ref()).collect();
            let undated = found.iter().filter(|(_, day)| day.is_none()).count();
            assert_eq!(dated.len() + undated, count, "what has no date comes last: {found:?}");
            let ordered = |pair: &[&String]| if direction == "-" { pair[0] >= pair[1] } else { pair[0] <= pair[1] };
            assert!(dated.windows(2).all(ordered), "{query}: {dated:?}");
        }
    }

    // Other conditions are looked up for each row, in every order.
    let expected: Vec<u64> =
        (0..40).filter(|number| number % 8 != 0 && number % 7 != 0 && number % 2 == 0 && *number >= 15).collect();
    for sort in ["", "&_sort=date", "&_sort=-date", "&_sort=-_lastUpdated", "&_sort=status,-date"] {
        let query = format!("code={COMMON}&status=final&date=ge2026-03-06&subject=Patient/rane&_count=4{sort}");
        let mut numbers: Vec<u64> = walked(&admin, &query).await.into_iter().map(|(number, _)| number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, expected, "{query}");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn fewer_rows_answer_every_way_of_asking() {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    let unit = |value: f64, code: &str, text: &str| json!({"value": value, "unit": text, "system": "http://unitsofmeasure.org", "code": code});
    let code = |system: &str, code: &str| json!({"coding": [{"system": system, "code": code}]});
    let pressure = json!({
        "resourceType": "Observation", "id": "pressure", "status": "final", "code": code(LOINC, "85354-9"),
        "component": [{"code": code(LOINC, "8480-6"), "valueQuantity": unit(142.0, "mm[Hg]", "mmHg")}]
    });
    let local = json!({
        "resourceType": "Observation", "id": "local", "status": "final", "code": code("urn:local", "8480-6"),
        "valueQuantity": unit(120.0, "mm[Hg]", "mmHg")
    });
    let bare = json!({
        "resourceType": "Observation", "id": "bare", "status": "final", "code": {"coding": [{"code": "bare-code"}]},
        "valueQuantity": {"value": 5, "unit": "puffs"}
    });
    for resource in [&pressure, &local, &bare] {
        let path = format!("/fhir/Observation/{}", resource["id"].as_str().unwrap());
        assert_eq!(admin.put(&path, resource).await.unwrap().status, 201);
    }
    let found = async |query: &str| {
        let answer = admin.get(&format!("/fhir/Observation?{query}&_id=pressure,local,bare")).await.unwrap();
        assert_eq!(answer.status, 200, "{query}: {}", answer.issues());
        let mut ids: Vec<String> = answer.matches().iter().map(ToString::to_string).collect();
        ids.sort_unstable();
        ids.join(" ")
    };
    for (query, expected) in WAYS {
        assert_eq!(found(query).await, *expected, "{query}");
    }
    let patients = admin.get("/fhir/Patient?phonetic=rane&_sort=phonetic").await.unwrap();
    assert_eq!(patients.matches(), ["rane"]);
    server.stop().await.unwrap();
}

/// Ways of asking for a place, and the Locations that they find.
const PLACES: &[(&str, &str)] = &[
    ("address=pune", "one two"),
    ("address=shivaji", "one"),
    ("address=411", "one"),
    ("address=india,nowhere", "one two"),
    ("address:exact=Pune", "one two"),
    ("address:exact=pune", ""),
    ("address:contains=ajinag", "one"),
    ("address:contains=un", "one three two"),
    ("address:missing=true", "bare"),
    ("address:missing=false", "one three two"),
    ("address-city=pune", "one two"),
    ("address-city=shivaji", ""),
    ("address-city:missing=true", "bare three"),
    ("address=pune&address-country=india", "one two"),
    ("_filter=address%20co%20%22ajinag%22", "one"),
];

#[tokio::test]
async fn an_address_is_found_by_each_of_its_parts() {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    let place =
        |id: &str, address: Value| json!({"resourceType": "Location", "id": id, "name": id, "address": address});
    let one = json!({"line": ["Shivajinagar"], "city": "Pune", "postalCode": "411005", "country": "India"});
    let two = json!({"text": "Pune", "city": "Pune", "country": "India"});
    for location in [place("one", one.clone()), place("two", two), place("three", json!({"line": ["Aundh"]}))] {
        let path = format!("/fhir/Location/{}", location["id"].as_str().unwrap());
        assert_eq!(admin.put(&path, &location).await.unwrap().status, 201);
    }
    let bare = json!({"resourceType": "Location", "id": "bare", "name": "bare"});
    assert_eq!(admin.put("/fhir/Location/bare", &bare).await.unwrap().status, 201);
    for (query, expected) in PLACES {
        assert_eq!(places(&admin, query).await, *expected, "{query}");
        let sorted = places(&admin, &format!("{query}&_sort=address&_count=1")).await;
        assert_eq!(sorted, *expected, "{query}, sorted");
    }
    // What moves is found where it is now, and nowhere else.
    let mut moved = one;
    moved["city"] = json!("Nagpur");
    assert_eq!(admin.put("/fhir/Location/one", &place("one", moved)).await.unwrap().status, 200);
    assert_eq!(places(&admin, "address=pune").await, "two");
    assert_eq!(places(&admin, "address=nagpur").await, "one");
    assert_eq!(admin.delete("/fhir/Location/two").await.unwrap().status, 204);
    assert_eq!(places(&admin, "address=pune").await, "");
}

/// The ids of all pages, in alphabetical order; a sort only has to keep them together.
async fn places(client: &Client, query: &str) -> String {
    let (mut found, mut next) = (Vec::new(), Some(format!("/fhir/Location?{query}")));
    while let Some(path) = next {
        let page = client.get(&path).await.unwrap();
        assert_eq!(page.status, 200, "{path}: {}", page.issues());
        found.extend(page.matches().into_iter().map(str::to_owned));
        next = page.link("next").map(str::to_owned);
    }
    found.sort();
    found.join(" ")
}
