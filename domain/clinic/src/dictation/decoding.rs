//! Feeds the speech engine from the store, where the live recogniser did not hear everything.
//!
//! Each wait has its limit and its reason; what may pass is tried again, and a refusal is not.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;

use seva_fhir::types::TenantId;
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;

use super::service::DictationService;
use super::{Dictation, DictationEvent, DictationMode, Segment, SegmentWord};
use crate::commands;
use crate::failure::ClinicError;
use crate::formulary::{Formulary, Medicine};
use crate::review::LearntName;
use crate::speech::{SpeechEvent, SpeechMode, SpeechRequest, SpeechSession};

/// An engine that neither takes audio nor says anything for so long has failed.
pub(super) const SILENCE: Duration = Duration::from_secs(180);
/// How often committed audio is decoded before the stage has failed, and the wait before another time.
const DECODINGS: u32 = 3;
const AGAIN: Duration = Duration::from_secs(2);

/// Why audio did not become text.
pub(super) struct Unheard {
    /// Whether the same audio may do better another time.
    retryable: bool,
    reason: String,
}

impl Unheard {
    fn passing(reason: &str) -> Self {
        Self { retryable: true, reason: reason.to_owned() }
    }
}

impl DictationService {
    /// Opens a session; where the audio leaves this machine, that is recorded first.
    pub(super) async fn open(&self, tenant: TenantId, dictation: &Dictation) -> Result<SpeechSession, ClinicError> {
        if let Some(place) = self.parts.speech.destination() {
            self.disclose(tenant, dictation, &place).await?;
        }
        let learnt = self.learnt(tenant, dictation).await?;
        let opened = self.parts.speech.open(request(dictation, &learnt)).await;
        opened.map_err(|error| ClinicError::Unavailable(error.to_string()))
    }

    /// Decodes all committed audio; a failure that may pass is borne a few times.
    pub(super) async fn decode(&self, tenant: TenantId, dictation: &Dictation) -> Result<Vec<Segment>, ClinicError> {
        let mut times = 1;
        loop {
            match self.decode_once(tenant, dictation).await? {
                Ok(segments) => return Ok(segments),
                Err(unheard) if unheard.retryable && times < DECODINGS => {
                    tracing::warn!(reason = %unheard.reason, times, "a recording is decoded again");
                    sleep(AGAIN * times).await;
                    times += 1;
                }
                Err(unheard) => return Err(ClinicError::Unavailable(unheard.reason)),
            }
        }
    }

    async fn decode_once(
        &self,
        tenant: TenantId,
        dictation: &Dictation,
    ) -> Result<Result<Vec<Segment>, Unheard>, ClinicError> {
        let total = dictation.saved.milliseconds;
        let session = self.open(tenant, dictation).await?;
        let (id, audio, taken) = (dictation.id, session.audio, Notify::new());
        let feeder = async {
            let mut from = 0;
            loop {
                let page = self.samples(tenant, id, from).await?;
                let Some((last, _)) = page.last() else { break };
                from = last + 1;
                for (_, samples) in page {
                    if audio.send(to_samples(&samples)).await.is_err() {
                        // The engine's last event tells why.
                        return Ok(());
                    }
                    taken.notify_one();
                }
            }
            drop(audio);
            Ok(())
        };
        let tell = |event: DictationEvent| {
            if let DictationEvent::Progress { percent } = event {
                self.progress.lock().unwrap_or_else(PoisonError::into_inner).insert(id, percent);
            }
            self.publish(id, marked(event, dictation.settings.commands));
        };
        let collecting = collect(session.events, tell, Some((total, &taken)));
        tokio::pin!(collecting);
        // The end of the events is the end, whether all audio was taken or not.
        tokio::select! {
            fed = feeder => {
                let fed: Result<(), ClinicError> = fed;
                fed?;
                Ok(collecting.await)
            }
            segments = &mut collecting => Ok(segments),
        }
    }
}

