//! `server:` of the configuration: where deskbell listens.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
};

use secrecy::{ExposeSecret, SecretString};

use crate::{
    adapters::{secret, yaml::map::Map},
    app::config::words::address,
    domain::{fault::Fault, text::Message},
};

/// Where callbacks arrive unless told otherwise.
const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8787);

/// Where operators look unless told otherwise.
const ADMIN_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8788);

/// The shortest `api_token` that is no invitation.
const TOKEN_BYTES_MIN: usize = 16;

/// `server:` of the configuration.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where the platform's callbacks arrive.
    pub listen: SocketAddr,
    /// Where operators look; loopback by default.
    pub admin_listen: SocketAddr,
    /// What `/api` asks for; absent: `/api` is closed.
    pub api_token: Option<SecretString>,
    /// How the outside reaches `listen`.
    pub public_url: Option<String>,
}

impl Default for Server {
    fn default() -> Self {
        Self { listen: LISTEN_DEFAULT, admin_listen: ADMIN_DEFAULT, api_token: None, public_url: None }
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
    if let (Some(token), Some(place)) = (&api_token, token_place)
        && token.expose_secret().len() < TOKEN_BYTES_MIN
    {
        let message = Message::new(
            format!("api_token 太短，至少 {TOKEN_BYTES_MIN} 个字符；可以用 openssl rand -hex 32 生成"),
            format!("api_token is too short: at least {TOKEN_BYTES_MIN} characters, such as from openssl rand -hex 32"),
        );
        faults.push(Fault::error(place, message));
    }
    let public_url = map.text("public_url", faults).map(|(text, _)| text);
    map.finish(&[], faults);
    Server { listen, admin_listen, api_token, public_url }
}
