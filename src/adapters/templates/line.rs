//! A reply under an alert's card: its template's title, and a line of what happened at that time and what to do. It has no
//! buttons and no severity's colour, because nothing updates it; how the alert stands is shown by the card above it.

use crate::{
    adapters::templates::{frame::Draft, library::Surroundings, standing, words},
    domain::{
        alert::Taken,
        card::{Button, Colour, Does, Press, escape_markdown},
        card_buttons::{self, Offer},
        notice::{AlertView, Content, Send, Step},
        text::{Locale, Message},
    },
};

/// What a draft says in a line; `offers` are the buttons of the card above it.
pub(crate) fn of(draft: Draft, offers: &[Offer], send: &Send, around: &Surroundings) -> Draft {
    let Content::Alert(view) = &send.content else { return draft };
    let mut said: Vec<String> = Vec::new();
    if view.alert.is_firing() {
        said.push(happened(send, view, around).get(send.locale).to_string());
        let is_asked = |taken: &Taken| taken.asked_at.is_some();
        if view.alert.taken.as_ref().is_none_or(is_asked) {
            said.extend(next(&card_buttons::buttons(view, offers, send.locale), send.locale));
        }
    }
    let between = if send.locale == Locale::Zh { "" } else { " " };
    Draft { colour: Colour::Grey, tags: Vec::new(), body: escape_markdown(&said.join(between)), ..draft }
}

/// What happened, of an alert that rings.
fn happened(send: &Send, view: &AlertView, around: &Surroundings) -> Message {
    let alert = &view.alert;
    if let Some(taken) = alert.taken.as_ref().filter(|taken| taken.asked_at.is_some()) {
        let (who, until) = (taken.by.words(), words::near(taken.until, around.now, around.zone));
        return Message::new(
            format!("{} 接手到 {until}，时间到了还在响。30 分钟没有回答就重新开始提醒和升级。", who.zh),
            format!(
                "{} had it until {until}; it still rings. Without an answer for 30 minutes reminders and escalation \
                 begin anew.",
                who.en
            ),
        );
    }
    let put_off = alert.snoozed.as_ref().is_some_and(|snoozed| snoozed.until > around.now);
    if let Some(Message { zh, en }) = standing::standing(view, around).filter(|_| alert.taken.is_some() || put_off) {
        return Message::new(format!("{zh}。"), format!("{en}."));
    }
    let rung_for = around.now.since(alert.fired_at().unwrap_or(around.now));
    let [zh, en] = [Locale::Zh, Locale::En].map(|locale| words::duration(rung_for, locale));
    let nobody = Message::new(format!("已响 {zh}，没有人接手。"), format!("It has rung for {en}; nobody took it."));
    let (zh, en) = match (view.step, send.key.rung()) {
        (Step::Escalated, Some(rung)) => {
            (format!("升级第 {} 步：", rung + 1), format!("Step {} of the ladder. ", rung + 1))
        }
        (Step::Fallback, _) => ("升级已到最后一步：".to_string(), "The ladder is at its end. ".to_string()),
        (Step::Woken, _) => ("推迟的时间到了：".to_string(), "The time it was put off for is over. ".to_string()),
        (Step::Fired, _) => {
            let times = alert.episode;
            return Message::new(
                format!("又响了，这是第 {times} 次。"),
                format!("It rings again, for the {} time.", ordinal(times)),
            );
        }
        _ => Default::default(),
    };
    Message::new(zh + &nobody.zh, en + &nobody.en)
}

/// `2nd`.
fn ordinal(number: u32) -> String {
    let end = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{end}")
}

/// Where to act: the buttons of the card above that do something at once; nothing where it has none.
fn next(buttons: &[Button], locale: Locale) -> Option<String> {
    let acts = |button: &&Button| !matches!(button.does, Does::Press(Press::More, ..) | Does::Open(_));
    let named: Vec<String> = buttons
        .iter()
        .filter(acts)
        .map(|button| match locale {
            Locale::Zh => format!("“{}”", button.text),
            Locale::En => format!("\"{}\"", button.text),
        })
        .collect();
    let (last, before) = named.split_last()?;
    Some(match (locale, before.is_empty()) {
        (Locale::Zh, true) => format!("请在上面的卡片上点{last}。"),
        (Locale::Zh, false) => format!("请在上面的卡片上点{}或{last}。", before.join("")),
        (Locale::En, true) => format!("Press {last} on the card above."),
        (Locale::En, false) => format!("Press {} or {last} on the card above.", before.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_counted_in_english() {
        let cases =
            [(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th"), (21, "21st"), (113, "113th")];
        for (number, expected) in cases {
            assert_eq!(ordinal(number), expected);
        }
    }
}
