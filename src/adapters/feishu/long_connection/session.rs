//! A connection that stands, as a pure machine: frames and instants go in, what to do comes out. It knows no socket and no
//! clock (`facts/feishu.md §6.4, §6.5`).

use bytes::Bytes;
use serde_json::json;

use crate::{
    adapters::feishu::long_connection::{
        chunks::{Chunks, Part},
        frame::{Ack, Frame, Kind},
        settings::Settings,
    },
    domain::time::{Span, Timestamp},
};

/// Pings without a pong after which a connection is dead: half open, and nobody would notice.
pub const PINGS_UNANSWERED_MAX: i64 = 2;

/// How long a pong may be on its way.
pub const PONG_PATIENCE: Span = Span::from_secs(10);

/// A connection that stands.
#[derive(Debug)]
pub struct Session {
    service: i32,
    settings: Settings,
    chunks: Chunks,
    /// When the last pong came; before the first, when the connection began to stand.
    pong_at: Timestamp,
    /// When the next ping is due.
    ping_at: Timestamp,
    /// The last instant it heard of.
    latest: Timestamp,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Send it.
    Send(Frame),
    /// Take the event; then send [`Delivery::frame`] back with what became of it.
    Take(Delivery),
    /// The other side is there.
    Alive,
    /// Something is wrong that does not end the connection.
    Odd(Odd),
    /// The connection is dead: leave it.
    Dead,
}

/// An event that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The frame that is acknowledged, without what it carried.
    pub frame: Frame,
    /// The event's JSON.
    pub body: Bytes,
}

/// Something wrong that does not end the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    /// Bytes that are no frame.
    Unreadable(&'static str),
    /// Parts that make no sense.
    Parts(&'static str),
    /// A click of the old form: the app's cards send it where nobody can answer.
    OldClick,
    /// Data of a kind nobody knows.
    Unknown,
}

impl Odd {
    /// What happened, for logs.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Unreadable(why) | Self::Parts(why) => why,
            Self::OldClick => {
                "a click of the old form came, which cannot be answered here: in the developer console, Callback \
                 Configuration, add \"card.action.trigger\" and remove the old one"
            }
            Self::Unknown => "it is of a kind nobody knows",
        }
    }
}

impl Session {
    /// A connection that stands since `now`, and what is done first: a ping.
    pub fn open(service: i32, settings: Settings, now: Timestamp) -> (Self, Vec<Step>) {
        let chunks = Chunks::default();
        let mut session = Self { service, settings, chunks, pong_at: now, ping_at: now, latest: now };
        let first = session.tick(now);
        (session, first)
    }

    /// How the platform wants it kept by now.
    pub const fn settings(&self) -> Settings {
        self.settings
    }

    /// Events whose parts never came together.
    pub const fn dropped(&self) -> u64 {
        self.chunks.dropped
    }

    /// When [`Session::tick`] is due.
    pub fn due(&self) -> Timestamp {
        self.ping_at.min(self.dead_at())
    }

    fn dead_at(&self) -> Timestamp {
        self.pong_at.plus(self.settings.ping_every.times(PINGS_UNANSWERED_MAX)).plus(PONG_PATIENCE)
    }

