//! What a send shows, made from the state committed at this moment.

use std::{collections::BTreeMap, sync::Arc};

use crate::domain::{
    alert::{Alert, AlertKey, LineOf},
    card::{self, Menu, Question, Turn},
    command::{Command, reply},
    desk::{
        digests::DIGEST,
        greeting::GREETING,
        input::{ChatKind, ChatMessage},
        machine::Desk,
        patience::TOO_MUCH,
        state::{Answer, CardShows, Entry, Tracked},
    },
    id::{ReceiverName, RuleName, SourceName, Subject, TicketKey},
    notice::{
        AlertLine, AlertView, AnswerView, Content, DIGEST_LINES_MAX, DigestView, NOT_OUTSIDE, NoticeKey, Outside, Send,
        Silenced, Step, Target, TicketView,
    },
    receiver::{Receiver, ReceiverKind},
    rule::{Rule, Severity},
    seen::Seen,
    text::{Locale, Message, Words},
};

const REFRESH: Words = Words { zh: "刷新", en: "Refresh" };
const WHY: Words = Words { zh: "为什么", en: "Why" };
const SILENCE: Words = Words { zh: "静默 2 小时", en: "Silence for 2 h" };

/// Characters a headline keeps in a list.
pub(super) const TITLE_CHARS_MAX: usize = 40;

impl Desk {
    /// What the entry shows now; nothing if what it tells of is gone.
    pub(super) fn content(&self, entry: &Entry) -> Option<Content> {
        let content = self.content_of(entry)?;
        let cut = self.is_read_outside(&entry.key.receiver) && !self.is_bare(entry);
        Some(if cut { content.for_outsiders() } else { content })
    }

    /// Whether the configuration says that people of other companies read there: of a receiver, of another one with the
    /// same chat, or of a chat that is named by its id because someone asked in it.
    fn is_read_outside(&self, name: &ReceiverName) -> bool {
        let receiver = self.settings.receiver(name);
        let chat = match receiver.as_ref().map(|receiver| &receiver.kind) {
            Some(ReceiverKind::Chat(chat)) => chat.as_str(),
            _ => name.as_str(),
        };
        let reads = |known: &Receiver| {
            known.external && matches!(&known.kind, ReceiverKind::Chat(known) if known.as_str() == chat)
        };
        receiver.as_ref().is_some_and(|receiver| receiver.external) || self.settings.receivers.values().any(reads)
    }

    /// Whether there is nothing of a ticket in it, whatever rings: a greeting, what the bot understands, a refusal.
    fn is_bare(&self, entry: &Entry) -> bool {
        let key = &entry.key;
        let Some(Answer::Text(text)) = &entry.text else { return false };
        let command = match &key.subject {
            Subject::Message(message) => self.inbox.get(message).map(|item| &item.message.command),
            _ => None,
        };
        let is_fixed = command.is_some_and(|command| *command == Command::Help || reply::to(command).is_some());
        let refusals = [reply::DENIED, reply::DENIED_ACT, reply::USAGE, TOO_MUCH];
        match key.step {
            Step::Answer => is_fixed || refusals.into_iter().any(|words| *text == Message::from(words)),
            _ => key.rule.as_str() == GREETING,
        }
    }

    fn outside(&self, entry: &Entry, content: &Content) -> Outside {
        match content {
            _ if self.is_bare(entry) => Outside::Whole,
            Content::Answer(_) => Outside::Instead(NOT_OUTSIDE.into()),
            Content::Alert(_) | Content::Digest(_) | Content::Trouble(_) | Content::Announcement(_) => Outside::Nothing,
        }
    }

    fn content_of(&self, entry: &Entry) -> Option<Content> {
        let key = &entry.key;
        match (&key.step, &entry.text) {
            (Step::Answer, Some(Answer::Ticket(ticket))) => {
                let view = self.answer_ticket(&key.subject, ticket)?;
                Some(Content::Answer(Box::new(AnswerView::Ticket(Box::new(view)))))
            }
            (Step::Answer, Some(Answer::Text(text))) => Some(Content::Answer(Box::new(AnswerView::Text(text.clone())))),
            (Step::Answer, Some(Answer::Page(words, turns))) => {
                Some(Content::Answer(Box::new(AnswerView::Page(words.clone(), turns.clone()))))
            }
            (Step::Trouble, Some(Answer::Text(text))) => Some(Content::Trouble(text.clone())),
            (Step::Announced, Some(Answer::Text(text))) => Some(Content::Announcement(text.clone())),
            (Step::Answer | Step::Trouble | Step::Announced, _) => None,
            _ if key.rule.as_str() == DIGEST => self.digest_view(key).map(|view| Content::Digest(Box::new(view))),
            _ => self.alert_view(key).map(|view| Content::Alert(Box::new(view))),
        }
    }

