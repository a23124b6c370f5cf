//! From speech to drafted resources, and no acknowledged audio lost.

use std::ops::ControlFlow;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::Method;
use serde_json::{Value, json};
use seva_clinic::dictation::DictationState;
use seva_clinic::speech::audio::{AudioBlock, AudioDecoder};
use seva_embedded::audio::EmbeddedAudioDecoder;
use seva_server::demo;
use seva_tests::client::{Answer, Client};
use seva_tests::server::{Program, TestServer, data_folder, free_port};
use seva_tests::{contract, project};
use sha2::{Digest, Sha256};
use tokio_tungstenite::tungstenite::Message;

pub(crate) async fn begin(doctor: &Client, patient: &str, mode: &str) -> Value {
    let new = json!({"patient": format!("Patient/{patient}"), "encounter": format!("Encounter/visit-{patient}"),
        "consent": format!("Consent/consent-{patient}"), "language": "en", "mode": mode});
    let made = doctor.post("/v1/dictations", &new).await.unwrap();
    assert_eq!(made.status, 201, "{}", made.json);
    made.json
}

/// The samples of a recording of the project, as they are sent.
pub(crate) fn samples_of(file: &str) -> Vec<u8> {
    let file = std::fs::File::open(project().join(file)).unwrap();
    let mut samples = Vec::new();
    let mut take = |block: AudioBlock<'_>| {
        samples.extend(block.samples.iter().flat_map(|sample| sample.to_le_bytes()));
        ControlFlow::Continue(())
    };
    EmbeddedAudioDecoder.decode(Box::new(file), &mut take).unwrap();
    samples
}

