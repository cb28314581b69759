//! Tenant tokens: issued, reused, revoked (`facts/feishu.md §1`).

use serde_json::{Value, json};

use crate::sim::{
    app::App,
    dice::Dice,
    knobs::Knobs,
    wire::{Answer, Refusal, Request},
};

/// A token with at least this left is handed out again.
const REUSE_MS: i64 = 1_800_000;

/// One issued token.
#[derive(Clone, Debug)]
struct Token {
    text: String,
    expires_ms: i64,
}

/// The tokens that were issued.
#[derive(Clone, Debug, Default)]
pub(crate) struct Auth {
    tokens: Vec<Token>,
}

impl Auth {
    /// `POST auth/v3/tenant_access_token/internal`.
    pub(crate) fn issue(
        &mut self,
        app: &App,
        request: &Request,
        knobs: &Knobs,
        dice: &mut Dice,
        now_ms: i64,
    ) -> Answer {
        let refuse = |code, message: &str| Refusal::new(knobs.credential_status, code, message).into();
        let Some(body) = request.object() else { return refuse(10_003, "invalid param") };
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
        let (app_id, app_secret) = (text("app_id"), text("app_secret"));
        if app_id.is_empty() || app_secret.is_empty() || !app_id.starts_with("cli_") {
            return refuse(10_003, "invalid param");
        }
        if app_id != app.app_id {
            return refuse(10_014, "app id not exists");
        }
        if app_secret != app.app_secret {
            return refuse(10_014, "app secret invalid");
        }
        self.tokens.retain(|token| token.expires_ms > now_ms);
        if self.tokens.last().is_none_or(|token| token.expires_ms - now_ms < REUSE_MS) {
            let text = format!("t-{}", dice.hex(38));
            self.tokens.push(Token { text, expires_ms: now_ms + knobs.token_life_ms });
        }
        let token = self.tokens.last().expect("one was just pushed if there was none");
        let expire = (token.expires_ms - now_ms) / 1000;
        Answer::Whole(json!({ "code": 0, "msg": "ok", "tenant_access_token": token.text, "expire": expire }))
    }

    /// Whether the `Authorization` header carries a token in force.
    pub(crate) fn admit(&self, header: Option<&str>, knobs: &Knobs, now_ms: i64) -> Result<(), Refusal> {
        let refuse = |code, message: &str| Err(Refusal::new(knobs.bad_token_status, code, message));
        let Some(token) = header.and_then(|value| value.strip_prefix("Bearer ")).filter(|token| !token.is_empty())
        else {
            return refuse(
                99_991_661,
                "Missing access token for authorization. Please make a request with token attached",
            );
        };
        if token.starts_with("Bearer ") {
            return refuse(99_991_668, "Invalid access token for authorization");
        }
        if !token.starts_with("t-") && !token.starts_with("u-") {
            return refuse(99_991_671, "Invalid access token: it must start with t- or u-");
        }
        if self.tokens.iter().any(|own| own.text == token && own.expires_ms > now_ms) {
            return Ok(());
        }
        refuse(99_991_663, "Invalid access token for authorization. Please make a request with token attached")
    }

    /// Ends every token now, as an administrator can.
    pub(crate) fn revoke_all(&mut self) {
        self.tokens.clear();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::sim::{
        app::App,
        auth::Auth,
        dice::Dice,
        knobs::Knobs,
        wire::{Answer, Request},
    };

    const MINUTE_MS: i64 = 60_000;

    fn ask(auth: &mut Auth, dice: &mut Dice, body: &serde_json::Value, now_ms: i64) -> serde_json::Value {
        let app = App { app_id: "cli_a".to_string(), app_secret: "s".to_string(), ..App::default() };
        let request = Request::new("POST", "/x").json(body);
        match auth.issue(&app, &request, &Knobs::default(), dice, now_ms) {
            Answer::Whole(value) => value,
            Answer::Refused(refusal) => json!({ "code": refusal.code, "msg": refusal.message }),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn tokens_are_reused_while_thirty_minutes_are_left_and_overlap_after() {
        let (mut auth, mut dice) = (Auth::default(), Dice::new(1));
        let body = json!({ "app_id": "cli_a", "app_secret": "s" });
        let first = ask(&mut auth, &mut dice, &body, 0);
        assert_eq!(first["expire"], 7200);
        let again = ask(&mut auth, &mut dice, &body, 90 * MINUTE_MS);
        assert_eq!(again["tenant_access_token"], first["tenant_access_token"], "thirty minutes are left");
        assert_eq!(again["expire"], 1800);
        let second = ask(&mut auth, &mut dice, &body, 90 * MINUTE_MS + 1);
        assert_ne!(second["tenant_access_token"], first["tenant_access_token"]);

        let knobs = Knobs::default();
        let admitted = |token: &serde_json::Value, at| {
            auth.admit(Some(&format!("Bearer {}", token["tenant_access_token"].as_str().unwrap())), &knobs, at).is_ok()
        };
        assert!(admitted(&first, 119 * MINUTE_MS) && admitted(&second, 119 * MINUTE_MS), "both hold in the overlap");
        assert!(!admitted(&first, 120 * MINUTE_MS) && admitted(&second, 120 * MINUTE_MS));
    }

    #[test]
    fn wrong_credentials_are_told_apart() {
        let table = [
            (json!({}), 10_003, "invalid param"),
            (json!({ "app_id": "", "app_secret": "s" }), 10_003, "invalid param"),
            (json!({ "app_id": "nonsense", "app_secret": "s" }), 10_003, "invalid param"),
            (json!({ "app_id": "cli_b", "app_secret": "s" }), 10_014, "app id not exists"),
            (json!({ "app_id": "cli_a", "app_secret": "x" }), 10_014, "app secret invalid"),
        ];
        for (body, code, message) in table {
            let answer = ask(&mut Auth::default(), &mut Dice::new(1), &body, 0);
            assert_eq!((answer["code"].as_i64(), answer["msg"].as_str()), (Some(code), Some(message)), "{body}");
        }
    }

    #[test]
    fn a_bad_authorization_header_has_its_own_code() {
        let table = [
            (None, 99_991_661),
            (Some("Bearer "), 99_991_661),
            (Some("t-naked"), 99_991_661),
            (Some("Bearer Bearer t-x"), 99_991_668),
            (Some("Bearer x"), 99_991_671),
            (Some("Bearer t-unknown"), 99_991_663),
        ];
        for (header, code) in table {
            let refusal = Auth::default().admit(header, &Knobs::default(), 0).unwrap_err();
            assert_eq!((refusal.code, refusal.status), (code, 400), "{header:?}");
        }
    }
}
