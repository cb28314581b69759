//! What a rehearsal wants to read: said before it is read, gone on with where it was interrupted.

use std::collections::BTreeMap;

use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    adapters::{
        clock::Clock,
        feishu::{client::Client, helpdesk::Helpdesk, page::RawTicket},
    },
    app::config::{setup::Setup, sources::Source as SourceConfig},
    cli::{
        rehearse::{
            kept::{Found, Head, Kept, Piece, Spoken},
            reading::Reader,
        },
        run::Stop,
        terminal::Terminal,
    },
    domain::{
        id::TicketId,
        text::{Locale, Message, grouped},
        time::{Span, Timestamp},
    },
};

/// Of a month's calls, how many in a hundred one rehearsal takes without being told to.
pub(super) const PLAN_PERCENT: u64 = 10;

/// What was read.
pub(super) struct Read {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) tickets: Vec<RawTicket>,
    /// What was said on tickets, where that was wanted.
    pub(super) said: BTreeMap<TicketId, Vec<Spoken>>,
}

/// What is to be read.
pub(super) struct Wish<'a> {
    pub(super) setup: &'a Setup,
    pub(super) source: &'a SourceConfig,
    pub(super) since: Span,
    pub(super) yes: bool,
    pub(super) fresh: bool,
    /// What was said is wanted too.
    pub(super) messages: bool,
}

impl Wish<'_> {
    /// Reads it all; the file goes once the page is shown.
    pub(super) async fn read(&self, client: &Client, clock: &Clock, terminal: Terminal) -> Result<(Read, Kept), Stop> {
        let helpdesk = Helpdesk::new(client.clone(), &self.source.helpdesk);
        let mut reader = Reader::new(helpdesk, self.setup.settings.limits, clock.clone());
        let mut kept = Kept::open(&self.setup.store.path, &self.source.name)?;
        let (head, found) = self.begin(&mut reader, &mut kept, clock.now(), terminal).await?;
        let (done, mut tickets, mut said) =
            found.map_or_else(Default::default, |found| (found.done, found.tickets, found.said));
        let todo: Vec<(usize, Piece)> =
            head.pieces.iter().copied().enumerate().filter(|(number, _)| !done.contains(number)).collect();
        let pieces: Vec<Piece> = todo.iter().map(|(_, piece)| *piece).collect();
        let calls = reader.calls_for(&pieces);
        self.announce(&head, done.len(), calls, terminal)?;
        let bar = bar(calls, terminal.locale);
        for (number, piece) in todo {
            let read = reader.piece(piece, &|| bar.inc(1)).await.map_err(|stop| interrupted(&stop))?;
            kept.keep(number, &read)?;
            tickets.extend(read);
        }
        bar.finish_and_clear();
        if reader.broken > 0 {
            let broken = reader.broken;
            terminal.note(&Message::new(
                format!("{broken} 张工单读不懂，没有算进去"),
                format!("{broken} tickets cannot be read and are left out"),
            ));
        }
        if self.messages {
            self.read_said(&mut reader, &mut kept, &tickets, &mut said, terminal).await?;
        }
        let (from, until) = (Timestamp::from_ms(head.from), Timestamp::from_ms(head.until));
        Ok((Read { from, until, tickets, said }, kept))
    }

    /// Reads what was said on every ticket of which that is not known yet.
    async fn read_said(
        &self,
        reader: &mut Reader,
        kept: &mut Kept,
        tickets: &[RawTicket],
        said: &mut BTreeMap<TicketId, Vec<Spoken>>,
        terminal: Terminal,
    ) -> Result<(), Stop> {
        let todo: Vec<&TicketId> = tickets.iter().map(|raw| &raw.id).filter(|id| !said.contains_key(*id)).collect();
        let calls = todo.len() as u64;
        let shown = grouped(calls);
        terminal.note(&Message::new(
            format!("读对话内容约需 {shown} 次 API 调用"),
            format!("reading what was said takes about {shown} API calls"),
        ));
        self.within_plan(calls)?;
        let bar = bar(calls, terminal.locale);
        for id in todo {
            let spoken = reader.said(id).await.map_err(|stop| interrupted(&stop))?;
            kept.keep_said(id, &spoken)?;
            said.insert(id.clone(), spoken);
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// What an earlier run left, or a new beginning.
    async fn begin(
        &self,
        reader: &mut Reader,
        kept: &mut Kept,
        now: Timestamp,
        terminal: Terminal,
    ) -> Result<(Head, Option<Found>), Stop> {
        let helpdesk = self.source.helpdesk.helpdesk_id.as_str();
        let found =
            kept.found().filter(|found| !self.fresh && found.head.fits(&self.source.name, helpdesk, self.since, now));
        if let Some(found) = found {
            kept.go_on(&found)?;
            return Ok((found.head.clone(), Some(found)));
        }
        let from = now.minus(self.since);
        let survey = reader.survey(from, now).await?;
        let head = Head::new(&self.source.name, helpdesk, from, now, survey);
        kept.begin(&head)?;
        let asked = reader.calls;
        if asked > 1 {
            terminal.note(&Message::new(
                format!("已用 {asked} 次调用看清有多少工单"),
                format!("{asked} calls were made to see how many tickets there are"),
            ));
        }
        Ok((head, None))
    }

    /// Says what the reading will cost.
    fn announce(&self, head: &Head, done: usize, calls: u64, terminal: Terminal) -> Result<(), Stop> {
        let (name, tickets, shown) = (&self.source.name, grouped(head.tickets), grouped(calls));
        let pieces = head.pieces.len();
        let (mut zh, mut en) = (
            format!("{name}：历史里约 {tickets} 张工单，读完约需 {shown} 次 API 调用"),
            format!("{name}: about {tickets} tickets in its history; reading them takes about {shown} API calls"),
        );
        if done > 0 {
            zh = format!("接着上次读到的地方（{done}/{pieces} 段）。{zh}");
            en = format!("Going on where it was interrupted ({done} of {pieces} pieces). {en}");
        }
        terminal.note(&Message::new(zh, en));
        self.within_plan(calls)
    }

    /// Stops where that is more than may be taken unasked.
    fn within_plan(&self, calls: u64) -> Result<(), Stop> {
        let share = self.setup.settings.plan.monthly().map(|monthly| monthly * PLAN_PERCENT / 100);
        match share {
            Some(share) if calls > share && !self.yes => Err(Stop::usage(
                format!("这超过套餐每月次数的 {PLAN_PERCENT}%（{} 次）。缩短 --since，或加 --yes 照读", grouped(share)),
                format!(
                    "that is more than {PLAN_PERCENT}% of the month's calls ({}). Use a shorter --since, or add --yes",
                    grouped(share)
                ),
            )),
            _ => Ok(()),
        }
    }
}

fn interrupted(stop: &Stop) -> Stop {
    let (Stop::Failure(said) | Stop::Usage(said)) = stop;
    Stop::failure(
        format!("没有读完：{}。读到的已经留着，再运行一次会接着读", said.zh),
        format!("not all was read: {}. What was read is kept; run this again to go on", said.en),
    )
}

/// Draws nothing when standard error is no terminal.
fn bar(length: u64, locale: Locale) -> ProgressBar {
    let template = match locale {
        Locale::Zh => "读取 {bar:30} {pos}/{len}（还要 {eta}）",
        Locale::En => "reading {bar:30} {pos}/{len} ({eta} left)",
    };
    let bar = ProgressBar::new(length);
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
