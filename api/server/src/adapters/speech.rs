//! The engine that listens.

use std::sync::Arc;

use anyhow::Context;
use seva_aws::transcribe::{Kind, TranscribeSettings, TranscribeSpeech};
use seva_clinic::speech::SpeechEngine;
use seva_clinic::speech::stream::StreamLimits;
use seva_embedded::model::ModelChoice;
use seva_embedded::speech::{EmbeddedSpeech, SpeechSettings};
use seva_fhir::clock::RandomIds;
use seva_remote::place::{Place, read_certificates};
use seva_remote::speech::openai::{OpenAiSettings, OpenAiSpeech, Patience};
use seva_remote::speech::vosk::{VoskSettings, VoskSpeech};

use super::connection;
use crate::configuration::{Configuration, SPECIALTY, Secret, Speech, SpeechChoice};

/// What listens: our own engine, or the service that is configured.
pub async fn speech(configuration: &Configuration) -> anyhow::Result<Arc<dyn SpeechEngine>> {
    let settings = &configuration.speech;
    Ok(match settings.engine {
        SpeechChoice::Embedded => {
            let choice: ModelChoice = settings.embedded_model().parse().context("speech.model")?;
            Arc::new(EmbeddedSpeech::new(SpeechSettings::new(configuration.models(), choice))?)
        }
        SpeechChoice::Openai => Arc::new(
            OpenAiSpeech::new(OpenAiSettings {
                place: place(settings)?,
                model: settings.model.clone().context("speech.model must be set")?,
                patience: Patience::default(),
            })
            .context("speech")?,
        ),
        SpeechChoice::Vosk => Arc::new(
            VoskSpeech::new(VoskSettings {
                place: place(settings)?,
                language: settings.language.clone().context("speech.language must be set")?,
                limits: StreamLimits::default(),
            })
            .context("speech")?,
        ),
        SpeechChoice::Transcribe => Arc::new(transcribe(settings, Kind::Standard).await?),
        SpeechChoice::TranscribeMedical => {
            let specialty = settings.specialty.as_deref().unwrap_or(SPECIALTY).to_owned();
            Arc::new(transcribe(settings, Kind::Medical { specialty }).await?)
        }
    })
}

async fn transcribe(settings: &Speech, kind: Kind) -> anyhow::Result<TranscribeSpeech> {
    let region = settings.region.as_deref().context("speech.region must be set")?;
    let mut connection = connection(region, settings.endpoint.as_deref());
    connection.certificates = certificates(settings)?;
    let settings = TranscribeSettings {
        connection,
        kind,
        language: settings.language.clone(),
        vocabulary: settings.vocabulary.clone(),
        limits: StreamLimits::default(),
    };
    Ok(TranscribeSpeech::new(settings, Arc::new(RandomIds)).await)
}

fn place(settings: &Speech) -> anyhow::Result<Place> {
    Ok(Place {
        endpoint: settings.endpoint.clone().context("speech.endpoint must be set")?,
        api_key: settings.api_key.as_ref().map(Secret::reveal).map(str::to_owned),
        certificates: certificates(settings)?,
    })
}

fn certificates(settings: &Speech) -> anyhow::Result<Option<Vec<u8>>> {
    let Some(path) = &settings.certificate else { return Ok(None) };
    let read = std::fs::read(path).with_context(|| format!("speech.certificate {}", path.display()))?;
    read_certificates(&read).with_context(|| format!("speech.certificate {}", path.display()))?;
    Ok(Some(read))
}
