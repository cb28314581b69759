//! What can be typed, and what it does: one table for `/help` and the documents.

use crate::domain::text::Words;

/// What someone may do; each holds the ones before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum May {
    /// Look at tickets and alerts.
    Look,
    /// Act on alerts.
    Act,
    /// Silence rules, and for long.
    Manage,
}

/// One way to write something.
#[derive(Clone, Copy, Debug)]
pub struct Phrase {
    /// As it is typed.
    pub typed: Words,
    /// What it does.
    pub does: Words,
    /// Who may.
    pub needs: May,
}

const fn phrase(needs: May, typed: (&'static str, &'static str), does: (&'static str, &'static str)) -> Phrase {
    Phrase { typed: Words { zh: typed.0, en: typed.1 }, does: Words { zh: does.0, en: does.1 }, needs }
}

/// Everything that can be typed, in the order people want it.
pub const PHRASES: &[Phrase] = &[
    phrase(
        May::Look,
        ("/工单 工单号", "/ticket <ticket id>"),
        (
            "看这张工单；只发工单号或尾号（五位以上）也行",
            "the ticket; its id alone will do, or its last five digits or more",
        ),
    ),
    phrase(
        May::Look,
        ("多个工单号", "several ids"),
        ("一次看最多 10 张，一行一张", "up to 10 tickets at once, a line each"),
    ),
    phrase(
        May::Look,
        ("张三的单、我的单、没人接的、超时的有哪些", "tickets of <name>, my tickets, unassigned, overdue"),
        ("这些工单，一页 10 张", "those tickets, ten a page"),
    ),
    phrase(
        May::Look,
        (
            "/工单列表 状态:待用户响应 等待>4小时 优先级:P0,P1",
            "/tickets status:waiting_for_user wait>4h priority:P0,P1",
        ),
        (
            "符合全部条件的工单；也可以写 负责人、团队、评分、标签、任何自定义字段、页:2",
            "the tickets for which all of it holds; or owner, team, score, tags, any custom field, page:2",
        ),
    ),
    phrase(May::Look, ("现在排队多少、今天几个差评", "how many in the queue, bad ratings today"), ("一句话", "a line")),
    phrase(May::Look, ("/订单 订单号", "/order <order number>"), ("看这张订单", "the work order")),
    phrase(May::Look, ("/提醒", "/alerts"), ("现在在响的提醒", "what rings now")),
    phrase(
        May::Look,
        ("/为什么 工单号或 #编号", "/why <ticket id or #reference>"),
        ("为什么提醒，或为什么没提醒", "why it rings, or why it does not"),
    ),
    phrase(
        May::Act,
        ("我来 #编号", "/take #4F7A2C"),
        ("接手这条提醒；在卡片上回复“我来”不用写编号", "take an alert; in a reply on its card \"on it\" is enough"),
    ),
    phrase(
        May::Act,
        ("/完成 #编号", "/done #4F7A2C"),
        ("这条处理好了；在卡片上回复“已处理”也行", "it is handled; in a reply on its card \"done\" is enough"),
    ),
    phrase(
        May::Act,
        ("/稍后提醒 #编号 2小时", "/snooze #4F7A2C 2h"),
        ("推迟；也可以写 30分钟、1天、明天", "put it off; or 30m, 1d, tomorrow"),
    ),
    phrase(May::Act, ("/交回 #编号", "/release #4F7A2C"), ("不再由你处理，重新提醒", "give it back: it reminds again")),
    phrase(
        May::Act,
        ("/静默 #编号 2小时 原因", "/silence #4F7A2C 2h <reason>"),
        (
            "一张工单先不通知；也可以写工单号、到18:00、明天",
            "hold notices on one ticket back; or a ticket id, until 18:00, tomorrow",
        ),
    ),
    phrase(
        May::Manage,
        ("/静默 规则 名称 2小时", "/silence rule <name> 2h"),
        (
            "整条规则先不通知；也可以写 来源、团队、级别、when { 条件 }",
            "hold a whole rule back; or a source, a team, a severity, when { condition }",
        ),
    ),
    phrase(May::Act, ("静默列表", "/silence list"), ("现有的静默", "the silences there are")),
    phrase(May::Act, ("取消静默 S1", "/silence end S1"), ("提前结束", "end one early")),
    phrase(May::Look, ("谁值班", "/oncall"), ("现在谁值班，下一班是谁", "who is on call, and who is next")),
    phrase(
        May::Act,
        ("/值班 接、给、换、交还、确认", "/oncall take, give, swap, back, ok"),
        ("换班，例如 /值班 接 到 18:00", "change the rota, for example /oncall take until 18:00"),
    ),
    phrase(May::Look, ("/规则", "/rules"), ("现有的规则，各有几条在响", "the rules, and how many alerts of each ring")),
    phrase(May::Look, ("/帮助", "/help"), ("这份说明", "this list")),
];
