//! Errors in words: what happened, and the next step, in Chinese and English.

use crate::{
    adapters::feishu::{
        error::{Advice, Endpoint, Error},
        table,
    },
    domain::text::{Message, Words},
};

/// The sentence for an error, with its code and log id.
pub(super) fn message(error: &Error) -> Message {
    let Message { zh, en } = if error.is_missing_scope() { missing_scope(error) } else { plain(error) };
    let tail = tail(error);
    Message::new(format!("{zh}{}", tail.zh), format!("{en}{}", tail.en))
}

fn missing_scope(error: &Error) -> Message {
    let named: Vec<&str> = match error.details.scopes.as_slice() {
        [] => error.endpoint.scopes().to_vec(),
        named => named.iter().map(String::as_str).collect(),
    };
    let scopes = if named.is_empty() { error.endpoint.name().to_owned() } else { named.join(", ") };
    let page = error.details.help.as_deref().unwrap_or("https://open.feishu.cn/app");
    Message::new(
        format!("应用缺少权限：{scopes}（任一即可）。在 {page} 打开应用 → 权限管理，开通后发布新版本，等管理员通过。"),
        format!(
            "the app lacks a permission: {scopes} (any one will do). Open the app at {page}, Permissions & Scopes, add \
             it, publish a version and wait for the admin's approval."
        ),
    )
}

fn plain(error: &Error) -> Message {
    if let Some(words) = error.code.and_then(|code| coded(error.endpoint, code, &error.details.said)) {
        return words.into();
    }
    if error.status.is_none() {
        return unanswered(error);
    }
    by_advice(error)
}

/// Codes that have a remedy of their own.
fn coded(endpoint: Endpoint, code: i64, said: &str) -> Option<Words> {
    common_code(code).or_else(|| match endpoint {
        Endpoint::Token => token_code(code),
        endpoint if endpoint.is_helpdesk() => helpdesk_code(code),
        Endpoint::Webhook => webhook_code(code),
        Endpoint::LongConnection => long_connection_code(code),
        endpoint if endpoint.is_urgent() => urgent_code(code),
        _ => message_code(code, said),
    })
}

fn common_code(code: i64) -> Option<Words> {
    Some(match code {
        99_991_403 => Words {
            zh: "本月 API 调用次数已用完，下月 1 日恢复。已暂停读取；在管理后台 → 费用中心 → 权益数据可以看到用量，或升级套餐。",
            en: "the tenant's API calls of this month are used up; they come back on the 1st. Reading is paused. See \
                 the usage in the admin console under Billing, Benefits, or move to a paid plan.",
        },
        99_991_400 => Words {
            zh: "调用太快，飞书要求稍候；会自动重试。",
            en: "calls come too fast and Feishu asks to wait; they are repeated by themselves.",
        },
        99_991_401 => Words {
            zh: "本机 IP 不在应用的 IP 白名单里。在开发者后台 → 安全设置 → IP 白名单加上，或清空白名单。",
            en: "this machine's address is not on the app's IP allow-list. Add it in the developer console under \
                 Security Settings, or empty the list.",
        },
        99_991_662 | 99_991_673 => Words {
            zh: "应用已停用，或没有在本企业安装。请管理员在管理后台 → 工作台 → 应用管理里启用，并发布版本。",
            en: "the app is stopped or not installed in this tenant. Have it enabled, and publish a version.",
        },
        99_991_663..=99_991_665 | 99_991_671 => Words {
            zh: "刚取的 tenant_access_token 也被拒绝。请检查 base_url 和应用是否属于同一个飞书环境（飞书 / Lark）。",
            en: "a fresh tenant_access_token is refused too. Check that base_url and the app are of the same cloud \
                 (Feishu or Lark).",
        },
        99_992_361 => Words {
            zh: "open_id 属于另一个应用：每个应用看到的 open_id 不同。请改用邮箱，或本应用查到的 open_id。",
            en: "the open_id belongs to another app: each app sees its own. Use the email, or the one this app sees.",
        },
        99_991_201 => Words {
            zh: "飞书没有这个接口。请检查 feishu.base_url（一般是 https://open.feishu.cn）。",
            en: "the platform has no such path. Check feishu.base_url (usually https://open.feishu.cn).",
        },
        _ => return None,
    })
}

