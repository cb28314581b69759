//! The kinds of receivers as a table: what each can and cannot do, as the code has it.

use deskbell::domain::{
    receiver::{HTTP_PER_SECOND, PersonId, ReceiverKind},
    text::{Locale, Words},
};

use super::tables::table;

/// Every kind, how it is written, what it is and how often it is told at most.
fn all() -> Vec<(ReceiverKind, &'static str, Words, String)> {
    let kinds = [
        ReceiverKind::Chat("oc_a".into()),
        ReceiverKind::Person(PersonId::Email("li@example.com".into())),
        ReceiverKind::Webhook,
        ReceiverKind::Wecom,
        ReceiverKind::Http,
    ];
    let row = |kind: ReceiverKind| {
        let (written, words, pace) = match &kind {
            ReceiverKind::Chat(_) => {
                ("chat_id", Words { zh: "机器人所在的群", en: "a chat the bot is in" }, "3/s".to_string())
            }
            ReceiverKind::Person(_) => {
                ("person", Words { zh: "一个人，发到单聊", en: "a person, in their direct chat" }, "3/s".to_string())
            }
            ReceiverKind::Webhook => (
                "webhook",
                Words {
                    zh: "群里的自定义机器人，不计 API 次数", en: "a chat's custom bot; no API calls are counted"
                },
                "5/s, 100/min".to_string(),
            ),
            ReceiverKind::Wecom => {
                ("wecom", Words { zh: "企业微信群机器人", en: "a WeCom group bot" }, "20/min".to_string())
            }
            ReceiverKind::Http => (
                "http",
                Words { zh: "收 Alertmanager webhook 的地址", en: "whatever takes Alertmanager's webhooks" },
                format!("{HTTP_PER_SECOND}/s, `per_second`"),
            ),
        };
        (kind, written, words, pace)
    };
    kinds.into_iter().map(row).collect()
}

/// The table.
pub(crate) fn kinds(locale: Locale) -> String {
    let head = match locale {
        Locale::En => ["Key", "What it is", "Updated in place, buttons", "Never doubled", "At most"],
        Locale::Zh => ["键", "是什么", "能更新、有按钮", "绝不重复", "最多"],
    };
    let answer = |yes: bool| match (yes, locale) {
        (true, Locale::En) => "yes",
        (false, Locale::En) => "no",
        (true, Locale::Zh) => "能",
        (false, Locale::Zh) => "不能",
    };
    let row = |(kind, written, words, pace): (ReceiverKind, &str, Words, String)| {
        let (patch, key) = (answer(kind.can_patch()).to_string(), answer(kind.has_key()).to_string());
        [format!("`{written}`"), words.get(locale).to_string(), patch, key, pace]
    };
    table(head, all().into_iter().map(row))
}
