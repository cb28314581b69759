//! Storms: too many alerts of one rule for one receiver at once become one living digest.
//!
//! Up to `above` alerts within `within` ring one by one; the next opens a digest, and all that follow join it until
//! none came for `calm_for`. Critical alerts are counted by themselves and have a digest of their own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::domain::{
    alert::{Alert, Announced},
    desk::{
        digests::digest_key,
        machine::Desk,
        members::{told_in, told_of_beginning},
        settings::StormSettings,
        state::{CardKey, CardShows, Digest, Lane},
    },
    duration::written,
    id::{ReceiverName, RuleName, Subject},
    notice::{self, DigestCause},
    rule::Severity,
    text::Message,
    time::{Span, Timestamp},
};

/// A storm that never calms begins a new digest after this long: a card can be updated for 14 days only
/// (`facts/feishu.md §3.3`), and the endings must still fit.
const STORM_LASTS_MAX: Span = Span::from_days(7);

/// Windows kept before those that saw nothing lately are forgotten.
const WINDOWS_MAX: usize = 4_096;

/// Which beginnings are counted together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Front {
    receiver: ReceiverName,
    /// As it is called today.
    rule: RuleName,
    critical: bool,
    /// What is told: that alerts begin, or of those that were told before.
    cause: DigestCause,
}

/// The latest beginnings that were told one by one.
#[derive(Debug, Default)]
struct Window(VecDeque<Timestamp>);

impl Window {
    /// Takes a beginning in, unless it is one too many.
    fn admits(&mut self, storm: &StormSettings, now: Timestamp) -> bool {
        self.let_go(storm, now);
        let room = usize::try_from(storm.above).is_ok_and(|above| self.0.len() < above);
        if room {
            self.0.push_back(now);
        }
        room
    }

    fn let_go(&mut self, storm: &StormSettings, now: Timestamp) {
        let since = now.minus(storm.within);
        while self.0.front().is_some_and(|at| *at <= since) {
            self.0.pop_front();
        }
    }
}

/// What is known of storms besides the digests.
#[derive(Debug, Default)]
pub(super) struct Storms {
    windows: BTreeMap<Front, Window>,
    /// The digest that is open, by its number.
    open: BTreeMap<Front, u32>,
    /// When each open one is looked at again: it may be calm by then.
    calm: BTreeSet<(Timestamp, Front)>,
    /// When a digest's card was last posted or updated; unknown after a start.
    shown_at: BTreeMap<CardKey, Timestamp>,
}

impl Storms {
    /// When a tick must look for storms that are over.
    pub(super) fn next_due(&self) -> Timestamp {
        self.calm.first().map_or(Timestamp::NEVER, |(at, _)| *at)
    }

    /// Whether too many alerts of a rule came at once somewhere, and others may join them still.
    pub(super) fn rages(&self, rule: &RuleName) -> bool {
        self.open.keys().any(|front| front.rule == *rule)
    }

    /// Nothing waits for an instant of a time that did not happen.
    pub(super) fn rewind(&mut self, now: Timestamp) {
        for window in self.windows.values_mut() {
            window.0.iter_mut().for_each(|at| *at = (*at).min(now));
        }
        self.shown_at.values_mut().for_each(|at| *at = (*at).min(now));
        self.calm = std::mem::take(&mut self.calm).into_iter().map(|(at, front)| (at.min(now), front)).collect();
    }

    /// A card was posted or updated now; a digest's is updated only so often.
    pub(super) fn shown(&mut self, card: &CardKey, now: Timestamp) {
        if matches!(card.shows, CardShows::Digest(..)) {
            self.shown_at.insert(card.clone(), now);
        }
    }

    pub(super) fn forget_card(&mut self, card: &CardKey) {
        self.shown_at.remove(card);
    }
}

impl Desk {
    /// An alert begins, and a receiver is to be told: the number of the digest that tells it, where there are too many
    /// at once.
    pub(super) fn storm_takes(
        &mut self,
        rule: &RuleName,
        alert: &Alert,
        receiver: &ReceiverName,
        now: Timestamp,
    ) -> Option<u32> {
        let storm = self.settings.storm?;
        if self.hushed(alert, receiver, now).is_some() {
            return None; // it is held back by itself, and told when nothing holds it back any more
        }
        self.gather((DigestCause::Storm, rule, receiver), alert, false, &storm, now)
    }

