//! The verb: read, play, show.

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    adapters::{clock::Clock, feishu::ticket::Decoder, yaml::duration::read_span},
    app::config::{setup::Setup, sources::Source as SourceConfig},
    cli::{
        args::{ConfigPath, Format},
        prepare::{self, Warnings},
        rehearse::{
            kept::Spoken,
            shown,
            wish::{Read, Wish},
        },
        run::Stop,
        send_test,
        terminal::Terminal,
    },
    domain::{
        conversation::{Conversation, Said, Speakers},
        id::{RuleName, SourceName},
        rehearsal::{
            past::{past, spoken},
            replayable::History,
            report::{Ask, Page, rehearse},
            text::{self, Heading},
        },
        replay::script::{Script, Sight, What},
        rule::{Rule, RuleSet},
        text::{Locale, Message},
        ticket::Ticket,
        time::{Span, Timestamp},
    },
};

/// The longest time that is looked back on.
pub const SINCE_MAX: Span = Span::from_days(366);

/// What may be typed.
#[derive(Clone, Debug, Args)]
pub struct RehearseArguments {
    /// Which configuration.
    #[command(flatten)]
    pub at: ConfigPath,
    /// 数据源；只有一个时可省略 · The source; may be left out where there is but one
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,
    /// 往回看多久 · How far to look back
    #[arg(long, value_name = "30d", default_value = "30d", hide_default_value = true)]
    pub since: String,
    /// 只看这条规则 · Only this rule
    #[arg(long, value_name = "NAME")]
    pub rule: Option<String>,
    /// 把结果作为一张卡片发给接收方 · Post the page as a card to a receiver
    #[arg(long, value_name = "RECEIVER")]
    pub to: Option<String>,
    /// 有规则要看对话内容时一起读，每张工单一次调用 · Read what was said too, if a rule needs it: one call a ticket
    #[arg(long)]
    pub messages: bool,
    /// 调用次数多也照读 · Read even where that takes many calls
    #[arg(long)]
    pub yes: bool,
    /// 不接着上次，从头读 · Begin anew instead of going on with an interrupted reading
    #[arg(long)]
    pub fresh: bool,
    /// 输出格式 · What is printed
    #[arg(long, value_name = "text|json", default_value = "text", hide_possible_values = true)]
    pub format: Format,
}

/// Rehearses.
pub fn run(arguments: &RehearseArguments, terminal: Terminal) -> Result<(), Stop> {
    let since = since(&arguments.since)?;
    let setup = prepare::setup(&arguments.at.config, Warnings::Left, terminal)?;
    let source = source_of(&setup, arguments.source.as_deref())?;
    let rules = rules_of(&setup.rules, source, arguments.rule.as_deref())?;
    let receiver = arguments.to.as_deref().map(|name| send_test::known(&setup, name)).transpose()?;
    let client = prepare::client(&setup.feishu, &setup.http)?;
    let clock = Clock::system();
    let runtime = prepare::small_runtime()?;
    let messages = arguments.messages && rules.rules.values().any(Rule::needs_messages);
    let wish = Wish { setup: &setup, source, since, yes: arguments.yes, fresh: arguments.fresh, messages };
    let (read, kept) = runtime.block_on(wish.read(&client, &clock, terminal))?;
    let script = script(&read, source, terminal);
    let heading = heading(source, &setup);
    let ask = Ask { script: &script, from: script.start, history: History::List { messages } };
    let page = play(ask, &rules, &setup, terminal);
    show(&page, &heading, arguments.format, terminal);
    if let Some(receiver) = receiver {
        let card = text::card(&page, &heading, receiver.locale);
        runtime.block_on(shown::post(&setup, &client, receiver, &card, &clock))?;
        let name = &receiver.name;
        terminal.note(&Message::new(format!("已发到 {name}"), format!("Sent to {name}")));
    }
    kept.remove();
    Ok(())
}

/// A time to look back on.
pub fn since(text: &str) -> Result<Span, Stop> {
    let since = read_span(text)
        .map_err(|message| Stop::usage(format!("--since：{}", message.zh), format!("--since: {}", message.en)))?;
    if since < Span::from_hours(1) || since > SINCE_MAX {
        return Err(Stop::usage(
            format!("--since {text} 不行：最短 1h，最长 366d"),
            format!("--since {text} will not do: from 1h to 366d"),
        ));
    }
    Ok(since)
}

fn source_of<'a>(setup: &'a Setup, name: Option<&str>) -> Result<&'a SourceConfig, Stop> {
    let names: Vec<&str> = setup.sources.keys().map(SourceName::as_str).collect();
    match (name, setup.sources.len()) {
        (Some(name), _) => setup.sources.get(&SourceName::from(name)).ok_or_else(|| {
            Stop::usage(
                format!("没有叫 “{name}” 的数据源；有：{}", names.join("、")),
                format!("there is no source `{name}`; there are: {}", names.join(", ")),
            )
        }),
        (None, 1) => setup.sources.values().next().ok_or_else(prepare::faulty),
        (None, _) => Err(Stop::usage(
            format!("请用 --source 说是哪个数据源：{}", names.join("、")),
            format!("say which source with --source: {}", names.join(", ")),
        )),
    }
}

