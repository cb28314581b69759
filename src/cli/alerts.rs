//! `deskbell alerts`: which alerts there are, of the running service.

use std::path::PathBuf;

use clap::Args;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::{
    cli::{api::Api, args::Format, prepare, run::Stop, table::table, terminal::Terminal},
    domain::{
        desk::lists::{ALERTS_PAGE_MAX, severity_named},
        rule::Severity,
        story::severity_words,
        text::{Locale, Message, Words},
        time::{Timestamp, Zone},
    },
    web::alerts::{AlertDocument, AlertsPage, NextDocument, ToldDocument},
};

/// Alerts of one page, at most.
const LIMIT_MAX: i64 = ALERTS_PAGE_MAX as i64;

/// Columns that a rule, a ticket and how it stands have in the table: all of it fits into a hundred.
const RULE_COLUMNS: usize = 16;
const TICKET_COLUMNS: usize = 24;
const STAND_COLUMNS: usize = 26;

/// What may be typed.
#[derive(Clone, Debug, Args)]
pub struct AlertsArguments {
    /// 配置文件 · The configuration file
    #[arg(long, short, value_name = "FILE", default_value = "deskbell.yaml")]
    pub config: PathBuf,
    /// 只看这一条，写卡片下面的编号（4F7A2C） · This one only, by the reference in its card's footer
    pub reference: Option<String>,
    /// 这条规则的 · Of this rule
    #[arg(long, conflicts_with = "reference")]
    pub rule: Option<String>,
    /// 这个数据源的 · Of this source
    #[arg(long, conflicts_with = "reference")]
    pub source: Option<String>,
    /// 这个团队的 · Of this team
    #[arg(long, conflicts_with = "reference")]
    pub team: Option<String>,
    /// 这个级别及以上：info、warning、critical · This serious or more
    #[arg(long, value_name = "info|warning|critical", conflicts_with = "reference")]
    pub severity: Option<String>,
    /// 默认看没有结束的；firing 没人处理、taken 有人处理、snoozed 稍后提醒、pending 观察中、ended 已结束 · Default: all that are not over
    #[arg(long, value_name = "firing|taken|snoozed|pending|ended", conflicts_with = "reference")]
    pub state: Option<String>,
    /// 这张工单的：工单号，或最后 5 位以上 · On this ticket: its id, or its last 5 digits or more
    #[arg(long, conflicts_with = "reference")]
    pub ticket: Option<String>,
    /// 最多几条（1 到 500），默认 100 · At most so many (1 to 500)
    #[arg(long, conflicts_with = "reference", value_parser = clap::value_parser!(u16).range(1..=LIMIT_MAX))]
    pub limit: Option<u16>,
    /// 接着上一页：照抄它最后给的 · After the page before: what it gave at its end
    #[arg(long, conflicts_with = "reference")]
    pub after: Option<String>,
    /// 输出格式 · What the answer looks like
    #[arg(long, value_name = "text|json", default_value = "text", hide_possible_values = true)]
    pub format: Format,
}

/// Lists alerts, or shows one.
pub fn run(arguments: &AlertsArguments, terminal: Terminal) -> Result<(), Stop> {
    let (server, zone) = prepare::door(&arguments.config, terminal)?;
    let api = Api::of(&server)?;
    let runtime = prepare::small_runtime()?;
    if let Some(reference) = &arguments.reference {
        let path = format!("/api/v1/alerts/{}", crate::cli::api::part(reference));
        let alert: AlertDocument = runtime.block_on(api.get(&path, &[]))?;
        terminal.print(&match arguments.format {
            Format::Json => json(&alert),
            Format::Text => plain(&told(&alert, zone, terminal.locale).join("\n")),
        });
        return Ok(());
    }
    let limit = arguments.limit.map(|limit| limit.to_string());
    let asked = [
        ("rule", arguments.rule.as_deref()),
        ("source", arguments.source.as_deref()),
        ("team", arguments.team.as_deref()),
        ("severity", arguments.severity.as_deref()),
        ("state", arguments.state.as_deref()),
        ("ticket", arguments.ticket.as_deref()),
        ("limit", limit.as_deref()),
        ("after", arguments.after.as_deref()),
    ];
    let query: Vec<(&str, &str)> = asked.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
    let page: AlertsPage = runtime.block_on(api.get("/api/v1/alerts", &query))?;
    match arguments.format {
        Format::Json => terminal.print(&json(&page)),
        Format::Text => show(&page, zone, terminal),
    }
    Ok(())
}

/// An answer as programs read it.
pub fn json(answer: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(answer).unwrap_or_default()
}

/// Words from outside steer no terminal.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect()
}

