//! Files of many parts: piece by piece, after cuts, and the same audio in the end as at once.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use seva_tests::client::{Answer, Client};
use seva_tests::project;
use seva_tests::server::TestServer;

use super::dictation::begin;

async fn send(doctor: &Client, id: &str, range: &str, bytes: &[u8]) -> Answer {
    let headers = [("content-type", "audio/flac"), ("content-range", range)];
    let place = format!("/v1/dictations/{id}/recording");
    doctor.send(Method::PUT, &place, &headers, Some(bytes.to_vec())).await.unwrap()
}

/// The dictation when its file was decoded, or was found to be damaged.
async fn decoded(doctor: &Client, id: &str) -> Value {
    for _ in 0..600 {
        let found = doctor.get(&format!("/v1/dictations/{id}")).await.unwrap().json;
        if found["state"] != "uploaded" {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the file was not decoded");
}

async fn audio(doctor: &Client, id: &str) -> Vec<u8> {
    doctor.get(&format!("/v1/dictations/{id}/audio")).await.unwrap().bytes.to_vec()
}

#[tokio::test]
async fn a_file_in_pieces_with_cuts_is_the_same_audio_as_at_once() {
    let server = TestServer::start_with(|set| set.dictation.workers = 1).await.unwrap();
    let doctor = &server.doctor;
    let file = std::fs::read(project().join("web/static/demo/dictation.flac")).unwrap();
    let size = file.len();
    let whole = begin(doctor, "rane", "upload").await["id"].as_str().unwrap().to_owned();
    let headers = [("content-type", "audio/flac")];
    let place = format!("/v1/dictations/{whole}/recording");
    let at_once = doctor.send(Method::PUT, &place, &headers, Some(file.clone())).await.unwrap();
    assert_eq!((at_once.status, at_once.json["state"].as_str()), (202, Some("uploaded")), "{}", at_once.json);
    assert_eq!(decoded(doctor, &whole).await["uploadedBytes"], 0, "the file is let go");

    let id = begin(doctor, "dhillon", "upload").await["id"].as_str().unwrap().to_owned();
    let third = size / 3;
    let first = send(doctor, &id, &format!("bytes 0-{}/{size}", third - 1), &file[..third]).await;
    assert_eq!((first.status, first.json["state"].as_str()), (202, Some("created")), "{}", first.json);
    assert_eq!(first.json["uploadedBytes"], third);
    let gap = send(doctor, &id, &format!("bytes {}-{}/{size}", 2 * third, size - 1), &file[2 * third..]).await;
    assert_eq!((gap.status, gap.header("content-type")), (409, "application/problem+json"), "{}", gap.json);
    let asked = send(doctor, &id, &format!("bytes */{size}"), b"").await;
    assert_eq!((asked.status, asked.json["uploadedBytes"].as_u64()), (202, Some(third as u64)));
    // The client did not see the answer, and sends some of it again.
    let again = send(doctor, &id, &format!("bytes 100-{}/{size}", 2 * third - 1), &file[100..2 * third]).await;
    assert_eq!(again.json["uploadedBytes"], 2 * third, "{}", again.json);
    for wrong in ["bytes 9-3/10", "bytes 0-10/10", "0-5/10", "bytes x-5/10"] {
        assert_eq!(send(doctor, &id, wrong, b"").await.status, 400, "{wrong}");
    }
    let last = send(doctor, &id, &format!("bytes {}-{}/{size}", 2 * third, size - 1), &file[2 * third..]).await;
    assert_eq!((last.status, last.json["state"].as_str()), (202, Some("uploaded")), "{}", last.json);
    let done = decoded(doctor, &id).await;
    assert_eq!(done["savedMilliseconds"], decoded(doctor, &whole).await["savedMilliseconds"]);
    assert!(audio(doctor, &id).await == audio(doctor, &whole).await, "the same samples");
    // The client did not see the last answer: it learns how it stands, and nothing is stored a second time.
    for (range, bytes) in [(format!("bytes */{size}"), &b""[..]), (format!("bytes 0-9/{size}"), &file[..10])] {
        let twice = send(doctor, &id, &range, bytes).await;
        assert_eq!((twice.status, twice.json["uploadedBytes"].as_u64()), (202, Some(0)), "{}", twice.json);
        assert_ne!(twice.json["state"], "created", "{}", twice.json);
    }

    let live = begin(doctor, "gawande", "toggle").await["id"].as_str().unwrap().to_owned();
    assert_eq!(send(doctor, &live, &format!("bytes 0-9/{size}"), &file[..10]).await.status, 409, "it is no upload");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_long_file_is_decoded_from_its_parts_in_the_place_of_one_that_is_none() {
    let server = TestServer::start_with(|set| set.dictation.workers = 1).await.unwrap();
    let doctor = &server.doctor;
    let id = begin(doctor, "rane", "upload").await["id"].as_str().unwrap().to_owned();
    let refused = send(doctor, &id, "bytes 0-19/20", b"this is not any audio").await;
    assert_eq!(refused.status, 400, "longer than it says: {}", refused.json);
    let taken = send(doctor, &id, "bytes 0-20/21", b"this is not any audio").await;
    assert_eq!((taken.status, taken.json["uploadedBytes"].as_u64()), (202, Some(21)), "{}", taken.json);
    let found = decoded(doctor, &id).await;
    assert_eq!((found["uploadedBytes"].as_u64(), found["state"].as_str()), (Some(0), Some("damaged")), "{found}");
    assert!(found["problem"].as_str().unwrap().contains("is not WAV"), "{found}");

    // Ten minutes of a quiet tone as WAV: nineteen parts.
    let seconds = 10 * 60;
    let tone: Vec<u8> = (0..16_000_u32).flat_map(|at| ((at % 100) as i16).to_le_bytes()).collect();
    let mut wave = seva_clinic::speech::audio::wave_header(seconds * 32_000);
    (0..seconds).for_each(|_| wave.extend_from_slice(&tone));
    let size = wave.len();
    let taken = send(doctor, &id, &format!("bytes 0-{}/{size}", size - 1), &wave).await;
    assert_eq!((taken.status, taken.json["state"].as_str()), (202, Some("uploaded")), "{}", taken.json);
    let done = decoded(doctor, &id).await;
    assert_eq!(done["savedMilliseconds"].as_u64(), Some(600_000), "{done}");
    assert!(!done["problem"].to_string().contains("is not WAV"), "{done}");
    assert!(audio(doctor, &id).await == wave, "the same samples");
    server.stop().await.unwrap();
}
