//! What people do to all alerts of a digest at once: each is done and journalled as if it were named alone, and one
//! answer says what became of them.

use crate::domain::{
    alert::{Alert, AlertKey, EndReason},
    command::verb::Named,
    deed::{Act, Acted, Deed, Place, Rest, Tone, Which},
    desk::{
        acts::{refused, repeated},
        digests::digest_key,
        input::ChatMessage,
        machine::Desk,
        state::{CardShows, Digest},
    },
    id::{ReceiverName, SourceName, Subject},
    notice::Step,
    receiver::ReceiverKind,
    text::Message,
    time::Timestamp,
};

/// Alerts that one deed is done to at most; whoever says it again goes on with the rest.
const TOGETHER_MAX: usize = 500;

/// What stands in the way of doing it to all of them.
struct Left {
    /// Someone else has these.
    others: usize,
    /// There were too many for once.
    more: usize,
}

impl Desk {
    /// The reference of the digest that someone means, on whose card they reply or which they name; nothing where it
    /// tells of what they may not see.
    pub(super) fn digest_asked(&self, question: &ChatMessage, named: &Named, sources: &[SourceName]) -> Option<String> {
        let (of, number) = match named {
            Named::Nothing => match self.card_of_message(question.reply_to.as_ref()?)? {
                CardShows::Digest(of, number) => (of.clone(), *number),
                CardShows::Alert(..) => return None,
            },
            Named::Reference(reference) if self.alert_called(reference).is_none() => self.digest_called(reference)?,
            Named::Reference(_) | Named::Ticket(_) => return None,
        };
        self.is_digest_visible(&of, number, sources).then(|| reference_of(&of, number))
    }

    /// Whether a digest tells of something, and all of it may be seen by who may look at these sources.
    fn is_digest_visible(&self, of: &Subject, number: u32, sources: &[SourceName]) -> bool {
        let members = self.digest_members(of, number);
        !members.is_empty() && members.iter().all(|alert| self.is_visible(alert, sources))
    }

    /// The digest of this reference.
    pub(super) fn digest_called(&self, reference: &str) -> Option<(Subject, u32)> {
        let reference = reference.trim().trim_start_matches(['#', '＃']).to_ascii_uppercase();
        self.digests.keys().find(|(of, number)| reference_of(of, *number) == reference).cloned()
    }

    /// Whether a digest has this reference that who may look at these sources may see.
    pub(super) fn is_digest(&self, reference: &str, sources: &[SourceName]) -> bool {
        self.digest_called(reference).is_some_and(|(of, number)| self.is_digest_visible(&of, number, sources))
    }

    /// The digest whose alerts a deed is meant for.
    pub(super) fn digest_meant(&self, deed: &Deed) -> Option<(Subject, u32)> {
        let (Deed::Take(which) | Deed::Release(which) | Deed::Done(which) | Deed::Snooze(which, _)) = deed else {
            return None;
        };
        let Which::Reference(reference) = which else { return None };
        let free = || self.alert_called(reference).is_none();
        self.digest_called(reference).filter(|_| free())
    }

    /// Does it to all of them that it can be done to.
    pub(super) fn act_together(
        &mut self,
        act: &Act,
        (of, number): &(Subject, u32),
        again: bool,
        now: Timestamp,
    ) -> Acted {
        if again {
            return repeated();
        }
        let Some(digest) = self.digests.get(&(of.clone(), *number)).cloned() else { return over() };
        let mut members: Vec<Alert> = self.members_here(act, &digest).into_iter().cloned().collect();
        members.sort_by_key(|alert| alert.since);
        if members.is_empty() {
            return over();
        }
        let mine = |alert: &Alert| alert.taken.as_ref().is_some_and(|taken| taken.by.is_same(&act.by));
        let asked = |alert: &Alert| alert.taken.as_ref().is_some_and(|taken| taken.asked_at.is_some());
        let is_meant = |alert: &Alert| match act.deed {
            Deed::Take(_) => alert.taken.is_none() || (mine(alert) && asked(alert)),
            Deed::Snooze(..) => alert.taken.is_none(),
            Deed::Release(_) => mine(alert) || alert.is_put_off(),
            _ => mine(alert),
        };
        let others = members.iter().filter(|alert| alert.taken.is_some() && !mine(alert)).count();
        members.retain(is_meant);
        let left = Left { others, more: members.len().saturating_sub(TOGETHER_MAX) };
        members.truncate(TOGETHER_MAX);
        if members.is_empty() {
            return nothing_to_do(&act.deed, others);
        }
        let acted = match &act.deed {
            Deed::Take(_) => self.take_together(act, &members, &left, now),
            Deed::Release(_) => self.release_together(act, &members, &left, now),
            Deed::Snooze(_, rest) => self.put_off_together(act, &members, &left, *rest, now),
            _ => self.end_together(act, &members, &left, now),
        };
        if acted.tone == Tone::Done {
            let (who, said) = (act.by.words(), &acted.words);
            let note = Message::new(format!("{}：{}", who.zh, said.zh), format!("{}: {}", who.en, said.en));
            self.journal(now, (of, digest.rule.as_ref(), *number), "digest", note);
        }
        acted
    }

