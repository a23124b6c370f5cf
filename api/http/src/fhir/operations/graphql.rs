//! `$graphql` (R4 <https://hl7.org/fhir/R4/graphql.html>): the query in the URL, as text, or in JSON with its variables.

use poem::http::{Method, header};
use poem::{Request, Response};
use seva_fhir::graphql::GraphRequest;
use seva_fhir::json::{Json, Limits, array, object, parse};
use seva_fhir::service::GraphFailure;

use super::super::{CallerRef, FhirEndpoint, body_of};
use super::{On, Parameters};
use crate::failure::Failure;

const JSON: &str = "application/json";

pub(super) async fn run(
    face: &FhirEndpoint,
    caller: CallerRef<'_>,
    on: &On,
    request: &mut Request,
) -> Result<Response, Failure> {
    let asked = read(request).await?;
    let key = match on {
        On::Instance(key) => Some(key),
        On::System | On::Type(_) | On::Version(..) => None,
    };
    match face.service().graphql(caller, key, &asked).await {
        Ok(data) => Ok(Response::builder().content_type(JSON).body(data.to_bytes())),
        Err(GraphFailure::Query(error)) => refused(&Failure::BadRequest(error.to_string())).await,
        Err(GraphFailure::Fhir(error)) => refused(&Failure::from(error)).await,
    }
}

async fn read(request: &mut Request) -> Result<GraphRequest, Failure> {
    let given = Parameters::from_query(request)?;
    let mut asked = GraphRequest {
        query: given.text("query").unwrap_or_default().to_owned(),
        operation: given.text("operationName").map(str::to_owned),
        variables: given.text("variables").map(|text| json(text.as_bytes())).transpose()?.unwrap_or_default(),
    };
    if *request.method() == Method::POST {
        let body = body_of(request).await?;
        let kind = request.header(header::CONTENT_TYPE).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        match kind {
            "application/graphql" => {
                let text = std::str::from_utf8(&body);
                text.map_err(|_| Failure::BadRequest("the query is not UTF-8".to_owned()))?
                    .clone_into(&mut asked.query);
            }
            JSON => {
                let body = json(&body)?;
                body.get_str("query").unwrap_or_default().clone_into(&mut asked.query);
                asked.operation = body.get_str("operationName").map(str::to_owned);
                asked.variables = body.get("variables").cloned().unwrap_or_default();
            }
            other => {
                let text = format!("{other:?} is not read: send application/graphql or application/json");
                return Err(Failure::UnsupportedMediaType(text));
            }
        }
    }
    if asked.query.is_empty() {
        return Err(Failure::BadRequest("$graphql needs query".to_owned()));
    }
    Ok(asked)
}

fn json(text: &[u8]) -> Result<Json, Failure> {
    parse(text, &Limits::default()).map_err(|error| Failure::BadRequest(error.to_string()))
}

/// R4: an error of GraphQL carries the OperationOutcome that says the same.
async fn refused(failure: &Failure) -> Result<Response, Failure> {
    let mut response = failure.to_outcome();
    let unreadable = |error: String| Failure::Internal(error);
    let body = response.take_body().into_bytes().await.map_err(|error| unreadable(error.to_string()))?;
    let error = object([("message", failure.to_string().into()), ("extensions", object([("resource", json(&body)?)]))]);
    let errors = object([("errors", array([error]))]);
    Ok(Response::builder().status(response.status()).content_type(JSON).body(errors.to_bytes()))
}
