//! The stage: the real desk between sources that show what the script says and chats that answer at once.
//!
//! Virtual time jumps from one instant at which something is shown or due to the next. At each of them the sources
//! count as read completely, so that data is always fresh, no source falls silent and nothing is a downtime's digest.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use crate::domain::{
    conversation::Conversation,
    delivery::{Delivered, HistoryFound, HistoryReport, SendReport},
    desk::{
        input::{Input, MessagesRead, Observed, Page, PassEnded, PassKind, ReadResult, TicketRead},
        machine::Desk,
        outcome::{Effect, Outcome},
        settings::Settings,
        state::{SourceState, Stored},
    },
    id::{MessageId, ReceiverName, RuleName, SourceName, TicketKey},
    notice::{Send, Target},
    replay::{
        played::{Played, Record, Told},
        script::{Script, Sight, What},
    },
    rule::RuleSet,
    ticket::Ticket,
    time::{Span, Timestamp},
};

/// Inputs the desk takes in one play at most: a month of a large helpdesk takes some hundred thousand.
pub const STEPS_MAX: u64 = 20_000_000;

/// How much virtual time passes between two reports of progress.
const PROGRESS_EVERY: Span = Span::from_hours(1);

/// What the desk does not see happening: it is ticked again this much later.
const TICK: Span = Span::from_ms(1);

/// Plays a script and says what became of it. The same script leads to the same result, always.
///
/// Tickets of sources that `settings` do not know are not judged. `progress` hears the virtual time once in a while.
pub fn play(script: &Script, rules: Arc<RuleSet>, settings: Settings, progress: &mut dyn FnMut(Timestamp)) -> Played {
    let (mut stage, outcome) = Stage::open(script, &rules, settings);
    stage.begin(outcome);
    stage.run(script, progress);
    stage.record.played
}

/// What the script showed of a ticket so far.
#[derive(Debug, Default)]
struct Shown {
    /// Absent once it is gone.
    ticket: Option<Arc<Ticket>>,
    conversation: Conversation,
}

struct Stage {
    desk: Desk,
    now: Timestamp,
    shown: BTreeMap<TicketKey, Shown>,
    /// Every source, with its usual time between polls.
    sources: BTreeMap<SourceName, Span>,
    /// The sources that show anything.
    speaking: Vec<SourceName>,
    /// Receivers that do not say which message a notice became.
    nameless: BTreeSet<ReceiverName>,
    /// The script says what was said.
    talks: bool,
    /// No poll is due before this instant, so that none is missed.
    rests_until: Timestamp,
    pass: u64,
    messages: u64,
    /// What happens next, still at this instant.
    inputs: VecDeque<Input>,
    record: Record,
}

impl Stage {
    fn open(script: &Script, rules: &Arc<RuleSet>, settings: Settings) -> (Self, Outcome) {
        let talks = script.sights.iter().any(|sight| matches!(sight.what, What::Messages(_)));
        let (rules, left_out) = playable(rules, talks);
        let sources: BTreeMap<SourceName, Span> =
            settings.sources.iter().map(|(name, source)| (name.clone(), source.poll_every)).collect();
        let speaking: BTreeSet<&SourceName> = script.sights.iter().map(|sight| &sight.key.source).collect();
        let nameless = settings.receivers.values().filter(|receiver| !receiver.kind.can_patch());
        let nameless = nameless.map(|receiver| receiver.name.clone()).collect();
        let longest = sources.values().max().copied().unwrap_or_default();
        let stored = Stored {
            // Read until now, by these very rules: nothing is a baseline, and no rule is new.
            sources: sources
                .keys()
                .map(|name| SourceState { cursor: Some(script.start), ..SourceState::new(name.clone()) })
                .collect(),
            meanings: rules.rules.values().map(|rule| (rule.name.clone(), rule.meaning)).collect(),
            ..Stored::default()
        };
        let speaking = speaking.into_iter().filter(|name| sources.contains_key(*name)).cloned().collect();
        let (desk, outcome) = Desk::open(stored, rules, settings, script.start);
        let stage = Self {
            desk,
            now: script.start,
            shown: BTreeMap::new(),
            sources,
            speaking,
            nameless,
            talks,
            rests_until: script.end.max(script.start).plus(Span::from_days(1)).plus(longest),
            pass: 0,
            messages: 0,
            inputs: VecDeque::new(),
            record: Record::without(left_out),
        };
        (stage, outcome)
    }

    /// Every source was just read, and rests until the script is over.
    fn begin(&mut self, outcome: Outcome) {
        self.take(outcome);
        for name in self.sources.keys().cloned().collect::<Vec<_>>() {
            let ended = self.pass_ended(&name);
            self.inputs.push_back(ended);
        }
        self.settle();
    }

    fn run(&mut self, script: &Script, progress: &mut dyn FnMut(Timestamp)) {
        let mut sights = script.sights.iter().peekable();
        let mut told_at = self.now;
        let mut ticked_at = None;
        loop {
            let due = self.next_due(ticked_at);
            let next_sight = sights.peek().map_or(Timestamp::NEVER, |sight| sight.at.max(self.now));
            let next = due.min(next_sight);
            if next > script.end || next.is_never() {
                break;
            }
            if self.record.is_full() || self.record.played.steps >= STEPS_MAX {
                self.record.played.cut = Some(self.now);
                break;
            }
            self.now = next;
            if self.now.since(told_at) >= PROGRESS_EVERY {
                told_at = self.now;
                progress(self.now);
            }
            let mut batch = Vec::new();
            while let Some(sight) = sights.next_if(|sight| sight.at <= next) {
                batch.push(sight);
            }
            self.show(&batch);
            if due <= next {
                self.inputs.push_back(Input::Tick);
                ticked_at = Some(next);
            }
            self.settle();
        }
    }

