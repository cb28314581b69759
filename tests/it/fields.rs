//! Custom fields while the service runs: read, stored, rules checked against them, drop-downs by name or id.

use std::{fs, net::SocketAddr};

use deskbell::sim::{helpdesk::FieldDefinition, http::lock, knobs::DropdownValue, route::Route};

use crate::town::{Running, Town, wait_until};

const DESK: &str = "6626871355780366330";

/// A configuration with one rule that rings for customers of a level, polled every second.
fn levels(rule_level: &str) -> (Town, SocketAddr) {
    let town = Town::new();
    town.init().expect(0, &[]);
    town.edit("plan: free", "plan: paid");
    town.edit("\"0 */15 * * * *\"", "\"* * * * * *\"");
    let rules = town.home.path().join("rules");
    fs::remove_dir_all(&rules).unwrap();
    fs::create_dir(&rules).unwrap();
    let rule = format!("name: level\nwhen: {{ fields: {{ 客户等级: {rule_level} }} }}\nnotify: [{{ to: support }}]\n");
    fs::write(rules.join("level.yaml"), rule).unwrap();
    lock(&town.platform).add_field(DESK, level());
    let (_, admin) = town.listen();
    (town, admin)
}

fn level() -> FieldDefinition {
    FieldDefinition {
        id: "7001".to_string(),
        key_name: "level".to_string(),
        display_name: "客户等级".to_string(),
        field_type: "dropdown".to_string(),
        options: vec![("opt-1".to_string(), "VIP".to_string()), ("opt-2".to_string(), "普通".to_string())],
        multiple: false,
        visible: true,
        required: false,
    }
}

impl Town {
    fn important_ticket(&self) {
        let now = self.clock.now().as_ms();
        let mut platform = lock(&self.platform);
        let id = platform.create_ticket(now, |_| {});
        platform.set_custom_field(&id, "客户等级", "VIP", now);
    }

    fn fields_are_stored(&self) -> bool {
        self.home.path().join("data/fields.json").exists()
    }

    fn card_texts(&self) -> String {
        lock(&self.platform).messages_in("oc_support").iter().map(|message| format!("{message:?}\n")).collect()
    }
}

#[test]
fn a_drop_down_is_met_by_its_name_where_tickets_carry_its_id() {
    let (town, admin) = levels("VIP");
    town.run(&["check"]).expect(0, &["no definitions of custom fields are stored"]);
    lock(&town.platform).turn(|knobs| knobs.dropdown_value = DropdownValue::OptionId);
    let running = Running::start(&town, admin);
    wait_until(&town, "the definitions are stored", || town.fields_are_stored());
    town.important_ticket();
    wait_until(&town, "it rings", || town.cards() >= 1);
    assert_eq!(town.cards(), 1, "operations has nothing to hear: {}", town.card_texts());
    let checked = town.run(&["check"]).expect(0, &["the configuration is fine"]);
    assert!(!checked.err.contains("no definitions"), "they are read while the service has the store: {checked:?}");
    assert_eq!(running.stop().0, Some(0));
}

#[test]
fn a_rule_that_names_no_option_is_unknown_and_operations_hears_once() {
    let (town, admin) = levels("SVIP");
    town.run(&["check"]).expect(0, &[]);
    let running = Running::start(&town, admin);
    wait_until(&town, "operations hears", || town.card_texts().contains("没有选项"));
    town.important_ticket();
    wait_until(&town, "the ticket is polled", || lock(&town.platform).count(Route::TicketList) > 8);
    assert_eq!(town.cards(), 1, "{}", town.card_texts());
    assert_eq!(running.stop().0, Some(0));
    let checked = town.run(&["check"]).expect(2, &["SVIP", "deskbell doctor"]);
    assert!(checked.out.contains("level.yaml:2"), "the place is shown: {checked:?}");
    let running = Running::start(&town, admin);
    assert_eq!(running.stop().0, Some(0), "a service starts all the same");
}
