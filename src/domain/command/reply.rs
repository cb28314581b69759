//! What the bot says where the answer is a sentence and not a card. What it repeats of what a person typed is masked.

use crate::domain::{
    command::{
        Command, is_tail, nearest,
        phrases::{May, PHRASES},
        verb::Verb,
    },
    id::{SourceName, TicketId},
    mask::mask,
    text::{Message, Words},
};

/// How `/ticket` is written.
pub const USAGE: Words = Words {
    zh: "请这样写：/ticket 工单号。工单号是 19 位数字，例如 /ticket 6626871355780366331；写最后五位以上也行，一次最多 10 张",
    en: "Please write: /ticket <ticket id>. The id has 19 digits, for example /ticket 6626871355780366331; its last \
         five or more will do, and up to 10 ids at once",
};

/// What the bot understands, as far as whoever asks may do it: a line each.
pub fn help(may: May) -> Message {
    let mut help = Message::new(
        "可以这样问我（群里要 @我，私聊不用）：",
        "What you can write to me (mention me in a group, in a direct chat just write):",
    );
    for phrase in PHRASES.iter().filter(|phrase| may >= phrase.needs) {
        help.zh.push_str(&format!("\n{}：{}", phrase.typed.zh, phrase.does.zh));
        help.en.push_str(&format!("\n{}: {}", phrase.typed.en, phrase.does.en));
    }
    help
}

/// A person who may not ask here. Says nothing of whether the ticket exists.
pub const DENIED: Words = Words {
    zh: "这里不能查工单。请在接收提醒的群里查，或请管理员在 chat.access 里放行。",
    en: "Tickets cannot be looked up here. Please ask in a chat that receives the alerts, or ask the administrator to \
         allow it in chat.access.",
};

/// A person who may not act on alerts here. Says nothing of what rings.
pub const DENIED_ACT: Words = Words {
    zh: "这里不能处理提醒。请在接收提醒的群里操作，或请管理员在 chat.access 里放行。",
    en: "Alerts cannot be acted on here. Please do it in a chat that receives them, or ask the administrator to allow \
         it in chat.access.",
};

/// A reply on a digest's card does not say which of its alerts is meant.
pub const ON_A_DIGEST: Words = Words {
    zh: "这张卡片是汇总，有好几条提醒。请写明是哪一条，例如 /why #4F7A2C；编号在每一行里，也可以用 /alerts 看",
    en: "That card stands for several alerts. Please say which one, for example /why #4F7A2C: the reference stands in \
         its line, and /alerts lists them",
};

/// Nothing rings.
pub const NOTHING_RINGS: Words = Words { zh: "现在没有在响的提醒", en: "Nothing rings now" };

/// Nothing rings that this chat was told of.
pub fn nothing_rings_here(verb: Verb) -> Message {
    let name = verb.name();
    Message::new(
        format!("这里现在没有在响的提醒。请在提醒卡片上回复，或写上提醒编号，例如 /{name} #4F7A2C"),
        format!(
            "Nothing rings here now. Reply on an alert's card, or write its reference, for example /{name} #4F7A2C"
        ),
    )
}

/// There is no alert of that reference.
pub fn no_such_alert(reference: &str) -> Message {
    Message::new(
        format!("没有编号为 #{reference} 的提醒。编号在卡片最下面；/alerts 看现在在响的"),
        format!(
            "There is no alert #{reference}. The reference stands at the bottom of its card; /alerts lists what rings"
        ),
    )
}

/// A ticket on which nothing rings.
pub fn quiet_ticket(id: &TicketId) -> Message {
    Message::new(
        format!("工单 {id} 现在没有在响的提醒。想看为什么，请写 /why {id}"),
        format!("Nothing rings on ticket {id} now. For why, write /why {id}"),
    )
}

/// Several tickets end with these digits: those to choose from, of so many.
pub fn several_tickets(id: &str, lines: &[Message], count: usize) -> Message {
    listed(lines, count, &ambiguous(id, count))
}

/// So many tickets end with these digits.
pub fn ambiguous(id: &str, count: usize) -> Message {
    let id = mask(id);
    Message::new(
        format!("有 {count} 张工单以 {id} 结尾，请发完整工单号（19 位）"),
        format!("{count} tickets end with {id}; please send the complete ticket id (19 digits)"),
    )
}

/// Several alerts are meant by a command: which?
pub fn which(lines: &[Message], count: usize, verb: Verb) -> Message {
    let name = verb.name();
    let long = if verb == Verb::Silence { " 2h" } else { "" };
    listed(
        lines,
        count,
        &Message::new(
            format!("有 {count} 条提醒，请写上编号，例如 /{name} #4F7A2C{long}"),
            format!("There are {count} alerts; please write which, for example /{name} #4F7A2C{long}"),
        ),
    )
}

