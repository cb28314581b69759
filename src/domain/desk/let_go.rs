//! Alerts of groups are let go of: long after they ended, and at once where a group's value names a guest who is to be
//! forgotten. An alert of a ticket goes with its ticket.

use crate::domain::{
    alert::{Alert, AlertState},
    desk::{forgotten::Named, machine::Desk, outcome::Write},
    id::Subject,
    time::{Span, Timestamp},
};

/// The platform knows a card by its key for an hour (`facts/feishu.md §3.1`): a group that rings anew within it must not
/// count from the beginning.
const KEY_KNOWN_FOR: Span = Span::from_hours(1);

/// Alerts that one look lets go of; the next one sees to the rest.
const LET_GO_MAX: usize = 500;

impl Desk {
    /// Lets go of groups' alerts that ended longer ago than closed tickets are kept.
    pub(super) fn let_go_of_groups(&mut self, now: Timestamp) {
        let is_old = |alert: &&Alert| match alert.state {
            AlertState::Ended { ended_at, .. } => ended_at.plus(self.settings.retention) <= now,
            AlertState::Pending | AlertState::Firing { .. } => false,
        };
        let old: Vec<Alert> = self.groups().filter(is_old).take(LET_GO_MAX).cloned().collect();
        for alert in &old {
            self.let_go(alert);
        }
    }

    /// Lets go of the alerts of groups that are named like a guest, with the journal about them; how many. One that
    /// rings, or began to within the hour, stays until it is old; one whose end someone has still to be told of, until
    /// they are.
    pub(super) fn forget_groups(&mut self, named: &Named, now: Timestamp) -> usize {
        let over = |alert: &&Alert| may_go(alert, now) && named.is_group(&alert.key.subject) && self.is_told_of(alert);
        let gone: Vec<Alert> = self.groups().filter(over).cloned().collect();
        for alert in &gone {
            self.let_go(alert);
            self.write(Write::ForgetAlert(alert.key.clone()));
        }
        gone.len()
    }

    /// Whether nobody has still to be told of an alert, nor a card to show its end.
    fn is_told_of(&self, alert: &Alert) -> bool {
        let of_key = self.past.values().filter(|past| past.key == alert.key);
        of_key
            .chain([alert])
            .all(|it| !self.is_unsettled(it) && self.outbox.of_episode(&it.key, it.episode).next().is_none())
    }

    fn groups(&self) -> impl Iterator<Item = &Alert> {
        let alerts = self.alerts.iter().filter(|(subject, _)| matches!(subject, Subject::Group(_)));
        alerts.flat_map(|(_, alerts)| alerts)
    }

    fn let_go(&mut self, alert: &Alert) {
        let past = self.past.keys().filter(|(key, _)| *key == alert.key).map(|(_, episode)| *episode);
        for episode in past.collect::<Vec<_>>() {
            if let Some(past) = self.past.remove(&(alert.key.clone(), episode)) {
                self.members.forget(&past);
                self.index.forget(&past, past.episode == alert.episode);
            }
            self.write(Write::DropPast(alert.key.clone(), episode));
        }
        self.members.forget(alert);
        self.drop_alert(&alert.key);
    }
}

/// Whether an alert is over, and began long enough ago.
pub fn may_go(alert: &Alert, now: Timestamp) -> bool {
    !alert.is_live() && alert.fired_at().is_none_or(|at| now.since(at) > KEY_KNOWN_FOR)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{
        alert::{AlertKey, EndReason, Line, LineOf},
        desk::{
            forgotten::words_of,
            input::Input,
            outbox::{card_of, notice_of},
            settings::Settings,
            state::{CardState, Stored},
        },
        id::TicketKey,
        notice::Step,
        rule::RuleSet,
        ticket::{Known, Person, Ticket},
    };

    const START: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    fn group(value: &str, state: AlertState) -> Alert {
        let key = AlertKey { subject: Subject::Group(value.into()), rule: "queue".into() };
        Alert { episode: 3, state, ..Alert::pending(key, START) }
    }

    fn over(fired_at: Timestamp, ended_at: Timestamp) -> AlertState {
        AlertState::Ended { fired_at: Some(fired_at), ended_at, reason: EndReason::Cleared }
    }

    fn desk(alerts: Vec<Alert>, now: Timestamp) -> Desk {
        let settings = Settings::bare();
        Desk::open(Stored { alerts, ..Stored::default() }, Arc::new(RuleSet::default()), settings, now).0
    }

    fn left(desk: &Desk) -> Vec<String> {
        desk.groups().map(|alert| alert.key.subject.to_string()).collect()
    }

    #[test]
    fn a_group_s_alert_goes_long_after_it_ended() {
        let alerts = vec![group("old", over(START, START)), group("new", over(START, START.plus(Span::from_days(3))))];
        let mut desk = desk(alerts, START.plus(Span::from_days(89)));
        assert_eq!(left(&desk).len(), 2);
        let outcome = desk.handle(Input::Tick, START.plus(Span::from_days(91)));
        assert_eq!(left(&desk), ["group:new"]);
        assert!(outcome.writes.iter().any(|write| matches!(write, Write::DropAlert(_))));
    }

    #[test]
    fn a_guest_s_groups_go_with_them_and_no_others() {
        let now = START.plus(Span::from_days(1));
        let recent = now.minus(Span::from_mins(30));
        let alerts = vec![
            group("韩梅梅", over(START, START)),
            group("李雷", over(START, START)),
            group("ou_guest", over(recent, now)),
        ];
        let mut desk = desk(alerts, now);
        let guest = Ticket {
            guest: Known::Present(Arc::new(Person { name: Known::Present("韩梅梅".into()), ..Default::default() })),
            ..Ticket::unknown(TicketKey::new("desk".into(), "1".into()))
        };
        let named = words_of("ou_guest", std::iter::once(&guest));
        assert_eq!(desk.forget_groups(&named, now), 1);
        assert_eq!(left(&desk), ["group:ou_guest", "group:李雷"]);
        assert_eq!(desk.forget_groups(&named, now.plus(Span::from_hours(1))), 1);
        assert_eq!(left(&desk), ["group:李雷"]);
    }
    #[test]
    fn an_ending_is_told_before_the_alert_goes() {
        let now = START.plus(Span::from_days(1));
        let line = Line::new("support".into(), LineOf::Notify(0));
        let alert = Alert { lines: vec![line], rev: 2, ..group("ou_guest", over(START, now)) };
        let named = words_of("ou_guest", std::iter::empty());
        let mut desk = desk(vec![alert.clone()], now);
        desk.tell(&alert, Step::Repeated, 1, &"support".into(), now);
        assert_eq!(desk.forget_groups(&named, now), 0, "a notice waits");
        desk.forget_notice(&notice_of(&alert, Step::Repeated, 1, &"support".into()));
        let key = card_of(&alert, &"support".into());
        let card = CardState { key, message: Some("om_1".into()), shown_rev: 1, posted_at: START, replaces: None };
        desk.put_card(card.clone());
        assert_eq!(desk.forget_groups(&named, now), 0, "a card shows it ringing");
        desk.drop_card(&card.key);
        assert_eq!(desk.forget_groups(&named, now), 1);
    }
}
