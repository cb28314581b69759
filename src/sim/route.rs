//! The endpoints: which a request means, what scope it needs, how often it may be called.

use crate::sim::lines::SOCKET_PATH;

/// An endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// `POST auth/v3/tenant_access_token/internal`
    Token,
    /// `GET helpdesk/v1/tickets`
    TicketList,
    /// `GET helpdesk/v1/tickets/:id`
    TicketGet,
    /// `GET helpdesk/v1/tickets/:id/messages`
    TicketMessages,
    /// `GET helpdesk/v1/customized_fields`
    CustomizedFields,
    /// `GET helpdesk/v1/ticket_customized_fields`
    TicketCustomizedFields,
    /// `POST helpdesk/v1/events/subscribe`
    EventsSubscribe,
    /// `POST helpdesk/v1/events/unsubscribe`
    EventsUnsubscribe,
    /// `POST im/v1/messages`
    MessageCreate,
    /// `POST im/v1/messages/:id/reply`
    MessageReply,
    /// `PATCH im/v1/messages/:id`
    MessagePatch,
    /// `PATCH im/v1/messages/:id/urgent_app`
    UrgentApp,
    /// `PATCH im/v1/messages/:id/urgent_sms`
    UrgentSms,
    /// `PATCH im/v1/messages/:id/urgent_phone`
    UrgentPhone,
    /// `GET im/v1/messages/:id`
    MessageGet,
    /// `GET im/v1/messages`
    MessageHistory,
    /// `GET im/v1/chats`
    ChatList,
    /// `GET im/v1/chats/:id`
    ChatGet,
    /// `GET im/v1/chats/:id/members`
    ChatMembers,
    /// `POST contact/v3/users/batch_get_id`
    UserIds,
    /// `GET bot/v3/info`
    BotInfo,
    /// `POST bot/v2/hook/:token`
    Hook,
    /// `POST /callback/ws/endpoint`
    LongConnection,
    /// `GET /ws/v2`
    Handshake,
}

/// What a method and a path mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// An endpoint, with the id in its path.
    Route(Route, &'a str),
    /// A known path with another method.
    WrongMethod,
    /// No such path.
    Nothing,
}

/// Calls of one endpoint within a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit {
    /// Calls at most.
    pub(crate) calls: usize,
    /// Within so many milliseconds.
    pub(crate) within_ms: i64,
}

/// 50 a second and 1000 a minute, both counted (tier 4).
const TIER_FOUR: &[Limit] = &[Limit { calls: 50, within_ms: 1000 }, Limit { calls: 1000, within_ms: 60_000 }];

/// 10 a second (tier 7).
const TIER_SEVEN: &[Limit] = &[Limit { calls: 10, within_ms: 1000 }];

