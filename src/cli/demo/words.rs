//! What the demo says before the first card and after the last: short, and in both languages.

/// The first lines. `ticket` is one to look up.
pub fn opening(seed: u64, ticket: Option<&str>) -> String {
    let mut text = format!(
        "deskbell 演示：一个 IT 服务台的一天，2026-11-03 9:00 到 18:00（加速，种子 {seed}）\n\
         下面是三个飞书群里看到的。飞书是本机模拟的，数据是编的；收发卡片的是真正的 deskbell。\n\
         A helpdesk's day in fast motion, as three Feishu chats see it: the platform is simulated\n\
         on this machine and the data is made up; the service that sends the cards is the real one.\n\n"
    );
    if let Some(ticket) = ticket {
        text.push_str(&format!(
            "  试一试：输入下面这行并回车，向机器人查一张工单。Ctrl-C 结束\n\
             \x20 Try it: type this line and press Enter to look a ticket up. Ctrl-C ends the demo\n\n\
             \x20   /ticket {ticket}\n\n\
             \x20 也可以写 · Also:\n\
             \x20   工单列表  没人接的  超时的有哪些  /tickets 优先级:P0,P1  现在排队多少  今天几个差评\n\
             \x20   open tickets  unassigned  overdue  /tickets wait>4h  how many in the queue\n\
             \x20   /alerts  /why  /take  /done  /snooze  /silence  /oncall  /rules  /order  /help\n\n"
        ));
    }
    text
}

/// What is said when the day is over and the newcomer may go on asking.
pub const STAYS: &str = "18:00  这一天结束了，还可以继续问；Ctrl-C 结束\n       \
                         The day is over. You can still ask; Ctrl-C ends the demo\n\n";

/// What is said when the day is over and nobody stays.
pub const OVER: &str = "18:00  这一天结束了 · The day is over\n\n";

/// The last lines: what to do with a real account.
pub const NEXT: &str = "\
下一步 · Next

  deskbell init my-desk    接入真实的飞书：检查密钥，告诉你每一步点哪里，写好配置
                           connect a real Feishu tenant: checks the keys, says what to click
  README.zh-CN.md          从空租户到第一条提醒，大约十分钟
  README.md                from an empty tenant to the first alert in ten minutes
  deskbell demo --to URL --secret S
                           把演示的卡片也发到你自己的群（群设置 > 群机器人 > 自定义机器人）
                           the same cards in your own group (settings > Bots > Custom Bot)
";
