//! `$explain`: an administrator sees the statements of a search, what they cost and how they were planned.

use serde_json::{Value, json};
use seva_tests::server::TestServer;

fn part<'v>(statement: &'v Value, name: &str) -> &'v Value {
    statement["part"].as_array().unwrap().iter().find(|part| part["name"] == name).unwrap_or(&Value::Null)
}

#[tokio::test]
async fn an_administrator_sees_how_a_search_is_carried_out() {
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    let query = "name=rane&_sort=birthdate&_revinclude=Observation:subject&_total=accurate";
    let answer = admin.get(&format!("/fhir/Patient/$explain?{query}")).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.issues());
    let statements = answer.json["parameter"].as_array().unwrap();
    // The total, those with a birth date, those without, what points at them.
    assert_eq!(statements.len(), 4);
    for statement in statements {
        assert!(part(statement, "sql")["valueString"].as_str().unwrap().starts_with("SELECT"), "{statement}");
        assert!(part(statement, "milliseconds")["valueDecimal"].as_f64().unwrap() > 0.0, "{statement}");
        let plan: Value = serde_json::from_str(part(statement, "plan")["valueString"].as_str().unwrap()).unwrap();
        assert!(plan[0]["Plan"]["Actual Rows"].as_f64().is_some(), "{plan}");
        // What was searched for is bound, not written into the text.
        assert!(!part(statement, "sql")["valueString"].as_str().unwrap().contains("rane"), "{statement}");
    }
    let system = admin.get("/fhir/$explain?_type=Patient,Observation&_id=rane").await.unwrap();
    assert_eq!((system.status, system.json["parameter"].as_array().unwrap().len()), (200, 1));
    let wrong = admin.get("/fhir/Patient/$explain?nmae=rane").await.unwrap();
    assert_eq!(wrong.status, 400);
    assert_eq!(wrong.json["issue"][0]["expression"], json!(["http.nmae"]));
    let doctor = server.doctor.get(&format!("/fhir/Patient/$explain?{query}")).await.unwrap();
    assert_eq!(doctor.status, 403);
    server.stop().await.unwrap();
}
