//! The stages of the work on a dictation: each fails and is tried again, takes too long and is begun again, and commits
//! nothing once it is late.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use seva_clinic::dictation::{DictationLimits, DictationService, DictationState, DictationStore, OtherNodes, Stage};

use crate::moody_clinic::{Clinic, Mood, limits, works};

#[tokio::test]
async fn each_stage_that_failed_is_tried_again_from_where_it_failed() {
    let clinic = Clinic::open().await;
    let node = clinic.node(Mood::failing(1), Mood::failing(1), limits());
    node.start_work(OtherNodes::Possible).await.unwrap();
    let doctor = &clinic.server.doctor;
    let encounter = doctor.get("/fhir/Encounter/visit-rane").await.unwrap().json;
    let id = clinic.recorded(&node, "rane").await;

    let failed = clinic.until(id, DictationState::Failed).await;
    assert_eq!(failed.result.failed_stage, Some(Stage::Transcribe));
    assert!(failed.result.problem.unwrap().contains("bad mood") && failed.result.segments.is_empty());
    assert_eq!(node.retry(&clinic.caller, id).await.unwrap().state, DictationState::Draining);

    let failed = clinic.until(id, DictationState::Failed).await;
    assert_eq!((failed.result.failed_stage, failed.result.segments.len()), (Some(Stage::Extract), 3));
    // The draft can't be written without its visit.
    let deleted = doctor.send(Method::DELETE, "/fhir/Encounter/visit-rane", &[], None).await.unwrap();
    assert!(deleted.status < 300, "{}", deleted.json);
    assert_eq!(node.retry(&clinic.caller, id).await.unwrap().state, DictationState::Transcribed);

    let failed = clinic.until(id, DictationState::Failed).await;
    assert_eq!(failed.result.failed_stage, Some(Stage::Draft));
    assert!(!failed.result.entities.is_empty(), "what extraction came to is kept");
    let headers = [("content-type", "application/fhir+json")];
    let body = Some(encounter.to_string().into());
    assert!(doctor.send(Method::PUT, "/fhir/Encounter/visit-rane", &headers, body).await.unwrap().status < 300);
    assert_eq!(node.retry(&clinic.caller, id).await.unwrap().state, DictationState::Extracted);

    let drafted = clinic.until(id, DictationState::Drafted).await;
    assert_eq!((drafted.result.problem, drafted.result.failed_stage), (None, None));
    assert!(drafted.result.composition.is_some());
    assert!(node.retry(&clinic.caller, id).await.is_err(), "it has not failed");
    assert_eq!(clinic.transcripts("rane").await, 1);
    clinic.close([node]).await;
}

#[tokio::test]
async fn commands_are_read_where_a_dictation_takes_them_and_never_reach_its_text() {
    let clinic = Clinic::open().await;
    let node = clinic.node(works(), works(), limits());
    node.start_work(OtherNodes::Possible).await.unwrap();
    for (patient, commands) in [("rane", true), ("dhillon", false)] {
        let id = clinic.recorded_with(&node, patient, commands).await;
        let drafted = clinic.until(id, DictationState::Drafted).await;
        let last = drafted.result.segments.last().unwrap();
        assert_eq!(last.command.map(|command| command.code()), commands.then_some("next-field"));
        let text = DictationService::transcript(&drafted).text;
        assert_eq!(text.contains("Next field"), !commands, "{text}");
    }
    clinic.close([node]).await;
}

#[tokio::test]
async fn a_worker_whose_lease_is_lost_commits_nothing() {
    let clinic = Clinic::open().await;
    let gate = Mood::waiting();
    let slow = clinic.node(works(), Arc::clone(&gate), limits());
    slow.start_work(OtherNodes::Possible).await.unwrap();
    let id = clinic.recorded(&slow, "rane").await;
    let before = clinic.until(id, DictationState::Transcribed).await;
    while gate.asked() == 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // The lease is over, though the worker still works.
    clinic.store.release().await.unwrap();
    let quick = clinic.node(works(), works(), limits());
    quick.start_work(OtherNodes::Possible).await.unwrap();
    let drafted = clinic.until(id, DictationState::Drafted).await;
    assert!(drafted.result.segments == before.result.segments, "the text was not made a second time");
    gate.let_go();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let after = clinic.now(id).await;
    assert!(after.state == drafted.state && after.result == drafted.result, "the late worker changed nothing");
    assert_eq!(clinic.transcripts("rane").await, 1);
    clinic.close([slow, quick]).await;
}

#[tokio::test]
async fn a_stage_that_takes_too_long_is_begun_again_and_fails_in_the_end() {
    let clinic = Clinic::open().await;
    let gate = Mood::waiting();
    let limits = DictationLimits { stage: Duration::from_millis(400), attempts: 2, ..limits() };
    let node = clinic.node(works(), Arc::clone(&gate), limits);
    node.start_work(OtherNodes::Possible).await.unwrap();
    let id = clinic.recorded(&node, "rane").await;
    let failed = clinic.until(id, DictationState::Failed).await;
    assert_eq!((failed.result.failed_stage, gate.asked()), (Some(Stage::Extract), 2));
    assert!(failed.result.problem.unwrap().contains("longer than"));
    gate.let_go();
    node.retry(&clinic.caller, id).await.unwrap();
    clinic.until(id, DictationState::Drafted).await;
    clinic.close([node]).await;
}

#[tokio::test]
async fn so_many_are_worked_on_at_once_and_a_node_that_stops_gives_its_work_back() {
    let clinic = Clinic::open().await;
    let gate = Mood::waiting();
    let node = clinic.node(works(), Arc::clone(&gate), DictationLimits { workers: 2, ..limits() });
    let mut ids = Vec::new();
    for patient in ["rane", "dhillon", "gawande"] {
        ids.push(clinic.recorded(&node, patient).await);
    }
    node.start_work(OtherNodes::Possible).await.unwrap();
    while gate.asked() < 2 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(gate.asked(), 2, "the third waits");
    let place = node.find(&clinic.caller, ids[2]).await.unwrap().place;
    assert_eq!((place, node.find(&clinic.caller, ids[0]).await.unwrap().place), (Some(1), Some(0)));
    node.shut_down().await;
    let waiting = clinic.store.waiting(9).await.unwrap();
    assert_eq!(waiting.len(), 3, "nobody has to wait for the end of a lease");
    let next = clinic.node(works(), works(), limits());
    next.start_work(OtherNodes::Possible).await.unwrap();
    for id in ids {
        clinic.until(id, DictationState::Drafted).await;
    }
    clinic.close([node, next]).await;
}
