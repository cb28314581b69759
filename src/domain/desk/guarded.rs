//! Conditions that people ask for tickets by, judged by what may be shown of a ticket and by nothing else: whoever
//! learns that a condition holds has learned the value.

use std::{borrow::Cow, sync::Arc};

use crate::domain::{
    condition::{Condition, Operator, Target, Test},
    judge::part_named,
    labels::{Caption, Labels, Team},
    privacy::{Privacy, ShownFields},
    seen::Seen,
    text::fold,
    ticket::Known,
    time::Timestamp,
    verdict::{Answer, eval},
};

/// Whether a condition asks for what is not shown of a ticket.
pub(super) fn asks_for_hidden(condition: &Condition, seen: &Seen<'_>) -> bool {
    let labels = seen.labels;
    let is_shown = |target: &Target| labels.privacy.shows(target, seen.ticket, labels.priority.as_deref());
    condition.any(&|part| match part {
        Condition::Test(test) => match (&test.target, &test.operator) {
            (Target::Field(field), Operator::PersonIs(names)) => {
                names.iter().any(|name| !is_shown(&Target::Part(field, part_named(name))))
            }
            (target, _) => !is_shown(target),
        },
        _ => false,
    })
}

/// Whether a ticket meets a condition, as far as what is shown of it tells: what is masked is compared as it is shown,
/// so that no number is found out digit by digit.
pub(super) fn meets(condition: &Condition, seen: &Seen<'_>, now: Timestamp) -> Answer {
    if !condition.any(&|part| matches!(part, Condition::Test(test) if asks_for_text(test))) {
        return eval(condition, seen, now).answer;
    }
    let labels = seen.labels;
    let privacy = with_subject(labels);
    let ticket = privacy.ticket(seen.ticket, labels.priority.as_deref());
    let facts = privacy.facts(seen.facts, seen.ticket);
    let labels = match settled_team(seen) {
        Some(teams) if !labels.teams.is_empty() => Cow::Owned(Labels { teams, ..labels.clone() }),
        _ => Cow::Borrowed(labels),
    };
    eval(condition, &Seen::at_rest(&ticket, &facts, &labels), now).answer
}

/// Whether a test looks at words: those may hold what is masked. Numbers of an enumeration and instants hold none.
const fn asks_for_text(test: &Test) -> bool {
    !matches!(test.operator, Operator::CodeIs(_) | Operator::Before(_) | Operator::After(_))
}

/// What may be shown, and where the subject line may, the custom fields it stands in.
fn with_subject(labels: &Labels) -> Cow<'_, Privacy> {
    match &labels.privacy.fields {
        ShownFields::Only(shown) if labels.privacy.subject => {
            let captions = labels.subject.iter().filter_map(|caption| match caption {
                Caption::Field(name) => Some(fold(name).as_ref().into()),
                Caption::FirstGuestMessage => None,
            });
            let fields = ShownFields::Only(shown.iter().cloned().chain(captions).collect());
            Cow::Owned(Privacy { fields, ..Privacy::clone(&labels.privacy) })
        }
        _ => Cow::Borrowed(&labels.privacy),
    }
}

