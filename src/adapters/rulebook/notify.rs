//! Whom a rule tells: receivers, teams, owners, mentions, and the lines of `notify`.

use crate::{
    adapters::{
        rulebook::{
            keys::{choice, template_of, with_nearest},
            names::Names,
            words::{MENTIONS, NOTIFY_KEYS, TO_WORDS, URGENTS, english},
        },
        yaml::{
            map::{Map, did_you_mean, text_of, wait_of},
            nearest::nearest,
            tree::Node,
        },
    },
    domain::{
        calendar::{Pace, Wait},
        fault::{Fault, Place},
        id::ReceiverName,
        rule::{Mention, Notify, REPEAT_MAX_DEFAULT, To, Urgent},
        text::Message,
        time::Span,
    },
};

/// Lines of `notify`.
pub(super) const NOTIFY_MAX: usize = 20;
/// Waits of one `repeat`.
pub(super) const REPEATS_MAX: usize = 20;
/// The most a `repeat_max` may say.
pub(super) const REPEAT_MAX_MAX: i64 = 1_000;
/// The shortest wait before a repeat.
pub(super) const REPEAT_MIN: Span = Span::from_mins(1);

/// Whom a rule about this may tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// A ticket, which has a team and an owner.
    Ticket,
    /// A group of tickets; with `true`, those of one team.
    Group(bool),
}

impl About {
    /// Why this word means nobody here.
    fn refuses(self, to: &To) -> Option<Message> {
        match (self, to) {
            (Self::Ticket, _)
            | (_, To::Receiver(_))
            | (Self::Group(true), To::Team | To::TeamLead | To::TeamOncall) => None,
            (Self::Group(_), To::Owner) => Some(Message::new("一组工单没有负责人", "a group of tickets has no owner")),
            (Self::Group(false), _) => {
                Some(Message::new("这一组工单不一定属于同一个团队", "a group of tickets is not of one team"))
            }
        }
    }
}

/// Whom `to`, `trial_to` or `fallback` names.
pub(super) fn to(node: &Node, about: About, names: &Names, faults: &mut Vec<Fault>) -> Option<To> {
    let (text, place) = text_of(node, faults)?;
    let to = match english(TO_WORDS, &text) {
        None => To::Receiver(receiver(&text, place.clone(), names, faults)?),
        Some("owner") => To::Owner,
        Some(word) => {
            if !names.team_words.contains(word) && !names.receivers.is_empty() {
                faults.push(no_team(&text, word, place, names));
                return None;
            }
            match word {
                "team.lead" => To::TeamLead,
                "team.oncall" => To::TeamOncall,
                _ => To::Team,
            }
        }
    };
    // Without teams there is one receiver, and every team word is that one.
    let about = if names.teams.is_empty() && about == About::Group(false) { About::Group(true) } else { about };
    if let Some(reason) = about.refuses(&to) {
        let message = Message::new(
            format!("这里不能写 “{text}”：{}", reason.zh),
            format!("`{text}` cannot stand here: {}", reason.en),
        );
        let hint = Message::new(
            "写 per: team（按团队分组），或写一个接收者的名字",
            "write `per: team` (one group a team), or the name of a receiver",
        );
        faults.push(Fault::error(place, message).with_hint(hint));
        return None;
    }
    Some(to)
}

fn no_team(text: &str, word: &str, place: Place, names: &Names) -> Fault {
    if names.teams.is_empty() {
        let message = Message::new(
            format!("“{text}” 是谁不清楚：配置里没有 teams，接收者又不止一个"),
            format!("nobody knows who `{text}` is: there is no `teams`, and more than one receiver"),
        );
        return Fault::error(place, message).with_hint(Message::new(
            "在配置里加上 teams，例如 teams: { support: { to: support } }；或直接写接收者的名字",
            "add `teams` to the configuration, such as teams: { support: { to: support } }, or name a receiver",
        ));
    }
    let key = word.trim_start_matches("team.");
    let message = Message::new(
        format!("没有一个团队写了 {key}，“{text}” 不会是任何人"),
        format!("no team says `{key}`: `{text}` is nobody"),
    );
    Fault::error(place, message).with_hint(Message::new(
        format!("在配置的 teams 里给团队写上 {key}"),
        format!("give the teams of the configuration a `{key}`"),
    ))
}

/// The same for a key that may be absent.
pub(super) fn to_of(map: &mut Map<'_>, key: &str, about: About, names: &Names, faults: &mut Vec<Fault>) -> Option<To> {
    map.filled(key).and_then(|node| to(node, about, names, faults))
}

/// The same for a key that must be there.
pub(super) fn required_to(map: &mut Map<'_>, about: About, names: &Names, faults: &mut Vec<Fault>) -> Option<To> {
    map.required("to", faults).and_then(|node| to(node, about, names, faults))
}

fn receiver(text: &str, place: Place, names: &Names, faults: &mut Vec<Fault>) -> Option<ReceiverName> {
    if names.receivers.contains(text) {
        return Some(ReceiverName::new(text));
    }
    let message = Message::new(format!("没有接收者 “{text}”"), format!("there is no receiver `{text}`"));
    let fault = Fault::error(place, message);
    faults.push(if text.starts_with("oc_") || text.starts_with("ou_") {
        fault.with_hint(Message::new(
            "规则里不写群号：在配置的 receivers 里给它起个名字，再写名字",
            "rules never hold chat ids: name it under `receivers` in the configuration and use that name",
        ))
    } else if text.contains('@') {
        fault.with_hint(Message::new(
            format!("在配置的 receivers 里给这个人起个名字，例如 li: {{ person: {text} }}，再写名字"),
            format!("name the person under `receivers`, such as li: {{ person: {text} }}, and use that name"),
        ))
    } else if names.teams.contains(text) {
        fault.with_hint(Message::new(
            "这是团队的名字；规则里写 team，就是工单所属的团队",
            "that is a team; rules say `team`, which is the team a ticket is for",
        ))
    } else if let Some(meant) = nearest(text, TO_WORDS.iter().flat_map(|(en, zh)| [*en, *zh])) {
        fault.with_hint(did_you_mean(meant))
    } else {
        with_nearest(fault, text, &names.receivers)
    });
    None
}

