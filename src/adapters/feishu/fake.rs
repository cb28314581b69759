//! A platform of a few lines for this room's tests: it answers what it is told to and remembers what it was asked.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    http::Response,
};
use serde_json::{Value, json};

use crate::{
    adapters::{
        clock::Clock,
        feishu::{
            client::Client,
            config::{BaseUrl, Config, Events, HelpdeskConfig},
            helpdesk::Helpdesk,
        },
        http,
    },
    domain::{desk::settings::Limits, plan::Plan, time::Timestamp},
};

/// What must appear in no error.
pub(super) const SECRETS: [&str; 4] =
    ["app-secret-x", "ht-secret-x", "t-secret-", "NjYyNjg3MTM1NTc4MDM2NjMzMDpodC1zZWNyZXQteA"];

/// When tests begin.
pub(super) const START: Timestamp = Timestamp::from_ms(1_700_000_000_000);

/// One request.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    pub(super) authorization: String,
    pub(super) helpdesk: String,
    pub(super) body: String,
}

impl Asked {
    pub(super) fn is_token(&self) -> bool {
        self.target.contains("tenant_access_token")
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Everything secret that was sent, as an unkind server would repeat it.
    pub(super) fn echo(&self) -> String {
        format!("{} {} {}", self.authorization, self.helpdesk, self.body)
    }
}

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
    /// No answer ever.
    pub(super) silent: bool,
}

impl Answer {
    pub(super) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), silent: false }
    }

    pub(super) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, body.to_string()).with("content-type", "application/json")
    }

    pub(super) fn data(data: &Value) -> Self {
        Self::json(200, &json!({ "code": 0, "msg": "ok", "data": data }))
    }

    pub(super) fn code(status: u16, code: i64, msg: &str) -> Self {
        Self::json(status, &json!({ "code": code, "msg": msg }))
    }

    pub(super) fn token(token: &str, expire: i64) -> Self {
        Self::json(200, &json!({ "code": 0, "msg": "ok", "tenant_access_token": token, "expire": expire }))
    }

    pub(super) fn silence() -> Self {
        Self { silent: true, ..Self::new(200, "") }
    }

    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// A platform on loopback.
pub(super) struct Fake {
    pub(super) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Fake {
    /// Answers with `answer`, which is told how many requests came before.
    pub(super) async fn start(answer: impl Fn(&Asked, usize) -> Answer + Clone + Send + Sync + 'static) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let seen = asked.clone();
        let router = Router::new().fallback(move |request: Request| {
            let (answer, seen) = (answer.clone(), seen.clone());
            async move {
                let request = read(request).await;
                let before = {
                    let mut seen = seen.lock().unwrap();
                    seen.push(request.clone());
                    seen.len() - 1
                };
                respond(answer(&request, before)).await
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, asked }
    }

    /// The usual token, and `answer` for everything else.
    pub(super) async fn with_token(answer: impl Fn(&Asked) -> Answer + Clone + Send + Sync + 'static) -> Self {
        Self::start(move |asked, _| if asked.is_token() { Answer::token("t-secret-1", 7_200) } else { answer(asked) })
            .await
    }

    /// What was asked besides tokens.
    pub(super) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().filter(|asked| !asked.is_token()).cloned().collect()
    }

    /// How often a token was asked for.
    pub(super) fn tokens(&self) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| asked.is_token()).count()
    }

    pub(super) fn client(&self) -> Client {
        client_at(&format!("http://{}", self.address))
    }

    pub(super) fn helpdesk(&self) -> Helpdesk {
        Helpdesk::new(self.client(), &keys())
    }
}

pub(super) fn client_at(base_url: &str) -> Client {
    let config = Config {
        base_url: BaseUrl::parse(base_url).unwrap(),
        app_id: "cli_a".to_owned(),
        app_secret: "app-secret-x".into(),
        plan: Plan::Paid,
        events: Events::default(),
        limits: Limits::default(),
    };
    Client::new(&config, http::loopback_client(), Clock::anchored(START))
}

pub(super) fn keys() -> HelpdeskConfig {
    HelpdeskConfig { helpdesk_id: "6626871355780366330".to_owned(), helpdesk_token: "ht-secret-x".into() }
}

async fn read(request: Request) -> Asked {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_else(|_| Bytes::new());
    let header = |name| parts.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    Asked {
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        authorization: header("authorization"),
        helpdesk: header("x-lark-helpdesk-authorization"),
        body: String::from_utf8_lossy(&body).into_owned(),
    }
}

async fn respond(answer: Answer) -> Response<Body> {
    if answer.silent {
        std::future::pending::<()>().await;
    }
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    response.body(Body::from(answer.body)).unwrap()
}
