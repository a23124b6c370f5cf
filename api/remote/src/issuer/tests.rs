mod signing;

use std::time::Duration;

use serde_json::{Value, json};
use seva_fhir::types::Instant;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::keys::{BETWEEN, FRESH, STALE};
use super::*;
use signing::{Signer, token_by_secret, token_unsigned};

const NOW: i64 = 1_700_000_000;
const AUDIENCE: &str = "seva-client";

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Instant {
        Instant::from_micros(NOW * 1_000_000)
    }
}

async fn publish(server: &MockServer, keys: &[Value]) {
    server.reset().await;
    let uri = format!("{}/keys", server.uri());
    let discovery = json!({"issuer": server.uri(), "jwks_uri": uri, "authorization_endpoint": "https://x/authorize"});
    let documents = [("/.well-known/openid-configuration", discovery), ("/keys", json!({ "keys": keys }))];
    for (place, body) in documents {
        Mock::given(path(place)).respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(server).await;
    }
}

fn verifier(issuer: &str) -> IssuerVerifier {
    let settings = IssuerSettings { issuer: issuer.to_owned(), audience: AUDIENCE.to_owned(), jwks_url: None };
    IssuerVerifier::new(settings, Arc::new(Fixed)).expect("a verifier")
}

fn claims(issuer: &str) -> Value {
    json!({"iss": issuer, "aud": AUDIENCE, "sub": "subject-1", "exp": NOW + 600, "iat": NOW - 10, "nbf": NOW - 10})
}

/// The same claims with one changed, or left out by null.
fn changed(issuer: &str, name: &str, value: Value) -> Value {
    let mut all = claims(issuer);
    let members = all.as_object_mut().expect("an object");
    if value.is_null() {
        drop(members.remove(name))
    } else {
        drop(members.insert(name.to_owned(), value))
    }
    all
}

async fn asked(server: &MockServer) -> usize {
    let requests = server.received_requests().await.expect("requests");
    requests.iter().filter(|request| request.url.path() == "/keys").count()
}

/// Lets time go by for the cache alone.
async fn later(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time + Duration::from_secs(1)).await;
    tokio::time::resume();
}

fn text(refused: Result<ExternalIdentity, TokenError>) -> String {
    refused.expect_err("refused").to_string()
}

#[tokio::test]
async fn a_token_of_the_issuer_names_its_subject() {
    let server = MockServer::start().await;
    let (rsa, elliptic) = (Signer::rsa(), Signer::elliptic());
    publish(&server, &[rsa.published("r"), elliptic.published("e")]).await;
    let verifier = verifier(&server.uri());
    for (signer, id) in [(&rsa, "r"), (&elliptic, "e")] {
        let identity = verifier.verify(&signer.token(id, &claims(&server.uri()))).await.expect("valid");
        assert_eq!((identity.issuer, identity.subject.as_str()), (server.uri(), "subject-1"));
        assert_eq!(identity.expires.seconds(), NOW + 600);
    }
    assert_eq!(asked(&server).await, 1, "keys are fetched once");
    assert_eq!(verifier.health().await.expect("keys"), 2);
}

