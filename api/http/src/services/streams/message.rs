//! The messages of an event stream: two lengths, their CRC-32, headers, payload, the CRC-32 of it all
//! (<https://smithy.io/2.0/aws/amazon-eventstream.html>).

use bytes::{Buf, Bytes, BytesMut};

/// Lengths and their checksum.
const PRELUDE: usize = 12;
const CHECKSUM: usize = 4;
/// The longest message that is taken: more than half a minute of audio.
const LONGEST: usize = 1 << 20;

/// A header's value, as far as one is used here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Bytes(Bytes),
    Text(String),
    /// Milliseconds since 1970.
    Moment(i64),
    Other,
}

/// A message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) headers: Vec<(String, Value)>,
    pub(super) payload: Bytes,
}

/// Bytes that are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Message {
    /// A message with texts for headers.
    pub(super) fn new(headers: &[(&str, &str)], payload: Vec<u8>) -> Self {
        let text = |(name, value): &(&str, &str)| ((*name).to_owned(), Value::Text((*value).to_owned()));
        Self { headers: headers.iter().map(text).collect(), payload: payload.into() }
    }

    pub(super) fn header(&self, name: &str) -> Option<&Value> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The message as bytes; headers and payload of ours are short.
    pub(super) fn encode(&self) -> Bytes {
        let headers = encode_headers(&self.headers);
        let total = PRELUDE + headers.len() + self.payload.len() + CHECKSUM;
        let mut bytes = Vec::with_capacity(total);
        bytes.extend(length(total));
        bytes.extend(length(headers.len()));
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes.extend(headers);
        bytes.extend_from_slice(&self.payload);
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        bytes.into()
    }
}

fn length(size: usize) -> [u8; 4] {
    u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes()
}

/// Headers as bytes; a signature covers those of the moment.
pub(super) fn encode_headers(headers: &[(String, Value)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in headers {
        bytes.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(name.as_bytes());
        let sized = |kind: u8, value: &[u8]| {
            let size = u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes();
            [&[kind][..], &size, value].concat()
        };
        match value {
            Value::Bytes(value) => bytes.extend(sized(6, value)),
            Value::Text(value) => bytes.extend(sized(7, value.as_bytes())),
            Value::Moment(value) => {
                bytes.push(8);
                bytes.extend(value.to_be_bytes());
            }
            Value::Other => bytes.push(0),
        }
    }
    bytes
}

/// Takes the first message from what has arrived; nothing while it is not whole.
pub(super) fn take(arrived: &mut BytesMut) -> Result<Option<Message>, Malformed> {
    let Some(prelude) = arrived.get(..PRELUDE) else { return Ok(None) };
    let mut reading = prelude;
    let (total, headers) = (reading.get_u32() as usize, reading.get_u32() as usize);
    let checksum = reading.get_u32();
    let covered = prelude.get(..PRELUDE - CHECKSUM).ok_or(Malformed)?;
    if crc32fast::hash(covered) != checksum || !(PRELUDE + CHECKSUM + headers..=LONGEST).contains(&total) {
        return Err(Malformed);
    }
    if arrived.len() < total {
        return Ok(None);
    }
    let whole = arrived.split_to(total).freeze();
    decode(&whole, headers).map(Some)
}

/// Reads the one message that the bytes are.
pub(super) fn read(bytes: &Bytes) -> Result<Message, Malformed> {
    let mut arrived = BytesMut::from(bytes.as_ref());
    let message = take(&mut arrived)?.ok_or(Malformed)?;
    if arrived.is_empty() { Ok(message) } else { Err(Malformed) }
}

/// A whole message whose prelude is right.
fn decode(whole: &Bytes, headers: usize) -> Result<Message, Malformed> {
    let end = whole.len() - CHECKSUM;
    let mut checksum = whole.slice(end..);
    if crc32fast::hash(&whole.slice(..end)) != checksum.get_u32() {
        return Err(Malformed);
    }
    let begin = PRELUDE + headers;
    let headers = decode_headers(whole.slice(PRELUDE..begin)).ok_or(Malformed)?;
    Ok(Message { headers, payload: whole.slice(begin..end) })
}

fn decode_headers(mut bytes: Bytes) -> Option<Vec<(String, Value)>> {
    let mut headers = Vec::new();
    while bytes.has_remaining() {
        let size = usize::from(bytes.try_get_u8().ok()?);
        let name = String::from_utf8(part(&mut bytes, size)?.to_vec()).ok()?;
        let value = match bytes.try_get_u8().ok()? {
            0 | 1 => Value::Other,
            2 => skipped(&mut bytes, 1)?,
            3 => skipped(&mut bytes, 2)?,
            4 => skipped(&mut bytes, 4)?,
            5 => skipped(&mut bytes, 8)?,
            6 => Value::Bytes(sized(&mut bytes)?),
            7 => Value::Text(String::from_utf8(sized(&mut bytes)?.to_vec()).ok()?),
            8 => Value::Moment(bytes.try_get_i64().ok()?),
            9 => skipped(&mut bytes, 16)?,
            _ => return None,
        };
        headers.push((name, value));
    }
    Some(headers)
}

fn sized(bytes: &mut Bytes) -> Option<Bytes> {
    let size = usize::from(bytes.try_get_u16().ok()?);
    part(bytes, size)
}

fn skipped(bytes: &mut Bytes, size: usize) -> Option<Value> {
    part(bytes, size).map(|_| Value::Other)
}

fn part(bytes: &mut Bytes, size: usize) -> Option<Bytes> {
    (bytes.remaining() >= size).then(|| bytes.split_to(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_piece_by_piece() {
        let mut message = Message::new(&[(":message-type", "event")], b"{}".to_vec());
        message.headers.push((":date".to_owned(), Value::Moment(1_700_000_000_000)));
        message.headers.push((":chunk-signature".to_owned(), Value::Bytes(Bytes::from_static(&[1, 2]))));
        let bytes = [message.encode(), Message::default().encode()].concat();
        let (mut arrived, mut found) = (BytesMut::new(), Vec::new());
        for byte in bytes {
            arrived.extend_from_slice(&[byte]);
            found.extend(take(&mut arrived).expect("well formed"));
        }
        assert_eq!(found, [message, Message::default()]);
    }

    #[test]
    fn what_is_damaged_or_too_long_is_refused() {
        let whole = Message::new(&[(":message-type", "event")], b"{}".to_vec()).encode();
        for at in 0..whole.len() {
            let mut damaged = BytesMut::from(whole.as_ref());
            damaged.get_mut(at).into_iter().for_each(|byte| *byte ^= 1);
            assert_eq!(take(&mut damaged), Err(Malformed), "byte {at}");
        }
        let mut long = [0xff_u8, 0xff, 0xff, 0xff, 0, 0, 0, 0].to_vec();
        long.extend(crc32fast::hash(&long).to_be_bytes());
        assert_eq!(take(&mut BytesMut::from(long.as_slice())), Err(Malformed));
        assert_eq!(read(&[whole.clone(), whole].concat().into()), Err(Malformed));
    }
}
