//! What a play says about its rules: how often each would have rung, when nobody had acted, what would be too noisy.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{Datelike, NaiveDate, Timelike, Weekday};

use crate::domain::{
    desk::{settings::Settings, state::JournalEntry},
    id::{RuleName, Subject, TicketKey},
    notice::{Content, Step, Target},
    plan::MONTH,
    receiver::ReceiverKind,
    rehearsal::{
        replayable::{Errs, History, Replayable, replayable},
        tune::{FACTORS, tuned},
    },
    replay::{
        played::{Played, Ring, Told},
        script::{Script, What},
        stage::play,
    },
    rule::{Mode, Rule, RuleSet, Severity, Until},
    text::Message,
    ticket::{Known, Ticket},
    time::{Span, Timestamp, Zone},
};

/// An alert on which nobody acted for this long would have been worth it.
pub const ALONE_FOR: Span = Span::from_mins(30);

/// More rings a day than this, on average, are too many of one rule.
pub const NOISY_PER_DAY: usize = 10;

/// More rings on one day than this are too many of one rule.
pub const NOISY_DAY: usize = 40;

/// A rule that rings mostly where people are at it anyway tells them what they know: so many in a hundred …
pub const KNOWN_PERCENT: usize = 60;

/// … acted on within this time …
pub const KNOWN_WITHIN: Span = Span::from_mins(10);

/// … if it rang at least this often.
pub const KNOWN_RINGS_MIN: usize = 20;

/// More alerts of one rule than this …
pub const STORM_ABOVE: usize = 8;

/// … within this time are a storm.
pub const STORM_WITHIN: Span = Span::from_mins(10);

/// Night, in hours of the day, where a rule has no office hours: from here …
const NIGHT_FROM: u32 = 22;

/// … until here.
const NIGHT_UNTIL: u32 = 8;

/// What a play of a time says.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Where the time begins.
    pub from: Timestamp,
    /// Where it ends.
    pub until: Timestamp,
    /// The zone days are counted in.
    pub zone: Zone,
    /// Tickets that were played.
    pub tickets: usize,
    /// Rules that were played, the noisiest first.
    pub rules: Vec<RulePage>,
    /// Rules that history cannot play, and why.
    pub unplayed: Vec<(RuleName, Message)>,
    /// Cards a day, a number for each day.
    pub cards: Vec<usize>,
    /// API calls a month for telling people, as often as in this time.
    pub sends_per_month: u64,
    /// The play was too long and ended here.
    pub cut: Option<Timestamp>,
}

/// What a play says of one rule.
#[derive(Clone, Debug, PartialEq)]
pub struct RulePage {
    /// The rule.
    pub name: RuleName,
    /// How serious it is.
    pub severity: Severity,
    /// It is in trial.
    pub trial: bool,
    /// Which way the numbers err.
    pub errs: Errs,
    /// Why they do.
    pub doubts: Message,
    /// How often it would have rung.
    pub rings: usize,
    /// The same for each day.
    pub days: Vec<usize>,
    /// Rings about open tickets of which it is known whether anyone acted in [`ALONE_FOR`].
    pub judged: usize,
    /// Of those, the ones on which nobody had.
    pub alone: usize,
    /// From a ring to the first act, the middle value of those that were acted on.
    pub acted_after: Option<Span>,
    /// How long it rang, the middle value; nothing where a person must say that it is over.
    pub lasted: Option<Span>,
    /// The one that rang longest.
    pub longest: Option<Example>,
    /// Rings outside its office hours; without any, at night and on weekends.
    pub off_hours: usize,
    /// Storms: more than [`STORM_ABOVE`] within [`STORM_WITHIN`].
    pub storms: usize,
    /// The most rings within [`STORM_WITHIN`].
    pub peak: usize,
    /// Cards that were none, because a storm's digest told of their alerts.
    pub merged: usize,
    /// The digests that did.
    pub digests: usize,
    /// What is too much about it.
    pub noisy: Vec<Noise>,
    /// How often it would ring with other numbers.
    pub proposals: Vec<Proposal>,
}

/// One ring as an example.
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    /// What it is about.
    pub subject: Subject,
    /// When it rang.
    pub at: Timestamp,
    /// For how long.
    pub lasted: Span,
    /// Why.
    pub why: Message,
}

/// What is too much about a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noise {
    /// It rings so often a day, on average.
    PerDay(usize),
    /// It rang so often on one day.
    Day(usize),
    /// So many in a hundred were acted on at once anyway.
    Known(usize),
}