#[tokio::test]
async fn claims_that_are_not_for_us_now_are_refused_by_name() {
    let server = MockServer::start().await;
    let signer = Signer::rsa();
    publish(&server, &[signer.published("r")]).await;
    let (verifier, issuer) = (verifier(&server.uri()), server.uri());
    let cases = [
        ("iss", json!("https://other.example"), "another issuer"),
        ("iss", Value::Null, "another issuer"),
        ("aud", json!("other"), "not made for this server"),
        ("aud", json!(["other", "third"]), "not made for this server"),
        ("aud", Value::Null, "not made for this server"),
        ("exp", json!(NOW - 31), "has expired"),
        ("exp", Value::Null, "does not say when it expires"),
        ("exp", json!("soon"), "claims are not valid"),
        ("nbf", json!(NOW + 60), "not valid yet"),
        ("iat", json!(NOW + 60), "made in the future"),
        ("sub", json!(""), "names no subject"),
        ("sub", Value::Null, "names no subject"),
        ("token_use", json!("refresh"), "neither access nor id"),
        ("token_use", json!("access"), "not made for this server"),
    ];
    for (name, value, expected) in cases {
        let token = signer.token("r", &changed(&issuer, name, value.clone()));
        let refused = text(verifier.verify(&token).await);
        assert!(refused.contains(expected), "{name} {value}: {refused}");
    }
    for (name, value) in [
        ("exp", json!(NOW - 20)),
        ("nbf", json!(NOW + 20)),
        ("aud", json!(["other", AUDIENCE])),
        ("exp", json!(1_700_000_600.5)),
        ("token_use", json!("id")),
    ] {
        let token = signer.token("r", &changed(&issuer, name, value.clone()));
        assert!(verifier.verify(&token).await.is_ok(), "{name} {value} is within bounds");
    }
}

#[tokio::test]
async fn an_access_token_of_cognito_names_its_client() {
    let server = MockServer::start().await;
    let signer = Signer::rsa();
    publish(&server, &[signer.published("r")]).await;
    let verifier = verifier(&server.uri());
    let mut access = changed(&server.uri(), "aud", Value::Null);
    access["token_use"] = json!("access");
    access["client_id"] = json!(AUDIENCE);
    assert!(verifier.verify(&signer.token("r", &access)).await.is_ok());
    access["client_id"] = json!("other");
    assert!(text(verifier.verify(&signer.token("r", &access)).await).contains("not made for this server"));
}

#[tokio::test]
async fn algorithms_are_not_the_tokens_choice() {
    let server = MockServer::start().await;
    let (rsa, elliptic) = (Signer::rsa(), Signer::elliptic());
    let published = rsa.published("r");
    publish(&server, &[published.clone(), elliptic.published("e")]).await;
    let (verifier, claims) = (verifier(&server.uri()), claims(&server.uri()));
    let modulus = published["n"].as_str().expect("a modulus").as_bytes();
    let forged = [
        (token_unsigned(&json!({"alg": "none", "kid": "r"}), &claims), "RS256 or ES256"),
        (token_by_secret(modulus, &json!({"alg": "HS256", "kid": "r"}), &claims), "RS256 or ES256"),
        (token_by_secret(modulus, &json!({"alg": "RS256", "kid": "r"}), &claims), "signature"),
        (elliptic.token_with(&json!({"alg": "ES256", "kid": "r"}), &claims), "not the one of its key"),
        (rsa.token_with(&json!({"alg": "RS256", "kid": "e"}), &claims), "not the one of its key"),
        (Signer::rsa().token("r", &claims), "signature"),
        (rsa.token_with(&json!({"alg": "RS256"}), &claims), "does not name its key"),
        (rsa.token_with(&json!({"alg": "RS256", "kid": "r", "crit": ["x"]}), &claims), "extensions"),
        ("a.b".to_owned(), "not a signed JWT"),
        ("x".repeat(LONGEST + 1), "not a signed JWT"),
    ];
    for (token, expected) in forged {
        let refused = text(verifier.verify(&token).await);
        assert!(refused.contains(expected), "{expected}: {refused}");
    }
    let changed = rsa.token("r", &claims).replace('.', "A.");
    assert!(verifier.verify(&changed).await.is_err());
}

