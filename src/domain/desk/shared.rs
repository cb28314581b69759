//! What the tickets of a digest have in common: the field value that most of them share.

use std::collections::BTreeMap;

use crate::domain::{
    alert::Alert,
    card::one_line,
    condition::{Condition, CustomSelector, PersonPart, Target},
    desk::machine::Desk,
    field::Field,
    labels::{Caption, Labels},
    rule::Rule,
    seen::Seen,
    text::Message,
    ticket::{Known, Text},
};

/// Characters of a value that people chose from a list; what is longer was written.
const CHOICE_CHARS_MAX: usize = 20;

/// Digits in a row that are a number of something, and no choice.
const CHOICE_DIGITS_MAX: usize = 6;

/// Tickets that share a value, at least.
const SHARED_MIN: usize = 2;

/// A field of a ticket with its value. What stands first says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Trait<'a> {
    Custom(&'a str, &'a str),
    Priority(&'a str),
    Department(&'a str),
    /// The number of the status.
    Status(i64),
    Team(&'a str),
}

impl Trait<'_> {
    /// Whether it says more than what a storm of one rule to one team has in common anyway.
    const fn is_telling(self) -> bool {
        matches!(self, Self::Custom(..) | Self::Priority(_) | Self::Department(_))
    }

    fn words(self) -> Message {
        match self {
            Self::Custom(name, value) => Message::new(format!("{name} {value}"), format!("{name} {value}")),
            Self::Priority(value) => Message::new(format!("优先级 {value}"), format!("priority {value}")),
            Self::Department(value) => Message::new(format!("客户部门 {value}"), format!("guest department {value}")),
            Self::Team(value) => Message::new(format!("团队 {value}"), format!("team {value}")),
            Self::Status(code) => {
                let words = Field::find("status").and_then(|field| field.code_words(code));
                let (zh, en) = words.map_or_else(
                    || (code.to_string(), code.to_string()),
                    |words| (words.zh.to_string(), words.en.to_string()),
                );
                Message::new(format!("状态 {zh}"), format!("status {en}"))
            }
        }
    }
}

impl Desk {
    /// The value that at least half of these alerts' tickets share, in words; what their rule asks for is none.
    pub(super) fn shared(&self, alerts: &[&Alert], rule: Option<&Rule>) -> Option<Message> {
        let mut counts: BTreeMap<Trait<'_>, usize> = BTreeMap::new();
        for alert in alerts {
            let Some(watched) = alert.key.subject.ticket().and_then(|key| self.tickets.get(key)) else { continue };
            let tracked = &watched.tracked;
            let labels = self.labels_of(&tracked.ticket.key.source);
            let mut own = traits(&Seen::at_rest(&tracked.ticket, &tracked.facts, labels), labels);
            own.sort_unstable();
            own.dedup();
            for one in own {
                *counts.entry(one).or_default() += 1;
            }
        }
        let half = |count: usize| count >= SHARED_MIN && count * 2 >= alerts.len();
        let asked = |one: Trait<'_>| rule.is_some_and(|rule| is_asked(rule, one));
        let (most, count) = counts
            .into_iter()
            .filter(|(one, count)| half(*count) && !asked(*one))
            .max_by(|a, b| (a.0.is_telling(), a.1).cmp(&(b.0.is_telling(), b.1)).then(b.0.cmp(&a.0)))?;
        let said = most.words();
        let masked = |text: &str| match self.any_labels() {
            Some(labels) => labels.privacy.masked(text, "").into_owned(),
            None => text.to_string(),
        };
        let words = Message::new(masked(&said.zh), masked(&said.en));
        Some(Message::new(format!("其中 {count} 张：{}", words.zh), format!("{count} of them: {}", words.en)))
    }
}

/// What a ticket may share with others.
fn traits<'a>(seen: &Seen<'a>, labels: &'a Labels) -> Vec<Trait<'a>> {
    let mut found = Vec::new();
    let ticket = seen.ticket;
    if let Known::Present(fields) = &ticket.customized_fields {
        for field in fields.iter() {
            let shown = field.display_name.present().or(field.key_name.present()).map(|name| name.trim());
            let value = field.value.present().map(|value| value.trim());
            if let (Some(name), Some(value)) = (shown, value)
                && is_choice(name)
                && is_choice(value)
                && !is_caption(labels, [&field.display_name, &field.key_name])
                && labels.privacy.shows_field(&[name, field.key_name.present().map_or(name, |key| key)], None)
            {
                found.push(Trait::Custom(name, value));
            }
        }
    }
    let priority = labels.priority_of(ticket).present().copied().filter(|value| is_choice(value));
    found.extend(priority.map(Trait::Priority));
    let department = ticket.guest.present().and_then(|guest| guest.department.present());
    let department = department.filter(|_| labels.privacy.guest.contains(&PersonPart::Department));
    found.extend(department.map(|text| text.trim()).filter(|value| is_choice(value)).map(Trait::Department));
    found.extend(ticket.status.present().map(|status| Trait::Status(status.code())));
    found.extend(labels.team_of(seen).present().map(|team| Trait::Team(team.name.as_str())));
    found
}

/// Whether a text is short and on one line, and no number of something.
fn is_choice(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    !text.is_empty()
        && digits <= CHOICE_DIGITS_MAX
        && text.chars().nth(CHOICE_CHARS_MAX).is_none()
        && one_line(text) == text
}

/// Whether the field is shown as subject or priority already.
fn is_caption(labels: &Labels, names: [&Known<Text>; 2]) -> bool {
    let named = |caption: &str| names.iter().any(|name| name.present().is_some_and(|name| name.trim() == caption));
    let subject = labels.subject.iter().any(|caption| matches!(caption, Caption::Field(name) if named(name.trim())));
    subject || labels.priority.as_deref().is_some_and(|name| named(name.trim()))
}

/// Whether a rule asks for this very thing.
fn is_asked(rule: &Rule, one: Trait<'_>) -> bool {
    match one {
        Trait::Custom(name, _) => asks_custom(rule, name),
        Trait::Priority(_) => rule.looks_at("priority"),
        Trait::Department(_) => asks_department(rule),
        Trait::Team(_) => rule.looks_at("team"),
        Trait::Status(_) => rule.looks_at("status"),
    }
}

fn asks(rule: &Rule, is: impl Fn(&Target) -> bool) -> bool {
    let looks = |condition: &Condition| match condition {
        Condition::Test(test) => is(&test.target),
        Condition::Changed(targets) => targets.iter().any(&is),
        _ => false,
    };
    rule.conditions().any(|condition| condition.any(&looks))
}

fn asks_custom(rule: &Rule, name: &str) -> bool {
    asks(rule, |target| match target {
        Target::Custom(CustomSelector::Any(text) | CustomSelector::Name(text) | CustomSelector::Key(text)) => {
            text.trim() == name
        }
        _ => false,
    })
}

fn asks_department(rule: &Rule) -> bool {
    asks(rule, |target| matches!(target, Target::Part(field, PersonPart::Department) if field.name == "guest"))
}
