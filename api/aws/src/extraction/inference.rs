//! Codes that the service infers: RxNorm, ICD-10-CM and SNOMED CT
//! (<https://docs.aws.amazon.com/comprehend-medical/latest/dev/ontology-linking.html>).
//!
//! Each is a service of its own with its own price, so each is asked only where it is configured. A code joins an entity that
//! was found at the same place; codes of our own lists come first and are never replaced.

use std::error::Error;
use std::str::FromStr;

use aws_sdk_comprehendmedical::error::{ProvideErrorMetadata, SdkError};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use seva_clinic::entities::{Category, Coding, Entity, ExtractionError};

use super::mapping::{Misplaced, Reader, score};
use super::{AT_ONCE, ComprehendExtractor, ENGINE, failure};
use crate::pieces::{Piece, pieces};

/// These services take fewer than 10,000 bytes at a time.
const PIECE_LIMIT: usize = 9_999;

/// A code system that the service infers codes of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ontology {
    /// RxNorm, for medicines.
    RxNorm,
    /// ICD-10-CM, for conditions.
    Icd10Cm,
    /// SNOMED CT, for conditions, tests, procedures and anatomy.
    SnomedCt,
}

impl FromStr for Ontology {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "rxnorm" => Ok(Self::RxNorm),
            "icd10cm" => Ok(Self::Icd10Cm),
            "snomedct" => Ok(Self::SnomedCt),
            other => Err(format!("{other:?} is none of rxnorm, icd10cm, snomedct")),
        }
    }
}

impl Ontology {
    fn system(self) -> &'static str {
        match self {
            Self::RxNorm => "http://www.nlm.nih.gov/research/umls/rxnorm",
            Self::Icd10Cm => "http://hl7.org/fhir/sid/icd-10-cm",
            Self::SnomedCt => "http://snomed.info/sct",
        }
    }

    fn codes(self, category: Category) -> bool {
        match self {
            Self::RxNorm => category == Category::Medication,
            Self::Icd10Cm => category == Category::MedicalCondition,
            Self::SnomedCt => {
                [Category::MedicalCondition, Category::TestTreatmentProcedure, Category::Anatomy].contains(&category)
            }
        }
    }
}

/// What the service says of a place in a piece.
struct Inferred {
    ends: (Option<i32>, Option<i32>),
    text: Option<String>,
    best: Option<(String, String, Option<f32>)>,
}

/// The three answers have the same members under different types.
macro_rules! inferred {
    ($answer:expr, $concepts:ident) => {
        $answer
            .entities
            .into_iter()
            .map(|entity| Inferred {
                ends: (entity.begin_offset, entity.end_offset),
                text: entity.text,
                // They come with the likeliest first.
                best: entity
                    .$concepts
                    .unwrap_or_default()
                    .into_iter()
                    .next()
                    .and_then(|concept| Some((concept.code?, concept.description.unwrap_or_default(), concept.score))),
            })
            .collect()
    };
}

impl ComprehendExtractor {
    /// Adds the codes of one code system to what was found.
    pub(super) async fn infer(
        &self,
        ontology: Ontology,
        text: &str,
        found: &mut [Entity],
    ) -> Result<(), ExtractionError> {
        if !found.iter().any(|entity| ontology.codes(entity.category)) {
            return Ok(());
        }
        let asked: Vec<_> =
            pieces(text, PIECE_LIMIT).into_iter().map(|piece| self.infer_piece(ontology, piece)).collect();
        let answers: Vec<(usize, Vec<Inferred>)> = stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
        let reader = Reader::new(text);
        for (begin, inferred) in answers {
            for each in inferred {
                let joined = join(&reader, ontology, (each, begin), found);
                joined.map_err(|Misplaced| ExtractionError::Misplaced { engine: ENGINE.to_owned() })?;
            }
        }
        Ok(())
    }

    async fn infer_piece(
        &self,
        ontology: Ontology,
        piece: Piece<'_>,
    ) -> Result<(usize, Vec<Inferred>), ExtractionError> {
        let (client, text) = (&self.client, piece.text);
        let inferred = match ontology {
            Ontology::RxNorm => {
                inferred!(client.infer_rx_norm().text(text).send().await.map_err(refused)?, rx_norm_concepts)
            }
            Ontology::Icd10Cm => {
                inferred!(client.infer_icd10_cm().text(text).send().await.map_err(refused)?, icd10_cm_concepts)
            }
            Ontology::SnomedCt => {
                inferred!(client.infer_snomedct().text(text).send().await.map_err(refused)?, snomedct_concepts)
            }
        };
        Ok((piece.begin, inferred))
    }
}

fn refused<E: ProvideErrorMetadata + Error + 'static>(error: SdkError<E>) -> ExtractionError {
    failure(&error)
}

/// A code joins the entity at its place, unless that has one of the code system already.
fn join(
    reader: &Reader,
    ontology: Ontology,
    (inferred, shift): (Inferred, usize),
    found: &mut [Entity],
) -> Result<(), Misplaced> {
    let span = reader.place(inferred.ends, inferred.text.as_deref(), shift)?;
    let Some((code, display, answered)) = inferred.best else { return Ok(()) };
    let system = ontology.system();
    let fits = |entity: &&mut Entity| entity.span() == span && ontology.codes(entity.category);
    let Some(entity) = found.iter_mut().find(fits) else { return Ok(()) };
    // What is measured has its components in its codes: another code would count as one more of them.
    let components = entity.category == Category::TestTreatmentProcedure && !entity.codings.is_empty();
    if !components && entity.codings.iter().all(|coding| coding.system != system) {
        entity.codings.push(Coding { system: system.to_owned(), code, display, score: score(answered) });
    }
    Ok(())
}
