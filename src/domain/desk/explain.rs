//! Why a rule rings on a ticket or does not, asked from outside. Nothing is decided and nothing changes here.

use std::sync::Arc;

use crate::domain::{
    alert::{Alert, AlertState},
    desk::{
        count::group_of,
        judge::judge_rule,
        life,
        machine::{Desk, Watched},
        state::Revision,
    },
    explain::explanation::{Explained, Explanation, Moment},
    facts::Facts,
    history,
    id::{Subject, TicketKey},
    rule::{Count, Mode, Rule, RuleKind},
    seen::Seen,
    text::Message,
    ticket::Known,
    time::Timestamp,
    verdict,
    why::count_text,
};

/// Digits of a ticket's end that name it, at least.
const TAIL_DIGITS_MIN: usize = 5;

/// Tickets named when several fit.
const CANDIDATES_MAX: usize = 5;

impl Desk {
    /// What the rules (or the one named) say of the ticket that was meant, now.
    ///
    /// # Errors
    /// No ticket under watch is meant, or several; there is no such rule.
    pub fn explain(&self, typed: &str, rule: Option<&str>, now: Timestamp) -> Result<Explained, Message> {
        let key = self.ticket_meant(typed)?;
        let rules = self.rules_meant(rule)?;
        let Some(watched) = self.tickets.get(&key) else { return Err(not_tracked(typed)) };
        let moment = Moment { now, zone: self.settings.zone };
        let tracked = &watched.tracked;
        let seen = Seen::at_rest(&tracked.ticket, &tracked.facts, self.labels_of(&key.source));
        let source = self.sources.get(&key.source);
        let read_through = source.and_then(|source| source.read_through).unwrap_or(Timestamp::MIN);
        let mut notes = Vec::new();
        if let Some(gone) = tracked.gone_at.map(|at| moment.zone.minute(at)) {
            notes.push(Message::new(
                format!("服务台在 {gone} 说没有这张工单：不再判断"),
                format!("the helpdesk had no such ticket at {gone}: it is not judged any more"),
            ));
        }
        if source.is_some_and(|source| source.is_silent(now)) {
            notes.push(Message::new(
                "数据源很久没有读完：到时间的仍会提醒，注明数据的时间；一条也不会结束",
                "the source was not read to its end for long: what falls due still rings, marked with the time of its \
                 data, and none ends",
            ));
        }
        if watched.refresh.is_some() {
            notes.push(Message::new("正在等最新的数据", "fresh data is waited for"));
        }
        let explain = |rule: &&Arc<Rule>| self.explain_one(rule, &key, &seen, moment);
        let rules = rules.iter().map(explain).collect();
        let as_of = tracked.asked_at.max(read_through);
        Ok(Explained { ticket: key, at: now, as_of, zone: moment.zone, notes, rules })
    }

    /// What the rules say of the ticket as it was at `at`, by its `revisions`, oldest first.
    ///
    /// # Errors
    /// As for [`Desk::explain`]; the ticket was not seen yet.
    pub fn explain_past(
        &self,
        key: &TicketKey,
        rule: Option<&str>,
        revisions: &[Revision],
        at: Timestamp,
    ) -> Result<Explained, Message> {
        let rules = self.rules_meant(rule)?;
        let Some(watched) = self.tickets.get(key) else { return Err(not_tracked(key.id.as_str())) };
        let moment = Moment { now: at, zone: self.settings.zone };
        let first_seen = watched.tracked.facts.first_seen;
        if at < first_seen {
            let first = moment.zone.minute(first_seen);
            return Err(Message::new(
                format!("那时还不认识这张工单：第一次看到是 {first}"),
                format!("the ticket was not known then: it was first seen at {first}"),
            ));
        }
        let (as_of, ticket, facts) = past(watched, revisions, at);
        let seen = Seen::at_rest(&ticket, &facts, self.labels_of(&key.source));
        let judge = |rule: &&Arc<Rule>| {
            let verdict = verdict_of(rule, &seen, at);
            let mut told = Explanation::of(rule, verdict, &seen, None, moment);
            told.alert = Message::new("提醒那时的状态没有留下", "where its alert stood then is not known");
            told
        };
        let notes = vec![
            Message::new(
                "按存储里的变更记录还原那时的工单，用现在的规则判断",
                "the ticket as it was then, by the changes that are stored, judged by the rules of now",
            ),
            Message::new(
                "那时的对话、提醒状态和计数没有留下；那时未知、后来才知道的值，显示成后来的；从哪时起是当时的状态，可能只是估计；会自己走的字段可能\
                 差一点",
                "what was said, alerts and counts of then are not known; a value unknown then and known later is shown as \
                 it is later; since when the status held may be a guess; fields that run by themselves may be off a \
                 little",
            ),
        ];
        Ok(Explained {
            ticket: key.clone(),
            at,
            as_of,
            zone: moment.zone,
            notes,
            rules: rules.iter().map(judge).collect(),
        })
    }

