//! `deskbell status`: what the running service says of itself, over `admin_listen`.

use std::path::Path;

use serde_json::Value;

use crate::{
    cli::{api::Api, prepare, run::Stop, table::table, terminal::Terminal},
    domain::{
        text::{Locale, Message},
        time::{Timestamp, Zone},
    },
    web::status::{DeadLetterStatus, FaultStatus, LongConnectionStatus, SourceStatus, Status, WaitingStatus},
};

/// Shows the status.
pub fn run(path: &Path, json: bool, terminal: Terminal) -> Result<(), Stop> {
    let (server, zone) = prepare::door(path, terminal)?;
    let api = Api::of(&server)?;
    let answer: Value = prepare::small_runtime()?.block_on(api.get("/api/v1/status", &[]))?;
    if json {
        terminal.print(&answer.to_string());
        return Ok(());
    }
    let status: Status = serde_json::from_value(answer).map_err(|error| {
        Stop::failure(format!("读不懂服务的回答：{error}"), format!("the answer cannot be read: {error}"))
    })?;
    show(&status, zone, terminal);
    Ok(())
}

fn show(status: &Status, zone: Zone, terminal: Terminal) {
    let when = |ms: i64| zone.minute(Timestamp::from_ms(ms));
    numbers(status, &when, terminal);
    let head = match terminal.locale {
        Locale::Zh => ["数据源", "工单", "未关闭", "最近读完", "下次读取", "本月调用", "状态"],
        Locale::En => ["source", "tickets", "open", "last read", "next read", "calls this month", "state"],
    };
    let row = |(name, source): (&String, &SourceStatus)| {
        vec![
            name.clone(),
            source.tracked.to_string(),
            source.open.to_string(),
            source.polled_at.map_or_else(|| "-".to_string(), &when),
            source.next_poll_at.map_or_else(|| "-".to_string(), &when),
            match status.calls_per_month {
                Some(plan) => format!("{} / {plan}", source.calls_this_month),
                None => source.calls_this_month.to_string(),
            },
            state(source, &when).get(terminal.locale).to_string(),
        ]
    };
    terminal.print(&table(&head, status.sources.iter().map(row)));
    for (name, source) in &status.sources {
        troubles(name, source, &when, terminal);
    }
    notices(status, &when, terminal);
}

fn numbers(status: &Status, when: &dyn Fn(i64) -> String, terminal: Terminal) {
    let (version, started, rules) = (&status.version, when(status.started_at), status.rules);
    terminal.say(&Message::new(
        format!("deskbell {version}，{started} 启动，{rules} 条规则"),
        format!("deskbell {version}, started {started}, rules: {rules}"),
    ));
    files(status, when, terminal);
    if let Some(line) = &status.long_connection {
        say(long_connection(line, when), terminal);
    }
    for reason in &status.not_ready {
        terminal.say(&Message::new(format!("未就绪：{}", reason.zh), format!("not ready: {}", reason.en)));
    }
    let firing: usize = status.alerts_firing.values().sum();
    let waiting: usize = status.outbox.values().sum();
    let (taken, silences, storms) = (status.alerts_taken, status.silences, status.storms);
    let (pending, inbox, dead) = (status.alerts_pending, status.inbox, status.dead_letters_total);
    terminal.say(&Message::new(
        format!("提醒：{firing} 条正在响（{taken} 条有人处理），{pending} 条在观察；待发 {waiting}，待答 {inbox}，发不出去 {dead}"),
        format!(
            "alerts firing {firing} (taken {taken}), pending {pending}; to send {waiting}, to answer {inbox}, undeliverable {dead}"
        ),
    ));
    let counted = |name: &str| status.counters.iter().find(|it| it.name == name).map_or(0, |it| it.value);
    let handovers = counted("handovers");
    if handovers > 0 {
        terminal.say(&Message::new(
            format!("启动以来交班 {handovers} 次；谁在值班：deskbell oncall"),
            format!("handovers since the start: {handovers}; who is on call: deskbell oncall"),
        ));
    }
    if silences + storms > 0 {
        terminal.say(&Message::new(
            format!("静默 {silences} 个，风暴 {storms} 场"),
            format!("silences {silences}, storms {storms}"),
        ));
    }
}

/// When the rules in force were loaded, and what keeps newer ones from it.
fn files(status: &Status, when: &dyn Fn(i64) -> String, terminal: Terminal) {
    if let Some(loaded) = status.rules_loaded_at {
        let loaded = when(loaded);
        terminal.say(&Message::new(format!("规则 {loaded} 载入"), format!("rules loaded {loaded}")));
    }
    if !status.rules_refused.is_empty() {
        terminal.say(&Message::new(
            "磁盘上的规则有错误，没有生效，旧规则继续生效：",
            "the rules on disk have faults and are not in force; the old ones are:",
        ));
    }
    for FaultStatus { place, message } in &status.rules_refused {
        say(Message::new(format!("  {place} {}", message.zh), format!("  {place} {}", message.en)), terminal);
    }
    if !status.restart_for.is_empty() {
        let parts = status.restart_for.join(", ");
        say(
            Message::new(format!("这些改动要重启才生效：{parts}"), format!("these changes take a restart: {parts}")),
            terminal,
        );
    }
}

