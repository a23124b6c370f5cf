//! The prescription as Composition with its sections (R4: <https://hl7.org/fhir/R4/composition.html>).

use seva_fhir::json::{Json, JsonObject};
use seva_fhir::types::Instant;
use seva_models::{Coding, Composition, Concept, ExtensionValue, Section};

use super::elements::{evidence, extension_members, extension_value, machine_made, set_extension, written};
use super::{Draft, Drafted};
use crate::encounter_record::EncounterRecord;
use crate::entities::{Entity, EntityType};

const CODES: &str = "https://seva-arogya.org/fhir/CodeSystem/prescription-section";

/// A section of a prescription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectionKind {
    /// What the patient complains of.
    Complaint,
    /// Vital signs.
    Vitals,
    /// Diagnoses.
    Diagnosis,
    /// Medicines.
    Medications,
    /// What the patient is to do.
    Instructions,
    /// When to come again.
    FollowUp,
    /// Tests.
    Tests,
    /// To whom the patient is sent.
    Referral,
}

/// All sections, in the order of the printed page.
pub const SECTIONS: [SectionKind; 8] = [
    SectionKind::Complaint,
    SectionKind::Vitals,
    SectionKind::Diagnosis,
    SectionKind::Medications,
    SectionKind::Instructions,
    SectionKind::FollowUp,
    SectionKind::Tests,
    SectionKind::Referral,
];

impl SectionKind {
    /// Returns the code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Complaint => "complaint",
            Self::Vitals => "vitals",
            Self::Diagnosis => "diagnosis",
            Self::Medications => "medications",
            Self::Instructions => "instructions",
            Self::FollowUp => "follow-up",
            Self::Tests => "tests",
            Self::Referral => "referral",
        }
    }

    /// Returns the title.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Complaint => "Complaint",
            Self::Vitals => "Vital signs",
            Self::Diagnosis => "Diagnosis",
            Self::Medications => "Medicines",
            Self::Instructions => "Instructions",
            Self::FollowUp => "Follow-up",
            Self::Tests => "Tests",
            Self::Referral => "Referral",
        }
    }

    /// The section of a test that is asked for; a procedure for another day is a reason to come again.
    #[must_use]
    pub fn of_request(entity: &Entity) -> Self {
        if entity.kind == EntityType::ProcedureName { Self::FollowUp } else { Self::Tests }
    }

    /// Tells whether a prescription cannot be signed without it.
    #[must_use]
    pub const fn is_required(self) -> bool {
        matches!(self, Self::Diagnosis | Self::Medications | Self::Instructions)
    }

    /// Finds a section by its code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        SECTIONS.into_iter().find(|kind| kind.code() == code)
    }
}

/// The sentences of a dictation that are quoted word for word in a section.
const QUOTED: [(SectionKind, &[&str]); 3] = [
    (SectionKind::FollowUp, &["follow up", "follow-up", "review after", "come back", "review in"]),
    (SectionKind::Referral, &["refer to", "referred to", "referral"]),
    (SectionKind::Instructions, &["advise", "advice", "avoid", "drink ", "plenty of", "bed rest", "take rest"]),
];

pub(super) fn composition(draft: &Draft<'_>, record: &EncounterRecord, drafted: &[Drafted], transcript: &str) -> Json {
    let mut resource = match &record.composition {
        Some(held) => held.body.as_object().cloned().unwrap_or_default(),
        None => new_composition(draft, record),
    };
    let mut sections = match resource.remove("section") {
        Some(Json::Array(sections)) => sections,
        _ => Vec::new(),
    };
    let sentences = quoted(&draft.transcript.text);
    for kind in SECTIONS {
        let own: Vec<&Drafted> = drafted.iter().filter(|each| each.section == Some(kind)).collect();
        let said: Vec<&Sentence> = sentences.iter().filter(|sentence| sentence.kind == kind).collect();
        if own.is_empty() && said.is_empty() {
            continue;
        }
        let mut lines: Vec<&str> = own.iter().map(|each| each.line.as_str()).collect();
        lines.extend(said.iter().map(|sentence| sentence.text.as_str()));
        let place = sections.iter().position(|section| section_code(section) == Some(kind));
        let before = place.map(|place| sections.remove(place));
        let mut text = before.as_ref().map(section_text).unwrap_or_default();
        for line in lines {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(line);
        }
        let mut section = before.and_then(|before| before.as_object().cloned()).unwrap_or_default();
        let urls = own.iter().map(|each| each.url.clone()).collect();
        set_section(&mut section, kind, SectionContent { text: &text, state: "pending", entries: urls });
        let spans =
            own.iter().flat_map(|each| each.evidence.iter().copied()).chain(said.iter().map(|sentence| sentence.span));
        let mut extensions = section.remove("extension").map(|list| list.items().to_vec()).unwrap_or_default();
        extensions.extend(extension_members(spans.flat_map(|span| evidence(draft, transcript, span)).collect()));
        section.insert("extension", extensions);
        sections.insert(place.unwrap_or(sections.len()), section.into());
    }
    if !sections.is_empty() {
        resource.insert("section", sections);
    }
    resource.into()
}