fn rules_of(rules: &RuleSet, source: &SourceConfig, only: Option<&str>) -> Result<RuleSet, Stop> {
    let mut rules = one_or_all(rules, only)?;
    rules.rules.retain(|_, rule| rule.watches(&source.name));
    if rules.rules.is_empty() {
        let name = &source.name;
        return Err(Stop::usage(
            format!("没有规则看 {name}，没有什么可演练"),
            format!("no rule watches {name}: there is nothing to rehearse"),
        ));
    }
    Ok(rules)
}

/// The rule of that name, or all of them.
pub fn one_or_all(rules: &RuleSet, only: Option<&str>) -> Result<RuleSet, Stop> {
    let Some(name) = only else { return Ok(rules.clone()) };
    match rules.rules.get(&RuleName::from(name)) {
        Some(rule) => Ok(RuleSet { rules: [(rule.name.clone(), rule.clone())].into() }),
        None => {
            let names: Vec<&str> = rules.rules.keys().map(RuleName::as_str).collect();
            Err(Stop::usage(
                format!("没有叫 “{name}” 的规则；有：{}", names.join("、")),
                format!("there is no rule `{name}`; there are: {}", names.join(", ")),
            ))
        }
    }
}

fn script(read: &Read, source: &SourceConfig, terminal: Terminal) -> Script {
    let mut decoder = Decoder::new(source.name.clone());
    let mut sights = Vec::new();
    let mut unreadable = 0_u64;
    for raw in &read.tickets {
        let Ok(decoded) = decoder.decode(raw) else {
            unreadable += 1;
            continue;
        };
        let ticket = decoded.ticket;
        let key = ticket.key.clone();
        let way = past(&ticket, read.until);
        let conversations = conversations(&ticket, read);
        unreadable += u64::from(way.is_empty());
        sights.extend(way.into_iter().map(|sight| Sight {
            at: sight.at,
            key: key.clone(),
            what: What::Ticket(sight.ticket),
        }));
        sights.extend(conversations.into_iter().map(|(at, said)| {
            let what = What::Messages(said);
            Sight { at, key: key.clone(), what }
        }));
    }
    // In the order they were made: a ticket is shown before what was said on it.
    sights.sort_by(|one, other| (one.at, &one.key).cmp(&(other.at, &other.key)));
    if unreadable > 0 {
        terminal.note(&Message::new(
            format!("{unreadable} 张工单读不懂，没有算进去"),
            format!("{unreadable} tickets cannot be read and are left out"),
        ));
    }
    Script { start: read.from, end: read.until, sights }
}

/// What was said on a ticket by each instant at which someone spoke.
fn conversations(ticket: &Ticket, read: &Read) -> Vec<(Timestamp, Conversation)> {
    let parts = (read.said.get(&ticket.key.id), Speakers::of(ticket), ticket.created_at.present());
    let (Some(said), Some(speakers), Some(created)) = parts else { return Vec::new() };
    let one = |(who, at, text): &Spoken| {
        (speakers.speaker(who), Said { at: Timestamp::from_ms(*at), text: text.as_str().into() })
    };
    spoken(*created, said.iter().map(one).collect(), read.until)
}

fn heading(source: &SourceConfig, setup: &Setup) -> Heading {
    let name = &source.name;
    let calls = setup.calls.sources.iter().find(|calls| calls.source == *name);
    Heading {
        title: Message::new(
            format!("演练 {name}：如果这些规则已经上线"),
            format!("Rehearsal of {name}: had these rules been live"),
        ),
        polling: calls.map_or(0, |calls| calls.total),
        monthly: setup.settings.plan.monthly(),
    }
}

/// Plays with a bar that follows virtual time.
pub fn play(ask: Ask<'_>, rules: &RuleSet, setup: &Setup, terminal: Terminal) -> Page {
    let bar = ProgressBar::new(1_000);
    let template = match terminal.locale {
        Locale::Zh => "演算 {bar:30} {percent}%",
        Locale::En => "playing {bar:30} {percent}%",
    };
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    let (start, whole) = (ask.script.start, ask.script.end.since(ask.script.start).as_ms().max(1));
    let (page, _) = rehearse(ask, rules, &setup.settings, &mut |number, of, at| {
        let part = at.since(start).as_ms() * 1_000 / whole;
        let done = (number as u64 * 1_000 + part.unsigned_abs()) / (of as u64).max(1);
        bar.set_position(done.min(1_000));
    });
    bar.finish_and_clear();
    page
}

/// Prints the page.
pub fn show(page: &Page, heading: &Heading, format: Format, terminal: Terminal) {
    match format {
        Format::Text => terminal.print(&text::terminal(page, heading, terminal.locale)),
        Format::Json => terminal.print(&shown::json(page, heading).to_string()),
    }
}
