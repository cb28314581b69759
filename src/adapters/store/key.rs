//! Keys: a byte for the kind, then names, then numbers that sort as they count.
//!
//! A key has at most [`KEY_BYTES_MAX`] bytes, whatever people call their rules: a longer one is replaced by its hash. No
//! record is read from its key; every record names itself.

use std::ops::RangeInclusive;

use sha2::{Digest, Sha256};

use crate::domain::{
    alert::AlertKey,
    call::{CallKey, How},
    desk::state::{CardKey, CardShows},
    id::{MessageId, RotaName, RuleName, SilenceId, SourceName, Subject, TicketKey},
    notice::NoticeKey,
    receiver::PersonId,
    rota::Cover,
    text::{Message, Words},
    time::Timestamp,
};

/// Bytes of a key. With [`super::value::PART_BYTES_MAX`] it bounds what a page of sled can grow to.
const KEY_BYTES_MAX: usize = 200;

/// Bytes of an instant and of what tells records of one instant apart.
const INSTANT_AND_SEQUENCE: usize = 2 * size_of::<u64>();

/// What a key's record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Format = b'f',
    Ticket = b't',
    Remains = b'r',
    Alert = b'a',
    Past = b'e',
    Card = b'c',
    Digest = b'd',
    Outbox = b'o',
    Dead = b'x',
    Inbox = b'i',
    Seen = b's',
    Source = b'u',
    Meaning = b'm',
    Journal = b'j',
    /// Where the journal's lines about a subject stand.
    Index = b'y',
    Revision = b'v',
    Trial = b'l',
    Silence = b'z',
    Call = b'k',
    Cover = b'w',
    Roster = b'n',
    Person = b'h',
    Forgotten = b'g',
    /// A further part of a long record; its key is the record's with this byte before it and a number after it.
    Part = b'p',
}

impl Kind {
    pub(super) const ALL: [Self; 24] = [
        Self::Format,
        Self::Ticket,
        Self::Remains,
        Self::Alert,
        Self::Past,
        Self::Card,
        Self::Digest,
        Self::Outbox,
        Self::Dead,
        Self::Inbox,
        Self::Seen,
        Self::Source,
        Self::Meaning,
        Self::Journal,
        Self::Index,
        Self::Revision,
        Self::Trial,
        Self::Silence,
        Self::Call,
        Self::Cover,
        Self::Roster,
        Self::Person,
        Self::Forgotten,
        Self::Part,
    ];

    /// The version its records are written in, 1 to 127.
    pub(super) const fn version(self) -> u8 {
        match self {
            Self::Ticket | Self::Remains => 2,
            // A question may be a button's.
            Self::Inbox => 3,
            // A subject may be a group or a receiver, a step an escalation or a call, an answer a page.
            Self::Outbox | Self::Dead => 4,
            // From this version on a line stands in the index; a card knows the one it took the place of; an alert may
            // be told again by a digest; a digest may tell of alerts again, and knows what joined it since it was told.
            Self::Journal | Self::Card | Self::Alert | Self::Past | Self::Digest => 4,
            Self::Format | Self::Seen | Self::Source | Self::Meaning => 1,
            Self::Revision | Self::Trial | Self::Silence | Self::Call | Self::Cover | Self::Roster | Self::Person => 1,
            Self::Part | Self::Index | Self::Forgotten => 1,
        }
    }

    /// The versions whose layout is the present one.
    pub(super) const fn same_layout(self) -> RangeInclusive<u8> {
        match self {
            Self::Journal => 1..=self.version(),
            _ => self.version()..=self.version(),
        }
    }

    /// Where records of `version` lack only what the present one has at its end: so many zero bytes stand for that,
    /// since nothing, no and zero are written so.
    pub(super) const fn lacks(self, version: u8) -> Option<usize> {
        match (self, version) {
            (Self::Alert | Self::Past, 2) => Some(11),
            (Self::Alert | Self::Past, 3) => Some(1),
            (Self::Outbox | Self::Dead, 1 | 2) => Some(1),
            (Self::Outbox | Self::Dead, 3) => Some(0),
            (Self::Card, 1..=3) => Some(1),
            (Self::Digest, 1) => Some(8),
            (Self::Digest, 2) => Some(2),
            (Self::Digest, 3) => Some(1),
            (Self::Inbox, 1) => Some(3),
            (Self::Inbox, 2) => Some(1),
            _ => None,
        }
    }

