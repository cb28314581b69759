//! One pass over a source: which pages to ask for, and whether what came back is whole. It never asks itself.
//!
//! Pages shift while tickets change: a ticket that leaves page 1 pulls another one from page 2 onto it, unseen. So a
//! section whose totals or ids do not add up is read again, and one that keeps shifting is cut in time until a half
//! fits on one page, because one answer cannot shift.

use crate::domain::{
    desk::input::PassKind,
    id::TicketId,
    reading::scope::SweepScope,
    text::Message,
    time::{Span, Timestamp},
};

/// What a platform's list can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListLimits {
    /// Tickets on a full page.
    pub page_rows: u32,
    /// Rows one question can page through; a `total` this high may hide more.
    pub rows_max: u64,
}

impl ListLimits {
    /// The Feishu helpdesk's list (`facts/feishu.md §2.2`).
    pub const FEISHU_HELPDESK: Self = Self { page_rows: 200, rows_max: 10_000 };
}

/// Pages one pass may ask for; at 200 a page more than any helpdesk holds open.
pub const PASS_PAGES_MAX: u32 = 2_000;

/// How often a section is read before it is cut or given up.
pub const SECTION_READS_MAX: u32 = 3;

/// How often a section is cut in half: 2^48 ms is beyond any window.
pub const CUTS_MAX: u32 = 48;

/// No ticket is older than this (2015-01-01); where a section without a window begins once it must be cut.
pub const EARLIEST: Timestamp = Timestamp::from_ms(1_420_070_400_000);

/// Which tickets a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Filter {
    /// All of them.
    All,
    /// Those in an open status.
    Open,
    /// Those in a closed status.
    Closed,
    /// Those rated with this score.
    Score(i64),
}

/// Which instant of a ticket a window is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Axis {
    /// Its last update; a fresh ticket has none.
    Updated,
    /// Its creation.
    Created,
}

/// A closed window of time: both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// What it is about.
    pub axis: Axis,
    /// The first instant.
    pub from: Timestamp,
    /// The last instant.
    pub until: Timestamp,
}

/// One question: a page of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Query {
    /// Which tickets.
    pub filter: Filter,
    /// From when.
    pub window: Option<Window>,
    /// Which page, from 1.
    pub page: u32,
}

/// What an answer showed, as far as the pass cares.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct PageSeen {
    /// How many tickets the whole section has, as the platform says.
    pub total: u64,
    /// The tickets on the page.
    pub ids: Vec<TicketId>,
    /// Rows of which not even the id could be read.
    pub nameless: u32,
}

/// What a pass wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// This page.
    Ask(Query),
    /// Nothing: everything was read.
    Done,
    /// Nothing: it cannot be completed, and why.
    Failed(Message),
}

/// A part of a pass: one filter over one window.
#[derive(Clone, Copy, Debug)]
struct Section {
    filter: Filter,
    window: Option<Window>,
    cuts: u32,
}

/// How far the section in hand was read.
#[derive(Debug, Default)]
struct Progress {
    /// Pages read of this reading.
    pages: u32,
    total: u64,
    ids: Vec<TicketId>,
    nameless: u64,
    /// Readings given up before this one.
    given_up: u32,
}

/// A pass over a source.
#[derive(Debug)]
pub struct Pass {
    kind: PassKind,
    started_at: Timestamp,
    limits: ListLimits,
    /// Sections still to read, the next one last; the one in hand is the last.
    todo: Vec<Section>,
    progress: Progress,
    pages: u32,
    failed: Option<Message>,
}

impl Pass {
    /// What was updated or created since `cursor`, with `overlap` before it: two windows that end at `now`, because
    /// a fresh ticket has no update yet.
    pub fn increment(limits: ListLimits, cursor: Timestamp, overlap: Span, now: Timestamp) -> Self {
        let from = cursor.min(now).minus(overlap).max(EARLIEST);
        let section = |axis| Section { filter: Filter::All, window: Some(Window { axis, from, until: now }), cuts: 0 };
        Self::new(PassKind::Increment, limits, now, vec![section(Axis::Updated), section(Axis::Created)])
    }

    /// Everything open, what closed of late, and what rules make worth a cheap question.
    pub fn sweep(limits: ListLimits, scope: &SweepScope, now: Timestamp) -> Self {
        let recent = |filter, axis, within: Span| Section {
            filter,
            window: Some(Window { axis, from: now.minus(within).max(EARLIEST), until: now }),
            cuts: 0,
        };
        let mut sections = vec![Section { filter: Filter::Open, window: None, cuts: 0 }];
        if let Some(within) = scope.closed_within {
            sections.push(recent(Filter::Closed, Axis::Updated, within));
            sections.push(recent(Filter::Closed, Axis::Created, within));
        }
        for score in &scope.scores {
            sections.push(recent(Filter::Score(*score), Axis::Created, scope.rated_within));
        }
        Self::new(PassKind::Sweep, limits, now, sections)
    }

    /// All that lies in one window: a piece of history.
    pub fn history(limits: ListLimits, window: Option<Window>, now: Timestamp) -> Self {
        Self::new(PassKind::Sweep, limits, now, vec![Section { filter: Filter::All, window, cuts: 0 }])
    }

