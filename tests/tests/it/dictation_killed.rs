//! The program killed when a segment's text was told and its names are still being weighed: nothing is lost, and the names
//! come after the restart.

use futures_util::SinkExt;
use serde_json::{Value, json};
use seva_tests::client::Client;
use seva_tests::server::{Program, data_folder, free_port};
use tokio_tungstenite::tungstenite::Message;

use crate::dictation::{begin, next, open_socket, samples_of, until_done};

fn suggested(dictation: &Value) -> Vec<&str> {
    let segments = dictation["segments"].as_array().into_iter().flatten();
    segments
        .flat_map(|segment| segment["words"].as_array().unwrap())
        .filter_map(|word| word["suggested"].as_str())
        .collect()
}

/// Speaks until the text is told, in the pause after it or, without one, at the end that the doctor says.
async fn until_the_text_is_told(program: &Program, doctor: &Client, id: &str, (audio, ends): (&[u8], bool)) -> u32 {
    let (mut socket, _) = open_socket(doctor, &program.base, id).await;
    let mut sent = 0;
    for samples in audio.chunks(16_000) {
        let checksum = crc32fast::hash(samples).to_be_bytes();
        let frame = [&u32::to_be_bytes(sent)[..], &checksum, samples].concat();
        socket.send(Message::binary(frame)).await.unwrap();
        sent += 1;
    }
    let (mut saved, mut told, mut finishing) = (0, false, !ends);
    while !told || saved < sent {
        let event = next(&mut socket).await;
        match event["type"].as_str() {
            Some("ack") => saved = u32::try_from(event["sequence"].as_u64().unwrap()).unwrap() + 1,
            Some("final") => told = true,
            Some("weighed") => panic!("the names came before the program was killed: {event}"),
            _ => {}
        }
        if saved == sent && !finishing {
            finishing = true;
            socket.send(Message::text("{\"type\":\"finish\"}")).await.unwrap();
        }
    }
    sent
}

#[tokio::test]
async fn a_kill_between_a_text_and_its_names_loses_neither() {
    let audio = samples_of("tests/data/speech/misheard.flac");
    // With the pause behind it the text is told live; without, when the recording is finished and a worker has it.
    let cut = audio.len() - 32_000;
    for (audio, ends) in [(&audio[..], false), (&audio[..cut], true)] {
        let data = data_folder().unwrap();
        let port = free_port().unwrap();
        let program = Program::start(data.path(), port).await.unwrap();
        let doctor = program.doctor().await.unwrap();
        let id = begin(&doctor, "rane", "toggle").await["id"].as_str().unwrap().to_owned();
        let sent = until_the_text_is_told(&program, &doctor, &id, (audio, ends)).await;
        program.kill().await.unwrap();

        let again = Program::start(data.path(), port).await.unwrap();
        let doctor = again.doctor().await.unwrap();
        let place = format!("/v1/dictations/{id}");
        let kept = doctor.get(&place).await.unwrap().json;
        assert_eq!(kept["savedSequence"].as_u64(), Some(u64::from(sent) - 1), "{kept}");
        if !ends {
            assert_eq!(suggested(&kept), Vec::<&str>::new(), "nothing was half kept");
            doctor.post(&format!("{place}/finish"), &json!({})).await.unwrap();
        }
        let done = until_done(&doctor, &id).await;
        assert_eq!(done["state"], "drafted", "{done}");
        assert_eq!(suggested(&done), ["glimepiride"], "{done}");
        let served = doctor.get(&format!("{place}/audio")).await.unwrap();
        assert!(served.bytes.ends_with(audio) && served.bytes.len() == 44 + audio.len(), "all that was acknowledged");
        let drafts = doctor.get("/fhir/MedicationRequest?patient=rane&status=draft").await.unwrap().json.to_string();
        assert!(drafts.contains("suggested-name") && drafts.contains("glimepiride"), "{drafts}");
        assert!(again.terminate().await.unwrap());
    }
}
