//! The life cycle's table, made by the desk itself: an alert is brought into each state, each thing happens to it, and
//! what it is then and who is told is written down.

use std::{collections::BTreeMap, sync::Arc};

use deskbell::domain::{
    actor::Actor,
    alert::{Alert, AlertState, EndReason},
    calendar::Wait,
    deed::{Act, Deed, Place, Rest, Tone, Which},
    delivery::{Delivered, SendReport},
    desk::{
        input::{Input, NewRules, Observed, Page, PassEnded, PassKind, ReadResult, TicketRead},
        machine::Desk,
        outcome::{Effect, Outcome, Write},
        state::Stored,
    },
    id::{MessageId, RuleName},
    notice::Step,
    rule::{CatchUp, Rule, RuleSet, Rung, RungAt, To},
    text::{Locale, Words},
    ticket::{Known, Status, Ticket},
    time::{Span, Timestamp},
};

use crate::{
    histories::{helpdesk, oracle, random::Random},
    world::notify,
};

use super::tables::table;

const START: Timestamp = Timestamp::from_ms(1_790_000_000_000);
const HOLD: Span = Span::from_mins(10);
const STEP: Span = Span::from_hours(2);
const EXPIRES: Span = Span::from_days(2);
const TAKEN_FOR: Span = Span::from_hours(4);
const PUT_OFF: Span = Span::from_hours(3);

/// Where an alert stands when something happens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stand {
    None,
    Pending,
    Firing,
    Taken,
    PutOff,
    Latched,
}

/// What happens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Event {
    Yes,
    No,
    Unknown,
    HeldLong,
    Expires,
    Gone,
    Removed,
    TakenByOne,
    TakenByOther,
    GivenBack,
    Handled,
    PutOffNow,
    AgentReplies,
    StepDue,
    TimeOver,
    NoAnswer,
}

const STANDS: [(Stand, Words); 6] = [
    (Stand::None, Words { zh: "没有", en: "none" }),
    (Stand::Pending, Words { zh: "计时中", en: "pending" }),
    (Stand::Firing, Words { zh: "在响", en: "firing" }),
    (Stand::Taken, Words { zh: "有人接手", en: "taken" }),
    (Stand::PutOff, Words { zh: "推迟", en: "put off" }),
    (Stand::Latched, Words { zh: "已结束但仍成立", en: "over, still holding" }),
];

const EVENTS: [(Event, Words); 16] = [
    (Event::Yes, Words { zh: "条件成立", en: "the condition holds" }),
    (Event::HeldLong, Words { zh: "已持续 `for` 那么久", en: "it held for `for`" }),
    (Event::No, Words { zh: "条件不成立", en: "the condition does not hold" }),
    (Event::Unknown, Words { zh: "不知道成不成立", en: "nobody knows whether it holds" }),
    (Event::StepDue, Words { zh: "升级到点", en: "a step of the ladder is due" }),
    (Event::Expires, Words { zh: "到了 `expires`", en: "`expires` is reached" }),
    (Event::Gone, Words { zh: "工单不存在了", en: "the ticket is gone" }),
    (Event::Removed, Words { zh: "规则删了", en: "the rule is removed" }),
    (Event::TakenByOne, Words { zh: "李雷点“我来处理”", en: "Li takes it" }),
    (Event::TakenByOther, Words { zh: "韩梅梅点“我来处理”", en: "Han takes it" }),
    (Event::AgentReplies, Words { zh: "客服在工单里回复", en: "an agent replies on the ticket" }),
    (Event::GivenBack, Words { zh: "交回", en: "it is given back" }),
    (Event::PutOffNow, Words { zh: "稍后提醒", en: "it is put off" }),
    (Event::Handled, Words { zh: "已处理", en: "it is said to be handled" }),
    (Event::TimeOver, Words { zh: "接手或推迟的时间到了", en: "the time it was taken or put off for is over" }),
    (Event::NoAnswer, Words { zh: "问了 30 分钟没有回答", en: "30 minutes without an answer" }),
];

