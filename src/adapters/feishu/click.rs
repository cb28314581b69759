//! A click on a card's button: read leniently, because the platform leaves fields out and echoes values in two forms,
//! and answered in the form it was asked in (`facts/feishu.md §5.7`). Nothing in it is trusted but who sent it.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::{
    adapters::feishu::card::{self, ASK, CHAT_CARD_BYTES_MAX},
    domain::{
        alert::AlertKey,
        card::{Card, Press, Question, cut},
        deed::Tone,
        id::{ChatId, MessageId, OpenId, RuleName, Subject},
        text::{Locale, Message},
    },
};

/// Bytes of a value that comes back as text.
const VALUE_BYTES_MAX: usize = 4_096;

/// Characters of an id or a name in a click.
const ID_CHARS_MAX: usize = 1_024;

/// Characters of a toast that says why something was not done, and what to do instead.
const TOAST_CHARS_MAX: usize = 200;

/// Columns of a toast that says what was done: it stands for seconds, and the card says the rest.
const DONE_COLUMNS_MAX: usize = 80;

/// The form a click came in, which its answer must have too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// `card.action.trigger`.
    Event,
    /// `card.action.trigger_v1`, the old one: flat, signed with the verification token.
    Flat,
}

/// A click.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Click {
    /// What repeats of it are told by.
    pub id: MessageId,
    /// Who.
    pub by: OpenId,
    /// In which chat, where that is said.
    pub chat: Option<ChatId>,
    /// On which message, where that is said.
    pub message: Option<MessageId>,
    /// The button.
    pub pressed: Pressed,
}

/// What a button of ours says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pressed {
    /// It does something to an alert.
    Act(OnAlert),
    /// It asks something.
    Ask(Question),
}

/// What a button does to an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnAlert {
    /// What it does.
    pub press: Press,
    /// To which alert.
    pub alert: AlertKey,
    /// In which episode.
    pub episode: u32,
    /// It stands on a reply, not on the alert's card.
    pub on_reply: bool,
}

/// Whether a body is a click of the old form: it has no envelope.
pub(super) fn is_flat(body: &Value) -> bool {
    body.get("schema").is_none() && body.get("header").is_none() && body.get("action").is_some_and(Value::is_object)
}

/// Reads a click; nothing where who clicked is not said, or the button is none of ours.
pub(super) fn read(body: &Value, form: Form) -> Option<Click> {
    let event = match form {
        Form::Event => body.get("event")?,
        Form::Flat => body,
    };
    let at = |pointers: &[&str]| pointers.iter().find_map(|pointer| id(event.pointer(pointer)?));
    let action = event.get("action").filter(|action| action.is_object())?;
    let value = action.get("value")?;
    let by = at(&["/operator/open_id", "/operator/operator_id/open_id", "/open_id"])?;
    let told = body.pointer("/header/event_id").and_then(id).map(str::to_string);
    let made = || hash(at(&["/token"]).unwrap_or_default(), value);
    Some(Click {
        id: MessageId::new(told.unwrap_or_else(made)),
        by: by.into(),
        chat: at(&["/context/open_chat_id", "/context/chat_id", "/open_chat_id"]).map(ChatId::from),
        message: at(&["/context/open_message_id", "/context/message_id", "/open_message_id"]).map(MessageId::from),
        pressed: pressed(value)?,
    })
}

/// The value of a button: an object, or text that holds one.
fn pressed(value: &Value) -> Option<Pressed> {
    let parsed: Value;
    let value = match value {
        Value::String(text) if text.len() <= VALUE_BYTES_MAX => {
            parsed = serde_json::from_str(text).ok()?;
            &parsed
        }
        other => other,
    };
    if value.get("do")?.as_str()? == ASK {
        return asked(value).map(Pressed::Ask);
    }
    let episode = value.get("episode")?;
    let episode = episode.as_u64().or_else(|| episode.as_str()?.parse().ok())?;
    Some(Pressed::Act(OnAlert {
        press: Press::from_name(value.get("do")?.as_str()?)?,
        alert: AlertKey {
            subject: Subject::parse(id(value.get("subject")?)?)?,
            rule: RuleName::from(id(value.get("rule")?)?),
        },
        episode: u32::try_from(episode).ok()?,
        on_reply: is_true(value, "reply"),
    }))
}

