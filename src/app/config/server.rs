//! `server:` of the configuration: where deskbell listens.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use secrecy::{ExposeSecret, SecretString};

use crate::{
    adapters::{secret, yaml::map::Map},
    app::config::words::{address, check_name, one_of},
    domain::{
        fault::{Fault, Place},
        text::Message,
    },
    web::tokens::{Scope, Token, Tokens},
};

/// Where callbacks arrive unless told otherwise.
const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8787);

/// Where operators look unless told otherwise.
const ADMIN_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8788);

/// The shortest token that is no invitation.
const TOKEN_BYTES_MIN: usize = 16;

/// Named tokens there may be: each is compared with whatever is sent.
const TOKENS_MAX: usize = 32;

/// `server:` of the configuration.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where the platform's callbacks arrive.
    pub listen: SocketAddr,
    /// Where operators look; loopback by default.
    pub admin_listen: SocketAddr,
    /// The token that the command line uses, which opens all of `/api`.
    pub api_token: Option<SecretString>,
    /// Tokens for programs, each with a name and a scope.
    pub api_tokens: Vec<Token>,
    /// How the outside reaches `listen`.
    pub public_url: Option<String>,
}

impl Default for Server {
    fn default() -> Self {
        let (api_token, api_tokens, public_url) = (None, Vec::new(), None);
        Self { listen: LISTEN_DEFAULT, admin_listen: ADMIN_DEFAULT, api_token, api_tokens, public_url }
    }
}

impl Server {
    /// Every token that opens `/api`; without one it is closed.
    pub fn tokens(&self) -> Tokens {
        let own = self.api_token.iter().map(|secret| Token { name: None, secret: secret.clone(), scope: Scope::Act });
        Tokens::new(own.chain(self.api_tokens.iter().cloned()).collect())
    }
}

/// Reads `server:`.
pub fn read(root: &mut Map<'_>, base: &Path, faults: &mut Vec<Fault>) -> Server {
    let Some(mut map) = root.map("server", faults) else { return Server::default() };
    let (listen, _) = address(&mut map, "listen", LISTEN_DEFAULT, faults);
    let (admin_listen, admin_place) = address(&mut map, "admin_listen", ADMIN_DEFAULT, faults);
    if listen == admin_listen && listen.port() != 0 {
        let message = Message::new(
            format!("listen 和 admin_listen 不能是同一个地址（{listen}）"),
            format!("listen and admin_listen must not be the same address ({listen})"),
        );
        faults.push(Fault::error(admin_place.clone(), message));
    }
    if !admin_listen.ip().is_loopback() {
        let message = Message::new(
            format!("admin_listen 在 {admin_listen}：别的机器也能看到 /metrics，请确认防火墙只放行监控"),
            format!("admin_listen is {admin_listen}: other machines can read /metrics; let only monitoring through"),
        );
        faults.push(Fault::warning(admin_place, message));
    }
    let api_token = secret::optional(&mut map, "api_token", base, faults);
    let token_place = map.get("api_token").or_else(|| map.get("api_token_file")).map(|node| node.place.clone());
    if let (Some(token), Some(place)) = (&api_token, token_place) {
        faults.extend(too_short("api_token", token, place));
    }
    let api_tokens = tokens(&mut map, base, faults);
    let public_url = map.text("public_url", faults).map(|(text, _)| text);
    map.finish(&[], faults);
    Server { listen, admin_listen, api_token, api_tokens, public_url }
}

fn too_short(key: &str, token: &SecretString, place: Place) -> Option<Fault> {
    if token.expose_secret().len() >= TOKEN_BYTES_MIN {
        return None;
    }
    let message = Message::new(
        format!("{key} 太短，至少 {TOKEN_BYTES_MIN} 个字符；可以用 openssl rand -hex 32 生成"),
        format!("{key} is too short: at least {TOKEN_BYTES_MIN} characters, such as from openssl rand -hex 32"),
    );
    Some(Fault::error(place, message))
}

/// Reads `api_tokens`: a name for each, `token` (or `token_file`) and `scope`.
fn tokens(server: &mut Map<'_>, base: &Path, faults: &mut Vec<Fault>) -> Vec<Token> {
    let Some(mut map) = server.map("api_tokens", faults) else { return Vec::new() };
    let mut tokens = Vec::new();
    for (key, node) in map.rest() {
        let what = Message::new(" { token: …, scope: read }", "{ token: …, scope: read }");
        let Some(mut token) = Map::of(node, &what, faults) else { continue };
        let secret = secret::required(&mut token, "token", base, faults);
        let scope = token
            .filled("scope")
            .map_or(Some(Scope::Read), |node| one_of(node, &Scope::ALL.map(|scope| (scope.name(), scope)), faults));
        token.finish(&[], faults);
        let (true, Some(secret), Some(scope)) = (check_name(key, faults), secret, scope) else { continue };
        faults.extend(too_short("token", &secret, key.place.clone()));
        tokens.push(Token { name: Some(key.text.as_str().into()), secret, scope });
    }
    if tokens.len() > TOKENS_MAX {
        let message =
            Message::new(format!("最多 {TOKENS_MAX} 个令牌"), format!("there may be at most {TOKENS_MAX} tokens"));
        faults.push(Fault::error(map.place().clone(), message));
    }
    tokens
}