    /// The ticket under watch that was meant: its id, `source:id`, or at least its last five digits.
    ///
    /// # Errors
    /// None fits, or several do.
    pub fn ticket_meant(&self, typed: &str) -> Result<TicketKey, Message> {
        let typed = typed.trim().trim_start_matches('#');
        let (source, id) = match typed.rsplit_once(':') {
            Some((source, id)) => (Some(source), id),
            None => (None, typed),
        };
        let whole = source.map(|source| TicketKey::new(source.into(), id.into()));
        if let Some(key) = whole.filter(|key| self.tickets.contains_key(key)) {
            return Ok(key);
        }
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(id) || id.len() < TAIL_DIGITS_MIN {
            return Err(Message::new(
                format!("请写完整的工单号，或它的最后 {TAIL_DIGITS_MIN} 位以上数字"),
                format!("write the ticket's whole id, or at least its last {TAIL_DIGITS_MIN} digits"),
            ));
        }
        let from_source = |key: &&TicketKey| source.is_none_or(|source| key.source.as_str() == source);
        let fitting = self.tickets.keys().filter(from_source).filter(|key| key.id.as_str().ends_with(id));
        let mut fitting: Vec<&TicketKey> = fitting.collect();
        if fitting.iter().any(|key| key.id.as_str() == id) {
            fitting.retain(|key| key.id.as_str() == id);
        }
        match fitting.as_slice() {
            [] => Err(not_tracked(id)),
            [only] => Ok((*only).clone()),
            several => {
                let more = several.len().saturating_sub(CANDIDATES_MAX);
                let mut names: Vec<String> = several.iter().take(CANDIDATES_MAX).map(ToString::to_string).collect();
                names.extend((more > 0).then(|| format!("… (+{more})")));
                Err(Message::new(
                    format!("有几张工单都符合，请写全：{}", names.join("、")),
                    format!("several tickets fit; write one in full: {}", names.join(", ")),
                ))
            }
        }
    }

    fn rules_meant(&self, name: Option<&str>) -> Result<Vec<&Arc<Rule>>, Message> {
        let Some(name) = name else { return Ok(self.rules.values().collect()) };
        self.rule_named(&name.trim().into()).map(|rule| vec![rule]).ok_or_else(|| {
            Message::new(
                format!("没有叫“{name}”的规则；运行 deskbell rules 看有哪些"),
                format!("there is no rule \"{name}\"; deskbell rules lists them"),
            )
        })
    }

    fn explain_one(&self, rule: &Rule, key: &TicketKey, seen: &Seen<'_>, moment: Moment) -> Explanation {
        let verdict = verdict_of(rule, seen, moment.now);
        let count = match &rule.kind {
            RuleKind::Count(count) => group_of(count, seen, moment.now).map(|group| (count, Subject::Group(group))),
            RuleKind::Ticket | RuleKind::Sla(_) => None,
        };
        let own = Subject::Ticket(key.clone());
        let subject = count.as_ref().map_or(&own, |(_, subject)| subject);
        let alert = self.alert_of(rule, subject);
        let mut told = Explanation::of(rule, verdict, seen, alert, moment);
        if rule.mode != Mode::Disabled && !rule.watches(&key.source) {
            told.notes.insert(0, Message::new("这条规则不看这个数据源", "this rule does not watch this source"));
        }
        if let Some(alert) = alert.filter(|alert| alert.is_firing()) {
            self.say_how_told(alert, &mut told, moment);
        }
        if let RuleKind::Count(_) = &rule.kind {
            let counted = count.as_ref().map(|(count, subject)| (*count, subject));
            told.notes.insert(0, self.counted(rule, counted));
        }
        if let Some(expiry) = alert.and_then(|alert| expiry(rule, alert, seen, moment)) {
            told.notes.push(expiry);
        }
        told
    }

