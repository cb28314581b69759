//! What stands behind `/silence`: what is silenced, until when and why; which one ends; the list of them.

use crate::domain::{
    command::verb::{Named, day, named, span},
    deed::Rest,
    id::SilenceId,
    rule::Severity,
};

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Which silences there are.
    List,
    /// To end one.
    End(SilenceId),
    /// To add one.
    Add(Box<Wanted>),
    /// Nobody can tell.
    Usage,
}

/// A silence as it was written; names are not looked up yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The alert whose ticket, or the ticket.
    pub named: Named,
    /// A rule's name.
    pub rule: Option<String>,
    /// A source's name.
    pub source: Option<String>,
    /// A team's name.
    pub team: Option<String>,
    /// A severity, and lower ones.
    pub severity: Option<Severity>,
    /// A condition on tickets.
    pub when: Option<String>,
    /// How long.
    pub lasts: Lasts,
    /// Why.
    pub reason: String,
}

/// How long a silence is to last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lasts {
    /// So long.
    Rest(Rest),
    /// Until this minute of the day comes next.
    Until(u32),
}

impl Wanted {
    /// Whether nothing but a ticket is named, or nothing at all.
    pub const fn is_plain(&self) -> bool {
        self.rule.is_none()
            && self.source.is_none()
            && self.team.is_none()
            && self.severity.is_none()
            && self.when.is_none()
    }
}

const LIST: &[&str] = &["list", "ls", "列表", "查看"];
const END: &[&str] = &["end", "stop", "结束", "取消"];
const RULE: &[&str] = &["rule", "规则"];
const SOURCE: &[&str] = &["source", "来源"];
const TEAM: &[&str] = &["team", "团队"];
const SEVERITY: &[&str] = &["severity", "级别"];
const WHEN: &[&str] = &["when", "条件"];
const UNTIL: &[&str] = &["until", "到", "直到"];

/// The severities by their words.
const SEVERITIES: &[(&str, Severity)] = &[
    ("info", Severity::Info),
    ("提示", Severity::Info),
    ("warning", Severity::Warning),
    ("警告", Severity::Warning),
    ("critical", Severity::Critical),
    ("严重", Severity::Critical),
];

impl Asked {
    /// Reads what stands behind the name, folded.
    pub fn read(text: &str) -> Self {
        let Some((when, text)) = condition(text) else { return Self::Usage };
        let text = apart(&text);
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            [word] if LIST.contains(word) && when.is_none() => return Self::List,
            [word, id] if END.contains(word) => {
                let number = id.strip_prefix('s').unwrap_or(id).parse().ok();
                return number.map_or(Self::Usage, |number| Self::End(SilenceId(number)));
            }
            _ => {}
        }
        let mut reader = Reader { words: &words, at: 0, when, ..Reader::default() };
        reader.read();
        reader.wanted().map_or(Self::Usage, |wanted| Self::Add(Box::new(wanted)))
    }

    /// The condition that must be understood before this can be done.
    pub fn condition(&self) -> Option<&str> {
        match self {
            Self::Add(wanted) => wanted.when.as_deref(),
            Self::List | Self::End(_) | Self::Usage => None,
        }
    }
}

/// `规则:名称` as `规则 名称`: a colon behind one of our words is written as a blank.
fn apart(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let mut keys = [RULE, SOURCE, TEAM, SEVERITY].into_iter().flatten();
        let key = keys.find(|key| word.strip_prefix(**key).is_some_and(|rest| rest.starts_with([':', '='])));
        let rest = key.and_then(|key| word.get(key.len() + 1..));
        key.zip(rest).map_or_else(|| word.to_string(), |(key, rest)| format!("{key} {rest}"))
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Takes `when { … }` out of a text; nothing where its braces do not match.
fn condition(text: &str) -> Option<(Option<String>, String)> {
    let opens = WHEN.iter().filter_map(|word| {
        let at = text.find(word)?;
        let rest = text.get(at + word.len()..)?;
        rest.trim_start().starts_with('{').then_some((at, rest.trim_start()))
    });
    let Some((at, braced)) = opens.min_by_key(|(at, _)| *at) else { return Some((None, text.to_string())) };
    let mut depth = 0_usize;
    for (end, c) in braced.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            let (condition, rest) = braced.split_at(end + 1);
            return Some((Some(condition.to_string()), format!("{} {rest}", text.get(..at)?)));
        }
    }
    None
}

#[derive(Default)]
struct Reader<'a> {
    words: &'a [&'a str],
    at: usize,
    named: Option<Named>,
    rule: Option<String>,
    source: Option<String>,
    team: Option<String>,
    severity: Option<Severity>,
    when: Option<String>,
    lasts: Option<Lasts>,
    reason: String,
    /// Something cannot be meant.
    broken: bool,
}

