//! Tickets people ask for in chat: by a condition, or several by their ids. Whoever asks sees those of the sources they
//! may look at, and of their guests what `privacy` lets be shown.

use std::{collections::BTreeMap, sync::Arc};

use crate::domain::{
    alert::Alert,
    card::{cut, one_line},
    command::{
        Command, ids, reply,
        tickets::{IDS_MAX, Query, Term, Who},
        verb::Verb,
    },
    condition::Condition,
    desk::{
        content::TITLE_CHARS_MAX,
        guarded::{asks_for_hidden, meets},
        input::{ChatMessage, LookUpResult},
        machine::Desk,
        observe::{Sight, first_facts},
        outcome::{Effect, LookUp},
        paged::{Listed, paged_answer},
        state::{Answer, Tracked},
    },
    id::{OpenId, SourceName, Subject, TicketId, TicketKey},
    people::same_id,
    reading::scope::CLOSED_WITHIN,
    receiver::PersonId,
    rule::RuleKind,
    seen::Seen,
    text::{Message, fold},
    ticket::{Known, Person, Ticket},
    time::{Span, Timestamp},
    verdict,
    wording::{span_words, status_words},
};

/// Owners named to whoever asked for one there is not.
const OWNERS_MAX: usize = 5;

/// References of alerts named in a ticket's line.
const REFERENCES_MAX: usize = 3;

/// What was looked up for a question, and when its source was asked.
#[derive(Debug)]
pub(super) struct Brought {
    pub(super) result: LookUpResult,
    pub(super) asked_at: Timestamp,
}

impl Brought {
    /// Nothing had to be.
    pub(super) const fn nothing(now: Timestamp) -> Self {
        Self { result: LookUpResult::Allowed, asked_at: now }
    }
}

impl Desk {
    /// The tickets that are asked for, a page of them; nothing where something is looked up first.
    pub(super) fn tickets_asked(
        &mut self,
        question: &ChatMessage,
        behind: &str,
        brought: Brought,
        sources: &[SourceName],
        now: Timestamp,
    ) -> Option<Answer> {
        let query = match Query::read(behind) {
            Ok(query) => query,
            Err(word) => return Some(Answer::Text(reply::unread(&word))),
        };
        if !query.ids.is_empty() {
            return self.tickets_by_id(question, &query, brought, sources, now).map(Answer::Text);
        }
        let condition = match (query.condition(), brought.result) {
            (None, _) => None,
            (Some(_), LookUpResult::Understood(condition)) => Some(*condition),
            (Some(_), _) => {
                self.look_up_for(question, question.command.clone(), sources);
                return None;
            }
        };
        Some(self.tickets_found(question, &query, condition.as_ref(), sources, now))
    }

    /// Asks for what a question needs besides what the desk knows. Whoever asked may look here.
    pub(super) fn look_up_for(&mut self, question: &ChatMessage, command: Command, sources: &[SourceName]) {
        self.effect(Effect::LookUp(LookUp {
            message: question.message.clone(),
            command,
            sources: sources.to_vec(),
            member_check: None,
        }));
    }

    fn tickets_found(
        &self,
        question: &ChatMessage,
        query: &Query,
        condition: Option<&Condition>,
        sources: &[SourceName],
        now: Timestamp,
    ) -> Answer {
        let with_closed = query.names_status();
        let (mut found, mut unclear): (Vec<&Tracked>, usize) = (Vec::new(), 0);
        for tracked in self.tickets_in(sources) {
            let closed = tracked.ticket.is_closed() == Some(true) && !with_closed;
            if closed || !query.terms.iter().all(|term| self.holds(term, question, tracked)) {
                continue;
            }
            let labels = self.labels_of(&tracked.ticket.key.source);
            let seen = Seen::at_rest(&tracked.ticket, &tracked.facts, labels);
            if condition.is_some_and(|condition| asks_for_hidden(condition, &seen)) {
                return Answer::Text(reply::HIDDEN.into());
            }
            match condition.map_or(verdict::Answer::Yes, |condition| meets(condition, &seen, now)) {
                verdict::Answer::Yes => found.push(tracked),
                verdict::Answer::Unknown => unclear += 1,
                verdict::Answer::No => {}
            }
        }
        if found.is_empty() {
            let words = with_unclear(self.none_found(question, query, sources), unclear);
            return paged_answer(question, words, Vec::new());
        }
        found.sort_by_key(|tracked| (tracked.facts.status_since, tracked.ticket.key.clone()));
        let me = question.sender.as_str();
        let list = Listed {
            verb: Verb::Tickets,
            behind: &|page| query.written(page, me),
            head: with_unclear(head(found.len(), with_closed), unclear),
            all: &found,
            page: query.page,
        };
        Self::page_of(question, &list, |tracked: &&Tracked| self.ticket_line(tracked, now))
    }

