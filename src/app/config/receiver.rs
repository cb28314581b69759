//! One receiver of the configuration: what it is, where, in which language, when it is left in peace, and who stands in
//! for it.

use std::path::Path;

use crate::{
    adapters::{
        feishu::config::WebhookConfig,
        outgoing::config::{Config, HttpConfig, WecomConfig},
        rulebook::words::SEVERITIES,
        yaml::{
            map::{Map, text_of},
            tree::{Node, NodeKind, Scalar},
        },
    },
    app::config::{calendars::Calendars, words},
    domain::{
        fault::{Fault, Place},
        id::{ChatId, ReceiverName},
        receiver::{HTTP_PER_SECOND_MAX, PersonId, Quiet, ReceiverKind},
        rule::Severity,
        text::{Locale, Message, Words},
    },
};

/// Characters of a chat id.
const CHAT_ID_CHARS_MAX: usize = 100;

/// The keys of which a receiver has one; the last three are addresses that may stand in a file.
const KINDS: [&str; 5] = ["chat_id", "person", "webhook", "wecom", "http"];

/// What belongs to one kind alone.
const OWN_KEYS: [(&str, &str); 6] = [
    ("external", "chat_id"),
    ("secret", "webhook"),
    ("secret_file", "webhook"),
    ("bearer", "http"),
    ("bearer_file", "http"),
    ("per_second", "http"),
];

/// Hosts by which an address given to the wrong key is told.
const HOSTS: [(&str, &str); 3] =
    [("open.feishu.cn", "webhook"), ("open.larksuite.com", "webhook"), ("qyapi.weixin.qq.com", "wecom")];

/// What a receiver may be, for faults.
const WHAT: Words = Words {
    zh: "接收方：{ chat_id: oc_… }、{ person: 邮箱 }、{ webhook: … }、{ wecom: … } 或 { http: … }",
    en: "a receiver: { chat_id: oc_… }, { person: <email> }, { webhook: … }, { wecom: … } or { http: … }",
};

/// A receiver as it is written.
#[derive(Debug)]
pub struct Written {
    /// What it is.
    pub kind: ReceiverKind,
    /// The language it is told in.
    pub locale: Locale,
    /// When it is left in peace.
    pub quiet: Option<Quiet>,
    /// Who stands in for it, and where that is written.
    pub fallback: Option<(ReceiverName, Place)>,
    /// Notices a second; outgoing HTTP only.
    pub per_second: Option<u32>,
    /// People of other companies read there; chats only.
    pub external: bool,
    /// Where it is, where that is a secret of an adapter.
    pub address: Option<Address>,
}

/// Where a receiver is.
#[derive(Debug)]
pub enum Address {
    /// A custom bot.
    Webhook(WebhookConfig),
    /// WeCom, or outgoing HTTP.
    Outgoing(Config),
}

/// Reads one receiver; nothing where a fault leaves open what it is.
pub fn read(
    node: &Node,
    base: &Path,
    calendars: &Calendars,
    default: Locale,
    faults: &mut Vec<Fault>,
) -> Option<Written> {
    let mut map = Map::of(node, &WHAT.into(), faults)?;
    let locale = words::locale(&mut map, "locale", faults).unwrap_or(default);
    let quiet = quiet(&mut map, calendars, faults);
    let fallback = map.text("fallback", faults).map(|(name, place)| (ReceiverName::new(name), place));
    let most = i64::from(HTTP_PER_SECOND_MAX);
    let per_second = map.integer("per_second", 1..=most, faults).and_then(|number| u32::try_from(number).ok());
    let external = map.flag("external", faults).unwrap_or(false);
    let chat = map.filled("chat_id");
    let person_node = map.filled("person");
    let webhook = WebhookConfig::read(&mut map, base, faults);
    let wecom = WecomConfig::read(&mut map, base, faults);
    let http = HttpConfig::read(&mut map, base, faults);
    let said = kinds(node);
    for (key, owner) in OWN_KEYS {
        let out_of_place = map.filled(key).filter(|_| !said.contains(&owner));
        faults.extend(out_of_place.map(|node| misplaced(key, owner, node)));
    }
    map.finish(&[], faults);
    let [only] = said.as_slice() else {
        faults.push(one_kind(node.place.clone()));
        return None;
    };
    let (kind, address) = match *only {
        "chat_id" => (ReceiverKind::Chat(chat_id(chat?, faults)?), None),
        "person" => (ReceiverKind::Person(person(person_node?, faults)?), None),
        "webhook" => (ReceiverKind::Webhook, Some(Address::Webhook(webhook?))),
        "wecom" => (ReceiverKind::Wecom, Some(Address::Outgoing(Config::Wecom(wecom?)))),
        _ => (ReceiverKind::Http, Some(Address::Outgoing(Config::Http(http?)))),
    };
    check_host(node, only, faults);
    Some(Written { kind, locale, quiet, fallback, per_second, external, address })
}

/// The keys that a mapping has a value for.
fn keys(node: &Node) -> impl Iterator<Item = (&str, &Node)> {
    let NodeKind::Map(entries) = &node.kind else { return [].iter().map(pair) };
    entries.iter().map(pair)
}

