//! `deskbell rules [name]`: what each rule watches, when it rings, whom it tells, what ends it and what it costs.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Value, json};

use crate::{
    adapters::yaml::nearest::nearest,
    app::config::calls::CHANGES_A_DAY,
    cli::{
        args::Format,
        prepare::{self, Warnings},
        run::Stop,
        table::table,
        terminal::Terminal,
    },
    domain::{
        id::RuleName,
        rule::{Mode, Rule, RuleSet},
        story::{Story, severity_words},
        text::{Locale, Message, Words, fold, grouped},
    },
    web::rules::RuleDocument,
};

/// The API calls a month that rules ask for beyond the list, by rule.
type Costs = BTreeMap<RuleName, u64>;

/// Shows the rules of the configured folder, or the one that is named.
pub fn run(path: &Path, name: Option<&str>, format: Format, terminal: Terminal) -> Result<(), Stop> {
    let setup = prepare::setup(path, Warnings::Left, terminal)?;
    let rules = chosen(&setup.rules, name)?;
    let costs: Costs = setup.calls.by_rule.iter().cloned().collect();
    let locale = terminal.locale;
    terminal.print(&match format {
        Format::Json => format!("{:#}", Value::Array(rules.iter().map(|rule| as_json(rule, &costs)).collect())),
        Format::Text if name.is_none() => overview(&rules, &costs, locale),
        Format::Text => rules.iter().map(|rule| told(rule, &costs, locale)).collect::<Vec<_>>().join("\n\n"),
    });
    Ok(())
}

/// All rules, or those whose name is or contains what was typed.
fn chosen<'a>(all: &'a RuleSet, name: Option<&str>) -> Result<Vec<&'a Rule>, Stop> {
    let Some(name) = name else { return Ok(all.rules.values().collect()) };
    let typed = fold(name);
    let by = |fits: &dyn Fn(&str) -> bool| -> Vec<&'a Rule> {
        all.rules.values().filter(|rule| fits(&fold(rule.name.as_str()))).collect()
    };
    let exact = by(&|name| name == typed);
    let found = if exact.is_empty() { by(&|name| name.contains(&*typed)) } else { exact };
    if !found.is_empty() {
        return Ok(found);
    }
    let (zh, en) = match nearest(name, all.rules.keys().map(|name| name.as_str())) {
        Some(near) => (format!("是不是想写 “{near}”？"), format!("Did you mean `{near}`?")),
        None => ("deskbell rules 列出全部".to_string(), "`deskbell rules` lists them all".to_string()),
    };
    Err(Stop::failure(format!("没有规则 “{name}”。{zh}"), format!("there is no rule `{name}`. {en}")))
}

fn overview(rules: &[&Rule], costs: &Costs, locale: Locale) -> String {
    let head = match locale {
        Locale::Zh => ["规则", "级别", "看什么", "什么时候提醒", "通知谁", "调用"],
        Locale::En => ["rule", "severity", "watches", "rings", "tells", "calls"],
    };
    let row = |rule: &&Rule| {
        let story = Story::of(rule);
        let name = match rule.mode {
            Mode::Live => rule.name.to_string(),
            Mode::Trial(_) | Mode::Disabled => format!("{} [{}]", rule.name, mode_word(&rule.mode).get(locale)),
        };
        let lines = if story.tells.is_empty() { &story.ladder } else { &story.tells };
        let tells: Vec<&str> = lines.iter().map(|line| line.get(locale)).collect();
        let calls = match costs.get(&rule.name) {
            Some(calls) => {
                Message::new(format!("约 +{}/月", grouped(*calls)), format!("about +{}/month", grouped(*calls)))
            }
            None => Message::new("不多花", "none"),
        };
        vec![
            name,
            severity_words(rule.severity).get(locale).to_string(),
            story.watches.get(locale).to_string(),
            story.rings.get(locale).to_string(),
            tells.join("; "),
            calls.get(locale).to_string(),
        ]
    };
    let more = match locale {
        Locale::Zh => "一条规则的全部：deskbell rules <名称>",
        Locale::En => "all of one rule: deskbell rules <name>",
    };
    format!("{}\n\n{more}", table(&head, rules.iter().map(row)))
}

const fn mode_word(mode: &Mode) -> Words {
    match mode {
        Mode::Live => Words { zh: "正式", en: "live" },
        Mode::Trial(_) => Words { zh: "试运行", en: "trial" },
        Mode::Disabled => Words { zh: "停用", en: "disabled" },
    }
}