    /// Time went by.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Step> {
        self.follow(now);
        if now >= self.dead_at() {
            return vec![Step::Dead];
        }
        if now < self.ping_at {
            return Vec::new();
        }
        self.ping_at = now.plus(self.settings.ping_every);
        vec![Step::Send(Frame::ping(self.service))]
    }

    /// A binary message came.
    pub fn receive(&mut self, bytes: &[u8], now: Timestamp) -> Vec<Step> {
        self.follow(now);
        match Frame::read(bytes) {
            Ok(frame) => self.frame(frame, now),
            Err(unreadable) => vec![Step::Odd(Odd::Unreadable(unreadable.words()))],
        }
    }

    fn frame(&mut self, frame: Frame, now: Timestamp) -> Vec<Step> {
        match frame.kind() {
            Kind::Pong => {
                self.pong_at = now;
                self.configure(&frame.carried(), now);
                vec![Step::Alive]
            }
            Kind::Event => match self.chunks.take(&frame, now) {
                Part::Whole(body) => vec![Step::Take(Delivery { frame: emptied(frame), body })],
                Part::More => Vec::new(),
                Part::Bad(why) => vec![back(frame, &Ack::Failed), Step::Odd(Odd::Parts(why))],
            },
            // Unanswered it comes again for hours, and whoever clicked waits for nothing.
            Kind::Card => vec![back(frame, &Ack::Answered(json!({}))), Step::Odd(Odd::OldClick)],
            Kind::Other if frame.wants_ack() => vec![back(frame, &Ack::Taken), Step::Odd(Odd::Unknown)],
            Kind::Other => Vec::new(),
        }
    }

    /// Takes over what a pong says; a shorter time between pings holds at once.
    fn configure(&mut self, payload: &[u8], now: Timestamp) {
        self.settings = self.settings.with_payload(payload);
        self.ping_at = self.ping_at.min(now.plus(self.settings.ping_every));
    }

    /// When the clock was set back, everything counts from now on.
    fn follow(&mut self, now: Timestamp) {
        if now < self.latest {
            self.pong_at = now;
            self.ping_at = now;
        }
        self.latest = now;
    }
}

fn emptied(frame: Frame) -> Frame {
    Frame { payload: None, ..frame }
}

