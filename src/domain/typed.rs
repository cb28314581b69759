//! What a button does, as words to type: for receivers whose cards have no buttons that tell deskbell anything.

use crate::domain::{
    alert,
    card::{Button, Card, Does, Press, escape_markdown},
    text::{Locale, Words},
};

/// Presses that can be typed, with what they do and the command, in the order they are told. The rest are ways to
/// these, or looks that a chat command gives better.
const TYPED: &[(Press, Words, &str)] = &[
    (Press::Take, Words { zh: "接手", en: "take it" }, "/take"),
    (Press::Release, Words { zh: "交回", en: "give it back" }, "/release"),
    (Press::Done, Words { zh: "已处理", en: "say that it is handled" }, "/done"),
    (Press::Later, Words { zh: "稍后提醒", en: "put it off" }, "/snooze"),
];

/// One line for each button that can be typed: 接手：在和 deskbell 的对话里发 /take 4F7A2C.
pub fn lines(buttons: &[Button], locale: Locale) -> Vec<String> {
    let one = |(press, words, command): &(Press, Words, &str)| {
        let (key, episode) = buttons.iter().find_map(|button| match &button.does {
            Does::Press(own, key, episode) if own == press => Some((key, *episode)),
            Does::Press(..) | Does::Open(_) | Does::Ask(_) => None,
        })?;
        let (what, reference) = (words.get(locale), alert::reference(key, episode));
        Some(match locale {
            Locale::Zh => format!("{what}：在和 deskbell 的对话里发 {command} {reference}"),
            Locale::En => format!("To {what}, send {command} {reference} to deskbell in chat"),
        })
    };
    TYPED.iter().filter_map(one).collect()
}

/// The card for a place where nobody can press a button: what opens an address stays, the rest becomes lines of the
/// body.
pub fn without_presses(card: &Card, locale: Locale) -> Card {
    let mut card = card.clone();
    for line in lines(&card.buttons, locale) {
        if !card.body.is_empty() {
            card.body.push('\n');
        }
        card.body.push_str(&escape_markdown(&line));
    }
    card.buttons.retain(|button| matches!(button.does, Does::Open(_)));
    card
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{alert::AlertKey, card::shown, id::Subject};

    fn press(press: Press) -> Button {
        let key = AlertKey { subject: Subject::Service, rule: "r".into() };
        Button { text: "x".to_owned(), primary: false, does: Does::Press(press, key, 3) }
    }

    #[test]
    fn presses_become_lines_and_addresses_stay() {
        let open = Button { text: "open".to_owned(), primary: false, does: Does::Open("https://a.example".to_owned()) };
        let buttons = vec![press(Press::More), press(Press::Later), open.clone(), press(Press::Take)];
        let card = Card { body: "why".to_owned(), buttons, ..Card::default() };
        let reference = alert::reference(&AlertKey { subject: Subject::Service, rule: "r".into() }, 3);
        let plain = without_presses(&card, Locale::Zh);
        assert_eq!(plain.buttons, [open]);
        assert_eq!(
            shown(&plain.body),
            format!(
                "why\n接手：在和 deskbell 的对话里发 /take {reference}\n稍后提醒：在和 deskbell 的对话里发 /snooze {reference}"
            )
        );
        let taken = [press(Press::Release), press(Press::More)];
        assert_eq!(lines(&taken, Locale::Zh), [format!("交回：在和 deskbell 的对话里发 /release {reference}")]);
        let english = lines(&card.buttons, Locale::En);
        assert_eq!(english[0], format!("To take it, send /take {reference} to deskbell in chat"));
    }

    #[test]
    fn a_card_without_presses_is_left_as_it_is() {
        let card = Card { body: "why".to_owned(), ..Card::default() };
        assert_eq!(without_presses(&card, Locale::Zh), card);
    }
}