    /// The number of the digest that tells of an alert where there are too many at once, or where it was told
    /// `together` with others before and stays so.
    pub(super) fn gather(
        &mut self,
        (cause, rule, receiver): (DigestCause, &RuleName, &ReceiverName),
        alert: &Alert,
        together: bool,
        storm: &StormSettings,
        now: Timestamp,
    ) -> Option<u32> {
        let critical = alert.severity == Severity::Critical;
        let front = Front { receiver: receiver.clone(), rule: rule.clone(), critical, cause };
        let mut is_full = false;
        if let Some(number) = self.open_storm(&front) {
            let of = Subject::Receiver(receiver.clone());
            let is_calm = self.calm_at(&front.receiver, number, storm) <= now;
            is_full = !is_calm && cause.tells_again() && self.shows_no_more(&of, number, receiver);
            if is_calm {
                self.close_storm(&front, now); // it was calm, and nobody looked yet
            } else if is_full || told_in(alert, &of, number).next().is_some() {
                self.close_for_the_next(&front, now); // it told of this one: what comes now is news again
            } else {
                self.join_storm(alert, &front, number, now, now);
                return Some(number);
            }
        }
        if self.storms.windows.len() > WINDOWS_MAX {
            self.storms.windows.values_mut().for_each(|window| window.let_go(storm, now));
            self.storms.windows.retain(|_, window| !window.0.is_empty());
        }
        if !together && !is_full && self.storms.windows.entry(front.clone()).or_default().admits(storm, now) {
            return None;
        }
        let number = self.begin_storm(&front, storm, now);
        // Nothing is added to it once it is sent: it waits for those that come soon.
        let not_before = if is_full { now.plus(storm.refresh) } else { now };
        self.join_storm(alert, &front, number, not_before, now);
        Some(number)
    }

    fn open_storm(&self, front: &Front) -> Option<u32> {
        self.storms.open.get(front).copied()
    }

    /// The digest that alerts like this one join now.
    pub(super) fn open_gathering(&self, cause: DigestCause, alert: &Alert, receiver: &ReceiverName) -> Option<u32> {
        let (rule, critical) = (self.rule_called(alert).clone(), alert.severity == Severity::Critical);
        self.open_storm(&Front { receiver: receiver.clone(), rule, critical, cause })
    }

    fn begin_storm(&mut self, front: &Front, storm: &StormSettings, now: Timestamp) -> u32 {
        let of = Subject::Receiver(front.receiver.clone());
        let number = self.next_receiver_digest(&of, now);
        let (above, within) = (storm.above, written(storm.within));
        let (receiver, words) = (&front.receiver, front.cause.words());
        let note = match front.cause {
            DigestCause::Storm => Message::new(
                format!("{within} 内超过 {above} 条，合为一条汇总发给 {receiver}"),
                format!("more than {above} within {within}: told {receiver} as one digest"),
            ),
            _ => Message::new(
                format!("{}，合为一条汇总发给 {receiver}", words.zh),
                format!("{}: told {receiver} as one digest", words.en),
            ),
        };
        self.journal(now, (&of, Some(&front.rule), number), "digest", note);
        self.put_digest(Digest {
            of,
            number,
            cause: front.cause,
            rule: Some(front.rule.clone()),
            critical: front.critical,
            began_at: now,
            joined_at: now,
            closed_at: None,
            receivers: vec![front.receiver.clone()],
            hops: Vec::new(),
            rev: 0,
            joined_rev: 0,
        });
        self.storms.open.insert(front.clone(), number);
        self.storms.calm.insert((now.plus(storm.calm_for), front.clone()));
        number
    }

    /// Whether a digest was sent, or is on its way, where nothing can be added to what was sent.
    fn shows_no_more(&self, of: &Subject, number: u32, receiver: &ReceiverName) -> bool {
        let to = self.told_instead(of, number, receiver);
        let key = digest_key(of, number, notice::Step::Digest, &to);
        if self.outbox.contains(&key) {
            let can_patch = self.settings.receiver(&to).is_some_and(|known| known.kind.can_patch());
            return self.outbox.is_in_flight(&key) && !can_patch;
        }
        self.card_for(&key).is_some_and(|card| card.message.is_none())
    }

