//! How the platform wants the connection kept: its `ClientConfig`, which comes with the address and with every pong
//! (`facts/feishu.md §6.1, §6.4`). What is missing or makes no sense changes nothing.

use serde_json::Value;

use crate::domain::time::Span;

/// The time between two pings, at least and at most: below it is a flood, above it a dead connection goes unnoticed.
pub const PING_MIN: Span = Span::from_secs(5);

/// See [`PING_MIN`].
pub const PING_MAX: Span = Span::from_mins(10);

/// The longest wait between two attempts to connect that the platform can ask for.
pub const RECONNECT_MAX: Span = Span::from_mins(10);

/// The longest first wait after a loss that the platform can ask for.
pub const NONCE_MAX: Span = Span::from_mins(2);

/// How the platform wants the connection kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Attempts before it wants to be left alone; absent: no end.
    pub reconnect_count: Option<u32>,
    /// The time between two attempts.
    pub reconnect_every: Span,
    /// The first attempt after a loss comes within this time, at a random instant.
    pub reconnect_within: Span,
    /// The time between two pings.
    pub ping_every: Span,
}

impl Default for Settings {
    /// What the platform sends as a rule.
    fn default() -> Self {
        Self {
            reconnect_count: None,
            reconnect_every: Span::from_secs(120),
            reconnect_within: Span::from_secs(30),
            ping_every: Span::from_secs(120),
        }
    }
}

impl Settings {
    /// These settings with what `config` says; what it does not say stays.
    pub fn with(self, config: &Value) -> Self {
        let number = |key| config.get(key).and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()));
        let seconds = |key, min: Span, max: Span| {
            let number = number(key).filter(|number| *number > 0)?;
            Some(Span::from_secs(number.min(max.as_secs())).max(min))
        };
        Self {
            reconnect_count: match number("ReconnectCount") {
                Some(count @ 0..) => u32::try_from(count).ok(),
                Some(_) => None,
                None => self.reconnect_count,
            },
            reconnect_every: seconds("ReconnectInterval", Span::from_secs(1), RECONNECT_MAX)
                .unwrap_or(self.reconnect_every),
            reconnect_within: match number("ReconnectNonce") {
                Some(0) => Span::ZERO,
                _ => seconds("ReconnectNonce", Span::ZERO, NONCE_MAX).unwrap_or(self.reconnect_within),
            },
            ping_every: seconds("PingInterval", PING_MIN, PING_MAX).unwrap_or(self.ping_every),
        }
    }

    /// These settings with what a pong carries: nothing, or the same as JSON.
    pub fn with_payload(self, payload: &[u8]) -> Self {
        serde_json::from_slice(payload).map_or(self, |config| self.with(&config))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(settings: Settings) -> (Option<u32>, i64, i64, i64) {
        let Settings { reconnect_count, reconnect_every, reconnect_within, ping_every } = settings;
        (reconnect_count, reconnect_every.as_secs(), reconnect_within.as_secs(), ping_every.as_secs())
    }

    #[test]
    fn only_what_makes_sense_is_taken() {
        let usual = (None, 120, 30, 120);
        let cases = [
            ("", usual),
            ("{}", usual),
            ("null", usual),
            ("[1]", usual),
            ("not json", usual),
            (
                r#"{"ReconnectCount":-1,"ReconnectInterval":60,"ReconnectNonce":10,"PingInterval":90}"#,
                (None, 60, 10, 90),
            ),
            (r#"{"ReconnectCount":3,"ReconnectNonce":0}"#, (Some(3), 120, 0, 120)),
            (r#"{"ReconnectCount":0}"#, (Some(0), 120, 30, 120)),
            (r#"{"PingInterval":0,"ReconnectInterval":0}"#, usual),
            (r#"{"PingInterval":-7,"ReconnectInterval":-1,"ReconnectNonce":-1}"#, usual),
            (r#"{"PingInterval":"45"}"#, (None, 120, 30, 45)),
            (r#"{"PingInterval":1,"ReconnectInterval":1}"#, (None, 1, 30, 5)),
            (
                r#"{"PingInterval":9223372036854775807,"ReconnectInterval":86400,"ReconnectNonce":86400}"#,
                (None, 600, 120, 600),
            ),
            (r#"{"PingInterval":1.5,"ReconnectCount":99999999999}"#, usual),
        ];
        for (payload, expected) in cases {
            assert_eq!(numbers(Settings::default().with_payload(payload.as_bytes())), expected, "{payload}");
        }
    }

    #[test]
    fn what_is_not_said_again_stays() {
        let changed = Settings::default().with_payload(br#"{"PingInterval":30,"ReconnectCount":5}"#);
        assert_eq!(numbers(changed.with_payload(br#"{"PingInterval":60}"#)), (Some(5), 120, 30, 60));
        assert_eq!(numbers(changed.with_payload(br#"{"ReconnectCount":-1}"#)), (None, 120, 30, 30));
    }
}
