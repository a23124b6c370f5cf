//! Commands that a signal ends, and hospitals that a command must not make.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;
use seva_server::demo::TENANT;
use seva_tests::server::{begin, command, data_folder};

use super::profiles::package;

/// Waits until the private PostgreSQL of a command takes connections.
async fn until_ready(data: &Path) {
    let begun = Instant::now();
    let ready = || {
        let text = std::fs::read_to_string(data.join("postgres/postmaster.pid")).unwrap_or_default();
        text.lines().nth(7).is_some_and(|line| line.trim() == "ready")
    };
    while !ready() {
        assert!(begun.elapsed() < Duration::from_secs(60), "PostgreSQL did not start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Ends a command that works with a signal, and tells what it said.
async fn ended(data: &Path, arguments: &[&str], (signal, after): (&str, Duration)) -> String {
    let mut child = begin(data, arguments).unwrap();
    until_ready(data).await;
    tokio::time::sleep(after).await;
    let id = child.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
    // The question of a command is never answered.
    let _open = child.stdin.take();
    let done = tokio::time::timeout(Duration::from_secs(60), child.wait_with_output()).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(1), "{said}");
    assert!(!data.join("postgres/postmaster.pid").exists(), "PostgreSQL still runs: {said}");
    said
}

#[tokio::test]
async fn a_signal_ends_a_long_command_with_the_postgresql_that_it_started() {
    let folder = data_folder().unwrap();
    let data = folder.path();
    let account =
        ["account", "--new-hospital", "--tenant", "Asha", "--username", "a", "--name", "A", "--roles", "doctor"];
    for (signal, after) in [("INT", 1_500), ("TERM", 0)] {
        let said = ended(data, &account, (signal, Duration::from_millis(after))).await;
        assert!(said.contains(&format!("ended by SIG{signal}")), "{said}");
    }
    let manifest = json!({"name": "example.sets", "version": "1.0.0", "fhirVersions": ["4.0.1"]});
    let set = |number: usize| {
        let url = format!("https://example.org/ValueSet/{number}");
        json!({"resourceType": "ValueSet", "id": format!("set-{number}"), "url": url, "status": "active"})
    };
    let sets: Vec<(String, serde_json::Value)> =
        (0..4_000).map(|number| (format!("ValueSet-{number}.json"), set(number))).collect();
    let mut files = vec![("package.json", &manifest)];
    files.extend(sets.iter().map(|(name, set)| (name.as_str(), set)));
    let file = package(data, &files);
    let said = ended(data, &["package", "install", &file], ("TERM", Duration::from_millis(500))).await;
    assert!(said.contains("ended by SIGTERM"), "{said}");
}

#[tokio::test]
async fn a_mistyped_hospital_is_told_and_not_made() {
    let folder = data_folder().unwrap();
    let run = async |arguments: &[&str]| {
        let done = command(folder.path(), arguments, "a long enough password\n").await.unwrap();
        (done.status.success(), String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned())
    };
    assert!(run(&["demo"]).await.0);
    let account = ["account", "--username", "a", "--name", "A", "--roles", "hospital-admin", "--tenant"];
    let with = |before: &[&'static str], last: &'static str| -> Vec<&str> { [before, &[last]].concat() };
    for arguments in [
        with(&["package", "list", "--tenant"], "Sahyadry"),
        with(&["terminology", "import", "loinc", "nowhere", "--tenant"], "Sahyadry"),
        with(&["audit", "verify", "--tenant"], "Sahyadry"),
        with(&account, "Sahyadry"),
    ] {
        let (done, said) = run(&arguments).await;
        let told = format!("there is no hospital \"Sahyadry\"; there is {TENANT:?}");
        assert!(!done && said.contains(&told), "{arguments:?}: {said}");
    }
    let (done, said) = run(&with(&account, "Sahyadry")).await;
    assert!(!done && said.contains("--new-hospital"), "{said}");
    assert!(run(&with(&account, TENANT)).await.0);
    assert!(run(&[&with(&account, "Asha")[..], &["--new-hospital"]].concat()).await.0);
    assert!(run(&["package", "list", "--tenant", "Asha"]).await.0);
}
