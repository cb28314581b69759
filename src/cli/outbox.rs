//! `deskbell outbox`: what is not delivered, and what is done about it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::{
    cli::{
        alerts::{json as shown, plain},
        api::{Api, part},
        args::{ConfigPath, Format},
        deeds::{Manner, show, sign},
        prepare,
        run::Stop,
        table::table,
        terminal::Terminal,
    },
    domain::{
        notice::Step,
        text::{Locale, Message},
        time::{Timestamp, Zone},
    },
    web::{
        acts::Done,
        outbox::{LetterDocument, OutboxPage},
    },
};

/// References of a digest's alerts in a row of the list.
const HOLDS_LISTED_MAX: usize = 3;

/// What is done with the outbox.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct OutboxArguments {
    /// What; without it, the list.
    #[command(subcommand)]
    pub verb: Option<OutboxVerb>,
    /// Which configuration, and what the list looks like.
    #[command(flatten)]
    pub list: ListArguments,
}

/// What the list looks like.
#[derive(Clone, Debug, Args)]
pub struct ListArguments {
    /// Which configuration.
    #[command(flatten)]
    pub at: ConfigPath,
    /// 输出格式 · What the answer looks like
    #[arg(long, value_name = "text|json", default_value = "text", hide_possible_values = true)]
    pub format: Format,
}

/// What is done with the outbox.
#[derive(Clone, Debug, Subcommand)]
pub enum OutboxVerb {
    /// 列出待发的和发不出去的 · List what waits and what cannot be delivered
    List(ListArguments),
    /// 看一条 · Show one notice
    Show {
        /// Which configuration, and what the answer looks like.
        #[command(flatten)]
        list: ListArguments,
        /// 名字，在列表里 · Its name in the list
        name: String,
    },
    /// 再发一次 · Try again what could not be delivered
    Retry(LetterArguments),
    /// 不再发了，记入日志 · Give it up for good; the journal says so
    Drop(LetterArguments),
}

/// Which notices.
#[derive(Clone, Debug, Args)]
pub struct LetterArguments {
    /// 配置文件 · The configuration file
    #[arg(long, short, value_name = "FILE", default_value = "deskbell.yaml")]
    pub config: PathBuf,
    /// 名字，在列表里 · Its name in the list
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub name: Option<String>,
    /// 所有发不出去的 · Everything that cannot be delivered
    #[arg(long)]
    pub all: bool,
    /// Who acts and how it is said.
    #[command(flatten)]
    pub manner: Manner,
}

/// Does it.
pub fn run(arguments: &OutboxArguments, terminal: Terminal) -> Result<(), Stop> {
    match &arguments.verb {
        None => list(&arguments.list, terminal),
        Some(OutboxVerb::List(arguments)) => list(arguments, terminal),
        Some(OutboxVerb::Show { list, name }) => one(list, name, terminal),
        Some(OutboxVerb::Retry(arguments)) => act(arguments, "retry", terminal),
        Some(OutboxVerb::Drop(arguments)) => act(arguments, "drop", terminal),
    }
}

fn list(arguments: &ListArguments, terminal: Terminal) -> Result<(), Stop> {
    let (server, zone) = prepare::door(&arguments.at.config, terminal)?;
    let api = Api::of(&server)?;
    let page: OutboxPage = prepare::small_runtime()?.block_on(api.get("/api/v1/outbox", &[]))?;
    if arguments.format == Format::Json {
        terminal.print(&shown(&page));
        return Ok(());
    }
    if page.waiting.is_empty() && page.dead.is_empty() {
        terminal.say(&Message::new("没有待发的，也没有发不出去的", "nothing waits, and nothing is undeliverable"));
        return Ok(());
    }
    let head = match terminal.locale {
        Locale::Zh => ["名字", "状态", "给谁", "说什么", "规则", "工单", "试过", "为什么"],
        Locale::En => ["name", "state", "to", "tells", "rule", "ticket", "tries", "why"],
    };
    let rows = page.dead.iter().chain(&page.waiting).map(|letter| row(letter, zone, terminal.locale));
    terminal.print(&table(&head, rows));
    let left_out = page.waiting_total - page.waiting.len().min(page.waiting_total);
    if left_out > 0 {
        terminal.note(&Message::new(format!("另有 {left_out} 条待发"), format!("{left_out} more wait")));
    }
    if !page.dead.is_empty() {
        terminal.note(&Message::new(
            "再发：deskbell outbox retry <名字>；不要了：deskbell outbox drop <名字>",
            "Try again: deskbell outbox retry <NAME>; give up: deskbell outbox drop <NAME>",
        ));
    }
    Ok(())
}

fn row(letter: &LetterDocument, zone: Zone, locale: Locale) -> Vec<String> {
    let why = letter.reason.as_ref().or(letter.last_error.as_ref());
    vec![
        letter.name.clone(),
        state(letter, zone).get(locale).to_string(),
        letter.receiver.clone(),
        step(&letter.step).get(locale).to_string(),
        letter.rule.clone(),
        subject(letter),
        letter.attempts.to_string(),
        why.map_or_else(String::new, |why| why.get(locale).to_string()),
    ]
}

/// What a notice tells, in words; a word of another version as it is.
fn step(word: &str) -> Message {
    let known = Step::ALL.into_iter().find(|step| step.name() == word);
    known.map_or_else(|| Message::new(word, word), |step| step.words().into())
}

fn subject(letter: &LetterDocument) -> String {
    let of = letter.subject.rsplit_once(':').map_or(letter.subject.as_str(), |(_, of)| of);
    let named = letter.title.as_ref().map_or_else(|| of.to_string(), |title| format!("{of} {title}"));
    match letter.holds_total {
        0 => named,
        _ => format!("{named} {}", holds(letter, HOLDS_LISTED_MAX)),
    }
}