/// All of one rule.
fn told(rule: &Rule, costs: &Costs, locale: Locale) -> String {
    let story = Story::of(rule);
    let say = |zh, en| Words { zh, en }.get(locale);
    let mut lines = vec![format!("{} · {}", rule.name, severity_words(rule.severity).get(locale))];
    let mut line = |label: &str, text: &str| lines.push(format!("  {label}{text}"));
    if let Some(summary) = &rule.summary {
        line("", summary);
    }
    line(say("看什么：", "watches: "), story.watches.get(locale));
    for (name, meaning) in &story.conditions {
        line(say("  其中 ", "  where "), &format!("{name}{}{}", say("：", ": "), meaning.get(locale)));
    }
    line(say("什么时候提醒：", "rings: "), story.rings.get(locale));
    for told in &story.tells {
        line(say("通知：", "tells: "), told.get(locale));
    }
    for step in &story.ladder {
        line(say("然后：", "then: "), step.get(locale));
    }
    line(say("什么时候结束：", "ends: "), story.ends.get(locale));
    line(say("来源：", "sources: "), story.sources.get(locale));
    line(say("时长按：", "counts in: "), story.hours.get(locale));
    line(say("状态：", "mode: "), story.mode.get(locale));
    line(say("调用：", "costs: "), cost(rule, costs).get(locale));
    if let Some(advice) = &rule.advice {
        line(say("建议：", "advice: "), advice);
    }
    if let Some(runbook) = &rule.runbook {
        line(say("手册：", "runbook: "), runbook);
    }
    lines.join("\n")
}

/// What a rule asks for beyond the list that is read anyway.
fn cost(rule: &Rule, costs: &Costs) -> Message {
    let calls = costs.get(&rule.name).copied().map(grouped);
    match calls {
        Some(calls) => Message::new(
            format!(
                "要读工单的消息，每张有变化的工单多一次：约 +{calls} 次/月（按每个来源每天 {CHANGES_A_DAY} 张估计；几条规则共用）"
            ),
            format!(
                "reads the messages of tickets, one more call for each that changed: about +{calls} a month (assuming \
                 {CHANGES_A_DAY} a day and source; rules share what is read)"
            ),
        ),
        None if rule.needs_messages() => Message::new(
            "要读工单的消息，但现在没有来源归它看：不花调用",
            "would read the messages of tickets, but watches no source: no calls",
        ),
        None => Message::new("只看工单列表，不多花调用", "reads nothing beyond the list: no further calls"),
    }
}

/// What the API says of a rule, and what it costs.
fn as_json(rule: &Rule, costs: &Costs) -> Value {
    let mut document = json!(RuleDocument::from(rule));
    document["calls_a_month"] = json!(costs.get(&rule.name).copied().unwrap_or_default());
    document
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::domain::{
        condition::{Condition, Operator, Target, Test},
        field::Field,
        id::ConditionName,
    };

    fn rules() -> RuleSet {
        let status = Condition::Test(Test {
            target: Target::Field(Field::find("status").unwrap()),
            operator: Operator::CodeIs([1, 2, 3, 4, 5].into()),
        });
        let words = Condition::Test(Test {
            target: Target::Field(Field::find("guest_message").unwrap()),
            operator: Operator::TextContains(["投诉".into()].into()),
        });
        let open = Condition::Meets(ConditionName::new("human"), Arc::new(status));
        let both = Condition::All(vec![open.clone(), words]);
        let rules = [Rule::new(RuleName::new("排队"), open), Rule::new(RuleName::new("敏感词"), both)];
        RuleSet { rules: rules.into_iter().map(|rule| (rule.name.clone(), rule)).collect() }
    }

    #[test]
    fn a_rule_is_found_by_a_part_of_its_name() {
        let rules = rules();
        let names = |typed: Option<&str>| {
            chosen(&rules, typed).map(|found| found.iter().map(|rule| rule.name.to_string()).collect::<Vec<_>>())
        };
        assert_eq!(names(None).unwrap().len(), 2);
        assert_eq!(names(Some("敏感")).unwrap(), ["敏感词"]);
        let Err(Stop::Failure(message)) = names(Some("敏咸词")) else { panic!("found") };
        assert!(message.en.contains("敏感词"), "{message}");
    }

    #[test]
    fn what_a_rule_costs_and_rests_on_is_said() {
        let rules = rules();
        let costs = Costs::from([(RuleName::new("敏感词"), 6_000)]);
        let shown = told(&rules.rules[&RuleName::new("敏感词")], &costs, Locale::Zh);
        for part in ["客户消息包含 投诉", "其中 human：状态是 未关闭", "约 +6,000 次/月"] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        let plain = told(&rules.rules[&RuleName::new("排队")], &costs, Locale::En);
        assert!(plain.contains("no further calls"), "{plain}");
        let shown = overview(&rules.rules.values().collect::<Vec<_>>(), &costs, Locale::En);
        assert!(shown.contains("+6,000/month") && shown.contains("none"), "{shown}");
        assert_eq!(as_json(&rules.rules[&RuleName::new("敏感词")], &costs)["calls_a_month"], 6_000);
    }
}
