//! `deskbell chats`: the chats the bot is in, with the ids a receiver needs.

use std::path::Path;

use crate::{
    adapters::feishu::chats::Chat,
    cli::{prepare, run::Stop, table::table, terminal::Terminal},
    domain::text::{Locale, Message, Words},
};

/// Lists the chats.
pub fn run(path: &Path, terminal: Terminal) -> Result<(), Stop> {
    let client = prepare::client_of_app(path, terminal)?;
    let chats = prepare::small_runtime()?.block_on(client.chats()).map_err(|error| Stop::Failure(error.message()))?;
    if chats.is_empty() {
        terminal.say(&NONE.into());
        return Ok(());
    }
    let zh = terminal.locale == Locale::Zh;
    let head = if zh { ["群名", "群 ID", "外部群"] } else { ["name", "chat_id", "external"] };
    let external = |yes: bool| match (yes, zh) {
        (true, true) => "是",
        (true, false) => "yes",
        (false, _) => "",
    };
    let row = |chat: &Chat| vec![chat.name.clone(), chat.id.to_string(), external(chat.external).to_string()];
    terminal.print(&table(&head, chats.iter().map(row)));
    terminal.note(&Message::new(
        "写进配置：receivers: { 名字: { chat_id: 群 ID } }",
        "into the configuration: receivers: { name: { chat_id: … } }",
    ));
    Ok(())
}

/// Said when the bot is in no chat.
pub const NONE: Words = Words {
    zh: "机器人还不在任何群里。打开要接收提醒的群 > 设置 > 群机器人 > 添加机器人，选中这个应用，再运行一次。",
    en: "The bot is in no chat yet. Open the chat that should receive alerts > Settings > Bots > Add Bot, choose this \
         app, and run this again.",
};