impl Reader<'_> {
    fn read(&mut self) {
        while let Some(word) = self.words.get(self.at).copied() {
            if RULE.contains(&word) && self.rule.is_none() {
                self.rule = self.name();
            } else if SOURCE.contains(&word) && self.source.is_none() {
                self.source = self.name();
            } else if TEAM.contains(&word) && self.team.is_none() {
                self.team = self.name();
            } else if SEVERITY.contains(&word) && self.severity.is_none() {
                let next = self.words.get(self.at + 1);
                self.severity = next.and_then(|next| SEVERITIES.iter().find(|(known, _)| known == next)).map(|it| it.1);
                self.broken |= self.severity.is_none();
                self.at += 2;
            } else if self.lasts.is_none()
                && let Some((lasts, count)) = self.lasts_here()
            {
                self.lasts = Some(lasts);
                self.at += count;
            } else if self.named.is_none()
                && let Some(named) = named(word)
            {
                self.named = Some(named);
                self.at += 1;
            } else {
                self.reason = self.words.get(self.at..).unwrap_or_default().join(" ");
                return;
            }
        }
    }

    /// How long, where that stands here, and how many words it takes.
    fn lasts_here(&self) -> Option<(Lasts, usize)> {
        let word = *self.words.get(self.at)?;
        let next = self.words.get(self.at + 1).copied();
        let glued = UNTIL.iter().find_map(|until| minute_of_day(word.strip_prefix(until)?));
        if let Some(minute) = glued {
            return Some((Lasts::Until(minute), 1));
        }
        if UNTIL.contains(&word) {
            if let Some(minute) = next.and_then(minute_of_day) {
                return Some((Lasts::Until(minute), 2));
            }
            return next.and_then(day).map(|rest| (Lasts::Rest(rest), 2));
        }
        if let Some(rest) = day(word) {
            return Some((Lasts::Rest(rest), 1));
        }
        if let Some(span) = span(word) {
            return Some((Lasts::Rest(Rest::For(span)), 1));
        }
        let pair = next.and_then(|unit| span(&format!("{word}{unit}")))?;
        Some((Lasts::Rest(Rest::For(pair)), 2))
    }

    /// A name of several words: up to how long, or the next part.
    fn name(&mut self) -> Option<String> {
        self.at += 1;
        let first = self.at;
        while let Some(word) = self.words.get(self.at) {
            let part = [RULE, SOURCE, TEAM, SEVERITY].iter().any(|known| known.contains(word));
            if self.at > first && (part || self.lasts_here().is_some()) {
                break;
            }
            self.at += 1;
        }
        let name = self.words.get(first..self.at).unwrap_or_default().join(" ");
        self.broken |= name.is_empty();
        Some(name).filter(|name| !name.is_empty())
    }

    fn wanted(self) -> Option<Wanted> {
        let Self { named, rule, source, team, severity, when, lasts, reason, broken, .. } = self;
        let named = named.unwrap_or(Named::Nothing);
        let lasts = lasts.filter(|_| !broken)?;
        Some(Wanted { named, rule, source, team, severity, when, lasts, reason })
    }
}

/// `18:00` as minutes since midnight.
fn minute_of_day(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| Some(text).filter(|text| (1..=2).contains(&text.len()))?.parse::<u32>().ok();
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(text: &str) -> String {
        match Asked::read(text) {
            Asked::List => "list".to_string(),
            Asked::End(id) => format!("end {id}"),
            Asked::Usage => "usage".to_string(),
            Asked::Add(wanted) => {
                let mut parts = Vec::new();
                match &wanted.named {
                    Named::Nothing => {}
                    Named::Reference(reference) => parts.push(format!("#{reference}")),
                    Named::Ticket(id) => parts.push(id.clone()),
                }
                for (name, part) in
                    [("rule", &wanted.rule), ("source", &wanted.source), ("team", &wanted.team), ("when", &wanted.when)]
                {
                    parts.extend(part.as_ref().map(|part| format!("{name}={part}")));
                }
                parts.extend(wanted.severity.map(|severity| severity.name().to_string()));
                parts.push(match wanted.lasts {
                    Lasts::Until(minute) => format!("until {:02}:{:02}", minute / 60, minute % 60),
                    Lasts::Rest(Rest::Tomorrow) => "tomorrow".to_string(),
                    Lasts::Rest(Rest::NextWorkday) => "workday".to_string(),
                    Lasts::Rest(Rest::For(span)) => crate::domain::duration::written(span),
                });
                if !wanted.reason.is_empty() {
                    parts.push(format!("({})", wanted.reason));
                }
                parts.join(" ")
            }
        }
    }

    #[test]
    fn what_people_type_is_read() {
        for (typed, expected) in [
            ("list", "list"),
            ("列表", "list"),
            ("end s7", "end S7"),
            ("结束 7", "end S7"),
            ("end", "usage"),
            ("end x7", "usage"),
            ("", "usage"),
            ("#4f7a2c 2h", "#4F7A2C 2h"),
            ("#4f7a2c 2h known fault until monday", "#4F7A2C 2h (known fault until monday)"),
            ("6626871355780366331 until 18:00", "6626871355780366331 until 18:00"),
            ("6626871355780366331 到18:00 误报", "6626871355780366331 until 18:00 (误报)"),
            ("66331 明天", "66331 tomorrow"),
            ("66331 到 明天", "66331 tomorrow"),
            ("66331 到 下个工作日", "66331 workday"),
            ("2h", "2h"),
            ("#4f7a2c", "usage"),
            ("规则 vip 没人接 2h 误报", "rule=vip 没人接 2h (误报)"),
            ("规则:vip 没人接 1小时", "rule=vip 没人接 1h"),
            ("规则: vip 没人接 1小时", "rule=vip 没人接 1h"),
            ("rule=首次响应 2h 误报", "rule=首次响应 2h (误报)"),
            ("rule 首次响应 source it-desk until 9:05", "rule=首次响应 source=it-desk until 09:05"),
            ("来源 it-desk 级别 警告 半小时", "source=it-desk warning 30m"),
            ("severity loud 2h", "usage"),
            ("team payment 90 分钟 发版", "team=payment 1h30m (发版)"),
            (
                "when { status: open, fields: { 等级: vip } } 2h 发版",
                "when={ status: open, fields: { 等级: vip } } 2h (发版)",
            ),
            ("2h 条件 {tags: vip} 发版", "when={tags: vip} 2h (发版)"),
            ("when { status: open 2h", "usage"),
            ("rule", "usage"),
            ("#4f7a2c until 25:00", "usage"),
        ] {
            assert_eq!(short(typed), expected, "{typed:?}");
        }
    }
}
