//! Posts a notice and reads what became of it. Nothing is tried again here: that is the desk's.

use bytes::Bytes;
use reqwest::{
    RequestBuilder, Response, Url,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::{
    adapters::{
        clock::Clock,
        http::{self, Broken, BrokenKind},
        outgoing::{
            config::{Config, HttpConfig, WecomConfig},
            error::{Error, SAID_CHARS_MAX, Side},
            wecom,
            wire::{self, Told},
        },
        secret,
    },
    domain::{
        card::{Card, cut, one_line},
        delivery::FailureKind,
        notice::Send,
        time::Span,
    },
};

/// Bytes of an answer that are read.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Parts of an address shorter than this are no secrets: taking `v1` out of every sentence would help nobody.
const SECRET_CHARS_MIN: usize = 6;

/// A receiver that is told over plain HTTP.
#[derive(Clone)]
pub struct Client {
    config: Config,
    /// What must not come back in an error, longest first.
    secrets: Vec<SecretString>,
    http: reqwest::Client,
    clock: Clock,
}

impl Client {
    /// A client of one receiver. Nothing is asked before the first notice.
    pub fn new(config: &Config, http: reqwest::Client, clock: Clock) -> Self {
        Self { secrets: secrets_of(config), config: config.clone(), http, clock }
    }

    /// Posts a notice; `card` is what its template made of it.
    ///
    /// # Errors
    /// It was refused, or nobody knows whether it arrived.
    pub async fn post(&self, send: &Send, card: &Card) -> Result<(), Error> {
        let now = self.clock.now();
        match &self.config {
            Config::Http(config) => self.post_alerts(config, wire::body(send, card, now)).await,
            Config::Wecom(config) => self.post_markdown(config, wecom::body(card, send.locale)).await,
        }
    }

    /// Posts a drill: to a receiver that opens incidents, its end right after its beginning, so that none stays open.
    ///
    /// # Errors
    /// As [`Client::post`].
    pub async fn post_drill(&self, send: &Send, card: &Card) -> Result<(), Error> {
        let Config::Http(config) = &self.config else { return self.post(send, card).await };
        let now = self.clock.now();
        for told in [Told::Begun, Told::Over] {
            self.post_alerts(config, wire::drill(send, card, told, now)).await?;
        }
        Ok(())
    }

    async fn post_alerts(&self, config: &HttpConfig, body: String) -> Result<(), Error> {
        let mut request = self.http.post(config.url.expose_secret()).body(body);
        if let Some(bearer) = &config.bearer {
            let value = SecretString::from(format!("Bearer {}", bearer.expose_secret()));
            request = request.header(AUTHORIZATION, http::hidden(&value));
        }
        let answer = self.exchange(Side::Http, request).await?;
        if (200..=299).contains(&answer.status) {
            return Ok(());
        }
        let said = self.said(&answer.body);
        Err(Error::answered(Side::Http, answer.status, answer.retry_after, said))
    }

    async fn post_markdown(&self, config: &WecomConfig, body: String) -> Result<(), Error> {
        let answer = self.exchange(Side::Wecom, self.http.post(config.url.expose_secret()).body(body)).await?;
        let parsed: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let code = parsed.as_ref().and_then(code_of);
        let (status, wait) = (answer.status, answer.retry_after);
        match code {
            Some(0) if (200..=299).contains(&status) => Ok(()),
            None | Some(0) => Err(Error::answered(Side::Wecom, status, wait, self.said(&answer.body))),
            Some(code) => {
                let said = parsed.as_ref().and_then(|answer| answer.get("errmsg")?.as_str()).unwrap_or_default();
                Err(Error::coded(status, code, wait, self.said(said.as_bytes())))
            }
        }
    }

    async fn exchange(&self, side: Side, request: RequestBuilder) -> Result<Answer, Error> {
        let response = match request.header(CONTENT_TYPE, "application/json; charset=utf-8").send().await {
            Ok(response) => response,
            Err(error) => return Err(self.broken(side, &error.into())),
        };
        let status = response.status().as_u16();
        let retry_after = http::retry_after(response.headers(), self.clock.now());
        match self.body(response).await {
            Ok(body) => Ok(Answer { status, retry_after, body }),
            // By its status alone it is known what became of the notice.
            Err(_) if side == Side::Http || status >= 300 => Ok(Answer { status, retry_after, body: Bytes::new() }),
            Err(cut) => Err(self.broken(side, &cut)),
        }
    }

    async fn body(&self, response: Response) -> Result<Bytes, Broken> {
        http::read_body(response, ANSWER_BYTES_MAX).await
    }

    fn broken(&self, side: Side, broken: &Broken) -> Error {
        let kind = match broken.kind {
            BrokenKind::NotSent => FailureKind::Unreachable,
            BrokenKind::TimedOut | BrokenKind::CutOff | BrokenKind::TooLarge => FailureKind::Uncertain,
        };
        Error::broken(side, kind, self.said(broken.reason.as_bytes()))
    }

    /// How an answer begins: one line, short, without what it was sent.
    fn said(&self, body: &[u8]) -> String {
        let text = String::from_utf8_lossy(body);
        let secrets: Vec<&SecretString> = self.secrets.iter().collect();
        let text = secret::scrub(&text, &secrets);
        if text.trim_start().starts_with('<') {
            return "a page of HTML".to_owned();
        }
        cut(&one_line(&text), SAID_CHARS_MAX)
    }
}

/// What was answered.
struct Answer {
    status: u16,
    retry_after: Option<Span>,
    body: Bytes,
}

/// The code of a WeCom bot's answer, as a number or as text.
fn code_of(answer: &Value) -> Option<i64> {
    let code = answer.get("errcode")?;
    code.as_i64().or_else(|| code.as_str()?.trim().parse().ok())
}

/// The address, and every part of it that may be a secret by itself: an answer may quote what was asked for.
fn secrets_of(config: &Config) -> Vec<SecretString> {
    let (url, own) = match config {
        Config::Http(config) => (&config.url, config.bearer.clone()),
        Config::Wecom(config) => (&config.url, Some(config.key())),
    };
    let mut parts = vec![url.expose_secret().to_owned()];
    if let Ok(url) = Url::parse(url.expose_secret()) {
        parts.push(url.path().to_owned());
        parts.extend(url.password().map(str::to_owned));
        parts.extend(url.query().map(str::to_owned));
        parts.extend(url.path().split('/').map(str::to_owned));
        parts.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
    }
    parts.retain(|part| part.chars().count() >= SECRET_CHARS_MIN);
    parts.extend(own.map(|own| own.expose_secret().to_owned()));
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    parts.into_iter().map(SecretString::from).collect()
}

#[cfg(test)]
mod tests;
