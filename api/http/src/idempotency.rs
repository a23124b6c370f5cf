//! `Idempotency-Key` on POSTs outside FHIR: a request that is sent again gets the first answer again.

use std::sync::Arc;

use poem::http::{Method, StatusCode, header};
use poem::{Body, Endpoint, Middleware, Request, Response};
use seva_fhir::access::{Begun, IdempotencyKey, IdempotencyStore, KeptAnswer};
use sha2::{Digest, Sha256};

use crate::failure::Failure;
use crate::services::Services;

/// The longest key that is taken.
const LONGEST_KEY: usize = 128;
/// The largest body that is compared; POSTs outside FHIR are small, recordings come by PUT.
const LARGEST_BODY: usize = 1024 * 1024;
/// Logging in has no account yet to hang a key on, new credentials are kept nowhere, and a stream has no whole body.
const UNKEPT: [&str; 5] = [
    "/v1/sessions",
    "/v1/session/token",
    "/v1/session/stream-credentials",
    "/stream-transcription",
    "/medical-stream-transcription",
];

/// What a translation engine said of a patient is kept nowhere either (decision 0022).
const UNKEPT_END: &str = "/translations";

/// Gives the first answer again.
pub(crate) struct Idempotency(pub(crate) Arc<Services>);

impl<E: Endpoint<Output = Response>> Middleware<E> for Idempotency {
    type Output = Idempotent<E>;

    fn transform(&self, endpoint: E) -> Self::Output {
        Idempotent { endpoint, services: Arc::clone(&self.0) }
    }
}

/// An endpoint whose POSTs may carry a key.
pub(crate) struct Idempotent<E> {
    endpoint: E,
    services: Arc<Services>,
}

impl<E: Endpoint<Output = Response>> Endpoint for Idempotent<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let Some(key) = request.header("idempotency-key").map(str::to_owned) else {
            return self.endpoint.call(request).await;
        };
        let path = request.uri().path();
        if request.method() != Method::POST || UNKEPT.contains(&path) || path.ends_with(UNKEPT_END) {
            return self.endpoint.call(request).await;
        }
        if key.is_empty() || key.len() > LONGEST_KEY {
            return Err(Failure::BadRequest(format!("Idempotency-Key has 1 to {LONGEST_KEY} characters")).into());
        }
        let caller = self.services.authenticator.caller(&request).await?;
        let key = IdempotencyKey { tenant: caller.tenant, account: caller.account, key: key.into() };
        let body = request.take_body().into_bytes_limit(LARGEST_BODY).await;
        let body = body.map_err(|_| Failure::TooLarge { limit: LARGEST_BODY })?;
        let mut digest = Sha256::new();
        digest.update(request.uri().path());
        digest.update([0]);
        digest.update(&body);
        let store = self.services.idempotency.as_ref();
        match store.begin(&key, &digest.finalize().into()).await.map_err(Failure::from)? {
            Begun::New => {
                request.set_body(Body::from_bytes(body));
                let answer = self.endpoint.call(request).await;
                keep(store, &key, answer).await
            }
            Begun::Done(kept) => Ok(again(kept)),
            Begun::Busy => {
                Err(Failure::Conflict("the request with this key is being done: wait for it".to_owned()).into())
            }
            Begun::Other => {
                Err(Failure::Unprocessable("the key was used for another request: take a new one".to_owned()).into())
            }
        }
    }
}

async fn keep(
    store: &dyn IdempotencyStore,
    key: &IdempotencyKey,
    answer: poem::Result<Response>,
) -> poem::Result<Response> {
    // Only what was done is kept: a refusal may be mended and sent again with the same key.
    let mut response = match answer {
        Ok(response) if response.status().is_success() => response,
        other => {
            store.forget(key).await.map_err(Failure::from)?;
            return other;
        }
    };
    let body = response.take_body().into_bytes().await.map_err(|error| Failure::Internal(error.to_string()))?;
    let kept = KeptAnswer { status: response.status().as_u16(), body: body.to_vec() };
    store.keep(key, &kept).await.map_err(Failure::from)?;
    response.set_body(Body::from_bytes(body));
    Ok(response)
}

fn again(kept: KeptAnswer) -> Response {
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    let response = Response::builder().status(status).header("idempotency-replayed", "true");
    response.header(header::CONTENT_TYPE, "application/json; charset=utf-8").body(kept.body)
}
