//! Trouble on the wire: chances drawn from one seed, trouble ordered for given requests, and windows of time.

use std::ops::Range;

use crate::sim::{dice::Dice, route::Route};

/// One trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// HTTP 500 with the endpoint's own internal error; nothing was done.
    InternalError,
    /// HTTP 502 with a page of HTML; nothing was done.
    BadGateway,
    /// The connection is dropped; nothing was done.
    CutBefore,
    /// The connection is dropped; what was asked was done.
    CutAfter,
    /// What was asked is done and answered after so many milliseconds.
    Slow(i64),
    /// HTTP 429, 99991400, with the header that says how many seconds to wait.
    RateLimited(u32),
    /// 230020: the chat's own limit. On endpoints that send nothing it is no trouble.
    ChatLimited,
    /// Every tenant token ends at this moment.
    TokenRevoked,
    /// 99991403: the tenant's month is used up.
    QuotaUsedUp,
    /// Any refusal: HTTP status and code.
    Refused(u16, i64),
}

/// What happens to one push over a long connection, instead of its arriving once, whole and in order
/// (`facts/feishu.md §6.10`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineFault {
    /// It arrives; its acknowledgement is lost.
    AckLost,
    /// It arrives twice.
    Doubled,
    /// Its parts arrive the last first.
    Shuffled,
    /// Its last part never arrives.
    PartLost,
    /// The connection is dropped; nothing arrives.
    CutBefore,
    /// The connection is dropped in the middle of its last part.
    CutInside,
    /// It arrives, and the connection is dropped.
    CutAfter,
    /// It arrives, and the connection is closed as it should be.
    Closed,
}

impl LineFault {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::AckLost,
        Self::Doubled,
        Self::Shuffled,
        Self::PartLost,
        Self::CutBefore,
        Self::CutInside,
        Self::CutAfter,
        Self::Closed,
    ];
}

/// What trouble there is. All chances default to 0.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// Chance of [`Fault::InternalError`].
    pub internal_error: f64,
    /// Chance of [`Fault::BadGateway`].
    pub bad_gateway: f64,
    /// Chance of [`Fault::CutBefore`].
    pub cut_before: f64,
    /// Chance of [`Fault::CutAfter`].
    pub cut_after: f64,
    /// Chance of [`Fault::Slow`].
    pub slow: f64,
    /// How slow, milliseconds.
    pub slow_ms: Range<i64>,
    /// Chance of [`Fault::RateLimited`].
    pub rate_limited: f64,
    /// Chance of [`Fault::ChatLimited`].
    pub chat_limited: f64,
    /// Chance of [`Fault::TokenRevoked`].
    pub token_revoked: f64,
    /// While one of these lasts every request answers as [`Fault::BadGateway`]. Milliseconds.
    pub down: Vec<Range<i64>>,
    /// While one of these lasts every counted request answers as [`Fault::QuotaUsedUp`]. Milliseconds.
    pub quota_used_up: Vec<Range<i64>>,
    /// Trouble for the next requests of an endpoint, in order; it goes before every chance.
    pub next: Vec<(Route, Fault)>,
    /// Chance that a push over a long connection meets one of [`LineFault::ALL`].
    pub line: f64,
    /// What the next pushes meet, in order; it goes before the chance.
    pub line_next: Vec<LineFault>,
}

impl Faults {
    /// Every kind of trouble with the chance `p`.
    pub fn everything(p: f64) -> Self {
        Self {
            internal_error: p,
            bad_gateway: p,
            cut_before: p,
            cut_after: p,
            slow: p,
            slow_ms: 500..20_000,
            rate_limited: p,
            chat_limited: p,
            token_revoked: p,
            line: p,
            ..Self::default()
        }
    }

    /// The trouble of one push. Draws the same numbers whatever the chance is.
    pub(crate) fn draw_line(&mut self, dice: &mut Dice) -> Option<LineFault> {
        let place = usize::try_from(dice.below(LineFault::ALL.len() as u64)).unwrap_or_default();
        let drawn = dice.chance(self.line).then(|| LineFault::ALL[place]);
        if self.line_next.is_empty() { drawn } else { Some(self.line_next.remove(0)) }
    }

    /// The trouble of one request. Draws the same numbers whatever the chances are.
    pub(crate) fn draw(&mut self, route: Option<Route>, dice: &mut Dice, now_ms: i64) -> Option<Fault> {
        let slow = self.slow_ms.start + dice.below(self.slow_ms.end.abs_diff(self.slow_ms.start).max(1)) as i64;
        let wait = 1 + dice.below(5) as u32;
        let chances = [
            (self.internal_error, Fault::InternalError),
            (self.bad_gateway, Fault::BadGateway),
            (self.cut_before, Fault::CutBefore),
            (self.cut_after, Fault::CutAfter),
            (self.slow, Fault::Slow(slow)),
            (self.rate_limited, Fault::RateLimited(wait)),
            (self.chat_limited, Fault::ChatLimited),
            (self.token_revoked, Fault::TokenRevoked),
        ];
        let drawn: Vec<Fault> = chances.into_iter().filter_map(|(p, fault)| dice.chance(p).then_some(fault)).collect();
        if let Some(place) = self.next.iter().position(|(wanted, _)| Some(*wanted) == route) {
            return Some(self.next.remove(place).1);
        }
        if self.down.iter().any(|window| window.contains(&now_ms)) {
            return Some(Fault::BadGateway);
        }
        let is_counted = route.is_some_and(Route::is_counted);
        if is_counted && self.quota_used_up.iter().any(|window| window.contains(&now_ms)) {
            return Some(Fault::QuotaUsedUp);
        }
        drawn.first().copied()
    }
}
