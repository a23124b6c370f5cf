//! One stream of Transcribe or Transcribe Medical: audio events up, transcript events down.

use std::error::Error;
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_transcribestreaming::Client;
use aws_sdk_transcribestreaming::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_transcribestreaming::primitives::Blob;
use aws_sdk_transcribestreaming::primitives::event_stream::EventReceiver;
use aws_sdk_transcribestreaming::types::error::AudioStreamError;
use aws_sdk_transcribestreaming::types::{
    AudioEvent, AudioStream, LanguageCode, MediaEncoding, MedicalContentIdentificationType, Specialty, Type,
};
use futures_util::stream::{Stream, poll_fn};
use seva_clinic::speech::stream::{Heard, ServiceConnection, ServiceFailure, SpeechService};
use seva_clinic::speech::{SAMPLE_RATE, SpeechMode};
use seva_fhir::clock::IdSource;
use tokio::sync::mpsc;

use super::Kind;
use super::results::Told;
use crate::connection::silence;

const CHANNEL: usize = 16;

/// What all connections of a session share.
pub(super) struct Asking {
    pub(super) client: Client,
    pub(super) kind: Kind,
    pub(super) language: LanguageCode,
    pub(super) vocabulary: Option<String>,
    pub(super) mode: SpeechMode,
    pub(super) ids: Arc<dyn IdSource>,
}

type Says = mpsc::Sender<Result<Heard, ServiceFailure>>;

#[async_trait]
impl SpeechService for Asking {
    async fn connect(&self) -> Result<ServiceConnection, ServiceFailure> {
        let (audio, blocks) = mpsc::channel(CHANNEL);
        let (says, heard) = mpsc::channel(CHANNEL);
        match &self.kind {
            Kind::Standard => self.standard(blocks, says).await?,
            Kind::Medical { specialty } => self.medical(specialty, blocks, says).await?,
        }
        Ok(ServiceConnection { audio, heard })
    }
}

impl Asking {
    async fn standard(&self, blocks: mpsc::Receiver<Vec<i16>>, says: Says) -> Result<(), ServiceFailure> {
        let operation = self.client.start_stream_transcription();
        let opened = operation
            .language_code(self.language.clone())
            .media_encoding(MediaEncoding::Pcm)
            .media_sample_rate_hertz(SAMPLE_RATE.cast_signed())
            .set_vocabulary_name(self.vocabulary.clone())
            .show_speaker_label(self.mode == SpeechMode::Conversation)
            // Another session each time: the service ends the older one of two with the same id.
            .session_id(self.ids.new_uuid().to_string())
            .audio_stream(events(blocks).into())
            .send()
            .await;
        let opened = opened.map_err(|error| refused(&error))?;
        // The task ends with its connection: when the service has said everything, or nobody listens to it.
        tokio::spawn(relay(opened.transcript_result_stream, says));
        Ok(())
    }

    async fn medical(
        &self,
        specialty: &str,
        blocks: mpsc::Receiver<Vec<i16>>,
        says: Says,
    ) -> Result<(), ServiceFailure> {
        let operation = self.client.start_medical_stream_transcription();
        let conversation = self.mode == SpeechMode::Conversation;
        let opened = operation
            .language_code(self.language.clone())
            .media_encoding(MediaEncoding::Pcm)
            .media_sample_rate_hertz(SAMPLE_RATE.cast_signed())
            .set_vocabulary_name(self.vocabulary.clone())
            .specialty(Specialty::from(specialty))
            .r#type(if conversation { Type::Conversation } else { Type::Dictation })
            .show_speaker_label(conversation)
            .content_identification_type(MedicalContentIdentificationType::Phi)
            .session_id(self.ids.new_uuid().to_string())
            .audio_stream(events(blocks).into())
            .send()
            .await;
        let opened = opened.map_err(|error| refused(&error))?;
        // As above.
        tokio::spawn(relay(opened.transcript_result_stream, says));
        Ok(())
    }
}

/// The audio as the SDK takes it; the stream ends with the channel.
fn events(
    mut blocks: mpsc::Receiver<Vec<i16>>,
) -> impl Stream<Item = Result<AudioStream, AudioStreamError>> + Send + Sync + 'static {
    poll_fn(move |context| {
        blocks.poll_recv(context).map(|block| {
            let bytes: Vec<u8> = block?.iter().flat_map(|sample| sample.to_le_bytes()).collect();
            Some(Ok(AudioStream::AudioEvent(AudioEvent::builder().audio_chunk(Blob::new(bytes)).build())))
        })
    })
}

/// Hands over what the service says, until it has said everything or nobody listens.
async fn relay<T, E>(mut results: EventReceiver<T, E>, says: Says)
where
    T: Into<Told> + Debug,
    E: ProvideErrorMetadata + Error + 'static,
{
    loop {
        let received = tokio::select! {
            () = says.closed() => return,
            received = results.recv() => received,
        };
        let heard = match received {
            Ok(None) => return,
            Ok(Some(event)) => event.into().heard().into_iter().map(Ok).collect(),
            Err(error) => vec![Err(broken(&error))],
        };
        for each in heard {
            if says.send(each).await.is_err() {
                return;
            }
        }
    }
}

/// A stream that did not open. What the service said is for nobody: only its code is kept.
fn refused<E, R>(error: &SdkError<E, R>) -> ServiceFailure
where
    E: ProvideErrorMetadata + Error + 'static,
    R: Debug,
{
    let code = error.code().unwrap_or_else(|| silence(error));
    let reason = format!("the speech service did not open a stream: {code}");
    let passing = [
        "LimitExceededException",
        "InternalFailureException",
        "ServiceUnavailableException",
        "ConflictException",
        "ThrottlingException",
    ];
    match error {
        SdkError::ConstructionFailure(_) => ServiceFailure::lasting(reason),
        SdkError::ServiceError(_) if !passing.contains(&code) => ServiceFailure::lasting(reason),
        _ => ServiceFailure::passing(reason),
    }
}

/// A stream that was open and broke off: the next one is a new session, so that even a refusal may be this one's only
/// (fifteen seconds without audio are a `BadRequestException`).
fn broken<E, R>(error: &SdkError<E, R>) -> ServiceFailure
where
    E: ProvideErrorMetadata + Error + 'static,
    R: Debug,
{
    let code = error.code().unwrap_or_else(|| silence(error));
    ServiceFailure::passing(format!("the speech service broke off: {code}"))
}
