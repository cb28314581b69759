//! The outside world of the bench: a source that is read, and chats that take or refuse what is sent.

use std::{collections::BTreeMap, sync::Arc};

use deskbell::{
    adapters::rulebook::{alone::asked_condition, names::Names},
    domain::{
        command::{Command, tickets::Query},
        conversation::Conversation,
        delivery::{Delivered, Failure, FailureKind, SendReport},
        desk::{
            input::{
                Input, LookUpResult, LookedUp, MessagesRead, Observed, Page, PassEnded, PassKind, ReadResult,
                TicketRead,
            },
            outcome::LookUp,
        },
        id::{MessageId, TicketId, TicketKey},
        notice::{Content, Send, Target},
        text::Message,
        time::{Span, Timestamp},
    },
};

use super::{
    Bench, POLL_EVERY, SWEEP_EVERY,
    words::{failure, line, refusal},
};
use crate::histories::helpdesk::{self, Truth};

impl Bench {
    pub(super) fn poll(&mut self) {
        self.next_poll = self.now.plus(POLL_EVERY);
        self.poll_since(self.now);
    }

    /// A poll that began long ago is complete now, and the next one follows at once.
    pub(super) fn late_poll(&mut self, ago: Span) {
        self.next_poll = self.now.plus(Span::from_ms(1));
        self.poll_since(self.now.minus(ago));
    }

    fn poll_since(&mut self, started_at: Timestamp) {
        self.passes += 1;
        let source = helpdesk::SOURCE.into();
        let known = self.desk.source_state(&source).and_then(|state| state.cursor);
        let sweeps = known.is_none() || self.passes.is_multiple_of(SWEEP_EVERY);
        let kind = if sweeps { PassKind::Sweep } else { PassKind::Increment };
        let failure = self.down.clone();
        if failure.is_none() {
            let from = known.unwrap_or(Timestamp::MIN).minus(Span::from_mins(2));
            let recent = |truth: &Truth| truth.created_at >= from || truth.updated_at.is_some_and(|at| at >= from);
            let numbers: Vec<u64> =
                self.tickets.iter().filter(|(_, truth)| sweeps || recent(truth)).map(|(number, _)| *number).collect();
            let tickets = numbers.iter().map(|number| self.observed(*number)).collect();
            let page = Page { source: source.clone(), pass: self.passes, kind, asked_at: started_at, tickets };
            self.handle(Input::Page(page));
        }
        self.handle(Input::PassEnded(PassEnded {
            source,
            pass: self.passes,
            kind,
            started_at,
            calls: 1,
            every: POLL_EVERY,
            next_poll: self.next_poll,
            broken: 0,
            result: failure.map_or(Ok(()), Err),
        }));
    }

    fn observed(&self, number: u64) -> Observed {
        let (hash, ticket) = helpdesk::shown(number, &self.tickets[&number]);
        let key = helpdesk::key(number);
        let ticket = (!self.desk.is_unchanged(&key, hash)).then(|| Arc::new(ticket));
        Observed { key, hash, ticket }
    }

    pub(super) fn read_messages(&mut self, key: TicketKey) {
        let conversation = Conversation::default();
        let read = MessagesRead { key, asked_at: self.now, result: Ok(conversation) };
        self.handle(Input::MessagesRead(read));
    }

    /// Someone deletes every message that a receiver got so far.
    pub(super) fn delete_all_of(&mut self, receiver: &str) {
        let theirs = self.posted.iter().filter(|(to, _)| to.as_str() == receiver);
        self.deleted.extend(theirs.map(|(_, id)| id.clone()));
    }

    pub(super) fn deliver(&mut self, send: &Send) {
        let gone = match &send.target {
            Target::Reply(message) | Target::Patch(message) => self.deleted.contains(message),
            Target::Post(_) | Target::Urge(..) => false,
        };
        let failed = |kind: FailureKind| {
            Err(Failure { kind, retry_after: None, reason: Message::new(kind.name(), kind.name()) })
        };
        let result = match &self.refuses {
            _ if gone => failed(FailureKind::CardGone),
            // A new message hangs on no card that could be gone.
            Some((FailureKind::CardGone, _)) if matches!(send.target, Target::Post(_)) => self.arrives(send),
            Some((kind, whose)) if whose.is_empty() || whose == send.key.receiver.as_str() => failed(*kind),
            _ => self.arrives(send),
        };
        let report = SendReport { key: send.key.clone(), rev: send.rev, attempts: send.attempts, result };
        self.handle(Input::Sent(report));
    }

