//! The transcript with its entities marked, from `/v1/dictations` of the contract; offsets count code points.

use serde::{Deserialize, Serialize};

/// The states in which the engines have something to do.
const WORKING: &[&str] = &["uploaded", "draining", "transcribed", "extracted"];

/// A dictation as the contract has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Dictation {
    pub(crate) id: String,
    pub(crate) state: String,
    pub(crate) saved_milliseconds: i64,
    pub(crate) progress: u8,
    #[serde(default)]
    place: u32,
    pub(crate) engine: Engine,
    pub(crate) language: String,
    #[serde(default)]
    problem: Option<String>,
    segments: Vec<Segment>,
    #[serde(default)]
    entities: Vec<Entity>,
}

/// The dictations of an encounter.
#[derive(Deserialize)]
pub(crate) struct Dictations {
    pub(crate) dictations: Vec<Dictation>,
}

/// Who transcribed.
#[derive(Deserialize, Serialize, Clone)]
pub(crate) struct Engine {
    name: String,
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Segment {
    id: u32,
    start_ms: i64,
    end_ms: i64,
    text: String,
    #[serde(default)]
    speaker: Option<String>,
    /// Which command it is; neither it nor what was struck is part of the whole text.
    #[serde(default)]
    command: Option<String>,
    #[serde(default)]
    struck: bool,
}

#[derive(Deserialize)]
struct Entity {
    category: String,
    begin: usize,
    end: usize,
    #[serde(default)]
    traits: Vec<String>,
}

/// A dictation as the page shows it.
#[derive(Serialize)]
pub(crate) struct DictationView {
    pub(crate) id: String,
    pub(crate) state: String,
    /// The engines have something to do.
    pub(crate) working: bool,
    /// The place among those that wait for it; 0 where it does not wait.
    pub(crate) place: u32,
    pub(crate) saved_milliseconds: i64,
    pub(crate) progress: u8,
    pub(crate) engine: Engine,
    pub(crate) language: String,
    pub(crate) problem: String,
    pub(crate) segments: Vec<SegmentView>,
    /// How many readings are doubtful.
    pub(crate) doubtful: usize,
}

/// A stretch of speech.
#[derive(Serialize)]
pub(crate) struct SegmentView {
    id: u32,
    start_ms: i64,
    end_ms: i64,
    /// doctor, patient, or empty where the engine does not tell.
    speaker: &'static str,
    pieces: Vec<Piece>,
    doubtful: bool,
    /// Which command it is; empty where it is none.
    command: String,
    /// Whether it was taken back by a command.
    struck: bool,
    /// The words of a command.
    words: String,
}

/// Text with one kind of mark, or without.
#[derive(Serialize, Debug, PartialEq, Eq)]
struct Piece {
    text: String,
    /// medicine, symptom, …; empty for plain text.
    kind: &'static str,
    doubtful: bool,
}

impl From<Dictation> for DictationView {
    fn from(dictation: Dictation) -> Self {
        let mut offset = 0;
        let mut segments = Vec::new();
        for segment in &dictation.segments {
            let spoken = segment.text.trim();
            let length = spoken.chars().count();
            if length == 0 {
                continue;
            }
            let counts = segment.command.is_none() && !segment.struck;
            // The whole text has a space between segments.
            offset += usize::from(counts && offset > 0);
            let entities = if counts { dictation.entities.as_slice() } else { &[] };
            let pieces = pieces(spoken, offset, entities);
            segments.push(SegmentView {
                id: segment.id,
                start_ms: segment.start_ms,
                end_ms: segment.end_ms,
                speaker: speaker(segment.speaker.as_deref()),
                doubtful: pieces.iter().any(|piece| piece.doubtful),
                pieces,
                command: segment.command.clone().unwrap_or_default(),
                struck: segment.struck,
                words: if counts { String::new() } else { spoken.to_owned() },
            });
            offset += if counts { length } else { 0 };
        }
        Self {
            id: dictation.id,
            working: WORKING.contains(&dictation.state.as_str()),
            place: dictation.place,
            state: dictation.state,
            saved_milliseconds: dictation.saved_milliseconds,
            progress: dictation.progress,
            engine: dictation.engine,
            language: dictation.language,
            problem: dictation.problem.unwrap_or_default(),
            doubtful: dictation.entities.iter().filter(|entity| is_doubtful(entity)).count(),
            segments,
        }
    }
}

fn pieces(spoken: &str, offset: usize, entities: &[Entity]) -> Vec<Piece> {
    let letters: Vec<char> = spoken.chars().collect();
    let mut inside: Vec<&Entity> = entities
        .iter()
        .filter(|entity| !kind(entity).is_empty() && entity.begin >= offset && entity.end <= offset + letters.len())
        .collect();
    inside.sort_by_key(|entity| (entity.begin, std::cmp::Reverse(entity.end)));
    let mut pieces = Vec::new();
    let mut at = 0;
    let mut push = |from: usize, to: usize, kind: &'static str, doubtful| {
        let text: String = letters.get(from..to).unwrap_or_default().iter().collect();
        if !text.is_empty() {
            pieces.push(Piece { text, kind, doubtful });
        }
    };
    for entity in inside {
        let (begin, end) = (entity.begin - offset, entity.end - offset);
        if begin < at {
            continue;
        }
        push(at, begin, "", false);
        push(begin, end, kind(entity), is_doubtful(entity));
        at = end;
    }
    push(at, letters.len(), "", false);
    pieces
}

