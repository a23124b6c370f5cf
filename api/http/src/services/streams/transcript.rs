//! Words as Transcribe writes them: punctuation is an item of its own, times are seconds
//! (<https://docs.aws.amazon.com/transcribe/latest/APIReference/API_streaming_TranscriptEvent.html>).

use serde_json::{Map, Value, json};
use seva_clinic::speech::{SpeechEvent, Word};

use super::message::Message;

const MARKS: &[char] = &['.', ',', '?', '!', '।', ';', ':'];

/// What is told of an event; some are told by nothing.
pub(super) fn message(event: &SpeechEvent) -> Option<Message> {
    match event {
        SpeechEvent::Partial { segment, text, words } => Some(result(*segment, text, words, None, true)),
        SpeechEvent::Final { segment, text, words, speaker, .. } => {
            Some(result(*segment, text, words, speaker.as_deref(), false))
        }
        SpeechEvent::Error { retryable: true, message } => Some(exception("ServiceUnavailableException", message)),
        SpeechEvent::Error { message, .. } => Some(exception("InternalFailureException", message)),
        // Transcribe has no proposals.
        SpeechEvent::Started | SpeechEvent::Weighed { .. } | SpeechEvent::NoSpeech | SpeechEvent::Ended => None,
    }
}

/// The end of a stream with its reason.
pub(super) fn exception(name: &str, reason: &str) -> Message {
    let headers = [(":message-type", "exception"), (":exception-type", name), (":content-type", "application/json")];
    Message::new(&headers, json!({"Message": reason}).to_string().into_bytes())
}

fn result(segment: u32, text: &str, words: &[Word], speaker: Option<&str>, partial: bool) -> Message {
    let begin = words.first().map_or(0, |word| word.start_ms);
    let end = words.iter().map(|word| word.end_ms).max().unwrap_or(begin);
    let items: Vec<Value> = words.iter().flat_map(|word| items(word, speaker)).collect();
    let body = json!({"Transcript": {"Results": [{
        "ResultId": format!("segment-{segment}"),
        "StartTime": seconds(begin),
        "EndTime": seconds(end),
        "IsPartial": partial,
        "Alternatives": [{"Transcript": text, "Items": items}],
    }]}});
    let headers =
        [(":message-type", "event"), (":event-type", "TranscriptEvent"), (":content-type", "application/json")];
    Message::new(&headers, body.to_string().into_bytes())
}

/// A word and the marks behind it; a confidence that the engine lacks is absent.
fn items(word: &Word, speaker: Option<&str>) -> Vec<Value> {
    let bare = word.text.trim_end_matches(MARKS);
    let marks = word.text.get(bare.len()..).unwrap_or_default();
    let item = |kind: &str, content: &str, begin: u64| {
        let mut item = Map::new();
        item.insert("Type".to_owned(), kind.into());
        item.insert("Content".to_owned(), content.into());
        item.insert("StartTime".to_owned(), seconds(begin).into());
        item.insert("EndTime".to_owned(), seconds(word.end_ms).into());
        item.insert("VocabularyFilterMatch".to_owned(), false.into());
        if let Some(speaker) = speaker {
            item.insert("Speaker".to_owned(), speaker.into());
        }
        if let Some(confidence) = word.confidence.filter(|_| kind == "pronunciation") {
            item.insert("Confidence".to_owned(), confidence.into());
        }
        Value::Object(item)
    };
    let mut items = Vec::new();
    if !bare.is_empty() {
        items.push(item("pronunciation", bare, word.start_ms));
    }
    if !marks.is_empty() {
        items.push(item("punctuation", marks, word.end_ms));
    }
    items
}

fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1000.0
}
