//! `deskbell check`: configuration, rules and templates, offline; every fault at once, and the API calls a month.

use std::path::Path;

use crate::{
    adapters::clock::Clock,
    app::{config::load::load, fields},
    cli::{report, run::Stop, terminal::Terminal},
    domain::text::Message,
};

/// Checks the configuration at `path`.
pub fn run(path: &Path, terminal: Terminal) -> Result<(), Stop> {
    let mut loaded = load(path, &|name| std::env::var(name).ok());
    loaded.faults.extend(loaded.setup.iter().flat_map(|setup| setup.of_the_day(Clock::system().now())));
    if !loaded.faults.is_empty() {
        let read = report::reader(&loaded.base);
        terminal.print(&report::faults(&loaded.faults, terminal.locale, &read));
    }
    let unfit = loaded.setup.as_ref().map(|setup| setup.unfit.as_slice()).unwrap_or_default();
    if !unfit.is_empty() {
        terminal.print(&report::faults(unfit, terminal.locale, &report::reader(&loaded.base)));
        return Err(Stop::usage(
            "规则和上次存下的自定义字段对不上。改规则，或在服务台改好后运行 deskbell doctor 重新读取",
            "the rules do not fit the custom fields last stored; mend the rules, or the helpdesk, and read it anew with deskbell doctor",
        ));
    }
    let Some(setup) = loaded.setup else {
        return Err(Stop::usage("请改好以上错误", "please mend the errors above"));
    };
    if setup.names.fields.is_none() && setup.rules.rules.values().any(fields::names_some) {
        terminal.note(&Message::new(
            "还没有存过自定义字段的定义，规则里的字段名和选项没有核对；deskbell doctor 和 deskbell serve 会读取",
            "no definitions of custom fields are stored, so fields and options in rules were not checked; deskbell doctor and \
             deskbell serve read them",
        ));
    }
    setup.rotas.notes.iter().for_each(|note| terminal.say(note));
    terminal.say(&setup.calls.words());
    let (rules, sources) = (setup.rules.rules.len(), setup.sources.len());
    let (receivers, templates) = (setup.settings.receivers.len(), setup.templates.names().len());
    terminal.say(&Message::new(
        format!("配置可用：{sources} 个数据源，{receivers} 个接收方，{rules} 条规则，{templates} 个模板"),
        format!(
            "the configuration is fine: sources {sources}, receivers {receivers}, rules {rules}, templates {templates}"
        ),
    ));
    Ok(())
}
