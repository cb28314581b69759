//! `deskbell journal <ticket>`: what happened and why, as a story. The running service is asked; without one the store
//! is read.

use std::path::PathBuf;

use clap::Args;

use crate::{
    adapters::{
        clock::Clock,
        store::{database::Store, error::OpenError},
    },
    app::config::setup::Setup,
    cli::{
        alerts::{json, plain},
        api::{Answer, Api},
        args::Format,
        prepare::{self, Warnings},
        run::Stop,
        terminal::Terminal,
    },
    domain::{
        chronicle::{LinesOf, chronicle},
        desk::machine::Desk,
        text::Message,
        time::Zone,
    },
    web::journal::{JournalPage, LINES, page},
};

/// What may be typed.
#[derive(Clone, Debug, Args)]
pub struct JournalArguments {
    /// 配置文件 · The configuration file
    #[arg(long, short, value_name = "FILE", default_value = "deskbell.yaml")]
    pub config: PathBuf,
    /// 工单号或最后 5 位以上，提醒的编号（#4F7A2C），group:支付，source:it-desk · A ticket, a reference, a group, a source
    pub of: String,
    /// 最多几行，最新的（1 到 1000） · At most so many lines, the newest
    #[arg(long)]
    pub limit: Option<u16>,
    /// 也列出谁查看、谁被拒绝 · Also who asked, and who was turned away
    #[arg(long)]
    pub looks: bool,
    /// 输出格式 · What the answer looks like
    #[arg(long, value_name = "text|json", default_value = "text", hide_possible_values = true)]
    pub format: Format,
}

/// Tells the story.
pub fn run(arguments: &JournalArguments, terminal: Terminal) -> Result<(), Stop> {
    let (server, zone) = prepare::door(&arguments.config, terminal)?;
    let limit = arguments.limit.map(|limit| limit.to_string());
    let mut query = vec![("of", arguments.of.as_str())];
    query.extend(arguments.looks.then_some(("looks", "true")));
    query.extend(limit.as_deref().map(|limit| ("limit", limit)));
    let api = Api::of(&server)?;
    let asked = prepare::small_runtime()?.block_on(api.try_get("/api/v1/journal", &query))?;
    let page = match asked {
        Answer::Here(page) => page,
        Answer::NotRunning => from_store(prepare::setup(&arguments.config, Warnings::Left, terminal)?, arguments)?,
    };
    match arguments.format {
        Format::Json => terminal.print(&json(&page)),
        Format::Text => show(&page, zone, terminal),
    }
    Ok(())
}

fn show(page: &JournalPage, zone: Zone, terminal: Terminal) {
    let of = page.subject.rsplit_once(':').map_or(page.subject.as_str(), |(_, of)| of);
    let head = page.title.as_ref().map_or_else(|| of.to_string(), |title| format!("{of} {title}"));
    terminal.print(&plain(&head));
    if page.lines.is_empty() {
        return terminal.say(&Message::new("日志里没有它：没有响过，或早已清理", "the journal has nothing about it"));
    }
    terminal.print(&chronicle(&page.journal(), zone, terminal.locale));
    if page.more {
        terminal.note(&Message::new("更早的没有列出", "older lines are not shown"));
    }
}

/// The journal from the store, which no service has.
fn from_store(setup: Setup, arguments: &JournalArguments) -> Result<JournalPage, Stop> {
    if !Store::is_there(&setup.store) {
        let path = setup.store.path.display();
        return Err(Stop::failure(
            format!("{path} 还没有数据：服务运行过一次（deskbell serve）才有日志可看"),
            format!("there is no store at {path}: let the service run first (deskbell serve)"),
        ));
    }
    let (store, stored) = Store::open(&setup.store).map_err(|error| refused(&error))?;
    // What it wants done at a start is left undone: this only looks.
    let (desk, _) = Desk::open(stored, setup.rules, setup.settings, Clock::system().now());
    let meant = desk.meant(&arguments.of).map_err(Stop::Failure)?;
    let limit = arguments.limit.map_or(LINES, usize::from).clamp(1, LINES);
    let lines = store
        .journal(&LinesOf { looks: arguments.looks, ..meant.lines() }, limit + 1)
        .map_err(|error| Stop::Failure(error.message()))?;
    Ok(page(meant, lines, limit))
}

fn refused(error: &OpenError) -> Stop {
    let OpenError::Held { path, .. } = error else { return Stop::Failure(error.message()) };
    let path = path.display();
    Stop::failure(
        format!("数据目录 {path} 正被使用，但 server.admin_listen 上没有应答：它可能和服务启动时不同"),
        format!(
            "the store {path} is in use, but nothing answers at server.admin_listen: it may differ from the service's"
        ),
    )
}
