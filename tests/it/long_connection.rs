//! Events and clicks over the long connection: the real client, engine and store against the simulator's server side, with
//! every fault it knows, in paused time.

use std::sync::{
    Arc,
    atomic::{AtomicI32, Ordering},
};

use deskbell::{
    adapters::{
        feishu::{
            callback::Callback,
            event::EventReader,
            long_connection::{
                connection::{LongConnection, Means},
                standing::{Standing, Watched},
            },
        },
        http::{self, Proxy, tunnel::Tunnel},
    },
    app::long_connection::{self, DOWN_TOLD_AFTER},
    cli::init::hold::{HOLD_MAX, Held, hold},
    domain::{
        text::Locale,
        time::{Span, Timestamp},
    },
    engine::incoming::{Reception, Submitted},
    sim::{
        app::Transport,
        faults::LineFault,
        http::deliver_due,
        knobs::Pong,
        lines::Act,
        platform::{Platform, clicks::Manner},
    },
    web::{
        callbacks::{self, Callbacks},
        listener,
        state::CallbackCounts,
    },
};
use secrecy::SecretString;
use tokio::{net::TcpListener, sync::watch};

use crate::world::{Card, OPS, Plot, TEAM, World};

/// Looks at what is under way at most: an acknowledgement that is lost is never heard of.
const YIELDS_MAX: usize = 50_000;

/// Pushes that are followed at most.
const PUSHES_MAX: usize = 2_000;

/// A world whose events arrive over a line.
struct Lines {
    world: World,
    watched: Watched,
    _stop: watch::Sender<bool>,
}

fn web() -> reqwest::Client {
    http::client(&http::Config { proxy: Proxy::None, ..http::Config::default() }).unwrap()
}

impl Lines {
    async fn start(stage: impl FnOnce(&mut Platform)) -> Self {
        Self::with(stage, |reception| reception).await
    }

    /// A world; `change` sees what takes its events first.
    async fn with(stage: impl FnOnce(&mut Platform), change: impl FnOnce(Reception) -> Reception) -> Self {
        let world = World::start(Plot::default(), stage).await;
        let reception = change(Reception::of(world.port(), world.clock(), Locale::Zh));
        let (connection, watched) = LongConnection::new(Means {
            client: world.client(&web()),
            tunnel: Tunnel::loopback(),
            clock: world.clock(),
            draw: Arc::new(|| 0.5),
            handle: long_connection::handle(EventReader::default(), reception),
        });
        let (stop, stopping) = watch::channel(false);
        tokio::spawn(connection.run(stopping.clone()));
        tokio::spawn(long_connection::watch(watched.clone(), world.port(), world.clock(), false, stopping));
        let mut lines = Self { world, watched, _stop: stop };
        lines.watched.wait_for(Standing::is_up).await.unwrap();
        assert!(lines.world.platform(|platform, _| platform.save_long_connection()));
        lines
    }

    /// Someone writes in the team's chat, and what follows at once is over.
    async fn ask(&self, text: &str) {
        let before = self.attempts();
        self.world.platform(|platform, now| platform.person_says(TEAM, "ou_li", text, true, now)).unwrap();
        self.settle(|| self.attempts() > before).await;
    }

    /// Deliveries that came to an end, well or not.
    fn attempts(&self) -> usize {
        self.world.platform(|platform, _| platform.attempts().len())
    }

    /// Lets what is under way come to its end while time stands still, until it is `over`: an idle runtime would go on to
    /// the next timer although bytes are under way.
    async fn settle(&self, over: impl Fn() -> bool) {
        let (hold, held) = std::sync::mpsc::channel::<()>();
        let still = tokio::task::spawn_blocking(move || held.recv().is_ok());
        for _ in 0..YIELDS_MAX {
            tokio::task::yield_now().await;
            let waits = self.world.platform(|platform, _| platform.waits_for_ack());
            if !waits && self.world.port().is_silent() && over() {
                break;
            }
        }
        drop(hold);
        still.await.unwrap();
    }

    /// Lets time go on, and what is pushed again come to its end at its instant.
    async fn pass(&self, span: Span) {
        let end = self.world.clock().now().plus(span);
        for _ in 0..PUSHES_MAX {
            let next = self.world.platform(|platform, _| platform.next_push_ms()).map(Timestamp::from_ms);
            let before = self.attempts();
            match next.filter(|next| *next < end) {
                Some(next) => self.world.clock().sleep_until(next).await,
                None => return self.world.clock().sleep_until(end).await,
            }
            self.settle(|| self.attempts() > before).await;
        }
        panic!("it is pushed without end");
    }