    fn of(key: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| key.first() == Some(&(*kind as u8)))
    }

    pub(super) const fn words(self) -> Words {
        match self {
            Self::Format => Words { zh: "库格式", en: "store format" },
            Self::Ticket => Words { zh: "工单", en: "ticket" },
            Self::Remains => Words { zh: "已清理工单", en: "purged ticket" },
            Self::Alert => Words { zh: "提醒", en: "alert" },
            Self::Past => Words { zh: "旧的一轮提醒", en: "past episode" },
            Self::Card => Words { zh: "卡片", en: "card" },
            Self::Digest => Words { zh: "汇总", en: "digest" },
            Self::Outbox => Words { zh: "待发通知", en: "outbox notice" },
            Self::Dead => Words { zh: "死信", en: "dead letter" },
            Self::Inbox => Words { zh: "待答消息", en: "inbox message" },
            Self::Seen => Words { zh: "已收消息", en: "seen message" },
            Self::Source => Words { zh: "来源", en: "source" },
            Self::Meaning => Words { zh: "规则含义", en: "rule meaning" },
            Self::Index => Words { zh: "日志索引", en: "journal index" },
            Self::Journal => Words { zh: "日志", en: "journal line" },
            Self::Revision => Words { zh: "工单的旧值", en: "revision of a ticket" },
            Self::Trial => Words { zh: "试运行", en: "trial" },
            Self::Silence => Words { zh: "静默", en: "silence" },
            Self::Call => Words { zh: "呼叫", en: "call" },
            Self::Cover => Words { zh: "顶班", en: "cover of a shift" },
            Self::Forgotten => Words { zh: "已删除资料的工单", en: "ticket of a forgotten guest" },
            Self::Roster => Words { zh: "值班表", en: "roster" },
            Self::Person => Words { zh: "同事", en: "person" },
            Self::Part => Words { zh: "记录分段", en: "part of a record" },
        }
    }
}

/// A key under construction.
struct Key(Vec<u8>);

impl Key {
    fn new(kind: Kind) -> Self {
        let mut bytes = Vec::with_capacity(64);
        bytes.push(kind as u8);
        Self(bytes)
    }

    /// A text, ended by 0 so that no two lists of texts give the same key.
    fn text(mut self, text: &str) -> Self {
        for (number, part) in text.as_bytes().split(|byte| *byte == 0).enumerate() {
            if number > 0 {
                self.0.extend([0, 0xff]);
            }
            self.0.extend(part);
        }
        self.0.push(0);
        self
    }

    fn instant(mut self, at: Timestamp) -> Self {
        self.0.extend(at.as_ms().to_be_bytes());
        self
    }

    fn number(mut self, number: u32) -> Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    fn subject(self, subject: &Subject) -> Self {
        match subject {
            Subject::Ticket(key) => self.text("t").text(key.source.as_str()).text(key.id.as_str()),
            Subject::Source(source) => self.text("u").text(source.as_str()),
            Subject::Group(value) => self.text("g").text(value),
            Subject::Service => self.text("s"),
            Subject::Message(message) => self.text("m").text(message.as_str()),
            Subject::Receiver(name) => self.text("r").text(name.as_str()),
        }
    }

    /// A source's digests always went by its bare name.
    fn digest(self, of: &Subject) -> Self {
        match of {
            Subject::Source(source) => self.text(source.as_str()),
            other => self.text("").subject(other),
        }
    }

    fn alert(self, key: &AlertKey) -> Self {
        self.subject(&key.subject).text(key.rule.as_str())
    }

    fn done(self) -> Vec<u8> {
        self.within(KEY_BYTES_MAX)
    }

    fn within(self, bytes_max: usize) -> Vec<u8> {
        if self.0.len() <= bytes_max {
            return self.0;
        }
        let kind = self.0.first().copied().unwrap_or_default();
        let mut hashed = vec![kind, 0xff];
        hashed.extend(Sha256::digest(&self.0));
        hashed
    }
}

pub(super) fn format() -> Vec<u8> {
    vec![Kind::Format as u8]
}

pub(super) fn ticket(key: &TicketKey) -> Vec<u8> {
    Key::new(Kind::Ticket).text(key.source.as_str()).text(key.id.as_str()).done()
}

pub(super) fn remains(key: &TicketKey) -> Vec<u8> {
    Key::new(Kind::Remains).text(key.source.as_str()).text(key.id.as_str()).done()
}

pub(super) fn forgotten(key: &TicketKey) -> Vec<u8> {
    Key::new(Kind::Forgotten).text(key.source.as_str()).text(key.id.as_str()).done()
}