fn token_code(code: i64) -> Option<Words> {
    Some(match code {
        10_014 | 10_015 | 20_002 | 99_991_543 | 10_005 => Words {
            zh: "app_id 或 app_secret 不对。在开发者后台 → 凭证与基础信息核对；Lark 国际版应用要把 base_url 设为 \
                 https://open.larksuite.com。",
            en: "app_id or app_secret is wrong. Compare with Credentials & Basic Info in the developer console; an app \
                 of Lark international needs base_url https://open.larksuite.com.",
        },
        10_003 => Words {
            zh: "app_id 或 app_secret 为空或格式不对（app_id 形如 cli_ 加 16 位）。请检查配置和环境变量。",
            en: "app_id or app_secret is empty or malformed (an app_id is cli_ and 16 digits). Check the configuration \
                 and the environment.",
        },
        10_012 | 10_013 => Words {
            zh: "飞书没有签发凭证：应用可能没有发布或没有启用。请发布版本并请管理员启用。",
            en: "Feishu issues no token: the app may not be published or enabled. Publish it and have it enabled.",
        },
        _ => return None,
    })
}

fn long_connection_code(code: i64) -> Option<Words> {
    Some(match code {
        514 | 1_000_040_344 => Words {
            zh: "飞书不让这个应用建立长连接。请核对 app_id 和 app_secret；只有企业自建应用可以用长连接，其他应用请改用 \
                 events.http。",
            en: "Feishu lets this app open no long connection. Check app_id and app_secret; only self-built apps may \
                 open one, others use events.http.",
        },
        403 => Words {
            zh: "飞书拒绝了长连接。请检查应用是否已启用；有 IP 白名单的，请加上本机（开发者后台 → 安全设置）。",
            en: "Feishu forbids the long connection. Check that the app is enabled, and that an IP allow-list, if there \
                 is one, names this machine (developer console, Security Settings).",
        },
        1_000_040_350 => Words {
            zh: "这个应用的长连接已满（最多 50 条）；会自动重试。请停掉用同一个 app_id 的其他程序，它们还会抢走事件。",
            en: "this app has all its long connections (50 at most); it is tried again by itself. Stop other programs \
                 with the same app_id: they take events away, too.",
        },
        1 | 1_000_040_343 => Words {
            zh: "飞书暂时建立不了长连接；会自动重试。",
            en: "Feishu opens no long connection for now; it is tried again by itself.",
        },
        _ => return None,
    })
}

fn helpdesk_code(code: i64) -> Option<Words> {
    Some(match code {
        154_001 => Words {
            zh: "服务台拒绝了凭证：请在服务台后台（https://feishu.cn/helpdesk/admin）→ 设置 → API 凭证核对 helpdesk_id 和 \
                 helpdesk_token；应用和服务台必须在同一个企业。",
            en: "the helpdesk refuses the credentials: compare helpdesk_id and helpdesk_token with Settings, API \
                 credentials in the helpdesk console (https://feishu.cn/helpdesk/admin); app and helpdesk must be in \
                 the same tenant.",
        },
        154_004 => Words {
            zh: "服务台没有这个工单。请核对工单号（19 位）。",
            en: "the helpdesk has no such ticket. Check the id (19 digits).",
        },
        155_000 => Words {
            zh: "飞书服务台内部错误；会自动重试。",
            en: "an internal error of the helpdesk; the call is repeated by itself.",
        },
        _ => return None,
    })
}

const WRONG_CHAT: Words = Words {
    zh: "chat_id 不对。用 deskbell chats 列出机器人所在的群。",
    en: "the chat_id is wrong. List the bot's chats with `deskbell chats`.",
};

