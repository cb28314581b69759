//! What a matcher matches, part by part and together, on a ticket, on groups and on deskbell's own alerts.

use std::sync::Arc;

use super::*;
use crate::domain::{
    alert::AlertKey,
    condition::{Condition, CustomSelector, Operator, Test},
    facts::Facts,
    field::Field,
    labels::Labels,
    rule::Count,
    ticket::{CustomField, Known, Ticket},
};

const START: Timestamp = Timestamp::from_ms(1_795_000_000_000);

fn test(name: &str, operator: Operator) -> Condition {
    Condition::Test(Test { target: Target::Field(Field::find(name).unwrap()), operator })
}

/// `fields: {等级: …}`; operands of texts are folded when they are compiled.
fn level(is: &str) -> Condition {
    let target = Target::Custom(CustomSelector::Any("等级".into()));
    Condition::Test(Test { target, operator: Operator::TextIs([crate::domain::text::fold(is).as_ref().into()].into()) })
}

fn open() -> Condition {
    test("status", Operator::CodeIs(Arc::from([1, 2, 3, 4, 5])))
}

/// `payment` has what is of level VIP, `other` the rest.
fn labels() -> Labels {
    let team = |name: &str, when| Team { name: name.into(), when, to: "support".into(), lead: None, oncall: None };
    Labels { teams: Arc::new(vec![team("payment", Some(level("VIP"))), team("other", None)]), ..Labels::default() }
}

fn ticket(fields: Known<Arc<[CustomField]>>) -> Ticket {
    let key = TicketKey::new("it-desk".into(), "1".into());
    Ticket {
        status: Known::Present(crate::domain::ticket::Status::Processing),
        customized_fields: fields,
        ..Ticket::unknown(key)
    }
}

fn of_level(value: &str) -> Ticket {
    let field = CustomField {
        value: Known::Present(value.into()),
        display_name: Known::Present("等级".into()),
        ..CustomField::default()
    };
    ticket(Known::Present([field].into()))
}

/// A matcher, written as in chat: `rule=… source=… team=… ticket=… severity=… when=open|vip|lost`.
fn matcher(written: &str) -> Matcher {
    let mut matches = Matcher::default();
    for part in written.split_whitespace() {
        let (name, value) = part.split_once('=').unwrap();
        let when = |condition| Some(Written { text: value.into(), condition });
        match name {
            "rule" => matches.rule = Some(value.into()),
            "source" => matches.source = Some(value.into()),
            "team" => matches.team = Some(value.into()),
            "ticket" => matches.ticket = Some(TicketKey::new("it-desk".into(), value.into())),
            "severity" => {
                matches.severity =
                    [Severity::Info, Severity::Warning, Severity::Critical].into_iter().find(|it| it.name() == value)
            }
            _ if value == "open" => matches.when = when(Some(open())),
            _ if value == "vip" => matches.when = when(Some(level("VIP"))),
            _ => matches.when = when(None),
        }
    }
    matches
}

fn alert(subject: Subject, rule: &str, severity: Severity) -> Alert {
    Alert { severity, ..Alert::pending(AlertKey { subject, rule: rule.into() }, START) }
}

fn check(alert: &Alert, rule: Option<&Rule>, ticket: Option<&Ticket>, cases: &[(&str, bool)]) {
    let (labels, facts) = (labels(), Facts::new(START, START));
    let seen = ticket.map(|ticket| Seen::at_rest(ticket, &facts, &labels));
    for (written, expected) in cases {
        let about = About { alert, rule, seen };
        assert_eq!(matcher(written).matches(&about), *expected, "{written:?} on {:?}", alert.key);
    }
}

