//! Tokens of an external issuer: it says who, our own membership rows say what they may.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use seva_server::demo::TENANT;
use seva_tests::server::{NewAccount, TestServer};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

const AUDIENCE: &str = "seva-client";

struct Issuer {
    server: MockServer,
    key: EcdsaKeyPair,
}

impl Issuer {
    async fn start() -> Self {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new()).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref()).unwrap();
        let server = MockServer::start().await;
        let point = key.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..65]));
        let published = json!({"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "kid": "k", "x": x, "y": y}]});
        let discovery = json!({"issuer": server.uri(), "jwks_uri": format!("{}/keys", server.uri())});
        for (place, body) in [("/.well-known/openid-configuration", discovery), ("/keys", published)] {
            let answer = ResponseTemplate::new(200).set_body_json(body);
            Mock::given(path(place)).respond_with(answer).mount(&server).await;
        }
        Self { server, key }
    }

    fn token(&self, subject: &str, audience: &str) -> String {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let claims = json!({"iss": self.server.uri(), "aud": audience, "sub": subject, "exp": now + 600,
            "roles": ["platform-admin"], "tenant": TENANT});
        let encode = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", encode(json!({"alg": "ES256", "kid": "k"})), encode(claims));
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

async fn start(issuer: &Issuer) -> TestServer {
    let address = issuer.server.uri();
    TestServer::start_with(|configuration| {
        configuration.identity.issuer = Some(address);
        configuration.identity.audience = Some(AUDIENCE.to_owned());
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_linked_subject_works_with_the_rights_of_its_membership() {
    let issuer = Issuer::start().await;
    let server = start(&issuer).await;
    let bearer = server.doctor.with_token(&issuer.token("asha", AUDIENCE));
    let unknown = bearer.get("/fhir/Patient/rane").await.unwrap();
    assert_eq!(unknown.status, 403, "{}", unknown.issues());
    assert!(unknown.issues().contains("its subject has no account here"), "{}", unknown.issues());
    let row = ["unknown", "refused", "external token"].map(str::to_owned);
    assert_eq!(server.audited("log-in").await.unwrap().last(), Some(&row));

    let username = format!("{}#asha", issuer.server.uri());
    let nurse = NewAccount { tenant: TENANT, username: &username, role: "nurse", practitioner: None, patient: None };
    server.add_account(nurse).await.unwrap();
    assert_eq!(bearer.get("/fhir/Patient/rane").await.unwrap().status, 200);
    let session = bearer.get("/v1/session").await.unwrap();
    assert_eq!(session.json["user"]["roles"], json!(["nurse"]), "no claim of the token gives a role");
    let request = json!({"resourceType": "MedicationRequest", "id": "m", "status": "draft", "intent": "proposal",
        "medicationCodeableConcept": {"text": "paracetamol"}, "subject": {"reference": "Patient/rane"}});
    assert_eq!(bearer.put("/fhir/MedicationRequest/m", &request).await.unwrap().status, 403);

    let elsewhere = server.doctor.with_token(&issuer.token("asha", "another-client"));
    let refused = elsewhere.get("/fhir/Patient/rane").await.unwrap();
    assert_eq!(refused.status, 401);
    assert!(refused.issues().contains("not made for this server"), "{}", refused.issues());
    for (method, word) in [("renew", "renew it there"), ("log out", "log out there")] {
        let answer = match method {
            "renew" => bearer.post("/v1/session/token", &json!({})).await.unwrap(),
            _ => bearer.delete("/v1/session").await.unwrap(),
        };
        assert_eq!(answer.status, 403, "{method}");
        assert!(answer.json["detail"].as_str().unwrap().contains(word), "{}", answer.json);
    }

    server.remove(&username).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(2100)).await;
    assert_eq!(bearer.get("/fhir/Patient/rane").await.unwrap().status, 403, "removal cuts external tokens too");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn a_subject_of_two_hospitals_is_not_guessed() {
    let issuer = Issuer::start().await;
    let server = start(&issuer).await;
    let username = format!("{}#both", issuer.server.uri());
    for tenant in [TENANT, "Elsewhere"] {
        let doctor = NewAccount { tenant, username: &username, role: "doctor", practitioner: None, patient: None };
        server.add_account(doctor).await.unwrap();
    }
    let bearer = server.doctor.with_token(&issuer.token("both", AUDIENCE));
    let refused = bearer.get("/fhir/Patient/rane").await.unwrap();
    assert_eq!(refused.status, 403);
    assert!(refused.issues().contains("several hospitals"), "{}", refused.issues());
    let health = server.doctor.get("/health").await.unwrap();
    let identity = health.json["checks"].as_array().unwrap().iter().find(|check| check["name"] == "identity").unwrap();
    assert_eq!(
        (identity["status"].as_str(), identity["detail"].as_str()),
        (Some("up"), Some("1 keys of the external issuer"))
    );
    server.stop().await.unwrap();
}