    /// The alerts that ring of which a digest tells where someone acts; anywhere else, all of them.
    fn members_here(&self, act: &Act, digest: &Digest) -> Vec<&Alert> {
        let here = |name: &&ReceiverName| match (&act.place, self.settings.receiver(name)) {
            (Place::Chat(chat, _), Some(known)) => known.kind == ReceiverKind::Chat(chat.clone()),
            _ => false,
        };
        let mut members = match digest.receivers.iter().find(here) {
            Some(receiver) => self.told_to(&digest.of, digest.number, receiver),
            None => self.digest_members(&digest.of, digest.number),
        };
        members.retain(|alert| alert.is_firing());
        members
    }

    fn take_together(&mut self, act: &Act, members: &[Alert], left: &Left, now: Timestamp) -> Acted {
        let taken = members.iter().map(|alert| self.take(alert, act.by.clone(), now));
        let until = taken.filter_map(|alert| alert.taken).map(|taken| taken.until).min().unwrap_or(now);
        let (count, until) = (members.len(), self.clock_words(until, now));
        let (zh, en) = left.words();
        done(
            format!("已接手这 {count} 条，到 {until} 前不再提醒和升级{zh}。不会改动飞书里的负责人"),
            format!(
                "you have these {count}: no reminders and no escalation until {until}{en}. The owners in the helpdesk stay as they are"
            ),
        )
    }

    fn release_together(&mut self, act: &Act, members: &[Alert], left: &Left, now: Timestamp) -> Acted {
        let who = act.by.words();
        for alert in members {
            let why = Message::new(format!("{} 交回", who.zh), format!("given back by {}", who.en));
            self.release(alert, why, now);
        }
        let (count, (zh, en)) = (members.len(), left.words());
        if members.iter().any(Alert::is_put_off) {
            return done(format!("{count} 条重新开始提醒和升级{zh}"), format!("{count} remind and escalate anew{en}"));
        }
        done(
            format!("已交回你接手的 {count} 条，重新开始提醒和升级{zh}"),
            format!("the {count} you had are given back: reminders and escalation begin anew{en}"),
        )
    }

    fn put_off_together(&mut self, act: &Act, members: &[Alert], left: &Left, rest: Rest, now: Timestamp) -> Acted {
        let mut first = None;
        for alert in members {
            let rule = self.rule_named(&alert.key.rule).cloned();
            match self.rest_until(rule.as_deref(), rest, now) {
                Err(why) => return refused(why),
                Ok(until) => {
                    self.put_off(alert, act.by.clone(), until, now);
                    first = Some(first.map_or(until, |first: Timestamp| first.min(until)));
                }
            }
        }
        let (count, until) = (members.len(), self.clock_words(first.unwrap_or(now), now));
        let (zh, en) = left.words();
        done(
            format!("{count} 条已推迟到 {until}，之前不再提醒和升级{zh}"),
            format!("{count} put off until {until}: no reminders and no escalation before{en}"),
        )
    }

    /// Only those that they have: a word too quick must not end what nobody looked at.
    fn end_together(&mut self, act: &Act, members: &[Alert], left: &Left, now: Timestamp) -> Acted {
        for alert in members {
            let key: AlertKey = alert.key.clone();
            let latched = self.rule_named(&key.rule).is_some_and(|rule| !rule.is_event());
            self.end(Alert { ended_by: Some(act.by.clone()), ..alert.clone() }, EndReason::Handled, latched, now);
            self.look_again(&key.subject, &key.rule, now);
        }
        let (count, (zh, en)) = (members.len(), left.words());
        done(
            format!("你接手的 {count} 条都记为处理好；条件一直成立就不会再响{zh}"),
            format!(
                "the {count} you had are noted as handled: they do not ring again while the condition goes on holding{en}"
            ),
        )
    }
}

impl Left {
    /// What was not done, behind what was.
    fn words(&self) -> (String, String) {
        let (mut zh, mut en) = (String::new(), String::new());
        if self.others > 0 {
            zh += &format!("；{} 条别人在处理，没有动", self.others);
            en += &format!("; {} that others have stay as they are", self.others);
        }
        if self.more > 0 {
            zh += &format!("；一次最多 {TOGETHER_MAX} 条，还有 {} 条，请再说一次", self.more);
            en += &format!("; at most {TOGETHER_MAX} at once, {} are left: say it again", self.more);
        }
        (zh, en)
    }
}

fn done(zh: String, en: String) -> Acted {
    Acted { tone: Tone::Done, words: Message::new(zh, en), card: None }
}

fn over() -> Acted {
    let words = Message::new("这张汇总里的都已结束", "all that this digest tells of is over");
    Acted { tone: Tone::Already, words, card: None }
}

fn nothing_to_do(deed: &Deed, others: usize) -> Acted {
    let words = match deed {
        Deed::Done(_) => Message::new(
            "汇总里的要先接手才能一起结束：在卡片上回复“我来”，处理好后再回复“已处理”。只结束一条：/done #编号，编号在每一行里",
            "what a digest tells of is ended together only by whoever has it: reply \"on it\" on the card, and \"done\" \
             afterwards. To end one: /done #reference, which stands in its line",
        ),
        Deed::Release(_) => Message::new("这里没有你接手的", "you have none of these"),
        _ if others == 0 => Message::new("这里还在响的，你都已接手", "you have all of these that still ring"),
        _ => Message::new("这里还在响的都有人处理了", "someone has each of these that still ring"),
    };
    let tone = if matches!(deed, Deed::Done(_)) { Tone::Refused } else { Tone::Already };
    Acted { tone, words, card: None }
}

/// The reference at the foot of a digest's card.
pub(super) fn reference_of(of: &Subject, number: u32) -> String {
    digest_key(of, number, Step::Digest, &ReceiverName::from("")).reference()
}
