//! Whom a ticket's alerts reach now, and why. Nothing is decided and nothing changes here.

use std::sync::Arc;

use crate::domain::{
    alert::{Alert, AlertKey},
    desk::{
        count::group_of,
        hearing::{Cause, Hearing, Matter},
        machine::Desk,
    },
    facts::Facts,
    id::{ReceiverName, Subject, TicketKey},
    labels::Team,
    receiver::PersonId,
    route::{Reached, Routed, RuleRoute, TeamTried, When},
    rule::{Count, Mention, Mode, Rule, RuleKind, To},
    seen::Seen,
    story::Story,
    text::Message,
    ticket::{Known, Ticket},
    time::Timestamp,
    verdict::{self, Answer},
    why::why,
};

impl Desk {
    /// Whom the alerts of a ticket under watch reach.
    ///
    /// # Errors
    /// No ticket is meant, or several.
    pub fn route(&self, typed: &str, now: Timestamp) -> Result<Routed, Message> {
        let key = self.ticket_meant(typed)?;
        let hearing = self.hearing(&key, &Cause::Time, now);
        let gone = || Message::new("服务台已没有这张工单", "the helpdesk has no such ticket any more");
        Ok(self.routed(&key, &hearing.ok_or_else(gone)?, now))
    }

    /// Whom the alerts of a ticket would reach that is not under watch.
    pub fn route_of(&self, ticket: Arc<Ticket>, facts: Facts, as_of: Timestamp, now: Timestamp) -> Option<Routed> {
        let key = ticket.key.clone();
        let labels = Arc::clone(&self.settings.sources.get(&key.source)?.labels);
        let subject = Subject::Ticket(key.clone());
        let matter = Matter::Ticket { ticket, facts, labels, before: None };
        let hearing = Hearing { matter, ..Hearing::group(subject, 0, as_of, true, false) };
        Some(self.routed(&key, &hearing, now))
    }

    fn routed(&self, key: &TicketKey, hearing: &Hearing, now: Timestamp) -> Routed {
        let seen = hearing.seen();
        let mut teams = Vec::new();
        let mut choice = Message::new("没有团队符合", "no team fits");
        for team in self.labels_of(&key.source).teams.iter() {
            let Some(seen) = &seen else { break };
            let when = team.when.as_ref().map(|when| why(when, seen, now));
            let answer = when.as_ref().map_or(Answer::Yes, |when| when.answer);
            teams.push(TeamTried { name: team.name.clone(), answer, when });
            let name = &team.name;
            match answer {
                Answer::Yes => {
                    choice =
                        Message::new(format!("团队 {name}：第一个符合的"), format!("team {name}: the first that fits"));
                    break;
                }
                Answer::Unknown => {
                    choice = Message::new(
                        format!("团队未知：是不是 {name} 还看不出来"),
                        format!("the team is unknown: whether it is {name} cannot be told"),
                    );
                    break;
                }
                Answer::No => {}
            }
        }
        let title = seen.as_ref().and_then(|seen| seen.labels.headline_of(seen));
        let words = [To::Team, To::TeamLead, To::TeamOncall, To::Owner];
        let rules = self.rules.values().filter(|rule| rule.watches(&key.source));
        Routed {
            ticket: key.clone(),
            title,
            at: now,
            as_of: hearing.as_of,
            zone: self.settings.zone,
            teams,
            choice,
            words: words.iter().map(|to| self.reached(to, When::AtOnce, hearing, now)).collect(),
            rules: rules.map(|rule| self.rule_route(rule, hearing, now)).collect(),
        }
    }

    fn rule_route(&self, rule: &Rule, hearing: &Hearing, now: Timestamp) -> RuleRoute {
        let mode = (rule.mode != Mode::Live).then(|| Story::of(rule).mode);
        let counted = match (&rule.kind, hearing.seen()) {
            (RuleKind::Count(count), Some(seen)) => Some(counted(rule, count, &seen, now)),
            _ => None,
        };
        let (note, group) = counted.map_or((None, None), |(note, group)| (Some(note), Some(group)));
        let note = match (mode, note) {
            (Some(mode), Some(note)) => {
                Some(Message::new(format!("{}；{}", mode.zh, note.zh), format!("{}; {}", mode.en, note.en)))
            }
            (mode, note) => mode.or(note),
        };
        let lines = match group {
            None => self.lines_reached(rule, hearing, now),
            Some(Some(group)) => {
                let group = Hearing::group(Subject::Group(group), 0, hearing.as_of, true, false);
                self.lines_reached(rule, &group, now)
            }
            Some(None) => Vec::new(),
        };
        RuleRoute { rule: rule.name.clone(), note, lines }
    }

