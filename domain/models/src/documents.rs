//! DocumentReference (R4: <https://hl7.org/fhir/R4/documentreference.html>).

use fhirbolt::model::r4::resources as r4;
use fhirbolt::model::r4::types;

use crate::elements::{
    Concept, Extension, Identifier, base64, code, date_time, extensions, instant, optional_reference, reference,
    references, text, unsigned,
};
use crate::to_json;

/// A file, given by its data or by its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment {
    /// What is said beside R4's elements.
    pub extensions: Vec<Extension>,
    /// The media type.
    pub content_type: String,
    /// The language of the content.
    pub language: Option<String>,
    /// The bytes in base64.
    pub data: Option<String>,
    /// Where the bytes are.
    pub url: Option<String>,
    /// How many they are.
    pub size: Option<u32>,
    /// Their SHA-1 in base64.
    pub hash: Option<String>,
    /// A title.
    pub title: Option<String>,
    /// When it was made.
    pub creation: Option<String>,
}

impl Attachment {
    fn build(&self) -> Box<types::Attachment> {
        let url = self.url.clone();
        Box::new(types::Attachment {
            extension: extensions(&self.extensions),
            content_type: Some(code(&self.content_type)),
            language: self.language.as_deref().map(code),
            data: self.data.as_deref().map(base64),
            url: url.map(|url| types::Url { value: Some(url), ..types::Url::default() }),
            size: self.size.map(unsigned),
            hash: self.hash.as_deref().map(base64),
            title: self.title.as_deref().map(text),
            creation: self.creation.as_deref().map(date_time),
            ..types::Attachment::default()
        })
    }
}

/// A document and where to find it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentReference {
    /// What is said beside R4's elements.
    pub extensions: Vec<Extension>,
    /// Its identifiers.
    pub identifiers: Vec<Identifier>,
    /// `preliminary`, `final`, …
    pub document_status: Option<String>,
    /// What kind of document it is.
    pub kind: Concept,
    /// The patient, `Patient/x`.
    pub subject: String,
    /// When it was filed.
    pub date: String,
    /// Who wrote it.
    pub authors: Vec<String>,
    /// Who stands for it.
    pub authenticator: Option<String>,
    /// The document that it replaces.
    pub replaces: Option<String>,
    /// The files.
    pub attachments: Vec<Attachment>,
    /// The encounter, where there is one.
    pub encounter: Option<String>,
    /// What it was made from.
    pub related: Vec<String>,
}

impl DocumentReference {
    /// Builds the current document as JSON text.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let content = self.attachments.iter().map(|attachment| r4::DocumentReferenceContent {
            attachment: attachment.build(),
            ..r4::DocumentReferenceContent::default()
        });
        let replaces = self.replaces.iter().map(|before| r4::DocumentReferenceRelatesTo {
            code: code("replaces"),
            target: reference(before),
            ..r4::DocumentReferenceRelatesTo::default()
        });
        to_json(&r4::DocumentReference {
            extension: extensions(&self.extensions),
            identifier: self.identifiers.iter().map(Identifier::build).collect(),
            status: code("current"),
            doc_status: self.document_status.as_deref().map(code),
            r#type: Some(self.kind.boxed()),
            subject: Some(reference(&self.subject)),
            date: Some(instant(&self.date)),
            author: references(&self.authors),
            authenticator: optional_reference(self.authenticator.as_ref()),
            relates_to: replaces.collect(),
            content: content.collect(),
            context: Some(r4::DocumentReferenceContext {
                encounter: self.encounter.iter().map(|encounter| *reference(encounter)).collect(),
                related: references(&self.related),
                ..r4::DocumentReferenceContext::default()
            }),
            ..r4::DocumentReference::default()
        })
    }
}
