//! What the bot says where the answer is a sentence and not a card. Never repeats what a person typed, but for digits.

use crate::domain::{
    command::Command,
    id::TicketId,
    text::{Message, Words},
};

/// How `/ticket` is written.
pub const USAGE: Words = Words {
    zh: "请这样写：/ticket 工单号。工单号是 19 位数字，一次查一张，例如 /ticket 6626871355780366331",
    en: "Please write: /ticket <ticket id>. The id has 19 digits; one ticket at a time, for example \
         /ticket 6626871355780366331",
};

/// What the bot can do today.
pub const HELP: Words = Words {
    zh: "@我并写 /ticket 工单号（也可以写 /工单，或只发工单号），我会回复这张工单的卡片。/help 显示本说明。",
    en: "Mention me and write /ticket <ticket id> (or just the id) and I answer with the ticket's card. /help shows \
         this text.",
};

/// A person who may not ask here. Says nothing of whether the ticket exists.
pub const DENIED: Words = Words {
    zh: "这里不能查工单。请在接收提醒的群里查，或请管理员在 chat.access 里放行。",
    en: "Tickets cannot be looked up here. Please ask in a chat that receives the alerts, or ask the administrator to \
         allow it in chat.access.",
};

/// The source did not answer.
pub const SOURCE_DOWN: Words = Words {
    zh: "现在查不到：工单平台没有应答。请过几分钟再试；如果一直这样，请告诉管理员。",
    en: "This cannot be looked up now: the ticket platform does not answer. Please try again in a few minutes, and \
         tell the administrator if it stays like this.",
};

/// No source has the ticket.
pub fn not_found(id: &TicketId) -> Message {
    Message::new(
        format!("没有找到工单 {id}。请核对，或发完整工单号（19 位）"),
        format!("No ticket {id} was found. Please check it, or send the complete ticket id (19 digits)"),
    )
}

/// A command that is not built yet.
pub fn not_built(name: &str) -> Message {
    Message::new(
        format!("{name} 还没有做好。现在能用的：/ticket 工单号、/help"),
        format!("{name} is not built yet. What works now: /ticket <ticket id>, /help"),
    )
}

/// Something the bot does not understand: the nearest suggestion, short.
pub fn unknown(text: &str) -> Message {
    let word: String = text.trim_start_matches('/').chars().take_while(|c| c.is_alphabetic()).collect();
    let near = ["ticket", "help"].into_iter().find(|name| text.starts_with('/') && is_near(&word, name));
    match near {
        Some("ticket") => Message::new(
            "没看懂。是想查工单吗？请写：/ticket 工单号",
            "I did not understand. Looking for a ticket? Write: /ticket <ticket id>",
        ),
        Some(name) => {
            Message::new(format!("没看懂。是想写 /{name} 吗？"), format!("I did not understand. Did you mean /{name}?"))
        }
        None => Message::new(
            "没看懂。查工单请写：/ticket 工单号；说明请写：/help",
            "I did not understand. For a ticket write /ticket <ticket id>; for help write /help",
        ),
    }
}

/// The sentence that answers a command at once; nothing for a ticket (it is looked up) and for courtesies.
pub fn to(command: &Command) -> Option<Message> {
    match command {
        Command::Ticket(_) | Command::Nothing => None,
        Command::TicketUsage(_) => Some(USAGE.into()),
        Command::Help => Some(HELP.into()),
        Command::NotBuilt(name) => Some(not_built(name)),
        Command::Unknown(text) => Some(unknown(text)),
    }
}

/// Two slips of the finger at most.
fn is_near(typed: &str, name: &str) -> bool {
    const SLIPS_MAX: usize = 2;
    !typed.is_empty() && strsim::osa_distance(typed, name) <= SLIPS_MAX
}
