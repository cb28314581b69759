//! The desk's state and its one door.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::domain::{
    alert::{Alert, AlertKey},
    budget::Budgets,
    call::{Call, CallKey},
    conversation::Conversation,
    desk::{
        announce::Announcing,
        catching_up::CatchingUp,
        count::Tally,
        dead::DeadLetters,
        greeting::Greeted,
        hops::Stall,
        hush::Hushing,
        index::Index,
        input::Input,
        members::Members,
        outbox::Outbox,
        outcome::{Effect, Outcome, Write},
        patience::Patience,
        reopen::Resting,
        restart::Restart,
        rotas::Rosters,
        settings::Settings,
        state::{CardKey, CardState, Digest, InboxItem, JournalEntry, Remains, SourceState, Stored, Tracked, Trial},
        storm::Storms,
        view::Counters,
        wakes::Wakes,
    },
    id::{MessageId, RuleName, SourceName, Subject, TicketKey},
    labels::Labels,
    people::{KnownPerson, People},
    reading::scope::SweepScope,
    receiver::PersonId,
    rule::{Mode, Rule, RuleSet},
    text::Message,
    ticket::Ticket,
    time::{Span, Timestamp},
};

/// Data younger than this is fresh enough to ring on.
pub const FRESH: Span = Span::from_secs(20);

/// How long the desk asks for fresh data before it rings without.
pub const REFRESH_PATIENCE: Span = Span::from_mins(1);

/// Alerts, cards, notices and tickets, and what is to be done about them.
#[derive(Debug)]
pub struct Desk {
    pub(super) settings: Settings,
    pub(super) rules: BTreeMap<RuleName, Arc<Rule>>,
    /// Names that rules had before, and the names they have now.
    pub(super) renamed: BTreeMap<RuleName, RuleName>,
    /// The rules that watch each source, in the order of their names.
    pub(super) duties: BTreeMap<SourceName, Arc<[Duty]>>,
    /// What counting rules have counted.
    pub(super) tallies: BTreeMap<RuleName, Tally>,
    /// Rules in trial.
    pub(super) trials: BTreeMap<RuleName, Trial>,
    /// What a sweep of each source reads.
    pub(super) scopes: BTreeMap<SourceName, SweepScope>,
    pub(super) tickets: BTreeMap<TicketKey, Watched>,
    pub(super) remains: BTreeMap<TicketKey, Remains>,
    /// Tickets of guests who were forgotten: kept blank while they are closed.
    pub(super) forgotten: BTreeSet<TicketKey>,
    /// Alerts by what they are about; a subject without any has no entry.
    pub(super) alerts: BTreeMap<Subject, Vec<Alert>>,
    /// Episodes that are over and whose cards do not all show it, while a new one began.
    pub(super) past: BTreeMap<(AlertKey, u32), Alert>,
    /// When each ticket must be looked at again if nothing changes.
    pub(super) due: BTreeSet<(Timestamp, TicketKey)>,
    pub(super) sources: BTreeMap<SourceName, Source>,
    pub(super) cards: BTreeMap<CardKey, CardState>,
    /// Cards that show an end and may be opened again.
    pub(super) resting: Resting,
    /// When all ladders were looked through last.
    pub(super) audited_at: Timestamp,
    pub(super) digests: BTreeMap<(Subject, u32), Digest>,
    /// Which alerts each of them tells.
    pub(super) members: Members,
    /// Alerts and cards by what they are looked for.
    pub(super) index: Index,
    pub(super) storms: Storms,
    pub(super) outbox: Outbox,
    pub(super) dead: DeadLetters,
    /// Who was called lately, and how.
    pub(super) calls: BTreeMap<CallKey, Call>,
    /// Notices that fail for want of a way out.
    pub(super) stall: Stall,
    /// A start on a store that was in use before, until it was told.
    pub(super) restart: Option<Restart>,
    /// People as the directory knows them.
    pub(super) people: People,
    /// Those of them the store keeps.
    pub(super) people_kept: BTreeMap<PersonId, KnownPerson>,
    pub(super) inbox: BTreeMap<MessageId, InboxItem>,
    /// Tickets looked up for a person and not under watch, until the answer is sent.
    pub(super) visiting: BTreeMap<MessageId, Tracked>,
    /// What was said on tickets that were looked up, until the answer is sent.
    pub(super) talks: BTreeMap<MessageId, Arc<Conversation>>,
    pub(super) seen: BTreeMap<MessageId, Timestamp>,
    pub(super) seen_order: BTreeSet<(Timestamp, MessageId)>,
    /// Meanings known durably; a rule that differs is new or edited.
    pub(super) meanings: BTreeMap<RuleName, u64>,
    /// Tells two pieces of news of one minute apart.
    pub(super) sent_news: u16,
    /// Rules that changed and were not announced yet.
    pub(super) announcing: Option<Announcing>,
    pub(super) hush: Hushing,
    /// Tickets that were told of.
    pub(super) wakes: Wakes,
    pub(super) greeted: Greeted,
    pub(super) patience: Patience,
    pub(super) rosters: Rosters,
    pub(super) budgets: Budgets,
    pub(super) counters: Counters,
    /// Grows while an input is handled, handed out at its end.
    pub(super) out: Outcome,
}