fn pair((key, value): &(crate::adapters::yaml::tree::Key, Node)) -> (&str, &Node) {
    (key.text.as_str(), value)
}

/// Which kinds are written; an address in a file is one.
fn kinds(node: &Node) -> Vec<&'static str> {
    let is_said = |kind: &&str| {
        keys(node).any(|(key, value)| key.strip_suffix("_file").unwrap_or(key) == *kind && !value.is_null())
    };
    KINDS.into_iter().filter(is_said).collect()
}

/// A key that belongs to another kind.
fn misplaced(key: &str, owner: &str, node: &Node) -> Fault {
    let message =
        Message::new(format!("{key} 只用于 {owner}"), format!("`{key}` belongs to a receiver with `{owner}`"));
    Fault::error(node.place.clone(), message)
}

/// An address of one vendor under the key of another.
fn check_host(node: &Node, kind: &str, faults: &mut Vec<Fault>) {
    let Some((_, value)) = keys(node).find(|(key, _)| *key == kind) else { return };
    let Some(text) = value.text() else { return };
    let belongs = |(host, _): &&(&str, &str)| text.contains(&format!("://{host}/"));
    let Some((host, meant)) = HOSTS.iter().find(belongs).filter(|(_, meant)| *meant != kind) else { return };
    let message = Message::new(
        format!("{host} 的地址不能写在 {kind} 下"),
        format!("an address of {host} does not belong under `{kind}`"),
    );
    let hint = Message::new(format!("改成 {meant}: …"), format!("write `{meant}: …` instead"));
    if matches!(kind, "webhook" | "wecom" | "http") {
        faults.push(Fault::error(value.place.clone(), message).with_hint(hint));
    }
}

fn one_kind(place: Place) -> Fault {
    let message = Message::new(
        "接收方要有 chat_id、person、webhook、wecom 或 http，且只能有一个",
        "a receiver has a chat_id, a person, a webhook, a wecom or an http, and only one of them",
    );
    Fault::error(place, message)
}

/// `quiet: { calendar: night, except: critical }`.
fn quiet(map: &mut Map<'_>, calendars: &Calendars, faults: &mut Vec<Fault>) -> Option<Quiet> {
    let node = map.filled("quiet")?;
    let what = Message::new(
        "免打扰时段，例如 { calendar: night, except: critical }",
        "quiet hours, such as { calendar: night, except: critical }",
    );
    let mut map = Map::of(node, &what, faults)?;
    let calendar = map.required_text("calendar", faults);
    let hours = calendar.and_then(|(name, place)| calendars.find(&name, &place, faults));
    let except = map.filled("except").map(|node| severity(node, faults));
    map.finish(&[], faults);
    Some(Quiet { hours: hours?, except: except.flatten() })
}

fn severity(node: &Node, faults: &mut Vec<Fault>) -> Option<Severity> {
    let all = [Severity::Info, Severity::Warning, Severity::Critical];
    let mut known: Vec<(&str, Severity)> = all.iter().map(|severity| (severity.name(), *severity)).collect();
    for severity in all {
        known.extend(SEVERITIES.iter().filter(|(en, _)| *en == severity.name()).map(|(_, zh)| (*zh, severity)));
    }
    words::one_of(node, &known, faults)
}

/// A person, by email, mobile number or open id.
fn person(node: &Node, faults: &mut Vec<Fault>) -> Option<PersonId> {
    let (text, place) = text_of(node, faults)?;
    let sound = !text.contains(char::is_whitespace) && !text.starts_with('@') && !text.ends_with('@');
    let found = PersonId::of(&text).filter(|_| sound);
    if found.is_none() {
        let shown = node.scalar().map(Scalar::shown).unwrap_or_default();
        let message = Message::new(
            format!("“{shown}” 不是一个人：写飞书邮箱、手机号（境外号码带 + 和国家码），或以 ou_ 开头的 ID"),
            format!(
                "`{shown}` is no person: write their Feishu email, their mobile number (with + and country code outside \
                 mainland China), or an id that begins with ou_"
            ),
        );
        faults.push(Fault::error(place, message));
    }
    found
}

/// A chat's id.
pub fn chat_id(node: &Node, faults: &mut Vec<Fault>) -> Option<ChatId> {
    let (text, place) = text_of(node, faults)?;
    let well_formed = text.strip_prefix("oc_").is_some_and(|rest| {
        !rest.is_empty()
            && rest.len() <= CHAT_ID_CHARS_MAX
            && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    });
    if well_formed {
        return Some(ChatId::from(text.as_str()));
    }
    let shown = node.scalar().map(Scalar::shown).unwrap_or_default();
    let message = Message::new(
        format!("“{shown}” 不是群 ID，群 ID 以 oc_ 开头"),
        format!("`{shown}` is no chat id; a chat id begins with oc_"),
    );
    let hint = Message::new(
        "deskbell chats 列出机器人所在的群和它们的 ID",
        "deskbell chats lists the chats the bot is in, with their ids",
    );
    faults.push(Fault::error(place, message).with_hint(hint));
    None
}
