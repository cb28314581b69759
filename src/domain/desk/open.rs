//! Taking up what the store kept, and rules that changed meanwhile.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use crate::domain::{
    alert::{Alert, EndReason, LineOf},
    delivery::ANSWER_GIVE_UP_AFTER,
    desk::{
        catching_up::{CatchingUp, Touched},
        input::NewRules,
        judge::judge_rule,
        machine::{Desk, Duty, Source, Talk, Watched},
        outcome::Write,
        restart::Restart,
        state::{Answer, Entry, SourceState, Stored, Tracked},
    },
    id::{RuleName, SourceName, Subject, TicketKey},
    reading::scope::SweepScope,
    rule::{Rule, RuleKind, RuleSet},
    seen::Seen,
    time::{Span, Timestamp},
};

impl Desk {
    pub(super) fn take_up(&mut self, stored: Stored, rules: &RuleSet, now: Timestamp) {
        self.restart = Restart::of(&stored, now);
        self.take_up_people(stored.people);
        self.set_rules(rules);
        self.meanings = stored.meanings.into_iter().collect();
        self.trials = stored.trials.into_iter().map(|trial| (trial.rule.clone(), trial)).collect();
        self.forgotten = stored.forgotten.into_iter().collect();
        self.remains = stored.remains.into_iter().map(|remains| (remains.key.clone(), remains)).collect();
        self.cards = stored.cards.into_iter().map(|card| (card.key.clone(), card)).collect();
        self.cards.values().for_each(|card| self.index.note_card(card));
        self.digests = stored.digests.into_iter().map(|digest| ((digest.of.clone(), digest.number), digest)).collect();
        self.calls = stored.calls.into_iter().map(|call| (call.key.clone(), call)).collect();
        stored.dead.into_iter().for_each(|letter| self.dead.put(letter));
        self.forget_dead(now);
        for alert in stored.alerts {
            self.alerts.entry(alert.key.subject.clone()).or_default().push(alert);
        }
        self.take_up_silences(stored.silences, now);
        self.past = stored.past.into_iter().map(|alert| ((alert.key.clone(), alert.episode), alert)).collect();
        self.rest_again(now);
        for alert in self.alerts.values().flatten().chain(self.past.values()) {
            self.members.note(alert);
            self.index.note(alert);
        }
        self.alerts.values().flatten().for_each(|alert| self.index.note_former(alert));
        for (id, until) in stored.seen {
            self.seen_order.insert((until, id.clone()));
            self.seen.insert(id, until);
        }
        self.take_up_sources(stored.sources, now);
        for tracked in stored.tickets {
            self.take_up_ticket(tracked, now);
        }
        self.begin_trials(now);
        self.begin_tallies(now);
        self.end_removed(now);
        self.hold_overdue(now);
        self.expire_silences(now); // their alerts and tickets are known by now
        self.take_up_rotas(stored.covers, stored.rosters, now);
        for entry in stored.outbox {
            // Answers are looked for again below; their ticket was in memory only.
            if !matches!(entry.text, Some(Answer::Ticket(_))) {
                self.outbox.put(Entry { not_before: entry.not_before.min(now.plus(Span::from_days(1))), ..entry });
            } else {
                self.write(Write::DropOutbox(entry.key));
            }
        }
        self.begin_storms(now);
        self.inbox = stored.inbox.into_iter().map(|item| (item.message.message.clone(), item)).collect();
        for item in self.inbox.values().cloned().collect::<Vec<_>>() {
            if now > item.accepted_at.plus(ANSWER_GIVE_UP_AFTER) {
                // Nobody waits for it any more, and an answer that did arrive would arrive twice.
                self.forget_question(&item.message.message);
            } else {
                self.take_up_question(&item, now);
            }
        }
    }

    fn take_up_sources(&mut self, stored: Vec<SourceState>, now: Timestamp) {
        let mut kept: BTreeMap<SourceName, SourceState> =
            stored.into_iter().map(|state| (state.name.clone(), state)).collect();
        let changed = self.rules.iter().filter(|(name, rule)| self.meanings.get(*name) != Some(&rule.meaning));
        let changed: BTreeSet<RuleName> = changed.map(|(name, _)| name.clone()).collect();
        let fresh = !changed.is_empty();
        for (name, settings) in self.settings.sources.clone() {
            let state = kept.remove(&name).unwrap_or_else(|| SourceState::new(name.clone()));
            let known = state.cursor.is_some();
            let source = Source {
                tracked: 0,
                open: 0,
                polled_at: now,
                read_through: state.cursor,
                every: settings.poll_every,
                next_poll: Timestamp::MIN,
                catching_up: None,
                rejudge: fresh && known,
                waiting: Default::default(),
                last_failure: None,
                broken: 0,
                told_silent: false,
                state,
            };
            let pass = source.state.pass;
            self.sources.insert(name.clone(), source);
            if known {
                self.begin_catching_up(&name, pass, now);
            }
            if fresh && known {
                self.catch_up_on_rules(&name, Touched::Only(changed.clone()), now);
            }
            self.rejoin_digest(&name, now);
        }
    }

