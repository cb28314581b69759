//! Whom a ticket's alerts reach, and why: the teams in their order, each with what its condition saw, and for each rule
//! the receivers it means now.

use crate::domain::{
    explain::{
        explanation::Moment,
        text::{sign, tree},
    },
    id::{ReceiverName, RuleName, TeamName, TicketKey},
    receiver::ReceiverKind,
    text::{Locale, Message},
    time::{Timestamp, Zone},
    verdict::Answer,
    why::Why,
};

/// Where a ticket's alerts go.
#[derive(Clone, Debug)]
pub struct Routed {
    /// The ticket.
    pub ticket: TicketKey,
    /// What it goes by.
    pub title: Option<String>,
    /// The instant it was asked at.
    pub at: Timestamp,
    /// The instant its data is of.
    pub as_of: Timestamp,
    /// The zone people read times in.
    pub zone: Zone,
    /// The teams that were tried, in the order of the configuration; the first that matches wins.
    pub teams: Vec<TeamTried>,
    /// Which one it is for, in words.
    pub choice: Message,
    /// Whom the words of rules mean on this ticket.
    pub words: Vec<Reached>,
    /// The rules that watch its source, by name.
    pub rules: Vec<RuleRoute>,
}

/// A team that was tried.
#[derive(Clone, Debug)]
pub struct TeamTried {
    /// Its name.
    pub name: TeamName,
    /// Whether the ticket is its own.
    pub answer: Answer,
    /// Its condition, part by part; absent: it takes all that is left.
    pub when: Option<Why>,
}

/// Whom one rule tells.
#[derive(Clone, Debug)]
pub struct RuleRoute {
    /// The rule.
    pub rule: RuleName,
    /// What its mode changes about it.
    pub note: Option<Message>,
    /// Whom it tells, line by line, then step by step.
    pub lines: Vec<Reached>,
}

/// Whom a word of a rule means.
#[derive(Clone, Debug)]
pub struct Reached {
    /// The word: `team`, `team.lead`, `owner`, a receiver.
    pub word: String,
    /// When.
    pub when: When,
    /// Who is meant; absent: nobody.
    pub receiver: Option<ReceiverName>,
    /// What that is.
    pub kind: Option<ReceiverKind>,
    /// Whom its card mentions.
    pub mention: Option<Message>,
    /// Why it would not be told now.
    pub held: Option<Message>,
}

/// When a line of a rule tells someone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// When it begins to ring.
    AtOnce,
    /// At this step of the ladder, from 1.
    Step(usize),
    /// Again and again while nobody acts, once the ladder is over.
    Fallback,
}

impl When {
    /// The step of the ladder, where it is one.
    pub const fn step(self) -> Option<usize> {
        match self {
            Self::Step(step) => Some(step),
            Self::AtOnce | Self::Fallback => None,
        }
    }
}

/// What a receiver is, for people. Addresses of webhooks are secrets and not shown.
pub fn kind_words(kind: &ReceiverKind) -> Message {
    match kind {
        ReceiverKind::Chat(chat) => Message::new(format!("群 {chat}"), format!("chat {chat}")),
        ReceiverKind::Person(person) => {
            let person = person.as_str();
            Message::new(format!("个人 {person}"), format!("person {person}"))
        }
        ReceiverKind::Webhook => Message::new("飞书自定义机器人", "Feishu custom bot"),
        ReceiverKind::Wecom => Message::new("企业微信群机器人", "WeCom group bot"),
        ReceiverKind::Http => Message::new("HTTP", "HTTP"),
    }
}

/// All of it as indented lines. Words from outside steer no terminal.
pub fn text(routed: &Routed, locale: Locale) -> String {
    let moment = Moment { now: routed.at, zone: routed.zone };
    let as_of = routed.zone.minute(routed.as_of);
    let title = routed.title.as_deref().unwrap_or_default();
    let ticket = &routed.ticket;
    let mut lines = vec![
        Message::new(format!("{ticket} {title}（{as_of} 的数据）"), format!("{ticket} {title} (data of {as_of})"))
            .get(locale)
            .to_string(),
        routed.choice.get(locale).to_string(),
    ];
    for team in &routed.teams {
        lines.push(format!("  {} {}", sign(team.answer), team.name));
        match &team.when {
            Some(when) => tree(when, 2, moment, locale, &mut lines),
            None => lines.push(format!("    {}", Message::new("其余的都归它", "takes all that is left").get(locale))),
        }
    }
    lines.push(String::new());
    lines.extend(routed.words.iter().map(|word| reached(word, locale)));
    for rule in &routed.rules {
        lines.push(String::new());
        lines.push(rule.rule.to_string());
        lines.extend(rule.note.iter().map(|note| format!("  {}", note.get(locale))));
        lines.extend(rule.lines.iter().map(|line| format!("  {}", reached(line, locale))));
    }
    let plain = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
    lines.join("\n").chars().map(plain).collect()
}

fn reached(reached: &Reached, locale: Locale) -> String {
    let (word, receiver) = (&reached.word, reached.receiver.as_ref());
    let kind = reached.kind.as_ref().map(kind_words);
    let who = match (receiver, &kind) {
        (Some(receiver), Some(kind)) => {
            Message::new(format!("{receiver}（{}）", kind.zh), format!("{receiver} ({})", kind.en))
        }
        (Some(receiver), None) => {
            Message::new(format!("{receiver}（配置里没有）",), format!("{receiver} (not configured)"))
        }
        (None, _) => Message::new("没有人", "nobody"),
    };
    let mut said = match reached.when {
        When::Step(step) => Message::new(format!("升级第 {step} 步 "), format!("step {step} ")),
        When::Fallback => Message::new("升级走完还没人处理时 ", "when the ladder is over and nobody acted "),
        When::AtOnce => Message::default(),
    };
    said.zh.push_str(&format!("{word} → {}", who.zh));
    said.en.push_str(&format!("{word} → {}", who.en));
    if let Some(mention) = &reached.mention {
        said.zh.push_str(&format!("，@ {}", mention.zh));
        said.en.push_str(&format!(", mentions {}", mention.en));
    }
    if let Some(held) = &reached.held {
        said.zh.push_str(&format!("；现在不发：{}", held.zh));
        said.en.push_str(&format!("; not told now: {}", held.en));
    }
    said.get(locale).to_string()
}
