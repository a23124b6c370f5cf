//! Every type of search parameter against a naive oracle: resources and queries are generated, and what the database
//! returns is what the definition says of the JSON (R4 search.html#ptypes).

mod numbers;
mod times;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use seva_tests::client::Client;
use seva_tests::server::TestServer;

/// So many resources, and so many queries of each.
const VALUES: usize = 150;
const QUERIES: usize = 150;

/// The same ones in every run, so that a fault comes back.
fn samples<S: Strategy>(strategy: &S, count: usize) -> Vec<S::Value> {
    let mut runner = TestRunner::deterministic();
    (0..count).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Stores resources `v-0`, `v-1` and so on, each with its id.
async fn store(client: &Client, resources: impl Iterator<Item = Value>) {
    let entry = |(number, mut resource): (usize, Value)| {
        let id = format!("v-{number}");
        resource["id"] = json!(id);
        let url = format!("{}/{id}", resource["resourceType"].as_str().unwrap());
        json!({"resource": resource, "request": {"method": "PUT", "url": url}})
    };
    let entries: Vec<Value> = resources.enumerate().map(entry).collect();
    let bundle = json!({"resourceType": "Bundle", "type": "transaction", "entry": entries});
    let stored = client.post("/fhir", &bundle).await.unwrap();
    assert_eq!(stored.status, 200, "{}", stored.issues());
}

/// What a search finds must be what the oracle says of each value.
async fn compare<V, Q: std::fmt::Debug>(
    (make, values): (impl Fn(&V) -> Value, Vec<V>),
    (url, queries): (impl Fn(&Q) -> String, Vec<Q>),
    fits: impl Fn(&V, &Q) -> bool,
) where
    V: std::fmt::Debug,
{
    let server = TestServer::start().await.unwrap();
    let admin = server.administrator().await.unwrap();
    store(&admin, values.iter().map(&make)).await;
    let (mut hits, mut misses) = (0, 0);
    for query in &queries {
        let url = url(query);
        let found = admin.get(&format!("/fhir/{url}&_count=1000")).await.unwrap();
        assert_eq!(found.status, 200, "{url}: {}", found.issues());
        let found = found.matches();
        for (number, value) in values.iter().enumerate() {
            let (is_found, fits) = (found.contains(&format!("v-{number}").as_str()), fits(value, query));
            assert_eq!(is_found, fits, "{url}: v-{number} is {value:?}, the query {query:?}");
            if fits { hits += 1 } else { misses += 1 }
        }
    }
    assert!(hits > values.len() && misses > values.len(), "the samples tell something: {hits} hits, {misses} misses");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn strings_fit_as_defined() {
    let text = prop::collection::vec(select(vec!['a', 'B', 'b', 'é', 'E', 'Ü', 'u', ' ', '-', '1']), 1..6)
        .prop_map(|letters| letters.into_iter().collect::<String>())
        .prop_filter("it says something", |text| !text.trim().is_empty());
    let query = (select(vec!["", ":exact", ":contains"]), text.clone());
    let fold = |text: &str| {
        let plain = |letter: char| match letter {
            'é' | 'E' => 'e',
            'Ü' => 'u',
            other => other.to_ascii_lowercase(),
        };
        text.split_whitespace().collect::<Vec<_>>().join(" ").chars().map(plain).collect::<String>()
    };
    compare(
        (|text: &String| json!({"resourceType": "Patient", "name": [{"family": text}]}), samples(&text, VALUES)),
        (
            |(modifier, text): &(&str, String)| format!("Patient?family{modifier}={}", encoded(text)),
            samples(&query, QUERIES),
        ),
        |value, (modifier, text)| match *modifier {
            "" => fold(value).starts_with(&fold(text)),
            ":exact" => value == text,
            _ => fold(value).contains(&fold(text)),
        },
    )
    .await;
}

#[tokio::test]
async fn tokens_fit_as_defined() {
    let system = select(vec![None, Some("urn:s"), Some("urn:t")]);
    let code = select(vec!["a", "b", "A", "c"]);
    let codings = prop::collection::vec((system.clone(), code.clone()), 1..3);
    // What stands before and behind the bar: nothing stands for any.
    let one = (select(vec![None, Some(""), Some("urn:s"), Some("urn:t")]), prop::option::of(code))
        .prop_filter("something is asked", |(system, code)| {
            code.is_some() || system.is_some_and(|own| !own.is_empty())
        });
    let query = (select(vec!["", ":not"]), prop::collection::vec(one, 1..3));
    let written = |(system, code): &(Option<&str>, Option<&str>)| match system {
        None => code.unwrap().to_owned(),
        Some(system) => format!("{system}|{}", code.unwrap_or_default()),
    };
    compare(
        (
            |codings: &Vec<(Option<&str>, &str)>| {
                let coding = |(system, code): &(Option<&str>, &str)| match system {
                    Some(system) => json!({"system": system, "code": code}),
                    None => json!({"code": code}),
                };
                let codings: Vec<Value> = codings.iter().map(coding).collect();
                json!({"resourceType": "Observation", "status": "final", "code": {"coding": codings}})
            },
            samples(&codings, VALUES),
        ),
        (
            |(modifier, tokens): &(&str, Vec<_>)| {
                let tokens: Vec<String> = tokens.iter().map(|token| encoded(&written(token))).collect();
                format!("Observation?code{modifier}={}", tokens.join(","))
            },
            samples(&query, QUERIES),
        ),
        |codings, (modifier, tokens)| {
            let fits = |(own, code): &(Option<&str>, &str), (system, wanted): &(Option<&str>, Option<&str>)| {
                wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(code))
                    && match system {
                        None => true,
                        Some("") => own.is_none(),
                        Some(system) => *own == Some(*system),
                    }
            };
            let any = codings.iter().any(|coding| tokens.iter().any(|token| fits(coding, token)));
            any == modifier.is_empty()
        },
    )
    .await;
}

#[tokio::test]
async fn references_fit_as_defined() {
    let (kind, id) = (select(vec!["Patient", "Group", "Device"]), select(vec!["x", "y", "Patient"]));
    let place = select(vec!["http://far.example/fhir/", "https://far.example/"]);
    let subject = prop_oneof![
        (kind.clone(), id.clone()).prop_map(|(kind, id)| json!({"reference": format!("{kind}/{id}")})),
        (place.clone(), kind.clone(), id.clone())
            .prop_map(|(place, kind, id)| json!({"reference": format!("{place}{kind}/{id}")})),
        (select(vec!["urn:s", "urn:t"]), select(vec!["x", "X", "y"]))
            .prop_map(|(system, value)| json!({"identifier": {"system": system, "value": value}})),
    ];
    let query = prop_oneof![
        (kind.clone(), id.clone()).prop_map(|(kind, id)| ("", format!("{kind}/{id}"))),
        id.clone().prop_map(|id| ("", id.to_owned())),
        id.clone().prop_map(|id| (":Patient", id.to_owned())),
        (place, kind, id.clone()).prop_map(|(place, kind, id)| ("", format!("{place}{kind}/{id}"))),
        (select(vec!["urn:s|", "urn:t|", ""]), id).prop_map(|(system, id)| (":identifier", format!("{system}{id}"))),
    ];
    compare(
        (
            |subject: &Value| json!({"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": subject}),
            samples(&subject, VALUES),
        ),
        (|(modifier, text): &(&str, String)| format!("Observation?subject{modifier}={}", encoded(text)), samples(&query, QUERIES)),
        |subject, (modifier, text)| {
            let own = subject["reference"].as_str().unwrap_or_default();
            match *modifier {
                ":identifier" => {
                    let part = |name: &str| subject["identifier"][name].as_str().unwrap_or_default();
                    let (system, value) = text.split_once('|').unwrap_or(("", text));
                    (system.is_empty() || system == part("system")) && part("value").eq_ignore_ascii_case(value)
                }
                ":Patient" => own == format!("Patient/{text}"),
                _ if text.contains('/') => own == text,
                _ => !own.contains("://") && own.split_once('/').is_some_and(|(_, id)| id == text),
            }
        },
    )
    .await;
}

#[tokio::test]
async fn uris_fit_as_defined() {
    let part = select(vec!["a", "b", "ab"]);
    let url = (select(vec!["http://x.example", "http://y.example"]), prop::collection::vec(part, 0..4))
        .prop_map(|(host, parts)| parts.into_iter().fold(host.to_owned(), |url, part| format!("{url}/{part}")));
    let query = (select(vec!["", ":below", ":above"]), url.clone());
    let below = |low: &str, high: &str| low == high || low.starts_with(&format!("{high}/"));
    compare(
        (|url: &String| json!({"resourceType": "ValueSet", "status": "active", "url": url}), samples(&url, VALUES)),
        (
            |(modifier, url): &(&str, String)| format!("ValueSet?url{modifier}={}", encoded(url)),
            samples(&query, QUERIES),
        ),
        |own, (modifier, url)| match *modifier {
            "" => own == url,
            ":below" => below(own, url),
            _ => below(url, own),
        },
    )
    .await;
}
