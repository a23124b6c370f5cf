//! Whether the speech engine is ready, from `/health` of the contract, so that a doctor knows before speaking.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::answers::value;
use crate::asker::Asker;
use crate::routes::Pages;

/// A page does not wait longer for the answer: then nothing is said about the engine.
const PATIENCE: Duration = Duration::from_millis(400);

#[derive(Deserialize)]
struct Check {
    name: String,
    status: String,
    #[serde(default)]
    detail: Option<String>,
}

/// What is wrong with the speech engine, in the server's words; empty when nothing is known to be wrong.
pub(crate) async fn speech(pages: &Pages, asker: &Asker) -> String {
    let asked = pages.send(asker, ("GET", "/health"), &Value::Null);
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(answer)) => trouble(&value(&answer)),
        // The page goes on without: the health page tells more than a voice bar can.
        Ok(Err(_)) | Err(_) => String::new(),
    }
}

fn trouble(health: &Value) -> String {
    let checks = health.get("checks").cloned().unwrap_or_default();
    let checks: Vec<Check> = serde_json::from_value(checks).unwrap_or_default();
    let speech = checks.into_iter().find(|check| check.name == "speech" && check.status != "up");
    speech.map(|check| check.detail.unwrap_or(check.status)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::trouble;

    #[test]
    fn only_an_engine_that_is_not_up_is_trouble() {
        let health = |status: &str| {
            json!({"checks": [{"name": "database", "status": "down"},
            {"name": "speech", "status": status, "detail": "run seva model"}]})
        };
        assert_eq!(trouble(&health("down")), "run seva model");
        assert_eq!(trouble(&health("up")), "");
        assert_eq!(trouble(&json!({})), "");
    }
}
