//! Composition and its sections (R4: <https://hl7.org/fhir/R4/composition.html>).

use fhirbolt::model::r4::resources as r4;
use fhirbolt::model::r4::types;

use crate::elements::{Coding, Concept, Extension, code, date_time, extensions, labelled, reference, references, text};
use crate::to_json;

/// Who stands for a document, legally.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attester {
    /// When.
    pub time: String,
    /// Who.
    pub party: String,
}

/// A section of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// What is said beside R4's elements.
    pub extensions: Vec<Extension>,
    /// The title.
    pub title: String,
    /// Which section it is.
    pub code: Concept,
    /// The text, as XHTML.
    pub div: String,
    /// The resources that it is about.
    pub entries: Vec<String>,
}

impl Section {
    fn build(&self) -> r4::CompositionSection {
        r4::CompositionSection {
            extension: extensions(&self.extensions),
            title: Some(text(&self.title)),
            code: Some(self.code.boxed()),
            text: Some(Box::new(types::Narrative {
                status: code("additional"),
                div: types::Xhtml { value: self.div.clone(), ..types::Xhtml::default() },
                ..types::Narrative::default()
            })),
            entry: references(&self.entries),
            ..r4::CompositionSection::default()
        }
    }
}

/// A document of sections that nobody has signed yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Composition {
    /// Security labels.
    pub labels: Vec<Coding>,
    /// What kind of document it is.
    pub kind: Concept,
    /// The patient, `Patient/x`.
    pub subject: String,
    /// The encounter.
    pub encounter: String,
    /// When it was begun.
    pub date: String,
    /// Who writes it.
    pub author: String,
    /// The title.
    pub title: String,
    /// Who stands for it.
    pub attesters: Vec<Attester>,
    /// Its sections.
    pub sections: Vec<Section>,
}

impl Composition {
    /// Builds the preliminary document as JSON text.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let attester = self.attesters.iter().map(|attester| r4::CompositionAttester {
            mode: code("legal"),
            time: Some(date_time(&attester.time)),
            party: Some(reference(&attester.party)),
            ..r4::CompositionAttester::default()
        });
        to_json(&r4::Composition {
            meta: labelled(&self.labels),
            status: code("preliminary"),
            r#type: self.kind.boxed(),
            subject: Some(reference(&self.subject)),
            encounter: Some(reference(&self.encounter)),
            date: date_time(&self.date),
            author: vec![*reference(&self.author)],
            title: text(&self.title),
            attester: attester.collect(),
            section: self.sections.iter().map(Section::build).collect(),
            ..r4::Composition::default()
        })
    }
}