fn new_composition(draft: &Draft<'_>, record: &EncounterRecord) -> JsonObject {
    let composition = empty_composition(record, draft.author.as_deref().unwrap_or_default(), draft.now);
    written(&Composition { labels: machine_made(), ..composition }.to_json())
}

/// Builds a prescription without sections, as its author begins it.
#[must_use]
pub fn empty_composition(record: &EncounterRecord, author: &str, now: Instant) -> Composition {
    Composition {
        kind: Concept::coded(Coding::named("http://loinc.org", "57833-6", "Prescription for medication")),
        subject: record.patient.clone(),
        encounter: record.encounter.key.to_string(),
        date: now.to_string(),
        author: author.to_owned(),
        title: "Prescription".to_owned(),
        ..Composition::default()
    }
}

/// What is written into a section.
pub struct SectionContent<'a> {
    /// Its text, lines apart.
    pub text: &'a str,
    /// Its state: pending, approved or rejected.
    pub state: &'a str,
    /// The resources that come to those it has.
    pub entries: Vec<String>,
}

/// Writes a section's code, text, state and further entries; evidence and what stood there otherwise stay.
pub fn set_section(section: &mut JsonObject, kind: SectionKind, content: SectionContent<'_>) {
    let mut div = String::from("<div xmlns=\"http://www.w3.org/1999/xhtml\">");
    for character in content.text.chars() {
        match character {
            '&' => div.push_str("&amp;"),
            '<' => div.push_str("&lt;"),
            '>' => div.push_str("&gt;"),
            '\n' => div.push_str("<br/>"),
            other => div.push(other),
        }
    }
    div.push_str("</div>");
    let model = Section {
        extensions: Vec::new(),
        title: kind.title().to_owned(),
        code: Concept::coded(Coding::named(CODES, kind.code(), kind.title())),
        div,
        entries: content.entries,
    };
    let mut carrier = written(&Composition { sections: vec![model], ..Composition::default() }.to_json());
    let built = carrier.remove("section").and_then(|sections| sections.get_index(0)?.as_object().cloned());
    for (name, value) in built.unwrap_or_default() {
        match (&*name, section.get_mut("entry").and_then(Json::as_array_mut)) {
            ("entry", Some(held)) => held.extend(value.items().iter().cloned()),
            _ => drop(section.insert(name, value)),
        }
    }
    set_extension(section, "review-state", ExtensionValue::Code(content.state.to_owned()));
}

/// Returns which section it is.
#[must_use]
pub fn section_code(section: &Json) -> Option<SectionKind> {
    SectionKind::from_code(section.get("code")?.get("coding")?.get_index(0)?.get_str("code")?)
}

/// Returns a section's state: pending, approved or rejected.
#[must_use]
pub fn section_state(section: &Json) -> &str {
    extension_value(section, "review-state", "valueCode").and_then(Json::as_str).unwrap_or("pending")
}

/// Returns a section's text without markup.
#[must_use]
pub fn section_text(section: &Json) -> String {
    let div = section.get("text").and_then(|text| text.get_str("div")).unwrap_or_default();
    let mut plain = String::new();
    let mut tag = None::<String>;
    for character in div.chars() {
        match (character, &mut tag) {
            ('<', _) => tag = Some(String::new()),
            ('>', Some(name)) => {
                if name.starts_with("br") || name.starts_with("/p") {
                    plain.push('\n');
                }
                tag = None;
            }
            (other, Some(name)) => name.push(other),
            (other, None) => plain.push(other),
        }
    }
    plain.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&").trim().to_owned()
}

struct Sentence {
    kind: SectionKind,
    text: String,
    span: (usize, usize),
}

fn quoted(text: &str) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    let mut begin = 0;
    for sentence in text.split_inclusive(['.', '?', '!', '\n', '।']) {
        let end = begin + sentence.chars().count();
        let lower = sentence.to_lowercase();
        let kind = QUOTED.iter().find(|(_, words)| words.iter().any(|word| lower.contains(word)));
        if let Some((kind, _)) = kind {
            let skipped = sentence.chars().take_while(|character| character.is_whitespace()).count();
            let text = sentence.trim().to_owned();
            let span = (begin + skipped, begin + skipped + text.chars().count());
            sentences.push(Sentence { kind: *kind, text, span });
        }
        begin = end;
    }
    sentences
}
