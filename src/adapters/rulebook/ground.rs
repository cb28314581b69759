//! Where a condition stands, and what may not be asked there.

use crate::domain::{
    condition::{Condition, Target},
    field::Carrier,
    text::{Message, Words},
};

/// Where a condition stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ground {
    /// In the `when` of a rule, or as a named condition: everything may be asked.
    Rule,
    /// In `count`, or in the `when` of an SLA rule.
    Standing,
    /// In `until`.
    Until,
    /// In the `when` of a target.
    Target,
    /// In the `when` of a team.
    Team,
    /// In the `when` of a silence.
    Hush,
    /// In the `when` of an inhibition.
    Inhibit,
    /// In a list that someone asks for in chat.
    List,
    /// In `was`.
    Was,
}

impl Ground {
    const fn words(self) -> Words {
        match self {
            Self::Rule => Words { zh: "这里", en: "here" },
            Self::Standing => Words { zh: "计数规则和 SLA 规则里", en: "in a rule that counts or has a clock" },
            Self::Until => Words { zh: " until 里", en: "in `until`" },
            Self::Target => Words { zh: "目标的 when 里", en: "in the `when` of a target" },
            Self::Team => Words { zh: "团队的 when 里", en: "in the `when` of a team" },
            Self::Hush => Words { zh: "静默的条件里", en: "in the condition of a silence" },
            Self::Inhibit => Words { zh: "抑制的条件里", en: "in the condition of an inhibition" },
            Self::List => Words { zh: "要找的工单里", en: "in a list that is asked for" },
            Self::Was => Words { zh: " was 里", en: "in `was`" },
        }
    }

    /// Why `word`, a clock, may not stand here.
    pub(super) fn refuses_clock(self, word: &str) -> Option<Message> {
        let reason = match self {
            Self::Rule | Self::Standing | Self::Until | Self::List => return None,
            Self::Target => Words { zh: "目标不能随时间改变", en: "a target does not change as time goes by" },
            Self::Team => Words { zh: "团队不能随时间改变", en: "a team does not change as time goes by" },
            Self::Hush | Self::Inhibit => Words {
                zh: "它会随时间改变，静默和抑制的条件不能",
                en: "it changes as time goes by, and what holds notices back must not",
            },
            Self::Was => Words {
                zh: "变化之前的计时没有保存",
                en: "what the clocks showed before a change is not kept",
            },
        };
        Some(self.refusal(word, reason))
    }

    /// Why `word`, `was` or `changed`, may not stand here.
    pub(super) fn refuses_event(self, word: &str) -> Option<Message> {
        let reason = match self {
            Self::Rule => return None,
            Self::Was => {
                Words { zh: "只保存了变化之前的那一份", en: "only the one snapshot before is kept" }
            }
            _ => Words {
                zh: "它说的是变化的那一刻，这里要的是一直看得出来的情况",
                en: "it is about the moment of a change, and what stands here must be seen at any time",
            },
        };
        Some(self.refusal(word, reason))
    }

    /// Why a field may not be asked for here.
    pub(super) fn refuses_target(self, word: &str, target: &Target) -> Option<Message> {
        let (Target::Field(field) | Target::Part(field, _)) = target else { return None };
        let reason = match self {
            Self::Team if field.name == "team" => {
                Words { zh: "团队就是由这里决定的", en: "the team is decided by just this" }
            }
            Self::Hush | Self::Inhibit if field.carrier == Carrier::Messages => Words {
                zh: "工单里说了什么，要另外去读",
                en: "what was said on a ticket has to be asked for",
            },
            Self::Was if matches!(field.carrier, Carrier::Messages | Carrier::Observations) => {
                Words { zh: "变化之前的值没有保存", en: "its value before a change is not kept" }
            }
            _ => return None,
        };
        Some(self.refusal(word, reason))
    }

    /// Why no named condition may stand here, where none may.
    pub(super) fn refuses_names(self, word: &str) -> Option<Message> {
        let reason = Words { zh: "命名条件属于规则", en: "named conditions belong to rules" };
        matches!(self, Self::Team | Self::Inhibit).then(|| self.refusal(word, reason))
    }

    /// Why a named condition may not stand here.
    pub(super) fn refuses_named(self, name: &str, meant: &Condition) -> Option<Message> {
        let clock = meant.has_clock().then(|| self.refuses_clock(name)).flatten();
        let event = || meant.asks_for_event().then(|| self.refuses_event(name)).flatten();
        let hidden = |part: &Condition| match part {
            Condition::Test(test) => self.refuses_target(name, &test.target).is_some(),
            _ => false,
        };
        let value = || {
            let reason = Words { zh: "它看的值在这里没有", en: "it looks at a value that is not there" };
            meant.any(&hidden).then(|| self.refusal(name, reason))
        };
        clock.or_else(event).or_else(value)
    }

    fn refusal(self, word: &str, reason: Words) -> Message {
        let here = self.words();
        Message::new(
            format!("“{word}” 不能写在{}：{}", here.zh, reason.zh),
            format!("`{word}` cannot stand {}: {}", here.en, reason.en),
        )
    }
}
