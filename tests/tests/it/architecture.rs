//! The house rules, checked: who may import whom, where each library may appear, lengths, names, and paths in the docs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use seva_tests::project;

/// `a → b`: the crate in folder `a` may import the crates in the folders named.
const ARROWS: &[(&str, &[&str])] = &[
    ("fhir-profiles", &[]),
    ("openapi", &[]),
    ("migration", &[]),
    ("web", &[]),
    ("domain/fhir", &["fhir-profiles"]),
    ("domain/models", &[]),
    ("domain/clinic", &["domain/fhir", "domain/models", "fhir-profiles"]),
    ("api/postgres", &["domain/fhir", "domain/models", "domain/clinic", "migration", "fhir-profiles"]),
    ("api/aws", &["domain/fhir", "domain/models", "domain/clinic"]),
    ("api/remote", &["domain/fhir", "domain/models", "domain/clinic"]),
    ("api/embedded", &["domain/fhir", "domain/models", "domain/clinic"]),
    ("api/http", &["domain/fhir", "domain/models", "domain/clinic", "openapi"]),
    ("api/server", &["*"]),
    ("tests", &["*"]),
];

/// Libraries that stay behind a fence, and the folders inside it.
const FENCES: &[(&str, &[&str])] = &[
    ("poem", &["api/http", "api/server", "web"]),
    ("poem_openapi", &["api/http", "api/server"]),
    ("sea_orm", &["api/postgres", "migration"]),
    ("sqlx", &["api/postgres", "migration"]),
    ("aws_sdk", &["api/aws"]),
    ("aws_config", &["api/aws"]),
    ("fhirbolt", &["domain/models"]),
    ("minijinja", &["web"]),
    ("std::env::var", &["api/server"]),
];

const FORBIDDEN_NAMES: &[&str] = &["mod.rs", "utils.rs", "helpers.rs", "manager.rs", "common.rs", "handlers.rs"];
const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 60;

#[test]
fn crates_import_along_the_arrows_only() {
    let mut folders: BTreeMap<String, &str> = BTreeMap::new();
    for (folder, _) in ARROWS {
        folders.insert(crate_name(folder), folder);
    }
    for (folder, allowed) in ARROWS {
        let manifest = std::fs::read_to_string(project().join(folder).join("Cargo.toml")).unwrap();
        let normal = manifest.split("[dev-dependencies]").next().unwrap();
        for (name, target) in &folders {
            let imported = normal
                .lines()
                .any(|line| line.starts_with(&format!("{name}.")) || line.starts_with(&format!("{name} ")));
            if imported && !allowed.contains(&"*") {
                assert!(allowed.contains(target), "{folder} must not import {target}");
            }
        }
    }
}

fn crate_name(folder: &str) -> String {
    let manifest = std::fs::read_to_string(project().join(folder).join("Cargo.toml")).unwrap();
    let line = manifest.lines().find(|line| line.starts_with("name = ")).unwrap();
    line.trim_start_matches("name = ").trim_matches('"').to_owned()
}

#[test]
fn libraries_stay_behind_their_fences() {
    for file in rust_files() {
        let place = relative(&file);
        let text = std::fs::read_to_string(&file).unwrap();
        for (library, inside) in FENCES {
            let outside = !inside.iter().any(|folder| place.starts_with(folder)) && !place.starts_with("tests/");
            let used = text.lines().any(|line| {
                let code = line.trim_start();
                !code.starts_with("//")
                    && (code.contains(&format!("use {library}"))
                        || code.contains(&format!("{library}::"))
                        || code.contains(&format!("{library}(")))
            });
            assert!(!(outside && used), "{place} uses {library}");
        }
    }
}