/// A rule that watches a source, and what of it is asked at every judgement.
#[derive(Clone, Debug)]
pub(super) struct Duty {
    pub(super) rule: Arc<Rule>,
    /// It is judged only when a change is stored.
    pub(super) is_event: bool,
    /// It looks at what was said on tickets.
    pub(super) needs_messages: bool,
    /// It is in trial.
    pub(super) trial: bool,
}

impl Duty {
    pub(super) fn of(rule: &Arc<Rule>, labels: &Labels) -> Self {
        Self {
            rule: Arc::clone(rule),
            is_event: rule.is_event(),
            needs_messages: rule.needs_messages() || labels.need_messages(rule),
            trial: matches!(rule.mode, Mode::Trial(_)),
        }
    }
}

/// What is known of the conversation on a ticket, besides the words.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Talk {
    /// When the last answer was asked for.
    pub(super) read_at: Option<Timestamp>,
    /// The newest change: what was said must have been asked for after it.
    pub(super) changed_at: Option<Timestamp>,
    /// A request is under way, or failed, since this instant.
    pub(super) asked_at: Option<Timestamp>,
}

/// A ticket under watch.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) tracked: Tracked,
    /// The last pass that showed it.
    pub(super) seen_pass: u64,
    /// The entry in `due`.
    pub(super) due_at: Timestamp,
    /// Fresh data was asked for at this instant, and is waited for.
    pub(super) refresh: Option<Timestamp>,
    pub(super) talk: Talk,
}

/// A source under watch.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) state: SourceState,
    /// Tickets under watch, and how many of them are open. Counted as they come and go: a million are not walked to
    /// show two numbers.
    pub(super) tracked: usize,
    pub(super) open: usize,
    /// When the last complete poll began; at a start, the start.
    pub(super) polled_at: Timestamp,
    /// A complete increment began here: what it did not show had not changed by then.
    pub(super) read_through: Option<Timestamp>,
    /// The time between polls that is kept now.
    pub(super) every: Span,
    /// When the next poll is due, as the last complete pass said.
    pub(super) next_poll: Timestamp,
    /// What already holds is gathered into a digest until the pass is complete.
    pub(super) catching_up: Option<CatchingUp>,
    /// Rules changed: every ticket is judged again when the next pass is complete.
    pub(super) rejudge: bool,
    /// Tickets that wait for fresh data from a whole pass.
    pub(super) waiting: BTreeSet<TicketKey>,
    /// What the last incomplete pass said.
    pub(super) last_failure: Option<Message>,
    /// Tickets of the last pass that could not be decoded.
    pub(super) broken: u32,
    /// The source watch was raised and is not over.
    pub(super) told_silent: bool,
}

