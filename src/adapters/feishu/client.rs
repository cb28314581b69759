//! One app's client: every call with the tenant token, judged by the body's code, repeated once when the token was
//! refused. Never a retry beyond that: retrying is the engine's.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::{
    Method, RequestBuilder, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName},
};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    adapters::{
        clock::Clock,
        feishu::{
            config::{BaseUrl, Config},
            error::{Advice, Endpoint, Error},
            skew::Skew,
            table,
            token::{Token, Tokens},
            wire::{self, Failed},
        },
        http::{self, Broken, BrokenKind},
        secret,
    },
    domain::time::Timestamp,
};

/// Bytes of an answer. A page of 200 tickets has about 350 KB (`facts/feishu.md §2.4`); notes may make it larger.
pub const ANSWER_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What carries a helpdesk's keys (`facts/feishu.md §2.1`).
const HELPDESK_AUTHORIZATION: HeaderName = HeaderName::from_static("x-lark-helpdesk-authorization");

/// A client of one app. Clones share its token.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    base: BaseUrl,
    http: reqwest::Client,
    clock: Clock,
    tokens: Tokens,
    skew: Skew,
}

/// One call.
pub(super) struct Call<'a> {
    pub(super) endpoint: Endpoint,
    pub(super) method: Method,
    /// Below `/open-apis/`, each segment escaped.
    pub(super) path: &'a [&'a str],
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<String>,
    pub(super) helpdesk: Option<&'a HelpdeskKey>,
}

impl<'a> Call<'a> {
    /// A reading call without a body.
    pub(super) const fn get(endpoint: Endpoint, path: &'a [&'a str]) -> Self {
        Self { endpoint, method: Method::GET, path, query: Vec::new(), body: None, helpdesk: None }
    }

    /// A call with a JSON body.
    pub(super) const fn with_body(endpoint: Endpoint, method: Method, path: &'a [&'a str], body: String) -> Self {
        Self { endpoint, method, path, query: Vec::new(), body: Some(body), helpdesk: None }
    }
}

/// A helpdesk's keys, as the header carries them.
pub(super) struct HelpdeskKey {
    pub(super) token: SecretString,
    pub(super) header: SecretString,
}

impl Client {
    /// A client for the app of `config`. Nothing is asked before the first call.
    pub fn new(config: &Config, http: reqwest::Client, clock: Clock) -> Self {
        Self(Arc::new(Inner {
            base: config.base_url.clone(),
            http,
            clock,
            tokens: Tokens::new(config),
            skew: Skew::default(),
        }))
    }

    /// Makes sure that the credentials are good: a token is there, or is fetched.
    pub async fn check_credentials(&self) -> Result<(), Error> {
        self.token().await.map(drop)
    }

    /// Milliseconds the platform's clock is ahead of ours as its last answer showed, negative if it is behind.
    pub fn clock_ahead_ms(&self) -> i64 {
        self.0.skew.ahead_ms()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(super) fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    pub(super) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    pub(super) fn url(&self, segments: &[&str]) -> Url {
        self.0.base.join(segments)
    }

    /// Makes the call; `read` takes what it needs from a body that says it succeeded.
    pub(super) async fn call<T>(&self, call: &Call<'_>, read: impl Fn(&Bytes) -> Option<T>) -> Result<T, Error> {
        if let Some(bad) = call.path.iter().find(|segment| matches!(**segment, "" | "." | "..")) {
            let said = format!("{bad:?} is not an id");
            return Err(Error::local(call.endpoint, Advice::GiveUp, said));
        }
        let token = self.token().await?;
        match self.once(call, &token, &read).await {
            Err(error) if error.code.is_some_and(|code| table::TOKEN_REFUSED.contains(&code)) => {
                tracing::info!(%error, "the tenant token was refused; asking for another one");
                self.0.tokens.evict(&token);
                let token = self.token().await?;
                self.once(call, &token, &read).await
            }
            result => result,
        }
    }

    async fn once<T>(&self, call: &Call<'_>, token: &Token, read: impl Fn(&Bytes) -> Option<T>) -> Result<T, Error> {
        let mut path = vec!["open-apis"];
        path.extend(call.path);
        let mut url = self.url(&path);
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let bearer = SecretString::from(format!("Bearer {}", token.expose_secret()));
        let mut request = self.0.http.request(call.method.clone(), url).header(AUTHORIZATION, http::hidden(&bearer));
        let mut secrets = vec![&**token, &self.0.tokens.app_secret];
        if let Some(key) = call.helpdesk {
            request = request.header(HELPDESK_AUTHORIZATION, http::hidden(&key.header));
            secrets.extend([&key.header, &key.token]);
        }
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        let sent_at = self.now();
        let note_date = |headers: &HeaderMap| self.0.skew.note(headers, sent_at, &self.0.clock);
        Exchange { endpoint: call.endpoint, request, secrets: &secrets }.run_noting(read, note_date).await
    }
}

/// One request and its answer.
pub(super) struct Exchange<'a> {
    pub(super) endpoint: Endpoint,
    pub(super) request: RequestBuilder,
    /// What must not come back in an error.
    pub(super) secrets: &'a [&'a SecretString],
}

impl Exchange<'_> {
    /// Sends, receives, and reads the body; whatever `read` does not take is an error.
    pub(super) async fn run<T>(self, read: impl Fn(&Bytes) -> Option<T>) -> Result<T, Error> {
        self.run_noting(read, |_| {}).await
    }

    /// The same; `note` sees the headers of whatever is answered.
    async fn run_noting<T>(self, read: impl Fn(&Bytes) -> Option<T>, note: impl Fn(&HeaderMap)) -> Result<T, Error> {
        let request = self.request.header(CONTENT_TYPE, "application/json; charset=utf-8");
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Err(broken(self.endpoint, error.into(), self.secrets)),
        };
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        note(&headers);
        let body = match http::read_body(response, ANSWER_BYTES_MAX).await {
            Ok(body) => body,
            Err(cut) => {
                let mut error = broken(self.endpoint, cut, self.secrets);
                error.status = Some(status);
                error.log_id = wire::log_id(&headers);
                return Err(error);
            }
        };
        if let Some(value) = read(&body) {
            return Ok(value);
        }
        let failed = Failed { endpoint: self.endpoint, status, headers: &headers, body: &body, secrets: self.secrets };
        Err(failed.error())
    }
}

/// An exchange that broke off. Only what people could see twice is uncertain.
fn broken(endpoint: Endpoint, broken: Broken, secrets: &[&SecretString]) -> Error {
    let advice = match broken.kind {
        BrokenKind::NotSent => Advice::Retry,
        BrokenKind::TimedOut | BrokenKind::CutOff | BrokenKind::TooLarge if endpoint.is_write() => Advice::RetrySameKey,
        BrokenKind::TimedOut | BrokenKind::CutOff | BrokenKind::TooLarge => Advice::Retry,
    };
    Error::local(endpoint, advice, secret::scrub(&broken.reason, secrets))
}

#[cfg(test)]
mod tests;