#[test]
fn files_and_functions_are_short_and_well_named() {
    let mut faults = Vec::new();
    for file in rust_files().into_iter().chain(files_below("web/templates", &["html"])) {
        let place = relative(&file);
        let text = std::fs::read_to_string(&file).unwrap();
        let lines = text.lines().count();
        if lines > LONGEST_FILE && !text.lines().next().unwrap_or_default().contains("generated") {
            faults.push(format!("{place} has {lines} lines"));
        }
        if FORBIDDEN_NAMES.iter().any(|name| place.ends_with(&format!("/{name}"))) {
            faults.push(format!("{place} has a name that says nothing"));
        }
        if place.ends_with(".rs") {
            faults.extend(
                long_functions(&text).into_iter().map(|(name, length)| format!("{place}: {name} has {length} lines")),
            );
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Functions by indentation: rustfmt closes each at the column where it began.
fn long_functions(text: &str) -> Vec<(String, usize)> {
    let mut long = Vec::new();
    let mut open: Option<(usize, usize, String)> = None;
    for (number, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        match &open {
            Some((start, column, name)) => {
                if indent == *column && line.trim_start().starts_with('}') {
                    let length = number - start + 1;
                    if length > LONGEST_FUNCTION {
                        long.push((name.clone(), length));
                    }
                    open = None;
                }
            }
            None => {
                let code = line.trim_start();
                let begins = [
                    "fn ",
                    "pub fn ",
                    "async fn ",
                    "pub async fn ",
                    "pub(crate) fn ",
                    "pub(super) fn ",
                    "pub(crate) async fn ",
                    "pub(super) async fn ",
                ];
                if begins.iter().any(|begin| code.starts_with(begin)) && !code.ends_with(';') && !code.ends_with('}') {
                    let name =
                        code.split("fn ").nth(1).unwrap_or_default().split(['(', '<']).next().unwrap_or_default();
                    open = Some((number, indent, name.to_owned()));
                }
            }
        }
    }
    long
}

/// Decision 5: what is not hot is built with entities; the paper names the files that hold SQL, each with what is below it.
#[test]
fn sql_stands_where_the_decision_says() {
    let paper = project().join("docs/decisions/0005-entities-and-what-stays-sql.md");
    let paper = std::fs::read_to_string(paper).unwrap();
    let named: Vec<&str> = paper.split('`').filter(|part| part.ends_with(".rs")).collect();
    let words = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH ", "EXPLAIN ", "SET ", "CREATE "];
    let mut astray = Vec::new();
    for file in files_below("api/postgres/src", &["rs"]) {
        let place = relative(&file);
        let text = std::fs::read_to_string(&file).unwrap();
        let holds = words.iter().any(|word| text.contains(&format!("\"{word}")));
        let below = |name: &&str| place == **name || place.starts_with(&format!("{}/", name.trim_end_matches(".rs")));
        if holds && !named.iter().any(below) {
            astray.push(place);
        }
    }
    assert!(astray.is_empty(), "SQL that the decision does not name: {astray:#?}");
}

#[test]
fn every_path_named_in_the_docs_exists() {
    let mut missing = Vec::new();
    let mut pages = files_below("docs", &["md"]);
    pages.push(project().join("README.md"));
    pages.push(project().join("CONTRIBUTING.md"));
    for page in pages.into_iter().filter(|page| page.exists()) {
        let text = std::fs::read_to_string(&page).unwrap();
        for word in text.split('`').skip(1).step_by(2) {
            let first = word.split('/').next().unwrap_or_default();
            let ours = ["api", "domain", "migration", "openapi", "fhir-profiles", "web", "terraform", "tests", "docs"];
            let path = word.split(['{', '*', ' ', ':', '#']).next().unwrap_or_default();
            if ours.contains(&first) && word.contains('/') && !project().join(path).exists() {
                missing.push(format!("{}: {word}", relative(&page)));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

fn rust_files() -> Vec<PathBuf> {
    ARROWS.iter().flat_map(|(folder, _)| files_below(folder, &["rs"])).collect()
}

fn files_below(folder: &str, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut waiting = vec![project().join(folder)];
    while let Some(folder) = waiting.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                if !path.ends_with("node_modules") && !path.ends_with("target") {
                    waiting.push(path);
                }
            } else if path.extension().and_then(|e| e.to_str()).is_some_and(|e| endings.contains(&e)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(project()).unwrap_or(path).display().to_string()
}
