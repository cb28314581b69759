//! Which buttons an alert's card has: what its template offers, as far as the alert's state lets it.

use crate::domain::{
    alert::{Alert, AlertState},
    card::{Button, Does, Menu, Press},
    notice::{AlertView, Step},
    rule::Until,
    text::{Locale, Words},
};

/// A button that a template may offer on a card that nobody has taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Offer {
    /// 我来处理.
    Take,
    /// 稍后提醒.
    Snooze,
    /// 更多.
    More,
}

impl Offer {
    /// Every offer with the words templates name it by.
    pub const ALL: [(Self, Words); 3] = [
        (Self::Take, Words { zh: "我来处理", en: "take" }),
        (Self::Snooze, Words { zh: "稍后提醒", en: "snooze" }),
        (Self::More, Words { zh: "更多", en: "more" }),
    ];

    /// What a card offers whose template says nothing of buttons.
    pub const USUAL: [Self; 3] = [Self::Take, Self::Snooze, Self::More];

    /// The offer of that name, in either language.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, words)| words.zh == name || words.en == name).map(|(offer, _)| offer)
    }
}

/// What the take button does not do, for the line under it.
pub const TAKE_HINT: Words = Words {
    zh: "“我来处理”不会改动飞书里的负责人",
    en: "\"I'll take it\" leaves the ticket's owner in Feishu as it is",
};

/// The button that opens where agents work.
const OPEN_HELPDESK: Words = Words { zh: "打开服务台", en: "Open the helpdesk" };

/// The buttons of an alert's card.
///
/// | the alert | buttons |
/// | --- | --- |
/// | rings | 我来处理, 稍后提醒, 更多, as the template offers them |
/// | is taken | 已处理 (where the rule says `until: handled`), 交回, 更多 |
/// | is taken, and the taker is asked how it stands | 已处理, 还在处理, 交回 |
/// | is pending, in trial or over; its card was replaced | none |
///
/// 更多 and 稍后提醒 show further ones, with the way back.
pub fn buttons(view: &AlertView, offers: &[Offer], locale: Locale) -> Vec<Button> {
    let alert = &view.alert;
    if !matches!(alert.state, AlertState::Firing { .. }) || alert.trial || view.step == Step::Ended {
        return Vec::new();
    }
    let presses = match (&view.menu, &alert.taken) {
        (Menu::Replaced, _) => Vec::new(),
        (Menu::More, _) => more(alert),
        (Menu::Later, _) => vec![Press::Snooze30m, Press::Snooze2h, Press::SnoozeWorkday, Press::Back],
        (Menu::Why(_), _) => vec![Press::Back],
        (Menu::Plain, Some(taken)) if taken.asked_at.is_some() => vec![Press::Done, Press::Take, Press::Release],
        (Menu::Plain, Some(_)) => {
            let handled = view.rule.as_ref().is_some_and(|rule| matches!(rule.until, Until::Handled));
            let done = handled.then_some(Press::Done);
            done.into_iter().chain([Press::Release, Press::More]).collect()
        }
        (Menu::Plain, None) => offers.iter().map(|offer| offered(*offer)).collect(),
    };
    let asked = alert.taken.as_ref().is_some_and(|taken| taken.asked_at.is_some());
    let button = |(at, press): (usize, Press)| Button {
        text: words(press, asked).get(locale).to_string(),
        primary: at == 0 && matches!(press, Press::Take | Press::Done),
        does: Does::Press(press, alert.key.clone(), alert.episode),
    };
    let mut buttons: Vec<Button> = presses.into_iter().enumerate().map(button).collect();
    if view.menu == Menu::More {
        let after_why = buttons.len().min(1);
        buttons.splice(after_why..after_why, opener(view, locale));
    }
    buttons
}

/// Opens where agents work on the ticket; the platform has no address of a single one.
fn opener(view: &AlertView, locale: Locale) -> Option<Button> {
    let address = view.ticket.as_ref()?.labels.workbench.as_deref()?;
    let is_web = address.starts_with("https://") || address.starts_with("http://");
    let text = OPEN_HELPDESK.get(locale).to_string();
    is_web.then(|| Button { text, primary: false, does: Does::Open(address.to_string()) })
}

/// Whether the card explains its take button.
pub fn has_take_hint(view: &AlertView, buttons: &[Button]) -> bool {
    let takes = |button: &Button| matches!(button.does, Does::Press(Press::Take, ..));
    view.alert.taken.is_none() && view.ticket.is_some() && buttons.iter().any(takes)
}

/// All the rest: a counting rule's alert has no ticket to be silenced.
fn more(alert: &Alert) -> Vec<Press> {
    let is_ticket = alert.key.subject.ticket().is_some();
    let silence: &[Press] = if is_ticket { &[Press::Silence2h, Press::SilenceWorkday] } else { &[] };
    [Press::Why].iter().chain(silence).chain(&[Press::Done, Press::Back]).copied().collect()
}

const fn offered(offer: Offer) -> Press {
    match offer {
        Offer::Take => Press::Take,
        Offer::Snooze => Press::Later,
        Offer::More => Press::More,
    }
}

