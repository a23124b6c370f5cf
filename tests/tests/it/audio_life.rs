//! Recorded audio after its last frame: moved into the blob store as it was, read by ranges from wherever it lies, and
//! ended with its consent or its time.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use seva_clinic::dictation::{
    AudioPlace, BlobStore, Dictation, DictationLimits, DictationMode, DictationRequest, DictationService,
    DictationState, DictationStore, Frame, OtherNodes, RecordingKeys,
};
use seva_clinic::failure::ClinicError;
use sha2::{Digest, Sha256};
use sqlx::Connection as _;
use uuid::Uuid;

use crate::dictation::begin;
use crate::moody_clinic::{Clinic, limits, works};

/// Frames of unequal sizes, some 3.4 MB: more than three pieces of a blob, and many pages of rows.
fn frames() -> Vec<Frame> {
    let frame = |sequence: u32| {
        let size = 32_000 - 2 * ((sequence as usize * 977) % 15_000);
        let samples = (0..size).map(|index| (index as u32 ^ sequence.wrapping_mul(31)).to_le_bytes()[0]).collect();
        Frame { sequence, samples }
    };
    (0..200).map(frame).collect()
}

fn samples(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(|frame| frame.samples.iter().copied()).collect()
}

impl Clinic {
    async fn spoken(&self, node: &DictationService, frames: &[Frame]) -> Uuid {
        let request = DictationRequest {
            patient: "Patient/rane".parse().unwrap(),
            encounter: "Encounter/visit-rane".parse().unwrap(),
            consent: "Consent/consent-rane".parse().unwrap(),
            language: "en".to_owned(),
            mode: DictationMode::Toggle,
            commands: false,
        };
        let id = node.create(&self.caller, request).await.unwrap().id;
        for batch in frames.chunks(16) {
            node.append_frames(&self.caller, id, batch.to_vec()).await.unwrap();
        }
        id
    }

    async fn heard(&self, node: &DictationService, id: Uuid, from: u64) -> Vec<u8> {
        let mut file = node.recording(&self.caller, id).await.unwrap();
        let (mut bytes, mut at) = (Vec::new(), from);
        while at < file.size() {
            let piece = file.read(at).await.unwrap();
            at += piece.len() as u64;
            bytes.extend(piece);
        }
        bytes
    }

