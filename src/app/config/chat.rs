//! `chat:` of the configuration: who may look at tickets in chat.

use std::collections::BTreeSet;

use crate::{
    adapters::yaml::{
        map::{Map, did_you_mean, text_of},
        nearest::nearest,
        tree::{Node, NodeKind},
    },
    app::config::{receiver::chat_id, words::one_of},
    domain::{
        desk::settings::{Access, Direct, Look},
        fault::Fault,
        id::SourceName,
        receiver::PersonId,
        text::Message,
    },
};

/// Chats a list may name.
const CHATS_MAX: usize = 200;

/// Reads `chat:`: who may look, and whom `manage` names. Absent, the receivers' chats and their members may look.
pub fn read(root: &mut Map<'_>, sources: &BTreeSet<SourceName>, faults: &mut Vec<Fault>) -> (Access, Vec<String>) {
    let mut access = Access::new(Look::Receivers, Direct::Members);
    let Some(mut chat) = root.map("chat", faults) else { return (access, Vec::new()) };
    let mut manage = Vec::new();
    if let Some(mut map) = chat.map("access", faults) {
        if let Some(node) = map.filled("look") {
            look(node, sources, &mut access, faults);
        }
        if let Some(node) = map.filled("act") {
            access.act = look_of(node, faults).unwrap_or(Look::Receivers);
        }
        for node in map.list("manage", faults).unwrap_or_default() {
            manage.extend(text_of(node, faults).map(|(text, _)| text));
        }
        access.manage = manage.iter().filter_map(|text: &String| PersonId::of(text)).collect();
        if let Some(node) = map.filled("direct") {
            let words = [("members", Direct::Members), ("everyone", Direct::Everyone), ("nobody", Direct::Nobody)];
            access.direct = one_of(node, &words, faults).unwrap_or(Direct::Nobody);
        }
        map.finish(&[], faults);
    }
    chat.finish(&[], faults);
    (access, manage)
}

/// One for all sources, or one by source with `default`.
fn look(node: &Node, sources: &BTreeSet<SourceName>, access: &mut Access, faults: &mut Vec<Fault>) {
    let NodeKind::Map(entries) = &node.kind else {
        access.look = look_of(node, faults).unwrap_or(Look::Receivers);
        return;
    };
    for (key, node) in entries {
        let Some(look) = look_of(node, faults) else { continue };
        let source = SourceName::from(key.text.as_str());
        if key.text == "default" {
            access.look = look;
        } else if sources.contains(&source) {
            access.look_by_source.insert(source, look);
        } else {
            let message = Message::new(
                format!("没有叫 “{}” 的数据源（sources）", key.text),
                format!("there is no source `{}` (sources)", key.text),
            );
            let fault = Fault::error(key.place.clone(), message);
            let known = sources.iter().map(SourceName::as_str).chain(["default"]);
            faults.push(match nearest(&key.text, known) {
                Some(near) => fault.with_hint(did_you_mean(near)),
                None => fault,
            });
        }
    }
}

fn look_of(node: &Node, faults: &mut Vec<Fault>) -> Option<Look> {
    let NodeKind::List(items) = &node.kind else {
        let words = [("everyone", false), ("receivers", true)];
        return one_of(node, &words, faults).map(|receivers| if receivers { Look::Receivers } else { Look::Everyone });
    };
    if items.len() > CHATS_MAX {
        let message =
            Message::new(format!("最多 {CHATS_MAX} 个群"), format!("at most {CHATS_MAX} chats may be listed"));
        faults.push(Fault::error(node.place.clone(), message));
        return None;
    }
    Some(Look::Chats(items.iter().filter_map(|item| chat_id(item, faults)).collect()))
}
