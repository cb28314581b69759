//! `deskbell ticket <id>`: one ticket, fresh from the source, as its card.

use std::sync::Arc;

use clap::Args;
use serde_json::json;
use tokio::time::timeout;

use crate::{
    adapters::{
        clock::Clock,
        feishu::{client::Client, error::Advice, helpdesk::Helpdesk, ticket::decode},
        templates::library::Surroundings,
    },
    app::config::setup::Setup,
    cli::{
        alerts::{json as shown, plain},
        api::{Answer, Api},
        args::{ConfigPath, Format},
        deeds::by,
        prepare::{self, Warnings},
        run::Stop,
        terminal::Terminal,
    },
    domain::{
        card_text,
        command::{Command, reply},
        conversation::Speakers,
        facts::Facts,
        id::{ReceiverName, RuleName, SourceName, Subject, TicketId},
        notice::{AnswerView, Content, NoticeKey, Outside, Send, Step, Target, TicketView},
        text::{Locale, Message},
        time::Timestamp,
    },
    engine::lookup::TALK_TIME_MAX,
    web::{lookup::LookedUp, ticket::TicketDocument},
};

/// Which ticket.
#[derive(Clone, Debug, Args)]
pub struct TicketArguments {
    /// Which configuration.
    #[command(flatten)]
    pub at: ConfigPath,
    /// 工单号（19 位），服务在运行时也可以只写最后 5 位以上 · The ticket id, or its end while the service runs
    pub id: String,
    /// 数据源；默认逐个找 · The source; default: each in turn
    #[arg(long)]
    pub source: Option<String>,
    /// 输出格式 · What the answer looks like
    #[arg(long, value_name = "text|json", default_value = "text", hide_possible_values = true)]
    pub format: Format,
}

/// Shows the ticket: as the running service answers it in a chat, with what rings on it; without one, as its source has
/// it.
pub fn run(arguments: &TicketArguments, terminal: Terminal) -> Result<(), Stop> {
    let typed = &arguments.id;
    let Command::Ticket(id) = Command::parse(&format!("/ticket {typed}")) else {
        return Err(Stop::Usage(reply::USAGE.into()));
    };
    let path = &arguments.at.config;
    let (server, _) = prepare::door(path, terminal)?;
    if arguments.source.is_none() && server.api_token.is_some() {
        let asked = json!({ "text": format!("/ticket {id}"), "by": by() });
        let found = prepare::small_runtime()?.block_on(Api::of(&server)?.look_up(&asked))?;
        if let Answer::Here(LookedUp { text, ticket, .. }) = found {
            let Some(ticket) = ticket else { return Err(Stop::Failure(Message::new(text.zh, text.en))) };
            terminal.print(&match arguments.format {
                Format::Json => shown(&ticket),
                Format::Text => plain(text.get(terminal.locale)),
            });
            return Ok(());
        }
    }
    let setup = prepare::setup(path, Warnings::Left, terminal)?;
    let client = prepare::client(&setup.feishu, &setup.http)?;
    let clock = Clock::system();
    let source = arguments.source.as_deref();
    let found = prepare::small_runtime()?.block_on(find(&setup, &client, &id, source, &clock))?;
    if arguments.format == Format::Json {
        terminal.print(&shown(&TicketDocument::from(&found)));
        return Ok(());
    }
    let around = Surroundings { zone: setup.settings.zone, now: clock.now(), drill: false };
    let rendered = setup.templates.render(&send(found, terminal.locale), &around);
    terminal.print(&card_text::text(&rendered.card));
    if let Some(trouble) = rendered.trouble {
        terminal.note(&trouble);
    }
    Ok(())
}

/// The ticket as an answer that nobody is sent.
fn send(found: TicketView, locale: Locale) -> Send {
    Send {
        key: NoticeKey {
            subject: Subject::Ticket(found.ticket.key.clone()),
            rule: RuleName::from("ticket"),
            episode: 0,
            step: Step::Answer,
            ordinal: 0,
            receiver: ReceiverName::from("terminal"),
        },
        target: Target::Post(ReceiverName::from("terminal")),
        template: None,
        content: Content::Answer(Box::new(AnswerView::Ticket(Box::new(found)))),
        outside: Outside::default(),
        locale,
        maybe_repeat: false,
        without_mentions: false,
        masked: false,
        forward: false,
        notes: Vec::new(),
        asides: Vec::new(),
        mentions: Vec::new(),
        rev: 0,
        attempts: 0,
    }
}

/// The ticket from the first source that has it; every source is asked unless one is named.
pub async fn find(
    setup: &Setup,
    client: &Client,
    id: &TicketId,
    source: Option<&str>,
    clock: &Clock,
) -> Result<TicketView, Stop> {
    if let Some(name) = source
        && !setup.sources.contains_key(&SourceName::from(name))
    {
        return Err(Stop::usage(format!("没有叫 “{name}” 的数据源"), format!("there is no source `{name}`")));
    }
    for part in setup.sources.values().filter(|part| source.is_none_or(|name| part.name.as_str() == name)) {
        let asked_at = clock.now();
        let helpdesk = Helpdesk::new(client.clone(), &part.helpdesk);
        let talk = timeout(clock.to_wall(TALK_TIME_MAX), helpdesk.messages(id));
        let (raw, talk) = tokio::join!(helpdesk.get(id), talk);
        let raw = match raw {
            Ok(raw) => raw,
            Err(error) if error.advice == Advice::NotThere => continue,
            Err(error) => return Err(Stop::Failure(error.message())),
        };
        let decoded = decode(&part.name, &raw).map_err(|broken| {
            let reason = broken.reason;
            Stop::Failure(Message::new(
                format!("工单 {id} 的内容读不懂：{reason}"),
                format!("ticket {id} cannot be read: {reason}"),
            ))
        })?;
        let ticket = decoded.ticket;
        let facts = first_sight(&ticket, asked_at);
        let labels = Arc::clone(&part.labels);
        let talk = talk.ok().filter(|talk| talk.error.is_none()).zip(Speakers::of(&ticket));
        let view = TicketView::new(Arc::new(ticket), facts, labels, asked_at);
        return Ok(match talk {
            Some((talk, speakers)) => view.with_talk(Arc::new(talk.conversation(&speakers))),
            None => view,
        });
    }
    Err(Stop::Failure(reply::not_found(id)))
}

/// What is known of a ticket that was never seen before.
fn first_sight(ticket: &crate::domain::ticket::Ticket, asked_at: Timestamp) -> Facts {
    let status_since = ticket.last_moved_at().unwrap_or(asked_at).min(asked_at);
    Facts { status_since_estimated: true, ..Facts::new(status_since, asked_at) }
}
