//! `deskbell forget`: deletes what is kept of a guest, in the running service, or in the store where none runs.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::PathBuf,
};

use clap::Args;
use serde_json::json;

use crate::{
    adapters::{clock::Clock, store::database::Store},
    app::config::load::{load_store, whereabouts},
    cli::{
        api::{Answer, Api},
        deeds::{Manner, show, sign},
        prepare, report,
        run::Stop,
        terminal::Terminal,
    },
    domain::{actor::Actor, desk::forgotten, text::Message},
    web::acts::Done,
};

/// Whose data is deleted.
#[derive(Clone, Debug, Args)]
pub struct ForgetArguments {
    /// 配置文件 · The configuration file
    #[arg(long, short, value_name = "FILE", default_value = "deskbell.yaml")]
    pub config: PathBuf,
    /// 客户：open_id（ou_…）或邮箱 · The guest: their open id (ou_…) or email
    #[arg(long, value_name = "ou_…|li@example.com")]
    pub guest: String,
    /// 不问直接删 · Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Who acts and how it is said.
    #[command(flatten)]
    pub manner: Manner,
}

/// Deletes it, once someone said yes.
pub fn run(arguments: &ForgetArguments, terminal: Terminal) -> Result<(), Stop> {
    if !arguments.yes {
        confirm(terminal)?;
    }
    let (server, _) = prepare::door(&arguments.config, terminal)?;
    let mut body = json!({ "guest": arguments.guest });
    sign(&mut body, &arguments.manner);
    let api = Api::of(&server)?;
    match prepare::small_runtime()?.block_on(api.try_post("/api/v1/guests/forget", &body))? {
        Answer::Here(done) => {
            show(&done, arguments.manner.format, terminal);
            Ok(())
        }
        Answer::NotRunning => in_store(arguments, terminal),
    }
}

/// Nothing that is deleted comes back: someone must say yes.
fn confirm(terminal: Terminal) -> Result<(), Stop> {
    let unsure = || Stop::usage("没有删除。确定要删就加 --yes", "nothing was deleted. To delete it, add --yes");
    if !io::stdin().is_terminal() {
        return Err(unsure());
    }
    terminal.note(&Message::new(
        "这会删掉库里这个客户的资料、工单旧值和日志，不能恢复；已经发到群里的消息不会撤回。确定吗？输入 yes：",
        "this deletes the guest's data, the tickets' history and journal from the store, for good; messages in chats are \
         not recalled. Sure? Type yes:",
    ));
    io::stderr().flush().ok();
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(|_| unsure())?;
    if matches!(line.trim(), "yes" | "y" | "是") { Ok(()) } else { Err(unsure()) }
}

/// No service runs: the store is opened, changed and closed.
fn in_store(arguments: &ForgetArguments, terminal: Terminal) -> Result<(), Stop> {
    let mut faults = Vec::new();
    let Some(config) = load_store(&arguments.config, &|name| std::env::var(name).ok(), &mut faults) else {
        let read = report::reader(&whereabouts(&arguments.config).0);
        terminal.print_beside(&report::faults(&faults, terminal.locale, &read));
        return Err(prepare::faulty());
    };
    if !Store::is_there(&config) {
        return Err(missing());
    }
    let (store, stored) = Store::open(&config).map_err(|error| Stop::Failure(error.message()))?;
    let by = Actor::Operator(arguments.manner.name().as_str().into());
    let (done, writes) = forgotten::in_store(&stored, &arguments.guest, &by, Clock::system().now());
    if writes.is_empty() {
        return Err(missing());
    }
    store.commit(&writes).map_err(|error| Stop::Failure(error.message()))?;
    let tone = "done".to_string();
    show(&Done { tone, words: done.words().into(), alert: None }, arguments.manner.format, terminal);
    Ok(())
}

fn missing() -> Stop {
    Stop::Failure(forgotten::NOBODY.into())
}
