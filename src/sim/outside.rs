//! Receivers outside the platform: outgoing webhooks that read Alertmanager's JSON as strictly as the tools that take
//! it, and WeCom's group bots (UNCONFIRMED: no page of the vendor is at hand). Each remembers what it took.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::sim::{
    limits::Windows,
    route::Limit,
    wire::{Cut, Request, Response},
};

/// Where sinks stand: `/sink/<name>`.
const SINK_PATH: &str = "/sink/";

/// Where WeCom's bots stand, with `?key=`.
const WECOM_PATH: &str = "/cgi-bin/webhook/send";

/// Bytes of a WeCom message's markdown.
pub const WECOM_MARKDOWN_BYTES_MAX: usize = 4_096;

/// 20 messages a minute for one WeCom bot.
const WECOM_LIMITS: &[Limit] = &[Limit { calls: 20, within_ms: 60_000 }];

/// What a receiver does instead of taking the next request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Upset {
    /// This status, with a short text; nothing was taken.
    Status(u16, String),
    /// 429, and how many seconds to wait, as the header says it.
    TooFast(String),
    /// It takes it, and answers after so many milliseconds.
    Slow(i64),
    /// The connection is dropped; nothing was taken.
    CutBefore,
    /// The connection is dropped; it was taken.
    CutAfter,
    /// This code of WeCom's, with HTTP 200; nothing was taken.
    Code(i64),
    /// 200 with a page of HTML; nothing was taken.
    Page,
}

/// What arrived and was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// When, milliseconds.
    pub at_ms: i64,
    /// The body.
    pub body: Value,
}

/// An outgoing webhook, or a WeCom bot.
#[derive(Clone, Debug, Default)]
pub struct Sink {
    /// Set: requests must carry it.
    pub bearer: Option<String>,
    /// What it does instead, request by request.
    pub upset: VecDeque<Upset>,
    /// What it took, oldest first.
    pub taken: Vec<Taken>,
    /// How many requests came, taken or not.
    pub asked: usize,
}

impl Sink {
    /// The next `times` requests meet this.
    pub fn fail_next(&mut self, upset: &Upset, times: usize) {
        self.upset.extend(std::iter::repeat_n(upset.clone(), times));
    }

    /// Of each alert it was told of, by fingerprint: the statuses in the order they came.
    pub fn statuses(&self) -> BTreeMap<String, Vec<String>> {
        let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        for alert in self.taken.iter().filter_map(|taken| taken.body["alerts"].as_array()).flatten() {
            all.entry(text(&alert["fingerprint"])).or_default().push(text(&alert["status"]));
        }
        all
    }

    /// The markdown of what it took, for a WeCom bot.
    pub fn markdown(&self) -> Vec<&str> {
        self.taken.iter().filter_map(|taken| taken.body["markdown"]["content"].as_str()).collect()
    }
}

/// Every receiver outside the platform.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    sinks: BTreeMap<String, Sink>,
    bots: BTreeMap<String, Sink>,
    windows: Windows,
}

/// What is answered.
enum Said {
    Status(u16, String),
    Code(i64, &'static str),
}

impl Outside {
    /// The outgoing webhook of that name; there is one once it is asked for. Its path is `/sink/<name>`.
    pub fn sink(&mut self, name: &str) -> &mut Sink {
        self.sinks.entry(name.to_owned()).or_default()
    }

    /// The WeCom bot of that key; there is one once it is asked for.
    pub fn bot(&mut self, key: &str) -> &mut Sink {
        self.bots.entry(key.to_owned()).or_default()
    }

    /// The path and query of the WeCom bot of that key.
    pub fn bot_path(key: &str) -> String {
        format!("{WECOM_PATH}?key={key}")
    }

