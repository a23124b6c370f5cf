//! The workers of a node: each takes the dictation that has waited longest, keeps its lease, and carries it from stage to
//! stage; what a stage came to is committed before the next one begins (decision D14).

use std::sync::PoisonError;
use std::time::Duration;

use seva_fhir::types::TenantId;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::archive::CARE;
use super::service::DictationService;
use super::{Attempt, Claim, Dictation, DictationEvent, DictationState, DictationStoreError, LEASE, Stage};
use crate::failure::ClinicError;

/// How often a worker looks for work that nobody told it of, and states are ended that last too long.
const LOOK: Duration = Duration::from_secs(1);
/// Who is told of a new place in the queue: those that wait longest.
const TOLD: u32 = 500;
/// How often what a stage came to is written while the database is away, once a second.
const WRITES: u32 = 10;

/// Whether other nodes may work on the same database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherNodes {
    /// The database is this node's own.
    None,
    /// It is shared, or may be.
    Possible,
}

impl DictationService {
    /// Starts the workers; they go on with what was unfinished when a program ended. Call it once at the start.
    pub async fn start_work(&self, others: OtherNodes) -> Result<(), ClinicError> {
        if others == OtherNodes::None {
            self.parts.store.release().await?;
        }
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..self.parts.limits.workers {
            tasks.spawn(self.clone().work());
        }
        tasks.spawn(self.clone().watch_over());
        tasks.spawn(self.clone().look_after());
        Ok(())
    }

    /// Stops the work; what is unfinished is given back and goes on elsewhere, or at the next start.
    pub async fn shut_down(&self) {
        self.closing.send_replace(true);
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        while tasks.join_next().await.is_some() {}
    }

    async fn work(self) {
        while !self.is_closing() {
            match self.parts.store.claim().await {
                Ok(Some((tenant, dictation, claim))) => {
                    self.publish(dictation.id, DictationEvent::Queue { place: 0 });
                    self.tell_places().await;
                    self.carry(tenant, dictation, claim).await;
                }
                Ok(None) => match self.move_audio().await {
                    Ok(true) => {}
                    Ok(false) => self.rest().await,
                    Err(error) => {
                        tracing::warn!(%error, "finished audio was not moved");
                        self.rest().await;
                    }
                },
                Err(error) => {
                    tracing::warn!(%error, "no dictation could be taken");
                    self.rest().await;
                }
            }
        }
    }

    /// Until there may be work.
    async fn rest(&self) {
        tokio::select! {
            () = sleep(LOOK) => {}
            () = self.work.notified() => {}
            () = self.closed() => {}
        }
    }

    fn is_closing(&self) -> bool {
        *self.closing.borrow()
    }

    pub(super) async fn closed(&self) {
        // The sender is this service's own: it can't be gone.
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }

    /// Ends states that last too long.
    async fn watch_over(self) {
        while !self.is_closing() {
            for expiry in self.parts.limits.expiries() {
                match self.parts.store.expire(&expiry).await {
                    Ok(ended) => self.tell_ended(&ended, expiry.to).await,
                    Err(error) => tracing::warn!(%error, "states that last too long were not ended"),
                }
            }
            if let Err(error) = self.parts.uploads.remove_left(self.parts.limits.finish).await {
                tracing::warn!(%error, "files of abandoned dictations were not removed");
            }
            self.let_idle_go();
            tokio::select! {
                () = sleep(LOOK) => {}
                () = self.closed() => {}
            }
        }
    }

    /// Looks after kept audio.
    async fn look_after(self) {
        let mut place = None;
        while !self.is_closing() {
            match self.care(place).await {
                Ok(next) => place = next,
                Err(error) => tracing::warn!(%error, "kept audio was not looked after"),
            }
            tokio::select! {
                () = sleep(CARE) => {}
                () = self.closed() => {}
            }
        }
    }

    async fn tell_ended(&self, ended: &[(TenantId, Uuid)], state: DictationState) {
        for (_, id) in ended {
            tracing::info!(dictation = %id, %state, "a state of a dictation lasted too long");
            self.tell(*id, DictationEvent::State { state });
        }
        if state.stage().is_some() && !ended.is_empty() {
            self.wake_workers().await;
        }
    }

    /// There is a new dictation to work on.
    pub(super) async fn wake_workers(&self) {
        self.work.notify_one();
        self.tell_places().await;
    }

    /// Tells those who wait where they stand now.
    pub(super) async fn tell_places(&self) {
        match self.parts.store.waiting(TOLD).await {
            Ok(waiting) => {
                for (place, (_, id)) in (1..).zip(waiting) {
                    self.tell(id, DictationEvent::Queue { place });
                }
            }
            Err(error) => tracing::warn!(%error, "the places in the queue were not told"),
        }
    }

