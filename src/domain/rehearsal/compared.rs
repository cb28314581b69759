//! The difference between two sets of rules as people read it.

use crate::domain::{
    rehearsal::{
        chart::{left, right, wrap},
        difference::{Missing, RuleDifference},
        text::{WIDTH, subject},
    },
    text::{Locale, Message, Words},
    time::Zone,
};

/// Columns of a rule's name.
const NAME_WIDTH: usize = 30;

/// A table of what differs, and examples of it.
pub fn compared(differences: &[RuleDifference], zone: Zone, locale: Locale) -> String {
    let head = match locale {
        Locale::Zh => ["规则", "原来", "现在", "多出", "少掉", "时间变了"],
        Locale::En => ["rule", "before", "after", "new", "lost", "moved"],
    };
    let row = |name: &str, cells: [String; 5]| {
        let cells: Vec<String> = cells.iter().map(|cell| right(cell, 10)).collect();
        format!("{}{}", left(name, NAME_WIDTH), cells.concat())
    };
    let [name, numbers @ ..] = head;
    let mut lines = vec![row(name, numbers.map(str::to_string))];
    for rule in differences {
        let RuleDifference { before, after, gained, lost, moved, .. } = rule;
        let some = |count: &usize, sign: &str| if *count == 0 { "-".to_string() } else { format!("{sign}{count}") };
        let cells = [before.to_string(), after.to_string(), some(gained, "+"), some(lost, "−"), some(moved, "")];
        lines.push(row(rule.name.as_str(), cells));
    }
    let mut examples = |head: Words, of: fn(&RuleDifference) -> &[Missing]| {
        let found = differences.iter().flat_map(|rule| of(rule).iter().map(move |example| (rule, example)));
        let told: Vec<String> = found
            .map(|(rule, missing)| {
                let (at, about, name) = (zone.minute(missing.at), subject(&missing.subject), &rule.name);
                let said = Message::new(
                    format!("{name}：{at}，{}。{}", about.zh, missing.why.zh),
                    format!("{name}: {at}, {}. {}", about.en, missing.why.en),
                );
                wrap(&format!("  {}", said.get(locale)), WIDTH, 4)
            })
            .collect();
        if !told.is_empty() {
            lines.extend([String::new(), head.get(locale).to_string()]);
            lines.extend(told);
        }
    };
    examples(Words { zh: "多出来的，例如", en: "New, for example" }, |rule| &rule.gained_examples);
    examples(Words { zh: "少掉的，例如", en: "Lost, for example" }, |rule| &rule.lost_examples);
    if differences.iter().all(|rule| rule.gained + rule.lost + rule.moved == 0) {
        let same = Words { zh: "两套规则响的一样", en: "Both sets ring the same" };
        lines.extend([String::new(), same.get(locale).to_string()]);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        id::{RuleName, SourceName, Subject, TicketId, TicketKey},
        time::Timestamp,
    };

    #[test]
    fn a_table_and_what_it_comes_from() {
        let key = TicketKey::new(SourceName::from("desk"), TicketId::from("6626871355780366331"));
        let why = Message::new("客户等了 45 分钟", "the guest waited 45 minutes");
        let lost = Missing { subject: Subject::Ticket(key), at: Timestamp::from_ms(1_792_512_000_000), why };
        let rule = |name: &str, lost: Vec<Missing>| RuleDifference {
            name: RuleName::from(name),
            before: 12,
            after: 12 - lost.len(),
            gained: 0,
            lost: lost.len(),
            moved: 3 * lost.len(),
            gained_examples: Vec::new(),
            lost_examples: lost,
        };
        let zone = Zone(chrono_tz::Asia::Shanghai);
        let found = compared(&[rule("客服沉默", vec![lost]), rule("same", vec![])], zone, Locale::Zh);
        let expected = "\
规则                                原来      现在      多出      少掉  时间变了
客服沉默                              12        11         -        −1         3
same                                  12        12         -         -         -

少掉的，例如
  客服沉默：2026-10-21 00:00，工单尾号 366331。客户等了 45 分钟";
        assert_eq!(found, expected);
        let same = compared(&[rule("same", vec![])], zone, Locale::En);
        assert!(same.ends_with("Both sets ring the same"), "{same}");
    }
}