    pub(super) fn alert_view(&self, key: &NoticeKey) -> Option<AlertView> {
        let alert_key = AlertKey { subject: key.subject.clone(), rule: key.rule.clone() };
        let mut alert = self.episode(&alert_key, key.episode)?.clone();
        if let Some(taken) = &mut alert.taken {
            taken.by = self.people.named(&taken.by);
        }
        let rule = self.rule_named(&key.rule).cloned();
        let ticket = key.subject.ticket().and_then(|ticket| self.ticket_view(ticket));
        let under = if alert.is_firing() { self.silence_on(&alert) } else { None };
        let silenced = under.map(|silence| Silenced {
            until: silence.until,
            by: silence.by.words(),
            reason: Arc::clone(&silence.reason),
        });
        let untold = self.rung_untold(&alert);
        let (step, ordinal) = (key.step, key.ordinal);
        Some(AlertView { alert, rule, ticket, step, ordinal, silenced, untold, menu: Menu::Plain })
    }

    fn digest_view(&self, key: &NoticeKey) -> Option<DigestView> {
        let of = key.subject.clone();
        let digest = self.digests.get(&(of.clone(), key.episode))?;
        let mut members = self.told_to(&of, key.episode, &key.receiver);
        members.sort_by_key(|alert| (!alert.is_firing(), alert.is_taken() || alert.is_put_off(), alert.since));
        let mut by_rule: BTreeMap<&RuleName, usize> = BTreeMap::new();
        for alert in members.iter().filter(|alert| alert.is_firing()) {
            *by_rule.entry(self.rule_called(alert)).or_default() += 1;
        }
        let rule = digest.rule.as_ref().map(|name| (self.rule_named(name), name));
        let shared = self.shared(&members, rule.and_then(|(rule, _)| rule).map(|rule| &**rule));
        let receiver = self.settings.receiver(&key.receiver);
        let source = members.first().and_then(|alert| alert.key.subject.source()).cloned();
        let is_of = |alert: &&Alert| alert.key.subject.source() == source.as_ref();
        Some(DigestView {
            source: source.clone().filter(|_| members.iter().all(is_of)),
            cause: digest.cause,
            hears: receiver.is_some_and(|receiver| receiver.kind.can_patch()),
            total: members.len(),
            firing: members.iter().filter(|alert| alert.is_firing()).count(),
            taken: members.iter().filter(|alert| alert.is_taken()).count(),
            put_off: members.iter().filter(|alert| alert.is_put_off()).count(),
            severity: worst(&members),
            by_rule: by_rule.into_iter().map(|(rule, count)| (rule.clone(), count)).collect(),
            lines: members.into_iter().take(DIGEST_LINES_MAX).map(|alert| self.alert_line(alert)).collect(),
            rule: rule.map(|(rule, name)| rule.map_or(name, |rule| &rule.name).clone()),
            began_at: digest.began_at,
            closed_at: digest.closed_at,
            shared,
            of,
        })
    }

    pub(super) fn alert_line(&self, alert: &Alert) -> AlertLine {
        let title = alert.key.subject.ticket().and_then(|key| {
            let labels = &self.settings.sources.get(&key.source)?.labels;
            let tracked = &self.tickets.get(key)?.tracked;
            let headline = labels.headline_of(&Seen::at_rest(&tracked.ticket, &tracked.facts, labels))?;
            Some(card::cut(&card::one_line(&headline), TITLE_CHARS_MAX))
        });
        AlertLine {
            reference: alert.reference(),
            rule: self.rule_called(alert).clone(),
            subject: alert.key.subject.clone(),
            title,
            since: alert.since,
            firing: alert.is_firing(),
            severity: alert.severity,
            why: alert.why.clone(),
            taken_by: alert
                .taken
                .as_ref()
                .filter(|_| alert.is_firing())
                .map(|taken| self.people.named(&taken.by).words()),
            put_off: alert
                .snoozed
                .as_ref()
                .filter(|_| alert.is_firing())
                .map(|snoozed| (self.people.named(&snoozed.by).words(), snoozed.until)),
        }
    }

    pub(super) fn ticket_view(&self, key: &TicketKey) -> Option<TicketView> {
        let watched = self.tickets.get(key)?;
        let read_through = self.sources.get(&key.source).and_then(|source| source.read_through);
        let mut view = self.view_of(&watched.tracked, &key.source)?;
        view.as_of = read_through.map_or(view.as_of, |at| view.as_of.max(at));
        let alerts = self.alerts.get(&Subject::Ticket(key.clone())).into_iter().flatten();
        view.alerts = alerts.filter(|alert| alert.is_firing()).map(|alert| self.alert_line(alert)).collect();
        view.alerts.sort_by_key(|line| (std::cmp::Reverse(line.severity), line.since));
        Some(view)
    }

    fn view_of(&self, tracked: &Tracked, source: &SourceName) -> Option<TicketView> {
        let labels = Arc::clone(&self.settings.sources.get(source)?.labels);
        Some(TicketView::new(Arc::clone(&tracked.ticket), tracked.facts.clone(), labels, tracked.asked_at))
    }

