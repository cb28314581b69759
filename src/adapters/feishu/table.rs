//! The platform's codes, by endpoint: what the caller may do (`facts/feishu.md §1.3, §1.4, §2.8, §3.5, §4, §8`).

use crate::adapters::feishu::error::{Advice, Endpoint};

/// What kind of body an answer had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// JSON with a code that no table knows.
    Code,
    /// Anything else: HTML, nothing, cut off, another shape.
    Other,
}

/// Codes that mean: the tenant token is not accepted. It is fetched anew and the call repeated once.
pub(super) const TOKEN_REFUSED: [i64; 4] = [99_991_663, 99_991_664, 99_991_665, 99_991_671];

/// What a send to a chat that does not exist is told, under the code of any wrong parameter.
pub(super) const UNKNOWN_CHAT: &str = "invalid receive_id";

/// What a code means for the caller; nothing for a code that no page lists.
pub(super) fn advice(endpoint: Endpoint, code: i64, said: &str) -> Option<Advice> {
    match endpoint {
        Endpoint::Token => token(code),
        Endpoint::TicketList
        | Endpoint::TicketGet
        | Endpoint::TicketMessages
        | Endpoint::CustomizedFields
        | Endpoint::EventsSubscribe => helpdesk(code),
        Endpoint::MessageCreate | Endpoint::MessageReply | Endpoint::MessagePatch => message(endpoint, code, said),
        Endpoint::UrgentApp | Endpoint::UrgentSms | Endpoint::UrgentPhone => urgent(code),
        Endpoint::History | Endpoint::Chats | Endpoint::Chat | Endpoint::Members => chat(code),
        Endpoint::Webhook => webhook(code, said),
        Endpoint::LongConnection => long_connection(code),
        Endpoint::UserIds | Endpoint::Bot => None,
    }
    .or_else(|| gateway(endpoint, code))
}

fn token(code: i64) -> Option<Advice> {
    match code {
        10_003 | 10_005 | 10_012 | 10_013 | 10_014 | 10_015 | 20_002 | 99_991_543 => Some(Advice::SetUp),
        _ => None,
    }
}

/// Of the address and of the handshake alike (`facts/feishu.md §6.1, §6.2`).
fn long_connection(code: i64) -> Option<Advice> {
    match code {
        1 | 1_000_040_343 => Some(Advice::Retry),
        1_000_040_350 => Some(Advice::SlowDown),
        403 | 514 | 1_000_040_344 => Some(Advice::SetUp),
        _ => None,
    }
}

fn helpdesk(code: i64) -> Option<Advice> {
    match code {
        154_000 | 154_005 => Some(Advice::GiveUp),
        154_001 | 154_003 => Some(Advice::SetUp),
        154_004 => Some(Advice::NotThere),
        155_000 => Some(Advice::Retry),
        _ => None,
    }
}

fn message(endpoint: Endpoint, code: i64, said: &str) -> Option<Advice> {
    let advice = match code {
        230_020 | 11_232 | 11_233 => Advice::SlowDown,
        230_049 => Advice::AskAgainSoon,
        230_099 => return Some(card_refused(endpoint, said)),
        230_022 => Advice::ChangeContent,
        230_028 => Advice::Mask,
        230_025 => Advice::Shorten,
        230_011 | 230_019 | 230_031 | 230_110 | 230_111 => Advice::NewCard,
        99_992_354 if endpoint != Endpoint::MessageCreate => Advice::NewCard,
        230_002 | 230_006 | 230_013 | 230_018 | 230_027 | 230_029 | 230_034 | 230_035 | 230_036 | 230_038 | 230_050
        | 230_053 | 232_009 => Advice::SetUp,
        // An unknown chat is told by the text alone.
        230_001 if endpoint == Endpoint::MessageCreate && said.contains(UNKNOWN_CHAT) => Advice::SetUp,
        230_001 | 230_012 | 230_015 | 230_017 | 230_054 | 230_055 | 230_071 | 230_072 | 230_075 | 11_247 => {
            Advice::GiveUp
        }
        _ => return None,
    };
    Some(advice)
}

