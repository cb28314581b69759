//! A request and a response as the platform sees them, and how it refuses.

use bytes::Bytes;
use serde_json::{Map, Value, json};

/// One request.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The method, upper case.
    pub method: String,
    /// The path, without the query.
    pub path: String,
    /// The query, decoded, in order, keys repeated as they came.
    pub query: Vec<(String, String)>,
    /// The headers; names in any case.
    pub headers: Vec<(String, String)>,
    /// The body as received.
    pub body: Vec<u8>,
}

impl Request {
    /// A request without query, headers or body.
    pub fn new(method: &str, path: &str) -> Self {
        Self { method: method.to_string(), path: path.to_string(), ..Self::default() }
    }

    /// The same with one more query pair.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.query.push((name.to_string(), value.to_string()));
        self
    }

    /// The same with one more header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_string(), value.to_string()));
        self
    }

    /// The same with a JSON body.
    #[must_use]
    pub fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self
    }

    /// The first header of that name.
    pub fn header_value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The first query value of that name.
    pub fn query_value(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// Every query value of that name.
    pub fn query_values(&self, name: &str) -> Vec<&str> {
        self.query.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The body as a JSON object.
    pub(crate) fn object(&self) -> Option<Map<String, Value>> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// Whether the skin drops the connection instead of answering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Cut {
    /// It answers.
    #[default]
    None,
    /// It drops the connection; nothing was done.
    BeforeActing,
    /// It drops the connection; what was asked was done.
    AfterActing,
}

/// One response.
#[derive(Clone, Debug)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Bytes,
    /// Milliseconds that the skin waits before it answers or cuts.
    pub delay_ms: i64,
    /// Whether it answers at all.
    pub cut: Cut,
    /// The long connection that begins with it, if it answers a handshake.
    pub line: Option<u64>,
}

impl Response {
    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The body's `code`; 0 is success.
    pub fn code(&self) -> Option<i64> {
        self.json().get("code").and_then(Value::as_i64)
    }

    /// The first header of that name.
    pub fn header_value(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// What a handler decided; the platform makes a [`Response`] of it.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Success, under `data`.
    Data(Value),
    /// Success with its own shape, whole (`facts/feishu.md §0`: token and bot information are flat).
    Whole(Value),
    /// Success, already written.
    Written(String),
    /// A handshake's success: the long connection of that number has begun.
    Begun(u64),
    /// Refused.
    Refused(Refusal),
}

impl From<Refusal> for Answer {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Result<Value, Refusal>> for Answer {
    fn from(result: Result<Value, Refusal>) -> Self {
        match result {
            Ok(data) => Self::Data(data),
            Err(refusal) => Self::Refused(refusal),
        }
    }
}

/// A refusal in the platform's words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    /// HTTP status.
    pub(crate) status: u16,
    /// The body's `code`.
    pub(crate) code: i64,
    /// The body's `msg`.
    pub(crate) message: String,
    /// More members of the body's `error`.
    pub(crate) error: Map<String, Value>,
    /// More headers.
    pub(crate) headers: Vec<(String, String)>,
}

impl Refusal {
    /// A refusal without further members.
    pub(crate) fn new(status: u16, code: i64, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), error: Map::new(), headers: Vec::new() }
    }

    /// An im refusal: HTTP 400 (`facts/feishu.md §3.5`).
    pub(crate) fn im(code: i64, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// The same with one more member of `error`.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.error.insert(name.to_string(), value);
        self
    }

    /// A field that failed validation (`facts/feishu.md §8`).
    pub(crate) fn field(field: &str, description: &str) -> Self {
        Self::new(400, 99_992_402, "field validation failed")
            .with("field_violations", json!([{ "field": field, "value": "", "description": description }]))
    }
}
