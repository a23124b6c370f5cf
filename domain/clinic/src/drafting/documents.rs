//! Audio, transcript, Device and Provenance (R4: <https://hl7.org/fhir/R4/documentreference.html>,
//! <https://hl7.org/fhir/R4/provenance.html>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seva_models::{self as models, Agent, Attachment, Coding, Concept, DocumentReference, ExtensionValue, Identifier};

use super::elements::extension;
use super::{Draft, Recording};
use crate::encounter_record::{DICTATION_SYSTEM, transcript_identifier};

const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";

pub(super) fn audio(draft: &Draft<'_>, recording: &Recording) -> Vec<u8> {
    let milliseconds = u32::try_from(recording.milliseconds).unwrap_or(u32::MAX);
    let attachment = Attachment {
        extensions: vec![extension("duration-milliseconds", ExtensionValue::Unsigned(milliseconds))],
        content_type: "audio/wav".to_owned(),
        url: draft.dictation.map(|dictation| format!("/v1/dictations/{}/audio", dictation.id)),
        size: u32::try_from(recording.size).ok(),
        hash: Some(STANDARD.encode(recording.sha1)),
        ..Attachment::default()
    };
    DocumentReference {
        kind: Concept::worded("Audio of a dictation"),
        subject: draft.subject.clone(),
        date: draft.now.to_string(),
        attachments: vec![attachment],
        encounter: draft.encounter.clone(),
        ..DocumentReference::default()
    }
    .to_json()
}

pub(super) fn transcript(draft: &Draft<'_>, audio: Option<&str>) -> Vec<u8> {
    let attachment = |kind: &str, data: &[u8]| Attachment {
        content_type: kind.to_owned(),
        language: Some(draft.language.to_owned()),
        data: Some(STANDARD.encode(data)),
        ..Attachment::default()
    };
    let mut attachments = vec![attachment("text/plain; charset=utf-8", draft.transcript.text.as_bytes())];
    let mut identifiers = Vec::new();
    if let Some(dictation) = draft.dictation {
        let segments = serde_json::to_vec(&dictation.result.segments).unwrap_or_default();
        attachments.push(attachment("application/json", &segments));
        let value = transcript_identifier(dictation.id);
        identifiers.push(Identifier { system: DICTATION_SYSTEM.to_owned(), value });
    }
    DocumentReference {
        identifiers,
        document_status: Some("preliminary".to_owned()),
        kind: Concept::coded(Coding::named("http://loinc.org", "11488-4", "Consult note")),
        subject: draft.subject.clone(),
        date: draft.now.to_string(),
        authors: draft.author.iter().cloned().collect(),
        attachments,
        encounter: draft.encounter.clone(),
        related: audio.into_iter().map(str::to_owned).collect(),
        ..DocumentReference::default()
    }
    .to_json()
}

pub(super) fn device(draft: &Draft<'_>, (extractor, version): (&str, &str)) -> Vec<u8> {
    let Some(dictation) = draft.dictation else { return models::device(extractor, &[(extractor, version)]) };
    let settings = &dictation.settings;
    let parts = [(settings.engine.as_str(), settings.engine_version.as_str()), (extractor, version)];
    models::device(&format!("{} with {extractor}", settings.engine), &parts)
}

pub(super) fn provenance(draft: &Draft<'_>, targets: Vec<String>, (device, transcript): (&str, &str)) -> Vec<u8> {
    let mut agents = vec![participant("assembler", "Assembler", device)];
    if let Some(author) = &draft.author {
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
