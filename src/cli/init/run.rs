//! The dialogue of `deskbell init`: four secrets, the console's steps, a chat, the files.

use std::path::Path;

use secrecy::SecretString;

use crate::{
    adapters::{
        feishu::{
            chats::Chat,
            client::Client,
            config::{BaseUrl, Config, HelpdeskConfig},
            error::{Advice, Error},
            helpdesk::{Helpdesk, TicketQuery},
        },
        http,
    },
    cli::{
        chats,
        init::{
            console,
            files::{Draft, standing},
            hold,
        },
        prepare,
        run::Stop,
        terminal::Terminal,
    },
    domain::{
        desk::settings::Limits,
        id::ChatId,
        plan::{FREE_CALLS_PER_MONTH, Plan},
        text::{Message, Words},
    },
};

/// The four, with the environment variable each may come from.
const APP_ID: (&str, Words) = (
    "FEISHU_APP_ID",
    Words {
        zh: "App ID（cli_…，开放平台 > 应用 > 凭证与基础信息）：",
        en: "App ID (cli_…, developer console > Credentials):",
    },
);
const APP_SECRET: (&str, Words) = ("FEISHU_APP_SECRET", Words { zh: "App Secret：", en: "App Secret:" });
const HELPDESK_ID: (&str, Words) = (
    "HELPDESK_ID",
    Words {
        zh: "服务台 ID（服务台后台 > 设置 > API 凭证）：",
        en: "Helpdesk id (helpdesk admin > settings > API credentials):",
    },
);
const HELPDESK_TOKEN: (&str, Words) = ("HELPDESK_TOKEN", Words { zh: "服务台 Token：", en: "Helpdesk token:" });

/// Connects a tenant and writes a configuration into `dir`.
pub fn run(dir: &Path, base_url: &str, silent: bool, terminal: Terminal) -> Result<(), Stop> {
    if let Some(there) = standing(dir) {
        let there = there.display();
        return Err(Stop::usage(
            format!("{there} 已经存在，不会覆盖。换一个目录，或先移走它"),
            format!("{there} is there already and is not overwritten. Choose another folder, or move it away"),
        ));
    }
    let base = BaseUrl::parse(base_url).map_err(Stop::Usage)?;
    let asker = Asker { terminal, silent };
    let (app_id, app_secret) = (asker.value(APP_ID)?, asker.secret(APP_SECRET)?);
    let (helpdesk_id, helpdesk_token) = (asker.value(HELPDESK_ID)?, asker.secret(HELPDESK_TOKEN)?);
    let plan = asker.plan();
    let config = Config {
        base_url: base,
        app_id: app_id.clone(),
        app_secret: SecretString::from(app_secret),
        plan,
        events: crate::adapters::feishu::config::Events::default(),
        limits: Limits::default(),
    };
    let helpdesk = HelpdeskConfig { helpdesk_id, helpdesk_token: SecretString::from(helpdesk_token) };
    let client = prepare::client(&config, &http::Config::default())?;
    let found = prepare::small_runtime()?.block_on(look(&client, &helpdesk, terminal))?;
    explain(base_url, &app_id, terminal);
    let chat = choose(&found.chats, asker);
    let app_page = console::app_page(base_url, &app_id);
    let draft = Draft {
        base_url: base_url.trim_end_matches('/').to_string(),
        app_id,
        app_secret: config.app_secret,
        helpdesk_id: helpdesk.helpdesk_id,
        helpdesk_token: helpdesk.helpdesk_token,
        chat,
        plan,
        api_token: random_token(),
    };
    write(&draft, dir, terminal)?;
    hold::while_it_is_saved(&client, &app_page, dir, asker.can_wait(), terminal)
}

/// What the API says of what was typed.
struct Found {
    chats: Vec<Chat>,
}

/// Wrong credentials stop; permissions may still be missing, which the console's steps mend.
async fn look(client: &Client, helpdesk: &HelpdeskConfig, terminal: Terminal) -> Result<Found, Stop> {
    client.check_credentials().await.map_err(|error| Stop::Failure(error.message()))?;
    terminal.say(&Message::new("✓ App ID 和 App Secret 正确", "✓ App ID and App Secret are right"));
    let one = TicketQuery { page_size: Some(1), ..TicketQuery::default() };
    let tickets = Helpdesk::new(client.clone(), helpdesk).list(&one).await;
    let ok = Message::new("✓ 能读服务台的工单", "✓ the helpdesk's tickets can be read");
    tell(tickets.as_ref().map(drop), &ok, terminal)?;
    let bot = client.bot().await;
    let ok = Message::new("✓ 机器人已启用", "✓ the bot is enabled");
    tell(bot.as_ref().map(drop), &ok, terminal)?;
    let chats = client.chats().await;
    let ok = Message::new("✓ 能列出机器人所在的群", "✓ the bot's chats can be listed");
    tell(chats.as_ref().map(drop), &ok, terminal)?;
    Ok(Found { chats: chats.unwrap_or_default() })
}

