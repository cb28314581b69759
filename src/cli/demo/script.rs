//! What happens on the demo's day: a table. It knows no platform and no clock.

use crate::{
    cli::demo::script::Happening::{
        Answers, Asks, Clicks, Closes, Fixes, Opens, Priority, Rates, Reopens, Says, Takes,
    },
    domain::time::{Span, Timestamp},
};

/// Midnight in Shanghai at which the day begins: Tuesday, 2026-11-03.
const MIDNIGHT: Timestamp = Timestamp::from_ms(1_793_635_200_000);

/// The service polls on these steps; nothing of the script happens on one.
pub const POLL: Span = Span::from_mins(5);

/// A chat of the demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Its id.
    pub chat_id: &'static str,
    /// Its name.
    pub name: &'static str,
}

/// Where the agents talk.
pub const SUPPORT: Room = Room { chat_id: "oc_4a0c1d2e3f5061728394a5b6c7d8e9f0", name: "IT 支持群" };
/// Where their leads talk.
pub const LEADS: Room = Room { chat_id: "oc_5b1d2e3f4061728394a5b6c7d8e9f0a1", name: "IT 主管群" };
/// Where everything burning goes.
pub const URGENT: Room = Room { chat_id: "oc_6c2e3f4051728394a5b6c7d8e9f0a1b2", name: "P0 应急群" };

/// Every chat, in the order people see them.
pub const ROOMS: [Room; 3] = [SUPPORT, LEADS, URGENT];

