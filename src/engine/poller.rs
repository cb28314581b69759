//! Reads one source: waits for its schedule and for the month's calls, asks what a pass wants, hands the pages on. One
//! pass at a time, so one increment at a time; what a pass is, `domain::reading` knows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;
use tokio::sync::Notify;
use tracing::{debug, info, warn};

use crate::{
    adapters::{
        clock::Clock,
        feishu::{
            error::{Advice, Error},
            page::RawPage,
        },
    },
    domain::{
        desk::input::{Input, PassEnded, PassFailure, PassKind},
        plan::{Load, Stretch},
        reading::{
            pass::{Next, PageSeen, Pass, Query},
            scope::SweepScope,
        },
        rule::RuleSet,
        text::Message,
        time::{Span, Timestamp, Zone},
    },
    engine::{
        busy::{Busy, BusyGuard},
        doors::{Doors, FromPoller, RawPageIn},
        health::{self, Health},
        meter::Meter,
        schedule::Schedule,
        source::SourcePart,
    },
};

/// How often one page is asked for before the pass fails.
pub const PAGE_TRIES_MAX: u32 = 3;

/// The wait before a page is asked for again; doubled each time.
pub const PAGE_RETRY_WAIT: Span = Span::from_secs(1);

/// A platform that asks to wait longer than this ends the pass.
pub const PAGE_WAIT_MAX: Span = Span::from_secs(60);

/// The wait after a failed pass; doubled with each further failure.
pub const FAILED_PASS_WAIT: Span = Span::from_secs(5);

/// A platform's clock further off than this is told to operations: windows and waits are off by as much.
pub const SKEW_MAX: Span = Span::from_secs(60);

/// How often that is told at most.
pub const SKEW_TOLD_EVERY: Span = Span::from_hours(12);

/// The longest wait after a failed pass.
pub const FAILED_PASS_WAIT_MAX: Span = Span::from_mins(5);

/// Asks a poller for an increment right now. Asking twice before it begins is asking once.
#[derive(Default)]
pub struct Wake {
    asked: Mutex<Asked>,
    rung: Notify,
}

#[derive(Default)]
enum Asked {
    #[default]
    No,
    Yes(BusyGuard),
    /// The poller has ended: nobody will come.
    Closed,
}

impl Wake {
    /// Asks.
    pub fn ring(&self, busy: &Busy) {
        let mut asked = self.asked();
        if matches!(*asked, Asked::No) {
            *asked = Asked::Yes(busy.enter());
            self.rung.notify_one();
        }
    }

    /// The poller has ended: whoever asks is not heard.
    pub fn close(&self) {
        *self.asked() = Asked::Closed;
    }