/// What stands above the alerts that ring: how many, and how many of them someone has.
pub fn ringing(count: usize, taken: usize) -> Message {
    let rings = if count == 1 { "1 alert rings now".to_string() } else { format!("{count} alerts ring now") };
    let (zh, en) = match taken {
        0 => Default::default(),
        taken if taken == count => ("，都有人处理".to_string(), ", all of them taken".to_string()),
        taken => {
            let free = count - taken;
            (format!("，其中 {free} 条没人处理"), format!(", {free} of them not taken"))
        }
    };
    Message::new(format!("现在有 {count} 条提醒在响{zh}"), format!("{rings}{en}"))
}

/// No ticket is as was asked.
pub const NO_TICKETS: Words = Words {
    zh: "没有符合的工单。没写状态时只找未关闭的；要看已关闭的，写 /tickets 状态:已关闭",
    en: "No such tickets. Where no status is written, only open ones count; for closed ones write /tickets \
         status:closed",
};

/// The same where a status was written, or where there were some.
pub const NO_SUCH_TICKETS: Words = Words { zh: "现在没有符合的工单", en: "No such tickets now" };

/// Nobody knows which agent the person who asks is.
pub const WHO_ARE_YOU: Words = Words {
    zh: "不知道你是哪位客服，所以找不到你的单。请写名字，例如：张三的单",
    en: "It is not known which agent you are, so your tickets cannot be found. Please write your name, for example: \
         tickets of Li Lei",
};

/// Nobody of that name owns a ticket; those who do.
pub fn no_such_owner(name: &str, known: &[String]) -> Message {
    let name = mask(name);
    let (mut zh, mut en) = (format!("没有负责人叫“{name}”的工单"), format!("No ticket is owned by \"{name}\""));
    if !known.is_empty() {
        zh.push_str(&format!("。现在的负责人：{}", known.join("、")));
        en.push_str(&format!(". Owners now: {}", known.join(", ")));
    }
    Message::new(zh, en)
}

/// A word of `/tickets` that is no condition.
pub fn unread(word: &str) -> Message {
    let word = mask(word);
    Message::new(
        format!("没看懂“{word}”。请这样写：/tickets 状态:待用户响应 负责人:张三 等待>4小时 优先级:P0,P1"),
        format!(
            "\"{word}\" is not understood. Please write: /tickets status:waiting_for_user owner:<name> wait>4h \
             priority:P0,P1"
        ),
    )
}

/// A condition of `/tickets` asks for what may not be shown.
pub const HIDDEN: Words = Words {
    zh: "不能按这一项找：配置的 privacy.show 不让显示它",
    en: "Tickets cannot be found by that: privacy.show of the configuration does not let it be shown",
};

/// How many wait in the queue, the one that waits longest, and the last digits of the first.
pub fn queueing(count: usize, longest: Option<&Message>, tails: &[String]) -> Message {
    let Some(longest) = longest.filter(|_| count > 0) else {
        return Message::new("现在没有人排队", "Nobody is in the queue now");
    };
    let (zh, en) = (tails.join("、"), tails.join(", "));
    let tickets = if count == 1 { "ticket is" } else { "tickets are" };
    Message::new(
        format!("现在有 {count} 张工单在排队，最久的等了 {}（尾号 {zh}）", longest.zh),
        format!("{count} {tickets} in the queue now, the longest for {} (…{en})", longest.en),
    )
}

/// How many were rated badly today, and the last digits of the first.
pub fn bad_ratings(count: usize, tails: &[String]) -> Message {
    if count == 0 {
        return Message::new("今天还没有差评", "No bad ratings today");
    }
    let ratings = if count == 1 { "bad rating" } else { "bad ratings" };
    Message::new(
        format!("今天有 {count} 个差评（尾号 {}）", tails.join("、")),
        format!("{count} {ratings} today (…{})", tails.join(", ")),
    )
}

/// Work orders are looked up nowhere.
pub const NO_ORDERS: Words = Words {
    zh: "没有配置订单的来源，查不了订单。查工单请写 /ticket 工单号",
    en: "No source of work orders is configured, so none can be looked up. For a ticket write /ticket <ticket id>",
};

fn listed(lines: &[Message], count: usize, head: &Message) -> Message {
    let mut list = head.clone();
    for line in lines {
        list.zh = format!("{}\n{}", list.zh, line.zh);
        list.en = format!("{}\n{}", list.en, line.en);
    }
    let more = count.saturating_sub(lines.len());
    if more > 0 {
        list.zh.push_str(&format!("\n还有 {more} 条"));
        list.en.push_str(&format!("\nand {more} more"));
    }
    list
}

