//! Sending: which notice goes next, whether it is still due, and what it takes along.

use crate::domain::{
    alert::{Alert, AlertKey},
    budget::{Api, Gate, post_gates},
    delivery::{ANSWER_GIVE_UP_AFTER, DOUBT_AFTER},
    desk::{
        digests::DIGEST,
        greeting,
        hops::STALLED,
        letters::letter_name,
        machine::Desk,
        outbox::UnderWay,
        outcome::{Effect, Write},
        state::{Answer, CardKey, CardShows, CardState, DeadLetter, Entry, Lane},
    },
    id::{ChatId, MessageId, ReceiverName, Subject},
    notice::{NoticeKey, Step, Target},
    receiver::ReceiverKind,
    silence::Hush,
    text::{Message, Words},
    time::{Span, Timestamp},
};

/// Sends under way at once, over all channels.
pub(super) const IN_FLIGHT_MAX: usize = 128;

/// How long a repeat waits for the card it hangs on, and looks again.
const CARD_WAIT: Span = Span::from_secs(5);

/// How long a digest that is told once more waits under a hush, and looks again: it may be over before its time.
const HUSH_WAIT: Span = Span::from_mins(1);

/// What is done with the next notice of a channel.
enum Prepared {
    /// It goes there, once these gates let it.
    Go(Target, Vec<Gate>),
    /// It must wait for something.
    Wait(Timestamp),
    /// It is looked for in the chat's history first.
    Search(ChatId),
    /// It is not due any more.
    Drop(Message),
    /// It is held back.
    Hold(Hush),
    /// It can go nowhere.
    Dead(Message),
}

impl Desk {
    /// Sends what is due and may go, channel by channel in turn, so that none holds up the others.
    pub(super) fn pump(&mut self, now: Timestamp) {
        self.outbox.wake(now);
        let mut progress = true;
        while progress && self.outbox.in_flight() < IN_FLIGHT_MAX {
            progress = false;
            for channel in self.outbox.open_channels() {
                if self.outbox.in_flight() >= IN_FLIGHT_MAX {
                    break;
                }
                if let Some((key, lane)) = self.outbox.head(&channel, now) {
                    self.serve(&channel, &key, lane, now);
                    progress = true;
                }
            }
        }
    }

    fn serve(&mut self, channel: &ReceiverName, key: &NoticeKey, lane: Lane, now: Timestamp) {
        let Some(entry) = self.outbox.get(key).cloned() else { return };
        if self.may_have_rung(&entry) {
            return self.call_in_doubt(&entry, now);
        }
        match self.prepare(&entry, now) {
            Prepared::Go(target, gates) => match self.budgets.take(&gates, lane, now) {
                Ok(()) => self.send(entry, target, now),
                Err(ready) => self.outbox.block(channel.clone(), ready),
            },
            Prepared::Wait(until) => self.outbox.put(Entry { not_before: until, ..entry }),
            Prepared::Search(chat) => self.search(entry, chat),
            Prepared::Drop(why) => {
                self.drop_notice(key, why, now);
                self.settle(key, now);
            }
            Prepared::Hold(hush) => {
                self.hold(&entry, &hush, now);
                self.settle(key, now);
            }
            Prepared::Dead(reason) => self.bury(&entry, reason, now),
        }
    }

    /// Commits the attempt, then lets it go.
    fn send(&mut self, mut entry: Entry, target: Target, now: Timestamp) {
        self.note_told(&entry.key, now);
        let Some(content) = self.content(&entry) else {
            let why = Message::new("它说的东西已不存在", "what it tells of is gone");
            return self.drop_notice(&entry.key, why, now);
        };
        let doubted = may_have_arrived(&entry);
        if doubted && !self.has_key(&entry.key) {
            entry.maybe_repeat = true; // an attempt was cut off, and nothing tells the receiver that it is the same
        }
        self.begin_call(&mut entry, &target, now);
        entry.first_tried_at.get_or_insert(now);
        entry.attempts += 1;
        self.write(Write::Outbox(Box::new(entry.clone())));
        let hangs_on = match &target {
            Target::Reply(message) | Target::Patch(message) => Some(message.clone()),
            Target::Post(_) | Target::Urge(..) => None,
        };
        let rev = self.rev_of(&self.card_key(&entry.key).shows);
        let mut send = self.make_send(&entry, target, content, doubted);
        let mentions = self.mention(&entry, now);
        send.mentions = mentions.people;
        // A card opens with what happened: that nobody is called again stands there beside other notes only.
        let beside = if send.notes.is_empty() { &mut send.asides } else { &mut send.notes };
        beside.extend(mentions.notes);
        self.outbox.set_in_flight(entry, UnderWay { hangs_on, rev });
        self.effect(Effect::Send(Box::new(send)));
    }