#[test]
fn every_part_must_hold_on_an_alert_about_a_ticket() {
    let rule = Rule { formerly: vec!["vip-wait".into()], ..Rule::new("vip waits".into(), open()) };
    let mut alert = alert(Subject::Ticket(TicketKey::new("it-desk".into(), "1".into())), "vip-wait", Severity::Warning);
    let cases = [
        ("", false),
        ("rule=vip-wait", true),
        ("rule=VIP-WAIT", false),
        ("rule=other", false),
        ("ticket=1", true),
        ("ticket=11", false),
        ("severity=critical", true),
        ("severity=warning", true),
        ("severity=info", false),
        ("source=it-desk", true),
        ("source=hr", false),
        ("team=payment", true),
        ("team=other", false),
        ("when=open", true),
        ("when=vip", true),
        ("when=lost", false),
        ("rule=vip-wait severity=warning source=it-desk team=payment ticket=1 when=open", true),
        ("rule=vip-wait severity=info", false),
        ("rule=vip-wait source=hr", false),
        ("source=it-desk team=other", false),
        ("ticket=1 when=lost", false),
        ("team=payment rule=other", false),
    ];
    check(&alert, Some(&rule), Some(&of_level("ｖｉｐ ")), &cases);
    // The rule goes by another name today: both are it.
    alert.key.rule = "vip-wait".into();
    let renamed = matcher("rule=vip-wait");
    let today = Matcher { rule: Some("vip waits".into()), ..Matcher::default() };
    let about = About { alert: &alert, rule: Some(&rule), seen: None };
    assert!(renamed.matches(&about) && today.matches(&about));
    // What nobody can tell does not match.
    let unknown = [("team=payment", false), ("team=other", false), ("when=vip", false), ("when=open", true)];
    check(&alert, Some(&rule), Some(&ticket(Known::Unknown)), &unknown);
    let plain = [("team=payment", false), ("team=other", true), ("when=vip", false)];
    check(&alert, Some(&rule), Some(&of_level("normal")), &plain);
}

#[test]
fn a_group_has_a_team_or_a_source_only_where_its_rule_says_so() {
    let count = |per| Count { per, when: vec![Operator::AtLeast(5.0)], within: None, clear: Vec::new() };
    let rule = |per, sources: Option<Vec<SourceName>>| Rule {
        kind: RuleKind::Count(count(per)),
        sources,
        ..Rule::new("pile".into(), open())
    };
    let field = |name| Some(Target::Field(Field::find(name).unwrap()));
    let group = alert(Subject::Group("payment".into()), "pile", Severity::Critical);
    let by_team = rule(field("team"), Some(vec!["it-desk".into()]));
    let cases = [
        ("rule=pile", true),
        ("team=payment", true),
        ("team=other", false),
        ("source=it-desk", true),
        ("source=hr", false),
        ("severity=warning", false),
        ("severity=critical", true),
        ("when=open", false),
        ("ticket=1", false),
        ("rule=pile when=open", false),
    ];
    check(&group, Some(&by_team), None, &cases);
    let by_priority = rule(field("priority"), None);
    check(&group, Some(&by_priority), None, &[("team=payment", false), ("source=it-desk", false), ("rule=pile", true)]);
    let everywhere = rule(None, Some(vec!["it-desk".into(), "hr".into()]));
    check(&group, Some(&everywhere), None, &[("source=it-desk", false), ("team=payment", false)]);
}

#[test]
fn deskbell_s_own_alerts_match_only_by_their_name() {
    let own = alert(Subject::Source("it-desk".into()), "deskbell.source_silent", Severity::Critical);
    let cases = [
        ("severity=critical", false),
        ("source=it-desk", false),
        ("source=it-desk severity=critical", false),
        ("rule=deskbell.source_silent", true),
        ("rule=deskbell.source_silent source=it-desk", true),
        ("rule=deskbell.source_silent source=hr", false),
        ("rule=deskbell.source_silent team=payment", false),
    ];
    check(&own, None, None, &cases);
}

#[test]
fn what_rings_for_an_inhibition_is_of_its_severity_or_a_higher_one() {
    let rule = Rule::new("r".into(), open());
    let matches = matcher("severity=warning");
    for (severity, silenced, rings) in
        [(Severity::Info, true, false), (Severity::Warning, true, true), (Severity::Critical, false, true)]
    {
        let alert = alert(Subject::Group("".into()), "r", severity);
        let about = About { alert: &alert, rule: Some(&rule), seen: None };
        assert_eq!((matches.matches(&about), matches.matches_ringing(&about)), (silenced, rings), "{severity:?}");
    }
    assert!(!Matcher::default().matches_ringing(&About {
        alert: &alert(Subject::Group("".into()), "r", Severity::Critical),
        rule: Some(&rule),
        seen: None,
    }));
}
