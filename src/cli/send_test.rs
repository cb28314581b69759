//! `deskbell send-test <receiver>`: a card that is marked as a drill, to see that it arrives and what it looks like.

use std::{path::Path, sync::Arc};

use crate::{
    adapters::{
        clock::Clock,
        feishu::{
            card::{CHAT_CARD_BYTES_MAX, to_json},
            client::Client,
            error::Error,
            webhook::Webhook,
        },
        http, outgoing,
        templates::library::Surroundings,
    },
    app::config::setup::Setup,
    cli::{
        prepare::{self, Warnings},
        run::Stop,
        terminal::Terminal,
        ticket,
    },
    domain::{
        alert::{Alert, AlertKey, AlertState, Announced},
        card::{Card, Menu},
        command::Command,
        id::{ReceiverName, RuleName, Subject},
        notice::{AlertView, AnswerView, Content, NoticeKey, Outside, Send, Step, Target},
        receiver::{Receiver, ReceiverKind},
        rule::{Rule, To},
        text::Message,
        time::Timestamp,
        typed,
        why::why_text,
    },
};

/// Sends the drill; `of` names a rule and a ticket.
pub fn run(path: &Path, receiver: &str, of: Option<(&str, &str)>, terminal: Terminal) -> Result<(), Stop> {
    let setup = prepare::setup(path, Warnings::Left, terminal)?;
    let receiver = known(&setup, receiver)?;
    let client = prepare::client(&setup.feishu, &setup.http)?;
    let clock = Clock::system();
    prepare::small_runtime()?.block_on(async {
        let content = match of {
            None => Content::Answer(Box::new(AnswerView::Text(hello(&receiver.name)))),
            Some((rule, ticket)) => alert(&setup, &client, rule, ticket, &clock).await?,
        };
        let send = send(&setup, receiver, content, &clock);
        let around = Surroundings { zone: setup.settings.zone, now: clock.now(), drill: true };
        let rendered = setup.templates.render(&send, &around);
        if let Some(trouble) = rendered.trouble {
            terminal.note(&trouble);
        }
        deliver(&setup, &client, receiver, (&send, &rendered.card), &clock).await
    })?;
    terminal.say(&Message::new(
        format!("已发到 {}。卡片标题带【演练】，不会影响任何提醒。", receiver.name),
        format!("Sent to {}. The card's title says that it is a drill; no alert is touched.", receiver.name),
    ));
    Ok(())
}

/// The receiver of that name.
///
/// # Errors
/// There is none.
pub fn known<'a>(setup: &'a Setup, name: &str) -> Result<&'a Receiver, Stop> {
    let receivers = &setup.settings.receivers;
    receivers.get(&ReceiverName::from(name)).ok_or_else(|| {
        let names: Vec<&str> = receivers.keys().map(ReceiverName::as_str).collect();
        Stop::usage(
            format!("没有叫 “{name}” 的接收方；有：{}", names.join("、")),
            format!("there is no receiver `{name}`; there are: {}", names.join(", ")),
        )
    })
}

fn hello(receiver: &ReceiverName) -> Message {
    Message::new(
        format!("这是 deskbell 发给 {receiver} 的测试卡片。看到它，说明这条路是通的。"),
        format!("This is deskbell's test card for {receiver}. Seeing it means that this way works."),
    )
}