fn message_code(code: i64, said: &str) -> Option<Words> {
    Some(match code {
        230_002 | 232_011 => Words {
            zh: "机器人不在这个群里。在群设置 → 群机器人 → 添加机器人，选本应用。",
            en: "the bot is not in this chat. In the group's settings choose Bots, Add Bot, and pick this app.",
        },
        230_006 | 232_025 => Words {
            zh: "应用没有机器人能力。在开发者后台 → 添加应用能力 → 机器人，然后发布版本。",
            en: "the app has no bot ability. Add it in the developer console under Add Features, Bot, and publish a \
                 version.",
        },
        230_013 | 230_053 => Words {
            zh: "此人不在应用的可用范围内，已离职，或停用了机器人。在版本管理里扩大可用范围，或换一位接收人。",
            en: "the person is outside the app's availability, has left, or stopped the bot. Widen the availability \
                 with a version, or choose somebody else.",
        },
        230_018 | 230_035 => Words {
            zh: "群设置不允许机器人发言。请群主在群设置里允许。",
            en: "the group's settings keep the bot from writing. Ask the owner to allow it.",
        },
        230_027 => Words {
            zh: "没有权限，或这是外部群而应用未开启对外共享。",
            en: "no permission, or the group is external and the app is not shared with outsiders.",
        },
        230_034 | 232_006 => WRONG_CHAT,
        230_001 if said.contains(table::UNKNOWN_CHAT) => WRONG_CHAT,
        232_009 => Words {
            zh: "这个群已解散。请在 receivers 里换一个群。",
            en: "the chat is dissolved. Choose another one under receivers.",
        },
        230_022 => Words {
            zh: "内容被企业的敏感词审查拦下。请在模板里去掉。",
            en: "the content is stopped by the tenant's word filter. Leave it out of the template.",
        },
        230_028 => Words {
            zh: "内容被企业的防泄漏审查拦下（明文手机号、邮箱、证件号会触发）；遮盖后会再发一次。还是不行，请在模板里去掉。",
            en: "the content is stopped by data-loss prevention (plain phone numbers, emails and card numbers trigger \
                 it); it goes again with those masked. If that does not help, leave them out of the template.",
        },
        230_031 => Words {
            zh: "卡片发出超过 14 天，飞书不再允许更新。",
            en: "the card is older than 14 days and can no longer be updated.",
        },
        230_011 | 230_110 | 99_992_354 => {
            Words { zh: "这条消息已被撤回或删除。", en: "the message was recalled or deleted." }
        }
        230_099 if table::card_error(said) == Some(100_290) => Words {
            zh: "卡片里 @ 的人不存在或不在群里；会改为不 @ 再发一次。",
            en: "somebody mentioned on the card does not exist or is not in the chat; it goes again without mentions.",
        },
        230_099 => Words {
            zh: "飞书不接受卡片内容。请检查模板（deskbell check）。",
            en: "Feishu refuses the card's content. Check the template (`deskbell check`).",
        },
        _ => return None,
    })
}

fn urgent_code(code: i64) -> Option<Words> {
    Some(match code {
        230_001 => Words {
            zh: "此人不在这个群里，不能加急。",
            en: "the person is not in this chat and cannot be called up there.",
        },
        230_012 => Words {
            zh: "只能对机器人自己发的消息加急。",
            en: "only messages the bot sent itself can be called about.",
        },
        230_023 => Words {
            zh: "此人未读的加急消息已超过 200 条。请先处理那些消息。",
            en: "the person has more than 200 unread urgent messages. They must read those first.",
        },
        230_024 => Words {
            zh: "企业的加急额度（电话、短信）已用完。请管理员在管理后台 → 费用中心购买，或把规则里的 urgent 改为 app。",
            en: "the tenant's quota of urgent calls and SMS is used up. Have the admin buy more under Billing, or set \
                 `urgent: app` in the rule.",
        },
        230_052 => Words {
            zh: "群设置只允许群主和管理员加急。请群主在群设置里放开，或把机器人设为群管理员。",
            en: "only owner and admins of this chat may call people up. Have the owner allow it, or make the bot an admin.",
        },
        _ => return message_code(code, ""),
    })
}

fn webhook_code(code: i64) -> Option<Words> {
    Some(match code {
        19_001 => Words {
            zh: "自定义机器人的 webhook 地址无效。在群设置 → 群机器人里重新复制。",
            en: "the custom bot's webhook address is not valid. Copy it again from the group's bot settings.",
        },
        19_021 => Words {
            zh: "自定义机器人签名不对：检查 secret；本机时间误差超过 1 小时也会这样。",
            en: "the custom bot's signature is wrong: check secret; a clock off by more than an hour does it too.",
        },
        19_022 => Words {
            zh: "自定义机器人设了 IP 白名单，本机不在其中。",
            en: "the custom bot has an IP allow-list and this machine is not on it.",
        },
        19_024 => Words {
            zh: "自定义机器人设了关键词，卡片里没有。请改用签名校验，或让标题含有关键词。",
            en: "the custom bot demands a keyword and the card has none. Use the signature instead, or put the keyword \
                 into the title.",
        },
        11_232 => Words {
            zh: "自定义机器人发得太快（每分钟 100 次、每秒 5 次）；会自动重试。",
            en: "the custom bot is sent to too fast (100 a minute, 5 a second); it is repeated by itself.",
        },
        _ => return message_code(code, ""),
    })
}

