//! What every speech engine promises, whichever it is.

use crate::speech::{SpeechEngine, SpeechEvent, SpeechHealth, SpeechRequest, Word};

const BLOCK: usize = 1600;
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(120);

/// Checks an engine that is ready against the port's promises, with 16 kHz English speech that it can recognise.
pub async fn speech_engine_contract(engine: &dyn SpeechEngine, speech: &[i16]) {
    assert!(!engine.name().is_empty(), "an engine has a name");
    assert!(!engine.version().is_empty(), "an engine has a version");
    let health = engine.health().await;
    assert!(matches!(health, SpeechHealth::Ready { .. }), "the engine under contract is ready");
    let events = listen(engine, speech).await;
    check_frame(&events);
    check_finals(&events);
    let silence = listen(engine, &vec![0; 32_000]).await;
    check_frame(&silence);
    assert!(silence.contains(&SpeechEvent::NoSpeech), "silence is reported as no speech");
    assert!(finals(&silence).next().is_none(), "silence has no words");
}

/// Sends the audio in blocks and collects all events of the session.
pub async fn listen(engine: &dyn SpeechEngine, audio: &[i16]) -> Vec<SpeechEvent> {
    let request = SpeechRequest { language: "en-IN".into(), ..SpeechRequest::default() };
    listen_with(engine, request, audio).await
}

/// The same with a request of one's own.
pub async fn listen_with(engine: &dyn SpeechEngine, request: SpeechRequest, audio: &[i16]) -> Vec<SpeechEvent> {
    let session = engine.open(request).await.expect("a ready engine opens");
    let (sender, mut receiver) = (session.audio, session.events);
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
    let ((), events) = tokio::time::timeout(TIMEOUT, both).await.expect("a session ends after its audio has ended");
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