    /// Keeps the lease while the work goes on; ends when somebody else has the dictation.
    pub(super) async fn hold(&self, tenant: TenantId, id: Uuid, claim: Claim) {
        loop {
            sleep(LEASE / 3).await;
            match self.parts.store.renew(tenant, id, claim).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => tracing::warn!(%error, "a lease was not renewed"),
            }
        }
    }

    async fn carry(&self, tenant: TenantId, dictation: Dictation, claim: Claim) {
        let id = dictation.id;
        tokio::select! {
            () = self.stages(tenant, dictation, claim) => {}
            () = self.hold(tenant, id, claim) => {}
            () = self.closed() => self.give_back(tenant, id, claim, Attempt::DoesNot).await,
        }
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    async fn give_back(&self, tenant: TenantId, id: Uuid, claim: Claim, attempt: Attempt) {
        if let Err(error) = self.parts.store.give_back(tenant, id, claim, attempt).await {
            tracing::warn!(%error, "a dictation was not given back: it is taken again when its lease is over");
        }
    }

    async fn stages(&self, tenant: TenantId, mut dictation: Dictation, mut claim: Claim) {
        let id = dictation.id;
        while let Some(stage) = dictation.state.stage() {
            let from = dictation.state;
            let Some(after) = self.after(stage, tenant, &dictation, claim).await else {
                return self.give_back(tenant, id, claim, Attempt::Counts).await;
            };
            dictation = after;
            dictation.updated = self.parts.clock.now().to_milliseconds();
            if !self.write(tenant, &dictation, (from, claim)).await {
                return;
            }
            claim.attempts = 1;
            self.publish(id, DictationEvent::State { state: dictation.state });
        }
        self.close(&dictation);
    }

    /// The dictation after a stage; nothing when the stage took too long and is to be begun again.
    async fn after(&self, stage: Stage, tenant: TenantId, before: &Dictation, claim: Claim) -> Option<Dictation> {
        let limits = &self.parts.limits;
        let mut after = before.clone();
        if claim.attempts > limits.attempts {
            let problem = format!("the {stage} was begun {} times and never came to its end", limits.attempts);
            return Some(failed(before, stage, problem));
        }
        match timeout(limits.stage, self.carry_out(stage, tenant, &mut after, claim)).await {
            Ok(Ok(state)) => {
                after.state = state;
                if state.stage().is_none() && state != DictationState::Damaged {
                    after.result.progress = 100;
                }
                Some(after)
            }
            Ok(Err(error)) => Some(failed(before, stage, error.to_string())),
            Err(_) if claim.attempts >= limits.attempts => {
                let seconds = limits.stage.as_secs();
                let problem = format!("the {stage} took longer than {seconds} seconds, {} times", claim.attempts);
                Some(failed(before, stage, problem))
            }
            Err(_) => None,
        }
    }

    /// Commits what a stage came to; false when the work is somebody else's by now, or the database stays away.
    async fn write(&self, tenant: TenantId, dictation: &Dictation, under: (DictationState, Claim)) -> bool {
        for _ in 0..WRITES {
            match self.parts.store.advance(tenant, dictation, under).await {
                Ok(()) => return true,
                Err(DictationStoreError::Unavailable(error)) => {
                    tracing::warn!(%error, "what a stage came to was not written");
                    sleep(LOOK).await;
                }
                // Withdrawn, or the lease went to another worker: what was done here counts for nothing.
                Err(_) => return false,
            }
        }
        false
    }

    /// Tells the listeners of a dictation how it ended.
    fn close(&self, dictation: &Dictation) {
        match (dictation.state, &dictation.result.composition) {
            (DictationState::Drafted, Some(composition)) => {
                self.publish(dictation.id, DictationEvent::Draft { composition: composition.clone() });
            }
            (DictationState::NoSpeech, _) => self.publish(dictation.id, DictationEvent::NoSpeech),
            _ => {}
        }
        let reason = dictation.result.problem.clone().unwrap_or_else(|| dictation.state.to_string());
        self.publish(dictation.id, DictationEvent::Closing { reason });
        self.forget(dictation.id);
    }
}

/// A dictation whose stage did not come to its end; what earlier stages came to is kept.
fn failed(before: &Dictation, stage: Stage, problem: String) -> Dictation {
    let mut failed = before.clone();
    failed.state = DictationState::Failed;
    failed.result.problem = Some(problem);
    failed.result.failed_stage = Some(stage);
    failed
}