/// Says how a look went. A platform that does not answer stops; what the console can mend does not.
fn tell(result: Result<(), &Error>, ok: &Message, terminal: Terminal) -> Result<(), Stop> {
    match result {
        Ok(()) => terminal.say(ok),
        Err(error) if matches!(error.advice, Advice::Retry | Advice::RetrySameKey | Advice::SlowDown) => {
            return Err(Stop::Failure(error.message()));
        }
        Err(error) => {
            let message = error.message();
            terminal.say(&Message::new(format!("✗ {}", message.zh), format!("✗ {}", message.en)));
        }
    }
    Ok(())
}

fn explain(base_url: &str, app_id: &str, terminal: Terminal) {
    terminal.print("");
    terminal.say(&Message::new("应用需要的权限（可以批量导入）：", "The permissions the app needs, for bulk import:"));
    terminal.print(&console::scopes_json());
    for (name, purpose) in console::scopes_explained() {
        terminal.print(&format!("  {name}  {}", purpose.get(terminal.locale)));
    }
    terminal.print("");
    terminal.say(&Message::new("在飞书里要做的事，按顺序：", "What is to be done in Feishu, in order:"));
    for (number, step) in console::steps(&console::app_page(base_url, app_id)).into_iter().enumerate() {
        terminal.print(&format!("{}. {}", number + 1, step.zh));
        terminal.print(&format!("   {}", step.en));
    }
    terminal.print("");
}

/// The chat that receives alerts, chosen by number.
fn choose(chats: &[Chat], asker: Asker) -> Option<ChatId> {
    if chats.is_empty() {
        asker.terminal.say(&chats::NONE.into());
        return None;
    }
    for (number, chat) in chats.iter().enumerate() {
        let name: String = chat.name.chars().filter(|c| !c.is_control()).collect();
        asker.terminal.print(&format!("{:>3}. {name}  {}", number + 1, chat.id));
    }
    let question = Message::new("提醒发到哪个群？写编号：", "Which chat receives the alerts? Its number:");
    let first = || chats.first().map(|chat| chat.id.clone());
    if asker.silent || !asker.terminal.can_ask() {
        return first().filter(|_| chats.len() == 1);
    }
    loop {
        let typed = asker.terminal.ask(&question)?;
        let chosen = typed.parse::<usize>().ok().and_then(|number| chats.get(number.checked_sub(1)?));
        if let Some(chat) = chosen {
            return Some(chat.id.clone());
        }
    }
}

fn write(draft: &Draft, dir: &Path, terminal: Terminal) -> Result<(), Stop> {
    let written = draft.write(dir).map_err(|error| {
        Stop::failure(
            format!("写不了 {}：{error}", dir.display()),
            format!("{} cannot be written: {error}", dir.display()),
        )
    })?;
    for path in written {
        terminal.print(&path.display().to_string());
    }
    if draft.chat.is_none() {
        let file = dir.join("deskbell.yaml");
        let file = file.display();
        terminal.say(&Message::new(
            format!("还没有选群：运行 deskbell chats --config {file}，把群 ID 写进 receivers"),
            format!("No chat is chosen yet: run deskbell chats --config {file} and put the id into `receivers`"),
        ));
    }
    Ok(())
}

/// 128 bits as hex digits.
fn random_token() -> SecretString {
    let bits: u128 = rand::random();
    SecretString::from(format!("{bits:032x}"))
}

/// Takes values from the environment, else from a person.
#[derive(Clone, Copy)]
struct Asker {
    terminal: Terminal,
    silent: bool,
}

impl Asker {
    fn value(self, what: (&str, Words)) -> Result<String, Stop> {
        self.take(what, Terminal::ask)
    }

    /// The same, not shown while it is typed.
    fn secret(self, what: (&str, Words)) -> Result<String, Stop> {
        self.take(what, Terminal::ask_secret)
    }

    fn take(
        self,
        (name, question): (&str, Words),
        ask: fn(Terminal, &Message) -> Option<String>,
    ) -> Result<String, Stop> {
        if let Some(value) = std::env::var(name).ok().filter(|value| !value.trim().is_empty()) {
            return Ok(value.trim().to_string());
        }
        let typed = if self.silent { None } else { ask(self.terminal, &question.into()) };
        typed.filter(|typed| !typed.is_empty()).ok_or_else(|| {
            Stop::usage(
                format!("缺少 {name}：请输入，或先 export {name}=…"),
                format!("{name} is missing: type it, or export {name}=… first"),
            )
        })
    }

    /// Whether somebody is there to wait for.
    fn can_wait(self) -> bool {
        !self.silent && self.terminal.can_ask()
    }

    /// Free unless someone says otherwise: polling too seldom does no harm, spending the tenant's calls does.
    fn plan(self) -> Plan {
        let free = Plan::Calls(FREE_CALLS_PER_MONTH);
        if self.silent || !self.terminal.can_ask() {
            return free;
        }
        let question = Message::new(
            "飞书是付费版吗？免费版每月只有 1 万次 API 调用 [y/N]",
            "Is the tenant on a paid plan? The free one has 10,000 API calls a month [y/N]",
        );
        match self.terminal.ask(&question).as_deref() {
            Some("y" | "Y" | "yes" | "是") => Plan::Paid,
            _ => free,
        }
    }
}
