//! What every speech engine promises, whichever it is.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::speech::segments::text_of;
use crate::speech::{SpeechEngine, SpeechEvent, SpeechHealth, SpeechRequest, Word};

const BLOCK: usize = 1600;
const TIMEOUT: Duration = Duration::from_secs(120);
/// How soon a session that nobody reads lets its audio go; a decoding under way ends first.
const CANCEL: Duration = Duration::from_secs(30);

/// Whether an engine tells how sure it is of a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// It does, of each.
    Told,
    /// It doesn't; then there is none, and no invented one.
    Absent,
}

/// What can happen to a service that an engine asks; the test's stand-in makes it happen.
pub trait SpeechTrouble: Sync {
    /// The service breaks off once, in the middle of what is said next.
    fn break_once(&self);
    /// The service takes its time from now on.
    fn slow_down(&self);
    /// The service refuses everything from now on.
    fn refuse(&self);
}

/// An engine under contract, and 16 kHz English speech that it can recognise.
#[derive(Clone, Copy)]
pub struct SpeechContract<'a> {
    /// The engine, ready.
    pub engine: &'a dyn SpeechEngine,
    /// The speech.
    pub speech: &'a [i16],
    /// Whether it tells how sure it is.
    pub confidence: Confidence,
    /// What can happen to its service, where it asks one.
    pub trouble: Option<&'a dyn SpeechTrouble>,
}

/// Checks an engine against the port's promises.
pub async fn speech_engine_contract(contract: SpeechContract<'_>) {
    let SpeechContract { engine, speech, confidence, trouble } = contract;
    assert!(!engine.name().is_empty(), "an engine has a name");
    assert!(!engine.version().is_empty(), "an engine has a version");
    let health = engine.health().await;
    assert!(matches!(health, SpeechHealth::Ready { .. }), "the engine under contract is ready: {health:?}");
    assert_eq!(engine.destination().is_some(), trouble.is_some(), "an engine that asks a service says which");
    let events = listen(engine, speech).await;
    check_frame(&events);
    check_finals(&events);
    check_proposals(&events);
    for (_, _, words) in finals(&events) {
        let told = words.iter().all(|word| word.confidence.is_some() == (confidence == Confidence::Told));
        assert!(told, "a confidence is the engine's or absent");
    }
    for (what, audio) in [("silence", vec![0; 32_000]), ("noise", noise(48_000)), ("nothing", Vec::new())] {
        let heard = listen(engine, &audio).await;
        check_frame(&heard);
        assert!(heard.contains(&SpeechEvent::NoSpeech), "{what} is reported as no speech: {heard:?}");
        assert!(finals(&heard).next().is_none(), "{what} has no words");
    }
    check_cancel(engine, speech).await;
    if let Some(trouble) = trouble {
        check_trouble(engine, speech, (trouble, texts(&events))).await;
    }
}

/// A service that breaks off or is slow costs time and no word; one that refuses is an error and no silence.
async fn check_trouble(
    engine: &dyn SpeechEngine,
    speech: &[i16],
    (trouble, undisturbed): (&dyn SpeechTrouble, Vec<String>),
) {
    trouble.break_once();
    let events = listen(engine, speech).await;
    check_frame(&events);
    check_finals(&events);
    assert!(texts(&events) == undisturbed, "words are neither lost nor heard twice when a service breaks off");
    trouble.slow_down();
    let events = listen(engine, speech).await;
    check_frame(&events);
    assert!(texts(&events) == undisturbed, "a slow service loses no words");
    trouble.refuse();
    let request = SpeechRequest { language: "en-IN".into(), ..SpeechRequest::default() };
    let Ok(session) = engine.open(request).await else { return };
    let events = converse(session.audio, session.events, speech).await;
    check_frame(&events);
    let failed = events.iter().any(|event| matches!(event, SpeechEvent::Error { retryable: false, .. }));
    assert!(failed, "a refusal is told, and that it stays one: {events:?}");
    assert!(!events.contains(&SpeechEvent::NoSpeech), "a failure is no silence");
}

async fn check_cancel(engine: &dyn SpeechEngine, speech: &[i16]) {
    let request = SpeechRequest { language: "en-IN".into(), ..SpeechRequest::default() };
    let session = engine.open(request).await.expect("a ready engine opens");
    let first = speech.get(..BLOCK * 4).unwrap_or(speech);
    session.audio.send(first.to_vec()).await.expect("an open session takes audio");
    drop(session.events);
    timeout(CANCEL, session.audio.closed()).await.expect("a session that nobody reads ends");
}

