//! What people do about alerts: each deed once, whoever comes first, and each answered.

use crate::domain::{
    deed::{Act, Acted, Tone},
    desk::machine::Desk,
    text::Message,
    time::Timestamp,
};

impl Desk {
    pub(super) fn act(&mut self, act: &Act, now: Timestamp) {
        if !self.remember(act.id.clone(), now) {
            self.counters.redelivered += 1;
        }
        let words = Message::new("还没有做出来", "not built yet");
        self.out.acted = Some(Acted { tone: Tone::Refused, words, card: None });
    }
}