    /// Answers a request, if it is for one of them.
    pub(crate) fn handle(&mut self, request: &Request, now_ms: i64) -> Option<Response> {
        let (is_bot, key) = match request.path.strip_prefix(SINK_PATH) {
            Some(name) => (false, name.to_owned()),
            None if request.path == WECOM_PATH => {
                (true, request.query.iter().find(|(name, _)| name == "key")?.1.clone())
            }
            None => return None,
        };
        let all = if is_bot { &mut self.bots } else { &mut self.sinks };
        let Some(sink) = all.get_mut(&key) else {
            let said = if is_bot { Said::Code(93_000, "invalid webhook url") } else { status(404, "no such sink") };
            return Some(answer(said));
        };
        sink.asked += 1;
        let upset = sink.upset.pop_front();
        if let Some(early) = upset.as_ref().and_then(refusal) {
            return Some(early);
        }
        let said = match serde_json::from_slice::<Value>(&request.body) {
            Err(_) => status(400, "this is no JSON"),
            Ok(_) if request.method != "POST" => status(405, "POST only"),
            Ok(body) => {
                let read = if is_bot {
                    take_markdown(&body, &key, &mut self.windows, now_ms)
                } else {
                    take_alerts(sink, request, &body)
                };
                if read.is_ok() {
                    sink.taken.push(Taken { at_ms: now_ms, body });
                }
                read.err().unwrap_or(if is_bot { Said::Code(0, "ok") } else { status(200, "") })
            }
        };
        let mut response = answer(said);
        match upset {
            Some(Upset::Slow(ms)) => response.delay_ms = ms,
            Some(Upset::CutAfter) => response.cut = Cut::AfterActing,
            _ => {}
        }
        Some(response)
    }
}

/// What is answered before anything is looked at.
fn refusal(upset: &Upset) -> Option<Response> {
    let mut response = match upset {
        Upset::Status(number, text) => answer(Said::Status(*number, text.clone())),
        Upset::TooFast(_) => answer(status(429, "slow down")),
        Upset::CutBefore => answer(status(503, "")),
        Upset::Code(code) => answer(Said::Code(*code, "refused by order")),
        Upset::Page => answer(status(200, "<html><body>welcome</body></html>")),
        Upset::Slow(_) | Upset::CutAfter => return None,
    };
    match upset {
        Upset::TooFast(wait) => response.headers.push(("Retry-After".to_owned(), wait.clone())),
        Upset::CutBefore => response.cut = Cut::BeforeActing,
        _ => {}
    }
    Some(response)
}

fn status(number: u16, text: &str) -> Said {
    Said::Status(number, text.to_owned())
}

fn answer(said: Said) -> Response {
    let (status, body) = match said {
        Said::Status(number, text) => (number, text),
        Said::Code(code, text) => (200, json!({ "errcode": code, "errmsg": text }).to_string()),
    };
    Response { status, headers: Vec::new(), body: Bytes::from(body), delay_ms: 0, cut: Cut::None, line: None }
}

/// Alertmanager's webhook JSON, version 4, as its receivers write it down: what is missing or of another type is
/// refused.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted {
    version: String,
    #[serde(rename = "groupKey")]
    group_key: String,
    #[serde(rename = "truncatedAlerts")]
    truncated: u64,
    status: Status,
    receiver: String,
    #[serde(rename = "groupLabels")]
    group_labels: BTreeMap<String, String>,
    #[serde(rename = "commonLabels")]
    common_labels: BTreeMap<String, String>,
    #[serde(rename = "commonAnnotations")]
    common_annotations: BTreeMap<String, String>,
    #[serde(rename = "externalURL")]
    external_url: String,
    alerts: Vec<PostedAlert>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PostedAlert {
    status: Status,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    #[serde(rename = "startsAt")]
    starts_at: String,
    #[serde(rename = "endsAt")]
    ends_at: String,
    #[serde(rename = "generatorURL")]
    generator_url: String,
    fingerprint: String,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Status {
    Firing,
    Resolved,
}

fn take_alerts(sink: &Sink, request: &Request, body: &Value) -> Result<(), Said> {
    if let Some(bearer) = &sink.bearer
        && request.header_value("Authorization") != Some(&format!("Bearer {bearer}"))
    {
        return Err(status(401, "who are you?"));
    }
    let posted: Posted = serde_json::from_value(body.clone()).map_err(|error| status(400, &error.to_string()))?;
    check(&posted).map_err(|wrong| status(400, wrong))
}

/// What holds of everything Alertmanager posts.
fn check(posted: &Posted) -> Result<(), &'static str> {
    let firing = posted.alerts.iter().any(|alert| alert.status == Status::Firing);
    let label = |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let rules: [(bool, &'static str); 8] = [
        (posted.version == "4", "version is not 4"),
        (!posted.group_key.is_empty() && !posted.receiver.is_empty(), "groupKey or receiver is empty"),
        (!posted.alerts.is_empty(), "there is no alert"),
        (firing == (posted.status == Status::Firing) || posted.truncated > 0, "status is not that of the alerts"),
        (posted.external_url.is_empty() || posted.external_url.starts_with("http"), "externalURL is no address"),
        (posted.alerts.iter().all(is_sound), "an alert is not sound"),
        (
            posted.alerts.iter().all(|alert| alert.labels.keys().chain(alert.annotations.keys()).all(label)),
            "a name is no name",
        ),
        (
            posted.group_labels.iter().all(|(name, value)| posted.common_labels.get(name) == Some(value))
                && posted.common_annotations.keys().all(label),
            "group labels are not common",
        ),
    ];
    rules.into_iter().find(|(holds, _)| !holds).map_or(Ok(()), |(_, wrong)| Err(wrong))
}

fn is_sound(alert: &PostedAlert) -> bool {
    let instant = |text: &str| chrono::DateTime::parse_from_rfc3339(text).ok();
    let (Some(starts_at), Some(ends_at)) = (instant(&alert.starts_at), instant(&alert.ends_at)) else { return false };
    let over = ends_at.timestamp() > 0;
    let named = alert.labels.get("alertname").is_some_and(|name| !name.is_empty());
    let print = alert.fingerprint.len() == 16 && alert.fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit());
    let values = alert.labels.values().chain(alert.annotations.values()).all(|value| !value.is_empty());
    let link = alert.generator_url.is_empty() || alert.generator_url.starts_with("http");
    let order = !over || starts_at <= ends_at;
    named && print && values && link && order && over == (alert.status == Status::Resolved)
}

fn take_markdown(body: &Value, key: &str, windows: &mut Windows, now_ms: i64) -> Result<(), Said> {
    if body["msgtype"] != "markdown" {
        return Err(Said::Code(40_008, "invalid message type"));
    }
    let content = body["markdown"]["content"].as_str().filter(|text| !text.is_empty());
    let Some(content) = content else { return Err(Said::Code(44_004, "empty content")) };
    if content.len() > WECOM_MARKDOWN_BYTES_MAX {
        return Err(Said::Code(40_058, "markdown.content exceed max length 4096"));
    }
    windows.admit(key, WECOM_LIMITS, now_ms).map_err(|_| Said::Code(45_009, "api freq out of limit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(outside: &mut Outside, path: &str, query: &[(&str, &str)], body: &str) -> (u16, Option<i64>) {
        let request = Request {
            method: "POST".to_owned(),
            path: path.to_owned(),
            query: query.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
        };
        let response = outside.handle(&request, 0).expect("it is for one of them");
        (response.status, response.json()["errcode"].as_i64())
    }

    const GOOD: &str = r#"{"version":"4","groupKey":"k","truncatedAlerts":0,"status":"firing","receiver":"r",
        "groupLabels":{},"commonLabels":{},"commonAnnotations":{},"externalURL":"","alerts":[{"status":"firing",
        "labels":{"alertname":"a"},"annotations":{},"startsAt":"2026-11-20T00:00:00Z",
        "endsAt":"0001-01-01T00:00:00Z","generatorURL":"","fingerprint":"0123456789abcdef"}]}"#;

    #[test]
    fn a_sink_takes_what_alertmanager_posts_and_nothing_else() {
        let mut outside = Outside::default();
        outside.sink("pager");
        let wrong = [
            ("", ""),
            (r#""4""#, r#""3""#),
            (r#""truncatedAlerts":0,"#, ""),
            (r#""status":"firing","receiver""#, r#""status":"resolved","receiver""#),
            ("0001-01-01", "2026-11-21"),
            (r#""alertname""#, r#""alert name""#),
            ("0123456789abcdef", "short"),
            ("2026-11-20T00:00:00Z", "yesterday"),
        ];
        for (from, to) in wrong {
            let body = GOOD.replace(from, to);
            let expected = if from.is_empty() { 200 } else { 400 };
            assert_eq!(post(&mut outside, "/sink/pager", &[], &body).0, expected, "{from} -> {to}");
        }
        assert_eq!(outside.sink("pager").taken.len(), 1);
        assert_eq!(post(&mut outside, "/sink/none", &[], GOOD).0, 404);
        outside.sink("pager").bearer = Some("t".to_owned());
        assert_eq!(post(&mut outside, "/sink/pager", &[], GOOD).0, 401);
    }

    #[test]
    fn a_bot_takes_twenty_a_minute() {
        let mut outside = Outside::default();
        outside.bot("k");
        let body = r#"{"msgtype":"markdown","markdown":{"content":"x"}}"#;
        let codes: Vec<i64> = (0..21).filter_map(|_| post(&mut outside, WECOM_PATH, &[("key", "k")], body).1).collect();
        assert_eq!((codes[19], codes[20]), (0, 45_009));
        assert_eq!(post(&mut outside, WECOM_PATH, &[("key", "other")], body).1, Some(93_000));
        let long = body.replace('x', &"x".repeat(4_097));
        assert_eq!(post(&mut outside, WECOM_PATH, &[("key", "k")], &long).1, Some(40_058));
        outside.bot("k").fail_next(&Upset::TooFast("7".to_owned()), 1);
        assert_eq!(post(&mut outside, WECOM_PATH, &[("key", "k")], body), (429, None));
    }
}
