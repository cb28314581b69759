//! How fast may be sent: token buckets, pure, in whole numbers so that the same inputs give the same outputs.

use std::collections::BTreeMap;

use crate::domain::{
    desk::{settings::Limits, state::Lane},
    id::{ChatId, MessageId, ReceiverName},
    receiver::{HTTP_PER_SECOND, Receiver, ReceiverKind},
    time::{Span, Timestamp},
};

/// A bucket holds this share of its tokens back for the first two lanes: the last fifth.
const RESERVE_DIVISOR: i64 = 5;

/// One token, in the units a bucket counts in: a rate of one a minute still refills by whole units each millisecond.
const TOKEN: i64 = 60_000;

/// Updates a second of one card (`facts/feishu.md §3.3`).
const PATCHES_PER_SECOND: i64 = 5;

/// Posts of one custom bot (`facts/feishu.md §4`).
const WEBHOOK_PER_SECOND: i64 = 5;
const WEBHOOK_PER_MINUTE: i64 = 100;

/// Posts of one WeCom group bot (UNCONFIRMED).
const WECOM_PER_MINUTE: i64 = 20;

/// Buckets kept before full ones are forgotten.
const BUCKETS_MAX: usize = 4_096;

/// What a bucket guards.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gate {
    /// One API of the platform, a second.
    ApiSecond(Api),
    /// One API of the platform, a minute.
    ApiMinute(Api),
    /// One chat.
    Chat(ChatId),
    /// One card.
    Message(MessageId),
    /// One custom bot, a second.
    WebhookSecond(ReceiverName),
    /// One custom bot, a minute.
    WebhookMinute(ReceiverName),
    /// One WeCom group bot, a minute.
    WecomMinute(ReceiverName),
    /// One outgoing HTTP webhook, so many a second.
    HttpSecond(ReceiverName, u32),
}

/// The gates of a receiver that is told by posts alone; none where it is told through the app.
pub fn post_gates(receiver: &Receiver) -> Option<Vec<Gate>> {
    let name = receiver.name.clone();
    match receiver.kind {
        ReceiverKind::Webhook => Some(vec![Gate::WebhookSecond(name.clone()), Gate::WebhookMinute(name)]),
        ReceiverKind::Wecom => Some(vec![Gate::WecomMinute(name)]),
        ReceiverKind::Http => {
            let most = receiver.per_second.unwrap_or(HTTP_PER_SECOND);
            Some(vec![Gate::HttpSecond(name, most)])
        }
        ReceiverKind::Chat(_) | ReceiverKind::Person(_) => None,
    }
}

/// The platform's APIs that send.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Api {
    /// A new message.
    Create,
    /// A reply.
    Reply,
    /// An update of a card.
    Patch,
    /// A call to a person.
    Urgent,
}

/// A token bucket.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Units it holds when full.
    capacity: i64,
    /// Units that come back each millisecond.
    refill: i64,
    /// Units it held at `at`.
    level: i64,
    at: Timestamp,
    /// Nothing goes before this: the other side asked for it.
    held_until: Timestamp,
}

impl Bucket {
    /// A full bucket of `burst` tokens into which `tokens` come back per span: within any such span at most the sum of
    /// both goes out.
    fn new(burst: i64, tokens: i64, per: Span, now: Timestamp) -> Self {
        let capacity = burst.max(1) * TOKEN;
        let refill = (tokens.max(1) * TOKEN / per.as_ms().max(1)).max(1);
        Self { capacity, refill, level: capacity, at: now, held_until: Timestamp::MIN }
    }

    /// At most `limit` in any span: a fifth of it at once, the rest as it comes back.
    fn strict(limit: i64, per: Span, now: Timestamp) -> Self {
        let burst = (limit / 5).max(1);
        Self::new(burst, limit - burst, per, now)
    }

    fn level_at(&self, now: Timestamp) -> i64 {
        let refilled = now.since(self.at).as_ms().saturating_mul(self.refill);
        self.level.saturating_add(refilled).min(self.capacity)
    }