impl Route {
    /// The endpoint of a method and a path (`facts/feishu.md §1–§4, §9`).
    pub(crate) fn find<'a>(method: &str, path: &'a str) -> Found<'a> {
        let whole = match path {
            "/callback/ws/endpoint" => Some((Self::LongConnection, "POST")),
            SOCKET_PATH => Some((Self::Handshake, "GET")),
            _ => None,
        };
        if let Some((route, expected)) = whole {
            return if method == expected { Found::Route(route, "") } else { Found::WrongMethod };
        }
        let Some(rest) = path.strip_prefix("/open-apis/") else { return Found::Nothing };
        let parts: Vec<&str> = rest.split('/').collect();
        let (route, expected, id) = match parts.as_slice() {
            ["auth", "v3", "tenant_access_token", "internal"] => (Self::Token, "POST", ""),
            ["helpdesk", "v1", "tickets"] => (Self::TicketList, "GET", ""),
            ["helpdesk", "v1", "tickets", id] => (Self::TicketGet, "GET", *id),
            ["helpdesk", "v1", "tickets", id, "messages"] => (Self::TicketMessages, "GET", *id),
            ["helpdesk", "v1", "customized_fields"] => (Self::CustomizedFields, "GET", ""),
            ["helpdesk", "v1", "ticket_customized_fields"] => (Self::TicketCustomizedFields, "GET", ""),
            ["helpdesk", "v1", "events", "subscribe"] => (Self::EventsSubscribe, "POST", ""),
            ["helpdesk", "v1", "events", "unsubscribe"] => (Self::EventsUnsubscribe, "POST", ""),
            ["im", "v1", "messages"] if method == "GET" => (Self::MessageHistory, "GET", ""),
            ["im", "v1", "messages"] => (Self::MessageCreate, "POST", ""),
            ["im", "v1", "messages", id] if method == "GET" => (Self::MessageGet, "GET", *id),
            ["im", "v1", "messages", id] => (Self::MessagePatch, "PATCH", *id),
            ["im", "v1", "messages", id, "reply"] => (Self::MessageReply, "POST", *id),
            ["im", "v1", "messages", id, "urgent_app"] => (Self::UrgentApp, "PATCH", *id),
            ["im", "v1", "messages", id, "urgent_sms"] => (Self::UrgentSms, "PATCH", *id),
            ["im", "v1", "messages", id, "urgent_phone"] => (Self::UrgentPhone, "PATCH", *id),
            ["im", "v1", "chats"] => (Self::ChatList, "GET", ""),
            ["im", "v1", "chats", id] => (Self::ChatGet, "GET", *id),
            ["im", "v1", "chats", id, "members"] => (Self::ChatMembers, "GET", *id),
            ["contact", "v3", "users", "batch_get_id"] => (Self::UserIds, "POST", ""),
            ["bot", "v3", "info"] => (Self::BotInfo, "GET", ""),
            ["bot", "v2", "hook", id] => (Self::Hook, "POST", *id),
            _ => return Found::Nothing,
        };
        if method == expected { Found::Route(route, id) } else { Found::WrongMethod }
    }

    /// Any one of these scopes lets an app call it; none needed if empty.
    pub(crate) const fn scopes(self) -> &'static [&'static str] {
        match self {
            Self::Token | Self::BotInfo | Self::Hook | Self::LongConnection | Self::Handshake => &[],
            Self::TicketList
            | Self::TicketGet
            | Self::TicketMessages
            | Self::CustomizedFields
            | Self::TicketCustomizedFields
            | Self::EventsSubscribe
            | Self::EventsUnsubscribe => &["helpdesk:all:readonly", "helpdesk:all"],
            Self::MessageCreate | Self::MessageReply => &["im:message", "im:message:send_as_bot"],
            Self::MessagePatch => &["im:message", "im:message:send_as_bot", "im:message:update"],
            Self::UrgentApp => &["im:message.urgent"],
            Self::UrgentSms => &["im:message.urgent:sms"],
            Self::UrgentPhone => &["im:message.urgent:phone"],
            Self::MessageGet => &["im:message", "im:message:readonly"],
            Self::MessageHistory => &["im:message.group_msg", "im:message.group_msg:readonly"],
            Self::ChatList | Self::ChatGet => &["im:chat", "im:chat:readonly"],
            Self::ChatMembers => &["im:chat", "im:chat:readonly", "im:chat.members:read"],
            Self::UserIds => &["contact:user.id:readonly"],
        }
    }

    /// How often it may be called; empty: nothing published.
    pub(crate) const fn limits(self) -> &'static [Limit] {
        match self {
            Self::Token
            | Self::CustomizedFields
            | Self::TicketCustomizedFields
            | Self::Hook
            | Self::EventsSubscribe
            | Self::EventsUnsubscribe
            | Self::LongConnection
            | Self::Handshake => &[],
            Self::TicketGet => TIER_SEVEN,
            _ => TIER_FOUR,
        }
    }

    /// Whether a successful call counts against the tenant's month (`facts/feishu.md §14`).
    pub(crate) const fn is_counted(self) -> bool {
        !matches!(
            self,
            Self::Token
                | Self::UserIds
                | Self::Hook
                | Self::EventsSubscribe
                | Self::EventsUnsubscribe
                | Self::LongConnection
                | Self::Handshake
        )
    }

    /// Whether it wants the helpdesk's own header.
    pub(crate) const fn is_helpdesk(self) -> bool {
        matches!(
            self,
            Self::TicketList
                | Self::TicketGet
                | Self::TicketMessages
                | Self::CustomizedFields
                | Self::TicketCustomizedFields
                | Self::EventsSubscribe
                | Self::EventsUnsubscribe
        )
    }

    /// Whether it sends or changes a message.
    pub(crate) const fn is_send(self) -> bool {
        matches!(self, Self::MessageCreate | Self::MessageReply | Self::MessagePatch)
    }
}

#[cfg(test)]
mod tests {
    use crate::sim::route::{Found, Route};

    #[test]
    fn paths_find_their_endpoint() {
        let table = [
            ("POST", "/open-apis/auth/v3/tenant_access_token/internal", Found::Route(Route::Token, "")),
            ("GET", "/open-apis/auth/v3/tenant_access_token/internal", Found::WrongMethod),
            ("GET", "/open-apis/helpdesk/v1/tickets", Found::Route(Route::TicketList, "")),
            ("GET", "/open-apis/helpdesk/v1/tickets/7", Found::Route(Route::TicketGet, "7")),
            ("GET", "/open-apis/helpdesk/v1/tickets/7/messages", Found::Route(Route::TicketMessages, "7")),
            ("POST", "/open-apis/im/v1/messages", Found::Route(Route::MessageCreate, "")),
            ("GET", "/open-apis/im/v1/messages", Found::Route(Route::MessageHistory, "")),
            ("PATCH", "/open-apis/im/v1/messages/om_1", Found::Route(Route::MessagePatch, "om_1")),
            ("PUT", "/open-apis/im/v1/messages/om_1", Found::WrongMethod),
            ("POST", "/open-apis/im/v1/messages/om_1/reply", Found::Route(Route::MessageReply, "om_1")),
            ("POST", "/open-apis/bot/v2/hook/x", Found::Route(Route::Hook, "x")),
            ("GET", "/open-apis/helpdesk/v2/tickets", Found::Nothing),
            ("POST", "/callback/ws/endpoint", Found::Route(Route::LongConnection, "")),
            ("GET", "/callback/ws/endpoint", Found::WrongMethod),
            ("GET", "/ws/v2", Found::Route(Route::Handshake, "")),
            ("GET", "/", Found::Nothing),
        ];
        for (method, path, expected) in table {
            assert_eq!(Route::find(method, path), expected, "{method} {path}");
        }
    }
}
