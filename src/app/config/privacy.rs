//! `privacy:` of the configuration: what may be shown of a guest.

use crate::{
    adapters::yaml::{
        map::{Map, did_you_mean, text_of},
        nearest::nearest,
        tree::Node,
    },
    app::config::words::one_of,
    domain::{
        condition::PersonPart,
        fault::Fault,
        mask::Personal,
        privacy::{GUEST_TEXT_MAX, Privacy, ShownFields},
        text::{Message, fold},
        ticket::Text,
    },
};

/// Items of `show`.
pub const SHOW_MAX: usize = 200;

/// The subject line, among what is shown.
const SUBJECT: [&str; 2] = ["subject", "标题"];

/// Every custom field.
const FIELDS: [&str; 2] = ["fields", "自定义字段"];

/// What the name of one custom field stands behind.
const FIELD: [&str; 4] = ["field:", "field：", "字段:", "字段："];

/// What can be masked, in both languages.
pub const MASKS: [(&str, &str, Personal); 4] = [
    ("phone", "电话", Personal::Phone),
    ("email", "邮箱", Personal::Email),
    ("id_card", "身份证", Personal::IdCard),
    ("bank_card", "银行卡", Personal::BankCard),
];

/// One thing that is shown.
enum Shown {
    Guest(PersonPart),
    Subject,
    Fields,
    Field(Text),
}

/// What a part of the guest is called, in both languages: `guest.name`, `客户.姓名`.
pub fn part_names(part: PersonPart) -> [String; 2] {
    let words = part.words();
    [format!("guest.{}", words.en), format!("客户.{}", words.zh)]
}

/// Everything `show` may say but for single fields.
pub fn show_words() -> Vec<String> {
    let parts = PersonPart::ALL.into_iter().flat_map(part_names);
    parts.chain(SUBJECT.iter().chain(&FIELDS).map(ToString::to_string)).collect()
}

/// Reads `privacy:`; what is not written is as by default.
pub fn read(root: &mut Map<'_>, faults: &mut Vec<Fault>) -> Privacy {
    let mut privacy = Privacy::default();
    let Some(mut map) = root.map("privacy", faults) else { return privacy };
    if let Some(items) = map.list("show", faults) {
        show(items, &mut privacy, faults);
    }
    if let Some(items) = map.list("mask", faults) {
        let words: Vec<(&str, Personal)> =
            MASKS.iter().flat_map(|(en, zh, what)| [(*en, *what), (*zh, *what)]).collect();
        let mut mask: Vec<Personal> = items.iter().filter_map(|node| one_of(node, &words, faults)).collect();
        mask.sort_unstable();
        mask.dedup();
        privacy.mask = mask;
    }
    let most = i64::try_from(GUEST_TEXT_MAX).unwrap_or(i64::MAX);
    let chars = map.integer("guest_text", 0..=most, faults).and_then(|chars| usize::try_from(chars).ok());
    privacy.guest_text = chars.unwrap_or(privacy.guest_text);
    privacy.forward = map.flag("forward", faults).unwrap_or(privacy.forward);
    privacy.raw = map.flag("raw", faults).unwrap_or(privacy.raw);
    map.finish(&[], faults);
    privacy
}

fn show(items: &[Node], privacy: &mut Privacy, faults: &mut Vec<Fault>) {
    if let Some(node) = items.get(SHOW_MAX) {
        let message = Message::new(format!("show 最多 {SHOW_MAX} 项"), format!("`show` has at most {SHOW_MAX} items"));
        faults.push(Fault::error(node.place.clone(), message));
    }
    let (mut guest, mut subject, mut all, mut fields) = (Vec::new(), false, false, Vec::new());
    for node in items.iter().take(SHOW_MAX) {
        match shown(node, faults) {
            Some(Shown::Guest(part)) => guest.push(part),
            Some(Shown::Subject) => subject = true,
            Some(Shown::Fields) => all = true,
            Some(Shown::Field(name)) => fields.push(name),
            None => {}
        }
    }
    (privacy.guest, privacy.subject) = (guest, subject);
    privacy.fields = if all { ShownFields::All } else { ShownFields::Only(fields) };
}