/// The references of a digest's alerts: `#4F7A2C #985EE3 … (31)`.
fn holds(letter: &LetterDocument, most: usize) -> String {
    let named: Vec<String> = letter.holds.iter().take(most).map(|reference| format!("#{reference}")).collect();
    match letter.holds_total {
        total if total > named.len() => format!("{} … ({total})", named.join(" ")),
        _ => named.join(" "),
    }
}

fn state(letter: &LetterDocument, zone: Zone) -> Message {
    let at = |ms: i64| zone.minute(Timestamp::from_ms(ms));
    match (letter.state.as_str(), letter.dead_at) {
        ("dead", Some(dead)) => {
            Message::new(format!("{} 起发不出去", at(dead)), format!("undeliverable since {}", at(dead)))
        }
        ("sending", _) => Message::new("正在发", "being sent"),
        _ if letter.attempts > 0 => {
            let again = at(letter.not_before);
            Message::new(format!("{again} 再试"), format!("again at {again}"))
        }
        _ => Message::new("待发", "waiting"),
    }
}

fn one(arguments: &ListArguments, name: &str, terminal: Terminal) -> Result<(), Stop> {
    let (server, zone) = prepare::door(&arguments.at.config, terminal)?;
    let path = format!("/api/v1/outbox/{}", part(name));
    let letter: LetterDocument = prepare::small_runtime()?.block_on(Api::of(&server)?.get(&path, &[]))?;
    terminal.print(&match arguments.format {
        Format::Json => shown(&letter),
        Format::Text => plain(&told(&letter, zone, terminal.locale).join("\n")),
    });
    Ok(())
}

fn told(letter: &LetterDocument, zone: Zone, locale: Locale) -> Vec<String> {
    let at = |ms: i64| zone.minute(Timestamp::from_ms(ms));
    let LetterDocument { name, receiver, rule, reference, attempts, .. } = letter;
    let tells = step(&letter.step);
    let (tells_zh, tells_en) = (tells.get(Locale::Zh), tells.get(Locale::En));
    let decided = at(letter.decided_at);
    let mut lines = vec![
        Message::new(format!("{name}：{}", state(letter, zone).zh), format!("{name}: {}", state(letter, zone).en)),
        Message::new(
            format!("给 {receiver}：{tells_zh}，规则 {rule}，#{reference}"),
            format!("to {receiver}: {tells_en}, rule {rule}, #{reference}"),
        ),
        Message::new(subject(letter), subject(letter)),
        Message::new(
            format!("{decided} 决定，试过 {attempts} 次"),
            format!("decided at {decided}, tried {attempts} times"),
        ),
    ];
    if letter.holds_total > 0 {
        let (total, named) = (letter.holds_total, holds(letter, usize::MAX));
        lines.push(Message::new(format!("汇总里有 {total} 条：{named}"), format!("a digest of {total}: {named}")));
    }
    if let Some(tried) = letter.first_tried_at.map(at) {
        lines.push(Message::new(
            format!("{tried} 的那次可能已经送达；再发时先到群里查，查不到才发，或注明“可能重复”"),
            format!(
                "the attempt of {tried} may have arrived: a retry looks in the chat first, or says that it may be a repeat"
            ),
        ));
    }
    let why = letter.reason.as_ref().or(letter.last_error.as_ref());
    lines.extend(why.map(|why| Message::new(why.zh.clone(), why.en.clone())));
    lines.into_iter().map(|line| line.get(locale).to_string()).collect()
}

fn act(arguments: &LetterArguments, verb: &str, terminal: Terminal) -> Result<(), Stop> {
    let (server, _) = prepare::door(&arguments.config, terminal)?;
    let api = Api::of(&server)?;
    let runtime = prepare::small_runtime()?;
    let mut body = json!({});
    sign(&mut body, &arguments.manner);
    let format = arguments.manner.format;
    if let Some(name) = &arguments.name {
        let path = format!("/api/v1/outbox/{}/{verb}", part(name));
        let done: Done = runtime.block_on(api.post(&path, &body))?;
        show(&done, format, terminal);
        return Ok(());
    }
    let page: OutboxPage = runtime.block_on(api.get("/api/v1/outbox", &[]))?;
    let (mut done, mut refused) = (Vec::new(), Vec::new());
    for letter in &page.dead {
        let path = format!("/api/v1/outbox/{}/{verb}", letter.uuid);
        match runtime.block_on(api.post::<Done>(&path, &body)) {
            Ok(_) => done.push(letter.name.clone()),
            Err(Stop::Failure(why)) => refused.push((letter.name.clone(), why)),
            Err(stop) => return Err(stop),
        }
    }
    match format {
        Format::Json => {
            let told: Vec<_> =
                refused.iter().map(|(name, why)| json!({ "name": name, "zh": why.zh, "en": why.en })).collect();
            terminal.print(&shown(&json!({ "done": done, "refused": told })));
        }
        Format::Text => count(verb, &done, &refused, terminal),
    }
    match refused.len() {
        0 => Ok(()),
        _ => Err(Stop::failure("没有全部完成", "not all of it was done")),
    }
}

fn count(verb: &str, done: &[String], refused: &[(String, Message)], terminal: Terminal) {
    let number = done.len();
    terminal.say(&match verb {
        "retry" => Message::new(format!("{number} 条再发一次"), format!("notices tried again: {number}")),
        _ => Message::new(format!("{number} 条不再发"), format!("notices given up: {number}")),
    });
    for (name, why) in refused {
        terminal.say(&Message::new(format!("{name}：{}", why.zh), format!("{name}: {}", why.en)));
    }
}