/// The same rule with another number.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// What is changed: `age 30m → 45m`.
    pub change: Message,
    /// How often it rings then.
    pub rings: usize,
}

/// What is played.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// What tickets went through; it may begin before the time that is asked for.
    pub script: &'a Script,
    /// From when rings count: what rang before is no news.
    pub from: Timestamp,
    /// Where the script comes from.
    pub history: History,
}

/// Plays the rules over the script and says what they would have done.
///
/// Rules that are disabled or that this history cannot play are left out of the play. `progress` hears which play it
/// is, of how many, and the virtual time.
pub fn rehearse(
    ask: Ask<'_>,
    rules: &RuleSet,
    settings: &Settings,
    progress: &mut dyn FnMut(usize, usize, Timestamp),
) -> (Page, Played) {
    let script = ask.script;
    let (played_rules, unplayed) = sorted(rules, ask.history);
    let played = rung(ask, rules, settings, &mut |at| progress(0, 1, at));
    let ways = ways(script);
    let days = Days::of(ask.from, script.end, settings.zone);
    let mut pages: Vec<RulePage> = played_rules
        .iter()
        .map(|(rule, found)| of_rule(rule, found, &played, &Around { ways: &ways, days: &days, script }))
        .collect();
    let noisy = pages.iter().filter(|page| !page.noisy.is_empty()).count();
    let mut done = 0;
    for page in pages.iter_mut().filter(|page| !page.noisy.is_empty()) {
        let Some(rule) = rules.rules.get(&page.name) else { continue };
        for turned in FACTORS.iter().filter_map(|factor| tuned(rule, *factor)) {
            let alone = RuleSet { rules: [(rule.name.clone(), turned.rule)].into() };
            let mut heard = |at| progress(1 + done, 1 + noisy * FACTORS.len(), at);
            let again = rung(ask, &alone, settings, &mut heard);
            done += 1;
            page.proposals.push(Proposal { change: turned.change, rings: again.rings.len() });
        }
    }
    pages.sort_by(|one, other| other.rings.cmp(&one.rings).then_with(|| one.name.cmp(&other.name)));
    let page = Page {
        from: ask.from,
        until: script.end,
        zone: settings.zone,
        tickets: ways.len(),
        rules: pages,
        unplayed: unplayed.into_iter().map(|(rule, found)| (rule.name.clone(), found.reasons())).collect(),
        cards: days.count(
            played.told.iter().filter(|told| is_card(&told.send.target, told.send.key.step)).map(|told| told.at),
        ),
        sends_per_month: per_month(calls(&played, settings), script.end.since(ask.from)),
        cut: played.cut,
    };
    (page, played)
}

/// Whether people see a new message: patches change cards that stand there already.
fn is_card(target: &Target, step: Step) -> bool {
    step != Step::Trouble && matches!(target, Target::Post(_) | Target::Reply(_))
}

/// Rules with what can be replayed of them.
type Judged<'a> = Vec<(&'a Rule, Replayable)>;

/// Rules that history can play, and those that it cannot; what is disabled is neither.
fn sorted(rules: &RuleSet, history: History) -> (Judged<'_>, Judged<'_>) {
    let judged = rules.rules.values().filter(|rule| rule.mode != Mode::Disabled);
    judged.map(|rule| (rule, replayable(rule, history))).partition(|(_, found)| found.is_played())
}

/// Only plays the rules: what rang and was told from `ask.from` on.
pub fn rung(ask: Ask<'_>, rules: &RuleSet, settings: &Settings, progress: &mut dyn FnMut(Timestamp)) -> Played {
    let (playable, _) = sorted(rules, ask.history);
    let set = RuleSet { rules: playable.into_iter().map(|(rule, _)| (rule.name.clone(), rule.clone())).collect() };
    let mut played = play(ask.script, Arc::new(set), settings.clone(), progress);
    count_from(&mut played, ask.from);
    played
}

/// Leaves out what rang and was told before.
fn count_from(played: &mut Played, from: Timestamp) {
    played.rings.retain(|ring| ring.fired_at >= from);
    played.told.retain(|told| told.at >= from);
    played.journal.retain(|entry| entry.at >= from);
}

/// API calls that telling took; custom bots take none (`facts/feishu.md §14`).
fn calls(played: &Played, settings: &Settings) -> usize {
    let is_call = |name| settings.receiver(name).is_none_or(|receiver| receiver.kind != ReceiverKind::Webhook);
    played.told.iter().filter(|told| is_call(&told.send.key.receiver)).count()
}