/// The table in one language.
pub(super) fn life(locale: Locale) -> String {
    let head =
        [Words { zh: "发生了什么", en: "What happens" }].into_iter().chain(STANDS.iter().map(|(_, words)| *words));
    let head: Vec<&str> = head.map(|words| words.get(locale)).collect();
    let head: [&str; 7] = head.try_into().unwrap();
    table(
        head,
        EVENTS.iter().map(|(event, words)| {
            let mut row = vec![words.get(locale).to_string()];
            row.extend(STANDS.iter().map(|(stand, _)| cell(*stand, *event, locale)));
            let row: [String; 7] = row.try_into().unwrap();
            row
        }),
    )
}

fn cell(stand: Stand, event: Event, locale: Locale) -> String {
    let mut stage = Stage::new();
    stage.bring_to(stand);
    let before = stage.state();
    stage.told.clear();
    if !stage.happens(event, stand) {
        return "—".to_string();
    }
    let after = stage.state();
    let mut words = Vec::new();
    if after.0 != before.0 {
        // What was over is not over once more: it only stopped holding.
        let again = Words { zh: "可以再响", en: "may ring again" };
        let now = if stand == Stand::Latched && after.0 == "ended" { again } else { after.1 };
        words.push(now.get(locale).to_string());
    }
    if let Some(tone) = stage.tone.filter(|tone| *tone != Tone::Done) {
        let said = match tone {
            Tone::Already => Words { zh: "告诉他已是这样", en: "they are told so" },
            Tone::Refused => Words { zh: "告诉他为什么不行", en: "they are told why not" },
            _ => Words { zh: "告诉他没有在响的", en: "they are told that nothing rings" },
        };
        words.push(said.get(locale).to_string());
    }
    let mut told: Vec<&str> = stage.told.iter().filter_map(|step| step_words(*step)).map(|it| it.get(locale)).collect();
    told.dedup();
    words.extend(told.into_iter().map(ToString::to_string));
    if words.is_empty() {
        words.push(Words { zh: "不变", en: "stays" }.get(locale).to_string());
    }
    words.join(Words { zh: "；", en: "; " }.get(locale))
}

const fn step_words(step: Step) -> Option<Words> {
    Some(match step {
        Step::Fired => Words { zh: "发卡片", en: "its card is sent" },
        Step::Repeated => Words { zh: "再提醒", en: "a reminder" },
        Step::Escalated => Words { zh: "升级", en: "escalated" },
        Step::Asked => Words { zh: "问接手的人", en: "the taker is asked" },
        Step::Woken => Words { zh: "说还在响", en: "said that it still rings" },
        Step::Update => Words { zh: "更新卡片", en: "its card is updated" },
        _ => return None,
    })
}

/// A desk with one ticket and one rule.
struct Stage {
    desk: Desk,
    now: Timestamp,
    rule: RuleName,
    alert: Option<Alert>,
    told: Vec<Step>,
    tone: Option<Tone>,
    status: Known<Status>,
    replied_at: Option<Timestamp>,
    pass: u64,
    acts: u32,
}

impl Stage {
    fn new() -> Self {
        let mut settings = oracle::settings(&mut Random::new(1));
        settings.sources.values_mut().for_each(|source| source.catch_up = CatchUp::Each);
        let rule = Rule {
            hold: Wait::wall(HOLD),
            expires: Some(EXPIRES),
            taken_for: Wait::wall(TAKEN_FOR),
            notify: vec![notify("support")],
            ladder: vec![Rung {
                at: RungAt::After(Wait::wall(STEP)),
                severity: None,
                to: To::Receiver("leads".into()),
                template: None,
                mention: None,
                urgent: None,
            }],
            meaning: 1,
            ..Rule::new(RuleName::from("r"), oracle::codes("status", &[5]))
        };
        let name = rule.name.clone();
        let rules = RuleSet { rules: BTreeMap::from([(name.clone(), rule)]) };
        let (desk, outcome) = Desk::open(Stored::default(), Arc::new(rules), settings, START);
        let mut stage = Self {
            desk,
            now: START,
            rule: name,
            alert: None,
            told: Vec::new(),
            tone: None,
            status: Known::Present(Status::Processing),
            replied_at: None,
            pass: 0,
            acts: 0,
        };
        stage.take(outcome);
        stage.read();
        stage
    }

