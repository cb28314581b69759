//! `receivers:` of the configuration: named destinations, and who hears of deskbell's own troubles.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use secrecy::SecretString;

use crate::{
    adapters::{
        feishu::config::WebhookConfig,
        outgoing::{self, heartbeat},
        yaml::{
            map::{Map, did_you_mean},
            nearest::nearest,
        },
    },
    app::config::{
        calendars::Calendars,
        receiver::{self, Address},
        words::check_name,
    },
    domain::{
        fault::{Fault, Place},
        id::ReceiverName,
        receiver::Receiver,
        text::{Locale, Message},
    },
};

/// Receivers a configuration may have.
const RECEIVERS_MAX: usize = 200;

/// The receivers, as the decisions see them and as the adapter reaches them.
#[derive(Debug, Default)]
pub struct Receivers {
    /// Every name that is written, with faults or without: what else names it is right.
    pub written: BTreeSet<ReceiverName>,
    /// All without faults, by name.
    pub all: BTreeMap<ReceiverName, Receiver>,
    /// The custom bots among them.
    pub webhooks: BTreeMap<ReceiverName, WebhookConfig>,
    /// Those that are told over plain HTTP.
    pub outgoing: BTreeMap<ReceiverName, outgoing::config::Config>,
}

/// Reads `receivers:`; there must be one.
pub fn read(
    root: &mut Map<'_>,
    base: &Path,
    calendars: &Calendars,
    default: Locale,
    faults: &mut Vec<Fault>,
) -> Receivers {
    let mut receivers = Receivers::default();
    let mut places = BTreeMap::new();
    let place = root.place().clone();
    let entries = root.map("receivers", faults).map(|mut map| map.rest()).unwrap_or_default();
    if entries.is_empty() {
        faults.push(none(Place::file(place.file)));
        return receivers;
    }
    if entries.len() > RECEIVERS_MAX {
        let message = Message::new(
            format!("接收方太多，最多 {RECEIVERS_MAX} 个"),
            format!("too many receivers: at most {RECEIVERS_MAX}"),
        );
        faults.push(Fault::error(place, message));
    }
    for (key, node) in entries.into_iter().take(RECEIVERS_MAX) {
        let named = check_name(key, faults);
        let name = ReceiverName::from(key.text.as_str());
        receivers.written.insert(name.clone());
        let Some(written) = receiver::read(node, base, calendars, default, faults).filter(|_| named) else { continue };
        match written.address {
            Some(Address::Webhook(webhook)) => drop(receivers.webhooks.insert(name.clone(), webhook)),
            Some(Address::Outgoing(outgoing)) => drop(receivers.outgoing.insert(name.clone(), outgoing)),
            None => {}
        }
        let (fallback, place) = written.fallback.unzip();
        places.extend(place.map(|place| (name.clone(), place)));
        let receiver = Receiver {
            quiet: written.quiet,
            fallback,
            per_second: written.per_second,
            external: written.external,
            ..Receiver::new(name.clone(), written.kind, written.locale)
        };
        receivers.all.insert(name, receiver);
    }
    check_fallbacks(&receivers, &places, faults);
    receivers
}

fn none(place: Place) -> Fault {
    let message =
        Message::new("receivers 里一个接收方也没有，提醒没有地方发", "there is no receiver: alerts have nowhere to go");
    let hint = Message::new(
        "例如 receivers: { support: { chat_id: oc_… } }；deskbell chats 列出机器人所在的群",
        "such as receivers: { support: { chat_id: oc_… } }; deskbell chats lists the chats the bot is in",
    );
    Fault::error(place, message).with_hint(hint)
}

/// Who stands in for whom: a receiver that is there, and nobody in the end for himself.
fn check_fallbacks(receivers: &Receivers, places: &BTreeMap<ReceiverName, Place>, faults: &mut Vec<Fault>) {
    for (name, place) in places {
        let Some(next) = receivers.all.get(name).and_then(|receiver| receiver.fallback.clone()) else { continue };
        if !receivers.written.contains(&next) {
            faults.push(unknown(&next, place.clone(), &receivers.written));
            continue;
        }
        let mut way = vec![name.clone()];
        let mut at = Some(next);
        while let Some(here) = at {
            let back = here == *name;
            let seen = way.contains(&here);
            way.push(here.clone());
            if back && way.iter().all(|other| name <= other) {
                faults.push(in_a_circle(&way, place.clone()));
            }
            at = receivers.all.get(&here).and_then(|receiver| receiver.fallback.clone()).filter(|_| !seen);
        }
    }
}

fn in_a_circle(way: &[ReceiverName], place: Place) -> Fault {
    let way: Vec<&str> = way.iter().map(ReceiverName::as_str).collect();
    let way = way.join(" → ");
    let message =
        Message::new(format!("fallback 转了一圈又回到自己：{way}"), format!("`fallback` leads in a circle: {way}"));
    let hint = Message::new(
        "让它指向一个用别的办法能送到的接收方，例如另一个群或自定义机器人",
        "let it lead to a receiver that is reached another way, such as another chat or a custom bot",
    );
    Fault::error(place, message).with_hint(hint)
}

fn unknown(name: &ReceiverName, place: Place, written: &BTreeSet<ReceiverName>) -> Fault {
    let message = Message::new(format!("没有叫 “{name}” 的接收方"), format!("there is no receiver `{name}`"));
    let fault = Fault::error(place, message);
    match nearest(name.as_str(), written.iter().map(ReceiverName::as_str)) {
        Some(near) => fault.with_hint(did_you_mean(near)),
        None => fault,
    }
}

/// `operations:` of the configuration.
#[derive(Debug, Default)]
pub struct Operations {
    /// The receiver of deskbell's own troubles, and where it is written.
    pub to: Option<(ReceiverName, Place)>,
    /// What is asked after each completed pass.
    pub heartbeat: Option<SecretString>,
}

/// Reads `operations:`.
pub fn operations(root: &mut Map<'_>, base: &Path, receivers: &Receivers, faults: &mut Vec<Fault>) -> Operations {
    let Some(mut map) = root.map("operations", faults) else { return Operations::default() };
    let to = map.required_text("to", faults);
    let heartbeat = heartbeat::read(&mut map, base, faults);
    map.finish(&[], faults);
    let to = to.map(|(name, place)| (ReceiverName::from(name.as_str()), place));
    let known = to.filter(|(name, place)| {
        let is_known = receivers.written.contains(name);
        if !is_known {
            faults.push(unknown(name, place.clone(), &receivers.written));
        }
        is_known
    });
    Operations { to: known, heartbeat }
}