fn kind(entity: &Entity) -> &'static str {
    let has = |wanted: &str| entity.traits.iter().any(|found| found == wanted);
    match entity.category.as_str() {
        "ALLERGY" if !has("NEGATION") => "allergy",
        _ if has("NEGATION") => "denied",
        "MEDICATION" => "medicine",
        "MEDICAL_CONDITION" if has("SYMPTOM") => "symptom",
        "MEDICAL_CONDITION" => "diagnosis",
        "VITAL" => "vital",
        "TEST_TREATMENT_PROCEDURE" => "test",
        "ANATOMY" => "site",
        _ => "",
    }
}

fn is_doubtful(entity: &Entity) -> bool {
    entity.traits.iter().any(|found| found == "LOW_CONFIDENCE")
}

fn speaker(label: Option<&str>) -> &'static str {
    match label {
        Some("doctor") => "doctor",
        Some("patient") => "patient",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Dictation, DictationView, Piece};

    #[test]
    fn entities_are_marked_where_they_were_said() {
        let said = json!({"id": "d", "state": "drafted", "savedMilliseconds": 1500, "progress": 100, "language": "en",
            "engine": {"name": "scripted", "version": "1"},
            "segments": [
                {"id": 0, "startMs": 0, "endMs": 900, "text": " बुखार, no cough.", "words": []},
                {"id": 1, "startMs": 900, "endMs": 950, "text": "Next field.", "words": [], "command": "next-field"},
                {"id": 2, "startMs": 950, "endMs": 999, "text": "Cough", "words": [], "struck": true},
                {"id": 3, "startMs": 999, "endMs": 1500, "text": "Paracetamol <650>", "words": []}],
            "entities": [
                {"category": "MEDICAL_CONDITION", "begin": 0, "end": 5, "traits": ["SYMPTOM"]},
                {"category": "MEDICAL_CONDITION", "begin": 10, "end": 15, "traits": ["SYMPTOM", "NEGATION"]},
                {"category": "MEDICATION", "begin": 17, "end": 28, "traits": ["LOW_CONFIDENCE"]},
                {"category": "MEDICATION", "begin": 20, "end": 28, "traits": []}]});
        let dictation: Dictation = serde_json::from_value(said).expect("the contract's shape");
        let view = DictationView::from(dictation);
        let piece = |text: &str, kind, doubtful| Piece { text: text.to_owned(), kind, doubtful };
        let [first, command, struck, second] = view.segments.as_slice() else { panic!("four segments") };
        assert_eq!(
            (command.command.as_str(), command.words.as_str(), struck.struck),
            ("next-field", "Next field.", true)
        );
        assert_eq!(
            first.pieces,
            [
                piece("बुखार", "symptom", false),
                piece(", no ", "", false),
                piece("cough", "denied", false),
                piece(".", "", false)
            ]
        );
        assert_eq!(second.pieces, [piece("Paracetamol", "medicine", true), piece(" <650>", "", false)]);
        assert!(second.doubtful && !first.doubtful && view.doubtful == 1);
    }
}