/// A quiet room: the same noise each time.
fn noise(samples: usize) -> Vec<i16> {
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        i16::try_from(state >> 26).unwrap_or(0) - 32
    };
    (0..samples).map(|_| next()).collect()
}

/// Sends the audio in blocks and collects all events of the session.
pub async fn listen(engine: &dyn SpeechEngine, audio: &[i16]) -> Vec<SpeechEvent> {
    let request = SpeechRequest { language: "en-IN".into(), ..SpeechRequest::default() };
    listen_with(engine, request, audio).await
}

/// The same with a request of one's own.
pub async fn listen_with(engine: &dyn SpeechEngine, request: SpeechRequest, audio: &[i16]) -> Vec<SpeechEvent> {
    let session = engine.open(request).await.expect("a ready engine opens");
    converse(session.audio, session.events, audio).await
}

async fn converse(
    sender: mpsc::Sender<Vec<i16>>,
    mut receiver: mpsc::Receiver<SpeechEvent>,
    audio: &[i16],
) -> Vec<SpeechEvent> {
    let blocks: Vec<Vec<i16>> = audio.chunks(BLOCK).map(<[i16]>::to_vec).collect();
    let sending = async move {
        for block in blocks {
            if sender.send(block).await.is_err() {
                return;
            }
        }
    };
    let receiving = async {
        let mut events = Vec::new();
        while let Some(event) = receiver.recv().await {
            events.push(event);
        }
        events
    };
    let both = async { tokio::join!(sending, receiving) };
    let ((), events) = timeout(TIMEOUT, both).await.expect("a session ends after its audio has ended");
    events
}

fn check_frame(events: &[SpeechEvent]) {
    assert_eq!(events.first(), Some(&SpeechEvent::Started), "Started is first");
    assert_eq!(events.last(), Some(&SpeechEvent::Ended), "Ended is last");
    let ends = events.iter().filter(|event| **event == SpeechEvent::Ended);
    assert_eq!(ends.count(), 1, "a session ends once");
    let mut closed = 0;
    for event in events {
        match event {
            SpeechEvent::Final { segment, .. } => closed = segment + 1,
            SpeechEvent::Partial { segment, .. } => assert!(*segment >= closed, "no partial follows its final"),
            _ => {}
        }
    }
}

fn check_finals(events: &[SpeechEvent]) {
    assert!(!events.contains(&SpeechEvent::NoSpeech), "there was speech");
    let (mut next, mut clock) = (0, 0);
    for (segment, (start, end), words) in finals(events) {
        assert!(segment >= next, "segments are final once and in order");
        assert!(start >= clock && end >= start, "segments do not overlap");
        check_words(words, start, end);
        (next, clock) = (segment + 1, end);
    }
    assert!(next > 0, "speech gives a final segment");
}

/// A proposal comes after its segment's final and before the end, once, and changes nothing of the text.
fn check_proposals(events: &[SpeechEvent]) {
    let mut weighed = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let SpeechEvent::Weighed { segment, words } = event else { continue };
        assert!(!weighed.contains(segment), "the names of a segment are proposed at once");
        weighed.push(*segment);
        let told = finals(events.get(..at).unwrap_or_default()).find(|(known, ..)| known == segment);
        let (_, (start, end), before) = told.expect("a segment is told before its names are proposed");
        check_words(words, start, end);
        assert!(words.iter().any(|word| word.suggested.is_some()), "something is proposed");
        assert!(text_of(words) == text_of(before), "a name stands beside the text, never in it");
    }
}

fn check_words(words: &[Word], start: u64, end: u64) {
    assert!(!words.is_empty(), "a final has words");
    let mut clock = start;
    for word in words {
        assert!(!word.text.trim().is_empty(), "a word has text");
        assert!(
            word.start_ms >= clock && word.end_ms >= word.start_ms && word.end_ms <= end,
            "words follow each other inside their segment"
        );
        let confidence = word.confidence.unwrap_or(0.5);
        assert!((0.0..=1.0).contains(&confidence), "a confidence is a probability");
        clock = word.start_ms;
    }
}

fn finals(events: &[SpeechEvent]) -> impl Iterator<Item = (u32, (u64, u64), &[Word])> {
    events.iter().filter_map(|event| match event {
        SpeechEvent::Final { segment, start_ms, end_ms, words, .. } => {
            Some((*segment, (*start_ms, *end_ms), words.as_slice()))
        }
        _ => None,
    })
}

fn texts(events: &[SpeechEvent]) -> Vec<String> {
    let words = finals(events).flat_map(|(_, _, words)| words.iter().map(|word| word.text.clone()));
    words.collect()
}