    /// What must be in it before one token may be taken in this lane.
    fn needed(&self, lane: Lane) -> i64 {
        match lane {
            Lane::Answers | Lane::Critical => TOKEN,
            Lane::Alerts | Lane::Updates => (TOKEN + self.capacity / RESERVE_DIVISOR).min(self.capacity),
        }
    }

    /// The first instant at which one token may be taken in this lane.
    fn ready_at(&self, lane: Lane, now: Timestamp) -> Timestamp {
        let missing = self.needed(lane) - self.level_at(now);
        let ready = if missing <= 0 { now } else { now.plus(Span::from_ms((missing + self.refill - 1) / self.refill)) };
        ready.max(self.held_until)
    }

    fn take(&mut self, now: Timestamp) {
        self.level = self.level_at(now) - TOKEN;
        self.at = now;
    }
}

/// All buckets.
#[derive(Debug)]
pub struct Budgets {
    limits: Limits,
    buckets: BTreeMap<Gate, Bucket>,
}

impl Budgets {
    /// Full buckets at these limits.
    pub fn new(limits: Limits) -> Self {
        Self { limits, buckets: BTreeMap::new() }
    }

    /// Takes one token of every gate, or none: then the first instant at which it may work.
    ///
    /// # Errors
    /// The instant to come back at.
    pub fn take(&mut self, gates: &[Gate], lane: Lane, now: Timestamp) -> Result<(), Timestamp> {
        self.forget_full(now);
        let limits = self.limits;
        let mut ready = now;
        for gate in gates {
            let bucket = self.buckets.entry(gate.clone()).or_insert_with(|| fresh(limits, gate, now));
            ready = ready.max(bucket.ready_at(lane, now));
        }
        if ready > now {
            return Err(ready);
        }
        for gate in gates {
            if let Some(bucket) = self.buckets.get_mut(gate) {
                bucket.take(now);
            }
        }
        Ok(())
    }

    /// Lets nothing through these gates before `until`: the other side asked for the rest.
    pub fn hold(&mut self, gates: &[Gate], until: Timestamp, now: Timestamp) {
        let limits = self.limits;
        for gate in gates {
            let bucket = self.buckets.entry(gate.clone()).or_insert_with(|| fresh(limits, gate, now));
            bucket.held_until = bucket.held_until.max(until);
        }
    }

    /// A full bucket and none are the same.
    fn forget_full(&mut self, now: Timestamp) {
        if self.buckets.len() > BUCKETS_MAX {
            self.buckets.retain(|_, bucket| bucket.level_at(now) < bucket.capacity || bucket.held_until > now);
        }
    }
}