/// One thing that happens. Tickets go by a nickname.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A guest opens a ticket: nickname, what it is about, system, priority.
    Opens(&'static str, &'static str, &'static str, &'static str),
    /// An agent takes it and answers.
    Takes(&'static str),
    /// The agent asks back and waits for the guest.
    Asks(&'static str),
    /// The guest answers.
    Answers(&'static str),
    /// Its priority changes.
    Priority(&'static str, &'static str),
    /// The agent answers once more.
    Fixes(&'static str),
    /// The agent closes it.
    Closes(&'static str),
    /// The guest rates it: 1 bad, 2 fair, 3 good, and says why.
    Rates(&'static str, i64, &'static str),
    /// The guest opens it again.
    Reopens(&'static str),
    /// An agent says something to the bot in a chat; a nickname in braces is the ticket's id.
    Says(Room, &'static str),
    /// Its agent clicks on the take button of its card in a chat.
    Clicks(Room, &'static str),
}

/// Yesterday: hour, minute, what happened.
const YESTERDAY: &[(i64, i64, Happening)] = &[
    (7, 22, Opens("projector", "会议室 3-12 投屏没有声音", "会议室", "P3")),
    (7, 47, Asks("projector")),
    (8, 12, Opens("toner", "5 楼打印机提示缺墨", "打印机", "P3")),
    (8, 32, Asks("toner")),
    (9, 37, Opens("share", "申请访问设计部共享盘", "账号权限", "P2")),
    (10, 12, Asks("share")),
    (11, 2, Opens("monitor", "外接显示器不亮", "办公设备", "P3")),
    (11, 42, Takes("monitor")),
    (13, 17, Opens("bluescreen", "笔记本开机蓝屏", "办公设备", "P2")),
    (14, 22, Asks("bluescreen")),
    (15, 7, Opens("quota", "邮箱容量已满，收不到附件", "邮箱", "P2")),
    (16, 2, Asks("quota")),
    (16, 32, Opens("badge", "门禁卡刷不开 7 楼", "门禁", "P2")),
    (16, 52, Takes("badge")),
    (17, 22, Closes("badge")),
    (17, 32, Opens("mouse", "申领无线鼠标", "办公设备", "P3")),
    (17, 42, Closes("monitor")),
];

/// Today.
const TODAY: &[(i64, i64, Happening)] = &[
    (9, 7, Opens("wifi", "3 楼东侧 Wi-Fi 频繁掉线", "网络", "P2")),
    (9, 12, Takes("mouse")),
    (9, 22, Opens("vpn", "VPN 连不上，提示证书过期", "VPN", "P1")),
    (9, 27, Takes("wifi")),
    (9, 32, Rates("badge", 1, "处理太慢，迟到被记了")),
    (9, 37, Takes("vpn")),
    (9, 42, Opens("password", "开机密码忘记了", "账号权限", "P2")),
    (9, 47, Opens("finance", "财务系统登录报 500", "财务系统", "P1")),
    (9, 57, Takes("finance")),
    (10, 2, Takes("password")),
    (10, 7, Closes("password")),
    (10, 22, Rates("password", 3, "")),
    (10, 27, Priority("finance", "P0")),
    (10, 37, Says(SUPPORT, "/ticket {finance}")),
    (10, 42, Says(SUPPORT, "谢谢")),
    (10, 47, Opens("license", "设计软件许可证到期", "办公软件", "P2")),
    (10, 52, Closes("mouse")),
    (10, 57, Fixes("finance")),
    (11, 7, Answers("quota")),
    (11, 12, Opens("onboard", "新同事入职开通账号", "账号权限", "P2")),
    (11, 17, Closes("vpn")),
    (11, 32, Answers("share")),
    (11, 37, Closes("quota")),
    (11, 42, Takes("license")),
    (11, 47, Closes("finance")),
    (11, 52, Opens("scanner", "扫描件发不到邮箱", "打印机", "P3")),
    (12, 2, Closes("share")),
    (12, 7, Rates("vpn", 2, "")),
    (12, 12, Rates("finance", 3, "")),
    (13, 12, Takes("onboard")),
    (13, 22, Opens("mail", "全员收不到外部邮件", "邮箱", "P0")),
    (13, 31, Clicks(URGENT, "mail")),
    (13, 32, Takes("mail")),
    (13, 37, Takes("scanner")),
    (13, 42, Asks("scanner")),
    (13, 47, Opens("keyboard", "键盘进水，申请更换", "办公设备", "P3")),
    (13, 52, Opens("excel", "Excel 打开就闪退", "办公软件", "P3")),
    (14, 2, Takes("excel")),
    (14, 7, Closes("onboard")),
    (14, 12, Closes("wifi")),
    (14, 22, Takes("keyboard")),
    (14, 32, Rates("wifi", 1, "没修好，又掉线了")),
    (14, 37, Answers("toner")),
    (14, 47, Opens("meeting", "视频会议没有画面", "会议室", "P2")),
    (14, 52, Closes("toner")),
    (15, 2, Takes("meeting")),
    (15, 12, Closes("mail")),
    (15, 22, Opens("disk", "打包机磁盘快满了", "研发环境", "P2")),
    (15, 27, Takes("disk")),
    (15, 32, Closes("excel")),
    (15, 37, Opens("sso", "单点登录一直跳转", "账号权限", "P1")),
    (15, 42, Takes("sso")),
    (15, 52, Reopens("mail")),
    (15, 57, Closes("meeting")),
    (16, 2, Closes("license")),
    (16, 7, Closes("bluescreen")),
    (16, 12, Opens("pod", "测试环境整体不可用", "研发环境", "P0")),
    (16, 17, Takes("pod")),
    (16, 22, Closes("disk")),
    (16, 32, Closes("mail")),
    (16, 37, Opens("remote", "出差申请远程桌面", "账号权限", "P2")),
    (16, 42, Rates("excel", 3, "")),
    (16, 47, Opens("ipad", "前台 iPad 无法签到", "办公设备", "P3")),
    (16, 52, Closes("sso")),
    (16, 57, Takes("remote")),
    (17, 2, Closes("keyboard")),
    (17, 7, Closes("pod")),
    (17, 12, Takes("ipad")),
    (17, 22, Rates("sso", 1, "等了一小时没人理")),
    (17, 32, Closes("ipad")),
    (17, 37, Opens("chair", "工位搬迁后网口不通", "网络", "P3")),
];

/// The day, ready to be played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Decides who is who; what happens and when is the same each time.
    pub seed: u64,
    /// The service starts here.
    pub start: Timestamp,
    /// The script stops here, always.
    pub end: Timestamp,
    /// What happened before the start, in order.
    pub before: Vec<(Timestamp, Happening)>,
    /// What happens, in order.
    pub happenings: Vec<(Timestamp, Happening)>,
}

impl Script {
    /// The day from nine to six.
    pub fn new(seed: u64) -> Self {
        let on = |day: i64, rows: &[(i64, i64, Happening)]| -> Vec<(Timestamp, Happening)> {
            let dawn = MIDNIGHT.minus(Span::from_days(day));
            rows.iter().map(|(hour, minute, what)| (dawn.plus(Span::from_mins(hour * 60 + minute)), *what)).collect()
        };
        Self {
            seed,
            start: MIDNIGHT.plus(Span::from_hours(9)),
            end: MIDNIGHT.plus(Span::from_hours(18)),
            before: on(1, YESTERDAY),
            happenings: on(0, TODAY),
        }
    }

    /// When something happens next after `now`; at last the end.
    pub fn next_after(&self, now: Timestamp) -> Timestamp {
        self.happenings.iter().map(|(at, _)| *at).find(|at| *at > now).unwrap_or(self.end)
    }

    /// What happens after `from` and not after `to`, in order.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = &(Timestamp, Happening)> {
        self.happenings.iter().filter(move |(at, _)| from < *at && *at <= to)
    }
}

impl Happening {
    /// The ticket it is about.
    pub const fn ticket(&self) -> Option<&'static str> {
        match self {
            Opens(name, ..)
            | Takes(name)
            | Asks(name)
            | Answers(name)
            | Priority(name, _)
            | Fixes(name)
            | Closes(name)
            | Rates(name, ..)
            | Reopens(name)
            | Clicks(_, name) => Some(name),
            Says(..) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_day_can_be_played() {
        let script = Script::new(7);
        let all: Vec<_> = script.before.iter().chain(&script.happenings).collect();
        let mut open = BTreeMap::new();
        for (place, (at, what)) in all.iter().enumerate() {
            assert!(place == 0 || all[place - 1].0 < *at, "{what:?} is out of order");
            assert_ne!(at.since(MIDNIGHT.minus(Span::from_days(1))).as_ms() % POLL.as_ms(), 0, "{what:?} is on a poll");
            let Some(name) = what.ticket() else { continue };
            let is_open = open.get(name).copied();
            let expected = match what {
                Opens(..) => None,
                Rates(..) | Reopens(_) => Some(false),
                _ => Some(true),
            };
            assert_eq!(is_open, expected, "{what:?}");
            match what {
                Opens(..) | Reopens(_) => drop(open.insert(name, true)),
                Closes(_) => drop(open.insert(name, false)),
                _ => {}
            }
        }
        assert!((24..=32).contains(&open.len()), "{}", open.len());
        assert!(script.before.iter().all(|(at, _)| *at < script.start));
        assert!(script.happenings.iter().all(|(at, _)| script.start < *at && *at < script.end));
    }

    #[test]
    fn going_from_one_to_the_next_misses_nothing() {
        let script = Script::new(7);
        let (mut now, mut played) = (script.start, 0);
        while now < script.end {
            let next = script.next_after(now);
            played += script.between(now, next).count();
            now = next;
        }
        assert_eq!((now, played), (script.end, script.happenings.len()));
    }
}
