//! `deskbell status`: what the running service says of itself, over `admin_listen`.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
};

use reqwest::StatusCode;
use secrecy::ExposeSecret;

use crate::{
    adapters::http::{self, Proxy, read_body},
    app::config::setup::Setup,
    cli::{
        prepare::{self, Warnings},
        run::Stop,
        table::table,
        terminal::Terminal,
    },
    domain::{
        text::{Locale, Message},
        time::{Timestamp, Zone},
    },
    web::status::{SourceStatus, Status},
};

/// Bytes of the answer.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Shows the status.
pub fn run(path: &Path, json: bool, terminal: Terminal) -> Result<(), Stop> {
    let setup = prepare::setup(path, Warnings::Left, terminal)?;
    let body = prepare::small_runtime()?.block_on(ask(&setup))?;
    if json {
        terminal.print(&String::from_utf8_lossy(&body));
        return Ok(());
    }
    let status: Status = serde_json::from_slice(&body).map_err(|error| {
        Stop::failure(format!("读不懂服务的回答：{error}"), format!("the answer cannot be read: {error}"))
    })?;
    show(&status, setup.settings.zone, terminal);
    Ok(())
}

async fn ask(setup: &Setup) -> Result<bytes::Bytes, Stop> {
    let Some(token) = &setup.server.api_token else {
        return Err(Stop::usage(
            "配置里没有 server.api_token；加上它并重启服务，status 才能问到",
            "there is no server.api_token; add one and restart the service, then status can ask",
        ));
    };
    let address = reachable(setup.server.admin_listen);
    let direct = http::Config { proxy: Proxy::None, ..http::Config::default() };
    let client = http::client(&direct).map_err(|fault| Stop::Usage(fault.message))?;
    let request = client.get(format!("http://{address}/api/v1/status")).bearer_auth(token.expose_secret());
    let answer = request.send().await.map_err(|_| {
        Stop::failure(
            format!("{address} 没有应答：服务没有在运行，或 admin_listen 和它启动时不同"),
            format!(
                "{address} does not answer: the service is not running, or it was started with another admin_listen"
            ),
        )
    })?;
    match answer.status() {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            return Err(Stop::failure(
                "server.api_token 和正在运行的服务不同；改过配置的话请重启服务",
                "server.api_token differs from the running service's; restart it if the configuration was changed",
            ));
        }
        other => return Err(Stop::failure(format!("服务回答 {other}"), format!("the service answers {other}"))),
    }
    read_body(answer, ANSWER_BYTES_MAX)
        .await
        .map_err(|broken| Stop::failure(format!("回答中断：{broken}"), format!("the answer broke off: {broken}")))
}

/// Where a service that listens there can be reached from this machine.
fn reachable(listen: SocketAddr) -> SocketAddr {
    match listen.ip() {
        ip if !ip.is_unspecified() => listen,
        IpAddr::V4(_) => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), listen.port()),
        IpAddr::V6(_) => SocketAddr::new(std::net::Ipv6Addr::LOCALHOST.into(), listen.port()),
    }
}

fn show(status: &Status, zone: Zone, terminal: Terminal) {
    let when = |ms: i64| zone.minute(Timestamp::from_ms(ms));
    let started = when(status.started_at);
    let version = &status.version;
    terminal.say(&Message::new(
        format!("deskbell {version}，{started} 启动，{} 条规则", status.rules),
        format!("deskbell {version}, started {started}, rules: {}", status.rules),
    ));
    for reason in &status.not_ready {
        terminal.say(&Message::new(format!("未就绪：{}", reason.zh), format!("not ready: {}", reason.en)));
    }
    let firing: usize = status.alerts_firing.values().sum();
    let waiting: usize = status.outbox.values().sum();
    let (pending, inbox, dead) = (status.alerts_pending, status.inbox, status.dead_letters_total);
    terminal.say(&Message::new(
        format!("提醒：{firing} 条正在响，{pending} 条在观察；待发 {waiting}，待答 {inbox}，发不出去 {dead}"),
        format!(
            "alerts firing {firing}, pending {pending}; to send {waiting}, to answer {inbox}, undeliverable {dead}"
        ),
    ));
    let head = match terminal.locale {
        Locale::Zh => ["数据源", "工单", "未关闭", "最近读取", "本月调用", "状态"],
        Locale::En => ["source", "tickets", "open", "last read", "calls this month", "state"],
    };
    let row = |(name, source): (&String, &SourceStatus)| {
        vec![
            name.clone(),
            source.tracked.to_string(),
            source.open.to_string(),
            source.polled_at.map_or_else(String::new, &when),
            source.calls_this_month.to_string(),
            state(source, terminal.locale, &when),
        ]
    };
    terminal.print(&table(&head, status.sources.iter().map(row)));
    for letter in &status.dead_letters {
        terminal.say(&Message::new(
            format!("发不出去：{} —— {}", letter.receiver, letter.reason),
            format!("undeliverable: {}: {}", letter.receiver, letter.reason),
        ));
    }
}

fn state(source: &SourceStatus, locale: Locale, when: &dyn Fn(i64) -> String) -> String {
    let state = match (source.paused_until, &source.last_failure) {
        (Some(until), _) => {
            let until = when(until);
            Message::new(format!("次数用完，{until} 恢复"), format!("calls used up until {until}"))
        }
        (None, Some(failure)) => Message::new(failure.zh.clone(), failure.en.clone()),
        (None, None) if source.silent => Message::new("没有读完", "no poll came to its end"),
        (None, None) => Message::new("正常", "fine"),
    };
    state.get(locale).to_string()
}