    fn search(&mut self, entry: Entry, chat: ChatId) {
        let reference = entry.key.reference();
        let since = entry.first_tried_at.unwrap_or(entry.decided_at).minus(Span::from_mins(1));
        let key = entry.key.clone();
        self.outbox.set_in_flight(entry, UnderWay::default());
        self.effect(Effect::SearchHistory { key, chat, reference, since });
    }

    fn prepare(&self, entry: &Entry, now: Timestamp) -> Prepared {
        if let Some(why) = self.not_due(entry, now) {
            return Prepared::Drop(why);
        }
        if let Some(hush) = self.hush_of(entry, now) {
            // What was told already is no longer held back: what joined it waits, and whoever was told hears of the end.
            return match self.is_follow_up(&entry.key) {
                true => Prepared::Wait(hush.until().min(now.plus(HUSH_WAIT))),
                false => Prepared::Hold(hush),
            };
        }
        if entry.key.step == Step::Answer {
            return self.prepare_answer(entry);
        }
        if entry.key.step == Step::Urged {
            let nothing = || Prepared::Drop(Message::new("没有可加急的卡片", "there is no card to call about"));
            return self.urge_target(entry, now).map_or_else(nothing, |(target, gates)| Prepared::Go(target, gates));
        }
        if let Some(chat) = Self::greeted_chat(&entry.key) {
            let target = Target::Post(entry.key.receiver.clone());
            return Prepared::Go(target, chat_gates(Api::Create, &chat));
        }
        let Some(receiver) = self.settings.receiver(&entry.key.receiver) else {
            return Prepared::Dead(not_configured(&entry.key.receiver));
        };
        let name = receiver.name.clone();
        let chat = match &receiver.kind {
            ReceiverKind::Chat(chat) => chat,
            // A person's direct chat is limited like a chat; nobody knows its id, so it cannot be searched.
            ReceiverKind::Person(_) => return self.prepare_chat(entry, &ChatId::new(name.as_str()), now),
            ReceiverKind::Webhook | ReceiverKind::Wecom | ReceiverKind::Http => {
                let gates = post_gates(&receiver).unwrap_or_default();
                return Prepared::Go(Target::Post(name), gates);
            }
        };
        let doubted = entry.first_tried_at.is_some_and(|first| now >= first.plus(DOUBT_AFTER));
        if doubted && entry.key.step != Step::Update {
            return Prepared::Search(chat.clone());
        }
        self.prepare_chat(entry, chat, now)
    }

    fn prepare_chat(&self, entry: &Entry, chat: &ChatId, now: Timestamp) -> Prepared {
        let post = || Prepared::Go(Target::Post(entry.key.receiver.clone()), chat_gates(Api::Create, chat));
        match entry.key.step {
            Step::Update => match self.card_message(&entry.key) {
                Some(message) => Prepared::Go(Target::Patch(message.clone()), patch_gates(message)),
                None => Prepared::Drop(Message::new("没有可更新的卡片", "there is no card to update")),
            },
            Step::Repeated | Step::Escalated | Step::Asked | Step::Woken | Step::Fallback => {
                match self.card_message(&entry.key) {
                    Some(message) => Prepared::Go(Target::Reply(message), chat_gates(Api::Reply, chat)),
                    None if self.outbox.awaits_card(entry) => Prepared::Wait(now.plus(CARD_WAIT)),
                    None => post(),
                }
            }
            // It rings again on the card of before: a line there is seen, an update would not be.
            Step::Fired if entry.key.ordinal == 0 => match self.card_message(&entry.key) {
                Some(message) => Prepared::Go(Target::Reply(message), chat_gates(Api::Reply, chat)),
                None if self.outbox.awaits_card(entry) => Prepared::Wait(now.plus(CARD_WAIT)),
                None => post(),
            },
            Step::Fired
            | Step::Ended
            | Step::Digest
            | Step::Trouble
            | Step::Announced
            | Step::Answer
            | Step::Called
            | Step::Urged => post(),
        }
    }