/// What a button says.
pub const fn words(press: Press, asked: bool) -> Words {
    match press {
        Press::Take if asked => Words { zh: "还在处理", en: "Still on it" },
        Press::Take => Words { zh: "我来处理", en: "I'll take it" },
        Press::Release => Words { zh: "交回", en: "Give it back" },
        Press::Done => Words { zh: "已处理", en: "Handled" },
        Press::Later => Words { zh: "稍后提醒", en: "Remind me later" },
        Press::Snooze30m => Words { zh: "30 分钟", en: "30 minutes" },
        Press::Snooze2h => Words { zh: "2 小时", en: "2 hours" },
        Press::SnoozeWorkday => Words { zh: "下个工作日", en: "Next working day" },
        Press::More => Words { zh: "更多", en: "More" },
        Press::Why => Words { zh: "为什么提醒", en: "Why it rings" },
        Press::Back => Words { zh: "返回", en: "Back" },
        Press::Silence2h => Words { zh: "静默此工单 2 小时", en: "Silence this ticket for 2 hours" },
        Press::SilenceWorkday => {
            Words { zh: "静默此工单到下个工作日", en: "Silence this ticket until the next working day" }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{
        actor::Actor,
        alert::{AlertKey, EndReason, Taken},
        condition::Condition,
        id::{RuleName, Subject, TicketKey},
        rule::Rule,
        text::Message,
        time::Timestamp,
    };

    fn view(until: Until, change: impl FnOnce(&mut AlertView)) -> AlertView {
        let subject = Subject::Ticket(TicketKey::new("desk".into(), "1".into()));
        let key = AlertKey { subject, rule: RuleName::from("r") };
        let at = Timestamp::from_ms(1);
        let mut alert = Alert::pending(key, at);
        alert.episode = 3;
        alert.state = AlertState::Firing { fired_at: at, stale_as_of: None };
        let rule = Rule { until, ..Rule::new(RuleName::from("r"), Condition::All(Vec::new())) };
        let mut view = AlertView {
            alert,
            rule: Some(Arc::new(rule)),
            ticket: None,
            step: Step::Fired,
            ordinal: 0,
            menu: Menu::Plain,
            silenced: None,
            untold: None,
        };
        change(&mut view);
        view
    }

    fn taken(asked: bool) -> Option<Taken> {
        let at = Timestamp::from_ms(1);
        Some(Taken { by: Actor::person("ou_li".into()), at, until: at, asked_at: asked.then_some(at) })
    }

    #[test]
    fn buttons_follow_from_the_state() {
        type Change = fn(&mut AlertView);
        let over = AlertState::Ended { fired_at: None, ended_at: Timestamp::from_ms(2), reason: EndReason::Cleared };
        let cases: [(&str, Until, Change, &str); 11] = [
            ("rings", Until::Handled, |_| {}, "我来处理! 稍后提醒 更多"),
            ("taken", Until::Cleared, |view| view.alert.taken = taken(false), "交回 更多"),
            ("taken, until handled", Until::Handled, |view| view.alert.taken = taken(false), "已处理! 交回 更多"),
            ("asked", Until::Cleared, |view| view.alert.taken = taken(true), "已处理! 还在处理 交回"),
            (
                "more",
                Until::Cleared,
                |view| view.menu = Menu::More,
                "为什么提醒 静默此工单 2 小时 静默此工单到下个工作日 已处理 返回",
            ),
            (
                "more of a group",
                Until::Cleared,
                |view| {
                    view.menu = Menu::More;
                    view.alert.key.subject = Subject::Group("支付".into());
                },
                "为什么提醒 已处理 返回",
            ),
            ("later", Until::Cleared, |view| view.menu = Menu::Later, "30 分钟 2 小时 下个工作日 返回"),
            ("why", Until::Cleared, |view| view.menu = Menu::Why(Message::default()), "返回"),
            ("replaced", Until::Cleared, |view| view.menu = Menu::Replaced, ""),
            ("trial", Until::Cleared, |view| view.alert.trial = true, ""),
            ("pending", Until::Cleared, |view| view.alert.state = AlertState::Pending, ""),
        ];
        for (name, until, change, expected) in cases {
            let found = buttons(&view(until, change), &Offer::USUAL, Locale::Zh);
            let told: Vec<String> = found
                .iter()
                .map(|button| format!("{}{}", button.text, if button.primary { "!" } else { "" }))
                .collect();
            assert_eq!(told.join(" "), expected, "{name}");
            assert!(found.iter().all(|button| matches!(&button.does, Does::Press(_, _, 3))), "{name}");
        }
        let ended = view(Until::Cleared, |view| view.alert.state = over);
        assert!(buttons(&ended, &Offer::USUAL, Locale::Zh).is_empty());
        let bare = view(Until::Cleared, |_| {});
        assert_eq!(buttons(&bare, &[Offer::Take], Locale::En).len(), 1);
        assert!(buttons(&bare, &[], Locale::En).is_empty());
        let handed_on = view(Until::Cleared, |view| view.alert.taken = taken(false));
        assert_eq!(buttons(&handed_on, &[], Locale::En).len(), 2, "what is taken can be given back");
    }

    #[test]
    fn every_button_has_words() {
        for (press, _) in Press::ALL {
            let words = words(press, false);
            assert!(!words.zh.is_empty() && !words.en.is_empty());
        }
        for (offer, words) in Offer::ALL {
            assert_eq!(Offer::from_name(words.zh), Some(offer));
            assert_eq!(Offer::from_name(words.en), Some(offer));
        }
    }
}
