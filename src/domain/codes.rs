//! The enumerations of a ticket: the vendor's numbers and what people call them.

use crate::domain::field::{Code, Group};

const fn named(code: i64, name: &'static str, zh: &'static str, also: &'static [&'static str]) -> Code {
    Code { code, name, zh, also }
}

/// Where a ticket stands (`facts/feishu.md §2.4`).
pub const STATUSES: &[Code] = &[
    named(1, "created", "已创建", &[]),
    named(2, "processing", "处理中", &[]),
    named(3, "queueing", "排队中", &["排队"]),
    named(4, "pending", "待定", &[]),
    named(5, "waiting_for_user", "待用户响应", &["待用户回复"]),
    named(50, "closed_by_bot", "被机器人关闭", &["机器人关闭"]),
    named(51, "closed_by_agent", "被客服关闭", &["客服关闭"]),
    named(52, "closed_by_user", "用户自己关闭", &["被用户关闭", "用户关闭"]),
];

/// Groups of statuses.
pub const STATUS_GROUPS: &[Group] = &[
    Group { name: "open", zh: "未关闭", codes: &[1, 2, 3, 4, 5] },
    Group { name: "closed", zh: "已关闭", codes: &[50, 51, 52] },
];

/// Who serves.
pub const TICKET_TYPES: &[Code] = &[named(1, "bot", "机器人", &[]), named(2, "human", "人工", &[])];

/// The guest's score.
pub const SCORES: &[Code] = &[
    named(1, "dissatisfied", "不满意", &["bad"]),
    named(2, "fair", "一般", &[]),
    named(3, "satisfied", "满意", &["good"]),
];

/// Whether the problem was solved.
pub const SOLVED: &[Code] = &[
    named(1, "unsolved", "未解决", &["没解决", "no", "false", "否"]),
    named(2, "solved", "已解决", &["yes", "true", "是"]),
];

/// Where a ticket came from; the vendor sends other numbers too.
pub const CHANNELS: &[Code] = &[
    named(2, "qr_code", "二维码", &[]),
    named(9, "open_api", "Open API", &["api", "API"]),
    named(13, "search", "搜索", &[]),
    named(14, "share", "分享", &[]),
];
