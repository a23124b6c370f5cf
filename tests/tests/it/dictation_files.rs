//! The decoding of a file as a stage of the work: it is begun anew after an interruption, and a damaged file makes room for
//! another one.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use seva_clinic::dictation::{
    DictationService, DictationState, DictationStore, Frame, OtherNodes, RecordingUploads, Saved,
};
use seva_clinic::failure::ClinicError;
use seva_clinic::speech::audio::{AudioBlock, AudioDecoder, AudioError, AudioSource, wave_header};
use seva_embedded::audio::EmbeddedAudioDecoder;
use uuid::Uuid;

use crate::moody_clinic::{Clinic, limits, works};

type Receive<'r> = &'r mut dyn FnMut(AudioBlock<'_>) -> ControlFlow<()>;

/// Finds three seconds in the first file and then that it is torn; reads the others.
struct Torn(AtomicUsize);

impl AudioDecoder for Torn {
    fn decode(&self, source: Box<dyn AudioSource>, receive: Receive<'_>) -> Result<u64, AudioError> {
        if self.0.fetch_add(1, Ordering::SeqCst) > 0 {
            return EmbeddedAudioDecoder.decode(source, receive);
        }
        for second in 1..=3 {
            let block = AudioBlock { samples: &[9; 16_000], done_ms: second * 1_000, total_ms: Some(9_000) };
            assert!(receive(block).is_continue());
        }
        Err(AudioError::Broken("it is torn".to_owned()))
    }
}

/// Never comes to the end of a file.
struct Endless;

impl AudioDecoder for Endless {
    fn decode(&self, _source: Box<dyn AudioSource>, receive: Receive<'_>) -> Result<u64, AudioError> {
        let block = AudioBlock { samples: &[9; 16_000], done_ms: 1_000, total_ms: None };
        while receive(block).is_continue() {
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(0)
    }
}

/// Two seconds of sound.
fn wave() -> Vec<u8> {
    let mut wave = wave_header(64_000);
    wave.extend((0..32_000_u32).flat_map(|at| ((at % 100 * 40) as i16).to_le_bytes()));
    wave
}

async fn upload(clinic: &Clinic, node: &DictationService, id: Uuid, file: &[u8]) {
    let end = node.upload(&clinic.caller, id, (0, file)).await.unwrap();
    assert_eq!(end, file.len() as u64);
    assert_eq!(node.uploaded(&clinic.caller, id).await.unwrap().state, DictationState::Uploaded);
}

#[tokio::test]
async fn a_damaged_file_leaves_nothing_and_makes_room_for_another_one() {
    let clinic = Clinic::open().await;
    let node = clinic.node_of(|parts| parts.decoder = Arc::new(Torn(AtomicUsize::new(0))));
    node.start_work(OtherNodes::Possible).await.unwrap();
    let id = clinic.begun(&node, "rane", false).await;
    upload(&clinic, &node, id, b"a file that is torn in its middle").await;
    let damaged = clinic.until(id, DictationState::Damaged).await;
    assert!(damaged.result.problem.as_deref().unwrap().contains("it is torn"), "{:?}", damaged.result.problem);
    assert_eq!(damaged.saved, Saved::default(), "what was decoded of it is gone");
    assert!(clinic.store.chunks(clinic.caller.tenant, id, 0, 9).await.unwrap().is_empty());
    assert!(clinic.store.parts(clinic.caller.tenant, id).await.unwrap().is_empty());
    let frame = Frame { sequence: 0, samples: vec![7; 32_000] };
    let frames = node.append_frames(&clinic.caller, id, vec![frame]).await;
    assert!(matches!(frames, Err(ClinicError::Conflict(_))), "it waits for a file");

    upload(&clinic, &node, id, &wave()).await;
    let drafted = clinic.until(id, DictationState::Drafted).await;
    assert_eq!((drafted.saved.milliseconds, drafted.saved.bytes), (2_000, 64_000));
    assert_eq!(drafted.result.problem, None);
    assert!(clinic.store.parts(clinic.caller.tenant, id).await.unwrap().is_empty(), "the file is let go");
    let again = node.forget_upload(&clinic.caller, id).await;
    assert!(matches!(again, Err(ClinicError::Conflict(_))), "nothing is taken away from one that is worked on");
    clinic.close([node]).await;
}

#[tokio::test]
async fn decoding_that_was_interrupted_begins_anew_elsewhere() {
    let clinic = Clinic::open().await;
    let first = clinic.node_of(|parts| parts.decoder = Arc::new(Endless));
    first.start_work(OtherNodes::Possible).await.unwrap();
    let id = clinic.begun(&first, "rane", false).await;
    upload(&clinic, &first, id, &wave()).await;
    for _ in 0..200 {
        if clinic.now(id).await.saved.milliseconds > 2_000 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(clinic.now(id).await.saved.milliseconds > 2_000, "some of it was committed");
    first.shut_down().await;
    assert_eq!(clinic.now(id).await.state, DictationState::Uploaded);

    let second = clinic.node(works(), works(), limits());
    second.start_work(OtherNodes::Possible).await.unwrap();
    let drafted = clinic.until(id, DictationState::Drafted).await;
    assert_eq!((drafted.saved.milliseconds, drafted.saved.sequence), (2_000, Some(1)), "what the first left is gone");
    clinic.close([first, second]).await;
}
