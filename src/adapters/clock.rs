//! The only source of time and of waiting. It never decides anything: what time means is the domain's.
//!
//! Four kinds: the system's wall clock, a scaled one, one that is led from instant to instant for the demo, and an
//! anchored one for tests, which tokio's paused time moves.

use std::{
    collections::BTreeMap,
    fmt,
    future::pending,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use crate::domain::time::{Span, Timestamp};

/// The wall clock is read again at least this often while waiting, so that suspend and NTP are followed.
pub const WALL_REREAD_MAX: Span = Span::from_secs(30);

/// A step back up to this far holds `now` still until the wall catches up; a larger one is followed and reported.
pub const STEP_BACK_HELD_MAX: Span = Span::from_mins(5);

/// The longest single wait of a clock that cannot be set; longer ones are waited for in parts.
const WAIT_MAX: Span = Span::from_days(1);

/// Tells the time and waits for it. Clones are the same clock.
#[derive(Clone)]
pub struct Clock(Arc<Inner>);

struct Inner {
    kind: Kind,
    steps: Mutex<Steps>,
    stepped: Notify,
}

enum Kind {
    /// The wall, as this function reads it.
    Wall(Box<dyn Fn() -> Timestamp + Send + Sync>),
    /// `start` plus `factor` times what went by since `origin`.
    Scaled { start: Timestamp, origin: Instant, factor: f64 },
    /// Stands where it was led to.
    Led { now: watch::Receiver<Timestamp>, waits: Waits },
}

/// The instants that are waited for on a led clock, and by how many.
#[derive(Clone, Debug, Default)]
struct Waits(Arc<Mutex<BTreeMap<Timestamp, usize>>>);

impl Waits {
    fn begin(&self, at: Timestamp) -> Wait {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(at).or_default() += 1;
        Wait { waits: self.clone(), at }
    }

    fn first(&self) -> Option<Timestamp> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().next().copied()
    }
}

/// One that waits, until dropped.
struct Wait {
    waits: Waits,
    at: Timestamp,
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut waits = self.waits.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = waits.get_mut(&self.at) {
            *count -= 1;
            if *count == 0 {
                waits.remove(&self.at);
            }
        }
    }
}

/// Leads a clock of [`Clock::led`]. Without it the clock stands still.
#[derive(Debug)]
pub struct Lead {
    now: watch::Sender<Timestamp>,
    waits: Waits,
}

impl Lead {
    /// Leads the clock on to `at`; never back.
    pub fn go_on_to(&self, at: Timestamp) {
        self.now.send_if_modified(|now| {
            let goes_on = *now < at;
            *now = (*now).max(at);
            goes_on
        });
    }

    /// The first instant that is waited for: to be led there next, unless it is the present or past and whoever waits
    /// has not yet been run.
    pub fn next_wait(&self) -> Timestamp {
        self.waits.first().unwrap_or(Timestamp::NEVER)
    }
}

/// What was read last, and the step nobody has taken yet.
struct Steps {
    last: Timestamp,
    step: Option<Step>,
}

/// The wall clock was set back further than [`STEP_BACK_HELD_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What `now` said before.
    pub from: Timestamp,
    /// What it says since.
    pub to: Timestamp,
}

impl Clock {
    /// The system's wall clock.
    pub fn system() -> Self {
        Self::of(Kind::Wall(Box::new(wall)))
    }

    /// A clock that begins at `start` and runs `factor` times as fast as the world (the demo). A factor that is not
    /// above zero is one.
    pub fn scaled(start: Timestamp, factor: f64) -> Self {
        let factor = if factor.is_finite() && factor > 0.0 { factor } else { 1.0 };
        Self::of(Kind::Scaled { start, origin: instant(), factor })
    }

    /// A clock that begins at `start` and goes on with tokio's time (tests, where it is paused).
    pub fn anchored(start: Timestamp) -> Self {
        Self::scaled(start, 1.0)
    }

    /// A clock that stands at `start` until it is led on: whatever reads it sees only instants somebody chose.
    pub fn led(start: Timestamp) -> (Self, Lead) {
        let (lead, now) = watch::channel(start);
        let waits = Waits::default();
        (Self::of(Kind::Led { now, waits: waits.clone() }), Lead { now: lead, waits })
    }

    /// The clock that pings and patience on a network go by: this one, but the system's where this one is led, for nobody
    /// at the other end is.
    pub fn paced(&self) -> Self {
        if matches!(self.0.kind, Kind::Led { .. }) { Self::system() } else { self.clone() }
    }

    fn of(kind: Kind) -> Self {
        let steps = Mutex::new(Steps { last: Timestamp::MIN, step: None });
        Self(Arc::new(Inner { kind, steps, stepped: Notify::new() }))
    }