    /// What was under way arrives or is refused, in the order it was sent.
    pub(super) fn land(&mut self, how: &str) {
        self.slow = None;
        let refuses = std::mem::replace(&mut self.refuses, refusal(how));
        for send in std::mem::take(&mut self.under_way) {
            self.deliver(&send);
        }
        self.refuses = refuses;
    }

    /// What the journal says under a word, each line once with how often it stands there.
    pub(super) fn read_journal(&mut self, word: &str) {
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        for entry in self.store.journal.iter().filter(|entry| entry.what == word) {
            let rule = entry.rule.as_ref().map_or("-", |rule| rule.as_str());
            *lines.entry(format!("{word} {rule}: {}", entry.note.zh)).or_default() += 1;
        }
        self.told.extend(lines.into_iter().map(|(line, count)| (self.now, format!("journal {count} × {line}"))));
    }

    fn arrives(&mut self, send: &Send) -> Result<Delivered, Failure> {
        self.messages += 1;
        let id = MessageId::from(format!("om_{}", self.messages).as_str());
        if let (Content::Digest(_), Target::Post(receiver)) = (&send.content, &send.target) {
            self.digests.insert(receiver.clone(), id.clone());
            self.digest_reference = send.key.reference();
        }
        self.posted.push((send.key.receiver.clone(), id.clone()));
        let keyed = self.settings.receivers.get(&send.key.receiver).is_none_or(|known| known.kind.has_key());
        self.told.push((self.now, line(send, self.in_full)));
        Ok(Delivered { message_id: keyed.then_some(id), absent: Vec::new() })
    }

    pub(super) fn read(&mut self, key: TicketKey) {
        let paused = self.desk.source_state(&key.source).and_then(|state| state.paused_until);
        assert!(paused.is_none_or(|until| until <= self.now), "asked while the month's calls are used up");
        let number: u64 = key.id.as_str().parse().unwrap();
        let result = match self.tickets.get(&number) {
            _ if self.deaf => ReadResult::Failed(failure("broken").unwrap()),
            Some(truth) => {
                let (hash, ticket) = helpdesk::shown(number, truth);
                ReadResult::Found { hash, ticket: Arc::new(ticket) }
            }
            None => ReadResult::Gone,
        };
        self.handle(Input::TicketRead(TicketRead { key, asked_at: self.now, result }));
    }

    pub(super) fn look_up(&mut self, look_up: &LookUp) {
        let result = match &look_up.command {
            _ if look_up.member_check.is_some() => LookUpResult::Denied,
            _ if self.deaf => LookUpResult::Failed(failure("broken").unwrap().message),
            Command::Ticket(id) => self.find(id),
            Command::Said(_, behind) => self.pick(&Query::read(behind).unwrap()),
            other => panic!("{other:?} is not looked up"),
        };
        self.handle(Input::LookedUp(LookedUp { message: look_up.message.clone(), asked_at: self.now, result }));
    }

    fn pick(&self, query: &Query) -> LookUpResult {
        match query.condition() {
            None => LookUpResult::Several(query.ids.iter().map(|id| (id.clone(), self.find(id))).collect()),
            Some(text) => match asked_condition(&text, &Names::default()) {
                Ok(condition) => LookUpResult::Understood(Box::new(condition)),
                Err(why) => LookUpResult::Failed(why),
            },
        }
    }

    fn find(&self, id: &TicketId) -> LookUpResult {
        let number: u64 = id.as_str().parse().unwrap();
        self.tickets.get(&number).map_or(LookUpResult::NotFound, |truth| {
            let (hash, ticket) = helpdesk::shown(number, truth);
            LookUpResult::Found { key: helpdesk::key(number), hash, ticket: Arc::new(ticket), talk: None }
        })
    }
}
