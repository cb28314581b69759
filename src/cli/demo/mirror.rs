//! `--to`: the demo's cards in the newcomer's own group too, through a custom bot. Whatever goes wrong there is said and
//! the demo goes on; the address and the secret are never shown.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use secrecy::SecretString;
use serde_json::Value;
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

use crate::{
    adapters::{
        clock::Clock,
        feishu::{
            config::WebhookConfig,
            error::{Advice, Error},
            webhook::Webhook,
        },
        http,
    },
    cli::{
        demo::watch::{Seen, What},
        run::Stop,
        terminal::Terminal,
    },
    domain::{
        text::{Locale, Message, Words},
        time::{Span, Timestamp},
    },
};

/// Posts within a second and within a minute; a custom bot takes 5 and 100 (`facts/feishu.md §4`).
const PER_SECOND_MAX: usize = 4;
const PER_MINUTE_MAX: usize = 90;

/// Cards that may wait: more than a day has.
const WAITING_MAX: usize = 256;

/// How long one post may take.
const POST_TIME_MAX: Span = Span::from_secs(10);

/// The wait before a post that came too fast is tried once more, if the group does not say one.
const RETRY_WAIT: Span = Span::from_secs(2);

/// The longest such wait.
const RETRY_WAIT_MAX: Span = Span::from_secs(20);

/// After so many failures in a row nothing more is tried.
const FAILURES_MAX: u32 = 3;

/// What a card is marked with: it lands among people who do not watch the demo.
const MARK: Words = Words { zh: "【演示】", en: "[Demo] " };

/// Where the cards go too.
#[derive(Debug)]
pub struct Mirror {
    cards: mpsc::Sender<Value>,
    /// Over when everything was tried.
    over: watch::Receiver<bool>,
    counts: Arc<Counts>,
    locale: Locale,
}

#[derive(Debug, Default)]
struct Counts {
    asked: AtomicUsize,
    posted: AtomicUsize,
}

impl Mirror {
    /// A mirror at a custom bot's address.
    ///
    /// # Errors
    /// When the address is none, or would send secrets in the clear.
    pub fn new(url: &SecretString, secret: Option<&SecretString>, terminal: Terminal) -> Result<Self, Stop> {
        let config = WebhookConfig { url: url.clone(), secret: secret.cloned() };
        config.check().map_err(|message| {
            Stop::Usage(Message::new(format!("--to：{}", message.zh), format!("--to: {}", message.en)))
        })?;
        let http = http::client(&http::Config::default()).map_err(|fault| Stop::Failure(fault.message))?;
        let clock = Clock::system();
        let (cards, waiting) = mpsc::channel(WAITING_MAX);
        let (ended, over) = watch::channel(false);
        let counts = Arc::new(Counts::default());
        let poster = Poster {
            webhook: Webhook::new(&config, http, clock),
            world: Clock::anchored(Timestamp::from_ms(0)),
            recent: VecDeque::new(),
            counts: Arc::clone(&counts),
            terminal,
        };
        tokio::spawn(async move {
            poster.run(waiting).await;
            ended.send_replace(true);
        });
        Ok(Self { cards, over, counts, locale: terminal.locale })
    }

    /// Takes what a chat received. A custom bot's cards cannot change: of updates only endings are told.
    pub fn take(&self, seen: &Seen) {
        let is_told = match &seen.what {
            What::Words(..) | What::Click(..) => false,
            What::Card(_) | What::Answer(..) | What::FollowUp(_) => true,
            What::Update(view) => view.colour == "green",
        };
        let card = serde_json::from_str::<Value>(&seen.content).ok().filter(|_| is_told);
        let Some(card) = card.map(|card| marked(card, MARK.get(self.locale))) else { return };
        self.counts.asked.fetch_add(1, Ordering::Relaxed);
        // What finds no room is counted, and told at the end.
        drop(self.cards.try_send(card));
    }

    /// Waits at most `patience` for what is still to be posted, then says how much arrived.
    pub async fn finish(self, patience: Span) -> Message {
        let Self { cards, mut over, counts, .. } = self;
        drop(cards);
        // Late or broken off: the counts tell.
        drop(timeout(patience.to_std(), over.wait_for(|over| *over)).await);
        let (asked, posted) = (counts.asked.load(Ordering::Relaxed), counts.posted.load(Ordering::Relaxed));
        if asked == posted {
            return Message::new(
                format!("{posted} 张卡片都发到了你的群"),
                format!("all {posted} cards are in your group"),
            );
        }
        Message::new(
            format!("{asked} 张卡片里有 {posted} 张发到了你的群（自定义机器人每分钟最多 100 张；时间短就发不完）"),
            format!(
                "{posted} of {asked} cards are in your group (a custom bot takes 100 a minute; a short demo has more)"
            ),
        )
    }
}

