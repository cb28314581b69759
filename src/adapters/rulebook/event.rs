//! What asks for an event, `was` and `changed`; and single fields by name, as `changed` and `per` list them.

use crate::{
    adapters::{
        rulebook::{
            condition::{Compiler, folded},
            ground::Ground,
            words::{self, condition_words, custom_name},
        },
        yaml::{
            map::{did_you_mean, text_of},
            nearest::nearest,
            tree::{Key, Node},
        },
    },
    domain::{
        condition::{Condition, CustomSelector, Target},
        fault::Fault,
        field::{Carrier, Field},
        text::{Message, Words},
    },
};

/// Fields of one `changed`.
pub(super) const CHANGED_MAX: usize = 50;

impl Compiler<'_> {
    /// `was: <condition>`: on the snapshot before the change.
    pub(super) fn was(&mut self, key: &Key, node: &Node) -> Option<Condition> {
        if let Some(message) = self.ground.refuses_event(&key.text) {
            self.faults.push(Fault::error(key.place.clone(), message));
            return None;
        }
        let mut inner = self.on(Ground::Was);
        let condition = inner.condition(node);
        let tests = inner.tests;
        self.tests += tests;
        if self.is_too_large(&key.place) {
            return None;
        }
        condition.map(|condition| Condition::Was(Box::new(condition)))
    }

    /// `changed: <field>`, or a list of them: one differs.
    pub(super) fn changed(&mut self, key: &Key, node: &Node) -> Option<Condition> {
        if let Some(message) = self.ground.refuses_event(&key.text) {
            self.faults.push(Fault::error(key.place.clone(), message));
            return None;
        }
        let items = node.one_or_many();
        if items.is_empty() || items.len() > CHANGED_MAX {
            let message = Message::new(
                format!("“{}” 里要有 1 到 {CHANGED_MAX} 个字段", key.text),
                format!("`{}` has 1 to {CHANGED_MAX} fields", key.text),
            );
            self.faults.push(Fault::error(node.place.clone(), message));
            return None;
        }
        let found: Vec<Option<Target>> = items.iter().map(|item| self.changing(item)).collect();
        let targets: Option<Vec<Target>> = found.into_iter().collect();
        Some(Condition::Changed(targets?.into()))
    }

    fn changing(&mut self, node: &Node) -> Option<Target> {
        let target = self.target(node)?;
        let (Target::Field(field) | Target::Part(field, _)) = &target else { return Some(target) };
        let Some(reason) = never_changes(field) else { return Some(target) };
        let shown = node.text().unwrap_or_default();
        let message = Message::new(
            format!("“{shown}” 不能写在 changed 里：{}", reason.zh),
            format!("`{shown}` cannot stand in `changed`: {}", reason.en),
        );
        self.faults.push(Fault::error(node.place.clone(), message));
        None
    }

    /// A field, a part of a person, or a custom field (`fields.产品线`) by name.
    pub(super) fn target(&mut self, node: &Node) -> Option<Target> {
        let (text, place) = text_of(node, self.faults)?;
        let text = text.trim();
        if let Some(name) = custom_name(text) {
            let selector = CustomSelector::Any(folded(name));
            let key = Key { text: name.to_string(), place };
            return self.definition(&selector, &key).map(|_| Target::Custom(selector));
        }
        if let Some(field) = Field::find(text) {
            return Some(Target::Field(field));
        }
        if let Some((field, part)) = words::part(text) {
            return Some(Target::Part(field, part));
        }
        let message = Message::new(format!("没有字段 “{text}”"), format!("there is no field `{text}`"));
        let fault = Fault::error(place, message);
        self.faults.push(if words::clock(text).is_some() {
            fault.with_hint(Message::new(
                "这是计时，一直在走；要它到了多久，在 when 里写 at_least",
                "that is a clock, which always runs: ask with `at_least` in `when` how long it is",
            ))
        } else {
            fault.with_hint(match nearest(text, condition_words()) {
                Some(meant) => did_you_mean(meant),
                None => Message::new(
                    format!("自定义字段写成 fields.{text}"),
                    format!("a custom field is written fields.{text}"),
                ),
            })
        });
        None
    }
}

/// Why no change of this field is ever seen.
fn never_changes(field: &Field) -> Option<Words> {
    if field.volatile {
        return Some(Words {
            zh: "它自己一直在变，不算有人动过工单",
            en: "it runs by itself, which is no change of the ticket",
        });
    }
    match field.carrier {
        Carrier::Messages => Some(Words {
            zh: "新消息不是工单的变化；要看说了什么，在 when 里写 guest_message",
            en: "a new message is no change of the ticket; for what was said ask for `guest_message` in `when`",
        }),
        Carrier::Observations => Some(Words {
            zh: "这是 deskbell 自己数的；用 was 和 status 说状态的变化",
            en: "deskbell counts it itself; say how the status changed with `was` and `status`",
        }),
        _ if matches!(field.name, "ticket_id" | "helpdesk_id" | "source" | "created_at") => {
            Some(Words { zh: "它从来不变", en: "it never changes" })
        }
        Carrier::List | Carrier::Configuration => None,
    }
}
