//! A form that is sent twice does its work once: an `Idempotency-Key` for `/v1`, a create that is refused where the id
//! exists for FHIR R4 (<https://hl7.org/fhir/R4/http.html#upsert>).

use poem::Response;
use poem::http::StatusCode;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::answers::{Message, value};
use crate::asker::Asker;
use crate::client::ApiRequest;
use crate::records::text;
use crate::routes::{Fields, Pages};

/// How many hexadecimal digits name a submission.
const DIGITS: usize = 32;

/// Names what a page sends: the same page with the same words has the same name, other words have another.
pub(crate) fn key(place: &str, fields: &Fields) -> String {
    let mut said: Vec<(&String, &String)> = fields.iter().filter(|(name, _)| *name != "form_token").collect();
    said.sort();
    let mut digest = Sha256::new();
    digest.update(place);
    for part in said.into_iter().flat_map(|(name, value)| [name, value]) {
        digest.update([0]);
        digest.update(part);
    }
    hex::encode(digest.finalize()).chars().take(DIGITS).collect()
}

/// Creates a resource under the name of its submission; gives its id, or the page that says why there is none.
pub(crate) async fn create(
    pages: &Pages,
    asker: &Asker,
    (mut resource, fields): (Value, &Fields),
) -> poem::Result<Result<String, Response>> {
    let id = key(&asker.place, fields);
    if let Some(members) = resource.as_object_mut() {
        members.insert("id".to_owned(), id.clone().into());
    }
    let headers = [("content-type", "application/fhir+json"), ("if-none-match", "*")];
    let request = ApiRequest {
        method: "PUT".to_owned(),
        path: format!("/fhir/{}/{id}", text(&resource, "/resourceType")),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        body: resource.to_string().into(),
        token: None,
    };
    let answer = pages.call_api(asker, request).await?;
    // 412: the first of two clicks has made it.
    if matches!(answer.status, 201 | 412) {
        return Ok(Ok(id));
    }
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
    let detail = text(&value(&answer), "/issue/0/diagnostics");
    Ok(Err(pages.message(asker, Message { status, key: "error-refused", detail: &detail })))
}

#[cfg(test)]
mod tests {
    use super::key;
    use crate::routes::Fields;

    #[test]
    fn the_same_words_of_the_same_page_have_the_same_name() {
        let fields = |once: &str, text: &str, token: &str| -> Fields {
            [("once", once), ("text", text), ("form_token", token)].map(|(n, v)| (n.to_owned(), v.to_owned())).into()
        };
        let first = key("/patients", &fields("1", "Rane", "a"));
        assert_eq!(first, key("/patients", &fields("1", "Rane", "b")));
        for (place, once, text) in [("/patients", "2", "Rane"), ("/patients", "1", "Naik"), ("/else", "1", "Rane")] {
            assert_ne!(first, key(place, &fields(once, text, "a")));
        }
        assert!(first.len() == 32 && first.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
