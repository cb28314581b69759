//! A custom bot of one group: cards in, nothing out (`facts/feishu.md §4`). No key, no reply, no update; its address is
//! a secret and stands in no error.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    adapters::{
        clock::Clock,
        feishu::{
            card,
            client::Exchange,
            config::WebhookConfig,
            error::{Endpoint, Error},
            wire,
        },
    },
    domain::card::{Card, Does},
};

/// A custom bot.
#[derive(Clone)]
pub struct Webhook {
    url: SecretString,
    /// The last part of the address, which alone is as good as the whole.
    token: SecretString,
    secret: Option<SecretString>,
    http: reqwest::Client,
    clock: Clock,
}

impl Webhook {
    /// A custom bot at the configured address.
    pub fn new(config: &WebhookConfig, http: reqwest::Client, clock: Clock) -> Self {
        let token = config.url.expose_secret().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        Self {
            token: SecretString::from(token.to_owned()),
            url: config.url.clone(),
            secret: config.secret.clone(),
            http,
            clock,
        }
    }

    /// Posts a card. Errors arrive with HTTP 200 and a code; a timeout leaves open whether the card is there.
    pub async fn post(&self, card: &Card) -> Result<(), Error> {
        // What a custom bot posts cannot call back (`facts/feishu.md §4`).
        let mut card = card.clone();
        card.buttons.retain(|button| matches!(button.does, Does::Open(_)));
        self.post_json(card::to_value(&card, card::WEBHOOK_CARD_BYTES_MAX)).await
    }

    /// The same for a card that is JSON already, and short enough.
    pub async fn post_json(&self, card: Value) -> Result<(), Error> {
        let mut body = json!({ "msg_type": "interactive", "card": card });
        if let Some(secret) = &self.secret {
            let timestamp = self.clock.now().as_ms().div_euclid(1_000).to_string();
            body["sign"] = json!(sign(&timestamp, secret));
            body["timestamp"] = json!(timestamp);
        }
        let mut secrets = vec![&self.url, &self.token];
        secrets.extend(&self.secret);
        let request = self.http.post(self.url.expose_secret()).body(body.to_string());
        Exchange { endpoint: Endpoint::Webhook, request, secrets: &secrets }.run(|body| accepted(body)).await
    }
}

/// Both shapes of success: with `code`, and the older one with `StatusCode` only.
fn accepted(body: &[u8]) -> Option<()> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    (wire::code_of(&answer)? == 0).then_some(())
}

/// Base64 of HMAC-SHA256 with `timestamp\nsecret` as the key, over nothing.
fn sign(timestamp: &str, secret: &SecretString) -> String {
    let key = format!("{timestamp}\n{}", secret.expose_secret());
    let mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    BASE64_STANDARD.encode(mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_platform_s() {
        let cases = [
            ("1599360473", "demo", "l1N0gAcBjdwBvGm1xMjOF0XSyaLRpR7tuO5dHfhAYc8="),
            ("1716283459", "dGhpcyBpcyBhIGtleQ==", "8EyY+xxfJvzWjZQpdc2mgvQFaG7lF5nbxl7RITyMkJU="),
        ];
        for (timestamp, secret, expected) in cases {
            assert_eq!(sign(timestamp, &SecretString::from(secret)), expected);
        }
    }

    #[test]
    fn both_shapes_of_success_are_accepted_and_nothing_else() {
        let good = [r#"{"StatusCode":0,"code":0,"data":{},"msg":"success"}"#, r#"{"Extra":null,"StatusCode":0}"#];
        let bad = [r#"{"code":19021,"StatusCode":0}"#, "{}", "[]", "<html>", ""];
        for body in good {
            assert!(accepted(body.as_bytes()).is_some(), "{body}");
        }
        for body in bad {
            assert!(accepted(body.as_bytes()).is_none(), "{body}");
        }
    }
}
