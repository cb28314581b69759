//! How much one person may ask: enough for anybody in a hurry, and an end to loops of bots that write as people.

use std::collections::BTreeMap;

use crate::domain::{
    id::OpenId,
    text::Words,
    time::{Span, Timestamp},
};

/// Messages of one person that are answered within [`WINDOW`]. The next is told so; further ones are not answered.
pub(super) const QUESTIONS_MAX: u32 = 30;

/// Counted from the first of them.
pub(super) const WINDOW: Span = Span::from_mins(1);

/// People whose messages are counted at once. More than this many a minute are not counted: each asks little.
const PEOPLE_MAX: usize = 10_000;

/// Those whose minute is over are forgotten at most this often, where too many are counted: it walks all of them.
const SWEEP_EVERY: Span = Span::from_secs(1);

/// What whoever asks too much is told, once.
pub(super) const TOO_MUCH: Words = Words {
    zh: "你一分钟里问得太多了，我先歇一会儿。请一分钟后再问；要看很多工单，可以一次发多个工单号，或写 /tickets。",
    en: "That is a lot of questions in one minute: I rest for a moment. Please ask again in a minute; for many tickets \
         send several ids at once, or write /tickets.",
};

/// Who asked how much lately.
#[derive(Debug, Default)]
pub(super) struct Patience {
    people: BTreeMap<OpenId, (Timestamp, u32)>,
    /// When those whose minute was over were forgotten last.
    swept_at: Option<Timestamp>,
}

/// What one more message of a person meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meets {
    /// An answer.
    Answer,
    /// The sentence that it is too much.
    Limit,
    /// Silence.
    Silence,
}

impl Patience {
    /// Counts a message.
    pub(super) fn hear(&mut self, who: &OpenId, now: Timestamp) -> Meets {
        let within = |since: Timestamp, span: Span| now >= since && now.since(since) < span;
        let counts = |since: Timestamp| within(since, WINDOW);
        if self.people.len() >= PEOPLE_MAX && !self.people.contains_key(who) {
            if !self.swept_at.is_some_and(|swept_at| within(swept_at, SWEEP_EVERY)) {
                self.people.retain(|_, (since, _)| counts(*since));
                self.swept_at = Some(now);
            }
            if self.people.len() >= PEOPLE_MAX {
                return Meets::Answer;
            }
        }
        let (since, count) = self.people.entry(who.clone()).or_insert((now, 0));
        if !counts(*since) {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
        match *count {
            count if count <= QUESTIONS_MAX => Meets::Answer,
            count if count == QUESTIONS_MAX + 1 => Meets::Limit,
            _ => Meets::Silence,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_who_asks_too_much_is_told_once_and_heard_again_after_a_minute() {
        let mut patience = Patience::default();
        let (li, wang) = (OpenId::from("ou_li"), OpenId::from("ou_wang"));
        let start = Timestamp::from_ms(1_790_000_000_000);
        let met: Vec<Meets> = (0..40).map(|ms| patience.hear(&li, start.plus(Span::from_ms(ms)))).collect();
        assert!(met[..30].iter().all(|meets| *meets == Meets::Answer));
        assert_eq!(met[30], Meets::Limit);
        assert!(met[31..].iter().all(|meets| *meets == Meets::Silence));
        assert_eq!(patience.hear(&wang, start), Meets::Answer, "others are not in it");
        assert_eq!(patience.hear(&li, start.plus(Span::from_ms(59_999))), Meets::Silence);
        assert_eq!(patience.hear(&li, start.plus(WINDOW)), Meets::Answer);
        assert_eq!(patience.hear(&wang, start.minus(WINDOW)), Meets::Answer, "a clock set back starts anew");
    }

    #[test]
    fn where_too_many_ask_those_are_forgotten_whose_minute_is_over() {
        let mut patience = Patience::default();
        let start = Timestamp::from_ms(1_790_000_000_000);
        let person = |number: usize| OpenId::new(format!("ou_{number}"));
        for number in 0..PEOPLE_MAX + 5 {
            assert_eq!(patience.hear(&person(number), start), Meets::Answer);
        }
        assert_eq!(patience.people.len(), PEOPLE_MAX, "further ones are not counted");
        patience.hear(&person(PEOPLE_MAX), start.plus(WINDOW));
        assert_eq!(patience.people.len(), 1);
    }
}