fn show(page: &AlertsPage, zone: Zone, terminal: Terminal) {
    if page.alerts.is_empty() {
        return terminal.say(&Message::new("没有这样的提醒", "no such alerts"));
    }
    let locale = terminal.locale;
    let head = match locale {
        Locale::Zh => ["编号", "级别", "响了", "规则", "工单", "状态和接下来"],
        Locale::En => ["ref", "severity", "fired", "rule", "ticket", "state, what comes next"],
    };
    let row = |alert: &AlertDocument| {
        let stands = state(alert, zone);
        let stands = match alert.next.first().filter(|_| alert.state == "firing").map(|next| soonest(next, zone)) {
            Some(next) => Message::new(format!("{} · {}", stands.zh, next.zh), format!("{}; {}", stands.en, next.en)),
            None => stands,
        };
        vec![
            alert.reference.clone(),
            severity(&alert.severity).get(locale).to_string(),
            alert.fired_at.map_or_else(|| "-".to_string(), |at| without_year(&zone.minute(Timestamp::from_ms(at)))),
            narrow(&alert.rule, RULE_COLUMNS),
            narrow(&subject(alert), TICKET_COLUMNS),
            narrow(&without_year(stands.get(locale)), STAND_COLUMNS),
        ]
    };
    terminal.print(&table(&head, page.alerts.iter().map(row)));
    let (shown, total) = (page.alerts.len(), page.total);
    if let Some(more) = &page.more {
        terminal.note(&Message::new(
            format!("这里 {shown} 条，一共 {total} 条；接着看：deskbell alerts --after {more}（其余条件照写）"),
            format!("{shown} of {total}; go on with: deskbell alerts --after {more} (and the same filters)"),
        ));
    }
}

/// The text in at most so many columns.
fn narrow(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_string();
    }
    let mut used = 1; // the ellipsis
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used <= columns
    };
    format!("{}…", text.chars().take_while(fits).collect::<String>().trim_end())
}

/// Instants with month, day and time; the year is in the view of one alert.
fn without_year(text: &str) -> String {
    let is_year = |word: &str| {
        let (year, rest) = word.split_at_checked(5).unwrap_or_default();
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        year.strip_suffix('-').is_some_and(digits) && rest.len() == 5 && rest.split('-').all(digits)
    };
    let words = text.split(' ').map(|word| if is_year(word) { word.get(5..).unwrap_or(word) } else { word });
    words.collect::<Vec<_>>().join(" ")
}

/// One alert, a line for each thing there is to say.
fn told(alert: &AlertDocument, zone: Zone, locale: Locale) -> Vec<String> {
    let at = |ms: i64| zone.minute(Timestamp::from_ms(ms));
    let mut lines = vec![
        format!("#{}  {}  {}", alert.reference, severity(&alert.severity).get(locale), state(alert, zone).get(locale)),
        format!("{}  {}", alert.rule, subject(alert)),
        alert.why.get(locale).to_string(),
    ];
    let mut say = |message: Message| lines.push(message.get(locale).to_string());
    if let Some(team) = &alert.team {
        say(Message::new(format!("团队 {team}"), format!("team {team}")));
    }
    let since = at(alert.since);
    say(Message::new(format!("{since} 起成立"), format!("holds since {since}")));
    if let Some(fired) = alert.fired_at.map(at) {
        let episode = alert.episode;
        say(Message::new(format!("{fired} 开始响（第 {episode} 次）"), format!("rang at {fired} (episode {episode})")));
    }
    if let Some(data) = alert.data_of.map(at) {
        say(Message::new(format!("用的是 {data} 的数据"), format!("on data of {data}")));
    }
    if let Some(why) = &alert.end_reason {
        let (zh_by, en_by) = match &alert.ended_by {
            Some(by) => (format!("（{}）", by.zh), format!(" ({})", by.en)),
            None => Default::default(),
        };
        say(Message::new(format!("结束：{}{zh_by}", why.zh), format!("ended: {}{en_by}", why.en)));
    }
    if alert.trial {
        say(Message::new("规则在试运行，不通知团队", "its rule is in trial: the team is not told"));
    }
    for told in &alert.told {
        say(told_words(told));
        if let Some(hush) = &told.hushed {
            say(Message::new(format!("  现在不发：{}", hush.zh), format!("  not told now: {}", hush.en)));
        }
    }
    let (reached, rungs) = (alert.ladder.reached, alert.ladder.rungs);
    if rungs > 0 {
        say(Message::new(
            format!("升级：走到第 {reached} 步，一共 {rungs} 步"),
            format!("ladder: {reached} of {rungs} steps reached"),
        ));
    }
    for next in &alert.next {
        say(next_words(next, &at));
    }
    lines
}

fn severity(word: &str) -> Words {
    severity_words(severity_named(word).unwrap_or(Severity::Warning))
}

/// What it is about, as people look for it.
fn subject(alert: &AlertDocument) -> String {
    let of = alert.subject.rsplit_once(':').map_or(alert.subject.as_str(), |(_, of)| of);
    match &alert.title {
        Some(title) if title != of => format!("{of} {title}"),
        _ => of.to_string(),
    }
}