    fn lines_reached(&self, rule: &Rule, hearing: &Hearing, now: Timestamp) -> Vec<Reached> {
        let mut lines: Vec<Reached> = Vec::new();
        let mut add = |to: &To, when: When, mention: Option<&Mention>| {
            let mut line = self.reached(to, when, hearing, now);
            line.mention = mention.map(|mention| self.mentioned(mention, hearing, now));
            line.held = line.receiver.as_ref().and_then(|receiver| self.held_now(rule, receiver, hearing, now));
            lines.push(line);
        };
        match &rule.mode {
            Mode::Trial(to) => to.iter().for_each(|to| add(to, When::AtOnce, None)),
            Mode::Live | Mode::Disabled => {
                rule.notify.iter().for_each(|line| add(&line.to, When::AtOnce, line.mention.as_ref()));
                for (at, rung) in rule.ladder.iter().enumerate() {
                    add(&rung.to, When::Step(at + 1), rung.mention.as_ref());
                }
                rule.fallback.iter().for_each(|to| add(to, When::Fallback, None));
            }
        }
        lines
    }

    fn reached(&self, to: &To, when: When, hearing: &Hearing, now: Timestamp) -> Reached {
        let receiver = self.whom(to, hearing, now);
        let known = receiver.as_ref().and_then(|name| self.settings.receiver(name));
        let kind = known.map(|known| known.kind.clone());
        Reached { word: to.to_string(), when, receiver, kind, mention: None, held: None }
    }

    /// Why this receiver would not be told of an alert that began now.
    fn held_now(&self, rule: &Rule, receiver: &ReceiverName, hearing: &Hearing, now: Timestamp) -> Option<Message> {
        let key = AlertKey { subject: hearing.subject.clone(), rule: rule.name.clone() };
        let alert = Alert { severity: rule.severity, ..Alert::pending(key, now) };
        self.hushed(&alert, receiver, now).map(|hush| hush.words(self.settings.zone))
    }

    fn mentioned(&self, mention: &Mention, hearing: &Hearing, now: Timestamp) -> Message {
        let team = |of: fn(&Team) -> Option<&ReceiverName>| {
            let seen: Seen<'_> = hearing.seen()?;
            let team: &Team = seen.labels.team_of(&seen).present().copied()?;
            of(team).map(ToString::to_string)
        };
        let owner = || {
            let owner = hearing.ticket()?.agent_owner.present()?;
            [&owner.name, &owner.email].into_iter().find_map(|text: &Known<_>| Some(text.present()?.to_string()))
        };
        let (word, who) = match mention {
            Mention::Owner => (Message::new("负责人", "the owner"), owner()),
            Mention::Lead => (Message::new("团队负责人", "the lead"), team(|team| team.lead.as_ref())),
            Mention::Oncall => {
                (Message::new("值班", "on call"), self.whom(&To::TeamOncall, hearing, now).map(|name| name.to_string()))
            }
            Mention::Person(text) => {
                let person = PersonId::of(text).map_or_else(|| text.to_string(), |it| it.as_str().to_string());
                return Message::new(person.clone(), person);
            }
        };
        match who {
            Some(who) => Message::new(format!("{}（{who}）", word.zh), format!("{} ({who})", word.en)),
            None => word,
        }
    }
}

/// In which group a counting rule counts a ticket, and whether it does now. Nothing where nobody knows the group.
fn counted(rule: &Rule, count: &Count, seen: &Seen<'_>, now: Timestamp) -> (Message, Option<Arc<str>>) {
    let group = group_of(count, seen, now);
    let whose = match (&count.per, &group) {
        (None, _) => Message::new("不分组", "in one group"),
        (Some(_), None) => {
            return (Message::new("计数规则：看不出它属于哪一组", "a counting rule: nobody can tell its group"), None);
        }
        (Some(_), Some(value)) if value.is_empty() => Message::new("没有值的一组", "among those without a value"),
        (Some(_), Some(value)) => Message::new(format!("“{value}”一组"), format!("in the group `{value}`")),
    };
    let whether = match verdict::eval(&rule.when, seen, now).answer {
        Answer::Yes => Message::new("现在算在内", "counted now"),
        Answer::No => Message::new("现在不算在内", "not counted now"),
        Answer::Unknown => Message::new("算不算还看不出来", "whether it counts cannot be told"),
    };
    let note = Message::new(
        format!("计数规则，{}，{}", whose.zh, whether.zh),
        format!("a counting rule: {}, {}", whose.en, whether.en),
    );
    (note, group)
}