fn back(frame: Frame, ack: &Ack) -> Step {
    Step::Send(frame.acked(ack, Span::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::feishu::long_connection::frame::Header;

    const START: Timestamp = Timestamp::from_ms(1_700_000_000_000);
    const SERVICE: i32 = 33_554_678;

    fn at(secs: i64) -> Timestamp {
        START.plus(Span::from_secs(secs))
    }

    fn frame(method: i32, headers: &[(&str, &str)], payload: &[u8]) -> Frame {
        let header = |(key, value): &(&str, &str)| Header { key: (*key).to_owned(), value: (*value).to_owned() };
        Frame {
            seq_id: 7,
            log_id: u64::MAX,
            service: SERVICE,
            method,
            headers: headers.iter().map(header).collect(),
            payload: Some(Bytes::copy_from_slice(payload)),
            ..Frame::default()
        }
    }

    fn pong(payload: &str) -> Vec<u8> {
        frame(0, &[("type", "pong")], payload.as_bytes()).bytes().to_vec()
    }

    fn ping() -> Vec<Step> {
        vec![Step::Send(Frame::ping(SERVICE))]
    }

    fn open() -> Session {
        let (session, first) = Session::open(SERVICE, Settings::default(), START);
        assert_eq!(first, ping());
        session
    }

    /// Lets time go by until `until`, answering pings where `answers`; gives the seconds at which something was done.
    fn run(session: &mut Session, until: i64, answers: bool) -> Vec<(i64, Step)> {
        let mut done = Vec::new();
        while session.due() <= at(until) {
            let now = session.due();
            for step in session.tick(now) {
                if answers && matches!(step, Step::Send(_)) {
                    session.receive(&pong(""), now);
                }
                let dead = step == Step::Dead;
                done.push((now.since(START).as_secs(), step));
                if dead {
                    return done;
                }
            }
        }
        done
    }

    #[test]
    fn pings_go_out_at_once_and_then_at_their_pace() {
        let mut session = open();
        assert_eq!(session.receive(&pong(""), at(1)), [Step::Alive]);
        let seconds: Vec<i64> = run(&mut session, 600, true).into_iter().map(|(second, _)| second).collect();
        assert_eq!(seconds, [120, 240, 360, 480, 600]);
    }

    #[test]
    fn a_connection_that_does_not_answer_is_dead_after_two_intervals() {
        let mut session = open();
        let done = run(&mut session, 10_000, false);
        assert_eq!(done.last(), Some(&(250, Step::Dead)));
        assert_eq!(done.iter().filter(|(_, step)| matches!(step, Step::Send(_))).count(), 2);
        let mut session = open();
        session.receive(&pong(""), at(119));
        assert_eq!(run(&mut session, 10_000, false).last(), Some(&(369, Step::Dead)), "counted from the last pong");
    }

    #[test]
    fn events_alone_do_not_prove_that_we_are_heard() {
        let mut session = open();
        let event = frame(1, &[("type", "event"), ("sum", "1"), ("seq", "0")], b"{}").bytes();
        let mut now = 0;
        while session.tick(at(now)) != [Step::Dead] {
            session.receive(&event, at(now));
            now += 1;
        }
        assert_eq!(now, 250);
    }

    #[test]
    fn a_pong_can_change_the_pace_and_cannot_break_it() {
        let mut session = open();
        session.receive(&pong(r#"{"PingInterval":30}"#), at(1));
        assert_eq!(session.due(), at(31), "a shorter pace holds at once");
        session.receive(&pong(r#"{"PingInterval":0}"#), at(2));
        session.receive(&pong("{not json"), at(2));
        assert_eq!((session.due(), session.settings().ping_every.as_secs()), (at(31), 30));
        let seconds: Vec<i64> = run(&mut session, 100, true).into_iter().map(|(second, _)| second).collect();
        assert_eq!(seconds, [31, 61, 91]);
        session.receive(&pong(r#"{"PingInterval":600}"#), at(92));
        assert_eq!(session.due(), at(121), "a longer one from the next ping on");
    }

    #[test]
    fn a_clock_set_back_begins_anew_and_a_machine_that_slept_lets_go() {
        let mut session = open();
        let back = START.minus(Span::from_hours(1));
        assert_eq!(session.tick(back), ping());
        assert_eq!(session.due(), back.plus(Span::from_secs(120)));
        assert_eq!(session.tick(at(8 * 3_600)), [Step::Dead]);
    }

    #[test]
    fn an_event_is_taken_and_its_frame_kept_for_the_answer() {
        let mut session = open();
        let headers = [("type", "event"), ("message_id", "m"), ("sum", "2"), ("seq", "1"), ("x", "kept")];
        let last = frame(1, &headers, b"1}");
        let first = frame(1, &[("type", "event"), ("message_id", "m"), ("sum", "2"), ("seq", "0")], b"{\"a\":");
        assert_eq!(session.receive(&first.bytes(), at(1)), []);
        let steps = session.receive(&last.bytes(), at(1));
        let [Step::Take(Delivery { frame, body })] = &steps[..] else { panic!("{steps:?}") };
        assert_eq!((body.as_ref(), frame.payload.clone()), (&b"{\"a\":1}"[..], None));
        assert_eq!((frame.log_id, frame.headers.clone()), (u64::MAX, last.headers));
    }

    #[test]
    fn everything_that_waits_for_an_answer_gets_one() {
        let cases: [(Frame, Option<&str>, Odd); 3] = [
            (frame(1, &[("type", "card")], b"{}"), Some(r#""data":"e30=""#), Odd::OldClick),
            (frame(1, &[("type", "event"), ("sum", "0")], b"{}"), Some("500"), Odd::Parts("")),
            (frame(1, &[("type", "song")], b"{}"), Some("200"), Odd::Unknown),
        ];
        for (sent, part, odd) in cases {
            let steps = open().receive(&sent.bytes(), at(1));
            let [Step::Send(ack), Step::Odd(found)] = &steps[..] else { panic!("{steps:?}") };
            let said = String::from_utf8(ack.carried().to_vec()).unwrap();
            assert!(said.contains(part.unwrap()), "{said}");
            assert_eq!((ack.seq_id, ack.log_id), (7, u64::MAX));
            assert_eq!(std::mem::discriminant(found), std::mem::discriminant(&odd));
        }
        assert_eq!(open().receive(&frame(0, &[("type", "song")], b"").bytes(), at(1)), []);
        assert!(matches!(open().receive(b"\xff", at(1))[..], [Step::Odd(Odd::Unreadable(_))]));
    }
}
