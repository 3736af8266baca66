//! What is asked: method, path, query and body, and whether it may be asked twice.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::Value as Json;
use tokio::time::Instant;

use super::Repeat;

/// Characters that may stand for themselves in a path segment or a query value.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// One request, with its path and query already encoded.
#[derive(Clone)]
pub(in crate::edge) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) body: Option<Json>,
    pub(super) repeat: Repeat,
    /// After this it does not leave any more.
    pub(super) not_after: Option<Instant>,
    /// True where the answer may take its time, as it shows many rows.
    pub(super) is_listing: bool,
    /// Where it goes instead of where the others do.
    pub(super) base: Option<String>,
}

impl Request {
    /// Reads. The segments are encoded here.
    pub(in crate::edge) fn get(segments: &[&str]) -> Self {
        Self::new(Method::GET, segments, None, Repeat::Read)
    }

    /// Anything else.
    pub(in crate::edge) fn new(method: Method, segments: &[&str], body: Option<Json>, repeat: Repeat) -> Self {
        let mut path = String::new();
        for segment in segments {
            path.push('/');
            path.extend(utf8_percent_encode(segment, ENCODED));
        }
        Self { method, path, query: String::new(), body, repeat, not_after: None, is_listing: false, base: None }
    }

    /// Lets it leave until then, and not later: what it was made from would have become too old.
    pub(in crate::edge) fn not_after(mut self, limit: Instant) -> Self {
        self.not_after = Some(limit);
        self
    }

    /// Lets the answer take its time: it shows many rows.
    pub(in crate::edge) fn listing(mut self) -> Self {
        self.is_listing = true;
        self
    }

    /// Sends it to another host of the same service: the same key, within the same budget.
    pub(in crate::edge) fn at(mut self, base: &str) -> Self {
        self.base = Some(base.to_owned());
        self
    }

    /// Adds a segment that the service gave us already encoded.
    pub(in crate::edge) fn encoded_segment(mut self, segment: &str) -> Self {
        self.path.push('/');
        self.path.push_str(segment);
        self
    }

    /// Adds to the query.
    pub(in crate::edge) fn query(self, name: &str, value: &str) -> Self {
        let value = utf8_percent_encode(value, ENCODED).to_string();
        self.encoded_query(name, &value)
    }

    /// Adds a value that the service gave us already encoded.
    pub(in crate::edge) fn encoded_query(mut self, name: &str, value: &str) -> Self {
        self.query.push(if self.query.is_empty() { '?' } else { '&' });
        self.query.extend([name, "=", value]);
        self
    }
}
