//! People's questions: accepted durably, answered once, within what they may see.

use std::sync::Arc;

use crate::domain::{
    command::{Command, is_tail, phrases::May, reply, silence::Asked, tickets::Query, verb::Verb},
    desk::{
        input::{ChatKind, ChatMessage, LookUpResult, LookedUp},
        machine::Desk,
        outbox::answer_rule,
        outcome::{Effect, LookUp, Write},
        patience::{Meets, TOO_MUCH},
        picked::Brought,
        settings::{Direct, Look},
        state::{Answer, Entry, InboxItem, Lane},
    },
    id::{ChatId, ReceiverName, SourceName, Subject},
    notice::{AnswerView, Content, NoticeKey, Step, Target},
    receiver::ReceiverKind,
    text::Message,
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
                    return self.asked(item, *verb, behind, Brought::nothing(now), now);
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
        let (question, asked_at) = (&item.message, looked_up.asked_at);
        match (looked_up.result, &question.command) {
            (LookUpResult::Found { key, ticket, .. }, _) => {
                // Shown fresh from the source.
                if let Some(visiting) = self.see_asked(&key, ticket, asked_at, now) {
                    self.visiting.insert(question.message.clone(), visiting);
                }
                self.answer(question, Answer::Ticket(key), now);
            }
            (LookUpResult::Denied, _) => self.deny(question, now),
            (LookUpResult::Allowed, Command::Ticket(id)) => self.tail_asked(question, id, now),
            (LookUpResult::NotFound, Command::Ticket(id)) => {
                let sources = self.sources_open_to(question);
                self.answer(question, Answer::Text(reply::not_found_in(id, &sources)), now);
            }
            (LookUpResult::Failed(why), command) if !names_several(command) => {
                self.answer(question, Answer::Text(why), now);
            }
            (LookUpResult::NotFound, Command::Said(Verb::Order, _)) => {
                self.answer(question, Answer::Text(reply::NO_ORDERS.into()), now);
            }
            (result, Command::Said(verb, behind) | Command::Overheard(verb, behind)) => {
                self.asked(&item, *verb, behind, Brought { result, asked_at }, now);
            }
            _ => self.answer(question, Answer::Text(reply::USAGE.into()), now),
        }
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

    pub(super) fn answer(&mut self, question: &ChatMessage, answer: Answer, now: Timestamp) {
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

/// Whether a command names several tickets: what of them is known is told though the rest cannot be read.
fn names_several(command: &Command) -> bool {
    matches!(command, Command::Said(Verb::Tickets, behind) if Query::read(behind).is_ok_and(|it| !it.ids.is_empty()))
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