    /// The ticket's group and how many it has.
    fn counted(&self, rule: &Rule, group: Option<(&Count, &Subject)>) -> Message {
        let Some((count, subject)) = group else {
            return Message::new(
                "计数：分组的值未知，暂不改变它算在哪一组",
                "counting: the value it is grouped by is unknown; it stays counted where it was",
            );
        };
        let number = match (subject, self.tallies.get(&rule.name)) {
            (Subject::Group(group), Some(tally)) => tally.count(group),
            _ => 0,
        };
        let text = count_text(rule, count, subject, number);
        Message::new(format!("计数：{}", text.zh), format!("counting: {}", text.en))
    }
}

/// What a rule says of a ticket to which nothing just happened.
fn verdict_of(rule: &Rule, seen: &Seen<'_>, now: Timestamp) -> verdict::Verdict {
    match rule.kind {
        RuleKind::Count(_) => verdict::eval(&rule.when, seen, now),
        RuleKind::Ticket | RuleKind::Sla(_) => judge_rule(rule, seen, now),
    }
}

/// When a firing alert ends whatever the condition says.
fn expiry(rule: &Rule, alert: &Alert, seen: &Seen<'_>, moment: Moment) -> Option<Message> {
    let AlertState::Firing { fired_at, .. } = alert.state else { return None };
    let at = life::expires_at(rule, Some(seen.ticket), fired_at);
    let at = (!at.is_never()).then(|| moment.ahead(at))?;
    Some(Message::new(format!("最迟在 {}结束（expires）", at.zh), format!("ends at {} at the latest (expires)", at.en)))
}

/// The snapshot and the facts of an instant not before the first sight.
fn past(
    watched: &Watched,
    revisions: &[Revision],
    at: Timestamp,
) -> (Timestamp, Arc<crate::domain::ticket::Ticket>, Facts) {
    let tracked = &watched.tracked;
    let changes: Vec<_> = revisions.iter().map(|revision| (revision.at, Arc::clone(&revision.was))).collect();
    let snapshots = history::snapshots(&tracked.ticket, tracked.facts.first_seen, &changes);
    let mut facts = Facts { conversation: Known::Unknown, ..tracked.facts.clone() };
    let mut found = (tracked.facts.first_seen, Arc::clone(&tracked.ticket));
    let mut later: Option<&Arc<crate::domain::ticket::Ticket>> = None;
    for (seen_at, ticket) in snapshots.iter().rev() {
        if let Some(later) = later {
            facts = facts.before(ticket, later).into_owned();
        }
        found = (*seen_at, Arc::clone(ticket));
        if *seen_at <= at {
            break;
        }
        later = Some(ticket);
    }
    (found.0, found.1, facts)
}