    /// When a tick must come. One that just came and left something due comes again a moment later.
    fn next_due(&self, ticked_at: Option<Timestamp>) -> Timestamp {
        let due = self.desk.next_due().max(self.now);
        if ticked_at == Some(due) { due.plus(TICK) } else { due }
    }

    /// The sources are read: they show what is new, and each reading is complete.
    fn show(&mut self, batch: &[&Sight]) {
        for sight in batch {
            let shown = self.shown.entry(sight.key.clone()).or_default();
            match &sight.what {
                What::Ticket(ticket) => shown.ticket = Some(Arc::clone(ticket)),
                What::Gone => shown.ticket = None,
                What::Messages(conversation) => shown.conversation = conversation.clone(),
            }
        }
        for name in self.speaking.clone() {
            self.pass += 1;
            let tickets: Vec<Observed> = batch
                .iter()
                .filter(|sight| sight.key.source == name)
                .filter_map(|sight| match &sight.what {
                    // Each sight counts as a change of the bytes; what changed the desk sees for itself.
                    What::Ticket(ticket) => {
                        let (key, ticket) = (sight.key.clone(), Some(Arc::clone(ticket)));
                        Some(Observed { key, hash: self.pass, ticket })
                    }
                    What::Gone | What::Messages(_) => None,
                })
                .collect();
            if !tickets.is_empty() {
                let (pass, kind, asked_at) = (self.pass, PassKind::Increment, self.now);
                self.inputs.push_back(Input::Page(Page { source: name.clone(), pass, kind, asked_at, tickets }));
            }
            let ended = self.pass_ended(&name);
            self.inputs.push_back(ended);
        }
        for sight in batch {
            match &sight.what {
                What::Ticket(_) => {}
                What::Gone => self.read_ticket(sight.key.clone()),
                What::Messages(_) => self.read_messages(sight.key.clone()),
            }
        }
    }

    fn pass_ended(&self, name: &SourceName) -> Input {
        Input::PassEnded(PassEnded {
            source: name.clone(),
            pass: self.pass,
            kind: PassKind::Increment,
            started_at: self.now,
            calls: 0,
            every: self.sources.get(name).copied().unwrap_or_default(),
            next_poll: self.rests_until,
            broken: 0,
            result: Ok(()),
        })
    }

    /// Feeds the desk until nothing more happens at this instant.
    fn settle(&mut self) {
        while let Some(input) = self.inputs.pop_front() {
            if self.record.played.steps >= STEPS_MAX {
                return;
            }
            self.record.played.steps += 1;
            let outcome = self.desk.handle(input, self.now);
            self.take(outcome);
        }
    }

    fn take(&mut self, outcome: Outcome) {
        for write in outcome.writes {
            self.record.note(write);
        }
        for effect in outcome.effects {
            match effect {
                Effect::Send(send) => self.deliver(*send),
                Effect::SearchHistory { key, .. } => {
                    self.inputs.push_back(Input::History(HistoryReport { key, found: HistoryFound::NotThere }));
                }
                Effect::ReadTicket(key) => self.read_ticket(key),
                Effect::ReadMessages(key) => self.read_messages(key),
                Effect::ReadSource(name) => {
                    let ended = self.pass_ended(&name);
                    self.inputs.push_back(ended);
                }
                Effect::LookUp(_) | Effect::Answer(_) => {} // nobody asks
            }
        }
    }

    /// A notice arrives at once.
    fn deliver(&mut self, send: Send) {
        let named = match &send.target {
            Target::Post(receiver) => !self.nameless.contains(receiver),
            Target::Reply(_) => true,
            Target::Patch(_) | Target::Urge(..) => false,
        };
        let message_id = named.then(|| {
            self.messages += 1;
            MessageId::new(format!("om_{}", self.messages))
        });
        let (key, rev, attempts) = (send.key.clone(), send.rev, send.attempts);
        let result = Ok(Delivered { message_id, absent: Vec::new() });
        self.inputs.push_back(Input::Sent(SendReport { key, rev, attempts, result }));
        self.record.played.told.push(Told { at: self.now, send });
    }

    fn read_ticket(&mut self, key: TicketKey) {
        let ticket = self.shown.get(&key).and_then(|shown| shown.ticket.clone());
        let result = ticket.map_or(ReadResult::Gone, |ticket| ReadResult::Found { hash: self.pass, ticket });
        self.inputs.push_back(Input::TicketRead(TicketRead { key, asked_at: self.now, result }));
    }

    /// What was said, where the script knows.
    fn read_messages(&mut self, key: TicketKey) {
        if self.talks {
            let said = self.shown.get(&key).map(|shown| shown.conversation.clone()).unwrap_or_default();
            self.inputs.push_back(Input::MessagesRead(MessagesRead { key, asked_at: self.now, result: Ok(said) }));
        }
    }
}

/// The rules that can be played, and the names of those that cannot.
fn playable(rules: &Arc<RuleSet>, talks: bool) -> (Arc<RuleSet>, Vec<RuleName>) {
    let needing = rules.rules.values().filter(|rule| !talks && rule.needs_messages());
    let left_out: Vec<RuleName> = needing.map(|rule| rule.name.clone()).collect();
    if left_out.is_empty() {
        return (Arc::clone(rules), left_out);
    }
    let mut rules = (**rules).clone();
    rules.rules.retain(|name, _| !left_out.contains(name));
    (Arc::new(rules), left_out)
}

#[cfg(test)]
mod tests;
