//! The people around the bench: what they do, and what they write.

use deskbell::{
    adapters::yaml::duration::read_span,
    domain::{
        actor::Actor,
        alert::AlertKey,
        command::Command,
        deed::{Act, Deed, NewCover, Place, Rest, Which},
        desk::{
            input::{ChatKind, ChatMessage, Input},
            lists::AlertsWanted,
        },
        id::{MessageId, ReceiverName, RuleName, Subject},
        text::Locale,
    },
};

use super::Bench;
use crate::{desk::duty, histories::helpdesk};

impl Bench {
    /// `li 2h`: someone stands in from now on for so long; without a time, until the shift is over.
    pub(super) fn cover(&mut self, line: &str) {
        let (name, long) = line.split_once(' ').map_or((line, None), |(name, long)| (name, Some(long)));
        let until = long.map(|long| self.now.plus(read_span(long).unwrap()));
        let person = Some(duty::person(name));
        let new = NewCover { rota: None, shift: None, person, from: None, until, in_return: false, reason: None };
        self.act_as(name, Deed::Cover(Box::new(new)));
    }

    /// An operator does something.
    pub(super) fn act_as(&mut self, who: &str, deed: Deed) {
        self.messages += 1;
        let act = Act {
            id: MessageId::from(format!("act-{}", self.messages).as_str()),
            by: Actor::Operator(who.into()),
            place: Place::Admin,
            clicked: None,
            deed,
            locale: Locale::Zh,
        };
        let outcome = self.desk.handle(Input::Act(Box::new(act)), self.now);
        let acted = outcome.acted.as_ref().expect("every deed is answered");
        self.told.push((self.now, format!("{who}: {:?} {}", acted.tone, acted.words.zh)));
        self.take(outcome);
    }

    /// An operator gives up all that cannot be delivered.
    pub(super) fn drop_dead(&mut self, who: &str) {
        for letter in self.desk.letters().dead {
            self.act_as(who, Deed::Forget(letter.name()));
        }
    }

    /// What the journal of a ticket says so far, and how it is told to each.
    pub(super) fn story(&mut self, number: &str) {
        let subject = Subject::Ticket(helpdesk::key(number.parse().unwrap()));
        let lines = self.store.journal.iter().filter(|entry| entry.subject == subject);
        let lines: Vec<String> =
            lines.map(|entry| format!("story {number}: {} {}", entry.what, entry.note.zh)).collect();
        self.told.extend(lines.into_iter().map(|line| (self.now, line)));
        let found = self.desk.list_alerts(&AlertsWanted::default(), self.now).unwrap();
        for told in found.alerts.iter().filter(|row| row.key.subject == subject).flat_map(|row| &row.told) {
            self.told.push((self.now, format!("story {number}: {} {}", told.receiver, told.how.name())));
        }
    }

    /// `li takes waiting 1`: someone does something about a rule's alert on a ticket.
    pub(super) fn does(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [who, verb, rule, number, rest @ ..] = words.as_slice() else { panic!("{line}: who does what to which") };
        let subject = Subject::Ticket(helpdesk::key(number.parse().unwrap()));
        let key = AlertKey { subject, rule: RuleName::from(*rule) };
        let episode = self.store.alerts.get(&key).map_or(0, |alert| alert.episode);
        let which = Which::Episode(key, episode);
        let deed = match (*verb, rest) {
            ("takes", []) => Deed::Take(which),
            ("gives-back", []) => Deed::Release(which),
            ("handled", []) => Deed::Done(which),
            ("puts-off", [span]) => Deed::Snooze(which, Rest::For(read_span(span).unwrap())),
            other => panic!("{line}: {other:?} is nothing people do"),
        };
        self.messages += 1;
        let act = Act {
            id: MessageId::from(format!("act-{}", self.messages).as_str()),
            by: Actor::Person { id: format!("ou_{who}").as_str().into(), name: Some((*who).into()) },
            place: Place::Chat("oc_a".into(), ChatKind::Group),
            clicked: None,
            deed,
            locale: Locale::Zh,
        };
        for _ in 0..2 {
            // Delivered twice, as platforms do.
            let outcome = self.desk.handle(Input::Act(Box::new(act.clone())), self.now);
            let acted = outcome.acted.as_ref().expect("every deed is answered");
            self.told.push((self.now, format!("{who}: {:?} {}", acted.tone, acted.words.zh)));
            self.take(outcome);
        }
    }

    pub(super) fn ask(&mut self, line: &str) {
        let (chat, text) = line.split_once(' ').unwrap();
        self.write(chat, "ou_someone", text);
    }

    /// `li /值班 接`: someone the directory knows writes in a chat that may look.
    pub(super) fn say(&mut self, line: &str) {
        let (who, text) = line.split_once(' ').unwrap();
        self.in_full = true;
        self.write("oc_a", &format!("ou_{who}"), &self.with_digest(text));
    }

    /// The text with the last digest's reference where it says `DIGEST`.
    pub(super) fn with_digest(&self, text: &str) -> String {
        text.replace("DIGEST", &self.digest_reference)
    }

    /// `li support 收到`: someone replies on the last digest that a receiver got.
    pub(super) fn reply(&mut self, line: &str) {
        let [who, receiver, text] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        self.on = self.digests.get(&ReceiverName::from(receiver)).cloned();
        assert!(self.on.is_some(), "{line}: there is no digest");
        self.say(&format!("{who} {text}"));
    }

    fn write(&mut self, chat: &str, sender: &str, text: &str) {
        self.messages += 1;
        let command = match &self.on {
            Some(_) => Command::parse_reply(text, false),
            None => Command::parse(text),
        };
        let message = ChatMessage {
            event: format!("event-{}", self.messages).as_str().into(),
            message: MessageId::from(format!("om_question_{}", self.messages).as_str()),
            chat: chat.into(),
            chat_kind: if chat.starts_with("oc_p2p") { ChatKind::Direct } else { ChatKind::Group },
            sender: sender.into(),
            sender_name: None,
            reply_to: self.on.take(),
            on_card: None,
            command,
            locale: Locale::Zh,
            sent_at: self.now,
        };
        self.handle(Input::Message(message.clone()));
        self.handle(Input::Message(message)); // delivered twice, as the platform does
    }
}
