//! `Patient/$merge` (R5's definition for R4, <https://hl7.org/fhir/R5/patient-operation-merge.html>).

use poem::Response;
use seva_fhir::json::{Json, array, object};
use seva_fhir::outcome::{Issue, OperationOutcome};
use seva_fhir::service::{Merge, MergeMode, MergeSide};

use super::super::{CallerRef, FhirEndpoint};
use super::{Parameters, answer};
use crate::failure::Failure;

pub(super) async fn run(face: &FhirEndpoint, caller: CallerRef<'_>, given: &Parameters) -> Result<Response, Failure> {
    let mode = if given.text("preview") == Some("true") { MergeMode::Preview } else { MergeMode::Commit };
    let merge = Merge {
        source: side(given, "source-patient", "source-patient-identifier"),
        target: side(given, "target-patient", "target-patient-identifier"),
        result: given.value("result-patient"),
        mode,
    };
    let merged = face.service().merge_patients(caller, merge).await?;
    let said = match mode {
        MergeMode::Preview => format!("nothing was written; {} resources refer to the source", merged.rewritten),
        MergeMode::Commit => format!("merged; {} resources refer to the target now", merged.rewritten),
    };
    let outcome = OperationOutcome::new(vec![Issue::information(said)]).to_json();
    let input = object([("resourceType", "Parameters".into()), ("parameter", given.repeated().into())]);
    let resource = |name: &str, resource: Json| object([("name", name.into()), ("resource", resource)]);
    let list = [resource("input", input), resource("outcome", outcome), resource("result", merged.result)];
    Ok(answer(&object([("resourceType", "Parameters".into()), ("parameter", array(list))])))
}

fn side(given: &Parameters, reference: &str, identifier: &str) -> MergeSide {
    let named = given.value(reference).and_then(|value| value.get_str("reference")).or(given.text(reference));
    MergeSide { reference: named.map(str::to_owned), identifiers: given.values(identifier).cloned().collect() }
}