    /// Whom a digest tells in a receiver's place, where it was refused there; else the receiver.
    fn told_instead(&self, of: &Subject, number: u32, receiver: &ReceiverName) -> ReceiverName {
        let hops = self.digests.get(&(of.clone(), number)).map(|digest| digest.hops.as_slice()).unwrap_or_default();
        hops.iter().find(|(from, _)| from == receiver).map_or(receiver, |(_, to)| to).clone()
    }

    fn join_storm(&mut self, alert: &Alert, front: &Front, number: u32, not_before: Timestamp, now: Timestamp) {
        let of = Subject::Receiver(front.receiver.clone());
        self.counters.digested += 1;
        let reference = digest_key(&of, number, notice::Step::Digest, &front.receiver).reference();
        let words = front.cause.words();
        let note = Message::new(
            format!("{}，并入发给 {} 的汇总 #{reference}", words.zh, front.receiver),
            format!("{}: goes to {} in digest #{reference}", words.en, front.receiver),
        );
        self.journal(now, (&alert.key.subject, Some(&alert.key.rule), alert.episode), "digest", note);
        let joins = |digest: &mut Digest| (digest.joined_at, digest.joined_rev) = (now, digest.rev + 1);
        self.change_digest(&of, number, joins, now);
        let receiver = self.told_instead(&of, number, &front.receiver);
        let card = CardKey { shows: CardShows::Digest(of.clone(), number), receiver };
        if !self.cards.contains_key(&card) {
            // The first time, and after all that was to be told had ended before it was sent.
            let calls = front.critical || front.cause == DigestCause::Escalations;
            let lane = if calls { Lane::Critical } else { Lane::Updates };
            let key = digest_key(&of, number, notice::Step::Digest, &card.receiver);
            self.enqueue_for(key, lane, None, not_before, now);
        }
    }

    /// When a storm is over, if nothing joins it before.
    fn calm_at(&self, receiver: &ReceiverName, number: u32, storm: &StormSettings) -> Timestamp {
        let digest = self.digests.get(&(Subject::Receiver(receiver.clone()), number));
        digest.map_or(Timestamp::MIN, |digest| {
            digest.joined_at.plus(storm.calm_for).min(digest.began_at.plus(STORM_LASTS_MAX))
        })
    }

    /// Nothing joins it any more; what begins from now on is counted anew.
    fn close_storm(&mut self, front: &Front, now: Timestamp) {
        self.storms.windows.remove(front);
        let note = Message::new("没有新的提醒，汇总不再加入", "no more alerts came: nothing joins the digest any more");
        self.close_gathering(front, note, now);
    }

    /// What it told of is told again, by the next one: what rang one by one still counts.
    fn close_for_the_next(&mut self, front: &Front, now: Timestamp) {
        let note =
            Message::new("又到再次告知的时候，另发一条汇总", "it is time to tell of them again, by another digest");
        self.close_gathering(front, note, now);
    }

    fn close_gathering(&mut self, front: &Front, note: Message, now: Timestamp) {
        let Some(number) = self.storms.open.remove(front) else { return };
        let of = Subject::Receiver(front.receiver.clone());
        if !self.digests.contains_key(&(of.clone(), number)) {
            return; // it was held back before it was told
        }
        self.journal(now, (&of, Some(&front.rule), number), "digest_closed", note);
        self.change_digest(&of, number, |digest| digest.closed_at = Some(now), now);
    }

    /// Closes the storms that are calm.
    pub(super) fn close_calm_storms(&mut self, now: Timestamp) {
        let storm = self.settings.storm.unwrap_or_default();
        while self.storms.next_due() <= now {
            let Some((_, front)) = self.storms.calm.pop_first() else { return };
            let Some(number) = self.open_storm(&front) else { continue };
            match self.calm_at(&front.receiver, number, &storm) {
                calm_at if calm_at > now => drop(self.storms.calm.insert((calm_at, front))),
                _ => self.close_storm(&front, now),
            }
        }
    }