    /// The answers in the team's chat.
    fn answers(&self) -> usize {
        self.world.cards(TEAM).len()
    }

    fn standing(&self) -> Standing {
        self.watched.borrow().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn a_question_is_answered_once_whatever_happens_on_the_way() {
    let cases: Vec<Option<LineFault>> = std::iter::once(None).chain(LineFault::ALL.map(Some)).collect();
    for fault in cases {
        let lines = Lines::start(|platform| {
            platform.turn(|knobs| knobs.part_bytes_max = 200);
            platform.faults_mut().line_next = fault.into_iter().collect();
        })
        .await;
        lines.ask("/help").await;
        lines.pass(Span::from_mins(10)).await;
        assert_eq!(lines.answers(), 1, "{fault:?}");
        lines.world.platform(|platform, _| {
            assert!(platform.odd_frames().is_empty(), "{fault:?}: {:?}", platform.odd_frames());
            assert!(!platform.waits_for_ack() && platform.next_delivery_ms().is_none(), "{fault:?}");
        });
        assert!(lines.standing().is_up());
    }
}

#[tokio::test(start_paused = true)]
async fn many_questions_under_many_faults_are_each_answered_once() {
    let lines = Lines::start(|platform| {
        platform.turn(|knobs| knobs.part_bytes_max = 300);
        platform.faults_mut().line = 0.3;
    })
    .await;
    for _ in 0..40 {
        lines.ask("/help").await;
        lines.pass(Span::from_secs(20)).await;
    }
    lines.pass(Span::from_hours(8)).await;
    assert_eq!(lines.answers(), 40);
    assert!(lines.world.platform(|platform, _| platform.odd_frames().is_empty()));
    assert!(lines.standing().connects > 1);
}

#[tokio::test(start_paused = true)]
async fn a_click_is_answered_with_the_card() {
    let lines = Lines::start(|_| {}).await;
    lines.world.file(|ticket| ticket.score = Some(1));
    lines.world.pass(Span::from_mins(2)).await;
    let card = lines.world.platform(|platform, _| platform.message_with_button(TEAM, "take")).unwrap();
    let click = lines.world.platform(|platform, now| {
        let click = platform.click(&card, "ou_li", "take", Manner::default(), now).unwrap();
        platform.push_click(click.clone(), now);
        click
    });
    let shown = || lines.world.platform(|platform, _| platform.shown(&click.event_id).cloned());
    lines.settle(|| shown().is_some()).await;
    let shown = shown().unwrap();
    assert_eq!(shown.error, None);
    assert!(shown.changed && shown.toast.is_some_and(|(kind, _)| kind == "success"));
    assert_eq!(lines.standing().counts.taken, 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_stored_comes_again() {
    let left = Arc::new(AtomicI32::new(2));
    let lines = Lines::with(
        |_| {},
        |mut reception| {
            let through = Arc::clone(&reception.submit);
            reception.submit = Arc::new(move |message| {
                let refused = left.fetch_sub(1, Ordering::Relaxed) > 0;
                let through = Arc::clone(&through);
                Box::pin(async move { if refused { Submitted::Refused } else { through(message).await } })
            });
            reception
        },
    )
    .await;
    lines.ask("/help").await;
    lines.world.pass(Span::from_secs(10)).await;
    assert_eq!((lines.answers(), lines.standing().counts.refused), (0, 1));
    lines.world.pass(Span::from_mins(6)).await;
    assert_eq!((lines.answers(), lines.standing().counts.refused, lines.standing().counts.taken), (1, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn what_comes_both_ways_is_answered_once() {
    let lines = Lines::start(|platform| platform.faults_mut().line_next = vec![LineFault::AckLost]).await;
    let app = lines.world.platform(|platform, _| platform.app().clone());
    let callback = Callback::new(
        SecretString::from(app.verification_token),
        app.encrypt_key.map(SecretString::from),
        EventReader::default(),
    );
    let callbacks = Callbacks {
        feishu: Some(Arc::new(callback)),
        reception: Reception::of(lines.world.port(), lines.world.clock(), Locale::Zh),
        clock: lines.world.clock(),
        counts: Arc::new(CallbackCounts::default()),
    };
    let at = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/feishu/events", at.local_addr().unwrap());
    let (_stop, stopping) = watch::channel(false);
    tokio::spawn(listener::serve(at, callbacks::router(callbacks), lines.world.clock(), stopping));
    lines.ask("/help").await;
    lines.world.pass(Span::from_secs(10)).await;
    assert_eq!(lines.answers(), 1);
    lines.world.platform(|platform, _| platform.app_mut().events_over = Transport::Http);
    lines.world.pass(Span::from_secs(10)).await;
    let (clock, now) = (lines.world.clock(), lines.world.clock());
    let now: deskbell::sim::http::Now = Arc::new(move || now.now().as_ms());
    assert_eq!(deliver_due(&lines.world.shared(), &now, &web(), &url).await, 1, "the other way");
    clock.sleep(Span::from_secs(10)).await;
    assert_eq!(lines.answers(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_half_open_line_is_noticed_and_replaced() {
    let lines = Lines::start(|platform| platform.turn(|knobs| knobs.silent_line_ms = Some(240_000))).await;
    lines.world.pass(Span::from_secs(10)).await;
    lines.world.platform(|platform, _| platform.freeze_lines());
    lines.ask("/help").await;
    lines.world.pass(Span::from_mins(5)).await;
    assert_eq!(lines.standing().connects, 2);
    lines.world.pass(Span::from_mins(90)).await;
    assert_eq!(lines.answers(), 1);
    let nonsense = "{\"PingInterval\":0}".to_string();
    lines.world.platform(|platform, _| platform.turn(|knobs| knobs.pong = Pong::Says(nonsense)));
    lines.world.pass(Span::from_mins(10)).await;
    assert_eq!(lines.standing().connects, 2, "a pong that makes no sense changes nothing");
}

/// What operations were told of the line.
fn told(lines: &Lines) -> Vec<String> {
    lines.world.cards(OPS).iter().map(Card::text).filter(|text| text.contains("long connection")).collect()
}

#[tokio::test(start_paused = true)]
async fn operations_hear_of_a_line_that_stays_down() {
    let lines = Lines::start(|_| {}).await;
    lines.world.platform(|platform, _| {
        platform.turn(|knobs| knobs.lines_max = 0);
        platform.end_lines(&Act::Close);
    });
    lines.settle(|| !lines.standing().is_up()).await;
    lines.world.pass(DOWN_TOLD_AFTER.less(Span::from_secs(5))).await;
    assert!(told(&lines).is_empty());
    lines.world.pass(Span::from_secs(10)).await;
    let told_once = told(&lines);
    assert!(told_once.len() == 1 && told_once[0].contains("1000040350"), "{told_once:?}");
    lines.world.platform(|platform, _| platform.turn(|knobs| knobs.lines_max = 50));
    lines.world.pass(Span::from_mins(3)).await;
    assert!(lines.standing().is_up());
    let told = told(&lines);
    assert!(told.len() == 2 && told[1].contains("stands again, it was down for"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_line_is_held_while_the_setting_is_saved() {
    let world = World::start(Plot::default(), |_| {}).await;
    let client = world.client(&web());
    let save = || world.platform(|platform, _| platform.save_long_connection());
    assert!(!save(), "nobody is connected");
    let held = hold(&client, Tunnel::loopback(), world.clock(), || assert!(save()), async { true }).await;
    assert!(matches!(held, Held::Said(true)), "{held:?}");
    let began = world.now();
    let asks = || {
        world.platform(|platform, now| platform.person_says(TEAM, "ou_li", "/help", true, now)).unwrap();
    };
    let held = hold(&client, Tunnel::loopback(), world.clock(), asks, std::future::pending()).await;
    assert!(matches!(held, Held::Forgotten), "{held:?}");
    assert_eq!((world.now() - began) / 1_000, HOLD_MAX.as_secs());
    world.platform(|platform, _| assert!(platform.next_push_ms().is_some(), "what came meanwhile comes again"));
    world.platform(|platform, _| platform.app_mut().app_secret = "another".to_string());
    let held = hold(&client, Tunnel::loopback(), world.clock(), || panic!("it stands"), async { true }).await;
    assert!(matches!(&held, Held::Failed(Some(error)) if error.code == Some(514)), "{held:?}");
}
