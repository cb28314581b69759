//! The envelope around every answer (`facts/feishu.md §0`), and what is read of a failed one. Never a success by HTTP
//! status: the body's code decides.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use crate::{
    adapters::{
        feishu::{
            error::{Details, Endpoint, Error},
            explain,
            table::Body,
        },
        http, secret,
    },
    domain::time::Span,
};

/// Characters kept of what the platform says.
const SAID_CHARS_MAX: usize = 400;

/// Permissions kept of those it names as missing.
const SCOPES_MAX: usize = 12;

/// Characters a log id may have.
const LOG_ID_CHARS_MAX: usize = 96;

/// Seconds until a rate limit's window is over (`facts/feishu.md §8`).
const RATE_LIMIT_RESET: HeaderName = HeaderName::from_static("x-ogw-ratelimit-reset");

/// Where a log id stands, in order of preference (`facts/feishu.md §8`).
const LOG_ID_HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("x-tt-logid"), HeaderName::from_static("x-request-id")];

/// A successful answer.
#[derive(Deserialize)]
pub(super) struct Success<T> {
    pub(super) code: i64,
    pub(super) data: Option<T>,
}

/// What an answer's data is when the call succeeded and the data has the expected shape.
pub(super) fn data<T: serde::de::DeserializeOwned>(body: &[u8]) -> Option<T> {
    let answer: Success<T> = serde_json::from_slice(body).ok()?;
    if answer.code == 0 { answer.data } else { None }
}

/// Whether the call succeeded; whatever the data is.
pub(super) fn succeeded(body: &[u8]) -> Option<()> {
    let answer: Success<serde::de::IgnoredAny> = serde_json::from_slice(body).ok()?;
    (answer.code == 0).then_some(())
}

/// An answer that was not understood as a success.
pub(super) struct Failed<'a> {
    pub(super) endpoint: Endpoint,
    pub(super) status: u16,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
    /// What was sent and must not come back in an error.
    pub(super) secrets: &'a [&'a SecretString],
}

impl Failed<'_> {
    /// The error it means.
    pub(super) fn error(&self) -> Error {
        let parsed: Option<Value> = serde_json::from_slice(self.body).ok();
        let code = parsed.as_ref().and_then(code_of);
        let mut error = match (code, &parsed) {
            (Some(0), _) => self.uncoded("the answer says it succeeded and has not the expected shape"),
            (Some(code), Some(answer)) => Error::coded(self.endpoint, self.status, code, self.details(answer)),
            _ => self.uncoded(&self.not_json()),
        };
        error.retry_after = wait_asked(self.headers);
        error.log_id = log_id(self.headers).or_else(|| {
            parsed
                .as_ref()
                .and_then(|answer| answer.pointer("/error/log_id"))
                .and_then(Value::as_str)
                .and_then(clean_id)
        });
        error
    }

    fn uncoded(&self, said: &str) -> Error {
        Error::uncoded(self.endpoint, self.status, Body::Other, said)
    }

    fn not_json(&self) -> String {
        let kind = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let start = String::from_utf8_lossy(self.body.get(..512).unwrap_or(self.body)).trim_start().to_lowercase();
        if self.body.is_empty() {
            explain::EMPTY.en.to_owned()
        } else if kind.contains("html") || start.starts_with("<!doctype") || start.starts_with("<html") {
            explain::HTML.en.to_owned()
        } else if start.starts_with('{') {
            explain::CUT_OFF.en.to_owned()
        } else {
            format!("{} bytes that are not JSON", self.body.len())
        }
    }

    fn details(&self, answer: &Value) -> Details {
        let said = ["msg", "StatusMessage", "message"].iter().find_map(|key| answer.get(key).and_then(Value::as_str));
        let said = tidy(&secret::scrub(said.unwrap_or_default(), self.secrets), SAID_CHARS_MAX);
        let mut scopes: Vec<String> = list(answer, "/error/permission_violations")
            .iter()
            .filter_map(|violation| violation.get("subject").and_then(Value::as_str))
            .filter(|scope| is_scope(scope))
            .map(str::to_owned)
            .collect();
        if scopes.is_empty() {
            scopes = bracketed_scopes(&said);
        }
        scopes.truncate(SCOPES_MAX);
        let help = list(answer, "/error/helps").iter().find_map(|help| help.get("url")?.as_str()).and_then(console_url);
        Details { said, scopes, help }
    }
}

/// The code of an answer; older custom bots call it `StatusCode` (`facts/feishu.md §4`).
pub(super) fn code_of(answer: &Value) -> Option<i64> {
    let code = answer.get("code").or_else(|| answer.get("StatusCode"))?;
    code.as_i64().or_else(|| code.as_str()?.trim().parse().ok())
}

fn list<'v>(answer: &'v Value, pointer: &str) -> &'v [Value] {
    answer.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The id under which the platform can find the call.
pub(super) fn log_id(headers: &HeaderMap) -> Option<String> {
    LOG_ID_HEADERS.iter().find_map(|name| headers.get(name)?.to_str().ok().and_then(clean_id))
}

fn clean_id(text: &str) -> Option<String> {
    let id: String = text.chars().filter(char::is_ascii_graphic).take(LOG_ID_CHARS_MAX).collect();
    (!id.is_empty()).then_some(id)
}

fn wait_asked(headers: &HeaderMap) -> Option<Span> {
    let seconds = [RATE_LIMIT_RESET, RETRY_AFTER]
        .iter()
        .find_map(|name| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok())?;
    http::seconds_of(seconds)
}

/// One line without control characters, at most `chars_max` long.
pub(super) fn tidy(text: &str, chars_max: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(chars_max + 1).collect();
    match line.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default().trim()),
        None => line.trim().to_owned(),
    }
}

fn is_scope(text: &str) -> bool {
    text.contains(':') && text.len() <= 80 && text.chars().all(|c| c.is_ascii_alphanumeric() || ":._-".contains(c))
}

/// Scopes as the message lists them: `[im:message, im:message:send_as_bot]`.
fn bracketed_scopes(said: &str) -> Vec<String> {
    let Some((_, rest)) = said.split_once('[') else { return Vec::new() };
    let inside = rest.split(']').next().unwrap_or_default();
    inside.split(',').map(str::trim).filter(|scope| is_scope(scope)).map(str::to_owned).collect()
}

/// The platform's own page only: what an answer says is not followed anywhere else.
fn console_url(text: &str) -> Option<String> {
    let ours = ["https://open.feishu.cn/", "https://open.larksuite.com/"].iter().any(|start| text.starts_with(start));
    (ours && text.len() <= 400 && text.chars().all(|c| c.is_ascii_graphic())).then(|| text.to_owned())
}