    fn prepare_answer(&self, entry: &Entry) -> Prepared {
        match &entry.key.subject {
            Subject::Message(message) => {
                let chat = ChatId::new(entry.key.receiver.as_str());
                if let Some(card) = self.inbox.get(message).and_then(|item| item.message.on_card.clone()) {
                    return match &entry.text {
                        Some(Answer::Ticket(_) | Answer::Page(..)) => {
                            Prepared::Go(Target::Patch(card.clone()), patch_gates(card))
                        }
                        // The card stays: what is said is of whoever clicked, not of what it shows.
                        _ => Prepared::Go(Target::Reply(card), chat_gates(Api::Reply, &chat)),
                    };
                }
                Prepared::Go(Target::Reply(message.clone()), chat_gates(Api::Reply, &chat))
            }
            _ => Prepared::Dead(Message::new("没有对应问题的回答", "an answer without a question")),
        }
    }

    /// Asked again just before sending: why the notice is not due any more, if it is not.
    ///
    /// What may have arrived already is always seen through: whoever was told a beginning is told the end.
    pub(super) fn not_due(&self, entry: &Entry, now: Timestamp) -> Option<Message> {
        let key = &entry.key;
        let tried = may_have_arrived(entry);
        let alert_key = AlertKey { subject: key.subject.clone(), rule: key.rule.clone() };
        let firing = self.is_firing_episode(&alert_key, key.episode);
        match key.step {
            Step::Urged if key.rule.as_str() == DIGEST => self.digest_not_due(key, now).map(Into::into),
            Step::Urged => match firing {
                true => self.rests(&alert_key, now).map(Into::into),
                false => Some(Message::new("加急之前已结束", "it ended before anyone was called up")),
            },
            Step::Trouble if is_stalled(key) && self.stall.is_empty() => {
                Some(Message::new("通知又能发出去了", "notices get out again"))
            }
            Step::Called if !firing && !tried => {
                Some(Message::new("单独通知之前已结束", "it ended before they were told directly"))
            }
            Step::Fired if !firing && !tried => Some(Message::new("发出之前已结束", "it ended before it was sent")),
            Step::Repeated | Step::Escalated | Step::Woken | Step::Fallback | Step::Asked if !firing && !tried => {
                Some(Message::new("重复提醒之前已结束", "it ended before it was repeated"))
            }
            Step::Repeated | Step::Escalated | Step::Woken | Step::Fallback if !tried => {
                self.rests(&alert_key, now).map(Into::into)
            }
            Step::Asked if !tried => {
                let taken = self.alert(&alert_key).is_some_and(Alert::is_taken);
                (!taken).then(|| Message::new("已交回，不用再问", "it was given back: there is nothing to ask"))
            }
            Step::Digest if !tried => self.digest_not_due(key, now).map(Into::into),
            Step::Update => {
                let card = self.card_for(key)?;
                (card.shown_rev >= self.rev_of(&card.key.shows))
                    .then(|| Message::new("卡片已是最新", "the card is up to date"))
            }
            Step::Announced if greeting::is_late(entry, now) => {
                Some(Message::new("加群已过去太久", "the bot was added too long ago"))
            }
            Step::Answer if now > entry.decided_at.plus(ANSWER_GIVE_UP_AFTER) => {
                Some(Message::new("提问已过去太久", "the question was asked too long ago"))
            }
            _ => None,
        }
    }

    /// Why nobody is to be told again now, where that is so.
    pub(super) fn rests(&self, key: &AlertKey, now: Timestamp) -> Option<Words> {
        let alert = self.alert(key)?;
        if alert.is_taken() {
            return Some(Words { zh: "发出之前已有人接手", en: "someone took it before it was sent" });
        }
        let put_off = alert.snoozed.as_ref().is_some_and(|snoozed| snoozed.until > now);
        put_off.then_some(Words { zh: "发出之前已推迟", en: "it was put off before it was sent" })
    }

