//! `deskbell fields`: the custom fields of each helpdesk, with their options.

use std::path::Path;

use crate::{
    adapters::feishu::{
        fields::{FieldDefinition, FieldKind, FieldOption},
        helpdesk::Helpdesk,
    },
    cli::{
        prepare::{self, Warnings},
        run::Stop,
        table::table,
        terminal::Terminal,
    },
    domain::{
        text::{Locale, Message},
        ticket::{Known, Text},
    },
};

/// Options named in a row; more are counted.
const OPTIONS_SHOWN_MAX: usize = 12;

/// Lists the fields.
pub fn run(path: &Path, terminal: Terminal) -> Result<(), Stop> {
    let setup = prepare::setup(path, Warnings::Left, terminal)?;
    let client = prepare::client(&setup.feishu, &setup.http)?;
    let runtime = prepare::small_runtime()?;
    for source in setup.sources.values() {
        let helpdesk = Helpdesk::new(client.clone(), &source.helpdesk);
        let fields =
            runtime.block_on(helpdesk.customized_fields(None)).map_err(|error| Stop::Failure(error.message()))?;
        let name = &source.name;
        terminal.say(&Message::new(format!("数据源 {name}，工单字段："), format!("source {name}, ticket fields:")));
        terminal.print(&fields_table(&fields.ticket, terminal.locale));
        if !fields.user.is_empty() {
            terminal.say(&Message::new("客户字段（规则还不能用）：", "guests' fields (not for rules yet):"));
            terminal.print(&fields_table(&fields.user, terminal.locale));
        }
        if fields.broken > 0 {
            let broken = fields.broken;
            terminal
                .note(&Message::new(format!("另有 {broken} 个字段读不懂"), format!("{broken} more cannot be read")));
        }
    }
    terminal.note(&Message::new(
        "规则里这样用：when: { fields: { 字段名: [选项, 选项] } }",
        "in a rule: when: { fields: { <name>: [<option>, <option>] } }",
    ));
    Ok(())
}

fn fields_table(fields: &[FieldDefinition], locale: Locale) -> String {
    let head = match locale {
        Locale::Zh => ["名称", "key", "id", "类型", "多选", "选项"],
        Locale::En => ["name", "key", "id", "type", "several", "options"],
    };
    table(&head, fields.iter().map(row))
}

fn row(field: &FieldDefinition) -> Vec<String> {
    let text = |known: &Known<Text>| known.present().map_or_else(String::new, ToString::to_string);
    let kind = match field.kind.present() {
        Some(FieldKind::String) => "string",
        Some(FieldKind::Multiline) => "multiline",
        Some(FieldKind::Dropdown) => "dropdown",
        Some(FieldKind::DropdownNested) => "dropdown_nested",
        Some(FieldKind::Other(word)) => word,
        None => "",
    };
    let several = if field.allow_multiple.present() == Some(&true) { "✓" } else { "" };
    let (display, key, id) = (text(&field.display_name), text(&field.key_name), text(&field.id));
    vec![display, key, id, kind.to_string(), several.to_string(), options(&field.options)]
}

fn options(all: &[FieldOption]) -> String {
    let mut names = Vec::new();
    gather(all, &mut names);
    let more = names.len().saturating_sub(OPTIONS_SHOWN_MAX);
    names.truncate(OPTIONS_SHOWN_MAX);
    let shown = names.join(", ");
    if more > 0 { format!("{shown}, … (+{more})") } else { shown }
}

fn gather(options: &[FieldOption], names: &mut Vec<String>) {
    for option in options {
        names.push(option.display_name.to_string());
        gather(&option.children, names);
    }
}
