//! Dictations: made, filled by the socket or by a whole file, finished, listened to.

mod frames;
mod recording;
pub(crate) mod socket;

use std::sync::Arc;

use poem::{Body, Request};
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::{Binary, Json};
use poem_openapi::{ApiResponse, Enum, Object, OpenApi};
use serde_json::Value;
use seva_clinic::dictation::{Dictation, DictationMode, DictationRequest, DictationView};
use seva_fhir::access::{AuditAction, AuditRecord, Caller};
use seva_fhir::types::ResourceKey;
use uuid::Uuid;

use super::Services;
use crate::failure::Failure;

/// How the microphone is worked.
#[derive(Clone, Copy, Enum)]
#[oai(rename_all = "lowercase")]
enum Mode {
    /// While a key is held.
    Hold,
    /// Between two presses.
    Toggle,
    /// During the whole consultation.
    Ambient,
    /// A recorded file.
    Upload,
}

impl From<Mode> for DictationMode {
    fn from(mode: Mode) -> Self {
        match mode {
            Mode::Hold => Self::Hold,
            Mode::Toggle => Self::Toggle,
            Mode::Ambient => Self::Ambient,
            Mode::Upload => Self::Upload,
        }
    }
}

/// What a dictation is made of.
#[derive(Object)]
struct NewDictation {
    /// `Patient/x`.
    patient: String,
    /// `Encounter/y`.
    encounter: String,
    /// `Consent/z`.
    consent: String,
    /// The spoken language as a BCP 47 tag.
    language: String,
    /// How the microphone is worked.
    mode: Mode,
    /// Whether final segments are read as commands; not where it is absent.
    commands: Option<bool>,
}

/// A one-use ticket for the socket.
#[derive(Object)]
struct SocketTicket {
    /// The ticket.
    ticket: String,
    /// When it ends.
    expires: String,
    /// The socket's address, with the ticket.
    url: String,
}

#[derive(ApiResponse)]
enum CreatedDictation {
    /// The dictation takes audio.
    #[oai(status = 201)]
    Created(Json<Value>),
}

#[derive(ApiResponse)]
enum AcceptedDictation {
    /// The work goes on.
    #[oai(status = 202)]
    Accepted(Json<Value>),
}

#[derive(ApiResponse)]
enum CreatedTicket {
    /// The ticket works once.
    #[oai(status = 201)]
    Created(Json<SocketTicket>),
}

#[derive(ApiResponse)]
enum Withdrawn {
    /// The audio is gone.
    #[oai(status = 204)]
    Done,
}

/// The handlers.
pub struct DictationApi {
    pub(crate) services: Arc<Services>,
}

#[OpenApi]
impl DictationApi {
    /// Makes a dictation.
    #[oai(path = "/v1/dictations", method = "post", operation_id = "createDictation")]
    async fn create_dictation(&self, request: &Request, body: Json<NewDictation>) -> poem::Result<CreatedDictation> {
        let caller = self.services.authenticator.caller(request).await?;
        let Json(new) = body;
        let asked = DictationRequest {
            patient: key(&new.patient, "patient")?,
            encounter: key(&new.encounter, "encounter")?,
            consent: key(&new.consent, "consent")?,
            language: new.language,
            mode: new.mode.into(),
            commands: new.commands.unwrap_or(false),
        };
        let made = self.services.dictations.create(&caller, asked).await.map_err(Failure::from)?;
        self.audit(&caller, made.id).await?;
        Ok(CreatedDictation::Created(Json(view(&made)?)))
    }

    /// Reads a dictation.
    #[oai(path = "/v1/dictations/:id", method = "get", operation_id = "readDictation")]
    async fn read_dictation(&self, request: &Request, id: Path<Uuid>) -> poem::Result<Json<Value>> {
        let caller = self.services.authenticator.caller(request).await?;
        let dictation = self.services.dictations.find(&caller, id.0).await.map_err(Failure::from)?;
        Ok(Json(view(&dictation)?))
    }

    /// Lists the dictations of an encounter.
    #[oai(path = "/v1/encounters/:encounter/dictations", method = "get", operation_id = "listDictations")]
    async fn list_dictations(&self, request: &Request, encounter: Path<String>) -> poem::Result<Json<Value>> {
        let caller = self.services.authenticator.caller(request).await?;
        let encounter = super::encounter(&encounter)?;
        let found = self.services.dictations.by_encounter(&caller, &encounter).await.map_err(Failure::from)?;
        let list = found.iter().map(view).collect::<Result<Vec<_>, _>>()?;
        Ok(Json(serde_json::json!({ "dictations": list })))
    }

    /// Makes a one-use ticket for the socket.
    #[oai(path = "/v1/dictations/:id/tickets", method = "post", operation_id = "createTicket")]
    async fn create_ticket(&self, request: &Request, id: Path<Uuid>) -> poem::Result<CreatedTicket> {
        let caller = self.services.authenticator.caller(request).await?;
        self.services.dictations.own(&caller, id.0).await.map_err(Failure::from)?;
        let session = self.services.authenticator.session_of(request.header("authorization")).await?;
        let (ticket, expires) = self.services.authenticator.ticket(&session, id.0).await?;
        let base = self.services.url.replacen("http", "ws", 1);
        let url = format!("{base}/v1/dictations/{}/socket?ticket={ticket}", id.0);
        Ok(CreatedTicket::Created(Json(SocketTicket { ticket, expires: expires.to_string(), url })))
    }

