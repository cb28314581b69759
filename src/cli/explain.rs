//! `deskbell explain <ticket>`: why a rule rings on a ticket or does not. The running service is asked; without one the
//! store is read. Nothing is written or sent.

use std::path::PathBuf;

use chrono::{NaiveDateTime, TimeZone};
use clap::Args;
use serde_json::Value;

use crate::{
    adapters::{
        clock::Clock,
        store::{database::Store, error::OpenError},
    },
    app::config::{server::Server, setup::Setup},
    cli::{
        api::{Answer, Api},
        args::Format,
        prepare::{self, Warnings},
        run::Stop,
        terminal::Terminal,
    },
    domain::{
        desk::machine::Desk,
        explain::{explanation::Explained, text::text},
        text::{Locale, Message},
        time::{Timestamp, Zone},
    },
    web::explain::document,
};

/// What may be typed.
#[derive(Clone, Debug, Args)]
pub struct ExplainArguments {
    /// 配置文件 · The configuration file
    #[arg(long, short, value_name = "FILE", default_value = "deskbell.yaml")]
    pub config: PathBuf,
    /// 工单号，数据源:工单号，或工单号的最后几位（5 位以上） · The ticket: id, source:id, or its last 5 digits or more
    pub ticket: String,
    /// 只看这条规则；默认每条都看 · This rule only; default: every rule
    #[arg(long)]
    pub rule: Option<String>,
    /// 还原到这个时刻（配置的时区）；要先停服务 · As it was then (configured zone); the service must be stopped
    #[arg(long, value_name = "2026-11-20 14:05")]
    pub at: Option<String>,
    /// 输出格式 · What the answer looks like
    #[arg(long, value_name = "text|json", default_value = "text", hide_possible_values = true)]
    pub format: Format,
}

/// Explains.
pub fn run(arguments: &ExplainArguments, terminal: Terminal) -> Result<(), Stop> {
    let (server, zone) = prepare::door(&arguments.config, terminal)?;
    let at = arguments.at.as_deref().map(|typed| instant(typed, zone)).transpose()?;
    if at.is_none()
        && let Some(answer) = prepare::small_runtime()?.block_on(ask(&server, arguments, terminal.locale))?
    {
        return show_answer(answer, arguments.format, terminal);
    }
    let setup = prepare::setup(&arguments.config, Warnings::Left, terminal)?;
    let explained = from_store(setup, arguments, at)?;
    match arguments.format {
        Format::Json => terminal.print(&format!("{:#}", document(&explained))),
        Format::Text => terminal.print(&text(&explained, terminal.locale)),
    }
    Ok(())
}

fn show_answer(mut answer: Value, format: Format, terminal: Terminal) -> Result<(), Stop> {
    let said = answer.as_object_mut().and_then(|object| object.remove("text"));
    match (format, said) {
        (Format::Json, _) => terminal.print(&format!("{answer:#}")),
        (Format::Text, Some(Value::String(said))) => terminal.print(&said),
        (Format::Text, _) => {
            return Err(Stop::failure("读不懂服务的回答", "the service's answer cannot be read"));
        }
    }
    Ok(())
}

/// The running service's answer; nothing where nobody listens.
async fn ask(server: &Server, arguments: &ExplainArguments, locale: Locale) -> Result<Option<Value>, Stop> {
    let lang = if locale == Locale::En { "en" } else { "zh" };
    let mut query = vec![("ticket", arguments.ticket.as_str()), ("lang", lang)];
    query.extend(arguments.rule.as_deref().map(|rule| ("rule", rule)));
    match Api::of(server)?.try_get("/api/v1/explain", &query).await? {
        Answer::Here(answer) => Ok(Some(answer)),
        Answer::NotRunning => Ok(None),
    }
}

/// The answer from the store, which no service has.
fn from_store(setup: Setup, arguments: &ExplainArguments, at: Option<Timestamp>) -> Result<Explained, Stop> {
    let now = Clock::system().now();
    if !Store::is_there(&setup.store) {
        let path = setup.store.path.display();
        return Err(Stop::failure(
            format!("{path} 还没有数据：服务运行过一次（deskbell serve）才有工单可看"),
            format!("there is no store at {path}: let the service run first (deskbell serve)"),
        ));
    }
    let (store, stored) = Store::open(&setup.store).map_err(|error| refused(&error, at.is_some()))?;
    // What it wants done at a start is left undone: this only looks.
    let (desk, _) = Desk::open(stored, setup.rules, setup.settings, now);
    let rule = arguments.rule.as_deref();
    let Some(at) = at else {
        let mut explained = desk.explain(&arguments.ticket, rule, now).map_err(Stop::Failure)?;
        explained.notes.insert(
            0,
            Message::new("服务没有在运行：看的是存储里的", "the service is not running: this is what the store holds"),
        );
        return Ok(explained);
    };
    if at > now {
        return Err(Stop::usage("--at 在将来", "--at lies ahead"));
    }
    let key = desk.ticket_meant(&arguments.ticket).map_err(Stop::Failure)?;
    let revisions = store.revisions(&key).map_err(|error| Stop::Failure(error.message()))?;
    desk.explain_past(&key, rule, &revisions, at).map_err(Stop::Failure)
}

fn refused(error: &OpenError, past: bool) -> Stop {
    let OpenError::Held { path, .. } = error else { return Stop::Failure(error.message()) };
    let path = path.display();
    if past {
        return Stop::failure(
            format!("数据目录 {path} 正被服务使用：--at 要先停服务，或在停服务时拷一份数据，用它的配置来看"),
            format!(
                "the service has the store {path}: --at takes a stopped service, or a copy made while it was stopped"
            ),
        );
    }
    Stop::failure(
        format!("数据目录 {path} 正被使用，但 server.admin_listen 上没有应答：它可能和服务启动时不同"),
        format!(
            "the store {path} is in use, but nothing answers at server.admin_listen: it may differ from the service's"
        ),
    )
}

/// `2026-11-20 14:05` in the configured zone; of an hour that comes twice, the first.
fn instant(typed: &str, zone: Zone) -> Result<Timestamp, Stop> {
    let local = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S%.f"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(typed.trim(), format).ok());
    let at = local.and_then(|local| zone.0.from_local_datetime(&local).earliest());
    at.map(|at| Timestamp::from_ms(at.timestamp_millis())).ok_or_else(|| {
        Stop::usage(
            "--at 读不懂，这样写：--at \"2026-11-20 14:05\"",
            "--at cannot be read; write --at \"2026-11-20 14:05\"",
        )
    })
}
