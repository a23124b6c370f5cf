//! Speech that only becomes text: no dictation is made and nothing is stored.

use std::sync::Arc;

use seva_fhir::access::Caller;
use tokio::sync::OwnedSemaphorePermit;

use super::service::{DictationService, may_dictate};
use crate::disclosure::disclose;
use crate::failure::ClinicError;
use crate::speech::{SpeechError, SpeechRequest, SpeechSession};

/// A session, and its place among those that a node listens to at once.
#[derive(Debug)]
pub struct Listening {
    /// The session.
    pub session: SpeechSession,
    /// Free for the next one when it is dropped.
    pub place: OwnedSemaphorePermit,
}

impl DictationService {
    /// Opens the engine for a caller who may dictate; audio that leaves this machine is recorded before it leaves.
    pub async fn listen_only(&self, caller: &Caller, request: SpeechRequest) -> Result<Listening, ClinicError> {
        may_dictate(caller)?;
        let place = Arc::clone(&self.streams).try_acquire_owned();
        let place = place.map_err(|_| ClinicError::Unavailable("all streams are taken".to_owned()))?;
        if let Some(destination) = self.parts.speech.destination() {
            let target = format!("stream to {destination}");
            let recorder = (self.parts.audit.as_ref(), self.parts.clock.as_ref());
            disclose(recorder, caller, target, Vec::new()).await?;
        }
        match self.parts.speech.open(request).await {
            Ok(session) => Ok(Listening { session, place }),
            Err(error @ SpeechError::Language { .. }) => Err(ClinicError::Invalid(error.to_string())),
            Err(error) => Err(ClinicError::Unavailable(error.to_string())),
        }
    }
}
