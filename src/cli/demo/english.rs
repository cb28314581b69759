//! The demo's day for people who read English: what stands in its tickets, chats and rules, word for word.

use crate::domain::text::Locale;

/// A text of the day in a language; what has no translation stays as it is.
pub fn say(locale: Locale, text: &str) -> &str {
    if locale == Locale::Zh {
        return text;
    }
    WORDS.iter().find(|(zh, _)| *zh == text).map_or(text, |(_, en)| en)
}

/// The lines of a shipped rule in a language.
pub fn rule(locale: Locale, text: &str) -> String {
    if locale == Locale::Zh {
        return text.to_string();
    }
    RULES.iter().fold(text.to_string(), |text, (zh, en)| text.replace(zh, en))
}

/// What is replaced in the shipped rules.
const RULES: &[(&str, &str)] = &[
    ("name: 不满意", "name: Dissatisfied"),
    ("summary: 客户给了不满意，尽快回访", "summary: The guest is dissatisfied; call back soon"),
    (
        "advice: 今天之内回访客户，问清原因，写进工单备注",
        "advice: Call the guest today, find out why, and note it in the ticket",
    ),
    ("name: 待用户响应太久", "name: Waiting too long"),
    ("summary: 客户超过一个工作日没有回复", "summary: No word from the guest for more than an office day"),
    ("advice: 请再问一句，或说明后关闭工单", "advice: Ask once more, or say why and close the ticket"),
    ("name: P0 工单", "name: P0 ticket"),
    ("summary: 优先级是 P0 的工单还没有关闭", "summary: A ticket of priority P0 is still open"),
    ("advice: 先确认有客服在跟，再看要不要拉人", "advice: Make sure someone is on it, then see who else is needed"),
    ("name: 首次响应", "name: First response"),
    ("summary: 转到人工后，客服多久要第一次回复", "summary: How soon an agent must reply at first"),
    ("advice: 先回一句“已收到，正在看”，再处理", "advice: Say that you are on it, then see to it"),
    ("name: 没人接", "name: Nobody assigned"),
    ("summary: 转到人工的工单还没有负责人", "summary: A ticket in the human stage has no owner"),
    ("advice: 请一位客服接单", "advice: Ask an agent to take it"),
    ("name: 客服沉默", "name: Agent silent"),
    ("summary: 客户在等客服回复", "summary: The guest waits for a reply"),
    ("advice: 先回一句进展，别让客户干等", "advice: Say how far it is"),
    ("name: 排队太久", "name: Stuck in the queue"),
    ("summary: 这张工单排队太久了", "summary: This ticket queues too long"),
    ("advice: 看看有没有客服能再接一单", "advice: See whether an agent can take one more"),
    ("name: 排队堆积", "name: Queue building up"),
    ("summary: 正在排队的工单", "summary: Tickets in the queue"),
    ("advice: 加人接单，或在欢迎语里告诉客户要等多久", "advice: Call in more agents, or tell guests how long it takes"),
    ("name: 二次重开", "name: Reopened twice"),
    ("summary: 同一张工单第二次被重新打开", "summary: The same ticket was reopened for the second time"),
    ("advice: 换一个人看，或直接给客户打电话", "advice: Let someone else look, or call the guest"),
    ("name: 机器人没解决", "name: Bot unsolved"),
    ("summary: 机器人关闭的工单，客户说没有解决", "summary: Closed by the bot, and the guest says it is not solved"),
    (
        "advice: 看看机器人答了什么，该补的知识补上，该联系客户的联系",
        "advice: See what the bot answered, and call the guest if need be",
    ),
    ("name: 敏感词", "name: Words of complaint"),
    ("summary: 客户提到投诉、起诉或曝光", "summary: The guest speaks of complaints, courts or the press"),
    ("advice: 组长亲自回，先安抚，再核对承诺过什么", "advice: Let the lead answer in person"),
    ("fields: { 优先级: P0 }", "fields: { Priority: P0 }"),
];

