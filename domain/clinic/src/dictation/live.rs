//! Live recognisers, which hear a recording while it goes on. There are so many places; who comes when all are taken gets one
//! when another recording ends, and hears from the store what was recorded before.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use seva_fhir::types::TenantId;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;

use super::decoding::{SILENCE, Unheard, collect, marked, to_samples};
use super::service::{DictationService, Frame};
use super::{Dictation, DictationEvent, Segment};

/// A live recogniser that hears nothing for so long is let go; the text then comes from the store.
const IDLE: Duration = Duration::from_secs(600);

/// An open recognition of a dictation that is being recorded.
pub struct Live {
    audio: mpsc::Sender<Vec<i16>>,
    /// The next frame that it takes.
    next: u32,
    /// While it hears what was recorded before: which frame comes after all that is committed, as far as it was told.
    behind: Option<u32>,
    fed: Instant,
    task: JoinHandle<Result<Vec<Segment>, Unheard>>,
}

impl Drop for Live {
    fn drop(&mut self) {
        // Withdrawn or overrun: nobody wants the text any more.
        self.task.abort();
    }
}

/// Who is heard live, and who would be if there were a place.
#[derive(Default)]
pub struct Recognisers {
    open: HashMap<Uuid, Live>,
    /// Since when they were last heard of.
    waiting: HashMap<Uuid, Instant>,
}

/// What is to be done with frames.
enum Place {
    /// There is none.
    Taken(usize),
    /// A recogniser is to be opened, which hears the store first when frames went before.
    Free { late: bool },
    /// It has one, or lost it.
    Known,
}

impl DictationService {
    fn recognisers(&self) -> MutexGuard<'_, Recognisers> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives committed frames to the live recogniser; if that falls behind, the store is decoded at the end instead.
    pub(super) async fn feed(&self, tenant: TenantId, dictation: &Dictation, frames: Vec<Frame>) {
        let Some((first, last)) = frames.first().zip(frames.last()).map(|(one, other)| (one.sequence, other.sequence))
        else {
            return;
        };
        match self.place_for(dictation.id, first) {
            Place::Known => {}
            Place::Taken(taken) => {
                if first == 0 {
                    let text =
                        format!("{taken} recordings are being transcribed: the text of this one comes when one ends");
                    self.publish(dictation.id, DictationEvent::Warning { text });
                }
                return;
            }
            Place::Free { late } => {
                let Ok(session) = self.open(tenant, dictation).await else { return };
                let publish = self.publisher(dictation.id);
                let takes_commands = dictation.settings.commands;
                let tell = move |event| drop(publish.send(marked(event, takes_commands)));
                let task = tokio::spawn(async move { collect(session.events, tell, None).await });
                let audio = session.audio.clone();
                let behind = late.then_some(last + 1);
                let live = Live { audio: session.audio, next: 0, behind, fed: Instant::now(), task };
                self.recognisers().open.insert(dictation.id, live);
                if late {
                    let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
                    // Those that came to their end.
                    while tasks.try_join_next().is_some() {}
                    tasks.spawn(self.clone().catch_up(tenant, dictation.id, audio));
                    return;
                }
            }
        }
        self.give(dictation.id, frames);
    }

    fn place_for(&self, id: Uuid, first: u32) -> Place {
        let mut recognisers = self.recognisers();
        if recognisers.open.contains_key(&id) {
            return Place::Known;
        }
        let waits = recognisers.waiting.contains_key(&id);
        if first != 0 && !waits {
            return Place::Known;
        }
        let taken = recognisers.open.len();
        if taken >= self.parts.limits.sessions {
            recognisers.waiting.insert(id, Instant::now());
            return Place::Taken(taken);
        }
        recognisers.waiting.remove(&id);
        Place::Free { late: first != 0 }
    }

    fn give(&self, id: Uuid, frames: Vec<Frame>) {
        let mut recognisers = self.recognisers();
        let Some(live) = recognisers.open.get_mut(&id) else { return };
        live.fed = Instant::now();
        if let (Some(behind), Some(last)) = (live.behind, frames.last()) {
            // They are committed: whoever catches up reads them from the store.
            live.behind = Some(behind.max(last.sequence + 1));
            return;
        }
        for frame in frames {
            // A frame that was sent again is known already.
            if frame.sequence < live.next {
                continue;
            }
            if frame.sequence > live.next || live.audio.try_send(to_samples(&frame.samples)).is_err() {
                recognisers.open.remove(&id);
                return;
            }
            live.next += 1;
        }
    }

    /// Lets a recogniser that came late hear what was recorded before, as fast as it takes it.
    async fn catch_up(self, tenant: TenantId, id: Uuid, audio: mpsc::Sender<Vec<i16>>) {
        let caught = tokio::select! {
            caught = self.replay(tenant, id, &audio) => caught,
            () = self.closed() => false,
        };
        if !caught {
            self.recognisers().open.remove(&id);
        }
    }

    /// False when the recogniser took no more, or the audio could not be read.
    async fn replay(&self, tenant: TenantId, id: Uuid, audio: &mpsc::Sender<Vec<i16>>) -> bool {
        let mut from = 0;
        while self.is_behind(id, from) {
            let Ok(page) = self.samples(tenant, id, from).await else { return false };
            for (sequence, samples) in page {
                if audio.send(to_samples(&samples)).await.is_err() {
                    return false;
                }
                from = sequence + 1;
            }
        }
        true
    }

    /// Whether frames before this one are not all that is committed; where they are, the recogniser goes on live.
    fn is_behind(&self, id: Uuid, from: u32) -> bool {
        let mut recognisers = self.recognisers();
        let Some(live) = recognisers.open.get_mut(&id) else { return false };
        live.fed = Instant::now();
        let is_behind = live.behind.is_some_and(|committed| committed > from);
        if !is_behind {
            (live.behind, live.next) = (None, from);
        }
        is_behind
    }

    /// Lets recognisers go whose recording was left.
    pub(super) fn let_idle_go(&self) {
        let mut recognisers = self.recognisers();
        recognisers.open.retain(|_, live| live.fed.elapsed() < IDLE);
        recognisers.waiting.retain(|_, heard| heard.elapsed() < IDLE);
    }

    /// Lets go of a recording's recogniser, and of its wait for one.
    pub(super) fn let_go(&self, id: Uuid) -> Option<Live> {
        let mut recognisers = self.recognisers();
        recognisers.waiting.remove(&id);
        recognisers.open.remove(&id)
    }

    /// Ends the live recognition and returns its segments if it heard every committed frame.
    pub(super) async fn live_segments(&self, id: Uuid, frames: u32) -> Option<Vec<Segment>> {
        let mut live = self.let_go(id)?;
        if live.next != frames || live.behind.is_some() {
            return None;
        }
        // Putting an unconnected channel in its place drops the sender, which ends the audio.
        live.audio = mpsc::channel(1).0;
        timeout(SILENCE, &mut live.task).await.ok()?.ok()?.ok()
    }
}