/// The team is shown whatever says which one it is: it is found by the ticket as it is. Nothing where nobody can tell.
fn settled_team(seen: &Seen<'_>) -> Option<Arc<Vec<Team>>> {
    match seen.labels.team_of(seen) {
        Known::Present(team) => Some(Arc::new(vec![Team { when: None, ..team.clone() }])),
        Known::Empty => Some(Arc::new(Vec::new())),
        Known::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        condition::PersonPart,
        facts::Facts,
        field::Field,
        id::TicketKey,
        ticket::{CustomField, Person, Text, Ticket},
    };

    const NOW: Timestamp = Timestamp::from_ms(1_700_000_000_000);

    fn text(text: &str) -> Known<Text> {
        Known::Present(text.into())
    }

    fn ticket() -> Ticket {
        let guest =
            Person { id: text("ou_guest"), name: text("韩梅梅"), email: text("h@example.com"), ..Person::default() };
        let field = |name: &str, value: &str| CustomField {
            display_name: text(name),
            value: text(value),
            ..CustomField::default()
        };
        let fields = vec![field("电话", "13812345678"), field("标题", "打印机 13812345678 坏了")];
        Ticket {
            guest: Known::Present(Arc::new(guest.clone())),
            closed_by: Known::Present(Arc::new(guest)),
            customized_fields: Known::Present(fields.into()),
            ..Ticket::unknown(TicketKey::new("it-desk".into(), "6626871355780366331".into()))
        }
    }

    fn test(field: &str, operator: Operator) -> Condition {
        let target = match field {
            "电话" | "标题" => Target::Custom(crate::domain::condition::CustomSelector::Any(field.into())),
            field => Target::Field(Field::find(field).unwrap()),
        };
        Condition::Test(Test { target, operator })
    }

    fn person(field: &str, names: &[&str]) -> Condition {
        test(field, Operator::PersonIs(names.iter().map(|name| Text::from(*name)).collect()))
    }

    fn is(field: &str, wanted: &str) -> Condition {
        test(field, Operator::TextIs([Text::from(wanted)].into()))
    }

    fn has(field: &str, part: &str) -> Condition {
        test(field, Operator::TextContains([Text::from(part)].into()))
    }

    fn matches(field: &str, pattern: &str) -> Condition {
        test(field, Operator::TextMatches(vec![regex::Regex::new(pattern).unwrap()].into()))
    }

    fn not(part: Condition) -> Condition {
        Condition::Not(Box::new(part))
    }

    fn labels(privacy: Privacy) -> Labels {
        let when = Some(person("guest", &["h@example.com"]));
        let team = Team { name: "vip".into(), when, to: "vip".into(), lead: None, oncall: None };
        Labels {
            subject: vec![Caption::Field("标题".into())],
            teams: Arc::new(vec![team]),
            privacy: Arc::new(privacy),
            ..Labels::default()
        }
    }

    fn said(privacy: Privacy, condition: &Condition) -> String {
        let (ticket, labels) = (ticket(), labels(privacy));
        let facts = Facts::new(NOW, NOW);
        let seen = Seen::at_rest(&ticket, &facts, &labels);
        if asks_for_hidden(condition, &seen) { "hidden".into() } else { format!("{:?}", meets(condition, &seen, NOW)) }
    }

    #[test]
    fn no_condition_finds_out_what_is_not_shown() {
        let with = |part: PersonPart| Privacy { guest: vec![part], ..Privacy::default() };
        let usual = Privacy::default;
        let only = || Privacy { fields: ShownFields::Only(vec!["电话".into()]), ..Privacy::default() };
        for (privacy, condition, expected) in [
            (usual(), person("guest", &["韩梅梅"]), "Yes"),
            (usual(), person("guest", &["h@example.com"]), "hidden"),
            (usual(), person("guest", &["ou_guest"]), "hidden"),
            (usual(), person("guest", &["韩梅梅", "h@example.com"]), "hidden"),
            (usual(), person("closed_by", &["h@example.com"]), "hidden"),
            (usual(), person("closed_by", &["韩梅梅"]), "Yes"),
            (usual(), not(person("guest", &["h@example.com"])), "hidden"),
            (with(PersonPart::Email), person("guest", &["韩梅梅"]), "hidden"),
            (with(PersonPart::Email), person("guest", &["h@example.com"]), "No"), // masked
            (Privacy::none(), person("guest", &["h@example.com"]), "Yes"),
            (usual(), is("电话", "13812345678"), "No"),
            (usual(), is("电话", "138****5678"), "Yes"),
            (usual(), matches("电话", "3812"), "No"),
            (usual(), test("电话", Operator::AtLeast(1e10)), "Unknown"),
            (usual(), not(has("电话", "1234")), "Yes"),
            (Privacy::none(), matches("电话", "3812"), "Yes"),
            (usual(), matches("subject", "13812"), "No"),
            (usual(), has("subject", "打印机"), "Yes"),
            (only(), has("subject", "打印机"), "Yes"),
            (only(), has("标题", "打印机"), "hidden"),
            (usual(), Condition::All(vec![is("team", "vip"), has("subject", "打印机")]), "Yes"),
        ] {
            assert_eq!(said(privacy.clone(), &condition), expected, "{condition:?} of {privacy:?}");
        }
    }
}
