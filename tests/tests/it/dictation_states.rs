//! The states of a dictation as its client sees them: each transition, each that is refused, each that comes by itself.

use std::time::Duration;

use futures_util::SinkExt;
use reqwest::Method;
use serde_json::{Value, json};
use seva_server::configuration::Configuration;
use seva_tests::client::{Answer, Client};
use seva_tests::server::TestServer;
use tokio_tungstenite::tungstenite::Message;

use super::dictation::{Socket, acknowledged, begin, body, next, open_socket};

/// The samples are no speech: no engine is asked, and transcription fails.
fn no_engine(set: &mut Configuration) {
    set.speech.model = Some("absent.bin".to_owned());
}

async fn post(doctor: &Client, id: &str, act: &str) -> Answer {
    doctor.post(&format!("/v1/dictations/{id}/{act}"), &json!({})).await.unwrap()
}

async fn state(doctor: &Client, id: &str) -> String {
    let found = doctor.get(&format!("/v1/dictations/{id}")).await.unwrap();
    found.json["state"].as_str().unwrap().to_owned()
}

async fn until(doctor: &Client, id: &str, wanted: &str) -> Value {
    for _ in 0..150 {
        let found = doctor.get(&format!("/v1/dictations/{id}")).await.unwrap().json;
        if found["state"] == wanted {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("it did not become {wanted}: it is {}", state(doctor, id).await);
}

async fn until_event(socket: &mut Socket, kind: &str, member: &str, value: Value) {
    loop {
        let event = next(socket).await;
        if event["type"] == kind && event[member] == value {
            return;
        }
    }
}

async fn put(doctor: &Client, id: &str, sequence: u32) -> u16 {
    let second = vec![7; 32_000];
    let headers = [("content-type", "application/octet-stream")];
    let frames = body(&[(sequence, &second)]);
    doctor.send(Method::PUT, &format!("/v1/dictations/{id}/frames"), &headers, Some(frames)).await.unwrap().status
}

#[tokio::test]
async fn the_states_follow_each_other_on_socket_and_requests() {
    let server = TestServer::start_with(no_engine).await.unwrap();
    let doctor = &server.doctor;
    let made = begin(doctor, "rane", "toggle").await;
    let id = made["id"].as_str().unwrap();
    assert_eq!((made["state"].as_str(), &made["place"]), (Some("created"), &Value::Null));
    let (mut socket, ready) = open_socket(doctor, &server.base, id).await;
    assert_eq!(ready["state"], "created");
    assert_eq!(post(doctor, id, "pause").await.json["state"], "created", "there is nothing to pause yet");
    assert_eq!(post(doctor, id, "retry").await.status, 409, "it has not failed");

    let second = vec![7; 32_000];
    assert_eq!(acknowledged(&mut socket, 0, &second).await["type"], "ack");
    until_event(&mut socket, "state", "state", json!("live")).await;
    socket.send(Message::text("{\"type\":\"pause\"}")).await.unwrap();
    until_event(&mut socket, "state", "state", json!("paused")).await;
    assert_eq!(post(doctor, id, "pause").await.json["state"], "paused", "pausing twice is pausing");
    assert_eq!(put(doctor, id, 1).await, 200);
    until_event(&mut socket, "state", "state", json!("live")).await;
    assert_eq!(post(doctor, id, "pause").await.json["state"], "paused");
    let finished = post(doctor, id, "finish").await;
    assert_eq!((finished.status, finished.json["state"].as_str()), (202, Some("draining")), "{}", finished.json);
    assert!(finished.json["place"].is_u64(), "{}", finished.json);
    until_event(&mut socket, "state", "state", json!("draining")).await;
    until_event(&mut socket, "queue", "place", json!(0)).await;
    until_event(&mut socket, "state", "state", json!("failed")).await;
    let failed = until(doctor, id, "failed").await;
    assert_eq!(failed["failedStage"], "transcribe");
    assert!(failed["problem"].as_str().unwrap().contains("absent.bin"), "the cause: {failed}");

    for act in ["pause", "finish"] {
        let refused = post(doctor, id, act).await;
        let kind = refused.header("content-type").to_owned();
        assert_eq!((refused.status, kind.as_str()), (409, "application/problem+json"), "{act}: {}", refused.json);
    }
    assert_eq!(put(doctor, id, 2).await, 409, "it takes no more audio");
    let withdrawn = doctor.send(Method::DELETE, &format!("/v1/dictations/{id}"), &[], None).await.unwrap();
    assert_eq!(withdrawn.status, 204, "{}", withdrawn.json);
    assert_eq!(state(doctor, id).await, "withdrawn");
    for act in ["pause", "finish", "retry"] {
        assert_eq!(post(doctor, id, act).await.status, 409, "{act} of what was withdrawn");
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_retry_that_is_sent_twice_begins_the_stage_once() {
    let server = TestServer::start_with(|set| {
        no_engine(set);
        set.dictation.workers = 1;
    })
    .await
    .unwrap();
    let doctor = &server.doctor;
    let id = begin(doctor, "rane", "toggle").await["id"].as_str().unwrap().to_owned();
    assert_eq!(put(doctor, &id, 0).await, 200);
    assert_eq!(post(doctor, &id, "finish").await.status, 202);
    until(doctor, &id, "failed").await;
    let headers = [("idempotency-key", "again"), ("content-type", "application/json")];
    let retry = async || {
        let place = format!("/v1/dictations/{id}/retry");
        doctor.send(Method::POST, &place, &headers, Some(b"{}".to_vec())).await.unwrap()
    };
    let first = retry().await;
    assert_eq!((first.status, first.json["state"].as_str()), (202, Some("draining")), "{}", first.json);
    assert_eq!((&first.json["problem"], &first.json["failedStage"]), (&Value::Null, &Value::Null));
    let second = retry().await;
    assert_eq!((second.status, second.header("idempotency-replayed")), (202, "true"));
    assert_eq!(second.json, first.json);
    until(doctor, &id, "failed").await;
    server.stop().await.unwrap();
}

#[tokio::test]
async fn states_that_last_too_long_end_by_themselves() {
    let server = TestServer::start_with(|set| {
        no_engine(set);
        set.dictation.abandon_seconds = 1;
        set.dictation.pause_seconds = 1;
        set.dictation.finish_seconds = 1;
    })
    .await
    .unwrap();
    let doctor = &server.doctor;
    let id = begin(doctor, "rane", "toggle").await["id"].as_str().unwrap().to_owned();
    until(doctor, &id, "abandoned").await;
    assert_eq!(post(doctor, &id, "finish").await.status, 409, "nothing was said");
    let (mut socket, ready) = open_socket(doctor, &server.base, &id).await;
    assert_eq!(ready["state"], "abandoned");
    // What a device kept while it was away still comes in.
    assert_eq!(acknowledged(&mut socket, 0, &[7; 32_000]).await["type"], "ack");
    for expected in ["live", "paused", "draining", "failed"] {
        until_event(&mut socket, "state", "state", json!(expected)).await;
    }
    server.stop().await.unwrap();
}

#[tokio::test]
async fn who_waits_for_a_worker_sees_the_place() {
    let server = TestServer::start_with(|set| set.dictation.workers = 0).await.unwrap();
    let doctor = &server.doctor;
    let mut ids = Vec::new();
    for (place, patient) in (1..).zip(["rane", "dhillon", "gawande"]) {
        let id = begin(doctor, patient, "toggle").await["id"].as_str().unwrap().to_owned();
        assert_eq!(put(doctor, &id, 0).await, 200);
        assert_eq!(post(doctor, &id, "finish").await.json["place"], place);
        ids.push(id);
    }
    let (mut socket, _) = open_socket(doctor, &server.base, &ids[2]).await;
    let gone = doctor.send(Method::DELETE, &format!("/v1/dictations/{}", ids[0]), &[], None).await.unwrap();
    assert_eq!(gone.status, 204);
    until_event(&mut socket, "queue", "place", json!(2)).await;
    let last = doctor.get(&format!("/v1/dictations/{}", ids[2])).await.unwrap().json;
    assert_eq!(last["place"], 2);
    server.stop().await.unwrap();
}