fn fresh(limits: Limits, gate: &Gate, now: Timestamp) -> Bucket {
    let second = Span::from_secs(1);
    let minute = Span::from_mins(1);
    match gate {
        Gate::ApiSecond(_) => Bucket::strict(i64::from(limits.api_per_second), second, now),
        Gate::ApiMinute(_) => Bucket::strict(i64::from(limits.api_per_minute), minute, now),
        // Two thirds at once: 3 a second are never more than the 5 that the platform lets all bots of a chat have.
        Gate::Chat(_) => {
            let rate = i64::from(limits.chat_per_second);
            Bucket::new((rate * 2 + 2) / 3, rate, second, now)
        }
        Gate::Message(_) => Bucket::strict(PATCHES_PER_SECOND, second, now),
        Gate::WebhookSecond(_) => Bucket::strict(WEBHOOK_PER_SECOND, second, now),
        Gate::WebhookMinute(_) => Bucket::strict(WEBHOOK_PER_MINUTE, minute, now),
        Gate::WecomMinute(_) => Bucket::strict(WECOM_PER_MINUTE, minute, now),
        Gate::HttpSecond(_, most) => Bucket::strict(i64::from(*most), second, now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    fn sent_in(lane: Lane, span: Span) -> usize {
        let mut budgets = Budgets::new(Limits { chat_per_second: 3, api_per_second: 50, api_per_minute: 1_000 });
        let gates = [Gate::Chat(ChatId::from("oc_a")), Gate::ApiSecond(Api::Create), Gate::ApiMinute(Api::Create)];
        let end = START.plus(span);
        let (mut now, mut sent) = (START, 0);
        while now < end {
            match budgets.take(&gates, lane, now) {
                Ok(()) => sent += 1,
                Err(at) => {
                    assert!(at > now, "waiting must end");
                    now = at;
                }
            }
        }
        sent
    }

    #[test]
    fn a_chat_gets_its_rate_and_a_burst_of_one_second() {
        for lane in [Lane::Answers, Lane::Updates] {
            let sent = sent_in(lane, Span::from_secs(10));
            assert!((3 * 10..=3 * 10 + 3).contains(&sent), "{lane:?}: {sent}");
        }
    }

    #[test]
    fn no_window_holds_more_than_the_platform_lets_through() {
        let table = [
            (Gate::Chat(ChatId::from("oc_a")), Span::from_secs(1), 5),
            (Gate::ApiSecond(Api::Create), Span::from_secs(1), 50),
            (Gate::ApiMinute(Api::Create), Span::from_mins(1), 1_000),
            (Gate::Message(MessageId::from("om_a")), Span::from_secs(1), 5),
            (Gate::WebhookSecond(ReceiverName::from("bot")), Span::from_secs(1), 5),
            (Gate::WebhookMinute(ReceiverName::from("bot")), Span::from_mins(1), 100),
            (Gate::WecomMinute(ReceiverName::from("bot")), Span::from_mins(1), 20),
            (Gate::HttpSecond(ReceiverName::from("pager"), 10), Span::from_secs(1), 10),
        ];
        for (gate, window, most) in table {
            let mut budgets = Budgets::new(Limits::default());
            let (mut now, mut sent) = (START, Vec::new());
            while now < START.plus(window.times(3)) {
                match budgets.take(std::slice::from_ref(&gate), Lane::Answers, now) {
                    Ok(()) => sent.push(now),
                    Err(at) => now = at,
                }
            }
            let within = |from: &Timestamp| sent.iter().filter(|at| (*from..from.plus(window)).contains(at)).count();
            let busiest = sent.iter().map(within).max().unwrap_or(0);
            assert!((most / 2..=most).contains(&busiest), "{gate:?}: {busiest} in a window, {most} allowed");
        }
    }

    #[test]
    fn the_last_fifth_is_kept_for_the_first_lanes() {
        let mut budgets = Budgets::new(Limits { chat_per_second: 10, api_per_second: 50, api_per_minute: 1_000 });
        let gates = [Gate::Chat(ChatId::from("oc_a"))];
        let take =
            |budgets: &mut Budgets, lane| (0..20).take_while(|_| budgets.take(&gates, lane, START).is_ok()).count();
        assert_eq!(take(&mut budgets, Lane::Alerts), 5);
        assert_eq!(take(&mut budgets, Lane::Critical), 2);
    }

    #[test]
    fn a_rest_that_was_asked_for_holds_every_lane() {
        let mut budgets = Budgets::new(Limits::default());
        let gates = [Gate::HttpSecond(ReceiverName::from("pager"), 100)];
        let until = START.plus(Span::from_secs(30));
        budgets.hold(&gates, until, START);
        budgets.hold(&gates, START.plus(Span::from_secs(5)), START);
        assert_eq!(budgets.take(&gates, Lane::Critical, START), Err(until));
        budgets.take(&gates, Lane::Alerts, until).expect("the rest is over");
    }

    #[test]
    fn nothing_is_taken_unless_every_gate_is_open() {
        let mut budgets = Budgets::new(Limits { chat_per_second: 1, api_per_second: 10, api_per_minute: 1_000 });
        let both = |chat: &str| [Gate::ApiSecond(Api::Create), Gate::Chat(ChatId::from(chat))];
        budgets.take(&both("oc_a"), Lane::Answers, START).unwrap();
        assert!(budgets.take(&both("oc_a"), Lane::Answers, START).is_err());
        budgets.take(&both("oc_b"), Lane::Answers, START).expect("the refused send took no token of the API");
    }
}
