//! What people write about alerts: which one they mean, and the deed it is or the list that answers it.

use crate::domain::{
    alert::{Alert, AlertKey},
    command::{
        Command, ids, order, reply,
        silence::Asked,
        verb::{Behind, Named, Verb},
    },
    deed::{Act, Deed, Rest, Which},
    desk::{
        input::{ChatKind, ChatMessage, LookUpResult},
        machine::Desk,
        picked::Brought,
        state::{Answer, CardShows, InboxItem},
    },
    explain::{explanation::Explained, text},
    id::{MessageId, RuleName, SourceName, Subject, TicketId, TicketKey},
    notice::AlertLine,
    receiver::ReceiverKind,
    text::{Locale, Message},
    time::Timestamp,
    verdict::Answer as Verdict,
};

/// Tickets with the same last digits that are offered.
const FITTING_MAX: usize = 5;

/// Alerts that a list in chat names.
const LIST_MAX: usize = 10;

/// Lines of an explanation in chat.
const WHY_LINES_MAX: usize = 40;

impl Desk {
    /// Whether a reply that is written to nobody hangs on a card of ours; any other is none of our business.
    pub(super) fn is_ours(&self, message: &ChatMessage) -> bool {
        let on_card = || message.reply_to.as_ref().is_some_and(|card| self.card_of_message(card).is_some());
        !matches!(message.command, Command::Overheard(..)) || on_card()
    }

    /// Answers a command about alerts; whoever wrote it in a direct chat is known to be a member where they must be one.
    pub(super) fn asked(&mut self, item: &InboxItem, verb: Verb, behind: &str, brought: Brought, now: Timestamp) {
        let question = &item.message;
        if self.is_answered(question) {
            return; // before a restart
        }
        let sources = self.sources_open_to(question);
        if sources.is_empty() || (verb.acts() && !self.may_act_in(&question.chat, question.chat_kind)) {
            return self.deny(question, now);
        }
        if verb == Verb::Silence {
            let understood = match brought.result {
                LookUpResult::Understood(condition) => Some(*condition),
                _ => None,
            };
            let said = self.silence_asked(question, &Asked::read(behind), understood, &sources, now);
            return self.answer_in_words(question, said, now);
        }
        let mut read = Behind::read(behind);
        read.named = self.settled(read.named, &sources);
        let answer = match verb {
            Verb::Alerts => Some(self.alerts_asked(question, behind, &sources, now)),
            Verb::Rules => Some(self.rules_asked(question, behind, &sources)),
            Verb::Tickets => self.tickets_asked(question, behind, brought, &sources, now),
            Verb::Count => Some(Answer::Text(self.how_many(behind, &sources, now))),
            Verb::Order => self.order_asked(question, behind, &sources).map(Answer::Text),
            Verb::Why => Some(Answer::Text(self.say_why(question, &read, &sources, now))),
            Verb::Oncall => Some(Answer::Text(self.oncall_asked(question, behind, now))),
            Verb::Take | Verb::Release | Verb::Done | Verb::Snooze | Verb::Silence => {
                Some(Answer::Text(self.do_it(question, verb, &read, &sources, now)))
            }
        };
        // What is not answered yet is looked up first.
        if let Some(answer) = answer {
            self.answer(question, answer, now);
        }
    }

    /// No source has work orders; but who asks for a ticket by this name is shown it.
    fn order_asked(&mut self, question: &ChatMessage, behind: &str, sources: &[SourceName]) -> Option<Message> {
        let Some(asked) = order::Asked::read(behind) else { return Some(reply::verb_usage(Verb::Order)) };
        let is_id =
            asked.number.len() >= ids::TAIL_DIGITS_MIN && asked.number.bytes().all(|byte| byte.is_ascii_digit());
        match self.ending_with(&asked.number, sources).as_slice() {
            [only] if is_id => {
                let (id, source) = (only.id.clone(), only.source.clone());
                self.look_up_for(question, Command::Ticket(id), &[source]);
                None
            }
            _ => Some(reply::NO_ORDERS.into()),
        }
    }

    fn do_it(
        &mut self,
        question: &ChatMessage,
        verb: Verb,
        behind: &Behind,
        sources: &[SourceName],
        now: Timestamp,
    ) -> Message {
        if behind.unread || (behind.rest.is_some() && verb != Verb::Snooze) {
            return reply::verb_usage(verb);
        }
        let which = match self.digest_asked(question, &behind.named, sources) {
            Some(reference) => Which::Reference(reference),
            None => match self.alert_named(question, &behind.named, verb, sources, now) {
                Ok((key, episode)) => Which::Episode(key, episode),
                Err(why) => return why,
            },
        };
        let meant = match &which {
            Which::Episode(key, episode) => Some((key.clone(), *episode)),
            Which::Reference(_) => None,
        };
        let usual = Rest::For(crate::domain::command::verb::SNOOZE_USUAL);
        let deed = match verb {
            Verb::Release => Deed::Release(which),
            Verb::Done => Deed::Done(which),
            Verb::Snooze => Deed::Snooze(which, behind.rest.unwrap_or(usual)),
            // No other verb comes here.
            _ => Deed::Take(which),
        };
        self.act(
            &Act {
                id: deed_id(&question.message),
                by: question.by(),
                place: question.place(),
                clicked: None,
                deed,
                locale: question.locale,
            },
            now,
        );
        let said = self.out.acted.take().map(|acted| acted.words).unwrap_or_default();
        match meant.and_then(|(key, episode)| self.episode(&key, episode)) {
            Some(alert) => self.said_of(alert, &said),
            None => said,
        }
    }

