//! `$explain`, an operation of ours: the statements of a search, their plans and times. It takes what a search takes.

use poem::Response;
use seva_fhir::json::{Json, object};
use seva_fhir::ports::Explained;
use seva_fhir::search::Handling;

use super::super::search::{Place, asked};
use super::super::{CallerRef, FhirEndpoint};
use super::{On, Parameters, answer};
use crate::failure::Failure;

pub(super) async fn run(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    on: &On,
    given: &Parameters,
) -> Result<Response, Failure> {
    let place = match on {
        On::Type(kind) => Place::Type(*kind),
        On::System | On::Instance(_) | On::Version(..) => Place::System,
    };
    let pairs = given.texts().to_vec();
    let query = asked(face, caller, &place, &pairs, Handling::Strict)?.0;
    let statements = face.service().explain(caller, query).await?;
    let parts: Vec<Json> = statements.iter().map(statement).collect();
    Ok(answer(&object([("resourceType", "Parameters".into()), ("parameter", parts.into())])))
}

/// One statement: its text, milliseconds there and back, rows, plan.
fn statement(explained: &Explained) -> Json {
    let part = |name: &str, kind: &str, value: Json| object([("name", name.into()), (kind, value)]);
    let mut parts = vec![
        part("sql", "valueString", explained.statement.as_str().into()),
        part("milliseconds", "valueDecimal", Json::Number(format!("{:.3}", explained.milliseconds).into())),
        part("rows", "valueInteger", explained.rows.into()),
    ];
    if let Some(plan) = &explained.plan {
        parts.push(part("plan", "valueString", plan.as_str().into()));
    }
    object([("name", "statement".into()), ("part", parts.into())])
}
