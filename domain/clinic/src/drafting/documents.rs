//! Audio, transcript, Device and Provenance (R4: <https://hl7.org/fhir/R4/documentreference.html>,
//! <https://hl7.org/fhir/R4/provenance.html>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use seva_fhir::json::{Json, array, object};
use seva_models as models;

use super::Draft;
use super::elements::{coding, concept, extension, reference};
use crate::encounter_record::{DICTATION_SYSTEM, transcript_identifier};

const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/provenance-participant-type";

pub(super) fn audio(draft: &Draft<'_>) -> Json {
    let attachment = object([
        (
            "extension",
            array([extension("duration-milliseconds", ("valueUnsignedInt", draft.recording.milliseconds.into()))]),
        ),
        ("contentType", "audio/wav".into()),
        ("url", format!("/v1/dictations/{}/audio", draft.dictation.id).into()),
        ("size", draft.recording.size.into()),
        ("hash", STANDARD.encode(draft.recording.sha1).into()),
    ]);
    object([
        ("resourceType", "DocumentReference".into()),
        ("status", "current".into()),
        ("type", object([("text", "Audio of a dictation".into())])),
        ("subject", draft.subject()),
        ("date", draft.now.to_string().into()),
        ("content", array([object([("attachment", attachment)])])),
        ("context", object([("encounter", array([draft.encounter()]))])),
    ])
}

pub(super) fn transcript(draft: &Draft<'_>, audio: &str) -> Json {
    let segments = serde_json::to_vec(&draft.dictation.result.segments).unwrap_or_default();
    let attachment = |kind: &str, data: &[u8]| {
        object([(
            "attachment",
            object([
                ("contentType", kind.into()),
                ("language", draft.dictation.settings.language.as_str().into()),
                ("data", STANDARD.encode(data).into()),
            ]),
        )])
    };
    let identifier =
        object([("system", DICTATION_SYSTEM.into()), ("value", transcript_identifier(draft.dictation.id).into())]);
    object([
        ("resourceType", "DocumentReference".into()),
        ("identifier", array([identifier])),
        ("status", "current".into()),
        ("docStatus", "preliminary".into()),
        ("type", concept("http://loinc.org", "11488-4", "Consult note")),
        ("subject", draft.subject()),
        ("date", draft.now.to_string().into()),
        ("author", array(draft.dictation.settings.practitioner.iter().map(|author| reference(author)))),
        (
            "content",
            array([
                attachment("text/plain; charset=utf-8", draft.transcript.text.as_bytes()),
                attachment("application/json", &segments),
            ]),
        ),
        ("context", object([("encounter", array([draft.encounter()])), ("related", array([reference(audio)]))])),
    ])
}

pub(super) fn device(draft: &Draft<'_>) -> Json {
    let settings = &draft.dictation.settings;
    let (extractor, version) = draft.extractor;
    let parts = [(settings.engine.as_str(), settings.engine_version.as_str()), (extractor, version)];
    let text = models::device(&format!("{} with {extractor}", settings.engine), &parts);
    seva_fhir::json::parse(&text, &seva_fhir::json::Limits::default()).unwrap_or_default()
}

pub(super) fn provenance(draft: &Draft<'_>, targets: &[&str], (device, transcript): (&str, &str)) -> Json {
    let agent = |code: &str, display: &str, who: &str| {
        object([("type", object([("coding", array([coding(PARTICIPATION, code, display)]))])), ("who", reference(who))])
    };
    let mut agents = vec![agent("assembler", "Assembler", device)];
    if let Some(author) = &draft.dictation.settings.practitioner {
        agents.push(agent("author", "Author", author));
    }
    object([
        ("resourceType", "Provenance".into()),
        ("target", array(targets.iter().map(|target| reference(target)))),
        ("recorded", draft.now.to_string().into()),
        ("agent", agents.into()),
        ("entity", array([object([("role", "source".into()), ("what", reference(transcript))])])),
    ])
}