    /// The alert that is meant: named, replied on, or the only one that rings here.
    pub(super) fn alert_named(
        &self,
        question: &ChatMessage,
        named: &Named,
        verb: Verb,
        sources: &[SourceName],
        now: Timestamp,
    ) -> Result<(AlertKey, u32), Message> {
        let one = |alert: &Alert| (alert.key.clone(), alert.episode);
        match named {
            Named::Nothing => {
                match question.reply_to.as_ref().and_then(|card| self.card_of_message(card)) {
                    Some(CardShows::Alert(key, episode)) => return Ok((key.clone(), *episode)),
                    Some(CardShows::Digest(..)) => return Err(reply::ON_A_DIGEST.into()),
                    None => {}
                }
                self.only(self.ringing_here(question, sources), verb, &reply::nothing_rings_here(verb))
            }
            Named::Reference(reference) => {
                let found = self.alert_referred(reference).filter(|alert| self.is_visible(alert, sources));
                found.map(one).ok_or_else(|| reply::no_such_alert(reference))
            }
            Named::Ticket(id) => self.on_ticket(id, verb, sources, now),
        }
    }

    /// What six digits are: behind `#` a reference, else the end of a ticket's id; the other where there is no such one.
    pub(super) fn settled(&self, named: Named, sources: &[SourceName]) -> Named {
        let Some(digits) = named.six_digits() else { return named };
        let is_alert = || self.alert_referred(digits).is_some_and(|alert| self.is_visible(alert, sources));
        let is_reference = || is_alert() || self.is_digest(digits, sources);
        let is_ticket = || !self.ending_with(digits, sources).is_empty();
        match named {
            Named::Reference(_) if !is_reference() && is_ticket() => Named::Ticket(digits.to_string()),
            Named::Ticket(_) if !is_ticket() && is_reference() => Named::Reference(digits.to_string()),
            named => named,
        }
    }

    /// The alert that rings on a ticket.
    fn on_ticket(
        &self,
        id: &str,
        verb: Verb,
        sources: &[SourceName],
        now: Timestamp,
    ) -> Result<(AlertKey, u32), Message> {
        let key = self.ticket_named(id, sources, now)?;
        let alerts = self.alerts.get(&Subject::Ticket(key.clone())).into_iter().flatten();
        self.only(alerts.filter(|alert| alert.is_firing()).collect(), verb, &reply::quiet_ticket(&key.id))
    }

    /// The only one of them, or why there is none: nothing, or the list to choose from.
    fn only(&self, alerts: Vec<&Alert>, verb: Verb, none: &Message) -> Result<(AlertKey, u32), Message> {
        match alerts.as_slice() {
            [] => Err(none.clone()),
            [only] => Ok((only.key.clone(), only.episode)),
            several => Err(reply::which(&self.lines(several), several.len(), verb)),
        }
    }

    /// A ticket under watch in one of these sources, by its id or its last digits.
    pub(super) fn ticket_named(&self, id: &str, sources: &[SourceName], now: Timestamp) -> Result<TicketKey, Message> {
        let fitting = self.ending_with(id, sources);
        match fitting.as_slice() {
            [] => Err(reply::not_found_in(&id.into(), sources)),
            [only] => Ok(only.clone()),
            several => {
                let known = several.iter().take(FITTING_MAX).filter_map(|key| self.tickets.get(key));
                let lines: Vec<Message> = known.map(|it| self.numbered_line(&it.tracked, now)).collect();
                Err(reply::several_tickets(id, &lines, several.len()))
            }
        }
    }

    /// Shows the only ticket under watch that ends with these digits, fresh from its source, or says why not. Whoever
    /// asked may look here.
    pub(super) fn tail_asked(&mut self, question: &ChatMessage, tail: &TicketId, now: Timestamp) {
        match self.ticket_named(tail.as_str(), &self.sources_open_to(question), now) {
            Ok(key) => self.look_up_for(question, Command::Ticket(key.id), &[key.source]),
            Err(why) => self.answer_in_words(question, why, now),
        }
    }

