//! `deskbell check`: configuration, rules and templates, offline; every fault at once, and the API calls a month.

use std::path::Path;

use crate::{
    adapters::clock::Clock,
    app::config::load::load,
    cli::{report, run::Stop, terminal::Terminal},
    domain::text::Message,
};

/// Checks the configuration at `path`.
pub fn run(path: &Path, terminal: Terminal) -> Result<(), Stop> {
    let mut loaded = load(path, &|name| std::env::var(name).ok());
    loaded.faults.extend(loaded.setup.iter().flat_map(|setup| setup.calendars.run_out(Clock::system().now())));
    if !loaded.faults.is_empty() {
        let read = report::reader(&loaded.base);
        terminal.print(&report::faults(&loaded.faults, terminal.locale, &read));
    }
    let Some(setup) = loaded.setup else {
        return Err(Stop::usage("请改好以上错误", "please mend the errors above"));
    };
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
