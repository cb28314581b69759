//! A pass against a naive platform whose pages shift: nothing that stood still is missed.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);
const SMALL: ListLimits = ListLimits { page_rows: 5, rows_max: 40 };

#[derive(Clone, Debug)]
struct Row {
    id: u64,
    created: i64,
    updated: Option<i64>,
    status: i64,
    score: Option<i64>,
    touched: bool,
}

/// Sorts by last movement, newest first: the order under which pages shift worst.
#[derive(Clone, Debug)]
struct Platform {
    rows: Vec<Row>,
    limits: ListLimits,
    /// What happens between two answers: (which row, what).
    script: Vec<(usize, u8)>,
    answers: usize,
}

impl Platform {
    fn holds(row: &Row, query: &Query) -> bool {
        let filter = match query.filter {
            Filter::All => true,
            Filter::Open => row.status < 50,
            Filter::Closed => row.status >= 50,
            Filter::Score(score) => row.score == Some(score),
        };
        filter
            && query.window.is_none_or(|window| {
                let at = match window.axis {
                    Axis::Updated => row.updated,
                    Axis::Created => Some(row.created),
                };
                at.is_some_and(|at| (window.from.as_ms()..=window.until.as_ms()).contains(&at))
            })
    }

    fn answer(&mut self, query: &Query) -> PageSeen {
        let mut hits: Vec<&Row> = self.rows.iter().filter(|row| Self::holds(row, query)).collect();
        hits.sort_by_key(|row| (std::cmp::Reverse(row.updated.unwrap_or(row.created)), row.id));
        hits.truncate(usize::try_from(self.limits.rows_max).unwrap());
        let rows = self.limits.page_rows as usize;
        let page = hits.iter().skip((query.page as usize - 1) * rows).take(rows);
        let seen = PageSeen {
            total: hits.len() as u64,
            ids: page.map(|row| TicketId::new(row.id.to_string())).collect(),
            nameless: 0,
        };
        let later = NOW.as_ms() + self.answers as i64 + 1;
        if let Some((which, what)) = self.script.get(self.answers).copied()
            && !self.rows.is_empty()
        {
            let at = which % self.rows.len();
            let row = &mut self.rows[at];
            row.touched = true;
            match what {
                0 => row.updated = Some(later),
                1 => (row.status, row.updated) = (51, Some(later)),
                2 => (row.status, row.updated) = (2, Some(later)),
                _ => {
                    let id = 1_000_000 + self.answers as u64;
                    self.rows.push(Row { id, created: later, updated: None, status: 1, score: None, touched: true });
                }
            }
        }
        self.answers += 1;
        seen
    }

    /// Reads a whole pass; what it saw and how it ended.
    fn read(&mut self, mut pass: Pass) -> (BTreeSet<TicketId>, Result<u32, Message>) {
        let mut seen = BTreeSet::new();
        loop {
            match pass.next() {
                Next::Ask(query) => {
                    assert_eq!(pass.next(), Next::Ask(query), "asking twice changes nothing");
                    let page = self.answer(&query);
                    seen.extend(page.ids.iter().cloned());
                    pass.feed(page);
                }
                Next::Done => return (seen, Ok(pass.pages())),
                Next::Failed(reason) => return (seen, Err(reason)),
            }
        }
    }
}

fn row(id: u64, created: i64) -> Row {
    Row { id, created, updated: Some(created), status: 2, score: None, touched: false }
}

