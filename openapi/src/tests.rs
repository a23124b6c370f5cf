use std::collections::HashSet;

use super::bundle::{PATHS, SCHEMAS, read};
use super::*;

const METHODS: &[&str] = &["get", "put", "post", "delete", "patch"];

fn operations() -> Vec<(String, String, &'static Value)> {
    let paths = contract()["paths"].as_object().expect("paths");
    paths
        .iter()
        .flat_map(|(path, item)| {
            let item = item.as_object().expect("a path item");
            item.iter()
                .filter(|(method, _)| METHODS.contains(&method.as_str()))
                .map(move |(method, operation)| (path.clone(), method.clone(), operation))
        })
        .collect()
}

#[test]
fn no_part_hides_another() {
    for parts in [PATHS, SCHEMAS] {
        let names: Vec<String> = parts.iter().flat_map(|part| read(part).into_iter().map(|(name, _)| name)).collect();
        let unique: HashSet<&String> = names.iter().collect();
        assert_eq!(unique.len(), names.len());
    }
}

#[test]
fn every_reference_resolves() {
    fn visit(value: &Value) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get("$ref") {
                    let pointer = target.strip_prefix('#').expect("a local reference");
                    assert!(contract().pointer(pointer).is_some(), "{target}");
                }
                members.values().for_each(visit);
            }
            Value::Array(items) => items.iter().for_each(visit),
            _ => {}
        }
    }
    visit(contract());
}

#[test]
fn every_operation_is_complete() {
    let mut ids = HashSet::new();
    for (path, method, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap_or_default();
        assert!(ids.insert(id.to_owned()) && !id.is_empty(), "{method} {path}: operationId {id:?}");
        assert!(operation["summary"].is_string() && operation["tags"].is_array(), "{method} {path}");
        assert!(operation["responses"].as_object().is_some_and(|all| !all.is_empty()), "{method} {path}");
        let open = operation.get("security").is_some();
        assert!(open || operation["responses"].get("401").is_some(), "{method} {path} has no 401");
    }
}

#[test]
fn every_path_parameter_is_declared() {
    let paths = contract()["paths"].as_object().expect("paths");
    for (path, item) in paths {
        let declared: Vec<String> = item["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| match parameter["$ref"].as_str() {
                Some(target) => contract().pointer(target.trim_start_matches('#')).expect("resolved")["name"].clone(),
                None => parameter["name"].clone(),
            })
            .map(|name| name.as_str().unwrap_or_default().to_owned())
            .collect();
        for part in path.split('/').filter(|part| part.starts_with('{')) {
            assert!(declared.contains(&part.trim_matches(['{', '}']).to_owned()), "{path}: {part}");
        }
    }
}

#[test]
fn both_forms_say_the_same() {
    let of_yaml: Value = serde_norway::from_str(yaml()).expect("YAML");
    assert_eq!(&of_yaml, contract());
    assert!(!yaml().contains("$serde_json"), "numbers are numbers");
}