/// What posts.
struct Poster {
    webhook: Webhook,
    /// The world's time, for the pace.
    world: Clock,
    /// When the last posts were, the oldest first.
    recent: VecDeque<Timestamp>,
    counts: Arc<Counts>,
    terminal: Terminal,
}

impl Poster {
    async fn run(mut self, mut waiting: mpsc::Receiver<Value>) {
        let mut told = BTreeSet::new();
        let mut failures = 0;
        while let Some(card) = waiting.recv().await {
            let Err(reason) = self.post(card).await else {
                self.counts.posted.fetch_add(1, Ordering::Relaxed);
                failures = 0;
                continue;
            };
            failures += 1;
            if told.insert(reason.clone()) {
                self.terminal.note(&Message::new(
                    format!("没有发到你的群：{}。演示继续", reason.zh.trim_end_matches('。')),
                    format!("Not posted to your group: {}. The demo goes on", reason.en.trim_end_matches('.')),
                ));
            }
            if failures >= FAILURES_MAX {
                self.terminal.note(&Message::new(
                    format!("连续 {failures} 次没有发出，不再往你的群里发"),
                    format!("{failures} failures in a row: nothing more is posted to your group"),
                ));
                return;
            }
        }
    }

    /// Posts at the group's pace; once more if that was too fast.
    async fn post(&mut self, card: Value) -> Result<(), Message> {
        self.keep_pace().await;
        let error = match self.try_post(card.clone()).await? {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if error.advice != Advice::SlowDown {
            return Err(error.message());
        }
        self.world.sleep(error.retry_after.unwrap_or(RETRY_WAIT).min(RETRY_WAIT_MAX)).await;
        self.keep_pace().await;
        self.try_post(card).await?.map_err(|error| error.message())
    }

    async fn try_post(&self, card: Value) -> Result<Result<(), Error>, Message> {
        timeout(POST_TIME_MAX.to_std(), self.webhook.post_json(card)).await.map_err(|_| {
            let secs = POST_TIME_MAX.as_secs();
            Message::new(format!("{secs} 秒内没有应答"), format!("no answer within {secs} s"))
        })
    }

    async fn keep_pace(&mut self) {
        let wait = wait(&self.recent, self.world.now());
        if wait > Span::ZERO {
            self.world.sleep(wait).await;
        }
        if self.recent.len() == PER_MINUTE_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(self.world.now());
    }
}

/// How long to wait before the next post, after these.
fn wait(recent: &VecDeque<Timestamp>, now: Timestamp) -> Span {
    let after = |count: usize, within: Span| {
        let at = recent.len().checked_sub(count).and_then(|place| recent.get(place))?;
        Some(at.plus(within).since(now))
    };
    let second = after(PER_SECOND_MAX, Span::from_secs(1)).unwrap_or_default();
    second.max(after(PER_MINUTE_MAX, Span::from_mins(1)).unwrap_or_default())
}

/// The card with a mark before its title.
fn marked(mut card: Value, mark: &str) -> Value {
    if let Some(title) = card.pointer_mut("/header/title/content") {
        *title = Value::String(format!("{mark}{}", title.as_str().unwrap_or_default()));
    }
    card
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_group_s_limits_are_kept() {
        let (mut recent, mut now) = (VecDeque::new(), Timestamp::from_ms(0));
        let mut posts = Vec::new();
        for _ in 0..400 {
            now = now.plus(wait(&recent, now));
            if recent.len() == PER_MINUTE_MAX {
                recent.pop_front();
            }
            recent.push_back(now);
            posts.push(now);
        }
        for (window, max) in [(Span::from_secs(1), 5), (Span::from_mins(1), 100)] {
            let most =
                posts.iter().map(|at| posts.iter().filter(|other| **other >= *at && **other < at.plus(window)).count());
            assert!(most.max().unwrap() <= max);
        }
        assert!(now < Timestamp::from_ms(5 * 60_000), "and used: {now:?}");
    }

    #[test]
    fn a_card_is_marked_in_its_title() {
        let card = json!({ "header": { "title": { "tag": "plain_text", "content": "差评" } }, "elements": [] });
        assert_eq!(marked(card, "【演示】").pointer("/header/title/content"), Some(&json!("【演示】差评")));
        assert_eq!(marked(json!({}), "x"), json!({}));
    }

    #[tokio::test]
    async fn an_address_that_is_none_is_refused_without_repeating_it() {
        let terminal = Terminal { locale: Locale::En };
        for url in ["hook/tok3n", "http://far.example/hook/tok3n", "ftp://127.0.0.1/tok3n"] {
            let stop = Mirror::new(&SecretString::from(url), None, terminal).unwrap_err();
            assert!(matches!(stop, Stop::Usage(_)) && !format!("{stop:?}").contains("tok3n"), "{stop:?}");
        }
    }
}
