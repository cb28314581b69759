//! The visit: every question in order, every answer a line, the ill ones counted.

use std::path::Path;

use crate::{
    adapters::feishu::client::Client,
    app::config::setup::Setup,
    cli::{
        doctor::{
            events,
            finding::{Finding, Mark},
            platform, sources,
        },
        init::console::app_page,
        prepare::{self, Warnings},
        report,
        run::Stop,
        terminal::Terminal,
    },
    domain::{fault::Gravity, text::Message},
};

/// Looks at everything the configuration takes for granted; with `fix`, sets right what can be set right from here.
pub fn run(path: &Path, fix: bool, terminal: Terminal) -> Result<(), Stop> {
    let setup = prepare::setup(path, Warnings::Shown, terminal)?;
    let client = prepare::client(&setup.feishu, &setup.http)?;
    let ill = prepare::small_runtime()?.block_on(visit(&client, &setup, fix, terminal));
    if ill == 0 {
        terminal.say(&Message::new("都好。可以 deskbell serve 了", "All is well: deskbell serve"));
        return Ok(());
    }
    Err(Stop::failure(format!("有 {ill} 处要处理"), format!("to be mended: {ill}")))
}

/// How many findings are ill.
async fn visit(client: &Client, setup: &Setup, fix: bool, terminal: Terminal) -> usize {
    let mut ill = 0;
    let mut tell = |findings: &[Finding]| {
        for finding in findings {
            terminal.print(&finding.line(terminal.locale));
        }
        ill += findings.iter().filter(|finding| finding.mark == Mark::Ill).count();
    };
    match platform::credentials(client).await {
        Ok(well) => tell(&[well]),
        Err(finding) => {
            tell(&[finding]);
            return ill;
        }
    }
    tell(&platform::bot(client).await);
    let looked = sources::look(client, setup).await;
    tell(&looked.findings);
    tell(&platform::receivers(client, setup).await);
    tell(&platform::people(client, setup).await);
    tell(&events::look(client, setup, fix).await);
    if !looked.faults.is_empty() {
        let read = report::reader(&setup.base);
        terminal.print(&report::faults(&looked.faults, terminal.locale, &read));
    }
    if ill > 0 {
        let page = app_page(setup.feishu.base_url.as_str(), &setup.feishu.app_id);
        terminal.say(&Message::new(
            format!("权限和机器人都在这里改：{page}；改完要发布新版本，管理员通过后才生效"),
            format!(
                "permissions and the bot are mended here: {page}; publish a version, the admin's approval makes it real"
            ),
        ));
    }
    ill + looked.faults.iter().filter(|fault| fault.gravity == Gravity::Error).count()
}
