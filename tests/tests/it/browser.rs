//! The pages in a real browser: Debian's chromium, driven by playwright-core; its microphone plays the demo dictation.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use seva_tests::project;
use seva_tests::server::{TestServer, data_folder};

use crate::dictation::samples_of;

/// Longer than the demo dictation.
const WHOLE: usize = 60;

/// Runs a script with the server's address; its last line is what it saw.
async fn drive(script: &str, base: &str, microphone: Option<&Path>, more: &[&str]) -> Value {
    let mut command = tokio::process::Command::new("node");
    command.arg(project().join("tests/browser").join(script)).arg(base).args(microphone).args(more).kill_on_drop(true);
    let output = command.output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

/// The demo dictation as the WAV file that chromium takes for a microphone, whole or its beginning.
fn microphone(folder: &Path, seconds: usize) -> PathBuf {
    let mut samples = samples_of("web/static/demo/dictation.flac");
    samples.truncate(seconds * 32_000);
    let size = u32::try_from(samples.len()).unwrap();
    let mut wave = b"RIFF".to_vec();
    wave.extend((36 + size).to_le_bytes());
    wave.extend(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
    wave.extend(16_000_u32.to_le_bytes());
    wave.extend(32_000_u32.to_le_bytes());
    wave.extend(b"\x02\0\x10\0data");
    wave.extend(size.to_le_bytes());
    wave.extend(samples);
    let place = folder.join("microphone.wav");
    std::fs::write(&place, wave).unwrap();
    place
}

#[tokio::test]
async fn a_doctor_logs_in_dictates_reviews_signs_and_prints() {
    let server = TestServer::start().await.unwrap();
    let seen = drive("consultation.js", &server.base, None, &[]).await;
    let expected = json!({"before": "/log-in", "status": 200, "patients": 7, "faults": [], "httpOnly": true,
        "transcript": true, "temperature": true, "paracetamol": true, "medicines": 2, "pdf": "application/pdf", "hindi": true});
    assert_eq!(seen, expected);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_dictation_by_microphone_becomes_a_signed_prescription() {
    let (server, folder) = (TestServer::start().await.unwrap(), data_folder().unwrap());
    let seen = drive("microphone.js", &server.base, Some(&microphone(folder.path(), WHOLE)), &[]).await;
    let expected = json!({"faults": [], "ready": "ready", "paused": "paused", "level": true, "live": true, "left": 0, "typed": "half a wo",
        "temperature": true, "paracetamol": true, "azithromycin": true, "medicines": 2, "pdf": "application/pdf"});
    assert_eq!(seen, expected);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_microphone_s_bar_fits_a_telephone_in_every_state() {
    let server = TestServer::start().await.unwrap();
    let seen = drive("narrow.js", &server.base, None, &[]).await;
    assert_eq!(seen, json!({"several": true, "faults": []}));
    server.stop().await.unwrap();
}

/// How long the recording is: a minute, or ten with `SEVA_LONG` set (`make soak`).
fn recorded_seconds() -> usize {
    let long = std::env::var_os("SEVA_LONG").is_some();
    if long { 600 } else { 40 }
}

#[tokio::test]
async fn two_cuts_and_a_reload_lose_no_audio_and_end_in_a_signed_note() {
    let (server, folder) = (TestServer::start().await.unwrap(), data_folder().unwrap());
    let seconds = recorded_seconds();
    let seen =
        drive("durability.js", &server.base, Some(&microphone(folder.path(), WHOLE)), &[&seconds.to_string()]).await;
    for fact in ["offline", "gapless", "wentOn"] {
        assert_eq!(seen[fact], true, "{fact}: {seen}");
    }
    assert_eq!(seen["given"], seen["kept"], "{seen}");
    assert_eq!(seen["kept"], seen["served"], "{seen}");
    assert!(seen["milliseconds"].as_f64().unwrap() >= seconds as f64 * 1000.0, "{seen}");
    let signed = server.doctor.get("/fhir/MedicationRequest?patient=dhillon&status=active&intent=order").await.unwrap();
    assert_eq!(signed.matches().len() as u64, seen["medicines"].as_u64().unwrap(), "{}", signed.json);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_recording_from_a_file_is_taken_with_and_without_script() {
    let (server, folder) = (TestServer::start().await.unwrap(), data_folder().unwrap());
    let seen = drive("upload.js", &server.base, Some(&microphone(folder.path(), 12)), &[]).await;
    let expected = json!({
        "refused": "This file can’t be read. Send another one. the audio is not WAV, FLAC, Ogg Vorbis, MP3 or M4A",
        "damaged": 1, "network": [], "pieces": ["bytes 0", "bytes 262144"], "cut": true, "faults": [], "heard": true,
        "draft": true, "left": 0, "broken": 303, "words": true, "taken": 303, "saved": true});
    assert_eq!(seen, expected);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_scripts_frame_resample_and_measure_as_the_protocol_says() {
    let seen = drive("modules.js", "", None, &[]).await;
    // The check value of CRC-32 (IEEE 802.3) is that of the digits 1 to 9.
    let expected = json!({"crc": 0xCBF4_3926_u32, "frame": [0, 0, 1, 2, 182, 204, 66, 146, 1, 2], "tones": true,
        "folded": true, "pcm": [0, 32767, -32767, 32767, -32767], "levels": ["low", "good", "loud"]});
    assert_eq!(seen, expected);
}