/// The question of a button.
fn asked(value: &Value) -> Option<Question> {
    let text = value.get("ask")?.as_str().filter(|text| !text.is_empty() && text.len() <= VALUE_BYTES_MAX)?;
    let locale = match value.get("locale").and_then(Value::as_str) {
        Some(name) if name == Locale::En.name() => Locale::En,
        _ => Locale::Zh,
    };
    Some(Question { text: text.to_string(), is_direct: is_true(value, "direct"), locale })
}

/// Values come back as they were sent, or as text.
fn is_true(value: &Value, key: &str) -> bool {
    value.get(key).is_some_and(|given| *given == json!(true) || *given == json!("true"))
}

/// A text that can be an id.
fn id(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty() && text.chars().nth(ID_CHARS_MAX).is_none())
}

/// An id for a delivery that has none: the token is the click's own.
fn hash(token: &str, value: &Value) -> String {
    let digest = Sha256::digest(format!("{token}\u{1f}{value}"));
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("click-{hex}")
}

/// As many sentences of a text as a glance takes in: whole ones, or the beginning of the first.
fn first_sentences(text: &str) -> String {
    let mut kept = 0;
    for (at, mark) in text.char_indices().filter(|(_, c)| matches!(c, '。' | '；' | ';' | '.')) {
        let end = at + mark.len_utf8();
        let rest = text.get(end..).unwrap_or_default();
        let ends = !mark.is_ascii() || rest.is_empty() || rest.starts_with(' ');
        let head = text.get(..end).unwrap_or_default();
        if ends && head.width() <= DONE_COLUMNS_MAX {
            kept = end;
        }
    }
    if text.width() <= DONE_COLUMNS_MAX {
        return text.to_string();
    }
    match text.get(..kept).map(|head| head.trim_end_matches(['。', '；', ';', '.'])) {
        Some(head) if !head.is_empty() => head.to_string(),
        _ => {
            let mut columns = 0;
            let fits = |c: &char| {
                columns += c.width().unwrap_or(0);
                columns < DONE_COLUMNS_MAX
            };
            let head: String = text.chars().take_while(fits).collect();
            format!("{}…", head.trim_end())
        }
    }
}

