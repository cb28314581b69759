//! `deskbell route <ticket>`: whom a ticket's alerts reach, and why. The running service is asked; without one, and for a
//! ticket it does not watch, the helpdesk is.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use serde_json::Value;

use crate::{
    adapters::clock::Clock,
    cli::{
        alerts::plain,
        api::{Answer, Api},
        args::Format,
        prepare::{self, Warnings},
        run::Stop,
        terminal::Terminal,
        ticket::find,
    },
    domain::{
        command::{Command, reply},
        desk::{machine::Desk, state::Stored},
        route::{Routed, text},
        text::{Locale, Message},
    },
    web::route::document,
};

/// What may be typed.
#[derive(Clone, Debug, Args)]
pub struct RouteArguments {
    /// 配置文件 · The configuration file
    #[arg(long, short, value_name = "FILE", default_value = "deskbell.yaml")]
    pub config: PathBuf,
    /// 工单号；服务在运行时也可以只写最后 5 位以上 · The ticket's id; with a running service its last 5 digits will do
    pub ticket: String,
    /// 不问服务，向服务台取这张工单，用现在的配置看 · Ask the helpdesk, not the service, and go by the files as they are
    #[arg(long)]
    pub fresh: bool,
    /// 输出格式 · What the answer looks like
    #[arg(long, value_name = "text|json", default_value = "text", hide_possible_values = true)]
    pub format: Format,
}

/// Shows the route.
pub fn run(arguments: &RouteArguments, terminal: Terminal) -> Result<(), Stop> {
    let (server, _) = prepare::door(&arguments.config, terminal)?;
    if !arguments.fresh {
        let lang = if terminal.locale == Locale::En { "en" } else { "zh" };
        let query = [("ticket", arguments.ticket.as_str()), ("lang", lang)];
        let api = Api::of(&server)?;
        if let Answer::Here(answer) = prepare::small_runtime()?.block_on(api.try_get("/api/v1/route", &query))? {
            return show_answer(answer, arguments.format, terminal);
        }
        terminal.note(&Message::new(
            "服务没有在运行：向服务台取这张工单",
            "the service is not running: the helpdesk is asked for the ticket",
        ));
    }
    let routed = fresh(arguments, terminal)?;
    terminal.print(&match arguments.format {
        Format::Json => format!("{:#}", document(&routed)),
        Format::Text => text(&routed, terminal.locale),
    });
    Ok(())
}

fn show_answer(mut answer: Value, format: Format, terminal: Terminal) -> Result<(), Stop> {
    let said = answer.as_object_mut().and_then(|object| object.remove("text"));
    match (format, said) {
        (Format::Json, _) => terminal.print(&format!("{answer:#}")),
        (Format::Text, Some(Value::String(said))) => terminal.print(&plain(&said)),
        (Format::Text, _) => return Err(Stop::failure("读不懂服务的回答", "the service's answer cannot be read")),
    }
    Ok(())
}

/// The route of the ticket as the helpdesk has it now, by the configuration as it stands.
fn fresh(arguments: &RouteArguments, terminal: Terminal) -> Result<Routed, Stop> {
    let Command::Ticket(id) = Command::parse(&format!("/ticket {}", arguments.ticket)) else {
        return Err(Stop::Usage(reply::USAGE.into()));
    };
    let setup = prepare::setup(&arguments.config, Warnings::Left, terminal)?;
    let client = prepare::client(&setup.feishu, &setup.http)?;
    let clock = Clock::system();
    let found = prepare::small_runtime()?.block_on(find(&setup, &client, &id, None, &clock))?;
    let now = clock.now();
    let (desk, _) = Desk::open(Stored::default(), Arc::clone(&setup.rules), setup.settings, now);
    let routed = desk.route_of(found.ticket, found.facts, found.as_of, now);
    routed.ok_or_else(|| Stop::failure("这张工单的数据源不在配置里", "the ticket's source is not configured"))
}
