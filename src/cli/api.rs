//! The running service's API as the command line asks it: over loopback, with the configuration's token, and with the
//! next step in every failure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    adapters::http::{self, Proxy, read_body},
    app::config::server::Server,
    cli::run::Stop,
    domain::{text::Message, time::Span},
    engine::replies::LOOK_UP_TIME_MAX,
    web::{acts::IDEMPOTENCY_KEY, problem::Problem},
};

/// Bytes of an answer.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How long the service is waited for; it answers within five seconds or not at all.
const SERVICE_PATIENCE: Span = Span::from_secs(8);

/// How long a ticket's source may take through the service.
const LOOK_UP_PATIENCE: Span = Span::from_secs(LOOK_UP_TIME_MAX.as_secs() + 3);

/// The running service's API.
pub struct Api {
    client: Client,
    address: SocketAddr,
    token: Option<SecretString>,
}

/// What came of a question.
pub enum Answer<T> {
    /// This.
    Here(T),
    /// Nobody listens there.
    NotRunning,
}

impl Api {
    /// The API of the service that the configuration starts.
    ///
    /// # Errors
    /// No client can be made.
    pub fn of(server: &Server) -> Result<Self, Stop> {
        let direct = http::Config { proxy: Proxy::None, ..http::Config::default() };
        let client = http::client(&direct).map_err(|fault| Stop::Usage(fault.message))?;
        Ok(Self { client, address: reachable(server.admin_listen), token: server.api_token.clone() })
    }

    /// Asks; a service that does not run is a failure.
    ///
    /// # Errors
    /// Whatever stands in the way, with the next step.
    pub async fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, Stop> {
        match self.try_get(path, query).await? {
            Answer::Here(answer) => Ok(answer),
            Answer::NotRunning => Err(self.not_running()),
        }
    }

    /// Asks; a service that does not run is an answer.
    ///
    /// # Errors
    /// Whatever stands in the way, with the next step.
    pub async fn try_get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<Answer<T>, Stop> {
        self.send(self.request(Method::GET, path).query(query)).await
    }

    /// Does something, once.
    ///
    /// # Errors
    /// Whatever stands in the way, with the next step.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, Stop> {
        self.deed(Method::POST, path, body).await
    }

    /// Ends something, once.
    ///
    /// # Errors
    /// Whatever stands in the way, with the next step.
    pub async fn delete<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, Stop> {
        self.deed(Method::DELETE, path, body).await
    }

    /// Does something, once; a service that does not run is an answer.
    ///
    /// # Errors
    /// Whatever stands in the way, with the next step.
    pub async fn try_post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<Answer<T>, Stop> {
        let key = format!("{:032x}", rand::random::<u128>());
        let request = self.request(Method::POST, path).header(IDEMPOTENCY_KEY, key).body(body.to_string());
        self.send(request).await
    }

    /// Asks what someone would type in a chat; a service that does not run is an answer.
    ///
    /// # Errors
    /// Whatever stands in the way, with the next step.
    pub async fn look_up<T: DeserializeOwned>(&self, body: &Value) -> Result<Answer<T>, Stop> {
        let request = self.request(Method::POST, "/api/v1/lookup").timeout(LOOK_UP_PATIENCE.to_std());
        self.send(request.body(body.to_string())).await
    }

    async fn deed<T: DeserializeOwned>(&self, method: Method, path: &str, body: &Value) -> Result<T, Stop> {
        let key = format!("{:032x}", rand::random::<u128>());
        let request = self.request(method, path).header(IDEMPOTENCY_KEY, key).body(body.to_string());
        match self.send(request).await? {
            Answer::Here(answer) => Ok(answer),
            Answer::NotRunning => Err(self.not_running()),
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("http://{}{path}", self.address));
        let request = request.timeout(SERVICE_PATIENCE.to_std());
        match &self.token {
            Some(token) => request.bearer_auth(token.expose_secret()),
            None => request,
        }
    }

    async fn send<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<Answer<T>, Stop> {
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) if error.is_connect() => return Ok(Answer::NotRunning),
            Err(_) => return Err(self.no_answer()),
        };
        let status = answer.status();
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(self.not_let_in());
        }
        let body = read_body(answer, ANSWER_BYTES_MAX).await.map_err(|broken| {
            Stop::failure(format!("回答中断：{broken}"), format!("the answer broke off: {broken}"))
        })?;
        if status.is_success() {
            return serde_json::from_slice(&body).map(Answer::Here).map_err(|_| self.another_version());
        }
        let Ok(problem) = serde_json::from_slice::<Problem>(&body) else { return Err(self.another_version()) };
        let message = said(problem);
        match status {
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Err(Stop::Usage(message)),
            _ => Err(Stop::Failure(message)),
        }
    }

    /// Nobody listens where the service should.
    pub fn not_running(&self) -> Stop {
        let address = self.address;
        Stop::failure(
            format!("{address} 没有应答：服务没有在运行（deskbell serve），或 admin_listen 和它启动时不同"),
            format!(
                "{address} does not answer: the service is not running (deskbell serve), or it was started with another \
                 admin_listen"
            ),
        )
    }

    fn not_let_in(&self) -> Stop {
        if self.token.is_none() {
            return Stop::usage(
                "配置里没有 server.api_token；加上它并重启服务，命令行才能问到服务",
                "there is no server.api_token; add one and restart the service, then the command line can ask it",
            );
        }
        Stop::failure(
            "server.api_token 和正在运行的服务不同；改过配置的话请重启服务",
            "server.api_token differs from the running service's; restart it if the configuration was changed",
        )
    }

    fn no_answer(&self) -> Stop {
        let address = self.address;
        Stop::failure(
            format!("{address} 没有及时回答：服务正忙，或不是 deskbell；请稍后再试"),
            format!(
                "{address} gave no answer in time: the service is busy, or it is no deskbell; try again in a while"
            ),
        )
    }

    fn another_version(&self) -> Stop {
        let address = self.address;
        Stop::failure(
            format!("{address} 上的不是这个版本的 deskbell：检查 server.admin_listen，或用新版本重启服务"),
            format!(
                "what answers at {address} is no deskbell of this version: see server.admin_listen, or restart the \
                 service with this version"
            ),
        )
    }
}

/// A problem in one line: where, what, what to do.
pub fn said(problem: Problem) -> Message {
    let Problem { error, place, hint, .. } = problem;
    let place = place.map(|place| format!("{place}: ")).unwrap_or_default();
    let (zh_hint, en_hint) =
        hint.map_or_else(Default::default, |hint| (format!("（{}）", hint.zh), format!(" ({})", hint.en)));
    let plain = |text: String| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    Message::new(plain(format!("{place}{}{zh_hint}", error.zh)), plain(format!("{place}{}{en_hint}", error.en)))
}

/// Where a service that listens there can be reached from this machine.
pub fn reachable(listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        ip if !ip.is_unspecified() => listen,
        IpAddr::V4(_) => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listen.port()),
        IpAddr::V6(_) => SocketAddr::new(Ipv6Addr::LOCALHOST.into(), listen.port()),
    }
}

/// A part of a path, whatever was typed.
pub fn part(typed: &str) -> String {
    let mut out = String::new();
    for byte in typed.trim().trim_start_matches(['#', '＃']).bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_stays_one_part_of_the_path() {
        for (typed, expected) in
            [("4f7a2c", "4f7a2c"), (" #4F7A2C ", "4F7A2C"), ("a/../b?x#y", "a%2F..%2Fb%3Fx%23y"), ("客", "%E5%AE%A2")]
        {
            assert_eq!(part(typed), expected);
        }
    }
}