    fn card_message(&self, key: &NoticeKey) -> Option<MessageId> {
        self.card_for(key)?.message.clone()
    }

    /// The card a notice is about.
    pub(super) fn card_for(&self, key: &NoticeKey) -> Option<&CardState> {
        self.cards.get(&self.card_key(key))
    }

    pub(super) fn card_key(&self, key: &NoticeKey) -> CardKey {
        let shows = match &key.subject {
            of if key.rule.as_str() == DIGEST => CardShows::Digest(of.clone(), key.episode),
            subject => {
                let alert = AlertKey { subject: subject.clone(), rule: key.rule.clone() };
                CardShows::Alert(alert, key.episode)
            }
        };
        CardKey { shows, receiver: key.receiver.clone() }
    }

    /// The revision a card should show: that of its own episode, which a later one does not raise.
    pub(super) fn rev_of(&self, shows: &CardShows) -> u32 {
        match shows {
            CardShows::Alert(key, episode) => self.episode(key, *episode).map_or(0, |alert| alert.rev),
            CardShows::Digest(of, number) => self.digests.get(&(of.clone(), *number)).map_or(0, |digest| digest.rev),
        }
    }

    /// Gives a notice up: it is kept with the reason and shown.
    pub(super) fn bury(&mut self, entry: &Entry, reason: Message, now: Timestamp) {
        let key = &entry.key;
        self.forget_notice(key);
        self.counters.dead += 1;
        let note = Message::new(
            format!("发给 {} 发不出去：{}", key.receiver, reason.zh),
            format!("cannot be delivered to {}: {}", key.receiver, reason.en),
        );
        self.journal_notice(key, "dead", note, now);
        let letter = DeadLetter { entry: entry.clone(), at: now, reason: reason.clone() };
        self.keep_dead(letter, now);
        self.show_untold(key, now);
        self.hop(entry, &reason, now);
        if Some(&key.receiver) == self.settings.operations.as_ref() {
            let lost = match &entry.text {
                Some(Answer::Text(text)) => text.clone(),
                _ => Message::default(),
            };
            let message = Message::new(
                format!("发给 {}（operations）的通知发不出去：{}。{}", key.receiver, reason.zh, lost.zh),
                format!("a notice to {} (operations) cannot be delivered: {}. {}", key.receiver, reason.en, lost.en),
            );
            self.trouble_elsewhere("dead_letter", message, &key.receiver, now);
        }
        if Some(&key.receiver) != self.settings.operations.as_ref() && key.step != Step::Answer {
            let name = letter_name(key);
            let message = Message::new(
                format!(
                    "发给 {} 的通知发不出去：{}。详情和重发：deskbell outbox show {name}；检查权限和配置：deskbell doctor",
                    key.receiver, reason.zh
                ),
                format!(
                    "a notice to {} cannot be delivered: {}. To see it and try again: deskbell outbox show {name}; to check permissions and configuration: deskbell doctor",
                    key.receiver, reason.en
                ),
            );
            self.trouble("dead_letter", message, now);
        }
    }
}

/// Whether an attempt may have arrived, known or not.
pub(super) const fn may_have_arrived(entry: &Entry) -> bool {
    entry.first_tried_at.is_some() || entry.maybe_repeat
}

/// Whether it tells that notices do not get out.
fn is_stalled(key: &NoticeKey) -> bool {
    key.rule.as_str().strip_prefix("deskbell.") == Some(STALLED)
}

fn not_configured(receiver: &ReceiverName) -> Message {
    Message::new(
        format!("配置里已经没有接收方 {receiver}；要继续发给它，请在 receivers 里加回来"),
        format!("receiver {receiver} is no longer configured; add it to `receivers` again if it should hear"),
    )
}

fn patch_gates(message: MessageId) -> Vec<Gate> {
    vec![Gate::ApiSecond(Api::Patch), Gate::ApiMinute(Api::Patch), Gate::Message(message)]
}

fn chat_gates(api: Api, chat: &ChatId) -> Vec<Gate> {
    vec![Gate::ApiSecond(api), Gate::ApiMinute(api), Gate::Chat(chat.clone())]
}