fn shown(node: &Node, faults: &mut Vec<Fault>) -> Option<Shown> {
    let (text, place) = text_of(node, faults)?;
    let text = text.trim();
    let is = |names: [&str; 2]| names.contains(&text);
    if is(SUBJECT) {
        return Some(Shown::Subject);
    }
    if is(FIELDS) {
        return Some(Shown::Fields);
    }
    if let Some(part) = PersonPart::ALL.into_iter().find(|part| part_names(*part).iter().any(|name| name == text)) {
        return Some(Shown::Guest(part));
    }
    let named = FIELD.iter().find_map(|start| text.strip_prefix(start)).map(fold).filter(|name| !name.is_empty());
    if let Some(name) = named {
        return Some(Shown::Field(Text::from(&*name)));
    }
    let message = Message::new(
        format!("“{text}” 不是可以显示的内容：guest.name 等客户的部分、subject、fields，或 “field:字段名”"),
        format!(
            "`{text}` is nothing that can be shown: a part of the guest such as guest.name, subject, fields, or \
             `field:<name of a custom field>`"
        ),
    );
    let fault = Fault::error(place, message);
    let known = show_words();
    faults.push(match nearest(text, known.iter().map(String::as_str)) {
        Some(near) => fault.with_hint(did_you_mean(near)),
        None => fault,
    });
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::yaml::parse::parse;

    fn of(text: &str) -> (Privacy, Vec<String>) {
        let mut faults = Vec::new();
        let tree = parse("deskbell.yaml", text, &mut faults).unwrap();
        let mut map = Map::of(&tree, &Message::new("配置", "the configuration"), &mut faults).unwrap();
        let privacy = read(&mut map, &mut faults);
        (privacy, faults.iter().map(|fault| format!("{}: {}", fault.place.column, fault.message.en)).collect())
    }

    #[test]
    fn what_is_not_written_is_as_usual() {
        let usual = Privacy::default();
        let only = |names: &[&str]| ShownFields::Only(names.iter().map(|name| Text::from(*name)).collect());
        let table = [
            ("zone: x", usual.clone()),
            ("privacy:", usual.clone()),
            ("privacy: {}", usual.clone()),
            (
                "privacy: { show: [guest.name, guest.department, subject, \"field:优先级\"], mask: [phone, email, id_card, bank_card], guest_text: 120 }",
                Privacy { fields: only(&["优先级"]), ..usual.clone() },
            ),
            (
                "privacy: { show: [客户.部门, 自定义字段], mask: [电话, phone] }",
                Privacy {
                    guest: vec![PersonPart::Department],
                    subject: false,
                    mask: vec![Personal::Phone],
                    ..usual.clone()
                },
            ),
            (
                "privacy: { show: [], mask: [], guest_text: 0, forward: true, raw: true }",
                Privacy {
                    guest: Vec::new(),
                    subject: false,
                    fields: only(&[]),
                    mask: Vec::new(),
                    guest_text: 0,
                    forward: true,
                    raw: true,
                },
            ),
        ];
        for (text, expected) in table {
            assert_eq!(of(text), (expected, Vec::new()), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_is_said() {
        let table = [
            ("privacy: { show: [guest.nmae] }", "19: `guest.nmae` is nothing that can be shown"),
            ("privacy: { show: [\"field:\"] }", "19: `field:` is nothing that can be shown"),
            ("privacy: { show: name }", "18: "),
            ("privacy: { mask: [phnoe] }", "19: expected one of phone, 电话, email"),
            ("privacy: { guest_text: 401 }", "24: expected a whole number from 0 to 400"),
            ("privacy: { guest_txet: 1 }", "12: there is no key `guest_txet` here"),
            ("privacy: { raw: maybe }", "17: "),
        ];
        for (text, expected) in table {
            let (_, faults) = of(text);
            assert!(faults.len() == 1 && faults[0].starts_with(expected), "{text}: {faults:?}");
        }
    }
}
