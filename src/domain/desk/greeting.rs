//! When the bot is added to a chat it says who it is, the chat's id, and what to write.

use std::collections::BTreeMap;

use crate::domain::{
    desk::{
        input::{Added, ChatKind},
        machine::Desk,
        settings::{Direct, Look},
        state::{Answer, Entry, Lane},
    },
    id::{ChatId, MessageId, ReceiverName, Subject},
    notice::{NoticeKey, Step},
    receiver::ReceiverKind,
    text::Message,
    time::{Span, Timestamp},
};

/// What greetings are told by.
const NAME: &str = "greeting";

/// Its rule's name.
pub const GREETING: &str = "deskbell.greeting";

/// Chats greeted in an hour, at most.
const GREETINGS_PER_HOUR_MAX: usize = 60;

/// A chat is not greeted again for so long, however often the bot is taken out and put back.
const SAME_CHAT_AGAIN: Span = Span::from_mins(10);

/// A greeting that could not be sent by then is not sent any more: it would puzzle.
const GIVE_UP_AFTER: Span = Span::from_mins(30);

/// The chats greeted lately.
#[derive(Debug, Default)]
pub(super) struct Greeted(BTreeMap<ChatId, Timestamp>);

impl Greeted {
    /// Whether a chat may be greeted now; then it counts as greeted.
    fn admit(&mut self, chat: &ChatId, now: Timestamp) -> bool {
        self.0.retain(|_, at| now.since(*at) < Span::from_hours(1) && *at <= now);
        let again = self.0.get(chat).is_some_and(|at| now.since(*at) < SAME_CHAT_AGAIN);
        if again || (self.0.len() >= GREETINGS_PER_HOUR_MAX && !self.0.contains_key(chat)) {
            return false;
        }
        self.0.insert(chat.clone(), now);
        true
    }
}

impl Desk {
    /// The bot was added to a chat.
    pub(super) fn added(&mut self, added: &Added, now: Timestamp) {
        if !self.remember(MessageId::from(format!("{NAME}\u{1f}{}", added.event.as_str()).as_str()), now) {
            self.counters.redelivered += 1;
            return;
        }
        let chat = &added.chat;
        let note = Message::new(format!("机器人被加进群 {chat}"), format!("the bot was added to the chat {chat}"));
        self.journal(now, (&Subject::Service, None, 0), "added", note);
        if !self.greeted.admit(chat, now) {
            return;
        }
        let key = self.news_key(NAME, Step::Announced, ReceiverName::new(chat.as_str()), now);
        let words = self.greeting(added);
        self.enqueue(key, Lane::Answers, Some(Answer::Text(words)), now);
    }

    fn greeting(&self, added: &Added) -> Message {
        let id = &added.chat;
        let known = self
            .settings
            .receivers
            .values()
            .find(|receiver| matches!(&receiver.kind, ReceiverKind::Chat(chat) if chat == id));
        let (next, may_ask) = match (added.kind, known) {
            (ChatKind::Direct | ChatKind::Admin, _) => {
                (Message::new("", ""), self.settings.access.direct != Direct::Nobody)
            }
            (ChatKind::Group, Some(receiver)) => {
                let name = &receiver.name;
                let next = Message::new(
                    format!("\n配置里的接收方 {name} 就是本群：提醒会发到这里。"),
                    format!("\nIt is the receiver {name} of the configuration: alerts arrive here."),
                );
                (next, true)
            }
            (ChatKind::Group, None) if added.external => (external(), false),
            (ChatKind::Group, None) => (how_to_receive(id), self.may_ask_in(id)),
        };
        let who = Message::new(
            "你好，我是 deskbell。我盯着工单，快出问题时提醒该处理的人。",
            "Hello, I am deskbell. I watch the support tickets and tell the right people before one goes bad.",
        );
        let here = match added.kind {
            ChatKind::Direct | ChatKind::Admin => Message::new("", ""),
            ChatKind::Group => Message::new(format!("\n本群的 chat_id：{id}"), format!("\nThis chat's id: {id}")),
        };
        let what = match may_ask {
            true => Message::new(
                "\n可以@我写：\n1. 工单号（19 位）：看这张工单\n2. /alerts：现在在响的提醒\n3. /help：全部写法",
                "\nMention me and write:\n1. a ticket id (19 digits): that ticket\n2. /alerts: what rings now\n\
                 3. /help: everything else",
            ),
            false => Message::new(
                "\n这里还不能查工单；/help 看全部写法。",
                "\nTickets cannot be looked up here yet; /help tells everything I understand.",
            ),
        };
        [who, here, next, what]
            .into_iter()
            .fold(Message::new("", ""), |all, part| Message::new(all.zh + &part.zh, all.en + &part.en))
    }

    fn may_ask_in(&self, chat: &ChatId) -> bool {
        self.settings.sources.keys().any(|source| match self.settings.access.look_at(source) {
            Look::Everyone => true,
            Look::Receivers => false,
            Look::Chats(chats) => chats.contains(chat),
        })
    }

    /// Where a greeting goes; nothing for any other notice.
    pub(super) fn greeted_chat(key: &NoticeKey) -> Option<ChatId> {
        (key.rule.as_str() == GREETING).then(|| ChatId::new(key.receiver.as_str()))
    }
}

/// Whether a greeting comes too late to be of use.
pub(super) fn is_late(entry: &Entry, now: Timestamp) -> bool {
    entry.key.rule.as_str() == GREETING && now > entry.decided_at.plus(GIVE_UP_AFTER)
}

fn how_to_receive(id: &ChatId) -> Message {
    Message::new(
        format!(
            "\n要让提醒发到这里，请管理员在 deskbell.yaml 的 receivers 里加一行：\n    my-chat: {{ chat_id: {id} }}\n\
             再在规则或 teams 里写 to: my-chat，最后运行 deskbell check。"
        ),
        format!(
            "\nTo have alerts here, ask the administrator to add a line under receivers in deskbell.yaml:\n    \
             my-chat: {{ chat_id: {id} }}\nthen to write to: my-chat in a rule or a team, and to run deskbell check."
        ),
    )
}

fn external() -> Message {
    Message::new(
        "\n这是外部群，群里有其他公司的人：没有管理员的允许，这里不会收到任何工单内容。",
        "\nThis is an external chat, with people of other companies in it: unless the administrator allows it, nothing \
         about tickets is shown here.",
    )
}