    fn bring_to(&mut self, stand: Stand) {
        if stand == Stand::None {
            return;
        }
        self.status = Known::Present(Status::WaitingForUser);
        self.read();
        if stand == Stand::Pending {
            return;
        }
        self.wait(HOLD);
        match stand {
            Stand::Taken => self.act("ou_li", Deed::Take),
            Stand::PutOff => self.act("ou_li", |which| Deed::Snooze(which, Rest::For(PUT_OFF))),
            Stand::Latched => self.act("ou_li", Deed::Done),
            _ => {}
        }
        self.wait(Span::from_mins(1));
    }

    /// Lets it happen; says whether it can.
    fn happens(&mut self, event: Event, stand: Stand) -> bool {
        self.tone = None;
        match event {
            Event::Yes => self.shows(Known::Present(Status::WaitingForUser)),
            Event::No => self.shows(Known::Present(Status::Processing)),
            Event::Unknown => self.shows(Known::Unknown),
            Event::HeldLong if stand == Stand::Pending => self.wait(HOLD),
            Event::StepDue if matches!(stand, Stand::Firing | Stand::Taken | Stand::PutOff) => self.wait(STEP),
            Event::Expires if self.state().0 == "firing" => self.wait(EXPIRES),
            Event::Gone => {
                let read = TicketRead { key: helpdesk::key(1), asked_at: self.now, result: ReadResult::Gone };
                self.handle(Input::TicketRead(read));
            }
            Event::Removed => self.handle(Input::Rules(NewRules::only(Arc::default()))),
            Event::TakenByOne if stand != Stand::None => self.act("ou_li", Deed::Take),
            Event::TakenByOther if stand != Stand::None => self.act("ou_han", Deed::Take),
            Event::GivenBack if stand != Stand::None => self.act("ou_li", Deed::Release),
            Event::Handled if stand != Stand::None => self.act("ou_li", Deed::Done),
            Event::PutOffNow if stand != Stand::None => {
                self.act("ou_li", |which| Deed::Snooze(which, Rest::For(PUT_OFF)));
            }
            Event::AgentReplies => {
                self.replied_at = Some(self.now);
                self.read();
            }
            Event::TimeOver if stand == Stand::Taken => self.wait(TAKEN_FOR),
            Event::TimeOver if stand == Stand::PutOff => self.wait(PUT_OFF),
            Event::NoAnswer if stand == Stand::Taken => {
                self.wait(TAKEN_FOR);
                self.told.clear();
                self.wait(Span::from_mins(30));
            }
            _ => return false,
        }
        true
    }

    fn state(&self) -> (&'static str, Words) {
        let Some(alert) = &self.alert else { return ("none", Words { zh: "没有", en: "none" }) };
        match &alert.state {
            AlertState::Pending => ("pending", Words { zh: "计时中", en: "pending" }),
            AlertState::Firing { .. } if alert.taken.is_some() => ("taken", Words { zh: "有人接手", en: "taken" }),
            AlertState::Firing { .. } if alert.snoozed.is_some() => ("put off", Words { zh: "推迟", en: "put off" }),
            AlertState::Firing { .. } => ("firing", Words { zh: "在响", en: "firing" }),
            AlertState::Ended { fired_at: None, .. } => ("none", Words { zh: "没有", en: "none" }),
            AlertState::Ended { .. } if alert.latched => ("latched", latched(alert)),
            AlertState::Ended { reason, .. } => ("ended", ended(*reason)),
        }
    }

    fn act(&mut self, who: &str, deed: impl FnOnce(Which) -> Deed) {
        self.acts += 1;
        let Some(alert) = &self.alert else { return };
        let act = Act {
            id: MessageId::new(format!("act-{}", self.acts)),
            by: Actor::person(who.into()),
            place: Place::Admin,
            clicked: None,
            deed: deed(Which::Episode(alert.key.clone(), alert.episode)),
            locale: Locale::Zh,
        };
        self.handle(Input::Act(Box::new(act)));
    }

