//! AWS's signature, version 4: of the request (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>)
//! and, each over the one before it, of the messages that follow
//! (<https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html>).

use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};
use bytes::Bytes;
use chrono::{DateTime, NaiveDateTime};
use poem::Request;
use poem::http::{HeaderMap, header};
use sha2::{Digest, Sha256};

use super::message::{Message, Value, encode_headers};
use crate::failure::Failure;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// What clients say of a body whose messages are signed one by one; others say that it is empty.
const STREAMING: &str = "STREAMING-AWS4-HMAC-SHA256-EVENTS";
const CONTENT: &str = "x-amz-content-sha256";
const SERVICE: &str = "transcribe";
/// How far the client's clock may be off, seconds.
const SKEW: i64 = 300;
/// What must be signed, or somebody else could change it.
const NEEDED: [&str; 4] = ["host", "x-amz-date", "x-amz-security-token", "x-amzn-transcribe-language-code"];

/// What a request shows.
pub(super) struct Signed {
    pub(super) key_id: String,
    pub(super) token: String,
    region: String,
    date: String,
    signature: Vec<u8>,
    canonical: String,
}

/// Checks message after message.
pub(super) struct Chain {
    secret: String,
    region: String,
    last: Vec<u8>,
}

impl Signed {
    /// Reads what was signed and by whom; nothing of it is believed yet.
    pub(super) fn read(request: &Request) -> Result<Self, Failure> {
        let unsigned = Failure::Unauthenticated("sign the request with AWS's signature version 4 and a session token");
        let text = request.header(header::AUTHORIZATION).and_then(|text| text.strip_prefix(ALGORITHM));
        let Some(text) = text else { return Err(unsigned) };
        let wrong = || Failure::Unauthenticated("the Authorization header is not AWS's signature version 4");
        let part = |name: &str| {
            let parts = text.split(',').map(str::trim);
            parts.filter_map(|part| part.strip_prefix(name)?.strip_prefix('=')).next().ok_or_else(wrong)
        };
        let credential: Vec<&str> = part("Credential")?.split('/').collect();
        let [key_id, day, region, SERVICE, "aws4_request"] = credential.as_slice() else { return Err(wrong()) };
        let named = |name: &str| request.header(name).map(str::to_owned).ok_or_else(wrong);
        let (date, token) = (named("x-amz-date")?, named("x-amz-security-token")?);
        let signed: Vec<&str> = part("SignedHeaders")?.split(';').collect();
        if !date.starts_with(day) || NEEDED.iter().any(|name| !signed.contains(name)) {
            return Err(wrong());
        }
        Ok(Self {
            key_id: (*key_id).to_owned(),
            token,
            region: (*region).to_owned(),
            date,
            signature: hex::decode(part("Signature")?).map_err(|_| wrong())?,
            canonical: canonical(request, &signed).ok_or_else(wrong)?,
        })
    }

    /// Checks the request's signature and time, and begins the chain of its messages.
    pub(super) fn verify(self, secret: &str, now: i64) -> Result<Chain, Failure> {
        let moment = NaiveDateTime::parse_from_str(&self.date, "%Y%m%dT%H%M%SZ");
        let moment = moment.map_err(|_| Failure::Unauthenticated("x-amz-date is no time"))?.and_utc().timestamp();
        if (moment - now).abs() > SKEW {
            return Err(Failure::Unauthenticated("x-amz-date is more than five minutes off"));
        }
        let day = self.date.get(..8).unwrap_or_default();
        let scope = format!("{day}/{}/{SERVICE}/aws4_request", self.region);
        let signed = format!("{ALGORITHM}\n{}\n{scope}\n{}", self.date, hash(self.canonical.as_bytes()));
        let key = signing_key(secret, day, &self.region);
        hmac::verify(&key, signed.as_bytes(), &self.signature)
            .map_err(|_| Failure::Unauthenticated("the signature is not the one of these credentials"))?;
        Ok(Chain { secret: secret.to_owned(), region: self.region, last: self.signature })
    }
}

impl Chain {
    /// Checks the next message's signature and returns what it holds.
    pub(super) fn open(&mut self, message: Message) -> Option<Bytes> {
        let (Some(Value::Bytes(signature)), Some(Value::Moment(at))) =
            (message.header(":chunk-signature"), message.header(":date"))
        else {
            return None;
        };
        let date = DateTime::from_timestamp_millis(*at)?.format("%Y%m%dT%H%M%SZ").to_string();
        let day = date.get(..8)?;
        let dated = encode_headers(&[(":date".to_owned(), Value::Moment(*at))]);
        let signed = format!(
            "{ALGORITHM}-PAYLOAD\n{date}\n{day}/{}/{SERVICE}/aws4_request\n{}\n{}\n{}",
            self.region,
            hex::encode(&self.last),
            hash(&dated),
            hash(&message.payload)
        );
        let key = signing_key(&self.secret, day, &self.region);
        hmac::verify(&key, signed.as_bytes(), signature).ok()?;
        self.last = signature.to_vec();
        Some(message.payload)
    }
}

/// The request as both sides write it; these interfaces have no query.
fn canonical(request: &Request, signed: &[&str]) -> Option<String> {
    let uri = request.original_uri();
    if uri.query().is_some() {
        return None;
    }
    let mut headers = String::new();
    for name in signed {
        headers.push_str(&format!("{name}:{}\n", value(request.headers(), uri.authority(), name)?));
    }
    let empty = hash(b"");
    let content = request.header(CONTENT).unwrap_or(&empty);
    if content != STREAMING && content != empty {
        return None;
    }
    Some(format!("{}\n{}\n\n{headers}\n{}\n{content}", request.method(), uri.path(), signed.join(";")))
}

/// A header's value; HTTP/2 has the host in its address (RFC 9113, section 8.3.1).
fn value(headers: &HeaderMap, authority: Option<&poem::http::uri::Authority>, name: &str) -> Option<String> {
    let found: Option<Vec<&str>> =
        headers.get_all(name).iter().map(|value| value.to_str().ok().map(str::trim)).collect();
    match found {
        Some(values) if !values.is_empty() => Some(values.join(",")),
        _ if name == "host" => authority.map(ToString::to_string),
        _ => None,
    }
}

fn signing_key(secret: &str, day: &str, region: &str) -> Key {
    let mut key = Key::new(HMAC_SHA256, format!("AWS4{secret}").as_bytes());
    for part in [day, region, SERVICE, "aws4_request"] {
        key = Key::new(HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref());
    }
    key
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}