const WORDS: &[(&str, &str)] = &[
    ("你", "You"),
    ("谢谢", "thanks"),
    ("IT 支持群", "IT support"),
    ("IT 主管群", "IT leads"),
    ("P0 应急群", "P0 emergencies"),
    ("问题描述", "Subject"),
    ("优先级", "Priority"),
    ("系统", "System"),
    ("网络", "Network"),
    ("邮箱", "Mail"),
    ("账号权限", "Accounts"),
    ("财务系统", "Finance"),
    ("会议室", "Meeting rooms"),
    ("打印机", "Printers"),
    ("门禁", "Doors"),
    ("办公设备", "Devices"),
    ("办公软件", "Software"),
    ("研发环境", "Development"),
    ("王磊", "Wang Lei"),
    ("赵敏", "Zhao Min"),
    ("陈晨", "Chen Chen"),
    ("孙悦", "Sun Yue"),
    ("林晓", "Lin Xiao"),
    ("周航", "Zhou Hang"),
    ("吴桐", "Wu Tong"),
    ("郑爽", "Zheng Shuang"),
    ("何冰", "He Bing"),
    ("马骏", "Ma Jun"),
    ("罗兰", "Luo Lan"),
    ("高原", "Gao Yuan"),
    ("宋佳", "Song Jia"),
    ("唐宁", "Tang Ning"),
    ("许诺", "Xu Nuo"),
    ("冯远", "Feng Yuan"),
    ("信息技术部", "IT"),
    ("市场部", "Marketing"),
    ("研发一部", "Development 1"),
    ("财务部", "Finance"),
    ("人力资源部", "Human Resources"),
    ("设计部", "Design"),
    ("销售部", "Sales"),
    ("法务部", "Legal"),
    ("研发二部", "Development 2"),
    ("行政部", "Administration"),
    ("产品部", "Product"),
    ("客户成功部", "Customer Success"),
    ("采购部", "Purchasing"),
    ("上海", "Shanghai"),
    ("会议室 3-12 投屏没有声音", "No sound when casting in room 3-12"),
    ("5 楼打印机提示缺墨", "The printer on floor 5 is out of toner"),
    ("申请访问设计部共享盘", "Access to the design team's share"),
    ("外接显示器不亮", "External monitor stays dark"),
    ("笔记本开机蓝屏", "Laptop shows a blue screen at start"),
    ("邮箱容量已满，收不到附件", "Mailbox full, attachments do not arrive"),
    ("门禁卡刷不开 7 楼", "Badge does not open floor 7"),
    ("申领无线鼠标", "A wireless mouse, please"),
    ("3 楼东侧 Wi-Fi 频繁掉线", "Wi-Fi drops on floor 3, east side"),
    ("VPN 连不上，提示证书过期", "VPN refuses: certificate expired"),
    ("开机密码忘记了", "Forgot my start-up password"),
    ("财务系统登录报 500", "Finance system: login gives 500"),
    ("设计软件许可证到期", "Design software licence expired"),
    ("新同事入职开通账号", "Accounts for a new colleague"),
    ("扫描件发不到邮箱", "Scans do not reach my mailbox"),
    ("全员收不到外部邮件", "Nobody receives mail from outside"),
    ("键盘进水，申请更换", "Water in the keyboard, needs replacing"),
    ("Excel 打开就闪退", "Excel crashes when opened"),
    ("视频会议没有画面", "No picture in video meetings"),
    ("打包机磁盘快满了", "The build machine's disk is nearly full"),
    ("单点登录一直跳转", "Single sign-on redirects for ever"),
    ("测试环境整体不可用", "The whole test environment is down"),
    ("出差申请远程桌面", "Remote desktop for a business trip"),
    ("前台 iPad 无法签到", "The reception iPad cannot check in"),
    ("工位搬迁后网口不通", "Network socket dead after a desk move"),
    ("处理太慢，迟到被记了", "Far too slow, I was marked as late"),
    ("没修好，又掉线了", "Not fixed, it dropped again"),
    ("等了一小时没人理", "Waited an hour, nobody cared"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::{
        demo::script::{Happening, ROOMS, Script},
        init::files::STARTERS,
    };

    fn is_readable(text: &str) -> bool {
        text.is_ascii()
    }

    #[test]
    fn everything_on_the_day_can_be_read() {
        let script = Script::new(7);
        let mut texts: Vec<&str> = ROOMS.iter().map(|room| room.name).collect();
        for (_, what) in script.before.iter().chain(&script.happenings) {
            match what {
                Happening::Opens(_, subject, system, priority) => texts.extend([subject, system, priority]),
                Happening::Rates(_, _, reason) => texts.push(reason),
                Happening::Says(_, words) => texts.push(words),
                _ => {}
            }
        }
        let unread: Vec<&str> = texts.into_iter().filter(|text| !is_readable(say(Locale::En, text))).collect();
        assert_eq!(unread, [""; 0]);
        assert_eq!(say(Locale::Zh, "谢谢"), "谢谢");
    }

    #[test]
    fn what_is_replaced_in_the_rules_is_there() {
        let rules: String = STARTERS
            .iter()
            .filter(|(name, _)| name.starts_with("rules/") && !name.ends_with(".test.yaml"))
            .map(|(_, text)| *text)
            .collect();
        for (zh, _) in RULES {
            assert_eq!(rules.matches(zh).count(), 1, "{zh}");
        }
    }
}