/// The card of an alert as the rule would send it for this ticket, whether it holds or not.
async fn alert(setup: &Setup, client: &Client, rule: &str, ticket: &str, clock: &Clock) -> Result<Content, Stop> {
    let rule: &Rule = setup.rules.rules.get(&RuleName::from(rule)).ok_or_else(|| {
        let names: Vec<&str> = setup.rules.rules.keys().map(RuleName::as_str).collect();
        Stop::usage(
            format!("没有叫 “{rule}” 的规则；有：{}", names.join("、")),
            format!("there is no rule `{rule}`; there are: {}", names.join(", ")),
        )
    })?;
    let Command::Ticket(id) = Command::parse(&format!("/ticket {ticket}")) else {
        return Err(Stop::Usage(crate::domain::command::reply::USAGE.into()));
    };
    let view = ticket::find(setup, client, &id, None, clock).await?;
    let now = clock.now();
    let alert = Alert {
        state: AlertState::Firing { fired_at: now, stale_as_of: None },
        severity: rule.severity,
        why: why_text(&rule.when, &view.whole(), now),
        announced: Announced::Cards,
        meaning: rule.meaning,
        ..Alert::pending(AlertKey { subject: Subject::Ticket(view.ticket.key.clone()), rule: rule.name.clone() }, now)
    };
    let (rule, ticket, menu) = (Some(Arc::new(rule.clone())), Some(view), Menu::Plain);
    let (step, silenced, untold) = (Step::Fired, None, None);
    Ok(Content::Alert(Box::new(AlertView { alert, rule, ticket, step, ordinal: 0, silenced, untold, menu })))
}

/// A message to a receiver that belongs to no alert.
pub fn send(setup: &Setup, receiver: &Receiver, content: Content, clock: &Clock) -> Send {
    let now: Timestamp = clock.now();
    let template = match &content {
        Content::Alert(view) => view.rule.as_ref().and_then(|rule| {
            let line = rule.notify.iter().find(|line| line.to == To::Receiver(receiver.name.clone()));
            let line = line.or_else(|| rule.notify.first());
            line.and_then(|line| line.template.clone())
        }),
        _ => None,
    };
    Send {
        // The instant makes each drill a message of its own.
        key: NoticeKey {
            subject: Subject::Service,
            rule: RuleName::new(format!("send-test {}", now.as_ms())),
            episode: 0,
            step: Step::Fired,
            ordinal: 0,
            receiver: receiver.name.clone(),
        },
        target: Target::Post(receiver.name.clone()),
        template,
        content,
        outside: Outside::default(),
        locale: setup.settings.receivers.get(&receiver.name).map_or(setup.settings.locale, |known| known.locale),
        maybe_repeat: false,
        without_mentions: true,
        masked: false,
        forward: false,
        notes: Vec::new(),
        asides: Vec::new(),
        mentions: Vec::new(),
        rev: 0,
        attempts: 0,
    }
}

/// Sends a card to a receiver.
///
/// # Errors
/// It cannot be delivered, and what to do.
pub async fn deliver(
    setup: &Setup,
    client: &Client,
    receiver: &Receiver,
    (send, card): (&Send, &Card),
    clock: &Clock,
) -> Result<(), Stop> {
    let failed = |error: Error| Stop::Failure(error.message());
    let uuid = &send.key.uuid();
    let web = || http::client(&setup.http).map_err(|fault| Stop::Usage(fault.message));
    match &receiver.kind {
        ReceiverKind::Chat(chat) => {
            client.create(chat, &to_json(card, CHAT_CARD_BYTES_MAX), uuid).await.map(drop).map_err(failed)
        }
        ReceiverKind::Person(person) => {
            client.create_for(person, &to_json(card, CHAT_CARD_BYTES_MAX), uuid).await.map(drop).map_err(failed)
        }
        ReceiverKind::Wecom | ReceiverKind::Http => {
            let config = setup.outgoing.get(&receiver.name).ok_or_else(no_address)?;
            let client = outgoing::client::Client::new(config, web()?, clock.clone());
            client.post_drill(send, card).await.map_err(|error| Stop::Failure(error.message()))
        }
        ReceiverKind::Webhook => {
            let config = setup.webhooks.get(&receiver.name).ok_or_else(no_address)?;
            let card = typed::without_presses(card, send.locale);
            Webhook::new(config, web()?, clock.clone()).post(&card).await.map_err(failed)
        }
    }
}

fn no_address() -> Stop {
    Stop::usage("这个接收方没有地址", "this receiver has no address")
}
