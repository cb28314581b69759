//! What the doctor asks of the app itself: credentials, the bot, its chats, its permissions, people.

use crate::{
    adapters::feishu::{
        chats::UserFound,
        client::Client,
        error::{Advice, Error},
    },
    app::config::setup::Setup,
    cli::doctor::finding::Finding,
    domain::{
        condition::{Condition, Operator},
        id::ChatId,
        receiver::{Receiver, ReceiverKind},
        text::{Message, Words},
    },
};

/// A chat that cannot exist: sending to it tells whether the app may send, and nobody hears.
const NO_CHAT: &str = "oc_deskbell_doctor";

/// An address that belongs to nobody: asking for it tells whether the app may ask.
const NOBODY: &str = "nobody@deskbell.invalid";

/// Feishu's codes for "the app lacks a permission" (`facts/feishu.md §1.4`).
const SCOPE_CODES: [i64; 3] = [99_991_672, 99_991_676, 99_991_679];

/// Credentials; without them nothing else can be asked.
pub async fn credentials(client: &Client) -> Result<Finding, Finding> {
    let what = Message::new("App ID 和 App Secret", "App ID and App Secret");
    match client.check_credentials().await {
        Ok(()) => Ok(Finding::well("App ID 和 App Secret 正确", "App ID and App Secret are right")),
        Err(error) => Err(Finding::ill(&what, &error.message())),
    }
}

/// The bot ability, and whether the app may send.
pub async fn bot(client: &Client) -> Vec<Finding> {
    let mut findings = vec![match client.bot().await {
        Ok(bot) => {
            let name = bot.name;
            Finding::well(format!("机器人“{name}”已启用"), format!("the bot \"{name}\" is enabled"))
        }
        Err(error) => Finding::ill(&Message::new("机器人能力", "the bot ability"), &error.message()),
    }];
    let sent = client.create(&ChatId::from(NO_CHAT), "{}", "deskbell-doctor").await;
    findings.push(match sent {
        Err(error) if lacks_scope(&error) || is_unreachable(&error) => {
            Finding::ill(&Message::new("发消息的权限", "the permission to send"), &error.message())
        }
        _ => Finding::well("有发消息的权限", "the app may send"),
    });
    findings
}

/// Each chat that receives alerts.
pub async fn receivers(client: &Client, setup: &Setup) -> Vec<Finding> {
    let mut findings = Vec::new();
    for receiver in setup.settings.receivers.values() {
        findings.push(match &receiver.kind {
            ReceiverKind::Chat(chat) => self::chat(client, receiver, chat).await,
            ReceiverKind::Person(_) => {
                let name = &receiver.name;
                Finding::note(
                    format!("接收方 {name} 是一个人，发一张才知道能不能收到：deskbell send-test {name}"),
                    format!("receiver {name} is a person; only a card can tell: deskbell send-test {name}"),
                )
            }
            ReceiverKind::Webhook | ReceiverKind::Wecom | ReceiverKind::Http => posted(receiver),
        });
    }
    findings
}

/// A receiver that nothing can be asked: only what is sent tells whether it arrives.
fn posted(receiver: &Receiver) -> Finding {
    let name = &receiver.name;
    let what = match receiver.kind {
        ReceiverKind::Wecom => Words { zh: "企业微信群机器人", en: "a WeCom group bot" },
        ReceiverKind::Http => Words { zh: "外部 HTTP 地址", en: "an outgoing HTTP webhook" },
        ReceiverKind::Webhook | ReceiverKind::Chat(_) | ReceiverKind::Person(_) => {
            Words { zh: "自定义机器人", en: "a custom bot" }
        }
    };
    Finding::note(
        format!("接收方 {name} 是{}，发一条才知道通不通：deskbell send-test {name}", what.zh),
        format!("receiver {name} is {}; only a test can tell: deskbell send-test {name}", what.en),
    )
}

async fn chat(client: &Client, receiver: &Receiver, chat: &ChatId) -> Finding {
    let name = &receiver.name;
    let what = Message::new(format!("接收方 {name}（{chat}）"), format!("receiver {name} ({chat})"));
    match client.chat(chat).await {
        Err(error) => Finding::ill(&what, &error.message()),
        Ok(detail) if detail.dissolved => {
            let reason =
                Message::new("这个群已解散，请换一个 chat_id", "this chat is dissolved: choose another chat_id");
            Finding::ill(&what, &reason)
        }
        Ok(detail) if detail.external && receiver.external => Finding::note(
            format!("{}：“{}”是外部群，只发不含客户内容的提醒", what.zh, detail.name),
            format!("{}: \"{}\" is an external chat: nothing of the guest is told there", what.en, detail.name),
        ),
        Ok(detail) if detail.external => Finding::ill(
            &what,
            &Message::new(
                format!("“{}”是外部群，deskbell 不往里发。要发不含客户内容的提醒，写 external: true", detail.name),
                format!(
                    "\"{}\" is an external chat: deskbell does not send there. For alerts without anything of the \
                     guest write external: true",
                    detail.name
                ),
            ),
        ),
        Ok(detail) => Finding::well(
            format!("{}：群“{}”可达", what.zh, detail.name),
            format!("{}: chat \"{}\" can be reached", what.en, detail.name),
        ),
    }
}

/// Each person that the configuration and the rules name by email; with none, whether the app may ask.
pub async fn people(client: &Client, setup: &Setup) -> Vec<Finding> {
    let mut emails: Vec<String> = setup.manage.iter().filter(|name| name.contains('@')).cloned().collect();
    for rule in setup.rules.rules.values() {
        gather_emails(&rule.when, &mut emails);
    }
    emails.sort();
    emails.dedup();
    let asked = if emails.is_empty() { vec![NOBODY.to_string()] } else { emails.clone() };
    match client.users_by_email(&asked).await {
        Err(error) => vec![Finding::ill(&Message::new("按邮箱找人", "finding people by email"), &error.message())],
        Ok(_) if emails.is_empty() => vec![Finding::well("能按邮箱找人", "people can be found by email")],
        Ok(found) => found.iter().map(person).collect(),
    }
}

fn person(found: &UserFound) -> Finding {
    let asked = &found.asked;
    if found.open_id.is_some() {
        return Finding::well(format!("{asked} 找得到"), format!("{asked} is found"));
    }
    Finding::ill(
        &Message::new(asked.as_str(), asked.as_str()),
        &Message::new(
            "找不到这个人：邮箱写错了，或不在应用的可用范围（开放平台 > 版本管理与发布 > 可用范围）",
            "nobody is found: the address is wrong, or outside the app's availability (developer console > Version \
             Management & Release > Availability)",
        ),
    )
}

fn gather_emails(condition: &Condition, emails: &mut Vec<String>) {
    if let Condition::Test(test) = condition
        && let Operator::PersonIs(names) = &test.operator
    {
        emails.extend(names.iter().filter(|name| name.contains('@')).map(ToString::to_string));
    }
    condition.parts().iter().for_each(|part| gather_emails(part, emails));
}

fn lacks_scope(error: &Error) -> bool {
    error.code.is_some_and(|code| SCOPE_CODES.contains(&code))
}

/// The platform did not say anything about the permission.
fn is_unreachable(error: &Error) -> bool {
    matches!(error.advice, Advice::Retry | Advice::SlowDown | Advice::RetrySameKey | Advice::AwaitQuota)
        && error.code.is_none()
}