    /// Takes up what the digests and alerts say of storms: at a start, and when rules have other names.
    pub(super) fn begin_storms(&mut self, now: Timestamp) {
        self.storms = Storms { shown_at: std::mem::take(&mut self.storms.shown_at), ..Storms::default() };
        let mut closed: BTreeMap<Front, Timestamp> = BTreeMap::new();
        let mut stale = Vec::new();
        for (place, digest) in &self.digests {
            let Some(front) = self.front_of(digest).filter(|_| digest.cause.gathers()) else { continue };
            match digest.closed_at {
                Some(at) => drop(closed.insert(front, at)),
                // Storms are off now, or two rules became one.
                None if self.settings.storm.is_none() => stale.push(place.clone()),
                None => {
                    let before = self.storms.open.insert(front, digest.number);
                    stale.extend(before.map(|number| (digest.of.clone(), number)));
                }
            }
        }
        self.storms.calm = self.storms.open.keys().map(|front| (now, front.clone())).collect();
        for (of, number) in stale {
            self.change_digest(&of, number, |digest| digest.closed_at = Some(now), now);
        }
        let Some(storm) = self.settings.storm else { return };
        let mut begun: Vec<(Timestamp, Front)> = Vec::new();
        let since = now.minus(storm.within);
        for alert in self.alerts.values().flatten().filter(|alert| alert.announced == Announced::Cards) {
            let Some(fired_at) = alert.fired_at().filter(|at| *at > since) else { continue };
            let (rule, critical) = (self.rule_called(alert), alert.severity == Severity::Critical);
            for line in told_of_beginning(alert) {
                let cause = DigestCause::Storm;
                let front = Front { receiver: line.receiver.clone(), rule: rule.clone(), critical, cause };
                let counts =
                    line.digest.is_none() && !line.held && closed.get(&front).is_none_or(|over| fired_at > *over);
                if counts {
                    begun.push((fired_at, front));
                }
            }
        }
        begun.sort();
        for (at, front) in begun {
            self.storms.windows.entry(front).or_default().admits(&storm, at);
        }
    }

    /// What a storm's digest is of.
    fn front_of(&self, digest: &Digest) -> Option<Front> {
        let (Subject::Receiver(receiver), Some(rule)) = (&digest.of, &digest.rule) else { return None };
        let rule = self.rule_named(rule).map_or(rule, |rule| &rule.name);
        let (critical, cause) = (digest.critical, digest.cause);
        Some(Front { receiver: receiver.clone(), rule: rule.clone(), critical, cause })
    }