fn per_month(count: usize, took: Span) -> u64 {
    let took = took.as_ms().max(1).unsigned_abs();
    (count as u64).saturating_mul(MONTH.as_ms().unsigned_abs()) / took
}

/// What each ticket went through, oldest first.
type Ways<'a> = BTreeMap<&'a TicketKey, Vec<(Timestamp, &'a Ticket)>>;

fn ways(script: &Script) -> Ways<'_> {
    let mut ways = Ways::new();
    for sight in &script.sights {
        if let What::Ticket(ticket) = &sight.what {
            ways.entry(&sight.key).or_default().push((sight.at, ticket));
        }
    }
    ways
}

/// What is looked at besides the play.
struct Around<'a> {
    ways: &'a Ways<'a>,
    days: &'a Days,
    script: &'a Script,
}

fn of_rule(rule: &Rule, found: &Replayable, played: &Played, around: &Around<'_>) -> RulePage {
    let rings: Vec<&Ring> = played.rings.iter().filter(|ring| ring.rule == rule.name).collect();
    let end = around.script.end;
    let lasted = |ring: &Ring| ring.ended.map_or(end, |(at, _)| at).since(ring.fired_at);
    let mut known = Vec::new(); // for each ring about a ticket: after how long someone acted
    for ring in &rings {
        if let Some(way) = ring.subject.ticket().and_then(|key| around.ways.get(key)) {
            if was_closed(way, ring.fired_at) {
                continue; // what is done about a closed ticket leaves no trace on it
            }
            let acted = acted_at(way, ring.fired_at).map(|at| at.since(ring.fired_at));
            if acted.is_some() || end.since(ring.fired_at) > ALONE_FOR {
                known.push(acted);
            }
        }
    }
    // Nobody is there to say that it is handled.
    let ends = !matches!(rule.until, Until::Handled);
    let longest = rings.iter().filter(|_| ends).max_by_key(|ring| lasted(ring)).map(|ring| Example {
        subject: ring.subject.clone(),
        at: ring.fired_at,
        lasted: lasted(ring),
        why: ring.why.clone(),
    });
    let fired: Vec<Timestamp> = rings.iter().map(|ring| ring.fired_at).collect();
    let days = around.days.count(fired.iter().copied());
    let (storms, peak) = storms(&fired);
    let (merged, digests) = merged(rule, played);
    RulePage {
        name: rule.name.clone(),
        severity: rule.severity,
        trial: matches!(rule.mode, Mode::Trial(_)),
        errs: found.errs(),
        doubts: found.reasons(),
        rings: rings.len(),
        judged: known.len(),
        alone: known.iter().filter(|acted| acted.is_none_or(|after| after > ALONE_FOR)).count(),
        acted_after: middle(known.iter().copied().flatten().collect()),
        lasted: middle(rings.iter().filter(|_| ends).map(|ring| lasted(ring)).collect()),
        longest,
        off_hours: fired.iter().filter(|at| is_off(rule, **at, around.days.zone)).count(),
        storms,
        peak,
        merged,
        digests,
        noisy: noise(&days, &known),
        days,
        proposals: Vec::new(),
    }
}

/// When someone first acted on a ticket after an instant: a reply, another status or owner, closing.
fn acted_at(way: &[(Timestamp, &Ticket)], after: Timestamp) -> Option<Timestamp> {
    let next = way.partition_point(|(at, _)| *at <= after);
    let (_, then) = way.get(next.checked_sub(1)?)?;
    way.iter().skip(next).find(|(_, now)| is_act(then, now)).map(|(at, _)| *at)
}

fn was_closed(way: &[(Timestamp, &Ticket)], at: Timestamp) -> bool {
    let next = way.partition_point(|(seen, _)| *seen <= at);
    next.checked_sub(1).and_then(|last| way.get(last)).is_some_and(|(_, ticket)| ticket.is_closed() == Some(true))
}

fn is_act(then: &Ticket, now: &Ticket) -> bool {
    let owner = |ticket: &Ticket| match &ticket.agent_owner {
        Known::Present(person) => Known::Present(person.id.clone()),
        Known::Empty => Known::Empty,
        Known::Unknown => Known::Unknown,
    };
    is_other(&then.status, &now.status)
        || is_other(&owner(then), &owner(now))
        || is_other(&then.agent_last_response_time, &now.agent_last_response_time)
}

/// Whether a value is surely another one.
fn is_other<T: PartialEq>(then: &Known<T>, now: &Known<T>) -> bool {
    !then.is_unknown() && !now.is_unknown() && then != now
}