/// Whom a line mentions.
pub(super) fn mention_of(map: &mut Map<'_>, about: About, faults: &mut Vec<Fault>) -> Option<Mention> {
    let node = map.filled("mention")?;
    let (text, place) = text_of(node, faults)?;
    if text.contains('@') && !text.starts_with('@') && !text.ends_with('@') && !text.contains(char::is_whitespace) {
        return Some(Mention::Person(text.into()));
    }
    let fault = match english(MENTIONS, &text) {
        Some("owner") if matches!(about, About::Group(_)) => {
            let message =
                Message::new("一组工单没有负责人，不能 @ 负责人", "a group of tickets has no owner to mention");
            Fault::error(place, message)
        }
        Some("owner") => return Some(Mention::Owner),
        Some("lead") => return Some(Mention::Lead),
        Some(_) => return Some(Mention::Oncall),
        None => {
            let message = Message::new(
                format!("“mention” 写 owner、lead、oncall（负责人、组长、值班）或一个邮箱，写的却是 “{text}”"),
                format!("`mention` is owner, lead, oncall or an email, found `{text}`"),
            );
            let fault = Fault::error(place, message);
            match nearest(&text, MENTIONS.iter().flat_map(|(en, zh)| [*en, *zh])) {
                Some(meant) => fault.with_hint(did_you_mean(meant)),
                None => fault,
            }
        }
    };
    faults.push(fault);
    None
}

/// How a person is called up.
pub(super) fn urgent_of(map: &mut Map<'_>, faults: &mut Vec<Fault>) -> Option<Urgent> {
    let node = map.filled("urgent")?;
    choice("urgent", node, URGENTS, faults).map(|word| match word {
        "app" => Urgent::App,
        "sms" => Urgent::Sms,
        _ => Urgent::Phone,
    })
}

/// The lines of `notify`.
pub(super) fn lines(node: &Node, pace: &Pace, about: About, names: &Names, faults: &mut Vec<Fault>) -> Vec<Notify> {
    let lines = node.one_or_many();
    if lines.is_empty() || lines.len() > NOTIFY_MAX {
        let message = Message::new(
            format!("“notify” 要有 1 到 {NOTIFY_MAX} 行，否则没有人会收到"),
            format!("`notify` has 1 to {NOTIFY_MAX} lines: without one nobody is told"),
        );
        faults.push(Fault::error(node.place.clone(), message));
    }
    let mut found: Vec<Notify> = Vec::new();
    for line in lines.iter().take(NOTIFY_MAX) {
        let Some((notify, written)) = one(line, pace, about, names, faults) else { continue };
        if found.iter().any(|earlier| earlier.to == notify.to) {
            let message = Message::new(
                format!("“{written}” 在这条规则里写了两次"),
                format!("`{written}` is told twice by this rule"),
            );
            faults.push(Fault::error(line.place.clone(), message));
            continue;
        }
        found.push(notify);
    }
    found
}

/// A line, and whom it tells as written.
fn one(node: &Node, pace: &Pace, about: About, names: &Names, faults: &mut Vec<Fault>) -> Option<(Notify, String)> {
    let what = Message::new("一行通知，例如 { to: support }", "a line such as { to: support }");
    let mut map = Map::with_twins(node, &what, |word| english(NOTIFY_KEYS, word), faults)?;
    let written = map.get("to").and_then(Node::text).unwrap_or_default().to_string();
    let to = required_to(&mut map, about, names, faults);
    let template = template_of(&mut map, names, faults);
    let mention = mention_of(&mut map, about, faults);
    let repeat = repeats_of(&mut map, pace, faults);
    let repeat_max = map.integer("repeat_max", 1..=REPEAT_MAX_MAX, faults);
    if let (Some(_), true, Some(node)) = (repeat_max, repeat.is_empty(), map.get("repeat_max")) {
        let message =
            Message::new("写了 repeat_max，却没有 repeat：不会重复", "`repeat_max` without `repeat`: nothing repeats");
        faults.push(Fault::warning(node.place.clone(), message));
    }
    map.finish(&[], faults);
    let repeat_max = repeat_max.and_then(|max| u32::try_from(max).ok()).unwrap_or(REPEAT_MAX_DEFAULT);
    Some((Notify { to: to?, template, mention, repeat, repeat_max }, written))
}

fn repeats_of(map: &mut Map<'_>, pace: &Pace, faults: &mut Vec<Fault>) -> Vec<Wait> {
    let Some(node) = map.filled("repeat") else { return Vec::new() };
    let items = node.one_or_many();
    if items.len() > REPEATS_MAX {
        let message = Message::new(
            format!("“repeat” 最多写 {REPEATS_MAX} 个间隔"),
            format!("`repeat` has at most {REPEATS_MAX} waits"),
        );
        faults.push(Fault::error(node.place.clone(), message));
    }
    let mut repeats = Vec::new();
    for item in items.iter().take(REPEATS_MAX) {
        let Some(wait) = wait_of(item, pace, faults) else { continue };
        if wait.span < REPEAT_MIN {
            let message = Message::new("重复的间隔至少 1m", "a wait before a repeat is at least 1m");
            faults.push(Fault::error(item.place.clone(), message));
        }
        repeats.push(wait);
    }
    repeats
}