/// The medicines that the recogniser is told to expect: names of the seed formulary that outpatient clinics use daily.
/// A recogniser can read its prompt out, so the list is short, and every drafted medicine is reviewed beside its audio.
pub const COMMON_MEDICINES: &[&str] = &[
    "paracetamol",
    "azithromycin",
    "amoxicillin",
    "cefixime",
    "ibuprofen",
    "cetirizine",
    "montelukast",
    "pantoprazole",
    "ondansetron",
    "metformin",
    "amlodipine",
    "telmisartan",
    "atorvastatin",
    "levothyroxine",
];

/// What the doctor's lexicon has learnt goes before what all clinics prescribe: it is what the engine mishears.
fn request(dictation: &Dictation, learnt: &[LearntName]) -> SpeechRequest {
    let mode = match dictation.settings.mode {
        DictationMode::Ambient => SpeechMode::Conversation,
        DictationMode::Hold | DictationMode::Toggle | DictationMode::Upload => SpeechMode::Dictation,
    };
    let mut prompt_terms: Vec<String> = Vec::new();
    for name in learnt.iter().map(|name| name.meant.as_str()).chain(COMMON_MEDICINES.iter().copied()) {
        if !prompt_terms.iter().any(|known| known == name) {
            prompt_terms.push(name.to_owned());
        }
    }
    let vocabulary = vocabulary(learnt.iter().map(|name| name.meant.as_str()));
    SpeechRequest { language: dictation.settings.language.clone(), prompt_terms, vocabulary, mode }
}

/// The names that may be spoken: those that a doctor's lexicon has learnt, and the formulary's.
pub fn vocabulary<'a>(learnt: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let formulary = Formulary::seed().medicines().iter().flat_map(Medicine::names);
    let names: BTreeSet<String> = learnt.into_iter().map(str::to_owned).chain(formulary.map(str::to_owned)).collect();
    names.into_iter().collect()
}

/// A final segment that is a command says so to those who listen.
pub(super) fn marked(mut event: DictationEvent, takes_commands: bool) -> DictationEvent {
    if let (true, DictationEvent::Final { content, .. }) = (takes_commands, &mut event) {
        content.command = commands::read(&content.text).map(|command| command.kind());
    }
    event
}

pub(super) fn to_samples(bytes: &[u8]) -> Vec<i16> {
    bytes.as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect()
}

/// Gathers the finals; with a total, a silent engine is given up and progress is told.
pub(super) async fn collect(
    mut events: mpsc::Receiver<SpeechEvent>,
    tell: impl Fn(DictationEvent),
    stored: Option<(u64, &Notify)>,
) -> Result<Vec<Segment>, Unheard> {
    let mut segments: Vec<Segment> = Vec::new();
    loop {
        let event = match stored {
            Some((_, taken)) => next(&mut events, taken).await?,
            None => events.recv().await,
        };
        let told = match event {
            None => return Err(Unheard::passing("the speech engine ended early")),
            Some(SpeechEvent::Ended) => return Ok(segments),
            Some(SpeechEvent::Error { message, retryable }) => return Err(Unheard { retryable, reason: message }),
            Some(SpeechEvent::Started | SpeechEvent::NoSpeech) => continue,
            Some(SpeechEvent::Partial { segment, text, .. }) => DictationEvent::Partial { segment, text },
            Some(SpeechEvent::Final { segment, start_ms, end_ms, speaker, words, text }) => {
                let words = words.into_iter().map(Into::into).collect();
                let content = Segment { id: segment, start_ms, end_ms, text, speaker, words, ..Segment::default() };
                segments.push(content.clone());
                if let Some((total, _)) = stored.filter(|(total, _)| *total > 0) {
                    let percent = u8::try_from((end_ms * 100 / total).min(99)).unwrap_or(99);
                    tell(DictationEvent::Progress { percent });
                }
                DictationEvent::Final { segment, content }
            }
            Some(SpeechEvent::Weighed { segment, words }) => {
                let words: Vec<SegmentWord> = words.into_iter().map(Into::into).collect();
                let told = segments.iter_mut().rfind(|known| known.id == segment);
                let Some(told) = told else { continue };
                told.words.clone_from(&words);
                DictationEvent::Weighed { segment, words }
            }
        };
        tell(told);
    }
}