/// How a command about alerts is written.
pub fn verb_usage(verb: Verb) -> Message {
    match verb {
        Verb::Snooze => Message::new(
            "请这样写：/snooze #提醒编号 30m。时间可以是 30m、2h、1d、明天、下个工作日，最长 7 天；在卡片上回复时不用写编号",
            "Please write: /snooze #<reference> 30m. The time may be 30m, 2h, 1d, tomorrow, next workday, at most 7 days; in a reply \
             on the card no reference is needed",
        ),
        Verb::Silence => Message::new(
            "请这样写：/silence #提醒编号 2h 原因。也可以写工单号、规则 名称、来源 名称、团队 名称、级别 warning、when { 条件 }；\
             时间写 2h、until 18:00 或 明天。/silence list 列出，/silence end S7 结束",
            "Please write: /silence #<reference> 2h <reason>. Or a ticket id, rule <name>, source <name>, team <name>, \
             severity warning, when { condition }; the time as 2h, until 18:00 or tomorrow. /silence list shows them, \
             /silence end S7 ends one",
        ),
        Verb::Oncall => Message::new(
            "请这样写：/值班 看谁值班；/值班 接（到 18:00）；/值班 给 邮箱；/值班 换 邮箱 10-01；/值班 交还；/值班 确认。\
             可以写上班次和值班表的名字",
            "Please write: /oncall for who is on call; /oncall take (until 18:00); /oncall give <email>; /oncall swap \
             <email> 10-01; /oncall back; /oncall ok. A shift and a rota may be named",
        ),
        Verb::Tickets => Message::new(
            "请这样写：/tickets 状态:待用户响应 负责人:张三 等待>4小时 优先级:P0,P1；各项都要符合。也可以写：张三的单、我的单、\
             没人接的、超时的有哪些",
            "Please write: /tickets status:waiting_for_user owner:<name> wait>4h priority:P0,P1; all of it must hold. \
             Or: tickets of <name>, my tickets, unassigned, overdue",
        ),
        Verb::Order => Message::new(
            "请这样写：/order 订单号，例如 /order WO-20261120-7",
            "Please write: /order <order number>, for example /order WO-20261120-7",
        ),
        Verb::Why => Message::new(
            "请这样写：/why 工单号，或 /why #提醒编号",
            "Please write: /why <ticket id>, or /why #<reference>",
        ),
        verb => {
            let name = verb.name();
            Message::new(
                format!("请这样写：/{name} #提醒编号，或 /{name} 工单号；在卡片上回复时不用写编号"),
                format!(
                    "Please write: /{name} #<reference>, or /{name} <ticket id>; in a reply on the card neither is needed"
                ),
            )
        }
    }
}

/// The source did not answer.
pub const SOURCE_DOWN: Words = Words {
    zh: "现在查不到：工单平台没有应答。请过几分钟再试；如果一直这样，请告诉管理员。",
    en: "This cannot be looked up now: the ticket platform does not answer. Please try again in a few minutes, and \
         tell the administrator if it stays like this.",
};

/// No source has the ticket.
pub fn not_found(id: &TicketId) -> Message {
    let shown = mask(id.as_str());
    if is_tail(id) {
        return Message::new(
            format!("没有找到尾号 {shown}。请核对，或发完整工单号（19 位）"),
            format!("No ticket ends with {shown}. Please check it, or send the complete ticket id (19 digits)"),
        );
    }
    Message::new(
        format!("没有找到工单 {shown}。请核对，或发完整工单号（19 位）"),
        format!("No ticket {shown} was found. Please check it, or send the complete ticket id (19 digits)"),
    )
}

/// The same with where it was looked for: a ticket of another helpdesk is in none of them.
pub fn not_found_in(id: &TicketId, sources: &[SourceName]) -> Message {
    let Message { zh, en } = not_found(id);
    if is_tail(id) || sources.is_empty() {
        return Message::new(zh, en);
    }
    let names: Vec<&str> = sources.iter().map(SourceName::as_str).collect();
    Message::new(
        format!("{zh}；这里只查得到 {} 的工单", names.join("、")),
        format!("{en}; only tickets of {} can be looked up here", names.join(", ")),
    )
}

/// The sentence that answers a command at once; nothing for a ticket (it is looked up), for help (it depends on who
/// asks) and for courtesies.
pub fn to(command: &Command) -> Option<Message> {
    match command {
        Command::Ticket(_) | Command::Nothing | Command::Help => None,
        Command::Said(..) | Command::Overheard(..) => None,
        Command::TicketUsage(_) => Some(USAGE.into()),
        Command::Unknown(text) => Some(nearest::suggestion(text)),
    }
}
