//! Reads a helpdesk's history through its list: by windows of creation, cut in time where one holds more than the list
//! can show, in pieces that can be gone on with.

use crate::{
    adapters::{
        clock::Clock,
        feishu::{
            error::{Advice, Error},
            helpdesk::Helpdesk,
            page::{RawPage, RawTicket},
            ticket_messages::TicketMessage,
        },
    },
    cli::{
        rehearse::kept::{Piece, Spoken, Survey},
        run::Stop,
    },
    domain::{
        desk::settings::Limits,
        id::TicketId,
        reading::pass::{Axis, Filter, ListLimits, Next, PageSeen, Pass, Query, Window},
        time::{Span, Timestamp},
    },
    engine::source::Source,
};

/// Tickets of a piece, about.
const PIECE_TICKETS: u64 = 1_000;

/// Tickets a rehearsal reads at most.
pub(super) const TICKETS_MAX: u64 = 200_000;

/// How often one page is asked for before the reading stops.
const TRIES_MAX: u32 = 5;

/// The wait before a page is asked for again; doubled each time.
const RETRY_WAIT: Span = Span::from_secs(1);

/// The longest wait for one page.
const WAIT_MAX: Span = Span::from_secs(60);

/// Asks the platform, no faster than it allows.
pub(super) struct Reader {
    helpdesk: Helpdesk,
    source: Source,
    clock: Clock,
    /// Time between two calls.
    gap: Span,
    next_at: Timestamp,
    /// Calls that were answered.
    pub(super) calls: u64,
    /// Tickets that cannot be read.
    pub(super) broken: u64,
}

impl Reader {
    pub(super) fn new(helpdesk: Helpdesk, limits: Limits, clock: Clock) -> Self {
        let gap =
            (1_000 / i64::from(limits.api_per_second.max(1))).max(60_000 / i64::from(limits.api_per_minute.max(1)));
        Self {
            source: Source::Feishu(helpdesk.clone()),
            helpdesk,
            clock,
            gap: Span::from_ms(gap),
            next_at: Timestamp::MIN,
            calls: 0,
            broken: 0,
        }
    }

    const fn limits(&self) -> ListLimits {
        self.source.limits()
    }

    /// The pieces in which everything created between two instants is read: one call where the list can show it all.
    pub(super) async fn survey(&mut self, from: Timestamp, until: Timestamp) -> Result<Survey, Stop> {
        let mut todo = vec![(from.as_ms(), until.as_ms())];
        let (mut pieces, mut total) = (Vec::new(), 0);
        while let Some((from, until)) = todo.pop() {
            let seen = self.ask(&created(from, until)).await?;
            if seen.total >= self.limits().rows_max && from < until {
                let middle = from + (until - from) / 2;
                todo.extend([(middle + 1, until), (from, middle)]);
                continue;
            }
            total += seen.total;
            if total > TICKETS_MAX {
                return Err(Stop::usage(
                    format!("这段时间有 {TICKETS_MAX} 张以上工单。请缩短 --since"),
                    format!("there are more than {TICKETS_MAX} tickets in this time. Use a shorter --since"),
                ));
            }
            pieces.extend(sliced(from, until, seen.total));
        }
        Ok(Survey { tickets: total, pieces })
    }

    /// About how many calls these pieces take.
    pub(super) fn calls_for(&self, pieces: &[Piece]) -> u64 {
        let rows = u64::from(self.limits().page_rows);
        pieces.iter().map(|piece| piece.total.div_ceil(rows).max(1)).sum()
    }

    /// Everything of a piece; `paged` hears of each page.
    pub(super) async fn piece(&mut self, piece: Piece, paged: &dyn Fn()) -> Result<Vec<RawTicket>, Stop> {
        let window = created(piece.from, piece.until).window;
        let mut pass = Pass::history(self.limits(), window, self.clock.now());
        let mut tickets = std::collections::BTreeMap::new();
        loop {
            let query = match pass.next() {
                Next::Ask(query) => query,
                Next::Done => return Ok(tickets.into_values().collect()),
                Next::Failed(message) => return Err(Stop::Failure(message)),
            };
            let page = self.ask(&query).await?;
            let mut seen = PageSeen { total: page.total, ..PageSeen::default() };
            seen.ids.extend(page.tickets.iter().map(|raw| raw.id.clone()));
            seen.ids.extend(page.broken.iter().filter_map(|broken| broken.id.clone()));
            seen.nameless =
                u32::try_from(page.broken.iter().filter(|broken| broken.id.is_none()).count()).unwrap_or(u32::MAX);
            self.broken += page.broken.len() as u64;
            // A page's bytes live as long as any slice of them: what is kept is copied out.
            tickets.extend(page.tickets.into_iter().map(|raw| {
                let body = bytes::Bytes::copy_from_slice(&raw.body);
                (raw.id.clone(), RawTicket { body, ..raw })
            }));
            pass.feed(seen);
            paged();
        }
    }