    async fn audio_is(&self, id: Uuid, wanted: AudioPlace) -> Dictation {
        for _ in 0..300 {
            let found = self.now(id).await;
            if found.audio == wanted {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the audio is not {wanted:?}");
    }

    /// The Consent of the demo patient, changed.
    async fn consent(&self, change: impl FnOnce(&mut Value)) {
        let doctor = &self.server.doctor;
        let mut consent = doctor.get("/fhir/Consent/consent-rane").await.unwrap().json;
        change(&mut consent);
        let headers = [("content-type", "application/fhir+json")];
        let body = Some(consent.to_string().into());
        let put = doctor.send(Method::PUT, "/fhir/Consent/consent-rane", &headers, body).await.unwrap();
        assert!(put.status < 300, "{}", put.json);
    }

    async fn nothing_is_left(&self, id: Uuid) {
        self.audio_is(id, AudioPlace::Shredded).await;
        assert!(self.store.chunks(self.caller.tenant, id, 0, 9).await.unwrap().is_empty());
        let key = RecordingKeys::find(self.store.as_ref(), self.caller.tenant, id).await.unwrap();
        assert!(key.is_none(), "the key is gone");
        assert!(self.blobs.get(self.caller.tenant, id, None).await.unwrap().is_none(), "and the blob");
    }
}

#[tokio::test]
async fn finished_audio_moves_into_the_blob_store_and_sounds_the_same() {
    let clinic = Clinic::open().await;
    let node = clinic.node(works(), works(), limits());
    let frames = frames();
    let id = clinic.spoken(&node, &frames).await;
    let before = clinic.heard(&node, id, 0).await;
    let spoken = samples(&frames);
    assert!(before[44..] == spoken[..], "from rows");
    let mut reader = node.recording(&clinic.caller, id).await.unwrap();

    node.finish(&clinic.caller, id).await.unwrap();
    node.start_work(OtherNodes::Possible).await.unwrap();
    clinic.audio_is(id, AudioPlace::Blob).await;
    assert!(clinic.store.chunks(clinic.caller.tenant, id, 0, 9).await.unwrap().is_empty(), "the rows are gone");
    let sealed = clinic.blobs.get(clinic.caller.tenant, id, None).await.unwrap().unwrap().bytes;
    assert!(!sealed.windows(64).any(|window| window == &spoken[..64]), "it lies sealed");
    let after = clinic.heard(&node, id, 0).await;
    assert_eq!(Sha256::digest(&after), Sha256::digest(&before), "from the blob");
    // One that was opened before goes on where the audio lies now, from any byte on.
    for from in [44, 45, 1_048_619, 1_048_620, 1_048_621, 2_500_000, spoken.len() as u64 + 43] {
        let rest = reader.read(from).await.unwrap();
        assert!(!rest.is_empty() && before[usize::try_from(from).unwrap()..].starts_with(&rest), "from {from}");
    }
    drop(reader);
    clinic.close([node]).await;
}

#[tokio::test]
async fn audio_moves_again_when_the_blob_store_was_away_and_loses_nothing() {
    let clinic = Clinic::open().await;
    let node = clinic.node(works(), works(), limits());
    let frames = frames();
    let id = clinic.spoken(&node, &frames).await;
    node.finish(&clinic.caller, id).await.unwrap();
    // A file stands where the folder of the hospital's blobs should be.
    let folder = clinic.server.data().join("blobs").join(clinic.caller.tenant.get().to_string());
    std::fs::write(&folder, b"in the way").unwrap();
    node.start_work(OtherNodes::Possible).await.unwrap();
    clinic.until(id, DictationState::Drafted).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(clinic.now(id).await.audio, AudioPlace::Rows);
    assert!(clinic.heard(&node, id, 44).await == samples(&frames), "it is heard from its rows");
    std::fs::remove_file(&folder).unwrap();
    // The lease of the failed attempt, ended for the test's patience.
    clinic.store.release().await.unwrap();
    clinic.audio_is(id, AudioPlace::Blob).await;
    assert!(clinic.heard(&node, id, 44).await == samples(&frames));
    clinic.close([node]).await;
}

#[tokio::test]
async fn audio_that_is_not_whole_in_its_rows_takes_no_blob_s_place() {
    let clinic = Clinic::open().await;
    let node = clinic.node(works(), works(), limits());
    let id = clinic.spoken(&node, &frames()[..20]).await;
    node.finish(&clinic.caller, id).await.unwrap();
    // As a late worker finds it whose successor has moved the audio: the whole is in the blob, rows are gone.
    let whole = b"the whole".to_vec();
    clinic.blobs.put(clinic.caller.tenant, id, "application/octet-stream", whole.clone()).await.unwrap();
    let url = clinic.server.running.private_database().unwrap();
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    let remove =
        sqlx::query("DELETE FROM audio_chunk WHERE dictation = $1::uuid AND sequence > 9").bind(id.to_string());
    remove.execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    node.start_work(OtherNodes::Possible).await.unwrap();
    clinic.until(id, DictationState::Drafted).await;
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(clinic.now(id).await.audio, AudioPlace::Rows);
    let kept = clinic.blobs.get(clinic.caller.tenant, id, None).await.unwrap().unwrap();
    assert!(kept.bytes == whole, "what lies there is not overwritten by a part");
    clinic.close([node]).await;
}

#[tokio::test]
async fn a_withdrawn_consent_ends_the_recording_and_its_audio() {
    let clinic = Clinic::open().await;
    let node = clinic.node(works(), works(), limits());
    node.start_work(OtherNodes::Possible).await.unwrap();
    let frames = frames();
    let id = clinic.spoken(&node, &frames[..20]).await;
    // Another version that still permits changes nothing.
    clinic.consent(|consent| consent["dateTime"] = json!("2026-01-02")).await;
    tokio::time::sleep(Duration::from_secs(7)).await;
    node.append_frames(&clinic.caller, id, frames[20..30].to_vec()).await.unwrap();

    clinic.consent(|consent| consent["status"] = json!("inactive")).await;
    let ended = clinic.until(id, DictationState::Withdrawn).await;
    assert_eq!(ended.result.problem.as_deref(), Some("the consent is not active"));
    let late = node.append_frames(&clinic.caller, id, frames[30..40].to_vec()).await;
    assert!(matches!(late, Err(ClinicError::Conflict(_))), "no more is recorded");
    assert!(matches!(node.recording(&clinic.caller, id).await.err(), Some(ClinicError::Gone(_))));
    clinic.nothing_is_left(id).await;
    let answer = clinic.server.doctor.get(&format!("/v1/dictations/{id}/audio")).await.unwrap();
    assert_eq!(answer.status, 410, "{}", answer.json);
    let shown = clinic.server.doctor.get(&format!("/v1/dictations/{id}")).await.unwrap().json;
    assert_eq!((shown["audio"].as_str(), shown["state"].as_str()), (Some("shredded"), Some("withdrawn")));
    clinic.close([node]).await;
}

#[tokio::test]
async fn what_was_drafted_stays_when_the_consent_is_denied_later_and_its_audio_does_not() {
    let clinic = Clinic::open().await;
    let node = clinic.node(works(), works(), limits());
    node.start_work(OtherNodes::Possible).await.unwrap();
    let id = clinic.spoken(&node, &frames()[..3]).await;
    node.finish(&clinic.caller, id).await.unwrap();
    clinic.audio_is(id, AudioPlace::Blob).await;
    clinic.consent(|consent| consent["provision"] = json!({"type": "deny"})).await;
    clinic.nothing_is_left(id).await;
    let drafted = clinic.now(id).await;
    assert_eq!(drafted.state, DictationState::Drafted);
    let composition = drafted.result.composition.unwrap();
    assert_eq!(clinic.server.doctor.get(&format!("/fhir/{composition}")).await.unwrap().status, 200);
    clinic.close([node]).await;
}

#[tokio::test]
async fn audio_in_which_nobody_spoke_ends_when_its_time_is_over() {
    let clinic = Clinic::open().await;
    let limits = DictationLimits { keep_audio: Some(Duration::from_secs(1)), ..limits() };
    let node = clinic.node(works(), works(), limits);
    node.start_work(OtherNodes::Possible).await.unwrap();
    let drafted = clinic.spoken(&node, &frames()[..3]).await;
    node.finish(&clinic.caller, drafted).await.unwrap();
    clinic.audio_is(drafted, AudioPlace::Blob).await;
    let silent = clinic.spoken(&node, &[]).await;
    node.finish(&clinic.caller, silent).await.unwrap();
    clinic.until(silent, DictationState::NoSpeech).await;
    clinic.nothing_is_left(silent).await;
    // What waits for its review is kept.
    assert_eq!(clinic.now(drafted).await.audio, AudioPlace::Blob);
    clinic.close([node]).await;
}

#[tokio::test]
async fn a_consent_that_says_nothing_permits_no_recording() {
    let clinic = Clinic::open().await;
    clinic.consent(|consent| consent["provision"] = json!({"period": {"start": "2020-01-01"}})).await;
    let doctor = &clinic.server.doctor;
    let new = json!({"patient": "Patient/rane", "encounter": "Encounter/visit-rane", "consent": "Consent/consent-rane",
        "language": "en", "mode": "hold"});
    let refused = doctor.post("/v1/dictations", &new).await.unwrap();
    assert_eq!(refused.status, 422, "{}", refused.json);
    assert!(refused.json["detail"].as_str().unwrap().contains("does not say"), "{}", refused.json);
    begin(doctor, "dhillon", "hold").await;
    clinic.close([]).await;
}