    fn holds(&self, term: &Term, question: &ChatMessage, tracked: &Tracked) -> bool {
        match term {
            Term::Field(_) => true, // the condition asks that
            Term::Overdue => {
                let alerts = self.alerts.get(&Subject::Ticket(tracked.ticket.key.clone())).into_iter().flatten();
                alerts.filter(|alert| alert.is_firing() && !alert.trial).any(|alert| self.is_about_time(alert))
            }
            Term::Owner(who) => who.iter().any(|who| match (who, &tracked.ticket.agent_owner) {
                (Who::Nobody, Known::Empty) => true,
                (Who::Me, Known::Present(owner)) => self.is_agent(&question.sender, owner),
                (Who::Named(name), Known::Present(owner)) if name.starts_with("ou_") => {
                    self.is_agent(&OpenId::from(name.as_str()), owner)
                }
                (Who::Named(name), Known::Present(owner)) => is_called(owner, name),
                _ => false,
            }),
        }
    }

    /// Whether an alert's rule looks at how long something takes.
    fn is_about_time(&self, alert: &Alert) -> bool {
        let Some(rule) = self.rule_named(&alert.key.rule) else { return false };
        matches!(rule.kind, RuleKind::Sla(_)) || rule.when.has_clock()
    }

    /// Whether an agent is the person with this open id, as far as the directory knows: by id, by email, or by a name
    /// that only one person has.
    fn is_agent(&self, person: &OpenId, owner: &Person) -> bool {
        let by_id = owner.id.present().is_some_and(|id| id.eq_ignore_ascii_case(person.as_str()));
        let by_email = || {
            let email = owner.email.present().map(|email| PersonId::Email(email.clone()));
            email.and_then(|email| self.people.open_id(&email)).is_some_and(|id| same_id(&id, person))
        };
        let by_name = || match owner.name.present().map(|name| self.people.called(name)).as_deref() {
            Some([only]) => same_id(only, person),
            _ => false,
        };
        by_id || by_email() || by_name()
    }

    /// Why a list is empty, where that can be told.
    fn none_found(&self, question: &ChatMessage, query: &Query, sources: &[SourceName]) -> Message {
        let owners = || self.tickets_in(sources).filter_map(|tracked| tracked.ticket.agent_owner.present());
        let asked = || query.terms.iter().filter_map(owner_asked).flatten();
        let is_stranger = || {
            let is_known = self.people.name_of(&question.sender).is_some();
            !is_known && !owners().any(|owner| self.is_agent(&question.sender, owner))
        };
        if asked().any(|who| *who == Who::Me) && is_stranger() {
            return reply::WHO_ARE_YOU.into();
        }
        let strange = |who: &Who| match who {
            Who::Named(name) if !name.starts_with("ou_") && !owners().any(|owner| is_called(owner, name)) => {
                Some(name.clone())
            }
            _ => None,
        };
        if let Some(name) = asked().find_map(strange) {
            let mut known: Vec<String> = Vec::new();
            for name in owners().filter_map(|owner| owner.name.present()) {
                let name = short(name);
                if known.len() < OWNERS_MAX && !known.contains(&name) {
                    known.push(name);
                }
            }
            return reply::no_such_owner(&name, &known);
        }
        let is_told_why = query.names_status() || question.on_card.is_some();
        if is_told_why { reply::NO_SUCH_TICKETS.into() } else { reply::NO_TICKETS.into() }
    }

    /// Several tickets by their ids, a line each; nothing where some are read first.
    fn tickets_by_id(
        &mut self,
        question: &ChatMessage,
        query: &Query,
        brought: Brought,
        sources: &[SourceName],
        now: Timestamp,
    ) -> Option<Message> {
        let asked_at = brought.asked_at;
        let mut found = match brought.result {
            LookUpResult::Several(found) => found,
            LookUpResult::Failed(_) => BTreeMap::new(),
            _ => {
                let wanted = self.to_be_read(query, sources);
                if !wanted.is_empty() {
                    let wanted: Vec<&str> = wanted.iter().map(TicketId::as_str).collect();
                    let command = Command::Said(Verb::Tickets, wanted.join(" "));
                    self.look_up_for(question, command, sources);
                    return None;
                }
                BTreeMap::new()
            }
        };
        let mut said = Message::new(
            format!("{} 张工单；发其中一个工单号看详情", query.ids.len()),
            format!("{} tickets; send one of the ids for its card", query.ids.len()),
        );
        for id in &query.ids {
            let line = match found.remove(id) {
                Some(LookUpResult::Found { key, ticket, .. }) => {
                    let visiting = self.see_asked(&key, ticket, asked_at, now);
                    let tracked = visiting.as_ref().or_else(|| self.tickets.get(&key).map(|it| &it.tracked));
                    tracked.map(|tracked| self.numbered_line(tracked, now)).unwrap_or_default()
                }
                Some(LookUpResult::NotFound) => reply::not_found(id),
                Some(LookUpResult::Failed(why)) => of_id(id, &why),
                _ => self.line_by_id(id, sources, now),
            };
            said.zh.push_str(&format!("\n{}", line.zh));
            said.en.push_str(&format!("\n{}", line.en));
        }
        if query.left_out > 0 {
            let more = query.left_out;
            said.zh.push_str(&format!("\n一次最多 {IDS_MAX} 张，还有 {more} 个工单号没有查"));
            said.en.push_str(&format!("\n{IDS_MAX} at a time: {more} more ids were not looked up"));
        }
        Some(said)
    }

