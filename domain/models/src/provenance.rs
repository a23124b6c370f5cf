//! Provenance (R4: <https://hl7.org/fhir/R4/provenance.html>) and DetectedIssue, which says why a finding was accepted
//! (R4: <https://hl7.org/fhir/R4/detectedissue.html>).

use fhirbolt::model::r4::resources as r4;
use fhirbolt::model::r4::types;

use crate::elements::{
    Coding, Concept, Extension, Identifier, code, concepts, date_time, extensions, instant, reference, references, text,
};
use crate::to_json;

/// Who took part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    /// As what.
    pub kind: Concept,
    /// Who.
    pub who: String,
}

/// Where something comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// What is said beside R4's elements.
    pub extensions: Vec<Extension>,
    /// What came to be.
    pub targets: Vec<String>,
    /// When it was written down.
    pub recorded: String,
    /// Why.
    pub reasons: Vec<Concept>,
    /// Who took part.
    pub agents: Vec<Agent>,
    /// What it was made from.
    pub sources: Vec<String>,
    /// The kind of signature and who signed at the time of recording.
    pub signature: Option<(Coding, String)>,
}

impl Provenance {
    /// Builds the Provenance as JSON text.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let agent = self.agents.iter().map(|agent| r4::ProvenanceAgent {
            r#type: Some(agent.kind.boxed()),
            who: reference(&agent.who),
            ..r4::ProvenanceAgent::default()
        });
        let entity = self.sources.iter().map(|source| r4::ProvenanceEntity {
            role: code("source"),
            what: reference(source),
            ..r4::ProvenanceEntity::default()
        });
        let signature = self.signature.iter().map(|(kind, signer)| types::Signature {
            r#type: vec![kind.build()],
            when: instant(&self.recorded),
            who: reference(signer),
            ..types::Signature::default()
        });
        to_json(&r4::Provenance {
            extension: extensions(&self.extensions),
            target: references(&self.targets),
            recorded: instant(&self.recorded),
            reason: concepts(&self.reasons),
            agent: agent.collect(),
            entity: entity.collect(),
            signature: signature.collect(),
            ..r4::Provenance::default()
        })
    }
}

/// A clinical issue that somebody answered for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetectedIssue {
    /// Its identifier.
    pub identifier: Identifier,
    /// What kind of issue it is.
    pub code: Concept,
    /// How heavy it is, of R4's `detectedissue-severity`.
    pub severity: String,
    /// The patient, `Patient/x`.
    pub patient: String,
    /// When it was answered.
    pub date: String,
    /// What it is about.
    pub implicated: Vec<String>,
    /// In words.
    pub detail: String,
    /// What was done about it.
    pub action: Concept,
    /// Who did it.
    pub author: String,
}

impl DetectedIssue {
    /// Builds the final issue as JSON text.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mitigation = r4::DetectedIssueMitigation {
            action: self.action.boxed(),
            date: Some(date_time(&self.date)),
            author: Some(reference(&self.author)),
            ..r4::DetectedIssueMitigation::default()
        };
        to_json(&r4::DetectedIssue {
            identifier: vec![self.identifier.build()],
            status: code("final"),
            code: Some(self.code.boxed()),
            severity: Some(code(&self.severity)),
            patient: Some(reference(&self.patient)),
            identified: Some(r4::DetectedIssueIdentified::DateTime(date_time(&self.date))),
            implicated: references(&self.implicated),
            detail: Some(text(&self.detail)),
            mitigation: vec![mitigation],
            ..r4::DetectedIssue::default()
        })
    }
}