    fn shows(&mut self, status: Known<Status>) {
        self.status = status;
        self.read();
    }

    /// The source is read, completely.
    fn read(&mut self) {
        self.now = self.now.plus(Span::from_secs(1));
        self.pass += 1;
        let ticket = Ticket {
            status: self.status,
            score: Known::Empty,
            created_at: Known::Present(START),
            updated_at: Known::Present(self.now),
            agent_last_response_time: self.replied_at.into(),
            ..Ticket::unknown(helpdesk::key(1))
        };
        let seen = Observed { key: helpdesk::key(1), hash: self.pass, ticket: Some(Arc::new(ticket)) };
        let (source, asked_at, kind) = (helpdesk::SOURCE.into(), self.now, PassKind::Increment);
        self.handle(Input::Page(Page { source, pass: self.pass, kind, asked_at, tickets: vec![seen] }));
        self.handle(Input::PassEnded(PassEnded {
            source: helpdesk::SOURCE.into(),
            pass: self.pass,
            kind,
            started_at: self.now,
            calls: 1,
            every: Span::from_mins(4),
            next_poll: Timestamp::NEVER.minus(Span::from_days(1)),
            broken: 0,
            result: Ok(()),
        }));
    }

    /// Time goes on, and the source is read at its end.
    fn wait(&mut self, span: Span) {
        let until = self.now.plus(span);
        while self.desk.next_due() <= until {
            self.now = self.desk.next_due().max(self.now.plus(Span::from_ms(1)));
            self.handle(Input::Tick);
        }
        self.now = until.max(self.now);
        self.read();
    }

    fn handle(&mut self, input: Input) {
        let outcome = self.desk.handle(input, self.now);
        self.take(outcome);
    }

    fn take(&mut self, outcome: Outcome) {
        for write in outcome.writes {
            match write {
                Write::Alert(alert) if alert.key.rule == self.rule => self.alert = Some(*alert),
                Write::DropAlert(key) if key.rule == self.rule => self.alert = None,
                _ => {}
            }
        }
        if let Some(acted) = outcome.acted {
            self.tone = Some(acted.tone);
        }
        for effect in outcome.effects {
            match effect {
                Effect::Send(send) => {
                    if send.key.rule == self.rule {
                        self.told.push(send.key.step);
                    }
                    let message_id = Some(MessageId::new(send.key.uuid()));
                    let result = Ok(Delivered { message_id, absent: Vec::new() });
                    let report = SendReport { key: send.key, rev: send.rev, attempts: send.attempts, result };
                    self.handle(Input::Sent(report));
                }
                Effect::ReadTicket(_) => self.read(),
                _ => {}
            }
        }
    }
}

fn latched(alert: &Alert) -> Words {
    match alert.state {
        AlertState::Ended { reason: EndReason::Expired, .. } => Words {
            zh: "结束（到时限），不再成立前不再响",
            en: "over (expired), silent until it stops holding",
        },
        _ => Words {
            zh: "结束（已处理），不再成立前不再响", en: "over (handled), silent until it stops holding"
        },
    }
}

fn ended(reason: EndReason) -> Words {
    match reason {
        EndReason::Cleared => Words { zh: "结束（不再成立）", en: "over (cleared)" },
        EndReason::Handled => Words { zh: "结束（已处理）", en: "over (handled)" },
        EndReason::Expired => Words { zh: "结束（到时限）", en: "over (expired)" },
        EndReason::TicketGone => Words { zh: "结束（工单不存在）", en: "over (ticket gone)" },
        EndReason::RuleChanged => Words { zh: "结束（规则改了）", en: "over (rule changed)" },
        EndReason::RuleRemoved => Words { zh: "结束（规则删了）", en: "over (rule removed)" },
        EndReason::UntilMet => Words { zh: "结束（`until` 成立）", en: "over (`until` holds)" },
    }
}
