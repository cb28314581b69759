//! Calls in the histories: people mentioned on cards, told directly, called up by phone; and what must have come of it.

use std::collections::{BTreeMap, BTreeSet};

use deskbell::domain::{
    call::{MENTION_EVERY, PHONE_EVERY, PHONES_MAX, PHONES_WITHIN},
    delivery::SendReport,
    id::RuleName,
    notice::{NoticeKey, Send, Step, Target},
    receiver::PersonId,
    rule::{Mention, RuleSet, Urgent},
    time::{Span, Timestamp},
};

use super::{
    oracle::{BAD, URGENT, WAITING},
    runner::Runner,
};

const LI: &str = "li@example.com";
/// A send leaves so much later at most than it was decided: it is made durable first.
const LEAVES_LATE: Span = Span::from_secs(5);

const HAN: &str = "han@example.com";

/// The rules, which now mention people and ring a telephone.
pub(super) fn loud(mut rules: RuleSet) -> RuleSet {
    let person = |email: &str| Some(Mention::Person(email.into()));
    for (name, email) in [(BAD, LI), (WAITING, LI), (URGENT, HAN)] {
        if let Some(rule) = rules.rules.get_mut(&RuleName::from(name)) {
            rule.notify[0].mention = person(email);
            for rung in &mut rule.ladder {
                (rung.mention, rung.urgent) = (person(HAN), Some(Urgent::Phone));
            }
        }
    }
    rules
}

/// A send that calls someone, as it left.
pub(super) struct Called {
    at: Timestamp,
    key: NoticeKey,
    attempts: u32,
    person: PersonId,
    /// Through the telephone, not by a mention.
    phone: bool,
    arrived: bool,
    /// The desk was told that it never left.
    failed: bool,
}

/// The calls of a history.
#[derive(Default)]
pub(super) struct Calls {
    all: Vec<Called>,
    pub(super) faults: Vec<String>,
}

impl Calls {
    /// A send leaves.
    pub(super) fn note(&mut self, send: &Send, now: Timestamp) {
        let called = |person: &PersonId, phone| Called {
            at: now,
            key: send.key.clone(),
            attempts: send.attempts,
            person: person.clone(),
            phone,
            arrived: false,
            failed: false,
        };
        let quiet = matches!(send.key.step, Step::Update | Step::Ended | Step::Answer);
        if !send.mentions.is_empty() && (quiet || matches!(send.target, Target::Patch(_))) {
            self.faults.push(format!("an update or an ending mentions: {:?}", send.key));
        }
        self.all.extend(send.mentions.iter().map(|person| called(person, false)));
        if let Target::Urge(_, urgent, person) = &send.target {
            let phone = *urgent != Urgent::App;
            if phone && self.all.iter().any(|call| call.phone && !call.failed && call.key == send.key) {
                self.faults.push(format!("dialled again: {:?}", send.key));
            }
            self.all.extend(phone.then(|| called(person, true)));
        }
    }

    /// It arrived.
    pub(super) fn arrived(&mut self, send: &Send) {
        let ours = |call: &&mut Called| call.key == send.key && call.attempts == send.attempts;
        self.all.iter_mut().filter(ours).for_each(|call| call.arrived = true);
    }

    /// The desk hears what became of it.
    pub(super) fn reported(&mut self, report: &SendReport) {
        let Err(failure) = &report.result else { return };
        let ours = |call: &&mut Called| call.key == report.key && call.attempts == report.attempts;
        self.all.iter_mut().filter(ours).for_each(|call| call.failed = !failure.kind.may_have_arrived());
    }

    /// How many mentions arrived, and how often a telephone rang.
    pub(super) fn counts(&self) -> (usize, usize) {
        let phones = self.all.iter().filter(|call| call.phone).count();
        (self.all.iter().filter(|call| !call.phone && call.arrived).count(), phones)
    }

    /// When someone was called so, each notice once.
    fn instants(&self, phone: bool) -> BTreeMap<&PersonId, Vec<Timestamp>> {
        let (mut known, mut found) = (BTreeSet::new(), BTreeMap::<_, Vec<Timestamp>>::new());
        // What rang and what nobody knows of counts; a mention that never got there called nobody.
        for call in
            self.all.iter().filter(|call| call.phone == phone && if phone { !call.failed } else { call.arrived })
        {
            if known.insert((&call.key, &call.person)) {
                found.entry(&call.person).or_default().push(call.at);
            }
        }
        found.values_mut().for_each(|instants| instants.sort_unstable());
        found
    }
}

/// Everything about calls that is not as it must be, in words.
pub(super) fn faults(runner: &Runner, faults: &mut Vec<String>) {
    let calls = &runner.calls;
    faults.extend(calls.faults.iter().cloned());
    for (phone, every) in [(false, MENTION_EVERY), (true, PHONE_EVERY)] {
        for (person, instants) in calls.instants(phone) {
            let soon = |pair: &&[Timestamp]| pair[1].since(pair[0]).as_ms() + LEAVES_LATE.as_ms() < every.as_ms();
            faults.extend(instants.windows(2).filter(soon).map(|pair| {
                let after: Span = pair[1].since(pair[0]);
                format!("{person:?} called again after {after:?}, by phone: {phone}, at {:?}", pair[1])
            }));
            let often = |row: &&[Timestamp]| {
                let within = row[PHONES_MAX].since(row[0]).as_ms() + LEAVES_LATE.as_ms();
                phone && within < PHONES_WITHIN.as_ms()
            };
            faults.extend(instants.windows(PHONES_MAX + 1).find(often).map(|_| format!("{person:?} phoned too often")));
        }
    }
}