    /// What time it is. Never earlier than the last answer, but for a reported [`Step`].
    pub fn now(&self) -> Timestamp {
        match &self.0.kind {
            Kind::Wall(read) => self.now_on_wall(read),
            Kind::Scaled { start, origin, factor } => {
                let elapsed = instant().saturating_duration_since(*origin);
                start.plus(span_of(elapsed.mul_f64(*factor)))
            }
            Kind::Led { now, .. } => *now.borrow(),
        }
    }

    fn now_on_wall(&self, read: &dyn Fn() -> Timestamp) -> Timestamp {
        let mut steps = self.0.steps.lock().unwrap_or_else(PoisonError::into_inner);
        // Read under the lock: a reading made before another thread's, and compared after it, would look like a step.
        let wall = read();
        if wall >= steps.last {
            steps.last = wall;
        } else if steps.last.since(wall) > STEP_BACK_HELD_MAX {
            let from = steps.step.map_or(steps.last, |step| step.from);
            steps.step = Some(Step { from, to: wall });
            steps.last = wall;
            self.0.stepped.notify_one();
        }
        steps.last
    }

    /// The step back that happened since this was asked last, if one did.
    pub fn take_step(&self) -> Option<Step> {
        self.0.steps.lock().unwrap_or_else(PoisonError::into_inner).step.take()
    }

    /// Waits until the wall clock was stepped back, and takes the step. Safe to drop and ask again. For one waiter.
    pub async fn stepped(&self) -> Step {
        if !matches!(self.0.kind, Kind::Wall(_)) {
            return pending().await; // nobody can set these
        }
        loop {
            self.now();
            if let Some(step) = self.take_step() {
                return step;
            }
            tokio::select! {
                () = self.0.stepped.notified() => {}
                () = sleep_wall(WALL_REREAD_MAX.to_std()) => {}
            }
        }
    }

    /// Waits until `now` is at least `at`; forever for [`Timestamp::NEVER`]. Safe to drop and ask again.
    pub async fn sleep_until(&self, at: Timestamp) {
        if at.is_never() {
            return pending().await;
        }
        let part_max = match &self.0.kind {
            Kind::Wall(_) => WALL_REREAD_MAX,
            Kind::Scaled { .. } => WAIT_MAX,
            Kind::Led { now, waits } => {
                let _wait = waits.begin(at);
                if now.clone().wait_for(|now| *now >= at).await.is_err() {
                    pending::<()>().await; // nobody leads it any more
                }
                return;
            }
        };
        loop {
            let now = self.now();
            if now >= at {
                return;
            }
            sleep_wall(self.to_wall(at.since(now).min(part_max))).await;
        }
    }

    /// Waits for `span`, whatever the wall clock is set to meanwhile. A led clock has no pace: there it is a pause of the
    /// world's, and only [`Clock::sleep_until`] waits to be led.
    pub async fn sleep(&self, span: Span) {
        sleep_wall(self.to_wall(span)).await;
    }

    /// How long `span` of this clock lasts in the world: for timeouts. Never zero unless `span` is.
    pub fn to_wall(&self, span: Span) -> Duration {
        let Kind::Scaled { factor, .. } = &self.0.kind else { return span.to_std() };
        if span == Span::ZERO || (*factor - 1.0).abs() < f64::EPSILON {
            return span.to_std();
        }
        let secs = span.to_std().as_secs_f64() / factor;
        Duration::try_from_secs_f64(secs).unwrap_or(Duration::MAX).max(Duration::from_millis(1))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            Kind::Wall(_) => f.write_str("Clock(wall)"),
            Kind::Scaled { start, factor, .. } => write!(f, "Clock({start:?} × {factor})"),
            Kind::Led { now, .. } => write!(f, "Clock(led to {:?})", *now.borrow()),
        }
    }
}