impl Desk {
    /// Takes up what the store kept. The outcome is committed before anything else.
    pub fn open(stored: Stored, rules: Arc<RuleSet>, settings: Settings, now: Timestamp) -> (Self, Outcome) {
        let mut desk = Self {
            budgets: Budgets::new(settings.limits),
            settings,
            rules: BTreeMap::new(),
            renamed: BTreeMap::new(),
            duties: BTreeMap::new(),
            tallies: BTreeMap::new(),
            trials: BTreeMap::new(),
            scopes: BTreeMap::new(),
            tickets: BTreeMap::new(),
            remains: BTreeMap::new(),
            forgotten: BTreeSet::new(),
            alerts: BTreeMap::new(),
            past: BTreeMap::new(),
            due: BTreeSet::new(),
            sources: BTreeMap::new(),
            cards: BTreeMap::new(),
            resting: Resting::default(),
            audited_at: now,
            digests: BTreeMap::new(),
            members: Members::default(),
            index: Index::default(),
            storms: Storms::default(),
            outbox: Outbox::default(),
            dead: DeadLetters::default(),
            calls: BTreeMap::new(),
            stall: Stall::default(),
            restart: None,
            people: People::default(),
            people_kept: BTreeMap::new(),
            inbox: BTreeMap::new(),
            visiting: BTreeMap::new(),
            talks: BTreeMap::new(),
            seen: BTreeMap::new(),
            seen_order: BTreeSet::new(),
            meanings: BTreeMap::new(),
            sent_news: 0,
            announcing: None,
            hush: Hushing::default(),
            wakes: Wakes::default(),
            greeted: Greeted::default(),
            patience: Patience::default(),
            rosters: Rosters::default(),
            counters: Counters::default(),
            out: Outcome::default(),
        };
        desk.take_up(stored, &rules, now);
        desk.look_at_held(now);
        desk.pump(now);
        let outcome = std::mem::take(&mut desk.out);
        (desk, outcome)
    }

    /// Takes one input. What it leads to is decided when this returns; nothing of it has been done yet.
    pub fn handle(&mut self, input: Input, now: Timestamp) -> Outcome {
        match input {
            Input::Page(page) => self.page(page, now),
            Input::PassEnded(ended) => self.pass_ended(ended, now),
            Input::TicketRead(read) => self.ticket_read(read, now),
            Input::MessagesRead(read) => self.messages_read(read, now),
            Input::TicketNews(news) => self.ticket_news(&news, now),
            Input::Added(added) => self.added(&added, now),
            Input::Message(message) => self.message(message, now),
            Input::LookedUp(looked_up) => self.looked_up(looked_up, now),
            Input::Act(act) => self.act(&act, now),
            Input::People(known) => self.meet(known, now),
            Input::Sent(report) => self.sent(report, now),
            Input::History(report) => self.history(&report, now),
            Input::Rules(new) => self.change_rules(*new, now),
            Input::RulesRefused(why) => self.trouble_again("rules_refused", why, now),
            Input::Trouble { name, message } => self.trouble(name, message, now),
            Input::News { name, message } => self.news(name, self.settings.operations.clone(), message, now),
            Input::ClockSetBack => self.rewind(now),
            Input::Tick => self.tick(now),
        }
        self.judge_groups(now);
        self.look_at_held(now);
        self.pump(now);
        std::mem::take(&mut self.out)
    }

    /// When a tick must come at the latest.
    pub fn next_due(&self) -> Timestamp {
        let due = self.due.first().map_or(Timestamp::NEVER, |(at, _)| *at);
        let seen = self.seen_order.first().map_or(Timestamp::NEVER, |(at, _)| *at);
        let sources = self.sources.values().map(Source::next_due).min().unwrap_or(Timestamp::NEVER);
        let dead = self.dead.next_due(self.settings.retention);
        let counts = self.tallies_due().min(self.trial_due()).min(self.resting.next_due()).min(self.audit_due());
        let calls = self.calls_due().min(self.rosters.next_due());
        let sends = self.outbox.next_due().min(self.storms.next_due()).min(self.hush.next_due()).min(calls);
        let told = self.stall.next_due().min(self.restart_due()).min(self.announcing_due()).min(self.wakes.next_due());
        due.min(seen).min(sources).min(dead).min(counts).min(sends).min(told)
    }

    /// Whether the list showed the ticket with these very bytes before: then it need not be decoded.
    pub fn is_unchanged(&self, key: &TicketKey, hash: u64) -> bool {
        self.tickets.get(key).is_some_and(|watched| watched.tracked.list_hash == Some(hash))
    }

