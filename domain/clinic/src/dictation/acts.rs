//! What the clinician does with a dictation beside speaking: pause, finish, try again; each judged by the one state machine.

use seva_fhir::access::Caller;
use seva_fhir::types::TenantId;
use uuid::Uuid;

use super::service::DictationService;
use super::{Dictation, DictationEvent, DictationState, DictationStoreError, Stage};
use crate::failure::ClinicError;

/// How often a change is tried against changes that come at the same moment, such as a frame that resumes a pause.
const TRIES: u32 = 5;

impl DictationService {
    /// Notes that no audio comes for now. One that has no audio yet stays as it is, and so does a paused one.
    pub async fn pause(&self, caller: &Caller, id: Uuid) -> Result<Dictation, ClinicError> {
        self.change(caller, id, |state| match state {
            DictationState::Created | DictationState::Paused => Ok(None),
            state => judged(state, DictationState::Paused),
        })
        .await
    }

    /// Ends the recording and begins the work on it; asked twice, it is worked on once.
    pub async fn finish(&self, caller: &Caller, id: Uuid) -> Result<Dictation, ClinicError> {
        let finished = self.change(caller, id, |state| match state {
            DictationState::Drafted | DictationState::Reviewed | DictationState::NoSpeech => Ok(None),
            DictationState::Failed => {
                Err(ClinicError::Conflict("a failed dictation is tried again by retry".to_owned()))
            }
            state if state.stage().is_some() => Ok(None),
            state => judged(state, DictationState::Draining),
        });
        let mut finished = finished.await?;
        self.enqueue(caller.tenant, &mut finished).await?;
        Ok(finished)
    }

    /// Notes that a file is whole and begins the work on it; one on which the work goes on stays as it is.
    pub async fn uploaded(&self, caller: &Caller, id: Uuid) -> Result<Dictation, ClinicError> {
        let uploaded = self.change(caller, id, |state| {
            if state.takes_file() { judged(state, DictationState::Uploaded) } else { Ok(None) }
        });
        let mut uploaded = uploaded.await?;
        self.enqueue(caller.tenant, &mut uploaded).await?;
        Ok(uploaded)
    }

    /// Begins the stage that failed again.
    pub async fn retry(&self, caller: &Caller, id: Uuid) -> Result<Dictation, ClinicError> {
        let mut dictation = self.own(caller, id).await?;
        if dictation.state != DictationState::Failed {
            let text = format!("only a failed dictation is tried again: this one is {}", dictation.state);
            return Err(ClinicError::Conflict(text));
        }
        // One that failed before stages were noted begins with its audio.
        dictation.state = dictation.result.failed_stage.take().unwrap_or(Stage::Transcribe).begins_in();
        dictation.result.problem = None;
        self.put(caller.tenant, &mut dictation, DictationState::Failed).await?;
        self.enqueue(caller.tenant, &mut dictation).await?;
        Ok(dictation)
    }

    async fn enqueue(&self, tenant: TenantId, dictation: &mut Dictation) -> Result<(), ClinicError> {
        if dictation.state.stage().is_some() {
            self.wake_workers().await;
            dictation.place = Some(self.parts.store.place(tenant, dictation.id).await?);
        }
        Ok(())
    }

    /// Changes the state as the decision says, which is asked again when the state changed meanwhile.
    async fn change(
        &self,
        caller: &Caller,
        id: Uuid,
        decide: impl Fn(DictationState) -> Result<Option<DictationState>, ClinicError>,
    ) -> Result<Dictation, ClinicError> {
        for _ in 0..TRIES {
            let mut dictation = self.own(caller, id).await?;
            let before = dictation.state;
            let Some(next) = decide(before)? else { return Ok(dictation) };
            dictation.state = next;
            // What was wrong with an earlier file is not wrong with this one.
            dictation.result.problem = None;
            match self.put(caller.tenant, &mut dictation, before).await {
                Err(DictationStoreError::State) => {}
                Err(error) => return Err(error.into()),
                Ok(()) => return Ok(dictation),
            }
        }
        Err(ClinicError::Conflict("the dictation changes all the time: ask again".to_owned()))
    }

    pub(super) async fn put(
        &self,
        tenant: TenantId,
        dictation: &mut Dictation,
        before: DictationState,
    ) -> Result<(), DictationStoreError> {
        let now = self.parts.clock.now().to_milliseconds();
        (dictation.updated, dictation.since) = (now, now);
        self.parts.store.update(tenant, dictation, before).await?;
        self.tell(dictation.id, DictationEvent::State { state: dictation.state });
        Ok(())
    }
}

/// A transition that the machine permits, or a refusal in its words.
fn judged(state: DictationState, next: DictationState) -> Result<Option<DictationState>, ClinicError> {
    if state.may_become(next) {
        return Ok(Some(next));
    }
    Err(ClinicError::Conflict(format!("the dictation is {state}, and can't become {next}")))
}
