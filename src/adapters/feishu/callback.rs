//! What the platform posts to `/feishu/events`: verified, decrypted, opened (`facts/feishu.md §5`). It keeps nothing:
//! telling redeliveries apart is the desk's.

use std::fmt;

use reqwest::header::{HeaderMap, HeaderName};
use secrecy::SecretString;
use serde_json::Value;

use crate::{
    adapters::feishu::{
        click::{self, Form},
        crypt,
        event::{self, Envelope, Event, EventReader},
    },
    domain::{
        text::{Message, Words},
        time::{Span, Timestamp},
    },
};

/// How far a callback's own time may be from ours, either way. The platform names no limit; redeliveries are signed
/// anew.
pub const CALLBACK_AGE_MAX: Span = Span::from_hours(1);

const TIMESTAMP: HeaderName = HeaderName::from_static("x-lark-request-timestamp");
const NONCE: HeaderName = HeaderName::from_static("x-lark-request-nonce");
const SIGNATURE: HeaderName = HeaderName::from_static("x-lark-signature");

/// Opens what is posted for one app.
pub struct Callback {
    verification_token: SecretString,
    encrypt_key: Option<SecretString>,
    events: EventReader,
}

/// What was posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// The console checks the address: answer `{"challenge": …}` at once.
    Challenge(String),
    /// Something happened.
    Event(Event),
}

/// Why a post is turned away: a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reject {
    /// The body is no JSON object.
    NotJson,
    /// It is encrypted, and no key is configured.
    NoKey,
    /// It is not encrypted, and a key is configured.
    NotEncrypted,
    /// It cannot be decrypted: another key, or damage.
    Undecryptable,
    /// It carries no signature.
    Unsigned,
    /// Its signature is wrong.
    BadSignature,
    /// Its time is too far from ours.
    Stale,
    /// It carries another verification token.
    WrongToken,
}

impl Reject {
    /// The HTTP status for it. What an attacker could tell apart about a ciphertext has one and the same.
    pub const fn status(self) -> u16 {
        match self {
            Self::NotJson => 400,
            Self::NoKey
            | Self::NotEncrypted
            | Self::Undecryptable
            | Self::Unsigned
            | Self::BadSignature
            | Self::Stale
            | Self::WrongToken => 401,
        }
    }

    /// Its word in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::NoKey => "no_key",
            Self::NotEncrypted => "not_encrypted",
            Self::Undecryptable => "undecryptable",
            Self::Unsigned => "unsigned",
            Self::BadSignature => "bad_signature",
            Self::Stale => "stale",
            Self::WrongToken => "wrong_token",
        }
    }

    /// What happened and what to do.
    pub fn message(self) -> Message {
        let words = match self {
            Self::NotJson => Words {
                zh: "回调内容不是 JSON；很可能不是飞书发来的。",
                en: "the callback is not JSON; most likely it is not from Feishu.",
            },
            Self::NoKey => Words {
                zh: "回调是加密的，但没有配置 feishu.events.encrypt_key。在开发者后台 → 事件与回调 → 加密策略复制 Encrypt Key。",
                en: "the callback is encrypted and feishu.events.encrypt_key is not set. Copy the Encrypt Key from the \
                     developer console, Events & Callbacks, Encryption Strategy.",
            },
            Self::NotEncrypted => Words {
                zh: "配置了 encrypt_key，但回调没有加密。请在开发者后台 → 事件与回调 → 加密策略设置同一个 Encrypt Key。",
                en: "encrypt_key is set and the callback is not encrypted. Set the same Encrypt Key in the developer \
                     console, Events & Callbacks, Encryption Strategy.",
            },
            Self::Undecryptable => Words {
                zh: "回调解密失败：encrypt_key 与开发者后台不一致，或内容损坏。",
                en: "the callback cannot be decrypted: encrypt_key differs from the developer console's, or it is \
                     damaged.",
            },
            Self::Unsigned => Words {
                zh: "回调没有签名；反向代理可能去掉了 X-Lark-* 请求头。",
                en: "the callback is not signed; a reverse proxy may have taken the X-Lark-* headers away.",
            },
            Self::BadSignature => Words {
                zh: "回调签名不对：encrypt_key 不一致，或反向代理改动了内容。",
                en: "the callback's signature is wrong: encrypt_key differs, or a reverse proxy changed the body.",
            },
            Self::Stale => Words {
                zh: "回调的时间与本机相差超过 1 小时；请校准本机时间。",
                en: "the callback's time and ours are more than an hour apart; set this machine's clock.",
            },
            Self::WrongToken => Words {
                zh: "回调的 verification_token 不对；在开发者后台 → 事件与回调 → 加密策略核对。",
                en: "the callback's verification_token is wrong; compare with the developer console, Events & \
                     Callbacks, Encryption Strategy.",
            },
        };
        words.into()
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message().en)
    }
}