pub(super) fn alert(key: &AlertKey) -> Vec<u8> {
    Key::new(Kind::Alert).alert(key).done()
}

pub(super) fn past(key: &AlertKey, episode: u32) -> Vec<u8> {
    Key::new(Kind::Past).alert(key).number(episode).done()
}

pub(super) fn card(key: &CardKey) -> Vec<u8> {
    let card = Key::new(Kind::Card);
    let card = match &key.shows {
        CardShows::Alert(alert, episode) => card.text("a").alert(alert).number(*episode),
        CardShows::Digest(of, number) => card.text("d").digest(of).number(*number),
    };
    card.text(key.receiver.as_str()).done()
}

pub(super) fn digest(of: &Subject, number: u32) -> Vec<u8> {
    Key::new(Kind::Digest).digest(of).number(number).done()
}

pub(super) fn outbox(key: &NoticeKey) -> Vec<u8> {
    notice(Kind::Outbox, key)
}

pub(super) fn dead(key: &NoticeKey) -> Vec<u8> {
    notice(Kind::Dead, key)
}

fn notice(kind: Kind, key: &NoticeKey) -> Vec<u8> {
    Key::new(kind)
        .subject(&key.subject)
        .text(key.rule.as_str())
        .number(key.episode)
        .text(key.step.name())
        .number(key.ordinal)
        .text(key.receiver.as_str())
        .done()
}

pub(super) fn inbox(message: &MessageId) -> Vec<u8> {
    Key::new(Kind::Inbox).text(message.as_str()).done()
}

pub(super) fn seen(message: &MessageId) -> Vec<u8> {
    Key::new(Kind::Seen).text(message.as_str()).done()
}

pub(super) fn source(name: &SourceName) -> Vec<u8> {
    Key::new(Kind::Source).text(name.as_str()).done()
}

pub(super) fn meaning(rule: &RuleName) -> Vec<u8> {
    Key::new(Kind::Meaning).text(rule.as_str()).done()
}

pub(super) fn cover(cover: &Cover) -> Vec<u8> {
    let key = Key::new(Kind::Cover).text(cover.rota.as_str()).text(&cover.shift);
    key.instant(cover.from).instant(cover.at).done()
}

pub(super) fn roster(rota: &RotaName) -> Vec<u8> {
    Key::new(Kind::Roster).text(rota.as_str()).done()
}

pub(super) fn person(person: &PersonId) -> Vec<u8> {
    Key::new(Kind::Person).text(person.as_str()).done()
}

pub(super) fn trial(rule: &RuleName) -> Vec<u8> {
    Key::new(Kind::Trial).text(rule.as_str()).done()
}

pub(super) fn silence(id: SilenceId) -> Vec<u8> {
    Key::new(Kind::Silence).number(id.0).done()
}

pub(super) fn call(key: &CallKey) -> Vec<u8> {
    let how = match key.how {
        How::Mention => "m",
        How::App => "a",
        How::Sms => "s",
        How::Phone => "p",
    };
    Key::new(Kind::Call).text(key.person.as_str()).text(how).text(&key.notice).done()
}

/// Ordered by time, then by the order of writing.
pub(super) fn journal(at: Timestamp, sequence: u64) -> Vec<u8> {
    let mut key = journal_at(at);
    key.extend(sequence.to_be_bytes());
    key
}

/// What the index's entries about a subject begin with.
pub(super) fn index(subject: &Subject) -> Vec<u8> {
    Key::new(Kind::Index).subject(subject).within(KEY_BYTES_MAX - INSTANT_AND_SEQUENCE)
}

/// The index's entry of the journal's line at `journal`.
pub(super) fn index_of(subject: &Subject, journal: &[u8]) -> Vec<u8> {
    let mut key = index(subject);
    key.extend(journal.get(1..).unwrap_or_default());
    key
}

/// The journal's line that an entry of the index names.
pub(super) fn indexed(entry: &[u8]) -> Option<Vec<u8>> {
    let mut key = vec![Kind::Journal as u8];
    key.extend(entry.last_chunk::<INSTANT_AND_SEQUENCE>()?);
    Some(key)
}

/// Where the journal's lines of `at` begin.
pub(super) fn journal_at(at: Timestamp) -> Vec<u8> {
    let mut key = vec![Kind::Journal as u8];
    key.extend(sorted(at));
    key
}

/// A ticket's revisions are ordered by time, then by the order of writing: one answer may show several.
pub(super) fn revision(ticket: &TicketKey, at: Timestamp, sequence: u64) -> Vec<u8> {
    let mut key = revisions(ticket);
    key.extend(sorted(at));
    key.extend(sequence.to_be_bytes());
    key
}

