//! The tenant token: fetched once for all who wait, renewed before it ends, thrown away when it is refused
//! (`facts/feishu.md §1`). Never persisted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::{
    adapters::feishu::{
        client::{Client, Exchange},
        config::Config,
        error::{Advice, Endpoint, Error},
    },
    domain::time::{Span, Timestamp},
};

/// Below this the platform issues a new token; asking earlier only returns the same one (`facts/feishu.md §1.2`).
pub(super) const TOKEN_RENEW_BELOW: Span = Span::from_mins(30);

/// Below this a token is not used any more.
pub(super) const TOKEN_UNUSABLE_BELOW: Span = Span::from_mins(5);

/// The longest a token can live.
pub(super) const TOKEN_LIFE_MAX: Span = Span::from_hours(2);

/// Two renewals in the background are at least this far apart.
pub(super) const TOKEN_RENEWAL_APART: Span = Span::from_mins(1);

/// So long wrong credentials are not tried again.
pub(super) const TOKEN_REFUSED_HELD: Span = Span::from_secs(10);

/// What a fetch is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// Any token that can be used.
    Any,
    /// One that lives longer than the one there is.
    Newer,
}

/// A token, shared by the calls that use it.
pub(super) type Token = Arc<SecretString>;

/// The one token of an app.
pub(super) struct Tokens {
    app_id: String,
    pub(super) app_secret: SecretString,
    state: Mutex<State>,
    /// Held by whoever fetches: all others wait for that answer.
    gate: tokio::sync::Mutex<()>,
}

struct State {
    current: Option<(Token, Timestamp)>,
    /// Counts fetches that ended, so that those who waited know that one did.
    ended: u64,
    failed: Option<(Error, Timestamp)>,
    renew_not_before: Timestamp,
}

impl Tokens {
    pub(super) fn new(config: &Config) -> Self {
        let state = State { current: None, ended: 0, failed: None, renew_not_before: Timestamp::MIN };
        Self {
            app_id: config.app_id.clone(),
            app_secret: config.app_secret.clone(),
            state: Mutex::new(state),
            gate: tokio::sync::Mutex::new(()),
        }
    }

    /// The app and its secret.
    pub(super) fn credentials(&self) -> (&str, &SecretString) {
        (&self.app_id, &self.app_secret)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Throws the token away if it is the one that was refused; another call may have renewed it already.
    pub(super) fn evict(&self, refused: &Token) {
        let mut state = self.state();
        if state.current.as_ref().is_some_and(|(token, _)| token.expose_secret() == refused.expose_secret()) {
            state.current = None;
        }
    }
}

impl State {
    /// The token, and whether it should be renewed.
    fn usable(&self, now: Timestamp) -> Option<(Token, bool)> {
        let (token, until) = self.current.as_ref()?;
        let left = until.since(now);
        (left >= TOKEN_UNUSABLE_BELOW).then(|| (token.clone(), left < TOKEN_RENEW_BELOW))
    }
}

impl Client {
    /// A token that still lives for a while.
    pub(super) async fn token(&self) -> Result<Token, Error> {
        let now = self.now();
        let usable = {
            let mut state = self.tokens().state();
            let usable = state.usable(now);
            match usable {
                Some((token, true)) if now >= state.renew_not_before => {
                    state.renew_not_before = now.plus(TOKEN_RENEWAL_APART);
                    Some((token, true))
                }
                other => other.map(|(token, _)| (token, false)),
            }
        };
        match usable {
            Some((token, renew)) => {
                if renew {
                    let client = self.clone();
                    tokio::spawn(async move {
                        if let Err(error) = client.fetch_token(Wanted::Newer).await {
                            tracing::warn!(%error, "the tenant token could not be renewed");
                        }
                    });
                }
                Ok(token)
            }
            None => self.fetch_token(Wanted::Any).await,
        }
    }

    /// Asks for a token, or waits for whoever is asking already.
    async fn fetch_token(&self, wanted: Wanted) -> Result<Token, Error> {
        let tokens = self.tokens();
        let ended_before = tokens.state().ended;
        let gate = tokens.gate.lock().await;
        {
            let state = tokens.state();
            let now = self.now();
            if (wanted == Wanted::Any || state.ended != ended_before)
                && let Some((token, _)) = state.usable(now)
            {
                return Ok(token);
            }
            if let Some((error, until)) = &state.failed
                && (state.ended != ended_before || now < *until)
            {
                return Err(error.clone());
            }
        }
        let result = self.ask_token().await;
        let mut state = tokens.state();
        state.ended += 1;
        let now = self.now();
        let result = match result {
            Ok((token, life)) => {
                state.failed = None;
                state.current = Some((token.clone(), now.plus(life)));
                Ok(token)
            }
            Err(error) => {
                let held = if error.advice == Advice::SetUp { TOKEN_REFUSED_HELD } else { Span::ZERO };
                state.failed = Some((error.clone(), now.plus(held)));
                Err(error)
            }
        };
        drop(state);
        drop(gate);
        result
    }

    async fn ask_token(&self) -> Result<(Token, Span), Error> {
        let tokens = self.tokens();
        let body = json!({ "app_id": tokens.app_id, "app_secret": tokens.app_secret.expose_secret() });
        let url = self.url(&["open-apis", "auth", "v3", "tenant_access_token", "internal"]);
        let exchange = Exchange {
            endpoint: Endpoint::Token,
            request: self.http().post(url).body(body.to_string()),
            secrets: &[&tokens.app_secret],
        };
        exchange.run(|body| read_token(body)).await
    }
}

/// The flat body of `facts/feishu.md §1.1`.
fn read_token(body: &[u8]) -> Option<(Token, Span)> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    if crate::adapters::feishu::wire::code_of(&answer)? != 0 {
        return None;
    }
    let token = answer.get("tenant_access_token")?.as_str().filter(|token| !token.is_empty())?;
    let life = answer.get("expire").and_then(|secs| secs.as_i64().or_else(|| secs.as_str()?.parse().ok()));
    let life = life.map_or(TOKEN_RENEW_BELOW, Span::from_secs).min(TOKEN_LIFE_MAX);
    Some((Arc::new(SecretString::from(token.to_owned())), life))
}

#[cfg(test)]
mod tests;
