//! A plain HTTP client with a log-in.

use anyhow::Context;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::contract;

/// Someone who talks to a server.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    token: Option<String>,
}

/// An answer, read whole.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body as JSON; null when it is not JSON.
    pub json: Value,
    /// The body.
    pub bytes: Vec<u8>,
}

impl Answer {
    /// A header as text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The ids of the matches of a searchset.
    pub fn matches(&self) -> Vec<&str> {
        let entries = self.json.get("entry").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        entries
            .iter()
            .filter(|entry| entry.pointer("/search/mode").and_then(Value::as_str) == Some("match"))
            .filter_map(|entry| entry.pointer("/resource/id").and_then(Value::as_str))
            .collect()
    }

    /// The URL of a link of a Bundle.
    pub fn link(&self, relation: &str) -> Option<&str> {
        let links = self.json.get("link")?.as_array()?;
        let link = links.iter().find(|link| link.get("relation").and_then(Value::as_str) == Some(relation))?;
        link.get("url")?.as_str()
    }

    /// The text of all issues of an OperationOutcome, with their expressions.
    pub fn issues(&self) -> String {
        self.json.get("issue").map(Value::to_string).unwrap_or_default()
    }
}

impl Client {
    /// Nobody in particular.
    pub fn anonymous(base: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(std::time::Duration::from_secs(60)).build()?;
        Ok(Self { http, base: base.to_owned(), token: None })
    }

    /// The same client with a token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// Logs in and keeps the session token.
    pub async fn log_in(&self, username: &str, password: &str) -> anyhow::Result<Self> {
        let answer = self.post("/v1/sessions", &json!({ "username": username, "password": password })).await?;
        let token = answer.json.get("token").and_then(Value::as_str).context("no token")?;
        Ok(self.with_token(token))
    }

    /// GET.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::GET, path, &[], None).await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(Method::POST, path, &[("content-type", "application/json")], Some(body.to_string().into())).await
    }

    /// PUT of JSON.
    pub async fn put(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.send(Method::PUT, path, &[("content-type", "application/fhir+json")], Some(body.to_string().into())).await
    }

    /// DELETE.
    pub async fn delete(&self, path: &str) -> anyhow::Result<Answer> {
        self.send(Method::DELETE, path, &[], None).await
    }

    /// Any request; a path that is a whole URL goes there. The answer is held against the contract.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> anyhow::Result<Answer> {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        let mut request = self.http.request(method.clone(), &url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if !headers.iter().any(|(name, _)| *name == "accept") {
            request = request.header("accept", "application/fhir+json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        let answer = read(request.send().await?).await?;
        if let Some(target) = url.strip_prefix(&self.base) {
            contract::check(method.as_str(), target, &answer)?;
        }
        Ok(answer)
    }
}

async fn read(response: Response) -> anyhow::Result<Answer> {
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let bytes = response.bytes().await?.to_vec();
    let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
    Ok(Answer { status, headers, json, bytes })
}