    /// A card may not be updated before this instant: a storm's only so often.
    pub(super) fn update_not_before(&self, card: &CardKey, now: Timestamp) -> Timestamp {
        let CardShows::Digest(of, number) = &card.shows else { return now };
        let storms = self.digests.get(&(of.clone(), *number)).is_some_and(|digest| digest.cause.gathers());
        if !storms {
            return now;
        }
        let shown_at = self.storms.shown_at.get(card).copied().unwrap_or(now);
        shown_at.plus(self.settings.storm.unwrap_or_default().refresh).max(now)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{
        alert::{AlertKey, AlertState, Line, LineOf},
        condition::Condition,
        desk::{settings::Settings, state::Stored},
        rule::{Rule, RuleSet},
    };

    const STORM: StormSettings = StormSettings {
        above: 3,
        within: Span::from_mins(10),
        calm_for: Span::from_mins(15),
        refresh: Span::from_mins(1),
    };

    const START: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    fn firing(number: u32, minutes: i64, digest: Option<u32>) -> Alert {
        let subject = Subject::Group(format!("group {number}").as_str().into());
        let key = AlertKey { subject, rule: "bad".into() };
        let line = Line { digest, ..Line::new("support".into(), LineOf::Notify(0)) };
        Alert {
            episode: 1,
            state: AlertState::Firing { fired_at: START.plus(Span::from_mins(minutes)), stale_as_of: None },
            announced: Announced::Cards,
            lines: vec![line],
            ..Alert::pending(key, START)
        }
    }

    fn desk(alerts: Vec<Alert>, digests: Vec<Digest>) -> Desk {
        let settings = Settings { storm: Some(STORM), ..Settings::bare() };
        let rule = Rule::new(RuleName::from("bad"), Condition::All(Vec::new()));
        let rules = RuleSet { rules: BTreeMap::from([(rule.name.clone(), rule)]) };
        let mut desk = Desk::open(Stored::default(), Arc::new(rules), settings, START).0;
        for alert in alerts {
            desk.put_alert(alert);
        }
        digests.into_iter().for_each(|digest| desk.put_digest(digest));
        desk.begin_storms(START.plus(Span::from_mins(5)));
        desk
    }

    fn open_digest(number: u32) -> Digest {
        Digest {
            of: Subject::Receiver("support".into()),
            number,
            cause: DigestCause::Storm,
            rule: Some("bad".into()),
            critical: false,
            began_at: START,
            joined_at: START,
            closed_at: None,
            receivers: vec!["support".into()],
            hops: Vec::new(),
            rev: 1,
            joined_rev: 1,
        }
    }

    fn begins(desk: &mut Desk, number: u32, minutes: i64) -> Option<u32> {
        let now = START.plus(Span::from_mins(minutes));
        desk.storm_takes(&"bad".into(), &firing(number, minutes, None), &"support".into(), now)
    }

    #[test]
    fn a_start_finds_windows_and_storms_again() {
        let mut full = desk((0..3).map(|number| firing(number, 0, None)).collect(), Vec::new());
        assert!(begins(&mut full, 4, 6).is_some(), "three rang before the start");
        let mut past = desk((0..3).map(|number| firing(number, 0, None)).collect(), Vec::new());
        assert_eq!(begins(&mut past, 4, 10), None, "they rang too long ago");
        let mut open = desk(Vec::new(), vec![open_digest(7)]);
        assert_eq!(begins(&mut open, 1, 14), Some(7), "it goes on");
        let mut calm = desk(Vec::new(), vec![open_digest(7)]);
        assert_eq!(begins(&mut calm, 1, 15), None, "nothing came for a quarter of an hour");
        let over = Digest { closed_at: Some(START.plus(Span::from_mins(1))), ..open_digest(7) };
        let mut anew = desk((0..3).map(|number| firing(number, 0, None)).collect(), vec![over]);
        assert_eq!(begins(&mut anew, 4, 6), None, "after a storm it is counted anew");
    }

    #[test]
    fn another_receiver_rule_or_severity_is_another_matter() {
        let mut desk = desk((0..3).map(|number| firing(number, 0, None)).collect(), Vec::new());
        let now = START.plus(Span::from_mins(6));
        let critical = Alert { severity: Severity::Critical, ..firing(5, 6, None) };
        assert_eq!(desk.storm_takes(&"bad".into(), &critical, &"support".into(), now), None);
        assert_eq!(desk.storm_takes(&"bad".into(), &firing(6, 6, None), &"leads".into(), now), None);
        assert_eq!(desk.storm_takes(&"other".into(), &firing(7, 6, None), &"support".into(), now), None);
        assert!(desk.storm_takes(&"bad".into(), &firing(8, 6, None), &"support".into(), now).is_some());
    }

    #[test]
    fn a_storm_without_end_begins_a_new_digest_after_a_week() {
        let mut desk = desk(Vec::new(), vec![open_digest(7)]);
        let week = STORM_LASTS_MAX.as_ms() / Span::from_mins(1).as_ms();
        let numbers = (1..week + 60).map(|minutes| begins(&mut desk, 1, minutes));
        let last = numbers.filter(|number| *number == Some(7)).count();
        assert_eq!(i64::try_from(last).unwrap(), week - 1);
    }

    #[test]
    fn a_window_holds_as_many_as_may_ring_one_by_one() {
        // Instants in minutes, and at which of them one is too many.
        let table: [(&[i64], &[i64]); 6] = [
            (&[0, 0, 0], &[]),
            (&[0, 0, 0, 0, 0], &[0, 0]),
            (&[0, 1, 2, 9], &[9]),
            (&[0, 1, 2, 10], &[]),
            (&[0, 4, 8, 12, 16, 20], &[]),
            (&[0, 4, 8, 9, 12, 13], &[9, 13]),
        ];
        for (begun, expected) in table {
            let mut window = Window::default();
            let at = |minutes: i64| Timestamp::from_ms(1_700_000_000_000).plus(Span::from_mins(minutes));
            let too_many: Vec<i64> =
                begun.iter().copied().filter(|minutes| !window.admits(&STORM, at(*minutes))).collect();
            assert_eq!(too_many, expected, "{begun:?}");
            assert!(window.0.len() <= 3);
        }
    }
}
