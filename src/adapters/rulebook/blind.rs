//! Rules that do not fit the custom fields last stored. While a service runs they are not left out: nobody can tell
//! whether they hold, so they neither ring nor end what rings, until rule or field is put right.

use std::path::Path;

use crate::{
    adapters::rulebook::{
        load::{Keep, conditions_of, load_dir, load_keeping},
        named::Conditions,
        names::Names,
    },
    domain::{
        condition::{Condition, Operator, Target, Test},
        fault::{Fault, Gravity},
        field::{Carrier, Field, Kind, Value},
        id::RuleName,
        rule::{Rule, RuleSet},
        text::Words,
    },
};

/// A folder of rules as a service wants it.
#[derive(Debug, Default)]
pub struct Folder {
    /// The rules; those in `blind` are unknown for every ticket.
    pub rules: RuleSet,
    /// Faults whatever the custom fields are. With an error the rules must not be put in force.
    pub faults: Vec<Fault>,
    /// Faults that only the custom fields last stored show.
    pub unfit: Vec<Fault>,
    /// The rules that have such faults.
    pub blind: Vec<RuleName>,
    /// The named conditions.
    pub conditions: Conditions,
}

/// What stands for a field or option the helpdesk does not have.
static MISSING: Field = Field {
    name: "custom_field",
    zh: "自定义字段",
    vendor: "",
    also: &[],
    kind: Kind::Text,
    volatile: false,
    carrier: Carrier::List,
    doc: Words { zh: "服务台里没有的字段或选项", en: "a field or option that the helpdesk does not have" },
    read: |_| Value::Unknown,
};

/// Reads a folder of rules against `names`, its custom fields apart from the rest.
pub fn load(dir: &Path, names: &Names) -> Folder {
    Folder { conditions: conditions_of(dir), ..rules_of(dir, names) }
}

fn rules_of(dir: &Path, names: &Names) -> Folder {
    let (rules, faults) = load_dir(dir, names);
    if names.fields.is_none() || !faults.iter().any(is_error) {
        return Folder { rules, faults, ..Folder::default() };
    }
    let (all, plain) = load_dir(dir, &Names { fields: None, ..names.clone() });
    if plain.iter().any(is_error) {
        return Folder { rules, faults, ..Folder::default() };
    }
    let (rules, _) = load_keeping(dir, names, Keep::SoundRules);
    let unfit = faults.into_iter().filter(|fault| !plain.contains(fault)).collect();
    let mut folder = Folder { rules, faults: plain, unfit, ..Folder::default() };
    for (name, rule) in all.rules {
        if !folder.rules.rules.contains_key(&name) {
            folder.blind.push(name.clone());
            folder.rules.rules.insert(name, blinded(rule));
        }
    }
    folder
}

fn is_error(fault: &Fault) -> bool {
    fault.gravity == Gravity::Error
}

/// The rule with its meaning, but for what it looks at.
fn blinded(rule: Rule) -> Rule {
    let test = Test { target: Target::Field(&MISSING), operator: Operator::Exists(true) };
    Rule { when: Condition::Test(test), ..rule }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs};

    use super::*;
    use crate::{
        adapters::rulebook::names::{Choice, Definition},
        domain::{
            facts::Facts,
            id::TicketKey,
            labels::Labels,
            seen::Seen,
            ticket::{CustomField, Known, Ticket},
            time::Timestamp,
            verdict::{Answer, eval},
        },
    };

    fn names(fields: Option<Vec<Definition>>) -> Names {
        let receivers = BTreeSet::from(["support".to_owned()]);
        Names { fields, receivers, ..Names::default() }
    }

    fn vip(option: &str) -> Definition {
        let options = vec![Choice { tag: "u1".into(), display_name: option.into() }];
        Definition {
            source: String::new(),
            id: "7".into(),
            key_name: "level".into(),
            display_name: "客户等级".into(),
            multiple: false,
            options,
        }
    }

    fn answer(rule: &Rule, value: &str) -> Answer {
        let known = |text: &str| Known::Present(text.into());
        let field = CustomField { display_name: known("客户等级"), value: known(value), ..CustomField::default() };
        let key = TicketKey::new("desk".into(), "1".into());
        let ticket = Ticket { customized_fields: Known::Present([field].into()), ..Ticket::unknown(key) };
        let facts = Facts::new(Timestamp::MIN, Timestamp::MIN);
        eval(&rule.when, &Seen::at_rest(&ticket, &facts, Labels::none()), Timestamp::MIN).answer
    }

    #[test]
    fn a_rule_whose_field_or_option_is_gone_is_unknown_and_keeps_its_meaning() {
        let dir = tempfile::TempDir::new().unwrap();
        let written = "name: vip\nwhen: { fields: { 客户等级: VIP } }\nnotify: [{ to: support }]\n";
        fs::write(dir.path().join("a.yaml"), written).unwrap();
        let beside = "rules:\n  - { name: vip, when: { fields: { 客户等级: VIP } }, notify: [{ to: support }] }\n  - { name: fine, when: { fields: { 客户等级: 普通 } }, notify: [{ to: support }] }\n";
        fs::write(
            dir.path().join("b.yaml"),
            "name: bad\nwhen: { score: 不满意 }\nuntil: handled\nnotify: [{ to: support }]\n",
        )
        .unwrap();
        let none = load(dir.path(), &names(None));
        let fit = load(dir.path(), &names(Some(vec![vip("VIP")])));
        assert!(
            none.faults.is_empty() && fit.faults.is_empty() && fit.unfit.is_empty(),
            "{:?} {:?}",
            fit.faults,
            fit.unfit
        );
        for (value, expected) in [("VIP", Answer::Yes), ("u1", Answer::Yes), ("u2", Answer::No)] {
            assert_eq!(answer(&fit.rules.rules["vip"], value), expected, "by name or by option id: {value}");
        }
        for fields in [vec![vip("SVIP")], vec![]] {
            let folder = load(dir.path(), &names(Some(fields)));
            assert!(folder.faults.is_empty(), "{:?}", folder.faults);
            assert_eq!((folder.unfit.len(), &folder.blind), (1, &vec!["vip".into()]));
            assert_eq!(folder.rules.rules.len(), 2);
            assert_eq!(answer(&folder.rules.rules["vip"], "VIP"), Answer::Unknown);
            assert_eq!(folder.rules.rules["vip"].meaning, fit.rules.rules["vip"].meaning, "nobody is rung again");
        }
        fs::remove_file(dir.path().join("b.yaml")).unwrap();
        fs::write(dir.path().join("a.yaml"), beside).unwrap();
        let folder = load(dir.path(), &names(Some(vec![vip("普通")])));
        assert_eq!((folder.unfit.len(), &folder.blind), (1, &vec!["vip".into()]), "the rule beside it is judged on");
        assert_eq!(answer(&folder.rules.rules["fine"], "u1"), Answer::Yes);
        fs::write(dir.path().join("c.yaml"), "name: 7: 8").unwrap();
        let broken = load(dir.path(), &names(Some(vec![])));
        assert!(broken.faults.iter().any(is_error), "a fault of the folder itself stays one");
    }
}