/// The next event; while audio is being taken the engine is at work, however long a silence in it is.
async fn next(events: &mut mpsc::Receiver<SpeechEvent>, taken: &Notify) -> Result<Option<SpeechEvent>, Unheard> {
    loop {
        tokio::select! {
            biased;
            event = events.recv() => return Ok(event),
            () = taken.notified() => {}
            () = sleep(SILENCE) => {
                let reason = format!("the speech engine took no audio and said nothing for {} s", SILENCE.as_secs());
                return Err(Unheard::passing(&reason));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::drafting::tests::dictation;
    use crate::speech::SpeechEngine as _;
    use crate::speech::scripted::ScriptedSpeech;

    #[test]
    fn the_engine_is_told_what_the_doctor_s_lexicon_has_learnt_before_everything_else() {
        let at = seva_fhir::types::Instant::from_micros(0);
        let name = |meant: &str| LearntName { heard: "x".into(), meant: meant.into(), times: 1, updated: at };
        let whole = "No fever. BP. throat infection paracetamol penicillin";
        let asked = request(&dictation(whole), &[name("gliclazide"), name("metformin"), name("gliclazide")]);
        assert!(asked.prompt(60).starts_with("gliclazide, metformin, paracetamol"), "{}", asked.prompt(60));
        assert_eq!(asked.prompt_terms.len(), COMMON_MEDICINES.len() + 1);
    }

    #[tokio::test(start_paused = true)]
    async fn an_engine_at_work_is_waited_for_and_a_dead_one_is_not() {
        let (reports, mut events) = mpsc::channel(4);
        let taken = Notify::new();
        let feeding = async {
            for _ in 0..10 {
                sleep(SILENCE / 2).await;
                taken.notify_one();
            }
            reports.send(SpeechEvent::Ended).await.expect("somebody reads");
        };
        let (waited, ()) = tokio::join!(next(&mut events, &taken), feeding);
        assert!(matches!(waited, Ok(Some(SpeechEvent::Ended))), "a long silence in the audio is no failure");
        let dead = next(&mut events, &taken).await;
        assert!(matches!(dead, Err(unheard) if unheard.retryable && unheard.reason.contains("180 s")));
    }

    #[tokio::test]
    async fn proposed_names_reach_the_segment_that_was_told_without_them() {
        let engine = ScriptedSpeech::new(["Fever.", "Tab met for men daily."]).proposing("met for men", "metformin");
        let SpeechSession { audio, events } = engine.open(SpeechRequest::default()).await.expect("it opens");
        audio.send(vec![900; 1_600]).await.expect("room");
        drop(audio);
        let told = Mutex::new(Vec::new());
        let tell = |event| match event {
            DictationEvent::Final { content, .. } => told.lock().expect("no panic").push(content.words.len()),
            DictationEvent::Weighed { segment: 1, words } => told.lock().expect("no panic").push(words.len()),
            _ => {}
        };
        let segments = collect(events, tell, None).await.ok().expect("it is heard");
        let words: Vec<_> = segments.iter().flat_map(|segment| &segment.words).collect();
        let proposed = words.iter().find(|word| word.text == "met for men").and_then(|word| word.suggested.as_deref());
        assert_eq!(proposed, Some("metformin"));
        assert_eq!(segments.last().map(|segment| segment.text.as_str()), Some("Tab met for men daily."));
        assert_eq!(*told.lock().expect("no panic"), [1, 5, 3], "the text is told before its names");
    }

    #[tokio::test]
    async fn an_error_keeps_whether_it_may_pass() {
        for retryable in [true, false] {
            let (reports, events) = mpsc::channel(4);
            let event = SpeechEvent::Error { retryable, message: "the engine is out".to_owned() };
            reports.send(event).await.expect("room");
            let failed = collect(events, |_| (), None).await.err();
            assert_eq!(failed.map(|unheard| unheard.retryable), Some(retryable));
        }
    }
}
