//! Live recognition beyond the places for it: a recording that found none is heard from its beginning once another one ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use seva_clinic::dictation::{DictationEvent, DictationState, Frame, OtherNodes};
use seva_clinic::speech::{SpeechEngine, SpeechError, SpeechEvent, SpeechHealth, SpeechRequest, SpeechSession};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::moody_clinic::Clinic;

/// Says how many samples it has heard, and counts its sessions.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicUsize>);

#[async_trait]
impl SpeechEngine for Counting {
    fn name(&self) -> &str {
        "counting"
    }

    fn version(&self) -> String {
        "1".to_owned()
    }

    async fn health(&self) -> SpeechHealth {
        SpeechHealth::Ready { waiting: 0 }
    }

    async fn open(&self, _request: SpeechRequest) -> Result<SpeechSession, SpeechError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let (audio, mut blocks) = mpsc::channel::<Vec<i16>>(2);
        let (reports, events) = mpsc::channel(64);
        tokio::spawn(async move {
            let mut heard = 0;
            while let Some(block) = blocks.recv().await {
                heard += block.len();
                let text = format!("{heard} samples");
                let _ = reports.send(SpeechEvent::Partial { segment: 0, text, words: Vec::new() }).await;
            }
            let text = format!("Fever for three days, {heard} samples.");
            let end_ms = heard as u64 / 16;
            let last = SpeechEvent::Final { segment: 0, start_ms: 0, end_ms, speaker: None, words: Vec::new(), text };
            let _ = reports.send(last).await;
            let _ = reports.send(SpeechEvent::Ended).await;
        });
        Ok(SpeechSession { audio, events })
    }
}

fn frame(sequence: u32) -> Vec<Frame> {
    vec![Frame { sequence, samples: vec![7; 32_000] }]
}

#[tokio::test]
async fn who_found_no_place_is_heard_from_the_beginning_when_there_is_one() {
    let clinic = Clinic::open().await;
    let engine = Counting::default();
    let node = clinic.node_of(|parts| {
        parts.speech = Arc::new(engine.clone());
        parts.limits.sessions = 1;
    });
    node.start_work(OtherNodes::Possible).await.unwrap();
    let first = clinic.begun(&node, "rane", false).await;
    let late = clinic.begun(&node, "dhillon", false).await;
    let mut events = node.listen(&clinic.caller, late).await.unwrap();
    node.append_frames(&clinic.caller, first, frame(0)).await.unwrap();
    for sequence in 0..20 {
        node.append_frames(&clinic.caller, late, frame(sequence)).await.unwrap();
    }
    assert_eq!(engine.0.load(Ordering::SeqCst), 1, "there is one place");
    node.finish(&clinic.caller, first).await.unwrap();
    clinic.until(first, DictationState::Drafted).await;

    // More comes while it hears what was before.
    for sequence in 20..23 {
        node.append_frames(&clinic.caller, late, frame(sequence)).await.unwrap();
    }
    let mut warned = false;
    let mut until = async |count: usize| {
        let all = format!("{} samples", count * 16_000);
        loop {
            match timeout(Duration::from_secs(20), events.recv()).await.expect("it is heard").unwrap() {
                DictationEvent::Warning { text } => warned |= text.contains("comes when one ends"),
                DictationEvent::Partial { text, .. } if text == all => break,
                _ => {}
            }
        }
    };
    until(23).await;
    node.append_frames(&clinic.caller, late, frame(23)).await.unwrap();
    until(24).await;
    assert!(warned, "the user was told that the text comes later");
    // Whoever catches up has noticed by then that nothing is left.
    tokio::time::sleep(Duration::from_millis(200)).await;
    node.finish(&clinic.caller, late).await.unwrap();
    let drafted = clinic.until(late, DictationState::Drafted).await;
    let text = &drafted.result.segments[0].text;
    assert!(text.contains(&format!("{} samples", 24 * 16_000)), "each sample once: {text}");
    assert_eq!(engine.0.load(Ordering::SeqCst), 2, "nothing was decoded a second time");
    clinic.close([node]).await;
}
