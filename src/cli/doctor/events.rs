//! What the doctor asks about events: whether the long connection stands, and what the console must say.

use crate::{
    adapters::{
        clock::Clock,
        feishu::{client::Client, helpdesk::Helpdesk},
        http::tunnel::Tunnel,
    },
    app::config::setup::Setup,
    cli::{
        api::{Answer, Api},
        doctor::finding::Finding,
        init::hold,
        run::Stop,
    },
    domain::text::Message,
    web::status::Status,
};

/// How questions in chat and clicks arrive.
pub async fn look(client: &Client, setup: &Setup, fix: bool) -> Vec<Finding> {
    let events = &setup.feishu.events;
    let mut findings = Vec::new();
    if events.long_connection {
        findings.push(long_connection(client, setup).await);
    }
    if events.http {
        findings.push(over_http(setup));
    }
    if !events.any() {
        findings.push(Finding::note(
            "events 的 long_connection 和 http 都没有打开：提醒照发，但群里的 /ticket 和按钮收不到",
            "events: neither long_connection nor http is on: alerts are sent, but /ticket in chats and clicks are not heard",
        ));
    }
    if events.any() {
        findings.extend(helpdesks(client, setup, fix).await);
    }
    findings
}

/// Whether helpdesks tell of their tickets. The platform does not say whether they were asked to; asking again does no
/// harm (`facts/feishu.md §2.9`).
async fn helpdesks(client: &Client, setup: &Setup, fix: bool) -> Vec<Finding> {
    if !fix {
        return vec![Finding::note(
            "工单事件：飞书不提供查询，是否已订阅看不到。运行 deskbell doctor --fix 订阅一次（重复订阅没有坏处），再到开放平台 > 事件与回调 \
             添加 helpdesk.ticket.created_v1、helpdesk.ticket.updated_v1、helpdesk.ticket_message.created_v1；没有这些事件，工单的变化要等下一次读取才知道",
            "helpdesk events: Feishu does not tell whether they are subscribed to. Run deskbell doctor --fix once (again does \
             no harm), and add the events helpdesk.ticket.created_v1, helpdesk.ticket.updated_v1 and \
             helpdesk.ticket_message.created_v1 in the console; without them a change is seen at the next poll",
        )];
    }
    let mut findings = Vec::new();
    for source in setup.sources.values() {
        let name = &source.name;
        findings.push(match Helpdesk::new(client.clone(), &source.helpdesk).subscribe().await {
            Ok(()) => Finding::well(
                format!("数据源 {name}：已订阅工单事件；开放平台 > 事件与回调 里也要添加这三个事件"),
                format!("source {name}: its ticket events are subscribed to; they must stand in the console, too"),
            ),
            Err(error) => {
                let what = Message::new(
                    format!("数据源 {name} 的工单事件订阅"),
                    format!("the subscription to the ticket events of source {name}"),
                );
                Finding::ill(&what, &error.message())
            }
        });
    }
    findings
}

/// The running service knows best; a second connection would take events away from it.
async fn long_connection(client: &Client, setup: &Setup) -> Finding {
    match running(setup).await {
        Ok(Some(status)) => stands(&status),
        Ok(None) => try_it(client, setup).await,
        Err(stop) => {
            let message = stop.message();
            Finding::note(
                format!("长连接：服务在运行，但问不到它：{}", message.zh),
                format!("the long connection: the service runs and does not say how it stands: {}", message.en),
            )
        }
    }
}

/// What the running service says; nothing where none runs.
async fn running(setup: &Setup) -> Result<Option<Status>, Stop> {
    match Api::of(&setup.server)?.try_get("/api/v1/status", &[]).await? {
        Answer::Here(status) => Ok(Some(status)),
        Answer::NotRunning => Ok(None),
    }
}

fn stands(status: &Status) -> Finding {
    let what = Message::new("长连接", "the long connection");
    match &status.long_connection {
        Some(line) if line.is_up() => {
            Finding::well("长连接正常（服务正在运行）", "the long connection stands (the service runs)")
        }
        Some(line) => {
            let why = line.last_failure.clone();
            let why = why.map_or_else(
                || Message::new("还没有连上，几秒后再看", "not connected yet, look again in a few seconds"),
                |why| Message::new(why.zh, why.en),
            );
            Finding::ill(&what, &why)
        }
        None => Finding::note(
            "长连接：正在运行的服务没有打开它；改过配置的话，重启服务",
            "the long connection: the running service holds none; restart it if the configuration was changed",
        ),
    }
}

/// Opens one for a moment; what comes in it is handed back.
async fn try_it(client: &Client, setup: &Setup) -> Finding {
    let what = Message::new("长连接", "the long connection");
    let tunnel = match Tunnel::new(&setup.http) {
        Ok(tunnel) => tunnel,
        Err(fault) => return Finding::ill(&what, &fault.message),
    };
    match hold::try_once(client, tunnel, Clock::system()).await {
        Ok(()) => Finding::well(
            "能建立长连接。后台的事件配置和回调配置都要选“使用长连接”，在 deskbell serve 运行时保存",
            "the long connection can be opened. In the console choose persistent connection for events and callbacks, \
             and save while deskbell serve runs",
        ),
        Err(error) => {
            let why = error.map_or_else(
                || Message::new("20 秒内没有连上", "it did not stand within 20 seconds"),
                |error| error.message(),
            );
            Finding::ill(&what, &why)
        }
    }
}

/// From here only half of that way can be seen.
fn over_http(setup: &Setup) -> Finding {
    let public = setup.server.public_url.as_deref().unwrap_or("https://<公网地址 public address>");
    let url = format!("{}/feishu/events", public.trim_end_matches('/'));
    Finding::note(
        format!("HTTP 回调：开放平台 > 事件与回调 > 事件配置，请求地址填 {url}（服务要在运行），并添加“接收消息”"),
        format!(
            "HTTP callbacks: developer console > Events & Callbacks, request URL {url} (with the service running), and \
             the event \"Message received\""
        ),
    )
}