    /// What was said on a ticket; nothing where the ticket is gone.
    pub(super) async fn said(&mut self, id: &TicketId) -> Result<Vec<Spoken>, Stop> {
        let mut tries = 0;
        loop {
            tries += 1;
            self.clock.sleep_until(self.next_at).await;
            let read = self.helpdesk.messages(id).await;
            self.next_at = self.clock.now().plus(self.gap);
            self.calls += u64::from(read.calls);
            let spoken = |message: TicketMessage| (message.user_id, message.at.as_ms(), message.text);
            let Some(error) = read.error else { return Ok(read.messages.into_iter().map(spoken).collect()) };
            match wait_before_retry(&error, tries) {
                Some(wait) => self.clock.sleep(wait).await,
                None if error.advice == Advice::NotThere => return Ok(Vec::new()),
                None => return Err(Stop::Failure(error.message())),
            }
        }
    }

    /// One page, again where that may help.
    async fn ask(&mut self, query: &Query) -> Result<RawPage, Stop> {
        let mut tries = 0;
        loop {
            tries += 1;
            self.clock.sleep_until(self.next_at).await;
            let answer = self.source.list(query).await;
            self.next_at = self.clock.now().plus(self.gap);
            let error = match answer {
                Ok(page) => {
                    self.calls += 1;
                    return Ok(page);
                }
                Err(error) => error,
            };
            match wait_before_retry(&error, tries) {
                Some(wait) => self.clock.sleep(wait).await,
                None => return Err(Stop::Failure(error.message())),
            }
        }
    }
}

fn created(from: i64, until: i64) -> Query {
    let (from, until) = (Timestamp::from_ms(from), Timestamp::from_ms(until));
    Query { filter: Filter::All, window: Some(Window { axis: Axis::Created, from, until }), page: 1 }
}

/// A window in equal slices of about [`PIECE_TICKETS`].
fn sliced(from: i64, until: i64, total: u64) -> Vec<Piece> {
    let count = i64::try_from(total.div_ceil(PIECE_TICKETS)).unwrap_or(1).clamp(1, (until - from).max(1));
    let length = (until - from + 1).div_euclid(count).max(1);
    let start = |slice: i64| from + slice * length;
    let end = |slice: i64| if slice + 1 == count { until } else { start(slice + 1) - 1 };
    let each = total.div_ceil(count.unsigned_abs());
    (0..count).map(|slice| Piece { from: start(slice), until: end(slice), total: each }).collect()
}

/// How long to wait before a page is asked for again; nothing when that cannot help.
fn wait_before_retry(error: &Error, tries: u32) -> Option<Span> {
    let own = RETRY_WAIT.times(1 << tries.saturating_sub(1).min(10));
    let wait = match error.advice {
        Advice::SlowDown | Advice::Retry | Advice::RetrySameKey | Advice::AskAgainSoon => {
            error.retry_after.unwrap_or_default().max(own)
        }
        _ => return None,
    };
    (tries < TRIES_MAX && wait <= WAIT_MAX).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_cover_the_window_and_nothing_twice() {
        for (from, until, total) in
            [(0, 99, 0), (0, 99, 999), (0, 99, 2_500), (5, 5, 9_999), (0, 2, 9_999), (7, 1_006, 10_000)]
        {
            let slices = sliced(from, until, total);
            assert_eq!(slices.first().unwrap().from, from);
            assert_eq!(slices.last().unwrap().until, until);
            assert!(slices.windows(2).all(|pair| pair[0].until + 1 == pair[1].from), "{slices:?}");
            assert!(slices.iter().all(|slice| slice.from <= slice.until), "{slices:?}");
            assert!(slices.iter().map(|slice| slice.total).sum::<u64>() >= total);
        }
        assert_eq!(sliced(0, 99, 2_500).len(), 3);
    }
}