/// What came back, where it was not the platform's JSON.
pub(super) const EMPTY: Words = Words { zh: "空的回答", en: "an empty answer" };
/// The same.
pub(super) const HTML: Words = Words { zh: "网页，不是 JSON", en: "an HTML page instead of JSON" };
/// The same.
pub(super) const CUT_OFF: Words = Words { zh: "不完整的 JSON", en: "JSON that is cut off or has no code" };

/// What was said: the platform's own words, or ours in both languages.
fn said(error: &Error) -> Message {
    let said = error.details.said.as_str();
    let ours = [EMPTY, HTML, CUT_OFF].into_iter().find(|words| words.en == said);
    ours.map_or_else(|| Message::new(said, said), Message::from)
}

/// No answer at all.
fn unanswered(error: &Error) -> Message {
    let said = &error.details.said;
    match error.advice {
        Advice::RetrySameKey => Message::new(
            format!("请求发出后没有收到完整的回答，可能已经生效（{said}）；会用同一个编号重试。"),
            format!(
                "no whole answer came and the request may have arrived ({said}); it is repeated with the same key."
            ),
        ),
        Advice::Retry => Message::new(
            format!("连不上飞书（{said}）。会自动重试；请检查网络、http.proxy 和 http.ca_file。"),
            format!(
                "Feishu cannot be reached ({said}). It is tried again by itself; check the network, http.proxy and \
                 http.ca_file."
            ),
        ),
        _ => Message::new(format!("请求没有发出：{said}"), format!("the request was not sent: {said}")),
    }
}

fn by_advice(error: &Error) -> Message {
    let Message { zh, en } = said(error);
    let status = error.status.unwrap_or_default();
    match error.advice {
        Advice::SlowDown => Message::new("发送太快，会自动重试。", "too fast; it is repeated by itself."),
        Advice::Retry | Advice::RetrySameKey | Advice::AskAgainSoon => Message::new(
            format!("飞书暂时没有给出可用的回答（HTTP {status}，{zh}）；会自动重试。"),
            format!("Feishu gives no usable answer for now (HTTP {status}, {en}); it is repeated by itself."),
        ),
        Advice::SetUp if error.code.is_none() => Message::new(
            format!("回答的不是飞书接口（HTTP {status}，{zh}）。请检查 feishu.base_url 和 http.proxy。"),
            format!("what answers is not Feishu's API (HTTP {status}, {en}). Check feishu.base_url and http.proxy."),
        ),
        Advice::SetUp => Message::new(
            format!("飞书拒绝了请求，需要有人处理：{zh}"),
            format!("Feishu refuses the request and a person must set something right: {en}"),
        ),
        Advice::NotThere => Message::new(format!("没有找到：{zh}"), format!("not found: {en}")),
        Advice::NewCard => Message::new("这张卡片不能再更新。", "the card can no longer be updated."),
        Advice::Shorten => Message::new("内容太长，飞书不接受。", "the content is too long for Feishu."),
        _ => Message::new(format!("飞书拒绝了请求：{zh}"), format!("Feishu refuses the request: {en}")),
    }
}

/// Code and log id, for whoever has to ask the vendor.
fn tail(error: &Error) -> Message {
    let mut zh = vec![error.endpoint.name().to_owned()];
    let mut en = zh.clone();
    if let Some(code) = error.code {
        zh.push(format!("错误码 {code}"));
        en.push(format!("code {code}"));
    }
    if let Some(log_id) = &error.log_id {
        zh.push(format!("日志 {log_id}"));
        en.push(format!("log id {log_id}"));
    }
    Message::new(format!("（{}）", zh.join("，")), format!(" ({})", en.join(", ")))
}