fn scope() -> SweepScope {
    SweepScope { closed_within: Some(Span::from_days(7)), scores: vec![1], rated_within: Span::from_days(30) }
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let row = (0_i64..100, prop::option::of(0_i64..9_000), 0_usize..4, prop::option::of(1_i64..3));
    prop::collection::vec(row, 0..90).prop_map(|rows| {
        rows.into_iter()
            .enumerate()
            .map(|(id, (age, later, status, score))| {
                // Spread, so that no millisecond holds more tickets than a page.
                let created = NOW.as_ms() - age - id as i64 * 130;
                let updated = later.map(|later| (created + later).min(NOW.as_ms() - id as i64));
                Row { id: id as u64, created, updated, status: [1, 2, 5, 51][status], score, touched: false }
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn a_done_pass_missed_nothing_that_stood_still(
        rows in rows(),
        script in prop::collection::vec((0_usize..90, 0_u8..4), 0..60),
        sweep in any::<bool>(),
    ) {
        let mut platform = Platform { rows, limits: SMALL, script, answers: 0 };
        let pass = if sweep {
            Pass::sweep(SMALL, &scope(), NOW)
        } else {
            Pass::increment(SMALL, NOW.minus(Span::from_ms(8_000)), Span::from_ms(1_000), NOW)
        };
        let (seen, end) = platform.read(pass);
        prop_assert!(end.is_ok(), "{end:?}");
        let from = NOW.as_ms() - 9_000;
        for row in platform.rows.iter().filter(|row| !row.touched) {
            let due = if sweep {
                row.status < 50 || row.status == 51 || row.score == Some(1)
            } else {
                row.created >= from || row.updated.is_some_and(|at| at >= from)
            };
            prop_assert!(!due || seen.contains(&TicketId::new(row.id.to_string())), "missed {row:?}");
        }
    }
}

#[test]
fn passes_ask_the_sections_they_should() {
    let window = |axis, within| Some(Window { axis, from: NOW.minus(within), until: NOW });
    let ask = |filter, window| Query { filter, window, page: 1 };
    let ten = Span::from_mins(10);
    let (week, month) = (Span::from_days(7), Span::from_days(30));
    let open_only = SweepScope { closed_within: None, scores: vec![], ..scope() };
    let limits = ListLimits::FEISHU_HELPDESK;
    let cases = [
        (
            "increment",
            Pass::increment(limits, NOW.minus(Span::from_mins(8)), Span::from_mins(2), NOW),
            vec![ask(Filter::All, window(Axis::Updated, ten)), ask(Filter::All, window(Axis::Created, ten))],
        ),
        (
            "increment with a cursor ahead of the clock",
            Pass::increment(limits, NOW.plus(ten), ten, NOW),
            vec![ask(Filter::All, window(Axis::Updated, ten)), ask(Filter::All, window(Axis::Created, ten))],
        ),
        ("sweep of open tickets", Pass::sweep(limits, &open_only, NOW), vec![ask(Filter::Open, None)]),
        (
            "sweep",
            Pass::sweep(limits, &scope(), NOW),
            vec![
                ask(Filter::Open, None),
                ask(Filter::Closed, window(Axis::Updated, week)),
                ask(Filter::Closed, window(Axis::Created, week)),
                ask(Filter::Score(1), window(Axis::Created, month)),
            ],
        ),
    ];
    for (name, mut pass, expected) in cases {
        let mut asked = Vec::new();
        while let Next::Ask(query) = pass.next() {
            asked.push(query);
            pass.feed(PageSeen::default());
        }
        assert_eq!(asked, expected, "{name}");
        assert_eq!(pass.next(), Next::Done, "{name}");
    }
}

#[test]
fn a_window_at_the_cap_is_cut_until_it_fits() {
    let rows = (0..25_000).map(|id| row(id, NOW.as_ms() - (id as i64) * 7)).collect();
    let mut platform = Platform { rows, limits: ListLimits::FEISHU_HELPDESK, script: vec![], answers: 0 };
    let (seen, end) = platform.read(Pass::sweep(ListLimits::FEISHU_HELPDESK, &scope(), NOW));
    assert_eq!(seen.len(), 25_000);
    assert!(end.unwrap() < 200, "cutting costs few questions");
}

#[test]
fn more_tickets_in_one_millisecond_than_the_list_shows_are_reported() {
    let rows = (0..50).map(|id| row(id, NOW.as_ms() - 77)).collect();
    let mut platform = Platform { rows, limits: SMALL, script: vec![], answers: 0 };
    let (_, end) = platform.read(Pass::increment(SMALL, NOW, Span::from_mins(1), NOW));
    assert!(end.unwrap_err().en.contains("share one millisecond"), "said so");
}

#[test]
fn pages_that_never_add_up_fail_the_pass_with_a_reason() {
    let id = |n: u32| TicketId::new(n.to_string());
    type Total = fn(&Query) -> u64;
    let answers: [(&str, Total); 2] =
        [("fewer ids than the total", |_| 9), ("a total that always moves", |query| 3 + u64::from(query.page) * 9)];
    for (name, total) in answers {
        let mut pass = Pass::increment(SMALL, NOW, Span::from_ms(2), NOW);
        let mut asked = 0;
        let end = loop {
            match pass.next() {
                Next::Ask(query) => {
                    asked += 1;
                    pass.feed(PageSeen { total: total(&query), ids: vec![id(1), id(2)], nameless: 0 });
                }
                end => break end,
            }
        };
        assert!(matches!(&end, Next::Failed(reason) if reason.en.contains("kept changing")), "{name}: {end:?}");
        assert!(asked < 40, "{name}: bounded, asked {asked}");
    }
}

#[test]
fn a_single_answer_that_miscounts_is_taken_after_three_reads() {
    let mut pass = Pass::increment(SMALL, NOW, Span::from_ms(2), NOW);
    let mut asked = 0;
    while let Next::Ask(_) = pass.next() {
        asked += 1;
        pass.feed(PageSeen { total: 3, ids: vec![TicketId::from("1"), TicketId::from("2")], nameless: 0 });
    }
    assert_eq!((pass.next(), asked), (Next::Done, 6), "three reads of each of the two windows");
}

#[test]
fn rows_without_an_id_count_as_rows() {
    let mut pass = Pass::increment(SMALL, NOW, Span::from_mins(1), NOW);
    let ids = vec![TicketId::from("1"), TicketId::from("2")];
    pass.feed(PageSeen { total: 3, ids, nameless: 1 });
    pass.feed(PageSeen::default());
    assert_eq!(pass.next(), Next::Done);
}

#[test]
fn a_platform_that_never_ends_is_left_after_the_page_limit() {
    let limits = ListLimits { page_rows: 1, rows_max: u64::MAX };
    let mut pass = Pass::increment(limits, NOW, Span::from_mins(1), NOW);
    let mut number = 0_u32;
    while let Next::Ask(_) = pass.next() {
        number += 1;
        pass.feed(PageSeen { total: 1_000_000, ids: vec![TicketId::new(number.to_string())], nameless: 0 });
    }
    assert_eq!(number, PASS_PAGES_MAX);
    assert!(matches!(pass.next(), Next::Failed(_)));
}