    /// Counts a ticket of a source: as what it was under watch, if it was, and as what it is now.
    pub(super) fn count(&mut self, source: &SourceName, before: Option<&Ticket>, after: Option<&Ticket>) {
        let Some(source) = self.sources.get_mut(source) else { return };
        let is_open = |ticket: &Ticket| ticket.is_closed() == Some(false);
        source.tracked = source.tracked + usize::from(after.is_some()) - usize::from(before.is_some());
        source.open = source.open + usize::from(after.is_some_and(is_open)) - usize::from(before.is_some_and(is_open));
    }

    pub(super) fn write(&mut self, write: Write) {
        self.out.writes.push(write);
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.out.effects.push(effect);
    }

    /// What the configuration says of a source's tickets.
    pub(super) fn labels_of(&self, source: &SourceName) -> &Labels {
        self.settings.sources.get(source).map_or(Labels::none(), |settings| &settings.labels)
    }

    /// The rule of this name, or the one that had it before.
    pub(super) fn rule_named(&self, name: &RuleName) -> Option<&Arc<Rule>> {
        self.rules.get(name).or_else(|| self.rules.get(self.renamed.get(name)?))
    }

    /// What an alert's rule is called today.
    pub(super) fn rule_called<'a>(&'a self, alert: &'a Alert) -> &'a RuleName {
        self.rule_named(&alert.key.rule).map_or(&alert.key.rule, |rule| &rule.name)
    }

    /// A rule's alert on a subject, also one that was born under a name the rule had before: the live one, if any is.
    pub(super) fn alert_of(&self, rule: &Rule, subject: &Subject) -> Option<&Alert> {
        let ours = |alert: &&Alert| alert.key.rule == rule.name || rule.formerly.contains(&alert.key.rule);
        let alerts = self.alerts.get(subject)?;
        if rule.formerly.is_empty() {
            return alerts.iter().find(ours);
        }
        alerts.iter().filter(ours).max_by_key(|alert| (alert.is_live(), alert.episode))
    }

    pub(super) fn alert(&self, key: &AlertKey) -> Option<&Alert> {
        self.alerts.get(&key.subject)?.iter().find(|alert| alert.key.rule == key.rule)
    }

    /// An alert in one of its episodes: the present one, or one whose cards still have to show its end.
    pub(super) fn episode(&self, key: &AlertKey, episode: u32) -> Option<&Alert> {
        let past = self.past.get(&(key.clone(), episode));
        past.or_else(|| self.alert(key).filter(|alert| alert.episode == episode))
    }

    /// Keeps the alert, in memory and durably.
    pub(super) fn put_alert(&mut self, alert: Alert) {
        self.write(Write::Alert(Box::new(alert.clone())));
        let alerts = self.alerts.entry(alert.key.subject.clone()).or_default();
        let known = alerts.iter_mut().find(|known| known.key.rule == alert.key.rule);
        let stays = known.as_ref().is_some_and(|known| self.past.contains_key(&(known.key.clone(), known.episode)));
        if let Some(known) = known.as_ref().filter(|_| !stays) {
            self.members.forget(known);
        }
        self.members.note(&alert);
        self.index.replace(known.as_deref(), &alert, stays);
        match known {
            Some(known) => *known = alert,
            None => {
                alerts.reserve_exact(1); // most subjects have one
                alerts.push(alert);
            }
        }
    }

    /// Forgets an alert that never rang.
    pub(super) fn drop_alert(&mut self, key: &AlertKey) {
        if let Some(alerts) = self.alerts.get_mut(&key.subject) {
            let dropped = alerts.extract_if(.., |alert| alert.key.rule == key.rule);
            for alert in dropped {
                let stays = self.past.contains_key(&(alert.key.clone(), alert.episode));
                self.index.forget(&alert, stays);
                self.index.forget_former(&alert);
            }
            if alerts.is_empty() {
                self.alerts.remove(&key.subject);
            }
        }
        self.write(Write::DropAlert(key.clone()));
    }

    pub(super) fn journal(
        &mut self,
        at: Timestamp,
        key: (&Subject, Option<&RuleName>, u32),
        what: &'static str,
        note: Message,
    ) {
        let (subject, rule, episode) = key;
        let entry = JournalEntry { at, subject: subject.clone(), rule: rule.cloned(), episode, what, note };
        self.write(Write::Journal(Box::new(entry)));
    }
}