/// How the long connection stands.
fn long_connection(line: &LongConnectionStatus, when: &dyn Fn(i64) -> String) -> Message {
    let (since, connects) = (when(line.since), line.connects);
    if line.is_up() {
        let pong = line.pong_at.map_or_else(|| "-".to_string(), when);
        return Message::new(
            format!("长连接：正常，{since} 起，飞书最近一次应答 {pong}，第 {connects} 次连上"),
            format!(
                "long connection: up since {since}, last answer of the platform {pong}, connections so far {connects}"
            ),
        );
    }
    let next = line.next_at.map_or_else(
        || Message::new("正在连接", "connecting now"),
        |at| {
            let at = when(at);
            Message::new(format!("{at} 再连"), format!("next attempt {at}"))
        },
    );
    let why = line
        .last_failure
        .clone()
        .map_or_else(|| Message::new("", ""), |why| Message::new(format!("：{}", why.zh), format!(": {}", why.en)));
    Message::new(
        format!("长连接：断开，{since} 起，{}{}", next.zh, why.zh),
        format!("long connection: down since {since}, {}{}", next.en, why.en),
    )
}

fn state(source: &SourceStatus, when: &dyn Fn(i64) -> String) -> Message {
    let failures = source.failures;
    match source.paused_until {
        Some(until) => {
            let until = when(until);
            Message::new(format!("次数用完，{until} 再读"), format!("calls used up until {until}"))
        }
        None if failures > 0 => {
            Message::new(format!("连续 {failures} 次没读成"), format!("failed {failures} times in a row"))
        }
        None if source.silent => Message::new("很久没有读完", "not read to its end for long"),
        None if source.polled_at.is_none() => Message::new("还没有读完过", "not read to its end yet"),
        None => Message::new("正常", "fine"),
    }
}

/// What is wrong with a source, and what to do.
fn troubles(name: &str, source: &SourceStatus, when: &dyn Fn(i64) -> String, terminal: Terminal) {
    if let Some(failure) = &source.last_failure {
        say(Message::new(format!("{name} 没读成：{}", failure.zh), format!("{name}: {}", failure.en)), terminal);
    }
    if !source.broken_tickets.is_empty() {
        let count = source.broken_tickets.len();
        say(
            Message::new(
                format!("{name} 最近有 {count} 张工单读不懂，其余照常："),
                format!("{name}: the last tickets that cannot be read ({count}); all others are:"),
            ),
            terminal,
        );
    }
    for ticket in &source.broken_tickets {
        let (id, at) = (ticket.id.as_deref().unwrap_or("?"), when(ticket.at));
        let line = format!("  {at}  {id}  {}", ticket.reason);
        say(Message::new(line.clone(), line), terminal);
    }
}

/// What waits and what was given up.
fn notices(status: &Status, when: &dyn Fn(i64) -> String, terminal: Terminal) {
    if let Some(oldest) = &status.outbox_oldest {
        let WaitingStatus { receiver, rule, attempts, .. } = oldest;
        let (since, again) = (when(oldest.decided_at), when(oldest.not_before));
        let (mut zh, mut en) = (
            format!("等得最久的通知：给 {receiver}（{rule}），{since} 起"),
            format!("the notice that waits longest: to {receiver} ({rule}), since {since}"),
        );
        if let Some(error) = &oldest.last_error {
            zh.push_str(&format!("；试过 {attempts} 次，{again} 再试：{}", error.zh));
            en.push_str(&format!("; attempts {attempts}, again at {again}: {}", error.en));
        }
        say(Message::new(zh, en), terminal);
    }
    for letter in &status.dead_letters {
        let DeadLetterStatus { receiver, rule, reason, .. } = letter;
        let at = when(letter.at);
        say(
            Message::new(
                format!("发不出去：{at} 给 {receiver}（{rule}）：{}", reason.zh),
                format!("undeliverable: {at} to {receiver} ({rule}): {}", reason.en),
            ),
            terminal,
        );
    }
    let (shown, all) = (status.dead_letters.len(), status.dead_letters_total);
    if shown < all {
        let more = all - shown;
        say(Message::new(format!("还有更早的 {more} 条发不出去"), format!("and {more} older ones")), terminal);
    }
    if all > 0 {
        let next = Message::new(
            "deskbell outbox 逐条列出原因；改好后再发：deskbell outbox retry --all，不要了：deskbell outbox drop <名字>",
            "deskbell outbox lists each with its reason. Once mended: deskbell outbox retry --all; to give up: deskbell \
             outbox drop <NAME>",
        );
        say(next, terminal);
    }
    if status.outbox_failing > 0 {
        let next = Message::new(
            "没发成的会自己再试；deskbell outbox 看每一条，deskbell doctor 检查凭证和权限",
            "what failed is tried again by itself; deskbell outbox shows each, deskbell doctor checks credentials and scopes",
        );
        say(next, terminal);
    }
}

/// Says a sentence that holds words from outside: they cannot steer the terminal.
fn say(message: Message, terminal: Terminal) {
    let plain = |text: &str| text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>();
    terminal.print(&plain(message.get(terminal.locale)));
}
