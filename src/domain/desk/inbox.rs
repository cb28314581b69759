//! People's questions: accepted durably, answered once, within what they may see.

use std::sync::Arc;

use crate::domain::{
    command::{Command, is_tail, phrases::May, reply, silence::Asked, verb::Verb},
    desk::{
        input::{ChatKind, ChatMessage, LookUpResult, LookedUp},
        machine::Desk,
        observe::{Sight, first_facts},
        outbox::answer_rule,
        outcome::{Effect, LookUp, Write},
        patience::{Meets, TOO_MUCH},
        settings::{Direct, Look},
        state::{Answer, Entry, InboxItem, Lane, Tracked},
    },
    id::{ChatId, ReceiverName, SourceName, Subject, TicketKey},
    notice::{AnswerView, Content, NoticeKey, Step, Target},
    reading::scope::CLOSED_WITHIN,
    receiver::ReceiverKind,
    text::Message,
    ticket::Ticket,
    time::Timestamp,
};

impl Desk {
    pub(super) fn message(&mut self, message: ChatMessage, now: Timestamp) {
        if !self.is_ours(&message) {
            return; // people talking to each other
        }
        if message.chat_kind == ChatKind::Admin {
            // Whoever waits asks again: nothing of it is kept.
            self.counters.questions += 1;
            let item = InboxItem { message, accepted_at: now };
            self.inbox.insert(item.message.message.clone(), item.clone());
            return self.take_up_question(&item, now);
        }
        if !self.remember(message.message.clone(), now) {
            self.counters.redelivered += 1;
            return;
        }
        if message.command == Command::Nothing {
            return;
        }
        self.counters.questions += 1;
        let meets = self.patience.hear(&message.sender, now);
        if meets == Meets::Silence {
            self.counters.unanswered += 1;
            return;
        }
        let item = InboxItem { message, accepted_at: now };
        self.write(Write::Inbox(Box::new(item.clone())));
        self.inbox.insert(item.message.message.clone(), item.clone());
        match meets {
            Meets::Limit => self.answer(&item.message, Answer::Text(TOO_MUCH.into()), now),
            _ => self.take_up_question(&item, now),
        }
    }

    /// Answers a question, or starts looking for the answer. Also after a restart.
    pub(super) fn take_up_question(&mut self, item: &InboxItem, now: Timestamp) {
        let question = &item.message;
        let sources = self.sources_open_to(question);
        let denied = sources.is_empty();
        match reply::to(&question.command) {
            _ if denied => self.deny(question, now),
            None if question.command == Command::Help => {
                let help = reply::help(self.may(question));
                self.answer(question, Answer::Text(help), now);
            }
            Some(sentence) => self.answer(question, Answer::Text(sentence), now),
            None => {
                let is_checked =
                    question.chat_kind == ChatKind::Direct && self.settings.access.direct == Direct::Members;
                let unread = matches!(&question.command, Command::Said(Verb::Silence, behind)
                    if Asked::read(behind).condition().is_some());
                if let (false, Command::Said(verb, behind) | Command::Overheard(verb, behind)) =
                    (is_checked || unread, &question.command)
                {
                    return self.asked(item, *verb, behind, None, now);
                }
                if let (false, Command::Ticket(id)) = (is_checked, &question.command)
                    && is_tail(id)
                {
                    return self.tail_asked(question, id, now);
                }
                let member_check = is_checked.then(|| question.sender.clone());
                self.effect(Effect::LookUp(LookUp {
                    message: question.message.clone(),
                    command: question.command.clone(),
                    sources,
                    member_check,
                }));
            }
        }
    }

    pub(super) fn looked_up(&mut self, looked_up: LookedUp, now: Timestamp) {
        let Some(item) = self.inbox.get(&looked_up.message).cloned() else { return };
        if let LookUpResult::Found { talk: Some(talk), .. } = &looked_up.result {
            self.talks.insert(looked_up.message.clone(), Arc::clone(talk));
        }
        let question = &item.message;
        match looked_up.result {
            LookUpResult::Found { key, ticket, .. } => {
                self.show(question, &key, ticket, looked_up.asked_at, now);
            }
            LookUpResult::Allowed => match &question.command {
                Command::Said(verb, behind) | Command::Overheard(verb, behind) => {
                    self.asked(&item, *verb, behind, None, now);
                }
                Command::Ticket(id) => self.tail_asked(question, id, now),
                _ => self.answer(question, Answer::Text(reply::USAGE.into()), now),
            },
            LookUpResult::Understood(condition) => {
                if let Command::Said(verb, behind) = &question.command {
                    self.asked(&item, *verb, behind, Some(*condition), now);
                }
            }
            LookUpResult::NotFound => {
                let sentence = match &question.command {
                    Command::Ticket(id) => reply::not_found(id),
                    _ => reply::USAGE.into(),
                };
                self.answer(question, Answer::Text(sentence), now);
            }
            LookUpResult::Denied => self.deny(question, now),
            LookUpResult::Failed(why) => self.answer(question, Answer::Text(why), now),
        }
    }