    fn new(kind: PassKind, limits: ListLimits, started_at: Timestamp, mut sections: Vec<Section>) -> Self {
        sections.reverse();
        Self { kind, started_at, limits, todo: sections, progress: Progress::default(), pages: 0, failed: None }
    }

    /// How many lists are still to be read: the API calls left, if each has one page.
    pub fn lists(&self) -> u32 {
        u32::try_from(self.todo.len()).unwrap_or(u32::MAX)
    }

    /// What the pass reads.
    pub const fn kind(&self) -> PassKind {
        self.kind
    }

    /// When it began: everything up to here is read once it is done.
    pub const fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// Pages seen so far.
    pub const fn pages(&self) -> u32 {
        self.pages
    }

    /// What the pass wants now; the same answer until a page is fed.
    pub fn next(&self) -> Next {
        if let Some(reason) = &self.failed {
            return Next::Failed(reason.clone());
        }
        let Some(section) = self.todo.last() else { return Next::Done };
        if self.pages >= PASS_PAGES_MAX {
            return Next::Failed(Message::new(
                format!("一次读取超过 {PASS_PAGES_MAX} 页。请缩短轮询间隔，或减少未关闭的工单"),
                format!("one pass took more than {PASS_PAGES_MAX} pages; poll more often, or close stale tickets"),
            ));
        }
        let page = self.progress.pages + 1;
        Next::Ask(Query { filter: section.filter, window: section.window, page })
    }

    /// Takes in the answer to the last question.
    pub fn feed(&mut self, seen: PageSeen) {
        let Some(section) = self.todo.last().copied() else { return };
        if self.failed.is_some() {
            return;
        }
        self.pages = self.pages.saturating_add(1);
        if seen.total >= self.limits.rows_max {
            self.cut(section, Trouble::Capped);
            return;
        }
        let progress = &mut self.progress;
        progress.pages += 1;
        if progress.pages == 1 {
            progress.total = seen.total;
        } else if progress.total != seen.total {
            self.shifted(section);
            return;
        }
        let rows = seen.ids.len() as u64 + u64::from(seen.nameless);
        progress.nameless += u64::from(seen.nameless);
        progress.ids.extend(seen.ids);
        let last = u64::from(progress.pages) * u64::from(self.limits.page_rows) >= progress.total;
        if last {
            progress.ids.sort_unstable();
            progress.ids.dedup();
            if progress.ids.len() as u64 + progress.nameless == progress.total {
                self.todo.pop();
                self.progress = Progress::default();
            } else {
                self.shifted(section);
            }
        } else if rows < u64::from(self.limits.page_rows) {
            self.shifted(section);
        }
    }

    /// The section in hand does not add up: read it again, then in halves, then give up.
    fn shifted(&mut self, section: Section) {
        let given_up = self.progress.given_up + 1;
        let total = self.progress.total;
        if given_up < SECTION_READS_MAX {
            self.progress = Progress { given_up, ..Progress::default() };
        } else if total > u64::from(self.limits.page_rows) {
            self.cut(section, Trouble::Shifting);
        } else if self.progress.pages <= 1 {
            // One answer cannot shift: three times it showed fewer or more than it counts. What it shows is taken.
            self.todo.pop();
            self.progress = Progress::default();
        } else {
            self.failed = Some(Trouble::Shifting.message(section.window, self.limits));
        }
    }

    fn cut(&mut self, section: Section, trouble: Trouble) {
        let window = section.window.unwrap_or(Window { axis: Axis::Created, from: EARLIEST, until: self.started_at });
        let (from, until) = (window.from.as_ms(), window.until.as_ms());
        if from >= until || section.cuts >= CUTS_MAX {
            self.failed = Some(trouble.message(Some(window), self.limits));
            return;
        }
        let middle = from + (until - from) / 2;
        let half = |from, until| Section {
            window: Some(Window { from: Timestamp::from_ms(from), until: Timestamp::from_ms(until), ..window }),
            cuts: section.cuts + 1,
            ..section
        };
        self.todo.pop();
        self.todo.push(half(middle + 1, until));
        self.todo.push(half(from, middle));
        self.progress = Progress::default();
    }
}

/// Why a section cannot be read whole.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Capped,
    Shifting,
}

impl Trouble {
    fn message(self, window: Option<Window>, limits: ListLimits) -> Message {
        let at = window.map(|window| format!(" {:?}", window.from)).unwrap_or_default();
        match self {
            Self::Capped => Message::new(
                format!("同一毫秒{at} 有 {} 张以上工单，平台的列表接口无法全部给出", limits.rows_max),
                format!(
                    "{} or more tickets share one millisecond{at}; the platform's list cannot show them all",
                    limits.rows_max
                ),
            ),
            Self::Shifting => Message::new(
                format!("读取期间工单列表一直在变（读了 {SECTION_READS_MAX} 次）；下一次轮询会再读"),
                format!(
                    "the list kept changing while it was read ({SECTION_READS_MAX} times); the next poll reads it again"
                ),
            ),
        }
    }
}

#[cfg(test)]
mod tests;