/// Calls about a message (`facts/feishu.md §3.4`): what is refused for good goes another way.
fn urgent(code: i64) -> Option<Advice> {
    match code {
        230_020 | 11_232 => Some(Advice::SlowDown),
        230_002 | 230_023 | 230_024 | 230_027 | 230_052 => Some(Advice::SetUp),
        230_011 | 230_110 => Some(Advice::NewCard),
        99_992_354 => Some(Advice::NewCard),
        230_001 | 230_012 | 230_098 => Some(Advice::GiveUp),
        _ => None,
    }
}

/// Why a card was refused stands in the text (`ErrCode: N`).
fn card_refused(endpoint: Endpoint, said: &str) -> Advice {
    match card_error(said) {
        Some(100_290) => Advice::DropMentions,
        Some(11_310) if endpoint == Endpoint::MessagePatch => Advice::SlowDown, // somebody is acting on the card
        _ => Advice::ChangeContent,
    }
}

/// The number behind `ErrCode:` in a refused card's message.
pub(super) fn card_error(said: &str) -> Option<i64> {
    let (_, rest) = said.split_once("ErrCode:")?;
    let digits: String = rest.trim_start().chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

fn chat(code: i64) -> Option<Advice> {
    match code {
        230_001 | 232_001 => Some(Advice::GiveUp),
        230_002 | 230_006 | 230_027 | 232_004 | 232_009 | 232_011 | 232_025 | 232_034 => Some(Advice::SetUp),
        232_006 => Some(Advice::NotThere),
        _ => None,
    }
}

fn webhook(code: i64, said: &str) -> Option<Advice> {
    match code {
        9_499 | 19_002 => Some(Advice::GiveUp),
        19_001 | 19_021 | 19_022 | 19_024 => Some(Advice::SetUp),
        19_036 => Some(Advice::Shorten),
        11_232 | 11_233 => Some(Advice::SlowDown),
        11_246 => Some(Advice::ChangeContent),
        230_099 => Some(card_refused(Endpoint::Webhook, said)),
        230_022 => Some(Advice::ChangeContent),
        230_028 => Some(Advice::Mask),
        230_025 => Some(Advice::Shorten),
        _ => None,
    }
}

fn gateway(endpoint: Endpoint, code: i64) -> Option<Advice> {
    if TOKEN_REFUSED.contains(&code) {
        return Some(Advice::SetUp); // seen only after a fresh token was refused too
    }
    match code {
        99_991_400 => Some(Advice::SlowDown),
        99_991_403 => Some(Advice::AwaitQuota),
        99_991_401 | 99_991_662 | 99_991_672 | 99_991_673 | 99_991_676 | 99_991_679 | 99_991_201 | 99_992_361
        | 99_992_364 | 99_992_381 | 99_992_351 | 99_992_352 | 99_992_356 | 99_992_360 => Some(Advice::SetUp),
        99_992_354 => Some(Advice::NotThere),
        99_991_661 | 99_991_668 | 99_991_677 | 99_991_301 | 99_992_402 | 4_005 => Some(Advice::GiveUp),
        18_121 => Some(Advice::AskAgainSoon),
        1_500 | 2_200 | 5_000 | 10_500 | 155_000 => Some(again(endpoint)),
        _ => None,
    }
}

/// What a bare status means, where no code says more.
pub(super) fn advice_by_status(endpoint: Endpoint, status: u16, body: Body) -> Advice {
    match status {
        429 => Advice::SlowDown,
        413 => Advice::Shorten,
        408 | 503 => Advice::Retry,
        500.. => again(endpoint),
        404 if matches!(endpoint, Endpoint::TicketGet | Endpoint::TicketMessages) && body == Body::Code => {
            Advice::NotThere
        }
        300..=399 | 401 | 403 | 404 | 407 => Advice::SetUp,
        200..=299 if body == Body::Other => again(endpoint),
        _ => Advice::GiveUp,
    }
}

/// Again; of what people would see twice, only with the same key.
fn again(endpoint: Endpoint) -> Advice {
    if endpoint.is_write() { Advice::RetrySameKey } else { Advice::Retry }
}
