//! A caller for the simulator's own tests: a platform with one chat, and requests with the right headers.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::sim::{
    directory::ChatKind,
    platform::Platform,
    wire::{Request, Response},
};

/// When the tests begin, milliseconds.
pub(crate) const NOW: i64 = 1_790_000_000_000;

/// A card that may be updated.
pub(crate) const CARD: &str = r#"{"config":{"update_multi":true},"elements":[{"tag":"markdown","content":"hi"}]}"#;

/// A platform, its caller's headers, and the time.
pub(crate) struct Caller {
    pub(crate) platform: Platform,
    pub(crate) now_ms: i64,
    token: String,
    helpdesk: String,
}

impl Caller {
    /// A platform with a helpdesk, the group `oc_a`, and `ou_li` in it. Limits are off.
    pub(crate) fn new() -> Self {
        let mut platform = Platform::new(1);
        let (id, token) = platform.add_default_helpdesk();
        platform.turn(|knobs| {
            knobs.limits = false;
            knobs.token_life_ms = i64::MAX / 2;
        });
        platform.add_chat("oc_a", "IT 支持群", ChatKind::Group);
        platform.add_person("ou_li", "李雷", "li@example.com");
        platform.add_member("oc_a", "ou_li");
        let helpdesk = STANDARD.encode(format!("{id}:{token}"));
        let mut caller = Self { platform, now_ms: NOW, token: String::new(), helpdesk };
        let app = caller.platform.app().clone();
        let request = Request::new("POST", "/open-apis/auth/v3/tenant_access_token/internal")
            .json(&json!({ "app_id": app.app_id, "app_secret": app.app_secret }));
        let answer = caller.platform.handle(&request, NOW).json();
        caller.token = answer["tenant_access_token"].as_str().unwrap().to_string();
        caller
    }

    /// Sends a request with every header it could need.
    pub(crate) fn send(&mut self, request: Request) -> Response {
        let request = request
            .header("authorization", &format!("Bearer {}", self.token))
            .header("x-lark-helpdesk-authorization", &self.helpdesk);
        self.platform.handle(&request, self.now_ms)
    }

    /// A GET; HTTP status, code and `data`.
    pub(crate) fn get(&mut self, path: &str, query: &[(&str, &str)]) -> (u16, i64, Value) {
        let mut request = Request::new("GET", &format!("/open-apis/{path}"));
        for (name, value) in query {
            request = request.query(name, value);
        }
        split(&self.send(request))
    }

    /// A request with a body; HTTP status, code and `data`.
    pub(crate) fn call(&mut self, method: &str, path: &str, body: &Value) -> (u16, i64, Value) {
        let (path, kind) = path.split_once('?').unwrap_or((path, ""));
        let request = Request::new(method, &format!("/open-apis/{path}")).query("receive_id_type", kind).json(body);
        split(&self.send(request))
    }

    /// Sends a card to `oc_a`; HTTP status, code and `data`.
    pub(crate) fn card(&mut self, content: &str) -> (u16, i64, Value) {
        let body = json!({ "receive_id": "oc_a", "msg_type": "interactive", "content": content });
        self.call("POST", "im/v1/messages?chat_id", &body)
    }
}

fn split(response: &Response) -> (u16, i64, Value) {
    let mut body = response.json();
    (response.status, body["code"].as_i64().unwrap(), body["data"].take())
}