    /// Shows a ticket fresh from the source. One that belongs under watch is taken in as an observation; one closed
    /// long ago is only shown, so that a question never rings.
    fn show(
        &mut self,
        question: &ChatMessage,
        key: &TicketKey,
        ticket: Arc<Ticket>,
        asked_at: Timestamp,
        now: Timestamp,
    ) {
        let recent = ticket.closed_at.present().is_none_or(|closed| now.since(*closed) <= CLOSED_WITHIN);
        if self.tickets.contains_key(key) || recent {
            self.observe(key, Sight { ticket, list_hash: None, asked_at, pass: 0 }, now);
        } else {
            let facts = first_facts(&ticket, asked_at, self.remains.get(key));
            let tracked = Tracked { ticket, facts, asked_at, list_hash: None, gone_at: None };
            self.visiting.insert(question.message.clone(), tracked);
        }
        self.answer(question, Answer::Ticket(key.clone()), now);
    }

    /// Answers in words.
    pub(super) fn answer_in_words(&mut self, question: &ChatMessage, words: Message, now: Timestamp) {
        self.answer(question, Answer::Text(words), now);
    }

    /// Whether the answer is decided already.
    pub(super) fn is_answered(&self, question: &ChatMessage) -> bool {
        self.outbox.contains(&answer_key(question))
    }

    pub(super) fn deny(&mut self, question: &ChatMessage, now: Timestamp) {
        self.counters.denied += 1;
        self.note_denial(question, now);
        let acts = matches!(&question.command, Command::Said(verb, _) | Command::Overheard(verb, _) if verb.acts());
        let words = if acts { reply::DENIED_ACT } else { reply::DENIED };
        self.reply(question, Answer::Text(words.into()), now);
    }

    fn answer(&mut self, question: &ChatMessage, answer: Answer, now: Timestamp) {
        if !self.is_answered(question) {
            self.note_look(question, &answer, now);
        }
        self.reply(question, answer, now);
    }

    /// Sends the answer; to whoever asked over the admin API it is handed.
    fn reply(&mut self, question: &ChatMessage, answer: Answer, now: Timestamp) {
        if question.chat_kind != ChatKind::Admin {
            return self.enqueue(answer_key(question), Lane::Answers, Some(answer), now);
        }
        let entry = Entry { text: Some(answer), ..Entry::new(answer_key(question), Lane::Answers, now) };
        // What is gone meanwhile is said to be: whoever asked waits for an answer.
        let gone = || Content::Answer(Box::new(AnswerView::Text(reply::SOURCE_DOWN.into())));
        let content = self.content(&entry).unwrap_or_else(gone);
        let send = self.make_send(&entry, Target::Reply(question.message.clone()), content, false);
        self.effect(Effect::Answer(Box::new(send)));
        self.forget_question(&question.message);
    }

    /// The sources this question may look into.
    pub(super) fn sources_open_to(&self, question: &ChatMessage) -> Vec<SourceName> {
        let access = &self.settings.access;
        let open = |source: &&SourceName| match question.chat_kind {
            ChatKind::Admin => true,
            ChatKind::Direct => access.direct != Direct::Nobody && !matches!(access.look_at(source), Look::Chats(_)),
            ChatKind::Group => match access.look_at(source) {
                Look::Everyone => true,
                Look::Receivers => self.is_receiver(&question.chat),
                Look::Chats(chats) => chats.contains(&question.chat),
            },
        };
        self.settings.sources.keys().filter(open).cloned().collect()
    }

    /// What whoever asks may do besides looking, as far as it is known without looking them up.
    fn may(&self, question: &ChatMessage) -> May {
        if !self.may_act_in(&question.chat, question.chat_kind) {
            return May::Look;
        }
        let is_manager = question.chat_kind == ChatKind::Admin || self.is_manager(&question.by());
        if is_manager { May::Manage } else { May::Act }
    }

    pub(super) fn is_receiver(&self, chat: &ChatId) -> bool {
        self.settings.receivers.values().any(|receiver| matches!(&receiver.kind, ReceiverKind::Chat(id) if id == chat))
    }
}

/// The key of the answer to a question.
fn answer_key(question: &ChatMessage) -> NoticeKey {
    NoticeKey {
        subject: Subject::Message(question.message.clone()),
        rule: answer_rule(),
        episode: 0,
        step: Step::Answer,
        ordinal: 0,
        receiver: ReceiverName::new(question.chat.as_str()),
    }
}