/// What the platform shows whoever clicked: a toast in the chat's language, and the card as it is now.
pub fn answer(form: Form, toast: Option<(Tone, &Message)>, card: Option<&Card>, locale: Locale) -> Value {
    let card = card.map(|card| card::to_value(card, CHAT_CARD_BYTES_MAX));
    let toast = toast.map(|(tone, words)| {
        let words = cut(words.get(locale), TOAST_CHARS_MAX);
        let words = if tone == Tone::Done { first_sentences(&words) } else { words };
        let kind = match tone {
            Tone::Done => "success",
            Tone::Already => "info",
            Tone::Refused | Tone::Missing => "warning",
        };
        // The chat's language, whatever the reader's own is: the card is in it too.
        json!({ "type": kind, "content": words, "i18n": { "zh_cn": words, "en_us": words } })
    });
    match (form, toast, card) {
        // The old form has room for one of them.
        (Form::Flat, _, Some(card)) => card,
        (Form::Flat, Some(toast), None) => json!({ "toast": toast }),
        (Form::Flat, None, None) => json!({}),
        (Form::Event, toast, card) => {
            let mut answer = json!({});
            if let Some(toast) = toast {
                answer["toast"] = toast;
            }
            if let Some(card) = card {
                answer["card"] = json!({ "type": "raw", "data": card });
            }
            answer
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::card::{Button, Does};

    fn body(event: Value) -> Value {
        json!({ "schema": "2.0", "header": { "event_id": "e7", "event_type": "card.action.trigger" }, "event": event })
    }

    fn value() -> Value {
        json!({ "do": "take", "subject": "ticket:it-desk:1001", "rule": "差评", "episode": 3 })
    }

    fn whole() -> Value {
        json!({
            "operator": { "tenant_key": "t", "open_id": "ou_li" }, "token": "c-1", "host": "im_message",
            "action": { "value": value(), "tag": "button" },
            "context": { "open_message_id": "om_1", "open_chat_id": "oc_a" },
        })
    }

    fn without(pointer: &str) -> Value {
        let mut event = whole();
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        event.pointer_mut(parent).and_then(Value::as_object_mut).unwrap().remove(key);
        event
    }

    #[test]
    fn a_click_is_read_with_whatever_is_there() {
        let click = read(&body(whole()), Form::Event).unwrap();
        assert_eq!(click.id.as_str(), "e7");
        assert_eq!(click.by.as_str(), "ou_li");
        assert_eq!((&click.chat, &click.message), (&Some("oc_a".into()), &Some("om_1".into())));
        let pressed = on_alert(&click);
        assert_eq!((pressed.press, pressed.episode), (Press::Take, 3));
        assert_eq!(pressed.alert.subject.to_string(), "ticket:it-desk:1001");
        assert!(!pressed.on_reply);
        for gone in ["/context", "/host", "/token", "/operator/tenant_key"] {
            assert!(read(&body(without(gone)), Form::Event).is_some(), "{gone}");
        }
        let mut event = whole();
        event["context"] = json!({ "chat_id": "oc_b" });
        event["action"]["value"] = json!(value().to_string());
        let click = read(&body(event.clone()), Form::Event).unwrap();
        assert_eq!((click.chat, click.message), (Some("oc_b".into()), None));
        let mut unnamed = body(event.clone());
        unnamed["header"].as_object_mut().unwrap().remove("event_id");
        let id = read(&unnamed, Form::Event).unwrap().id;
        assert_eq!(read(&unnamed, Form::Event).unwrap().id, id);
        unnamed["event"]["token"] = json!("c-2");
        assert_ne!(read(&unnamed, Form::Event).unwrap().id, id);
        let mut reply = whole();
        reply["action"]["value"]["reply"] = json!(true);
        assert!(on_alert(&read(&body(reply), Form::Event).unwrap()).on_reply);
    }

    fn on_alert(click: &Click) -> &OnAlert {
        match &click.pressed {
            Pressed::Act(pressed) => pressed,
            Pressed::Ask(question) => panic!("{question:?}"),
        }
    }

    #[test]
    fn a_button_that_asks_comes_back_as_it_was_sent() {
        for locale in [Locale::Zh, Locale::En] {
            for is_direct in [true, false] {
                let question = Question { text: "/tickets 状态:open 页:2".to_string(), is_direct, locale };
                let button = Button { text: "x".to_string(), primary: false, does: Does::Ask(question.clone()) };
                let card = card::to_value(&Card { buttons: vec![button], ..Card::default() }, CHAT_CARD_BYTES_MAX);
                let value = card.pointer("/elements/1/actions/0/value").unwrap();
                for value in [value.clone(), json!(value.to_string())] {
                    let mut event = whole();
                    event["action"]["value"] = value;
                    let click = read(&body(event), Form::Event).unwrap();
                    assert_eq!(click.pressed, Pressed::Ask(question.clone()));
                }
            }
        }
    }

    #[test]
    fn the_old_form_is_flat() {
        let flat = json!({
            "open_id": "ou_li", "user_id": "", "open_message_id": "om_1", "open_chat_id": "oc_a", "tenant_key": "t",
            "token": "c-1", "action": { "value": value(), "tag": "button" },
        });
        assert!(is_flat(&flat) && !is_flat(&body(whole())));
        let click = read(&flat, Form::Flat).unwrap();
        assert_eq!((click.by.as_str(), click.chat, click.message), ("ou_li", Some("oc_a".into()), Some("om_1".into())));
    }

    #[test]
    fn what_is_no_button_of_ours_is_nothing() {
        let long = "x".repeat(5_000);
        let mut wrong: Vec<Value> =
            ["/operator", "/operator/open_id", "/action", "/action/value"].map(without).to_vec();
        let changes = [
            json!("take"),
            json!(7),
            json!([]),
            json!({}),
            json!({ "do": "fly", "subject": "service", "rule": "r", "episode": 1 }),
            json!({ "do": 1, "subject": "service", "rule": "r", "episode": 1 }),
            json!({ "do": "take", "subject": "nonsense", "rule": "r", "episode": 1 }),
            json!({ "do": "take", "subject": "ticket:x", "rule": "r", "episode": 1 }),
            json!({ "do": "take", "subject": "service", "rule": "", "episode": 1 }),
            json!({ "do": "take", "subject": "service", "rule": long, "episode": 1 }),
            json!({ "do": "take", "subject": "service", "rule": "r", "episode": -1 }),
            json!({ "do": "take", "subject": "service", "rule": "r", "episode": 4_294_967_296_u64 }),
            json!({ "do": "take", "subject": "service", "rule": "r" }),
            json!({ "do": "ask" }),
            json!({ "do": "ask", "ask": 7 }),
            json!({ "do": "ask", "ask": "" }),
            json!({ "do": "ask", "ask": long }),
            json!(format!("{{\"do\":\"take\",\"x\":\"{long}\"}}")),
        ];
        wrong.extend(changes.map(|value| {
            let mut event = whole();
            event["action"]["value"] = value;
            event
        }));
        for event in wrong {
            assert_eq!(read(&body(event.clone()), Form::Event), None, "{event}");
        }
    }

    #[test]
    fn a_toast_of_what_was_done_is_read_at_a_glance() {
        let long = "这条提醒的条件".repeat(10);
        for (text, shown) in [
            ("已由你接手", "已由你接手".to_string()),
            (
                "已由你接手，到 07:32 前不再提醒和升级。不会改动飞书里的负责人",
                "已由你接手，到 07:32 前不再提醒和升级。不会改动飞书里的负责人".to_string(),
            ),
            (
                "已静默 S1，到 09:00。期间不再发新通知，结束照常告知；到时仍在提醒的合为一条。提前结束：/silence end S1",
                "已静默 S1，到 09:00。期间不再发新通知，结束照常告知；到时仍在提醒的合为一条".to_string(),
            ),
            (
                "put off until 9.30. No reminders before then.",
                "put off until 9.30. No reminders before then.".to_string(),
            ),
            (&long, format!("{}这条提醒…", "这条提醒的条件".repeat(5))),
        ] {
            let words = Message::new(text, text);
            let said = answer(Form::Event, Some((Tone::Done, &words)), None, Locale::Zh);
            assert_eq!(said["toast"]["content"], shown);
            let why = answer(Form::Event, Some((Tone::Refused, &words)), None, Locale::Zh);
            assert_eq!(why["toast"]["content"], text, "why it was not done is told in full");
        }
    }

    #[test]
    fn an_answer_has_the_form_of_the_click() {
        let card = Card { title: "t".to_string(), footer: "f".to_string(), ..Card::default() };
        let words = Message::new("已由你接手", "you have it");
        let toast = Some((Tone::Done, &words));
        let both = answer(Form::Event, toast, Some(&card), Locale::En);
        assert_eq!(both["toast"]["type"], "success");
        assert_eq!(both["toast"]["i18n"]["en_us"], "you have it");
        assert_eq!(both["card"]["type"], "raw");
        assert_eq!(both["card"]["data"]["header"]["title"]["content"], "t");
        assert_eq!(answer(Form::Event, None, None, Locale::Zh), json!({}));
        assert_eq!(answer(Form::Flat, toast, Some(&card), Locale::Zh)["header"]["title"]["content"], "t");
        assert_eq!(answer(Form::Flat, toast, None, Locale::Zh)["toast"]["content"], "已由你接手");
        assert_eq!(answer(Form::Flat, None, None, Locale::Zh), json!({}));
    }
}