    fn catch_up_on_rules(&mut self, source: &SourceName, rules: Touched, now: Timestamp) {
        if let Some(source) = self.sources.get_mut(source) {
            source.catching_up.get_or_insert_with(CatchingUp::default).note_change(rules, now);
        }
    }

    /// Puts a kept ticket into the queue; it is judged when it is due, not now.
    fn take_up_ticket(&mut self, tracked: Tracked, now: Timestamp) {
        let key = tracked.ticket.key.clone();
        let gone = tracked.gone_at.is_some();
        if !self.sources.contains_key(&key.source) {
            return; // its source is not configured any more: kept, and left alone
        }
        let due = if gone { Timestamp::NEVER } else { self.first_due(&tracked, now) };
        self.count(&key.source, None, Some(&tracked.ticket));
        let watched = Watched { tracked, seen_pass: 0, due_at: Timestamp::NEVER, refresh: None, talk: Talk::default() };
        self.tickets.insert(key.clone(), watched);
        let due = due.min(self.purge_at(&key));
        self.schedule(&key, due);
    }

    /// When something may change on a ticket that lay in the store: now, if something is due already.
    fn first_due(&self, tracked: &Tracked, now: Timestamp) -> Timestamp {
        let key: &TicketKey = &tracked.ticket.key;
        let alerts = self.alerts.get(&Subject::Ticket(key.clone()));
        if alerts.is_some_and(|alerts| alerts.iter().any(Alert::is_live)) {
            return now;
        }
        let duties = self.duties.get(&key.source).map_or(&[][..], |duties| duties);
        // What was said may have to be asked for: nobody knows whether that was under way when the process ended.
        let unread = tracked.facts.conversation.is_unknown() && tracked.ticket.is_closed() != Some(true);
        if unread && duties.iter().any(|duty| duty.needs_messages) {
            return now;
        }
        // From the instant of the data on: what fell due while we were away is due now.
        let at = tracked.asked_at.min(now);
        let seen = Seen::at_rest(&tracked.ticket, &tracked.facts, self.labels_of(&key.source));
        let judged = duties.iter().filter(|duty| !duty.is_event);
        judged.map(|duty| judge_rule(&duty.rule, &seen, at).valid_until).min().unwrap_or(Timestamp::NEVER)
    }

    /// Other rules are in force: what no rule asks for any more ends now, everything else is judged again when the
    /// next pass is complete.
    pub(super) fn change_rules(&mut self, new: NewRules, now: Timestamp) {
        self.begin_announcing(&new, now);
        self.hush.understand(&new.conditions);
        let touched = self.judged_otherwise(&new);
        for (name, labels) in new.labels {
            if let Some(settings) = self.settings.sources.get_mut(&name) {
                settings.labels = labels;
            }
        }
        let before = self.rules.clone();
        if let Some(rotas) = new.rotas {
            self.settings.rotas = rotas;
            self.begin_rotas(now);
        }
        self.set_rules(&new.rules);
        self.follow_lines(&before);
        self.begin_trials(now);
        self.begin_tallies(now);
        self.begin_storms(now);
        self.look_again_at_live(now);
        self.hush.look_again();
        let Some(touched) = touched else { return self.announce_if_judged(now) };
        for name in self.sources.keys().cloned().collect::<Vec<_>>() {
            self.catch_up_on_rules(&name, touched.clone(), now);
        }
        self.sources.values_mut().for_each(|source| source.rejudge = true);
        self.end_removed(now);
    }