fn state(alert: &AlertDocument, zone: Zone) -> Message {
    let at = |ms: i64| zone.minute(Timestamp::from_ms(ms));
    match (alert.state.as_str(), &alert.taken, &alert.snoozed) {
        ("taken", Some(taken), _) => {
            let until = at(taken.until);
            Message::new(
                format!("{} 在处理，到 {until}", taken.by.zh),
                format!("taken by {} until {until}", taken.by.en),
            )
        }
        ("snoozed", _, Some(snoozed)) => {
            let until = at(snoozed.until);
            Message::new(
                format!("{} 设了稍后提醒，{until}", snoozed.by.zh),
                format!("snoozed by {} until {until}", snoozed.by.en),
            )
        }
        ("pending", ..) => Message::new("观察中", "pending"),
        ("ended", ..) => match alert.ended_at.map(at) {
            Some(ended) => Message::new(format!("{ended} 结束"), format!("ended {ended}")),
            None => Message::new("已结束", "ended"),
        },
        _ => untold(alert).unwrap_or_else(|| Message::new("在响", "firing")),
    }
}

/// Why nobody knows of an alert that rings, where nobody does.
fn untold(alert: &AlertDocument) -> Option<Message> {
    if alert.told.iter().any(|told| told.how != "not_told") {
        return None;
    }
    if alert.trial {
        return Some(Message::new("试运行，没有通知", "trial: not told"));
    }
    let why = alert.told.iter().find_map(|told| told.hushed.as_ref())?;
    Some(Message::new(format!("没有通知：{}", why.zh), format!("not told: {}", why.en)))
}

fn told_words(told: &ToldDocument) -> Message {
    let receiver = &told.receiver;
    let (zh, en) = match told.how.as_str() {
        "card" => ("卡片".to_string(), "card".to_string()),
        "digest" => ("汇总卡片".to_string(), "digest".to_string()),
        "waiting" => ("待发".to_string(), "to be sent".to_string()),
        _ => ("没有通知".to_string(), "not told".to_string()),
    };
    let (zh_more, en_more) = match (told.repeats, told.held) {
        (0, false) => Default::default(),
        (repeats, false) => (format!("，重复 {repeats} 次"), format!(", repeats: {repeats}")),
        (_, true) => ("，有通知暂不发".to_string(), ", held back".to_string()),
    };
    Message::new(format!("{receiver}（{zh}{zh_more}）"), format!("{receiver} ({en}{en_more})"))
}

/// What comes next, short enough for a column.
fn soonest(next: &NextDocument, zone: Zone) -> Message {
    let (zh, en) = next_what(next);
    match next.at.map(|ms| zone.minute(Timestamp::from_ms(ms))) {
        Some(at) => Message::new(format!("{at} {zh}"), format!("{at} {en}")),
        None => Message::new(zh, en),
    }
}

fn next_what(next: &NextDocument) -> (String, String) {
    match (next.what.as_str(), next.rung) {
        ("rings", _) => ("开始响".to_string(), "it rings".to_string()),
        ("repeat", _) => ("再提醒一次".to_string(), "it is repeated".to_string()),
        ("rung", Some(rung)) => (format!("升级第 {rung} 步"), format!("step {rung} of the ladder")),
        ("fallback", _) => {
            ("升级走完了还没人处理，再通知".to_string(), "the ladder is over: the fallback is told".to_string())
        }
        ("asked", _) => ("问处理的人进展如何".to_string(), "whoever took it is asked how it stands".to_string()),
        _ => ("稍后提醒的时间到".to_string(), "the snooze is over".to_string()),
    }
}

fn next_words(next: &NextDocument, at: &dyn Fn(i64) -> String) -> Message {
    let (zh, en) = next_what(next);
    let (zh_at, en_at) = match next.at.map(at) {
        Some(at) => (format!("{at} "), format!(" at {at}")),
        None => Default::default(),
    };
    let (zh_to, en_to) = match &next.to {
        Some(to) => (format!("，通知 {to}"), format!(", telling {to}")),
        None => Default::default(),
    };
    Message::new(format!("接下来：{zh_at}{zh}{zh_to}"), format!("next: {en}{en_at}{en_to}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_long_names_fits_into_a_hundred_columns() {
        assert_eq!(narrow("短", 4), "短");
        assert_eq!(narrow("待用户响应太久了", 9), "待用户响…");
        assert_eq!(without_year("在响 · 2026-11-21 03:01 升级第 1 步"), "在响 · 11-21 03:01 升级第 1 步");
        assert_eq!(without_year("firing; 2026-11-21 03:01 step 1"), "firing; 11-21 03:01 step 1");
        assert_eq!(without_year("2026-11-21 03:01"), "11-21 03:01");
        let long = "支付失败的工单很久没有人看".repeat(3);
        let cells = [RULE_COLUMNS, TICKET_COLUMNS, STAND_COLUMNS].map(|columns| narrow(&long, columns));
        let row = [vec!["4F7A2C".into(), "critical".into(), "11-21 03:01".into()], cells.to_vec()].concat();
        let shown = table(&["ref", "severity", "fired", "rule", "ticket", "state, what comes next"], [row]);
        assert!(shown.lines().all(|line| line.width() <= 100), "{shown}");
    }
}
