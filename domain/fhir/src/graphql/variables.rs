//! The operation that is meant and the values of its variables (GraphQL
//! <https://spec.graphql.org/October2021/#sec-Executing-Requests>).

use std::collections::HashMap;

use super::parser::parse;
use super::syntax::{Directive, Document, Operation, Value};
use super::{GraphError, GraphRequest};
use crate::json::Json;

/// The values of variables, by their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables(HashMap<String, Value>);

/// Reads a request: its document, the operation that is meant and the variables.
pub(crate) fn prepare(request: &GraphRequest) -> Result<(Document, Operation, Variables), GraphError> {
    let document = parse(&request.query)?;
    let wanted = request.operation.as_deref().filter(|name| !name.is_empty());
    let operation = match (wanted, document.operations.as_slice()) {
        (None, [only]) => only.clone(),
        (None, _) => {
            return Err(GraphError::Query("the document has several operations: name one as operationName".to_owned()));
        }
        (Some(name), all) => {
            let found = all.iter().find(|one| one.name.as_deref() == Some(name));
            found.cloned().ok_or_else(|| GraphError::Query(format!("the document has no operation {name:?}")))?
        }
    };
    let mut variables = Variables::default();
    for (name, default) in &operation.variables {
        let given = request.variables.get(name).map(of_json);
        if let Some(value) = given.or_else(|| default.clone()) {
            variables.0.insert(name.clone(), value);
        }
    }
    Ok((document, operation, variables))
}

fn of_json(value: &Json) -> Value {
    match value {
        Json::Null | Json::Object(_) => Value::Null,
        Json::Bool(flag) => Value::Boolean(*flag),
        Json::Number(digits) => Value::Text(digits.to_string()),
        Json::String(text) => Value::Text(text.to_string()),
        Json::Array(items) => Value::List(items.iter().map(of_json).collect()),
    }
}

impl Variables {
    /// The texts of a value: none for null, several for a list.
    pub(crate) fn texts(&self, value: &Value) -> Result<Vec<String>, GraphError> {
        Ok(match value {
            Value::Variable(name) => {
                let missing = || GraphError::Query(format!("the variable ${name} has no value"));
                return match self.0.get(name).ok_or_else(missing)? {
                    // A variable's value holds no variables.
                    Value::Variable(_) => Err(missing()),
                    other => self.texts(other),
                };
            }
            Value::Text(text) => vec![text.clone()],
            Value::Boolean(flag) => vec![flag.to_string()],
            Value::Null => Vec::new(),
            Value::List(items) => {
                let mut texts = Vec::new();
                for item in items {
                    texts.extend(self.texts(item)?);
                }
                texts
            }
        })
    }

    /// The one text of an argument.
    pub(crate) fn text(&self, arguments: &[(String, Value)], name: &str) -> Result<Option<String>, GraphError> {
        let Some((_, value)) = arguments.iter().find(|(own, _)| own == name) else { return Ok(None) };
        Ok(self.texts(value)?.into_iter().next())
    }

    /// Whether `@skip` and `@include` let something be selected.
    pub(crate) fn selects(&self, directives: &[Directive]) -> Result<bool, GraphError> {
        for directive in directives {
            let wanted = match directive.name.as_str() {
                "skip" => "false",
                "include" => "true",
                _ => continue,
            };
            if self.text(&directive.arguments, "if")?.as_deref() != Some(wanted) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
