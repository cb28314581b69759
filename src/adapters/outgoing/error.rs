//! What went wrong with a post, and what the caller may do about it. Free of addresses and tokens.

use std::fmt;

use crate::domain::{
    delivery::{Failure, FailureKind},
    text::Message,
    time::Span,
};

/// Characters kept of what the other side says.
pub(super) const SAID_CHARS_MAX: usize = 200;

/// What a WeCom bot that was asked too often is given to rest, where it does not say (UNCONFIRMED).
pub(super) const WECOM_REST: Span = Span::from_mins(1);

/// Which kind of receiver it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Alertmanager's webhook JSON.
    Http,
    /// A WeCom group bot.
    Wecom,
}

/// A post that did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Whose.
    pub side: Side,
    /// What may be done.
    pub kind: FailureKind,
    /// The HTTP status, where there was an answer.
    pub status: Option<u16>,
    /// The `errcode` of a WeCom bot.
    pub code: Option<i64>,
    /// How long it asks to wait.
    pub retry_after: Option<Span>,
    /// How the answer begins, or what broke; scrubbed and short.
    pub said: String,
}

impl Error {
    /// No answer, or none that could be read.
    pub(super) const fn broken(side: Side, kind: FailureKind, said: String) -> Self {
        Self { side, kind, status: None, code: None, retry_after: None, said }
    }

    /// An answer that is no success by its status.
    pub(super) const fn answered(side: Side, status: u16, retry_after: Option<Span>, said: String) -> Self {
        Self { side, kind: by_status(status), status: Some(status), code: None, retry_after, said }
    }

    /// An answer of a WeCom bot that is no success by its code; for a code nobody knows the status decides.
    pub(super) fn coded(status: u16, code: i64, retry_after: Option<Span>, said: String) -> Self {
        let kind = match by_code(code) {
            FailureKind::Refused if !matches!(status, 200..=299) => by_status(status),
            kind => kind,
        };
        let retry_after = retry_after.or_else(|| (kind == FailureKind::Throttled).then_some(WECOM_REST));
        Self { side: Side::Wecom, kind, status: Some(status), code: Some(code), retry_after, said }
    }

    /// What happened and what to do, for people.
    pub fn message(&self) -> Message {
        let words = self.words();
        let said = if self.said.is_empty() { String::new() } else { format!(": {}", self.said) };
        let number = match (self.code, self.status) {
            (Some(code), _) => format!(" [errcode {code}{said}]"),
            (None, Some(status)) => format!(" [HTTP {status}{said}]"),
            (None, None) => format!(" [{}]", self.said),
        };
        Message::new(format!("{}{number}", words.zh), format!("{}{number}", words.en))
    }

    /// As the end of a send.
    pub fn failure(&self) -> Failure {
        Failure { kind: self.kind, retry_after: self.retry_after, reason: self.message() }
    }

    fn words(&self) -> Message {
        match (self.side, self.kind, self.status) {
            (Side::Wecom, FailureKind::Setup, _) => Message::new(
                "企业微信不认这个机器人：可能已被移出群，或地址里的 key 不对。请在群机器人里重新复制地址，改好配置后重启",
                "WeCom does not know this bot: it was removed from the group, or the key of its address is wrong. Copy \
                 the address again, mend the configuration and restart",
            ),
            (Side::Wecom, FailureKind::Throttled, _) => Message::new(
                "企业微信限制了这个机器人的频率，会自动重试",
                "WeCom limits how often this bot may post; it is tried again by itself",
            ),
            (Side::Wecom, FailureKind::Content | FailureKind::Refused, _) => {
                Message::new("企业微信拒绝了这条消息", "WeCom refuses this message")
            }
            (_, FailureKind::Unreachable, None) => Message::new(
                "连不上对方：请检查地址、网络和代理，会自动重试",
                "the other side cannot be reached: check address, network and proxy; it is tried again by itself",
            ),
            (_, FailureKind::Uncertain, _) => Message::new(
                "不知道对方收到没有，会再发一次并注明可能重复",
                "nobody knows whether it arrived; it is sent again, marked as a possible repeat",
            ),
            (_, FailureKind::Unreachable, _) => Message::new(
                "对方暂时出错，会自动重试",
                "the other side fails at the moment; it is tried again by itself",
            ),
            (_, FailureKind::Throttled, _) => Message::new(
                "对方要求放慢，会自动重试",
                "the other side asks to slow down; it is tried again by itself",
            ),
            (_, FailureKind::Setup, Some(300..=399)) => Message::new(
                "对方要求转到另一个地址，deskbell 不会跟过去。请把新地址写进配置后重启",
                "the other side redirects, which deskbell does not follow: write the new address into the \
                 configuration and restart",
            ),
            (_, FailureKind::Setup, Some(401 | 403 | 407)) => Message::new(
                "对方不接受凭证：请核对 bearer（以及代理），改好配置后重启",
                "the other side does not accept the credentials: check `bearer` (and the proxy), mend the configuration \
                 and restart",
            ),
            (_, FailureKind::Setup, _) => Message::new(
                "这个地址不收通知：请核对接收方的地址，改好配置后重启",
                "nothing takes notices at this address: check the receiver's address, mend the configuration and restart",
            ),
            (_, FailureKind::TooLong, _) => Message::new("对方嫌内容太大", "the body is too large for the other side"),
            _ => Message::new(
                "对方拒绝了这条通知：它收的可能不是 Alertmanager webhook（version 4）格式",
                "the other side refuses this notice: what it takes may not be Alertmanager's webhook format (version 4)",
            ),
        }
    }
}