    /// What rings and was told to this chat; to a person in their direct chat, all they may see.
    fn ringing_here(&self, question: &ChatMessage, sources: &[SourceName]) -> Vec<&Alert> {
        let here = |alert: &Alert| {
            alert.lines.iter().any(|line| {
                let receiver = self.settings.receiver(&line.receiver);
                receiver.is_some_and(|known| known.kind == ReceiverKind::Chat(question.chat.clone()))
            })
        };
        let mut alerts = self.ringing(sources);
        if question.chat_kind == ChatKind::Group {
            alerts.retain(|alert| here(alert));
        }
        alerts
    }

    /// What rings: what nobody has first, then the most serious, then the oldest.
    pub(super) fn ringing(&self, sources: &[SourceName]) -> Vec<&Alert> {
        let is_meant = |alert: &&Alert| alert.is_firing() && !alert.trial && self.is_visible(alert, sources);
        let mut alerts: Vec<&Alert> = self.ringing_by(None, |_| true).filter(is_meant).collect();
        let rank = |alert: &Alert| (alert.is_taken(), std::cmp::Reverse(alert.severity), alert.since);
        alerts.sort_by(|one, other| rank(one).cmp(&rank(other)).then_with(|| one.key.cmp(&other.key)));
        alerts
    }

    /// The first of them in words, a line each.
    fn lines(&self, alerts: &[&Alert]) -> Vec<Message> {
        alerts.iter().take(LIST_MAX).map(|alert| self.alert_words(alert)).collect()
    }

    /// An alert in a line.
    pub(super) fn alert_words(&self, alert: &Alert) -> Message {
        let AlertLine { reference, rule, since, .. } = self.alert_line(alert);
        let (what, since) = (self.about_words(alert), self.settings.zone.minute(since));
        let what =
            |of: fn(&Message) -> &String| Some(of(&what)).filter(|it| !it.is_empty()).map(|it| format!(" · {it}"));
        let (what_zh, what_en) = (what(|it| &it.zh).unwrap_or_default(), what(|it| &it.en).unwrap_or_default());
        let (zh, en) = match &alert.taken {
            Some(taken) => {
                let who = taken.by.words();
                (format!("，{} 处理中", who.zh), format!(", {} works on it", who.en))
            }
            None => Default::default(),
        };
        Message::new(
            format!("#{reference} {rule}{what_zh}，{since} 起{zh}"),
            format!("#{reference} {rule}{what_en}, since {since}{en}"),
        )
    }

    fn say_why(&self, question: &ChatMessage, behind: &Behind, sources: &[SourceName], now: Timestamp) -> Message {
        let meant = match &behind.named {
            _ if behind.unread || behind.rest.is_some() => Err(reply::verb_usage(Verb::Why)),
            Named::Ticket(id) => self.ticket_named(id, sources, now).map(|key| (key, None)),
            named => self.alert_named(question, named, Verb::Why, sources, now).and_then(|(key, episode)| {
                let alert = self.episode(&key, episode);
                match key.subject.ticket() {
                    Some(ticket) => Ok((ticket.clone(), Some(self.named_today(&key)))),
                    None => Err(alert.map(|alert| alert.why.clone()).unwrap_or_default()),
                }
            }),
        };
        let (ticket, rule) = match meant {
            Ok(meant) => meant,
            Err(words) => return words,
        };
        let typed = format!("{}:{}", ticket.source, ticket.id);
        match self.explain(&typed, rule.as_ref().map(RuleName::as_str), now) {
            Ok(explained) => short(explained, rule.is_some()),
            Err(why) => why,
        }
    }

    fn named_today(&self, key: &AlertKey) -> RuleName {
        self.rule_named(&key.rule).map_or_else(|| key.rule.clone(), |rule| rule.name.clone())
    }
}

/// The deed of a message: an id of its own, since the message itself is remembered as heard.
pub(super) fn deed_id(message: &MessageId) -> MessageId {
    MessageId::new(format!("{message}#deed"))
}

/// An explanation short enough for a chat: of a whole ticket only the rules that do not say no are told in full.
fn short(mut explained: Explained, whole: bool) -> Message {
    let said_no: Vec<String> = match whole {
        true => Vec::new(),
        false => {
            let no = explained.rules.iter().filter(|rule| rule.answer == Verdict::No);
            let names = no.map(|rule| rule.rule.to_string()).collect();
            explained.rules.retain(|rule| rule.answer != Verdict::No);
            names
        }
    };
    let told = |locale: Locale, more: String| {
        let text = text::text(&explained, locale);
        let mut lines: Vec<&str> = text.lines().take(WHY_LINES_MAX).collect();
        if text.lines().nth(WHY_LINES_MAX).is_some() {
            lines.push("…");
        }
        if !said_no.is_empty() {
            lines.push(&more);
        }
        lines.join("\n")
    };
    Message::new(
        told(Locale::Zh, format!("✗ 不成立：{}", said_no.join("、"))),
        told(Locale::En, format!("✗ does not hold: {}", said_no.join(", "))),
    )
}
