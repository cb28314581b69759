//! Whom a rule means on this ticket: receivers, teams, owners.

use crate::domain::{
    alert::{Line, LineOf},
    calendar::Wait,
    desk::{
        hearing::{Hearing, Matter},
        machine::Desk,
    },
    id::{ReceiverName, Subject},
    labels::{Labels, Team},
    receiver::{PersonId, Receiver},
    rule::{Mode, Rule, RuleKind, To},
    ticket::Known,
    time::Timestamp,
};

impl Desk {
    /// The receiver that `to` means. Where the configuration names nobody, operations hears of it.
    pub(super) fn whom(&self, to: &To, hearing: &Hearing, now: Timestamp) -> Option<ReceiverName> {
        let team = |of: fn(&Team) -> Option<&ReceiverName>| {
            let team = self.team_of(hearing)?;
            Some(of(team).unwrap_or(&team.to).clone())
        };
        let found = match to {
            To::Receiver(name) => return Some(name.clone()),
            To::Team => team(|team| Some(&team.to)),
            To::TeamLead => team(|team| team.lead.as_ref()),
            To::TeamOncall => self.team_of(hearing).map(|team| self.on_call_for(team, now)),
            To::Owner => match owner_of(hearing) {
                Some(owner) => Some(owner),
                None => return self.whom(&To::Team, hearing, now),
            },
        };
        found.or_else(|| self.without_team())
    }

    fn team_of(&self, hearing: &Hearing) -> Option<&Team> {
        match &hearing.matter {
            Matter::Ticket { .. } => {
                let source = hearing.subject.source()?;
                self.labels_of(source).team_of(&hearing.seen()?).present().copied()
            }
            Matter::Group { .. } => {
                let Subject::Group(value) = &hearing.subject else { return None };
                self.any_labels()?.teams.iter().find(|team| team.name.as_str() == &**value)
            }
        }
    }

    /// Every source's labels name the same teams.
    pub(super) fn any_labels(&self) -> Option<&Labels> {
        self.settings.sources.values().next().map(|source| &*source.labels)
    }

    /// No team is the ticket's: the one receiver there is, if no teams are configured, else operations.
    fn without_team(&self) -> Option<ReceiverName> {
        let teams = self.any_labels().is_some_and(|labels| !labels.teams.is_empty());
        let mut names = self.settings.receivers.keys();
        match (teams, names.next(), names.next()) {
            (false, Some(only), None) => Some(only.clone()),
            _ => self.settings.operations.clone(),
        }
    }

    /// The lines of an alert that begins to ring: whom the rule tells, each receiver once.
    pub(super) fn lines_of(&self, rule: &Rule, rung: Option<usize>, hearing: &Hearing, now: Timestamp) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::with_capacity(rule.notify.len().max(1));
        let mut add = |to: &To, from: LineOf| {
            let Some(receiver) = self.whom(to, hearing, now) else { return };
            if lines.iter().all(|line| line.receiver != receiver) {
                let next_at = next_repeat(rule, from, 0).map(|wait| wait.ends(now));
                lines.push(Line { next_at, ..Line::new(receiver, from) });
            }
        };
        match (&rule.mode, &rule.kind, rung.and_then(|at| Some((at, rule.ladder.get(at)?)))) {
            (Mode::Trial(to), ..) => to.iter().for_each(|to| add(to, LineOf::Nothing)),
            (_, RuleKind::Sla(_), Some((at, rung))) => add(&rung.to, LineOf::rung(at)),
            _ => rule.notify.iter().enumerate().for_each(|(at, notify)| add(&notify.to, LineOf::notify(at))),
        }
        lines
    }
}

/// The person who owns the ticket, where one does and can be addressed.
fn owner_of(hearing: &Hearing) -> Option<ReceiverName> {
    let owner = hearing.ticket()?.agent_owner.present()?;
    // An agent's number is no telephone number.
    let address = |text: &Known<_>| {
        let text: &crate::domain::ticket::Text = text.present()?;
        PersonId::of(text).filter(|person| !matches!(person, PersonId::Mobile(_)))
    };
    address(&owner.id).or_else(|| address(&owner.email)).map(|person| Receiver::name_of_person(&person))
}

/// The wait before the repeat after `repeats` repeats; the last wait of the list goes on.
pub(super) fn next_repeat(rule: &Rule, from: LineOf, repeats: u32) -> Option<&Wait> {
    let LineOf::Notify(at) = from else { return None };
    let notify = rule.notify.get(usize::try_from(at).ok()?)?;
    if repeats >= notify.repeat_max {
        return None;
    }
    let index = usize::try_from(repeats).unwrap_or(usize::MAX);
    notify.repeat.get(index).or(notify.repeat.last())
}
