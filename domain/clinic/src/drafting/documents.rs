//! Audio, transcript, Device and Provenance (R4: <https://hl7.org/fhir/R4/documentreference.html>,
//! <https://hl7.org/fhir/R4/provenance.html>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seva_models::{self as models, Agent, Attachment, Coding, Concept, DocumentReference, ExtensionValue, Identifier};

use super::Draft;
use super::elements::extension;
use crate::encounter_record::{DICTATION_SYSTEM, transcript_identifier};

const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";

pub(super) fn audio(draft: &Draft<'_>) -> Vec<u8> {
    let milliseconds = u32::try_from(draft.recording.milliseconds).unwrap_or(u32::MAX);
    let attachment = Attachment {
        extensions: vec![extension("duration-milliseconds", ExtensionValue::Unsigned(milliseconds))],
        content_type: "audio/wav".to_owned(),
        url: Some(format!("/v1/dictations/{}/audio", draft.dictation.id)),
        size: u32::try_from(draft.recording.size).ok(),
        hash: Some(STANDARD.encode(draft.recording.sha1)),
        ..Attachment::default()
    };
    DocumentReference {
        kind: Concept::worded("Audio of a dictation"),
        subject: draft.subject(),
        date: draft.now.to_string(),
        attachments: vec![attachment],
        encounter: draft.encounter(),
        ..DocumentReference::default()
    }
    .to_json()
}

pub(super) fn transcript(draft: &Draft<'_>, audio: &str) -> Vec<u8> {
    let segments = serde_json::to_vec(&draft.dictation.result.segments).unwrap_or_default();
    let attachment = |kind: &str, data: &[u8]| Attachment {
        content_type: kind.to_owned(),
        language: Some(draft.dictation.settings.language.clone()),
        data: Some(STANDARD.encode(data)),
        ..Attachment::default()
    };
    let value = transcript_identifier(draft.dictation.id);
    DocumentReference {
        identifiers: vec![Identifier { system: DICTATION_SYSTEM.to_owned(), value }],
        document_status: Some("preliminary".to_owned()),
        kind: Concept::coded(Coding::named("http://loinc.org", "11488-4", "Consult note")),
        subject: draft.subject(),
        date: draft.now.to_string(),
        authors: draft.dictation.settings.practitioner.iter().cloned().collect(),
        attachments: vec![
            attachment("text/plain; charset=utf-8", draft.transcript.text.as_bytes()),
            attachment("application/json", &segments),
        ],
        encounter: draft.encounter(),
        related: vec![audio.to_owned()],
        ..DocumentReference::default()
    }
    .to_json()
}

pub(super) fn device(draft: &Draft<'_>) -> Vec<u8> {
    let settings = &draft.dictation.settings;
    let (extractor, version) = draft.extractor;
    let parts = [(settings.engine.as_str(), settings.engine_version.as_str()), (extractor, version)];
    models::device(&format!("{} with {extractor}", settings.engine), &parts)
}

pub(super) fn provenance(draft: &Draft<'_>, targets: Vec<String>, (device, transcript): (&str, &str)) -> Vec<u8> {
    let mut agents = vec![participant("assembler", "Assembler", device)];
    if let Some(author) = &draft.dictation.settings.practitioner {
        agents.push(participant("author", "Author", author));
    }
    models::Provenance {
        targets,
        recorded: draft.now.to_string(),
        agents,
        sources: vec![transcript.to_owned()],
        ..models::Provenance::default()
    }
    .to_json()
}

/// Somebody who took part, by HL7's codes for it.
pub(crate) fn participant(code: &str, display: &str, who: &str) -> Agent {
    Agent { kind: Concept::coded(Coding::named(PARTICIPATION, code, display)), who: who.to_owned() }
}