/// What the keys of a ticket's revisions begin with.
pub(super) fn revisions(ticket: &TicketKey) -> Vec<u8> {
    let key = Key::new(Kind::Revision).text(ticket.source.as_str()).text(ticket.id.as_str());
    key.within(KEY_BYTES_MAX - INSTANT_AND_SEQUENCE)
}

/// An instant in bytes that sort as it does: negative ones first.
fn sorted(at: Timestamp) -> [u8; 8] {
    (at.as_ms().cast_unsigned() ^ (1 << 63)).to_be_bytes()
}

/// The sequence of a journal line's key.
pub(super) fn journal_sequence(key: &[u8]) -> Option<u64> {
    key.last_chunk().copied().map(u64::from_be_bytes)
}

pub(super) fn part(record: &[u8], number: u16) -> Vec<u8> {
    let mut key = Vec::with_capacity(record.len() + 3);
    key.push(Kind::Part as u8);
    key.extend(record);
    key.extend(number.to_be_bytes());
    key
}

/// The key's record, for people.
pub(super) fn describe(key: &[u8]) -> Message {
    let words = Kind::of(key).map_or(Words { zh: "未知记录", en: "unknown record" }, Kind::words);
    let rest = key.get(1..).unwrap_or_default();
    let names: Vec<String> = rest
        .split(|byte| *byte == 0)
        .map(|name| String::from_utf8_lossy(name).chars().filter(|c| !c.is_control() && *c != '\u{fffd}').collect())
        .filter(|name: &String| !name.is_empty())
        .collect();
    let names = names.join(" ");
    Message::new(format!("{} {names}", words.zh).trim_end(), format!("{} {names}", words.en).trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notice::Step;

    fn ticket_key(source: &str, id: &str) -> TicketKey {
        TicketKey::new(source.into(), id.into())
    }

    #[test]
    fn no_two_names_share_a_key() {
        assert_ne!(ticket(&ticket_key("a\0b", "c")), ticket(&ticket_key("a", "b\0c")));
        assert_ne!(ticket(&ticket_key("ab", "c")), ticket(&ticket_key("a", "bc")));
        let long = "规则".repeat(100);
        let one = AlertKey { subject: Subject::Service, rule: format!("{long}1").as_str().into() };
        let two = AlertKey { subject: Subject::Service, rule: format!("{long}2").as_str().into() };
        assert_ne!(alert(&one), alert(&two));
        assert!(alert(&one).len() <= KEY_BYTES_MAX);
        assert_eq!(alert(&one)[0], Kind::Alert as u8);
    }

    #[test]
    fn a_usual_notice_has_a_readable_key() {
        let key = NoticeKey {
            subject: Subject::Ticket(ticket_key("it-desk", "6626871355780366331")),
            rule: "待用户响应太久".into(),
            episode: 3,
            step: Step::Repeated,
            ordinal: 2,
            receiver: "support".into(),
        };
        assert_eq!(
            describe(&outbox(&key)).en,
            "outbox notice t it-desk 6626871355780366331 待用户响应太久 repeated support"
        );
    }

    #[test]
    fn journal_keys_sort_by_time_then_sequence() {
        let at = |ms| Timestamp::from_ms(ms);
        let sorted = [
            journal(Timestamp::MIN, 9),
            journal(at(-5), 1),
            journal_at(at(0)),
            journal(at(0), 7),
            journal(at(0), 8),
            journal(at(1_700_000_000_000), 2),
            journal(Timestamp::NEVER, 0),
        ];
        assert!(sorted.is_sorted());
        assert_eq!(journal_sequence(&sorted[4]), Some(8));
    }

    #[test]
    fn revisions_of_one_ticket_lie_together_in_order() {
        let long = "工单".repeat(60);
        for (one, other) in [("1", "11"), (&long, "1"), (&long, &format!("{long}1"))] {
            let (one, other) = (ticket_key("desk", one), ticket_key("desk", other));
            let of_one = [(-1, 5), (0, 2), (0, 3), (7, 1)].map(|(ms, n)| revision(&one, Timestamp::from_ms(ms), n));
            assert!(of_one.is_sorted());
            assert!(of_one.iter().all(|key| key.starts_with(&revisions(&one)) && key.len() <= KEY_BYTES_MAX));
            assert!(!revision(&other, Timestamp::from_ms(0), 1).starts_with(&revisions(&one)));
        }
    }
}
