//! The wire format of services in tests, Smithy RPC v2 CBOR (<https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>):
//! answers are written down as JSON, as the API reference shows them, and sent as CBOR.

use aws_smithy_cbor::{Decoder, Encoder};
use serde_json::Value;
use wiremock::{Request, ResponseTemplate};

pub(crate) fn respond(status: u16, body: &Value) -> ResponseTemplate {
    let mut encoder = Encoder::new(Vec::new());
    encode(&mut encoder, body);
    ResponseTemplate::new(status)
        .insert_header("smithy-protocol", "rpc-v2-cbor")
        .set_body_raw(encoder.into_writer(), "application/cbor")
}

/// The text that a request asks about.
pub(crate) fn text_of(request: &Request) -> String {
    let mut decoder = Decoder::new(&request.body);
    decoder.map().expect("a map");
    assert_eq!(decoder.str().expect("a key"), "Text");
    decoder.string().expect("a text")
}

fn encode(encoder: &mut Encoder, value: &Value) {
    match value {
        Value::Null => drop(encoder.null()),
        Value::Bool(flag) => drop(encoder.boolean(*flag)),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => drop(encoder.long(whole)),
            None => drop(encoder.float(number.to_string().parse().expect("a number"))),
        },
        Value::String(text) => drop(encoder.str(text)),
        Value::Array(items) => {
            encoder.array(items.len());
            items.iter().for_each(|item| encode(encoder, item));
        }
        Value::Object(members) => {
            encoder.map(members.len());
            for (name, member) in members {
                encoder.str(name);
                encode(encoder, member);
            }
        }
    }
}