fn span_of(duration: Duration) -> Span {
    Span::from_ms(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX))
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
fn wall() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_ms(span_of(since_epoch).as_ms())
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
fn instant() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "the one place that waits")]
async fn sleep_wall(duration: Duration) {
    tokio::time::sleep(duration).await;
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use super::*;

    const START: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    #[tokio::test(start_paused = true)]
    async fn a_led_clock_goes_where_it_is_led() {
        let (clock, lead) = Clock::led(START);
        let soon = START.plus(Span::from_secs(5));
        let waiting = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep_until(soon).await;
                clock.now()
            }
        });
        assert_eq!(lead.next_wait(), Timestamp::NEVER);
        clock.sleep(Span::from_hours(1)).await;
        assert_eq!(clock.now(), START, "the world's time does not move it");
        assert_eq!(lead.next_wait(), soon);
        lead.go_on_to(START.minus(Span::from_secs(1)));
        assert_eq!(clock.now(), START, "never back");
        lead.go_on_to(soon);
        assert_eq!(lead.next_wait(), soon, "led there, but not heard yet");
        assert_eq!(waiting.await.unwrap(), soon);
        assert_eq!(lead.next_wait(), Timestamp::NEVER);
        drop(lead);
        let forever = clock.sleep_until(soon.plus(Span::from_secs(1)));
        assert!(tokio::time::timeout(Duration::from_secs(9), forever).await.is_err());
    }

    /// A clock on a wall that moves with tokio's time and can be set.
    fn settable() -> (Clock, Arc<AtomicI64>) {
        let offset = Arc::new(AtomicI64::new(0));
        let (mine, running) = (offset.clone(), Clock::anchored(START));
        let read = move || Timestamp::from_ms(running.now().as_ms() + mine.load(Ordering::Relaxed));
        (Clock::of(Kind::Wall(Box::new(read))), offset)
    }

    fn after(span: Span) -> Timestamp {
        START.plus(span)
    }

    #[tokio::test(start_paused = true)]
    async fn an_anchored_clock_moves_with_paused_time() {
        let clock = Clock::anchored(START);
        assert_eq!(clock.now(), START);
        clock.sleep(Span::from_days(40)).await;
        assert_eq!(clock.now(), after(Span::from_days(40)));
        clock.sleep_until(after(Span::from_days(45))).await;
        assert_eq!(clock.now(), after(Span::from_days(45)));
        clock.sleep_until(START).await;
        assert_eq!(clock.now(), after(Span::from_days(45)), "a past instant is not waited for");
    }

    #[tokio::test(start_paused = true)]
    async fn a_scaled_clock_runs_ahead() {
        let (clock, world) = (Clock::scaled(START, 120.0), Clock::anchored(START));
        clock.sleep_until(after(Span::from_hours(2))).await;
        assert!(clock.now() >= after(Span::from_hours(2)));
        assert_eq!(world.now(), after(Span::from_mins(1)));
        assert_eq!(clock.to_wall(Span::from_mins(2)), Duration::from_secs(1));
        assert_eq!(clock.to_wall(Span::from_ms(3)), Duration::from_millis(1), "never a busy wait");
    }

    #[tokio::test(start_paused = true)]
    async fn a_small_step_back_holds_now_still() {
        let (clock, offset) = settable();
        assert_eq!(clock.now(), START);
        offset.store(-STEP_BACK_HELD_MAX.as_ms(), Ordering::Relaxed);
        assert_eq!(clock.now(), START);
        clock.sleep(Span::from_mins(3)).await;
        assert_eq!(clock.now(), START);
        clock.sleep(Span::from_mins(3)).await;
        assert_eq!(clock.now(), after(Span::from_mins(1)));
        assert_eq!(clock.take_step(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_step_back_is_followed_and_reported_once() {
        let (clock, offset) = settable();
        clock.now();
        offset.store(-STEP_BACK_HELD_MAX.as_ms() - 1, Ordering::Relaxed);
        let back = Timestamp::from_ms(START.as_ms() - STEP_BACK_HELD_MAX.as_ms() - 1);
        assert_eq!(clock.now(), back);
        assert_eq!(clock.now(), back);
        assert_eq!(clock.take_step(), Some(Step { from: START, to: back }));
        assert_eq!(clock.take_step(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_waiter_hears_of_a_step_within_one_reading() {
        let (clock, offset) = settable();
        clock.now();
        let world = Clock::anchored(START);
        offset.store(-Span::from_hours(1).as_ms(), Ordering::Relaxed);
        let waiting = clock.clone();
        let far = tokio::spawn(async move { waiting.sleep_until(after(Span::from_mins(1))).await });
        let step = clock.stepped().await;
        assert_eq!(step.from, START);
        assert!(world.now() <= after(WALL_REREAD_MAX));
        far.await.unwrap();
        assert_eq!(clock.now(), after(Span::from_mins(1)), "the sleeper waited for the wall, an hour more");
        assert_eq!(world.now(), after(Span::from_mins(61)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_sleeper_notices_a_jump_ahead_within_one_reading() {
        let (clock, offset) = settable();
        let world = Clock::anchored(START);
        let waiting = clock.clone();
        let sleeper = tokio::spawn(async move { waiting.sleep_until(after(Span::from_hours(8))).await });
        world.sleep(Span::from_secs(1)).await;
        offset.store(Span::from_hours(8).as_ms(), Ordering::Relaxed); // the laptop slept
        sleeper.await.unwrap();
        assert!(world.now() <= after(WALL_REREAD_MAX.times(2)), "{:?}", world.now());
        assert_eq!(clock.take_step(), None);
    }

    #[test]
    fn the_system_clock_tells_this_century() {
        let now = Clock::system().now();
        assert!(now > START && now < after(Span::from_days(36_500)), "{now:?}");
    }
}
