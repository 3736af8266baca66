//! A request and an answer as values, between the HTTP server and the two services, which are plain functions.

use serde_json::Value;

/// A call as a service sees it.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// The path below the service's base, percent-decoded by segment: `["v1", "pages", "…"]`.
    pub(crate) segments: Vec<String>,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    /// Lower-case names.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Body,
}

/// What came as the body.
#[derive(Debug)]
pub(crate) enum Body {
    Empty,
    Json(Value),
    /// The parser's complaint.
    Malformed(String),
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The last value of a query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of a repeated query parameter, with or without the brackets of `name[]`.
    pub(crate) fn parameters<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query
            .iter()
            .filter(move |(key, _)| key.strip_suffix("[]").unwrap_or(key) == name)
            .map(|(_, value)| value.as_str())
    }
}

/// What a service answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// `None` sends no body.
    pub(crate) body: Option<Value>,
}

impl Answer {
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body: Some(body) }
    }

    pub(crate) fn ok(body: Value) -> Self {
        Self::new(200, body)
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