pub(crate) async fn until_done(doctor: &Client, id: &str) -> Value {
    for _ in 0..600 {
        let dictation = doctor.get(&format!("/v1/dictations/{id}")).await.unwrap().json;
        let state: DictationState = serde_json::from_value(dictation["state"].clone()).unwrap();
        if !state.takes_audio() && state.stage().is_none() {
            return dictation;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    panic!("the dictation did not end");
}

#[tokio::test]
async fn a_recording_becomes_transcript_findings_and_draft_medicines() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let made = begin(doctor, "dhillon", "upload").await;
    let id = made["id"].as_str().unwrap();
    let file = std::fs::read(project().join("web/static/demo/dictation.flac")).unwrap();
    let headers = [("content-type", "audio/flac")];
    let taken =
        doctor.send(Method::PUT, &format!("/v1/dictations/{id}/recording"), &headers, Some(file)).await.unwrap();
    assert_eq!(taken.status, 202, "{}", taken.json);
    assert_eq!(taken.json["state"], "uploaded", "the answer does not wait for the decoder");
    let done = until_done(doctor, id).await;
    assert_eq!(done["state"], "drafted", "{done}");
    assert!(done["savedMilliseconds"].as_u64().unwrap() > 19_000);

    let find = async |query: &str| doctor.get(&format!("/fhir/{query}")).await.unwrap();
    let temperature = find("Observation?code=8310-5&patient=dhillon").await;
    let value = &temperature.json["entry"][0]["resource"]["valueQuantity"];
    assert_eq!((value["value"].to_string().as_str(), value["code"].as_str()), ("38.5", Some("Cel")));
    let medicines = find("MedicationRequest?patient=dhillon&status=draft").await;
    assert_eq!(medicines.matches().len(), 2, "{}", medicines.json);
    let text = medicines.json.to_string();
    assert!(text.contains("araceta") && text.contains("zithromycin") && text.contains("\"frequency\":3"), "{text}");
    assert_eq!(find("DocumentReference?patient=dhillon").await.matches().len(), 2);
    assert_eq!(find("Composition?encounter=visit-dhillon&status=preliminary").await.matches().len(), 1);
    let medicine = format!("MedicationRequest/{}", medicines.matches()[0]);
    assert!(!find(&format!("Provenance?target={medicine}")).await.matches().is_empty());

    evidence_is_heard(doctor, &medicine).await;
    evidence_is_heard(doctor, &format!("Observation/{}", temperature.matches()[0])).await;
    let unsupported = find("Patient/dhillon/$evidence").await.json;
    assert_eq!(unsupported["parameter"][0], json!({"name": "supported", "valueBoolean": false}));

    let range =
        doctor.send(Method::GET, &format!("/v1/dictations/{id}/audio"), &[("range", "bytes=0-3")], None).await.unwrap();
    assert_eq!((range.status, range.bytes.as_slice()), (206, b"RIFF".as_slice()));
    server.stop().await.unwrap();
}

/// A drafted resource leads to words of the transcript and to a file in which just they are heard.
async fn evidence_is_heard(doctor: &Client, resource: &str) {
    let evidence = doctor.get(&format!("/fhir/{resource}/$evidence")).await.unwrap();
    assert_eq!(evidence.status, 200, "{}", evidence.json);
    let parameters = evidence.json["parameter"].as_array().unwrap();
    assert_eq!(parameters[0], json!({"name": "supported", "valueBoolean": true}));
    let named = |name: &str| parameters.iter().filter(move |one| one["name"] == name).collect::<Vec<_>>();
    let part = |span: &Value, name: &str| {
        span["part"].as_array().unwrap().iter().find(|one| one["name"] == name).cloned().unwrap_or_default()
    };
    assert!(!named("provenance").is_empty(), "{}", evidence.json);
    let stored = doctor.get(&format!("/fhir/{resource}")).await.unwrap().json;
    let code = stored["medicationCodeableConcept"]["text"].as_str().or(stored["code"]["text"].as_str()).unwrap();
    let span = named("span")[0];
    assert_eq!(part(span, "text")["valueString"], code, "the words that were heard");
    assert!(part(span, "confidence")["valueDecimal"].as_f64().is_none_or(|score| score < 1.0), "{span}");
    let (start, end) = (part(span, "start")["valueUnsignedInt"].clone(), part(span, "end")["valueUnsignedInt"].clone());
    let milliseconds = end.as_u64().unwrap() - start.as_u64().unwrap();
    let url = part(span, "audio")["valueAttachment"]["url"].as_str().unwrap().to_owned();
    let path = url.split_once("/v1/").unwrap().1;
    let clip = doctor.get(&format!("/v1/{path}")).await.unwrap();
    assert_eq!((clip.status, &clip.bytes[..4]), (200, b"RIFF".as_slice()));
    assert_eq!(clip.bytes.len() as u64, 44 + 32 * milliseconds, "a file of its own");
    assert!(clip.bytes[44..].iter().any(|byte| *byte != 0), "in which something is heard");
}

pub(crate) async fn review(doctor: &Client, place: &str, version: &Value, body: Value) -> Value {
    let etag = format!("W/\"{version}\"");
    let headers = [("if-match", etag.as_str()), ("content-type", "application/json")];
    let answer = doctor.send(Method::PUT, place, &headers, Some(body.to_string().into())).await.unwrap();
    assert_eq!(answer.status, 200, "{place}: {}", answer.json);
    answer.json
}

pub(crate) async fn sign(doctor: &Client, place: &str, version: &Value, pin: &str) -> Answer {
    let etag = format!("W/\"{version}\"");
    let headers = [("if-match", etag.as_str()), ("content-type", "application/json")];
    let body = json!({ "pin": pin }).to_string().into_bytes();
    doctor.send(Method::POST, &format!("{place}/signature"), &headers, Some(body)).await.unwrap()
}

#[tokio::test]
async fn a_dictated_draft_is_reviewed_and_signed_by_its_author() {
    let server = TestServer::start().await.unwrap();
    let doctor = &server.doctor;
    let made = begin(doctor, "dhillon", "upload").await;
    let id = made["id"].as_str().unwrap();
    let file = std::fs::read(project().join("web/static/demo/dictation.flac")).unwrap();
    let headers = [("content-type", "audio/flac")];
    doctor.send(Method::PUT, &format!("/v1/dictations/{id}/recording"), &headers, Some(file)).await.unwrap();
    assert_eq!(until_done(doctor, id).await["state"], "drafted");

    let place = "/v1/encounters/visit-dhillon/prescription";
    let mut seen = doctor.get(place).await.unwrap().json;
    assert_eq!(seen["state"], "draft", "{seen}");
    assert!(!seen["medicines"][0]["evidence"].as_array().unwrap().is_empty());
    assert_eq!(sign(doctor, place, &seen["version"], demo::PIN).await.status, 422);
    for (section, text) in [("diagnosis", "Acute fever"), ("medications", ""), ("instructions", "Plenty of fluids")] {
        let body = match text {
            "" => json!({"state": "approved"}),
            text => json!({"text": text, "state": "approved"}),
        };
        seen = review(doctor, &format!("{place}/sections/{section}"), &seen["version"], body).await;
    }
    for number in 0..seen["medicines"].as_array().unwrap().len() {
        let medicine = format!("{place}/medicines/{}", seen["medicines"][number]["id"].as_str().unwrap());
        seen = review(doctor, &medicine, &seen["version"], json!({"state": "approved"})).await;
    }
    assert_eq!(seen["blockers"], json!([]), "{seen}");
    assert_eq!(sign(doctor, place, &seen["version"], "0000").await.status, 422);
    let signed = sign(doctor, place, &seen["version"], demo::PIN).await;
    assert_eq!((signed.status, signed.json["state"].as_str()), (201, Some("signed")), "{}", signed.json);
    assert_eq!(until_done(doctor, id).await["state"], "reviewed");
    let withdrawn = doctor.send(Method::DELETE, &format!("/v1/dictations/{id}"), &[], None).await.unwrap();
    assert_eq!(withdrawn.status, 409, "{}", withdrawn.json);

    let active = doctor.get("/fhir/MedicationRequest?patient=dhillon&status=active&intent=order").await.unwrap();
    assert_eq!(active.matches().len(), 2, "{}", active.json);
    let line = signed.json["medicines"][0]["line"]["hi"].as_str().unwrap_or_default().to_owned();
    assert!(line.contains("दिन"), "{line}");
    let paper = doctor.get(&format!("{place}/document")).await.unwrap();
    assert_eq!((paper.status, paper.header("content-type")), (200, "application/pdf"));
    let text = text_of(&paper.bytes);
    assert!(text.to_lowercase().contains("paracetamol") && text.contains("दिन"), "{text}");
    assert!(!text.contains("not signed") && text.contains("Sahyadri Clinic"), "{text}");
    is_filed(doctor, &paper.bytes).await;
    let late = json!({"text": "too late"});
    let etag = format!("W/\"{}\"", signed.json["version"]);
    let headers = [("if-match", etag.as_str()), ("content-type", "application/json")];
    let section = format!("{place}/sections/diagnosis");
    let refused = doctor.send(Method::PUT, &section, &headers, Some(late.to_string().into())).await.unwrap();
    assert_eq!(refused.status, 409, "{}", refused.json);
    server.stop().await.unwrap();
}

/// The paper is found again through FHIR: a DocumentReference with its hash, and the same bytes as a raw Binary.
async fn is_filed(doctor: &Client, paper: &[u8]) {
    let query = "/fhir/DocumentReference?encounter=visit-dhillon&contenttype=application/pdf&status=current";
    let found = doctor.get(query).await.unwrap();
    assert_eq!(found.matches().len(), 1, "{}", found.json);
    let document = &found.json["entry"][0]["resource"];
    let binary = format!("/fhir/{}", document["content"][0]["attachment"]["url"].as_str().unwrap());
    let raw = doctor.send(Method::GET, &binary, &[("accept", "*/*")], None).await.unwrap();
    assert_eq!((raw.status, raw.header("content-type")), (200, "application/pdf"));
    assert_eq!(raw.bytes, paper);
    assert_eq!(document["extension"][0]["valueString"], hex::encode(Sha256::digest(paper)), "{document}");
    let as_resource = doctor.get(&binary).await.unwrap();
    assert!(as_resource.json["data"].as_str().unwrap().starts_with("JVBERi"), "base64 of %PDF");
    let part = doctor.send(Method::GET, &binary, &[("accept", "*/*"), ("range", "bytes=0-3")], None).await.unwrap();
    assert_eq!((part.status, part.bytes.as_slice()), (206, b"%PDF".as_slice()));
    let signed = format!("Provenance?target=DocumentReference/{}", document["id"].as_str().unwrap());
    assert_eq!(doctor.get(&format!("/fhir/{signed}")).await.unwrap().matches().len(), 1);
}

/// The text of a PDF, by poppler.
pub(crate) fn text_of(pdf: &[u8]) -> String {
    let folder = data_folder().unwrap();
    let file = folder.path().join("paper.pdf");
    std::fs::write(&file, pdf).unwrap();
    let output = std::process::Command::new("pdftotext").arg(&file).arg("-").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn no_consent_means_no_recording() {
    let server = TestServer::start().await.unwrap();
    let new = |consent: &str, encounter: &str| {
        json!({"patient": "Patient/rane", "encounter": format!("Encounter/{encounter}"),
            "consent": format!("Consent/{consent}"), "language": "en", "mode": "hold"})
    };
    for (consent, encounter) in [("consent-sheikh", "visit-rane"), ("consent-rane", "visit-sheikh")] {
        let refused = server.doctor.post("/v1/dictations", &new(consent, encounter)).await.unwrap();
        assert_eq!(
            (refused.status, refused.header("content-type")),
            (422, "application/problem+json"),
            "{}",
            refused.json
        );
    }
    let missing = server.doctor.post("/v1/dictations", &new("none", "visit-rane")).await.unwrap();
    assert_eq!(missing.status, 404);
    server.stop().await.unwrap();
}

pub(crate) type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

pub(crate) async fn open_socket(doctor: &Client, base: &str, id: &str) -> (Socket, Value) {
    let ticket = doctor.post(&format!("/v1/dictations/{id}/tickets"), &json!({})).await.unwrap();
    assert_eq!(ticket.status, 201, "{}", ticket.json);
    let url = ticket.json["url"].as_str().unwrap();
    assert!(url.starts_with(&base.replacen("http", "ws", 1)), "{url}");
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let ready = next(&mut socket).await;
    assert_eq!(ready["type"], "ready");
    assert!(tokio_tungstenite::connect_async(url).await.is_err(), "a ticket works once");
    (socket, ready)
}

pub(crate) async fn next(socket: &mut Socket) -> Value {
    loop {
        let message = tokio::time::timeout(Duration::from_secs(30), socket.next()).await.unwrap().unwrap().unwrap();
        // The server's pings are answered by the library.
        if message.is_text() {
            let event = serde_json::from_str(message.to_text().unwrap()).unwrap();
            contract::check_event(&event).unwrap_or_else(|error| panic!("{error:#}: {event}"));
            return event;
        }
    }
}

pub(crate) async fn answer(socket: &mut Socket, kind: &str) -> Value {
    loop {
        let event = next(socket).await;
        if event["type"] == kind {
            return event;
        }
    }
}

pub(crate) async fn acknowledged(socket: &mut Socket, sequence: u32, samples: &[u8]) -> Value {
    let mut frame = sequence.to_be_bytes().to_vec();
    frame.extend_from_slice(&crc32fast::hash(samples).to_be_bytes());
    frame.extend_from_slice(samples);
    socket.send(Message::binary(frame)).await.unwrap();
    loop {
        let answer = next(socket).await;
        if matches!(answer["type"].as_str(), Some("ack" | "warning")) {
            return answer;
        }
    }
}

#[tokio::test]
async fn acknowledged_audio_survives_kill_9_and_the_dictation_goes_on() {
    let data = data_folder().unwrap();
    let port = free_port().unwrap();
    let program = Program::start(data.path(), port).await.unwrap();
    let doctor = program.doctor().await.unwrap();
    let made = begin(&doctor, "rane", "ambient").await;
    let id = made["id"].as_str().unwrap();
    let second = |number: u8| vec![number; 32_000];
    let (mut socket, ready) = open_socket(&doctor, &program.base, id).await;
    assert_eq!(ready["savedSequence"], -1);
    for number in 0..3 {
        assert_eq!(acknowledged(&mut socket, number, &second(number as u8)).await["type"], "ack");
    }
    let gap = acknowledged(&mut socket, 9, &second(9)).await;
    assert_eq!((gap["type"].as_str(), gap["code"].as_str()), (Some("warning"), Some("gap")));
    let other = acknowledged(&mut socket, 1, &second(9)).await;
    assert_eq!((other["type"].as_str(), other["code"].as_str()), (Some("warning"), Some("refused")));
    let damaged = [&3_u32.to_be_bytes()[..], &[0; 4], &second(3)].concat();
    socket.send(Message::binary(damaged)).await.unwrap();
    assert_eq!(answer(&mut socket, "warning").await["code"], "checksum");
    socket.send(Message::text("{\"type\":\"heartbeat\"}")).await.unwrap();
    answer(&mut socket, "heartbeat").await;
    program.kill().await.unwrap();

    let again = Program::start(data.path(), port).await.unwrap();
    let doctor = again.doctor().await.unwrap();
    let dictation = doctor.get(&format!("/v1/dictations/{id}")).await.unwrap().json;
    assert_eq!((dictation["savedSequence"].as_i64(), dictation["savedMilliseconds"].as_u64()), (Some(2), Some(3000)));
    let audio = doctor.get(&format!("/v1/dictations/{id}/audio")).await.unwrap();
    let expected: Vec<u8> = (0..3).flat_map(second).collect();
    assert!(audio.bytes.ends_with(&expected));
    let (mut socket, ready) = open_socket(&doctor, &again.base, id).await;
    assert_eq!(ready["savedSequence"], 2);
    assert_eq!(acknowledged(&mut socket, 2, &second(2)).await["type"], "ack");
    assert_eq!(acknowledged(&mut socket, 3, &second(3)).await["savedMilliseconds"], 4000);
    assert!(again.terminate().await.unwrap());
}

/// Frames as a body of plain requests has them, each after its size.
pub(crate) fn body(frames: &[(u32, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (sequence, samples) in frames {
        body.extend((8 + samples.len() as u32).to_be_bytes());
        body.extend(sequence.to_be_bytes());
        body.extend(crc32fast::hash(samples).to_be_bytes());
        body.extend_from_slice(samples);
    }
    body
}

#[tokio::test]
async fn frames_of_plain_requests_lie_beside_those_of_the_socket() {
    // The samples are no speech: no engine is asked.
    let server = TestServer::start_with(|set| set.speech.model = Some("absent.bin".to_owned())).await.unwrap();
    let doctor = &server.doctor;
    let id = begin(doctor, "rane", "ambient").await["id"].as_str().unwrap().to_owned();
    let place = format!("/v1/dictations/{id}/frames");
    let headers = [("content-type", "application/octet-stream")];
    let put = async |body: Vec<u8>| doctor.send(Method::PUT, &place, &headers, Some(body)).await.unwrap();
    let second = |number: u8| vec![number; 32_000];
    let [zero, one, two, three] = [0, 1, 2, 3].map(second);
    let none = json!([]);

    let first = put(body(&[(0, &zero), (1, &one)])).await;
    assert_eq!(first.json, json!({"savedSequence": 1, "savedMilliseconds": 2000, "missing": none}));
    let gap = put(body(&[(1, &one), (2, &two), (5, &three), (6, &three)])).await;
    assert_eq!((gap.json["savedSequence"].as_i64(), gap.json["warning"]["code"].as_str()), (Some(2), Some("gap")));
    assert_eq!(gap.json["missing"], json!([{"first": 3, "last": 6}]), "{}", gap.json);
    let (mut socket, ready) = open_socket(doctor, &server.base, &id).await;
    assert_eq!(ready["savedSequence"], 2);
    assert_eq!(acknowledged(&mut socket, 3, &three).await["savedMilliseconds"], 4000);

    let mut damaged = body(&[(4, &zero), (5, &one)]);
    *damaged.last_mut().unwrap() = 7;
    let damaged = put(damaged).await.json;
    assert_eq!((damaged["savedSequence"].as_i64(), damaged["warning"]["code"].as_str()), (Some(4), Some("checksum")));
    assert_eq!(put(body(&[(1, &two)])).await.status, 409, "other audio under a number that is there");
    assert_eq!(put(body(&[(5, &one)])[..100].to_vec()).await.status, 400, "cut in the middle");
    let audio = doctor.get(&format!("/v1/dictations/{id}/audio")).await.unwrap();
    assert!(audio.bytes[44..] == [&zero[..], &one, &two, &three, &zero].concat());
    doctor.post(&format!("/v1/dictations/{id}/finish"), &json!({})).await.unwrap();
    assert_eq!(put(body(&[(5, &one)])).await.status, 409, "it takes no more audio");
    server.stop().await.unwrap();
}