impl std::error::Error for Reject {}

impl Callback {
    /// With a key everything but the console's check must be encrypted and signed; without one the token is all that
    /// tells the platform from others.
    pub fn new(verification_token: SecretString, encrypt_key: Option<SecretString>, events: EventReader) -> Self {
        Self { verification_token, encrypt_key, events }
    }

    /// Opens a post: `raw_body` is the body exactly as received.
    pub fn open(&self, headers: &HeaderMap, raw_body: &[u8], now: Timestamp) -> Result<Opened, Reject> {
        let outer = event::object(raw_body).ok_or(Reject::NotJson)?;
        let Some(sealed) = outer.get("encrypt").and_then(Value::as_str) else {
            return self.open_plain(headers, raw_body, &outer, now);
        };
        let key = self.encrypt_key.as_ref().ok_or(Reject::NoKey)?;
        let inner = crypt::decrypt(key, sealed).and_then(|plain| event::object(&plain)).ok_or(Reject::Undecryptable)?;
        if let Some(challenge) = self.challenge(&inner)? {
            return Ok(challenge); // the console's check is not signed
        }
        signed(headers, now, |at, nonce, mark| crypt::is_signed(key, at, nonce, raw_body, mark))?;
        self.event(&inner, now)
    }

    fn open_plain(&self, headers: &HeaderMap, raw_body: &[u8], body: &Value, now: Timestamp) -> Result<Opened, Reject> {
        if let Some(challenge) = self.challenge(body)? {
            return Ok(challenge);
        }
        if click::is_flat(body) {
            // The old form of clicks is never encrypted, and always signed.
            let token = &self.verification_token;
            signed(headers, now, |at, nonce, mark| crypt::is_signed_flat(token, at, nonce, raw_body, mark))?;
            return Ok(Opened::Event(Event::Click(Form::Flat, click::read(body, Form::Flat).map(Box::new))));
        }
        if self.encrypt_key.is_some() {
            return Err(Reject::NotEncrypted);
        }
        self.event(body, now)
    }

    fn challenge(&self, body: &Value) -> Result<Option<Opened>, Reject> {
        if body.get("type").and_then(Value::as_str) != Some("url_verification") {
            return Ok(None);
        }
        self.check_token(body.get("token"))?;
        let challenge = body.get("challenge").and_then(Value::as_str).ok_or(Reject::NotJson)?;
        Ok(Some(Opened::Challenge(challenge.to_owned())))
    }

    fn check_token(&self, given: Option<&Value>) -> Result<(), Reject> {
        let given = given.and_then(Value::as_str).unwrap_or_default();
        if crypt::is_same(&self.verification_token, given) { Ok(()) } else { Err(Reject::WrongToken) }
    }

    fn event(&self, body: &Value, now: Timestamp) -> Result<Opened, Reject> {
        self.check_token(Envelope::of(body).token)?;
        Ok(Opened::Event(self.events.read(body, now)))
    }
}

/// Checks signature and age.
fn signed(
    headers: &HeaderMap,
    now: Timestamp,
    is_signed: impl FnOnce(&[u8], &[u8], &[u8]) -> bool,
) -> Result<(), Reject> {
    let header = |name| headers.get(name).map(|value| value.as_bytes()).filter(|value| !value.is_empty());
    let (Some(timestamp), Some(nonce), Some(signature)) = (header(TIMESTAMP), header(NONCE), header(SIGNATURE)) else {
        return Err(Reject::Unsigned);
    };
    if !is_signed(timestamp, nonce, signature) {
        return Err(Reject::BadSignature);
    }
    let seconds: Option<i64> = std::str::from_utf8(timestamp).ok().and_then(|text| text.trim().parse().ok());
    let at = Timestamp::from_ms(seconds.ok_or(Reject::Stale)?.saturating_mul(1_000));
    let apart = at.since(now).max(now.since(at));
    if apart > CALLBACK_AGE_MAX { Err(Reject::Stale) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