fn not_tracked(id: &str) -> Message {
    Message::new(
        format!("没有看到过工单 {id}；运行 deskbell ticket 从服务台查它"),
        format!("no ticket {id} is under watch; deskbell ticket asks the helpdesk for it"),
    )
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::domain::{
        condition::{Condition, Operator, Target, Test},
        desk::{
            settings::{Settings, SourceSettings},
            state::{Stored, Tracked},
        },
        facts::Spell,
        field::Field,
        id::{RuleName, SourceName, TicketId},
        labels::Labels,
        rule::{CatchUp, RuleSet},
        ticket::{Status, Ticket},
        time::Span,
        verdict::Answer,
    };

    const START: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    fn after(hours: i64) -> Timestamp {
        START.plus(Span::from_hours(hours))
    }

    fn ticket(id: &str, status: Status) -> Ticket {
        let key = TicketKey::new(SourceName::from("desk"), TicketId::new(id));
        Ticket { status: Known::Present(status), ..Ticket::unknown(key) }
    }

    /// A desk that watches these tickets, each processing since the third hour and queueing before.
    fn desk(ids: &[&str]) -> Desk {
        let labels = Arc::new(Labels::none().clone());
        let source = SourceSettings { poll_every: Span::from_mins(5), catch_up: CatchUp::Digest, labels };
        let settings = Settings { sources: [(SourceName::from("desk"), source)].into(), ..Settings::bare() };
        let queued = Spell { status: Status::Queueing.code(), since: START };
        let facts = Facts { spells: Some([queued].into()), ..Facts::new(after(3), START) };
        let track = |id: &&str| Tracked {
            ticket: Arc::new(ticket(id, Status::Processing)),
            facts: facts.clone(),
            asked_at: after(3),
            list_hash: None,
            gone_at: None,
        };
        let queueing = Operator::CodeIs([Status::Queueing.code()].into());
        let when = Condition::Test(Test { target: Target::Field(Field::find("status").unwrap()), operator: queueing });
        let rule = Rule { formerly: vec!["old".into()], ..Rule::new(RuleName::from("queueing"), when) };
        let rules = RuleSet { rules: [(rule.name.clone(), rule)].into() };
        let stored = Stored { tickets: ids.iter().map(track).collect(), ..Stored::default() };
        Desk::open(stored, Arc::new(rules), settings, after(4)).0
    }

    #[test]
    fn a_ticket_is_meant_by_its_id_or_enough_of_its_end() {
        let many: Vec<String> = (0..7).map(|number| format!("90{number}77777")).collect();
        let ids: Vec<&str> =
            ["112233445566", "992233445566", "445566"].into_iter().chain(many.iter().map(String::as_str)).collect();
        let desk = desk(&ids);
        for (typed, meant) in [
            ("112233445566", "desk:112233445566"),
            (" #112233445566 ", "desk:112233445566"),
            ("desk:992233445566", "desk:992233445566"),
            ("445566", "desk:445566"),
            ("12233445566", "desk:112233445566"),
            ("90377777", "desk:90377777"),
        ] {
            assert_eq!(desk.ticket_meant(typed).map(|key| key.to_string()), Ok(meant.to_string()), "{typed}");
        }
        for (typed, said) in [
            ("", "last 5 digits"),
            ("5566", "last 5 digits"),
            ("desk:", "last 5 digits"),
            ("支付", "last 5 digits"),
            ("1234567", "no ticket 1234567"),
            ("other:112233445566", "no ticket 112233445566"),
            ("2233445566", "desk:112233445566, desk:992233445566"),
            ("77777", "desk:90477777, … (+2)"),
        ] {
            let error = desk.ticket_meant(typed).unwrap_err();
            assert!(error.en.contains(said), "{typed}: {error}");
        }
    }

    #[test]
    fn then_and_now_are_judged_each_by_its_own_snapshot() {
        let desk = desk(&["112233445566"]);
        let now = desk.explain("445566", Some("old"), after(4)).unwrap();
        assert_eq!((now.rules.len(), now.rules[0].answer, now.as_of), (1, Answer::No, after(3)));
        let was = Ticket { status: Known::Present(Status::Queueing), ..Ticket::unknown(now.ticket.clone()) };
        let revisions = [Revision { at: after(3), was: Arc::new(was) }];
        for (hour, answer, as_of) in [(0, Answer::Yes, 0), (2, Answer::Yes, 0), (3, Answer::No, 3)] {
            let then = desk.explain_past(&now.ticket, None, &revisions, after(hour)).unwrap();
            assert_eq!((then.rules[0].answer, then.as_of), (answer, after(as_of)), "{hour}");
        }
        let (_, _, facts) = past(&desk.tickets[&now.ticket], &revisions, after(2));
        assert_eq!((facts.status_since, facts.past_spells()), (START, &[][..]));
        assert!(desk.explain_past(&now.ticket, None, &revisions, START.minus(Span::from_ms(1))).is_err());
        assert!(desk.explain("445566", Some("nothing"), after(4)).is_err());
    }
}