    /// The ticket under watch, or the one that was only looked up for this question; with what was said on it.
    fn answer_ticket(&self, subject: &Subject, key: &TicketKey) -> Option<TicketView> {
        let Subject::Message(message) = subject else { return None };
        let view = match self.visiting.get(message) {
            Some(tracked) => self.view_of(tracked, &key.source)?,
            None => self.ticket_view(key)?,
        };
        let mut view = match self.talks.get(message) {
            Some(talk) => view.with_talk(Arc::clone(talk)),
            None => view,
        };
        view.turns = self.inbox.get(message).map(|item| self.turns_on(&item.message, key)).unwrap_or_default();
        Some(view)
    }

    /// What may be asked on from a ticket's card: fresh data; where it is under watch why it rings or not, and where
    /// alerts may be acted on, its silence.
    fn turns_on(&self, question: &ChatMessage, key: &TicketKey) -> Vec<Turn> {
        let (id, is_direct) = (&key.id, question.chat_kind == ChatKind::Direct);
        let turn = |words: Words, text: String| {
            let asks = Question { text, is_direct, locale: question.locale };
            Turn { words: words.into(), asks }
        };
        let mut turns = vec![turn(REFRESH, format!("/ticket {id}"))];
        if self.tickets.contains_key(key) {
            turns.push(turn(WHY, format!("/why {id}")));
            if self.may_act_in(&question.chat, question.chat_kind) {
                turns.push(turn(SILENCE, format!("/silence {id} 2h")));
            }
        }
        turns
    }

    pub(super) fn make_send(&self, entry: &Entry, target: Target, content: Content, doubted: bool) -> Send {
        let key = &entry.key;
        let mut notes = Vec::new();
        if let (Content::Alert(_) | Content::Digest(_), Some(Answer::Text(why))) = (&content, &entry.text) {
            notes.push(why.clone());
        }
        let rev = match &content {
            Content::Alert(view) => view.alert.rev,
            Content::Digest(_) => self.rev_of(&CardShows::Digest(key.subject.clone(), key.episode)),
            Content::Answer(_) | Content::Trouble(_) | Content::Announcement(_) => 1,
        };
        let mut send = Send {
            key: key.clone(),
            target,
            template: self.template_of(key),
            outside: self.outside(entry, &content),
            content,
            locale: self.locale_of(key),
            maybe_repeat: entry.maybe_repeat,
            without_mentions: entry.without_mentions,
            masked: entry.masked,
            forward: self.any_labels().is_some_and(|labels| labels.privacy.forward),
            notes,
            asides: Vec::new(),
            mentions: Vec::new(),
            rev: if doubted { 0 } else { rev },
            attempts: entry.attempts,
        };
        if send.is_line() {
            send.template = self.step_template(key).or(send.template);
        } else {
            send.notes.extend(self.call_notes(key)); // of a line the card above it says so
        }
        send
    }

    /// The template that the ladder's step asks for, of an escalation.
    fn step_template(&self, key: &NoticeKey) -> Option<crate::domain::id::TemplateName> {
        let place = AlertKey { subject: key.subject.clone(), rule: key.rule.clone() };
        let alert = self.episode(&place, key.episode).filter(|_| key.step == Step::Escalated)?;
        self.rung_of(alert, key)?.template.clone()
    }

    pub(super) fn template_of(&self, key: &NoticeKey) -> Option<crate::domain::id::TemplateName> {
        let rule: &Arc<Rule> = self.rule_named(&key.rule)?;
        let alert = AlertKey { subject: key.subject.clone(), rule: key.rule.clone() };
        let alert = self.episode(&alert, key.episode)?;
        match alert.lines.iter().find(|line| line.receiver == key.receiver)?.from {
            LineOf::Notify(at) => rule.notify.get(usize::try_from(at).ok()?)?.template.clone(),
            LineOf::Rung(at) => rule.ladder.get(usize::try_from(at).ok()?)?.template.clone(),
            LineOf::Nothing => None,
        }
    }

    pub(super) fn locale_of(&self, key: &NoticeKey) -> Locale {
        match &key.subject {
            Subject::Message(message) => {
                self.inbox.get(message).map_or(self.settings.locale, |item| item.message.locale)
            }
            _ => self.settings.receiver(&key.receiver).map_or(self.settings.locale, |receiver| receiver.locale),
        }
    }
}

/// How serious the most serious of a digest's alerts is that nobody has; where someone has each, of those that ring.
fn worst(members: &[&Alert]) -> Option<Severity> {
    let firing = || members.iter().filter(|alert| alert.is_firing());
    let waiting = firing().filter(|alert| !alert.is_taken() && !alert.is_put_off()).map(|alert| alert.severity).max();
    waiting.or_else(|| firing().map(|alert| alert.severity).max())
}
