//! What must be clicked in Feishu's developer console, in order, and the permissions as the console imports them.

use serde_json::json;

use crate::domain::text::{Message, Words};

/// The permissions of the app: what each is for.
const SCOPES: &[(&str, Words)] = &[
    ("helpdesk:all:readonly", Words { zh: "读工单和自定义字段", en: "read tickets and custom fields" }),
    ("im:message:send_as_bot", Words { zh: "发卡片、回复、更新卡片", en: "send, answer with and update cards" }),
    ("im:message:readonly", Words { zh: "核对卡片是否已发出", en: "see whether a card has arrived" }),
    (
        "im:message.group_at_msg:readonly",
        Words { zh: "收到群里 @机器人 的消息", en: "receive messages that mention the bot" },
    ),
    ("im:message.p2p_msg:readonly", Words { zh: "收到单聊消息", en: "receive direct messages" }),
    ("im:chat:readonly", Words { zh: "列出机器人所在的群和成员", en: "list the bot's chats and their members" }),
    (
        "contact:user.id:readonly",
        Words {
            zh: "按邮箱或手机号找人，@ 和加急要用",
            en: "find people by email or mobile, to mention and to call them up",
        },
    ),
    ("im:message.urgent", Words { zh: "应用内加急", en: "call people up in the app" }),
    ("im:message.urgent:sms", Words { zh: "短信加急（用企业额度）", en: "call people up by SMS (takes of a quota)" }),
    (
        "im:message.urgent:phone",
        Words { zh: "电话加急（用企业额度）", en: "call people up by phone (takes of a quota)" },
    ),
];

/// The permissions as the console's bulk import takes them.
pub fn scopes_json() -> String {
    let names: Vec<&str> = SCOPES.iter().map(|(name, _)| *name).collect();
    format!("{:#}", json!({ "scopes": { "tenant": names, "user": [] } }))
}

/// The permissions, each with what it is for.
pub fn scopes_explained() -> Vec<(&'static str, Words)> {
    SCOPES.to_vec()
}

/// The app's page in the console.
pub fn app_page(base_url: &str, app_id: &str) -> String {
    format!("{}/app/{app_id}", base_url.trim_end_matches('/'))
}

/// The steps in the console, in order. Who must do it is named where it is not the developer.
pub fn steps(page: &str) -> Vec<Message> {
    vec![
        Message::new(
            format!("打开 {page} > 添加应用能力 > 机器人 > 添加"),
            format!("Open {page} > Add Features > Bot > Add"),
        ),
        Message::new(
            "权限管理 > 批量导入/导出权限 > 粘贴上面的 JSON > 下一步 > 申请开通",
            "Permissions & Scopes > Batch import/export > paste the JSON above > Next > Apply",
        ),
        Message::new(
            "要在群里查工单：事件与回调 > 事件配置 > 订阅方式 > 使用长连接接收事件（不需要公网地址；只有 deskbell 连着时才能\
             保存，见最后一步），再添加事件“接收消息 im.message.receive_v1”；要用卡片上的按钮，在回调配置里同样选长连接，\
             添加“卡片回传交互 card.action.trigger”",
            "For /ticket in chats: Events & Callbacks > Event Configuration > Subscription mode > Receive events through \
             persistent connection (no public address; it can be saved only while deskbell is connected, see the last \
             step), and add the event \"Message received im.message.receive_v1\"; for the buttons on cards choose the \
             same under Callback Configuration and add \"Card interaction card.action.trigger\"",
        ),
        Message::new(
            "版本管理与发布 > 创建版本 > 可用范围选要用它的人 > 保存 > 申请发布",
            "Version Management & Release > Create a version > choose who may use it > Save > Submit for release",
        ),
        Message::new(
            "请企业管理员在 管理后台 > 工作台 > 应用审核 里通过；权限从这时起才生效",
            "Ask the tenant's administrator to approve it (Admin Console > Workplace > App Review); permissions work \
             from then on",
        ),
        Message::new(
            "服务台管理员：服务台后台 > 设置 > API 凭证，给出服务台 ID 和 Token",
            "The helpdesk's administrator: helpdesk admin > settings > API credentials gives the helpdesk's id and token",
        ),
        Message::new(
            "把机器人拉进要接收提醒的群：群设置 > 群机器人 > 添加机器人",
            "Add the bot to the chat that should receive alerts: chat settings > Bots > Add Bot",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_console_can_import_the_permissions() {
        let parsed: serde_json::Value = serde_json::from_str(&scopes_json()).unwrap();
        assert!(parsed["scopes"]["tenant"].as_array().unwrap().contains(&json!("helpdesk:all:readonly")));
        assert_eq!(parsed["scopes"]["user"], json!([]));
    }

    #[test]
    fn every_permission_the_client_names_is_asked_for() {
        use crate::adapters::feishu::error::Endpoint;
        let asked: Vec<&str> = SCOPES.iter().map(|(name, _)| *name).collect();
        for endpoint in [
            Endpoint::TicketList,
            Endpoint::CustomizedFields,
            Endpoint::MessageCreate,
            Endpoint::MessageReply,
            Endpoint::MessagePatch,
            Endpoint::History,
            Endpoint::Chats,
            Endpoint::Members,
            Endpoint::UserIds,
            Endpoint::UrgentApp,
            Endpoint::UrgentSms,
            Endpoint::UrgentPhone,
        ] {
            let scopes = endpoint.scopes();
            assert!(scopes.iter().any(|scope| asked.contains(scope)), "{endpoint:?}: {scopes:?}");
        }
    }
}