    fn line_by_id(&self, id: &TicketId, sources: &[SourceName], now: Timestamp) -> Message {
        match self.ending_with(id.as_str(), sources).as_slice() {
            [only] => self.tickets.get(only).map(|it| self.numbered_line(&it.tracked, now)).unwrap_or_default(),
            [] if ids::is_tail(id.as_str()) => reply::not_found(id),
            [] => of_id(id, &reply::SOURCE_DOWN.into()),
            several => reply::ambiguous(id.as_str(), several.len()),
        }
    }

    /// Whole ids of a question that are not under watch: they are read.
    fn to_be_read(&self, query: &Query, sources: &[SourceName]) -> Vec<TicketId> {
        let whole = query.ids.iter().filter(|id| !ids::is_tail(id.as_str()));
        whole.filter(|id| self.ending_with(id.as_str(), sources).is_empty()).cloned().collect()
    }

    /// Takes in a ticket that was read for a question, as an observation where it belongs under watch; gives back one
    /// closed long ago, which is only shown, so that a question never rings.
    pub(super) fn see_asked(
        &mut self,
        key: &TicketKey,
        ticket: Arc<Ticket>,
        asked_at: Timestamp,
        now: Timestamp,
    ) -> Option<Tracked> {
        let is_recent = ticket.closed_at.present().is_none_or(|closed| now.since(*closed) <= CLOSED_WITHIN);
        if self.tickets.contains_key(key) || is_recent {
            self.observe(key, Sight { ticket, list_hash: None, asked_at, pass: 0 }, now);
            return None;
        }
        let facts = first_facts(&ticket, asked_at, self.remains.get(key));
        Some(Tracked { ticket, facts, asked_at, list_hash: None, gone_at: None })
    }

    /// Tickets under watch whose ids end so: one with this very id alone, else the open ones first, the newest first.
    pub(super) fn ending_with(&self, tail: &str, sources: &[SourceName]) -> Vec<TicketKey> {
        let whole = sources.iter().map(|source| TicketKey::new(source.clone(), tail.into()));
        if let Some(key) = whole.into_iter().find(|key| self.tickets.contains_key(key)) {
            return vec![key];
        }
        let fits = |key: &&TicketKey| sources.contains(&key.source) && key.id.as_str().ends_with(tail);
        let mut fitting: Vec<&TicketKey> = self.tickets.keys().filter(fits).collect();
        let closed = |key: &TicketKey| self.tickets.get(key).and_then(|it| it.tracked.ticket.is_closed()) == Some(true);
        // Ids grow.
        fitting.sort_by_key(|key| (closed(key), std::cmp::Reverse((*key).clone())));
        fitting.into_iter().cloned().collect()
    }

    /// A ticket in a line, by its whole id.
    pub(super) fn numbered_line(&self, tracked: &Tracked, now: Timestamp) -> Message {
        let id = &tracked.ticket.key.id;
        let headline = self.title_of_tracked(tracked).map(|title| short(&title));
        let named = headline.map_or_else(|| id.to_string(), |title| format!("{id} {title}"));
        self.line_of(tracked, Message::new(named.clone(), named), now)
    }

    /// A ticket in a line, by what it goes by and its last digits.
    fn ticket_line(&self, tracked: &Tracked, now: Timestamp) -> Message {
        let tail = super::saying::tail(&tracked.ticket.key.id);
        let named = match self.title_of_tracked(tracked).map(|title| short(&title)) {
            Some(title) => Message::new(format!("{title}（尾号 {tail}）"), format!("{title} (…{tail})")),
            None => Message::new(format!("尾号 {tail}"), format!("…{tail}")),
        };
        self.line_of(tracked, named, now)
    }