    /// Lines of what rings follow the line of `notify` that told them, wherever it stands now; of one that is gone they
    /// repeat no more.
    fn follow_lines(&mut self, before: &BTreeMap<RuleName, Arc<Rule>>) {
        let live: Vec<Alert> = self.alerts.values().flatten().filter(|alert| alert.is_live()).cloned().collect();
        for mut alert in live {
            let Some(new) = self.rule_named(&alert.key.rule) else { continue };
            let old = before.get(&alert.key.rule).or_else(|| before.get(&new.name));
            let Some(old) = old.filter(|old| old.notify != new.notify) else { continue };
            let mut moved = false;
            for line in &mut alert.lines {
                let LineOf::Notify(at) = line.from else { continue };
                let told = usize::try_from(at).ok().and_then(|at| old.notify.get(at));
                let place = told.and_then(|told| new.notify.iter().position(|line| line.to == told.to));
                let from = place.map_or(LineOf::Nothing, LineOf::notify);
                moved |= from != line.from;
                line.next_at = line.next_at.filter(|_| from != LineOf::Nothing);
                line.from = from;
            }
            if moved {
                self.put_alert(alert);
            }
        }
    }

    /// What rings is looked at again now: its repeats and its ladder may be others.
    fn look_again_at_live(&mut self, now: Timestamp) {
        let live = self.alerts.iter().filter(|(_, alerts)| alerts.iter().any(Alert::is_live));
        let keys: Vec<TicketKey> = live.filter_map(|(subject, _)| subject.ticket().cloned()).collect();
        for key in keys {
            self.schedule(&key, now);
        }
        self.touch_groups();
    }

    /// The rules by which a ticket may be judged otherwise than before, where there are any or a rule is gone. Texts and
    /// receivers decide nothing.
    fn judged_otherwise(&self, new: &NewRules) -> Option<Touched> {
        if !new.labels.is_empty() {
            return Some(Touched::All);
        }
        let decides = |rule: &Rule| (rule.meaning, rule.mode.clone());
        let differs = |rule: &&Rule| self.rules.get(&rule.name).is_none_or(|old| decides(old) != decides(rule));
        let rules: BTreeSet<RuleName> =
            new.rules.rules.values().filter(differs).map(|rule| rule.name.clone()).collect();
        let matters = !rules.is_empty() || self.rules.len() != new.rules.rules.len();
        matters.then_some(Touched::Only(rules))
    }

    fn set_rules(&mut self, rules: &RuleSet) {
        self.rules = rules.rules.iter().map(|(name, rule)| (name.clone(), Arc::new(rule.clone()))).collect();
        let renamed =
            |rule: &Rule| rule.formerly.iter().map(|old| (old.clone(), rule.name.clone())).collect::<Vec<_>>();
        self.renamed = rules.rules.values().flat_map(renamed).collect();
        let of = |source: &SourceName| -> Arc<[Duty]> {
            let labels = self.labels_of(source);
            self.rules.values().filter(|rule| rule.watches(source)).map(|rule| Duty::of(rule, labels)).collect()
        };
        self.duties = self.settings.sources.keys().map(|source| (source.clone(), of(source))).collect();
        let scope = |source: &SourceName| (source.clone(), SweepScope::of(rules, source));
        self.scopes = self.settings.sources.keys().map(scope).collect();
    }

    /// Ends the alerts of rules that are gone or no longer watch the source.
    fn end_removed(&mut self, now: Timestamp) {
        let removed: Vec<Alert> =
            self.alerts.values().flatten().filter(|alert| alert.is_live() && !self.is_ruled(alert)).cloned().collect();
        for alert in removed {
            if alert.is_firing() {
                self.end(alert, EndReason::RuleRemoved, false, now);
            } else {
                self.drop_alert(&alert.key);
            }
        }
        let gone: Vec<RuleName> =
            self.meanings.keys().filter(|name| !self.rules.contains_key(*name)).cloned().collect();
        for name in gone {
            self.meanings.remove(&name);
            self.write(Write::DropMeaning(name));
        }
    }

    fn is_ruled(&self, alert: &Alert) -> bool {
        match &alert.key.subject {
            Subject::Ticket(key) => self
                .rule_named(&alert.key.rule)
                .is_some_and(|rule| rule.watches(&key.source) && !matches!(rule.kind, RuleKind::Count(_))),
            Subject::Group(_) => self.is_counted(&alert.key),
            Subject::Source(_) | Subject::Service | Subject::Message(_) | Subject::Receiver(_) => true,
        }
    }

    /// Once every source was judged by the rules in force, they are no longer new.
    pub(super) fn remember_meanings(&mut self) {
        if self.sources.values().any(|source| source.rejudge || source.state.cursor.is_none()) {
            return;
        }
        let rules: Vec<(RuleName, u64)> = self.rules.iter().map(|(name, rule)| (name.clone(), rule.meaning)).collect();
        for (name, meaning) in rules {
            if self.meanings.insert(name.clone(), meaning) != Some(meaning) {
                self.write(Write::Meaning(name, meaning));
            }
        }
    }
}