    /// Takes frames as the socket does, for networks that let no socket through.
    #[oai(path = "/v1/dictations/:id/frames", method = "put", operation_id = "putFrames")]
    async fn put_frames(
        &self,
        request: &Request,
        id: Path<Uuid>,
        body: Binary<Body>,
    ) -> poem::Result<Json<frames::KeptFrames>> {
        let caller = self.services.authenticator.caller(request).await?;
        Ok(Json(frames::take(&self.services, &caller, id.0, body.0).await?))
    }

    /// Takes a recording, or the next piece of one; when it is whole, a worker decodes it, and the work goes on as after finish.
    #[oai(path = "/v1/dictations/:id/recording", method = "put", operation_id = "uploadRecording")]
    async fn upload_recording(
        &self,
        request: &Request,
        id: Path<Uuid>,
        body: Binary<Body>,
    ) -> poem::Result<AcceptedDictation> {
        let caller = self.services.authenticator.caller(request).await?;
        let piece = recording::Piece::read(request.header("content-range"))?;
        if !recording::keep(&self.services, &caller, id.0, (piece, body.0)).await? {
            let dictation = self.services.dictations.find(&caller, id.0).await.map_err(Failure::from)?;
            return Ok(AcceptedDictation::Accepted(Json(view(&dictation)?)));
        }
        let uploaded = self.services.dictations.uploaded(&caller, id.0).await.map_err(Failure::from)?;
        Ok(AcceptedDictation::Accepted(Json(view(&uploaded)?)))
    }

    /// Says that the audio is complete.
    #[oai(path = "/v1/dictations/:id/finish", method = "post", operation_id = "finishDictation")]
    async fn finish_dictation(&self, request: &Request, id: Path<Uuid>) -> poem::Result<AcceptedDictation> {
        let caller = self.services.authenticator.caller(request).await?;
        self.finished(&caller, id.0).await
    }

    /// Notes that no audio comes for now.
    #[oai(path = "/v1/dictations/:id/pause", method = "post", operation_id = "pauseDictation")]
    async fn pause_dictation(&self, request: &Request, id: Path<Uuid>) -> poem::Result<Json<Value>> {
        let caller = self.services.authenticator.caller(request).await?;
        let paused = self.services.dictations.pause(&caller, id.0).await.map_err(Failure::from)?;
        Ok(Json(view(&paused)?))
    }

    /// Begins the stage that failed again.
    #[oai(path = "/v1/dictations/:id/retry", method = "post", operation_id = "retryDictation")]
    async fn retry_dictation(&self, request: &Request, id: Path<Uuid>) -> poem::Result<AcceptedDictation> {
        let caller = self.services.authenticator.caller(request).await?;
        let begun = self.services.dictations.retry(&caller, id.0).await.map_err(Failure::from)?;
        self.audit(&caller, id.0).await?;
        Ok(AcceptedDictation::Accepted(Json(view(&begun)?)))
    }

    /// Reads the audio, or some milliseconds of it, as a WAV file.
    #[oai(path = "/v1/dictations/:id/audio", method = "get", operation_id = "readAudio")]
    async fn read_audio(
        &self,
        request: &Request,
        id: Path<Uuid>,
        #[oai(name = "startMs")] start: Query<Option<u64>>,
        #[oai(name = "endMs")] end: Query<Option<u64>>,
    ) -> poem::Result<recording::Audio> {
        let caller = self.services.authenticator.caller(request).await?;
        let mut file = self.services.dictations.recording(&caller, id.0).await.map_err(Failure::from)?;
        if start.0.is_some() || end.0.is_some() {
            file = file.clip(start.0.unwrap_or(0)..end.0.unwrap_or(u64::MAX)).map_err(Failure::from)?;
        }
        self.audit(&caller, id.0).await?;
        Ok(recording::audio(file, request.header("range"))?)
    }

    /// Withdraws: the audio's key is shredded.
    #[oai(path = "/v1/dictations/:id", method = "delete", operation_id = "withdrawDictation")]
    async fn withdraw_dictation(&self, request: &Request, id: Path<Uuid>) -> poem::Result<Withdrawn> {
        let caller = self.services.authenticator.caller(request).await?;
        self.services.dictations.withdraw(&caller, id.0).await.map_err(Failure::from)?;
        self.audit(&caller, id.0).await?;
        Ok(Withdrawn::Done)
    }
}

impl DictationApi {
    async fn finished(&self, caller: &Caller, id: Uuid) -> poem::Result<AcceptedDictation> {
        let dictation = self.services.dictations.finish(caller, id).await.map_err(Failure::from)?;
        Ok(AcceptedDictation::Accepted(Json(view(&dictation)?)))
    }

    async fn audit(&self, caller: &Caller, id: Uuid) -> Result<(), Failure> {
        let parts = &self.services.authenticator.parts;
        let record = AuditRecord::of(caller, AuditAction::Dictation, format!("dictation/{id}"), parts.clock.now());
        parts.audit.record_now(record).await.map_err(Failure::from)
    }
}

fn key(text: &str, member: &str) -> Result<ResourceKey, Failure> {
    text.parse().map_err(|error| Failure::BadRequest(format!("{member}: {error}")))
}

fn view(dictation: &Dictation) -> Result<Value, Failure> {
    serde_json::to_value(DictationView::of(dictation)).map_err(|error| Failure::Internal(error.to_string()))
}