    fn title_of_tracked(&self, tracked: &Tracked) -> Option<String> {
        let labels = self.labels_of(&tracked.ticket.key.source);
        labels.headline_of(&Seen::at_rest(&tracked.ticket, &tracked.facts, labels))
    }

    /// What it is called, where it stands and since when, whose it is, its priority, what rings.
    fn line_of(&self, tracked: &Tracked, named: Message, now: Timestamp) -> Message {
        let ticket = &tracked.ticket;
        let labels = self.labels_of(&ticket.key.source);
        let mut parts = vec![named];
        if let Some(status) = ticket.status.present() {
            parts.push(standing(tracked, status.code(), status.is_closed() == Some(true), now));
        }
        parts.push(match &ticket.agent_owner {
            Known::Present(owner) => {
                let name = owner.name.present().or(owner.email.present()).map(|name| short(name));
                name.map_or_else(|| Message::new("有负责人", "owned"), |name| Message::new(name.clone(), name))
            }
            Known::Empty => Message::new("没人接", "nobody's"),
            Known::Unknown => Message::new("负责人未知", "owner unknown"),
        });
        let own = ticket.key.id.as_str();
        let priority = labels.priority_of(ticket);
        if let Some(priority) = priority.present().map(|text| short(&labels.privacy.masked(text, own))) {
            parts.push(Message::new(priority.clone(), priority));
        }
        let alerts = self.alerts.get(&Subject::Ticket(ticket.key.clone())).into_iter().flatten();
        let rings = alerts.filter(|alert| alert.is_firing() && !alert.trial).take(REFERENCES_MAX);
        let rings: Vec<String> = rings.map(|alert| format!("#{}", alert.reference())).collect();
        if !rings.is_empty() {
            let rings = rings.join(" ");
            parts.push(Message::new(format!("在响 {rings}"), format!("rings {rings}")));
        }
        let joined = |of: fn(&Message) -> &String| parts.iter().map(of).cloned().collect::<Vec<_>>().join(" · ");
        Message::new(joined(|it| &it.zh), joined(|it| &it.en))
    }
}

/// The status, and how long it lasts unless it is an end.
fn standing(tracked: &Tracked, code: i64, is_closed: bool, now: Timestamp) -> Message {
    let words = status_words(code);
    if is_closed {
        return words;
    }
    let since = span_words(now.since(tracked.facts.status_since).max(Span::ZERO));
    let least = if tracked.facts.status_since_estimated { ("至少 ", "at least ") } else { ("", "") };
    Message::new(format!("{} {}{}", words.zh, least.0, since.zh), format!("{} for {}{}", words.en, least.1, since.en))
}

fn head(count: usize, with_closed: bool) -> Message {
    let (zh, en) = if with_closed { ("", "") } else { ("未关闭的", "open ") };
    let plural = if count == 1 { "ticket" } else { "tickets" };
    Message::new(
        format!("{count} 张{zh}工单，停得最久的在前"),
        format!("{count} {en}{plural}, those that stand longest first"),
    )
}

/// Tickets of which nobody can tell are not left out in silence.
fn with_unclear(mut words: Message, unclear: usize) -> Message {
    if unclear > 0 {
        words.zh.push_str(&format!("；另有 {unclear} 张缺数据，判断不了"));
        words.en.push_str(&format!("; of {unclear} more it cannot be told, data is missing"));
    }
    words
}

fn of_id(id: &TicketId, why: &Message) -> Message {
    Message::new(format!("{id}：{}", why.zh), format!("{id}: {}", why.en))
}

fn short(text: &str) -> String {
    cut(&one_line(text), TITLE_CHARS_MAX)
}

const fn owner_asked(term: &Term) -> Option<&Vec<Who>> {
    match term {
        Term::Owner(who) => Some(who),
        Term::Overdue | Term::Field(_) => None,
    }
}

/// Whether an agent goes by a name: all of it or a part, their email or its beginning, their id. Blanks do not count.
fn is_called(owner: &Person, name: &str) -> bool {
    let narrow = |text: &str| fold(text).chars().filter(|c| !c.is_whitespace() && *c != '_').collect::<String>();
    let name = narrow(name);
    let by_name = owner.name.present().is_some_and(|known| narrow(known).contains(&name));
    let by_email = || {
        owner.email.present().is_some_and(|email| {
            let email = narrow(email);
            email == name || email.split('@').next() == Some(name.as_str())
        })
    };
    let by_id = || owner.id.present().is_some_and(|id| narrow(id) == name);
    !name.is_empty() && (by_name || by_email() || by_id())
}