/// What a status without a success means. 502 and 503 are a receiver that is away; behind 504 it may have been reached.
const fn by_status(status: u16) -> FailureKind {
    match status {
        429 => FailureKind::Throttled,
        504 => FailureKind::Uncertain,
        408 | 425 | 500..=599 => FailureKind::Unreachable,
        300..=399 | 401 | 403 | 404 | 405 | 407 | 410 => FailureKind::Setup,
        413 => FailureKind::TooLong,
        400..=499 => FailureKind::Content,
        _ => FailureKind::Uncertain,
    }
}

/// What a WeCom bot's code means. No page of the vendor is at hand: UNCONFIRMED, from what its users report.
const fn by_code(code: i64) -> FailureKind {
    match code {
        // The system is busy.
        -1 => FailureKind::Unreachable,
        // Too often: 20 messages a minute.
        45_009 | 45_033 => FailureKind::Throttled,
        // The webhook is no more, its key is wrong, or this machine's address is not on its list.
        93_000 | 93_008 | 40_014 | 40_001 | 301_019 | 60_020 => FailureKind::Setup,
        // A kind or a parameter of the message it does not take.
        40_008 | 40_058 | 44_004 => FailureKind::Content,
        // The text is too long.
        45_002 => FailureKind::TooLong,
        _ => FailureKind::Refused,
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.message().en)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_say_what_may_be_done() {
        let table = [
            (301, FailureKind::Setup),
            (308, FailureKind::Setup),
            (400, FailureKind::Content),
            (401, FailureKind::Setup),
            (403, FailureKind::Setup),
            (404, FailureKind::Setup),
            (408, FailureKind::Unreachable),
            (413, FailureKind::TooLong),
            (422, FailureKind::Content),
            (425, FailureKind::Unreachable),
            (429, FailureKind::Throttled),
            (500, FailureKind::Unreachable),
            (502, FailureKind::Unreachable),
            (503, FailureKind::Unreachable),
            (504, FailureKind::Uncertain),
            (599, FailureKind::Unreachable),
            (100, FailureKind::Uncertain),
            (999, FailureKind::Uncertain),
        ];
        for (status, kind) in table {
            assert_eq!(Error::answered(Side::Http, status, None, String::new()).kind, kind, "{status}");
        }
    }

    #[test]
    fn codes_say_what_may_be_done() {
        let table = [
            (-1, FailureKind::Unreachable),
            (45_009, FailureKind::Throttled),
            (93_000, FailureKind::Setup),
            (40_008, FailureKind::Content),
            (40_058, FailureKind::Content),
            (45_002, FailureKind::TooLong),
            (123_456, FailureKind::Refused),
        ];
        for (code, kind) in table {
            let error = Error::coded(200, code, None, "said".to_owned());
            assert_eq!(error.kind, kind, "{code}");
            assert_eq!(error.retry_after.is_some(), kind == FailureKind::Throttled, "{code}");
            assert!(error.message().en.contains(&format!("[errcode {code}: said]")), "{}", error.message());
        }
    }

    #[test]
    fn every_failure_has_words_with_the_next_step() {
        let mut seen = std::collections::BTreeSet::new();
        for status in [301, 400, 401, 404, 413, 429, 500, 504] {
            let message = Error::answered(Side::Http, status, None, String::new()).message();
            assert!(message.en.contains(&format!("[HTTP {status}]")), "{message}");
            assert!(seen.insert(message.zh.clone()), "{message}");
        }
        let broken = Error::broken(Side::Http, FailureKind::Unreachable, "refused".to_owned());
        assert!(broken.message().zh.ends_with("[refused]"), "{}", broken.message());
    }
}
