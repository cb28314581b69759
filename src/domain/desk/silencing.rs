//! `/silence` in chat: names looked up, the deed done, the list said.

use crate::domain::{
    command::{
        reply,
        silence::{Asked, Lasts, Wanted},
        verb::{Named, Verb},
    },
    condition::Condition,
    deed::{Act, Deed, NewSilence, Rest},
    desk::{asked::deed_id, input::ChatMessage, machine::Desk},
    id::{RuleName, SourceName, TeamName},
    silence::{Matcher, Silence, Written, reason_words},
    text::{Message, fold},
    time::{Span, Timestamp},
};

/// Silences that a list in chat names.
const LIST_MAX: usize = 10;

impl Desk {
    /// What a message about silences is answered with; `condition` is what its `when` was understood as.
    pub(super) fn silence_asked(
        &mut self,
        question: &ChatMessage,
        asked: &Asked,
        condition: Option<Condition>,
        sources: &[SourceName],
        now: Timestamp,
    ) -> Message {
        let deed = match asked {
            Asked::Usage => return reply::verb_usage(Verb::Silence),
            Asked::List => return self.silences_listed(sources, now),
            Asked::End(id) => Deed::EndSilence(*id),
            Asked::Add(wanted) => match self.new_silence(question, wanted, condition, sources, now) {
                Ok(new) => Deed::Silence(Box::new(new)),
                Err(why) => return why,
            },
        };
        let act = Act {
            id: deed_id(&question.message),
            by: question.by(),
            place: question.place(),
            clicked: None,
            deed,
            locale: question.locale,
        };
        self.act(&act, now);
        self.out.acted.take().map(|acted| acted.words).unwrap_or_default()
    }

    fn new_silence(
        &self,
        question: &ChatMessage,
        wanted: &Wanted,
        condition: Option<Condition>,
        sources: &[SourceName],
        now: Timestamp,
    ) -> Result<NewSilence, Message> {
        let mut matches = Matcher { severity: wanted.severity, ..Matcher::default() };
        if let Some(written) = &wanted.rule {
            matches.rule = Some(self.rule_meant(written)?);
        }
        if let Some(written) = &wanted.source {
            let found = sources.iter().find(|name| fold(name.as_str()) == fold(written));
            let all: Vec<&str> = sources.iter().map(SourceName::as_str).collect();
            matches.source = Some(found.ok_or_else(|| nothing_called("来源", "source", &all))?.clone());
        }
        if let Some(written) = &wanted.team {
            matches.team = Some(self.team_meant(written)?);
        }
        if let Some(text) = &wanted.when {
            matches.when = Some(Written { text: text.as_str().into(), condition });
        }
        if wanted.named != Named::Nothing || wanted.is_plain() {
            matches = self.with_ticket(question, wanted, sources, matches, now)?;
        }
        let lasts = match wanted.lasts {
            Lasts::Rest(rest) => rest,
            Lasts::Until(minute) => Rest::For(self.minute_comes(minute, now).since(now)),
        };
        Ok(NewSilence { matches, reason: wanted.reason.as_str().into(), lasts })
    }

    /// The ticket that is named, or whose alert is; a group has none, so its rule is what can be silenced.
    fn with_ticket(
        &self,
        question: &ChatMessage,
        wanted: &Wanted,
        sources: &[SourceName],
        mut matches: Matcher,
        now: Timestamp,
    ) -> Result<Matcher, Message> {
        let named = self.settled(wanted.named.clone(), sources);
        if let Named::Ticket(id) = &named {
            matches.ticket = Some(self.ticket_named(id, sources, now)?);
            return Ok(matches);
        }
        let (key, _) = self.alert_named(question, &named, Verb::Silence, sources, now)?;
        match key.subject.ticket() {
            Some(ticket) => matches.ticket = Some(ticket.clone()),
            None => matches.rule = Some(key.rule),
        }
        Ok(matches)
    }

    fn rule_meant(&self, written: &str) -> Result<RuleName, Message> {
        let called = |name: &&RuleName| fold(name.as_str()) == fold(written);
        let former = || self.renamed.iter().find(|(old, _)| called(old)).map(|(_, new)| new);
        let found = self.rules.keys().find(called).or_else(former);
        let near = || {
            let like = |name: &&RuleName| fold(name.as_str()).contains(&*fold(written));
            let names: Vec<&str> =
                self.rules.keys().filter(like).chain(self.rules.keys()).map(RuleName::as_str).collect();
            nothing_called("规则", "rule", &names)
        };
        found.cloned().ok_or_else(near)
    }

    fn team_meant(&self, written: &str) -> Result<TeamName, Message> {
        let teams = self.settings.sources.values().next().map(|source| &source.labels.teams);
        let names: Vec<&TeamName> = teams.into_iter().flat_map(|teams| teams.iter()).map(|team| &team.name).collect();
        let found = names.iter().find(|name| fold(name.as_str()) == fold(written));
        let all: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        found.map(|name| (*name).clone()).ok_or_else(|| nothing_called("团队", "team", &all))
    }

    /// When this minute of the day comes next.
    fn minute_comes(&self, minute: u32, now: Timestamp) -> Timestamp {
        let (zone, into) = (self.settings.zone, Span::from_mins(i64::from(minute)));
        let today = zone.next_midnight(now.minus(Span::from_days(1))).plus(into);
        if today > now { today } else { zone.next_midnight(now).plus(into) }
    }

    fn silences_listed(&self, sources: &[SourceName], now: Timestamp) -> Message {
        let visible = |silence: &&Silence| Self::is_silence_visible(silence, sources);
        let silences: Vec<&Silence> = self.silences_in_force(now).filter(visible).collect();
        if silences.is_empty() {
            return Message::new("现在没有静默", "there is no silence now");
        }
        let mut lines: Vec<Message> = Vec::new();
        for line in silences.iter().take(LIST_MAX).map(|silence| self.silence_line(silence)) {
            let until = self.day_words(line.until, now);
            let why = reason_words(&line.reason);
            lines.push(Message::new(
                format!(
                    "{} {}，到 {}（{}：{}），{} 条在响",
                    line.id, line.words.zh, until.zh, line.by.zh, why.zh, line.ringing
                ),
                format!(
                    "{} {}, until {} ({}: {}), {} ring",
                    line.id, line.words.en, until.en, line.by.en, why.en, line.ringing
                ),
            ));
        }
        if let Some(more) = silences.len().checked_sub(LIST_MAX).filter(|more| *more > 0) {
            lines.push(Message::new(format!("还有 {more} 个"), format!("and {more} more")));
        }
        let join = |of: fn(&Message) -> &String| lines.iter().map(of).cloned().collect::<Vec<_>>().join("\n");
        Message::new(join(|line| &line.zh), join(|line| &line.en))
    }
}

/// Names that are offered where one is not known.
const OFFERED_MAX: usize = 5;

/// There is no such name; what was typed is not repeated.
fn nothing_called(zh: &str, en: &str, known: &[&str]) -> Message {
    let mut offered: Vec<&str> = Vec::new();
    for name in known {
        if offered.len() < OFFERED_MAX && !offered.contains(name) {
            offered.push(name);
        }
    }
    Message::new(
        format!("没有这个{zh}。现有：{}", offered.join("、")),
        format!("there is no such {en}; there are: {}", offered.join(", ")),
    )
}