#[tokio::test]
async fn a_rotated_key_is_fetched_and_invented_ones_do_not_flood_the_issuer() {
    let server = MockServer::start().await;
    let (old, new) = (Signer::rsa(), Signer::rsa());
    publish(&server, &[old.published("old")]).await;
    let (verifier, claims) = (verifier(&server.uri()), claims(&server.uri()));
    assert!(verifier.verify(&old.token("old", &claims)).await.is_ok());
    publish(&server, &[new.published("new")]).await;
    let early = text(verifier.verify(&new.token("new", &claims)).await);
    assert!(early.contains("does not publish"), "within half a minute nobody asks again: {early}");
    assert_eq!(asked(&server).await, 0);
    later(BETWEEN).await;
    assert!(verifier.verify(&new.token("new", &claims)).await.is_ok(), "an unknown key is fetched");
    assert!(
        text(verifier.verify(&old.token("old", &claims)).await).contains("does not publish"),
        "the old one is gone"
    );
    for number in 0..20 {
        assert!(verifier.verify(&new.token(&format!("invented-{number}"), &claims)).await.is_err());
    }
    assert_eq!(asked(&server).await, 1);
}

#[tokio::test]
async fn known_keys_serve_while_the_issuer_is_away_but_not_for_ever() {
    let server = MockServer::start().await;
    let signer = Signer::elliptic();
    publish(&server, &[signer.published("e")]).await;
    let verifier = verifier(&server.uri());
    let token = signer.token("e", &claims(&server.uri()));
    assert!(verifier.verify(&token).await.is_ok());
    server.reset().await;
    Mock::given(path("/.well-known/openid-configuration"))
        .respond_with(ResponseTemplate::new(503))
        .mount(&server)
        .await;
    later(FRESH).await;
    assert!(verifier.verify(&token).await.is_ok(), "an hour old, and the issuer is down");
    later(STALE).await;
    let refused = verifier.verify(&token).await.expect_err("a day is too long");
    assert!(matches!(&refused, TokenError::Keys(reason) if reason.contains("answered 503")), "{refused}");
    publish(&server, &[signer.published("e")]).await;
    later(BETWEEN).await;
    assert!(verifier.verify(&token).await.is_ok(), "the issuer is back");
}

#[tokio::test]
async fn an_issuer_that_was_never_there_is_a_fault_of_keys() {
    let verifier = verifier("http://127.0.0.1:9");
    let token = Signer::elliptic().token("e", &claims("http://127.0.0.1:9"));
    for expected in ["no connection", "a moment ago"] {
        let refused = verifier.verify(&token).await.expect_err("no keys");
        assert!(matches!(&refused, TokenError::Keys(reason) if reason.contains(expected)), "{refused}");
    }
}

#[tokio::test]
async fn documents_that_lead_elsewhere_are_not_followed() {
    let server = MockServer::start().await;
    let signer = Signer::elliptic();
    let token = signer.token("e", &claims(&server.uri()));
    let cases = [
        (json!({"issuer": "https://other.example", "jwks_uri": "https://other.example/keys"}), "another issuer"),
        (json!({"issuer": server.uri(), "jwks_uri": "http://other.example/keys"}), "not https"),
        (json!({"issuer": server.uri()}), "not what it should be"),
        (json!({"issuer": server.uri(), "jwks_uri": "x".repeat(300_000)}), "is larger than"),
    ];
    for (document, expected) in cases {
        server.reset().await;
        let answer = ResponseTemplate::new(200).set_body_json(document);
        Mock::given(path("/.well-known/openid-configuration")).respond_with(answer).mount(&server).await;
        let refused = verifier(&server.uri()).verify(&token).await.expect_err(expected).to_string();
        assert!(refused.contains(expected), "{refused}");
    }
}

#[tokio::test]
async fn weak_and_foreign_keys_are_passed_over() {
    let server = MockServer::start().await;
    let signer = Signer::rsa();
    let with = |name: &str, value: Value| {
        let mut key = signer.published("r");
        key[name] = value;
        key
    };
    let short = with("n", json!("AQAB"));
    let unfit = [short, with("use", json!("enc")), with("alg", json!("RS512")), with("kty", json!("oct"))];
    publish(&server, &unfit).await;
    let token = signer.token("r", &claims(&server.uri()));
    let refused = text(verifier(&server.uri()).verify(&token).await);
    assert!(refused.contains("holds no signing key"), "{refused}");
}
