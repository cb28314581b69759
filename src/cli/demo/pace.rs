//! How fast the demo's day goes by in the world. It never skips anything: on a slow machine there are no pauses.

use std::time::Duration;

use crate::{
    adapters::{clock::Clock, yaml::duration::read_span},
    cli::run::Stop,
    domain::{
        text::Message,
        time::{Span, Timestamp},
    },
};

/// The shortest and the longest time a demo can be asked to take.
const WHOLE_MIN: Span = Span::from_secs(10);
const WHOLE_MAX: Span = Span::from_hours(1);

/// What is kept of that time to start and to stop in: this, or a quarter if that is less.
const SPARE: Span = Span::from_secs(8);

/// A person reads a card.
const READING: Duration = Duration::from_secs(6);

/// The slowest and the fastest reading.
const SPEEDS: std::ops::RangeInclusive<f64> = 0.1..=100.0;

/// The pace.
#[derive(Clone, Debug)]
pub struct Pace {
    /// The world's time since the demo began.
    world: Clock,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// A pause after each card.
    Reading(Duration),
    /// The day, spread over a time.
    Within(Span),
}

impl Pace {
    /// What was asked for: all of it within a time, or as one reads, so many times as fast. Its time begins now.
    pub fn new(within: Option<&str>, speed: f64) -> Result<Self, Stop> {
        let kind = match within {
            Some(text) => Kind::Within(whole(text)?),
            None if SPEEDS.contains(&speed) => Kind::Reading(READING.div_f64(speed)),
            None => {
                return Err(Stop::usage(
                    format!("--speed 在 {} 到 {} 之间", SPEEDS.start(), SPEEDS.end()),
                    format!("--speed lies between {} and {}", SPEEDS.start(), SPEEDS.end()),
                ));
            }
        };
        Ok(Self { world: Clock::anchored(Timestamp::from_ms(0)), kind })
    }

    /// How long to pause before the day may go on from `now`, with so many cards just shown.
    pub fn pause(&self, shown: u32, (start, now, end): (Timestamp, Timestamp, Timestamp)) -> Duration {
        let gone = self.world.now().since(Timestamp::from_ms(0));
        match self.kind {
            Kind::Reading(pause) => pause.saturating_mul(shown),
            Kind::Within(whole) => due(whole, (start, now, end)).saturating_sub(gone.to_std()),
        }
    }

    /// How long what is left to do at the end may take.
    pub fn left(&self) -> Span {
        let gone = self.world.now().since(Timestamp::from_ms(0));
        match self.kind {
            Kind::Reading(_) => Span::from_secs(60),
            Kind::Within(whole) => Span::from_ms(whole.as_ms() - spare(whole).as_ms() / 2 - gone.as_ms()),
        }
    }

    /// Pauses in the world's time.
    pub async fn rest(&self, pause: Duration) {
        self.world.sleep(Span::from_ms(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX))).await;
    }
}

fn whole(text: &str) -> Result<Span, Stop> {
    let whole = read_span(text).map_err(|message| {
        Stop::Usage(Message::new(format!("--for：{}", message.zh), format!("--for: {}", message.en)))
    })?;
    if (WHOLE_MIN..=WHOLE_MAX).contains(&whole) {
        return Ok(whole);
    }
    Err(Stop::usage(
        format!("--for 在 {} 秒到 1 小时之间，例如 --for 60s", WHOLE_MIN.as_secs()),
        format!("--for lies between {} s and 1 h, such as --for 60s", WHOLE_MIN.as_secs()),
    ))
}

fn spare(whole: Span) -> Span {
    SPARE.min(Span::from_ms(whole.as_ms() / 4))
}

/// When `now` of the day is due, since the demo began.
fn due(whole: Span, (start, now, end): (Timestamp, Timestamp, Timestamp)) -> Duration {
    let play = whole.as_ms() - spare(whole).as_ms();
    let day = end.since(start).as_ms().max(1);
    Span::from_ms(play.saturating_mul(now.min(end).since(start).as_ms()) / day).to_std()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_spread_over_the_time_asked_for() {
        let start = Timestamp::from_ms(1_700_000_000_000);
        let end = start.plus(Span::from_hours(9));
        let at =
            |whole, hours| due(Span::from_secs(whole), (start, start.plus(Span::from_hours(hours)), end)).as_secs();
        assert_eq!([at(60, 0), at(60, 3), at(60, 9), at(60, 12)], [0, 17, 52, 52]);
        assert_eq!([at(20, 9), at(10, 9)], [15, 7]);
    }

    #[test]
    fn what_cannot_be_asked_for_is_said() {
        let cases =
            [("60s", ""), ("10s", ""), ("1h", ""), ("60", "no unit"), ("9s", "10 s and 1 h"), ("2h", "10 s and 1 h")];
        for (text, part) in cases {
            match (Pace::new(Some(text), 1.0), part) {
                (Ok(pace), "") => assert!(matches!(pace.kind, Kind::Within(_))),
                (Err(Stop::Usage(message)), part) if !part.is_empty() => {
                    assert!(message.en.contains(part), "{message}")
                }
                (other, _) => panic!("{text}: {other:?}"),
            }
        }
        for (speed, is_right) in
            [(1.0, true), (0.1, true), (100.0, true), (0.0, false), (-1.0, false), (f64::NAN, false)]
        {
            assert_eq!(Pace::new(None, speed).is_ok(), is_right, "{speed}");
        }
    }
}
