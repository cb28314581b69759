//! Who may ask the admin API, and who may act through it: bearer tokens, each with a name and a scope.

use std::fmt;

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use smol_str::SmolStr;
use subtle::ConstantTimeEq;

use crate::{domain::text::Message, web::problem::Problem};

/// What a token opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Questions, which change nothing.
    Read,
    /// Deeds too: taking, silences, the outbox, reloading.
    Act,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Read, Self::Act];

    /// Its word in the configuration and in the reference.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Act => "act",
        }
    }
}

/// A bearer token.
#[derive(Clone, Debug)]
pub struct Token {
    /// What the journal calls whoever acts with it and gives no other name; none is the command line's own token.
    pub name: Option<SmolStr>,
    /// What is sent.
    pub secret: SecretString,
    /// What it opens.
    pub scope: Scope,
}

/// The tokens that open `/api`. Without any, `/api` is closed.
#[derive(Clone, Debug, Default)]
pub struct Tokens(Vec<Token>);

/// Whose token came with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The token's name.
    pub name: Option<SmolStr>,
    /// What it opens.
    pub scope: Scope,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Tokens {
    /// These tokens.
    pub const fn new(tokens: Vec<Token>) -> Self {
        Self(tokens)
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose token this is. Every token is compared, in constant time.
    fn caller(&self, given: &str) -> Option<Caller> {
        let given = Sha256::digest(given.as_bytes());
        let mut found = None;
        for token in &self.0 {
            // Hashed, so that the lengths tell nothing either.
            let own = Sha256::digest(token.secret.expose_secret().as_bytes());
            if bool::from(own.as_slice().ct_eq(given.as_slice())) {
                found = Some(Caller { name: token.name.clone(), scope: token.scope });
            }
        }
        found
    }
}

/// Lets through whoever brings a token, and says to the handlers whose it is.
pub async fn ask_for_token(State(tokens): State<Tokens>, mut request: Request, next: Next) -> Response {
    if tokens.is_empty() {
        let message = Message::new("配置里没有 server.api_token", "server.api_token is not set in the configuration");
        return Problem::new(StatusCode::FORBIDDEN, message).into_response();
    }
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let given = given.and_then(|value| value.split_once(' ')).filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
    let Some(caller) = given.and_then(|(_, token)| tokens.caller(token.trim())) else {
        let message = Message::new("要带上令牌：Authorization: Bearer …", "a bearer token is needed");
        let ask = [(header::WWW_AUTHENTICATE, "Bearer")];
        return (ask, Problem::new(StatusCode::UNAUTHORIZED, message)).into_response();
    };
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Lets through only a token that may act.
pub async fn ask_for_act(request: Request, next: Next) -> Response {
    if request.extensions().get::<Caller>().is_some_and(|caller| caller.scope >= Scope::Act) {
        return next.run(request).await;
    }
    needs_act()
}

/// What whoever would act is told whose token may only read.
pub fn needs_act() -> Response {
    let message = Message::new("这个令牌只能查看（scope: read）", "this token may only read (scope: read)");
    let hint = Message::new("用 scope: act 的令牌", "use a token with scope: act");
    let ask = [(header::WWW_AUTHENTICATE, r#"Bearer error="insufficient_scope", scope="act""#)];
    (ask, Problem::new(StatusCode::FORBIDDEN, message).with_hint(hint)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_all_of_it() {
        let token = |name: Option<&str>, secret: &str, scope| Token {
            name: name.map(SmolStr::new),
            secret: SecretString::from(secret.to_owned()),
            scope,
        };
        let tokens = Tokens::new(vec![
            token(None, "0123456789abcdef", Scope::Act),
            token(Some("grafana"), "fedcba9876543210", Scope::Read),
        ]);
        for (given, expected) in [
            ("0123456789abcdef", Some((None, Scope::Act))),
            ("fedcba9876543210", Some((Some("grafana"), Scope::Read))),
            ("0123456789abcde", None),
            ("0123456789abcdef0", None),
            ("", None),
        ] {
            let expected = expected.map(|(name, scope)| Caller { name: name.map(SmolStr::new), scope });
            assert_eq!(tokens.caller(given), expected, "{given}");
        }
        assert!(!format!("{tokens:?}").contains("0123456789abcdef"), "no secret in what is printed");
    }
}