fn is_off(rule: &Rule, at: Timestamp, zone: Zone) -> bool {
    if let Some(calendar) = rule.pace.calendar() {
        return !calendar.is_open(at);
    }
    let local = zone.local(at);
    matches!(local.weekday(), Weekday::Sat | Weekday::Sun) || !(NIGHT_UNTIL..NIGHT_FROM).contains(&local.hour())
}

/// How many storms there were, and the most rings within the time of one.
fn storms(fired: &[Timestamp]) -> (usize, usize) {
    let (mut storms, mut peak, mut first, mut inside) = (0, 0, 0, false);
    for (last, at) in fired.iter().enumerate() {
        while fired.get(first).is_some_and(|began| at.since(*began) > STORM_WITHIN) {
            first += 1;
        }
        let within = last + 1 - first;
        peak = peak.max(within);
        let is_storm = within > STORM_ABOVE;
        storms += usize::from(is_storm && !inside);
        inside = is_storm || (inside && within > 1);
    }
    (storms, peak)
}

/// How many cards of a rule storms made into how many digests.
fn merged(rule: &Rule, played: &Played) -> (usize, usize) {
    // Each alert that joins is noted, and the digest itself when it begins.
    let joined = |entry: &&JournalEntry| {
        let is_digest = matches!(entry.subject, Subject::Receiver(_) | Subject::Source(_));
        entry.what == "digest" && !is_digest && entry.rule.as_ref() == Some(&rule.name)
    };
    let is_digest = |told: &&Told| match &told.send.content {
        Content::Digest(view) => view.cause.gathers() && view.rule.as_ref() == Some(&rule.name),
        _ => false,
    };
    let posted = |told: &&Told| is_card(&told.send.target, told.send.key.step);
    let digests = played.told.iter().filter(is_digest).filter(posted).count();
    (played.journal.iter().filter(joined).count(), digests)
}

fn noise(days: &[usize], known: &[Option<Span>]) -> Vec<Noise> {
    let rings: usize = days.iter().sum();
    let per_day = rings.div_ceil(days.len().max(1));
    let most = days.iter().copied().max().unwrap_or_default();
    let at_once = known.iter().filter(|acted| acted.is_some_and(|after| after <= KNOWN_WITHIN)).count();
    let percent = at_once * 100 / known.len().max(1);
    let mut noisy = Vec::new();
    noisy.extend((per_day > NOISY_PER_DAY).then_some(Noise::PerDay(per_day)));
    noisy.extend((most > NOISY_DAY).then_some(Noise::Day(most)));
    noisy.extend((known.len() >= KNOWN_RINGS_MIN && percent >= KNOWN_PERCENT).then_some(Noise::Known(percent)));
    noisy
}

/// The middle value; of an even number the later of the two.
fn middle(mut spans: Vec<Span>) -> Option<Span> {
    spans.sort_unstable();
    spans.get(spans.len() / 2).copied()
}

/// The days of a time, where people are.
struct Days {
    first: NaiveDate,
    count: usize,
    zone: Zone,
}

impl Days {
    fn of(from: Timestamp, until: Timestamp, zone: Zone) -> Self {
        let first = zone.local(from).date_naive();
        let last = zone.local(until).date_naive();
        let count = usize::try_from((last - first).num_days()).unwrap_or_default() + 1;
        Self { first, count, zone }
    }

    /// How many of these instants fall on each day.
    fn count(&self, instants: impl Iterator<Item = Timestamp>) -> Vec<usize> {
        let mut counts = vec![0; self.count];
        for at in instants {
            let day = (self.zone.local(at).date_naive() - self.first).num_days();
            if let Some(count) = usize::try_from(day).ok().and_then(|day| counts.get_mut(day)) {
                *count += 1;
            }
        }
        counts
    }
}

impl Page {
    /// The date of a day by its place, `11-20`.
    pub fn date(&self, day: usize) -> String {
        let first = self.zone.local(self.from).date_naive();
        let date = first.checked_add_days(chrono::Days::new(day as u64)).unwrap_or(first);
        date.format("%m-%d").to_string()
    }

    /// The day with most of these, and how many.
    pub fn most(&self, days: &[usize]) -> Option<(String, usize)> {
        let (day, most) = days.iter().enumerate().max_by_key(|(day, count)| (**count, std::cmp::Reverse(*day)))?;
        (*most > 0).then(|| (self.date(day), *most))
    }
}

#[cfg(test)]
pub(super) mod tests;