    fn take(&self) -> Option<BusyGuard> {
        let mut asked = self.asked();
        match std::mem::take(&mut *asked) {
            Asked::Yes(guard) => Some(guard),
            Asked::No => None,
            Asked::Closed => {
                *asked = Asked::Closed;
                None
            }
        }
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a poller is made of.
pub struct Poller {
    /// Its source.
    pub part: SourcePart,
    /// The zone of its schedules.
    pub zone: Zone,
    /// The clock.
    pub clock: Clock,
    /// Where pages go.
    pub doors: Doors,
    /// The month's calls, and the sources' states.
    pub meter: Arc<Meter>,
    /// The rules in force: they say what a sweep reads.
    pub rules: Arc<ArcSwap<RuleSet>>,
    /// Counters.
    pub health: Arc<Health>,
    /// Rung when the desk wants an increment at once.
    pub wake: Arc<Wake>,
    /// Counts passes as under way.
    pub busy: Busy,
}

/// When what comes next.
struct Agenda {
    pass: u64,
    increment_at: Timestamp,
    sweep_at: Timestamp,
    /// Increments that failed since the last complete one.
    failed_increments: u32,
    /// Sweeps that did.
    failed_sweeps: u32,
    /// When it was last planned: a plan made in the future was made before the clock was set back.
    planned_at: Timestamp,
    /// When operations last heard that the clocks are apart.
    skew_told_at: Timestamp,
}

/// What a finished pass leaves.
struct Finished {
    kind: PassKind,
    began: Timestamp,
    calls: u32,
    broken: u32,
    result: Result<(), PassFailure>,
}

impl Poller {
    /// Polls until dropped; with `once` a single time, and the guard counts it as under way until it is over.
    pub async fn run(self, once: Option<BusyGuard>) {
        let now = self.clock.now();
        let state = self.meter.state(&self.part.name);
        let swept_at = state.as_ref().and_then(|state| state.swept_at);
        let mut agenda = Agenda {
            pass: state.map_or(0, |state| state.pass),
            increment_at: now,
            sweep_at: swept_at.map_or(now, |at| self.part.sweep.next_after(at, self.zone)),
            failed_increments: 0,
            failed_sweeps: 0,
            planned_at: now,
            skew_told_at: Timestamp::MIN,
        };
        self.note_load(PassKind::Increment, 2, now);
        if once.is_some() && self.is_paused() {
            return; // a single run does not wait for hours
        }
        loop {
            let (at, kind) = self.next(&agenda);
            let mut guard = None;
            let kind = tokio::select! {
                biased;
                () = self.wake.rung.notified() => {
                    guard = self.wake.take();
                    if self.is_paused() || !self.has_cursor() {
                        continue;
                    }
                    PassKind::Increment
                }
                () = self.clock.sleep_until(at) => kind,
            };
            let _under_way = guard.unwrap_or_else(|| self.busy.enter());
            if self.one_pass(kind, &mut agenda).await.is_err() || once.is_some() {
                return;
            }
        }
    }

    fn has_cursor(&self) -> bool {
        self.meter.state(&self.part.name).is_some_and(|state| state.cursor.is_some())
    }

    fn is_paused(&self) -> bool {
        let paused = self.meter.state(&self.part.name).and_then(|state| state.paused_until);
        paused.is_some_and(|until| until > self.clock.now())
    }

    /// What comes next and when. Before the first complete pass only a sweep makes sense.
    fn next(&self, agenda: &Agenda) -> (Timestamp, PassKind) {
        let (at, kind) = if !self.has_cursor() {
            (agenda.increment_at, PassKind::Sweep)
        } else if agenda.sweep_at < agenda.increment_at {
            (agenda.sweep_at, PassKind::Sweep)
        } else {
            (agenda.increment_at, PassKind::Increment)
        };
        let paused = self.meter.state(&self.part.name).and_then(|state| state.paused_until);
        (paused.map_or(at, |until| at.max(until)), kind)
    }

    /// Runs one pass and says when the next ones are due. An error means that the loop has ended.
    async fn one_pass(&self, kind: PassKind, agenda: &mut Agenda) -> Result<(), Closed> {
        let state = self.meter.state(&self.part.name);
        agenda.pass = agenda.pass.max(state.as_ref().map_or(0, |state| state.pass)) + 1;
        let number = agenda.pass;
        let now = self.clock.now();
        let limits = self.part.source.limits();
        let cursor = state.and_then(|state| state.cursor);
        let pass = match (kind, cursor) {
            (PassKind::Increment, Some(cursor)) => Pass::increment(limits, cursor, self.part.overlap, now),
            (_, Some(_)) => Pass::sweep(limits, &SweepScope::of(&self.rules.load(), &self.part.name), now),
            (_, None) => Pass::sweep(limits, &SweepScope::baseline(&self.rules.load(), &self.part.name), now),
        };
        let finished = self.read(pass, number).await?;
        self.plan(&finished, agenda);
        self.look_at_clocks(agenda).await?;
        self.tell(&finished, number, agenda).await
    }

    async fn read(&self, mut pass: Pass, number: u64) -> Result<Finished, Closed> {
        let (mut calls, mut broken) = (0, 0);
        let result = loop {
            let query = match pass.next() {
                Next::Ask(query) => query,
                Next::Done => break Ok(()),
                Next::Failed(message) => break Err(PassFailure { quota: false, setup: false, message }),
            };
            let (asked_at, page) = match self.ask(&query, &mut calls).await {
                Ok(answer) => answer,
                Err(failure) => break Err(failure),
            };
            broken += u32::try_from(page.broken.len()).unwrap_or(u32::MAX);
            pass.feed(self.seen(&page, asked_at));
            let page = RawPageIn {
                source: self.part.name.clone(),
                pass: number,
                kind: pass.kind(),
                asked_at,
                tickets: page.tickets,
            };
            self.doors.pages.send(FromPoller::Page(page)).await.map_err(|_| Closed)?;
        };
        Ok(Finished { kind: pass.kind(), began: pass.started_at(), calls, broken, result })
    }

    /// What the pass needs to know of a page; broken tickets are taken note of here.
    fn seen(&self, page: &RawPage, at: Timestamp) -> PageSeen {
        let counters = &self.health.counters;
        health::add(&counters.pages, 1);
        health::add(&counters.tickets, page.tickets.len() + page.broken.len());
        let mut seen = PageSeen { total: page.total, ..PageSeen::default() };
        seen.ids.extend(page.tickets.iter().map(|raw| raw.id.clone()));
        for broken in &page.broken {
            match &broken.id {
                Some(id) => seen.ids.push(id.clone()),
                None => seen.nameless += 1,
            }
            self.health.broken(&self.part.name, broken, at);
        }
        seen
    }

    /// Asks for a page, again where that may help.
    async fn ask(&self, query: &Query, calls: &mut u32) -> Result<(Timestamp, RawPage), PassFailure> {
        let mut tries = 0;
        loop {
            tries += 1;
            let asked_at = self.clock.now();
            let error = match self.part.source.list(query).await {
                Ok(page) => {
                    *calls += 1; // failed calls do not count (facts/feishu.md §14)
                    return Ok((asked_at, page));
                }
                Err(error) => error,
            };
            match wait_before_retry(&error, tries) {
                Some(wait) => {
                    debug!(source = %self.part.name, %error, ?wait, "a page is asked for again");
                    self.clock.sleep(wait).await;
                }
                None => return Err(error.pass_failure()),
            }
        }
    }

    fn note_load(&self, kind: PassKind, calls: u32, now: Timestamp) {
        let schedule = match kind {
            PassKind::Increment => &self.part.poll,
            PassKind::Sweep => &self.part.sweep,
        };
        let every = schedule.interval(now, self.zone);
        self.meter.note(&self.part.name, kind, Load { calls: u64::from(calls), every });
    }

    /// Says when the next pass of this kind is due.
    fn plan(&self, finished: &Finished, agenda: &mut Agenda) {
        let now = self.clock.now();
        let failures = match finished.kind {
            PassKind::Increment => &mut agenda.failed_increments,
            PassKind::Sweep => &mut agenda.failed_sweeps,
        };
        *failures = if finished.result.is_ok() { 0 } else { failures.saturating_add(1) };
        let failures = *failures;
        if finished.result.is_ok() {
            self.note_load(finished.kind, finished.calls, now);
        }
        let stretch = self.meter.stretch(now);
        let at = |schedule: &Schedule| match (failures, stretch) {
            (0, Stretch::None) => schedule.next_after(now, self.zone),
            (0, _) => {
                // By whole intervals: the next fire may be but a moment away.
                let wished = finished.began.plus(schedule.interval(finished.began, self.zone));
                stretch.apply(finished.began, wished).max(schedule.next_after(now, self.zone))
            }
            (failures, _) => now.plus(failed_pass_wait(failures)),
        };
        // A first reading stands for both kinds.
        let first = finished.kind == PassKind::Sweep && !self.has_cursor();
        let set_back = now < std::mem::replace(&mut agenda.planned_at, now);
        if finished.kind == PassKind::Sweep || set_back {
            agenda.sweep_at = at(&self.part.sweep);
        }
        if finished.kind == PassKind::Increment || first {
            agenda.increment_at = at(&self.part.poll);
        }
    }

    /// Tells operations when the platform's clock and ours are far apart.
    async fn look_at_clocks(&self, agenda: &mut Agenda) -> Result<(), Closed> {
        let ahead = self.part.source.clock_ahead_ms();
        let (now, apart) = (self.clock.now(), Span::from_ms(ahead.saturating_abs()));
        if apart <= SKEW_MAX || now < agenda.skew_told_at.plus(SKEW_TOLD_EVERY) {
            return Ok(());
        }
        agenda.skew_told_at = now;
        let (secs, name) = (apart.as_secs(), &self.part.name);
        let (zh, en) = if ahead > 0 { ("快", "ahead of") } else { ("慢", "behind") };
        warn!(source = %name, secs, "the platform's clock is {en} this machine's");
        let message = Message::new(
            format!("{name}：平台时钟比本机{zh} {secs} 秒。请检查本机的时间同步（NTP），否则新工单会漏读、到点会不准"),
            format!(
                "{name}: the platform's clock is {secs} s {en} this machine's. Check its time synchronisation (NTP): \
                 fresh tickets may be missed and waits are off"
            ),
        );
        self.doors.events.send(Input::Trouble { name: "clock_skew", message }).await.map_err(|_| Closed)
    }

    async fn tell(&self, finished: &Finished, number: u64, agenda: &Agenda) -> Result<(), Closed> {
        let (now, name) = (self.clock.now(), &self.part.name);
        let wished = now.plus(self.part.poll.interval(now, self.zone));
        let every = self.meter.stretch(now).apply(now, wished).since(now);
        self.health.pass_ended(name, finished.kind, finished.calls, finished.began, &finished.result);
        self.health.planned(name, agenda.increment_at.min(agenda.sweep_at), every);
        match &finished.result {
            Ok(()) => debug!(source = %name, kind = ?finished.kind, calls = finished.calls, "a pass is complete"),
            Err(failure) => {
                let again = agenda.increment_at.since(now);
                info!(source = %name, kind = ?finished.kind, reason = %failure.message, ?again, "a pass failed");
            }
        }
        let ended = PassEnded {
            source: name.clone(),
            pass: number,
            kind: finished.kind,
            started_at: finished.began,
            every,
            next_poll: agenda.increment_at,
            calls: finished.calls.saturating_add(self.meter.take_reads(name)),
            broken: finished.broken,
            result: finished.result.clone(),
        };
        self.doors.pages.send(FromPoller::Ended(ended)).await.map_err(|_| Closed)
    }
}

/// The loop has ended.
struct Closed;

/// How long to wait before a page is asked for again; nothing when that cannot help.
fn wait_before_retry(error: &Error, tries: u32) -> Option<Span> {
    let own = PAGE_RETRY_WAIT.times(1 << tries.saturating_sub(1).min(10));
    let wait = match error.advice {
        Advice::SlowDown | Advice::Retry | Advice::RetrySameKey | Advice::AskAgainSoon => {
            error.retry_after.unwrap_or_default().max(own)
        }
        _ => return None,
    };
    (tries < PAGE_TRIES_MAX && wait <= PAGE_WAIT_MAX).then_some(wait)
}

/// How long to wait after so many failed passes.
fn failed_pass_wait(failures: u32) -> Span {
    FAILED_PASS_WAIT.times(1 << failures.saturating_sub(1).min(10)).min(FAILED_PASS_WAIT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_passes_are_repeated_ever_more_slowly() {
        let waits: Vec<i64> = (1..=9).map(|failures| failed_pass_wait(failures).as_secs()).collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
        assert_eq!(failed_pass_wait(u32::MAX), FAILED_PASS_WAIT_MAX);
    }

    #[tokio::test]
    async fn ringing_twice_wakes_once() {
        let (wake, busy) = (Wake::default(), Busy::default());
        wake.ring(&busy);
        wake.ring(&busy);
        assert_eq!(busy.count(), 1);
        wake.rung.notified().await;
        assert!(wake.take().is_some());
        assert!(wake.take().is_none());
    }
}
