//! Clicks on cards, from the platform's callback to what whoever clicked sees: through the real listener, engine and
//! store, in paused time.

use std::{sync::Arc, time::Duration};

use deskbell::{
    adapters::{
        feishu::{callback::Callback, event::EventReader},
        http::{self, Proxy},
    },
    domain::{
        calendar::Wait,
        command::Command,
        desk::settings::{Access, Look},
        id::{ChatId, TicketId},
        text::Locale,
        time::Span,
    },
    engine::incoming::{Reception, Submitted},
    sim::{
        faults::Fault,
        http::{Now, deliver_due, post},
        message::Message,
        platform::clicks::{Click, Manner, Shown},
        route::Route,
    },
    web::{
        callbacks::{self, Callbacks},
        listener,
        state::CallbackCounts,
    },
};
use secrecy::SecretString;
use tokio::{net::TcpListener, sync::watch};

use crate::world::{OPS, Plot, TEAM, World, waiting_for_user};

/// A world whose callbacks arrive.
struct Chats {
    world: World,
    url: String,
    client: reqwest::Client,
    _stop: watch::Sender<bool>,
}

async fn chats(sealed: bool) -> Chats {
    chats_of(Plot::default(), sealed, Span::ZERO).await
}

/// The same of any world, where whoever clicks waits so much longer for what became of it.
async fn chats_of(plot: Plot, sealed: bool, slow: Span) -> Chats {
    let world = World::start(plot, |platform| {
        platform.add_person("ou_han", "韩梅梅", "han@example.com");
        platform.add_member(TEAM, "ou_han");
        if !sealed {
            platform.app_mut().encrypt_key = None;
        }
    })
    .await;
    let (token, key) = world.platform(|platform, _| {
        let app = platform.app();
        (app.verification_token.clone(), app.encrypt_key.clone())
    });
    let (port, writing, clock) = (world.port(), world.port(), world.clock());
    let reception = Reception {
        submit: Arc::new(move |message| {
            let port = writing.clone();
            Box::pin(async move { port.submit(message).await.map_or(Submitted::Refused, |()| Submitted::Durable) })
        }),
        act: Arc::new(move |act| {
            let (port, clock) = (port.clone(), clock.clone());
            Box::pin(async move {
                let acted = port.act(act).await;
                clock.sleep(slow).await;
                acted
            })
        }),
        news: Arc::new(|_| Ok(())),
        added: Arc::new(|_| Box::pin(async { Submitted::Durable })),
        clock: world.clock(),
        locales: Locale::Zh.into(),
    };
    let callbacks = Callbacks {
        feishu: Some(Arc::new(Callback::new(
            SecretString::from(token),
            key.map(SecretString::from),
            EventReader::default(),
        ))),
        reception,
        clock: world.clock(),
        counts: Arc::new(CallbackCounts::default()),
    };
    let at = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/feishu/events", at.local_addr().unwrap());
    let (stop, stopping) = watch::channel(false);
    tokio::spawn(listener::serve(at, callbacks::router(callbacks), world.clock(), stopping));
    let client = http::client(&http::Config { proxy: Proxy::None, ..http::Config::default() }).unwrap();
    let chats = Chats { world, url, client, _stop: stop };
    chats.world.pass(Span::from_secs(40)).await;
    chats
}

impl Chats {
    /// A ticket rings: its card in the team's chat.
    async fn ring(&self) -> String {
        self.world.file(|ticket| ticket.score = Some(1));
        self.world.pass(Span::from_mins(1)).await;
        self.with_button("take")
    }

    /// Twelve tickets, and the card that lists them.
    async fn listed(&self) -> String {
        for _ in 0..12 {
            self.world.file(|_| {});
        }
        self.world.pass(Span::from_mins(1)).await;
        self.world.platform(|platform, now| platform.person_says(TEAM, "ou_li", "/tickets", true, now)).unwrap();
        for delivery in self.world.platform(|platform, now| platform.take_deliveries(now)) {
            assert_eq!(post(&self.client, &self.url, &delivery.headers, delivery.body).await.unwrap().0, 200);
        }
        self.world.pass(Span::from_secs(20)).await;
        self.with_button("下一页")
    }

    fn with_button(&self, button: &str) -> String {
        self.world.platform(|platform, _| platform.message_with_button(TEAM, button)).unwrap()
    }

    fn click(&self, message: &str, who: &str, button: &str, manner: Manner) -> Click {
        self.world.platform(|platform, now| platform.click(message, who, button, manner, now)).unwrap()
    }

    /// Posts a click and shows the answer, as the platform does: for three seconds at most.
    async fn send(&self, click: &Click) -> Shown {
        let posted = post(&self.client, &self.url, &click.headers, click.body.clone());
        let answer = tokio::time::timeout(Duration::from_secs(3), posted).await.ok().flatten();
        let answer = answer.as_ref().map(|(status, body)| (*status, body.as_str()));
        self.world.platform(|platform, now| platform.show_answer(click, answer, now))
    }

    async fn press(&self, message: &str, who: &str, button: &str) -> Shown {
        self.send(&self.click(message, who, button, Manner::default())).await
    }

    fn message(&self, id: &str) -> Message {
        self.world.platform(|platform, _| platform.message(id).cloned()).unwrap()
    }

    /// What people see of a message now.
    fn text(&self, id: &str) -> String {
        let view = self.message(id).card().unwrap();
        view.body.iter().chain(&view.footer).fold(view.title, |text, line| text + "\n" + line)
    }
}

fn toast(shown: &Shown) -> (&str, &str) {
    shown.toast.as_ref().map_or(("", ""), |(kind, words)| (kind.as_str(), words.as_str()))
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_sees_it_at_once_and_the_update_follows() {
    for sealed in [false, true] {
        let chats = chats(sealed).await;
        let card = chats.ring().await;
        let shown = chats.press(&card, "ou_li", "take").await;
        assert_eq!((toast(&shown).0, shown.changed, shown.error), ("success", true, None), "{shown:?}");
        let text = chats.text(&card);
        assert!(text.contains("works on it · until"), "{text}");
        assert!(text.contains("[Handled] [Give it back] [More]"), "{text}");
        let at_once = chats.message(&card).content().to_string();
        chats.world.pass(Span::from_secs(20)).await;
        let patches = chats.world.platform(|platform, _| platform.count(Route::MessagePatch));
        assert!(patches >= 1, "the update is the safety net");
        assert_eq!(chats.message(&card).content(), at_once, "the update shows the same card");
    }
}

#[tokio::test(start_paused = true)]
async fn of_two_who_take_at_once_one_has_it_and_the_other_is_told() {
    let chats = chats(true).await;
    let card = chats.ring().await;
    let one = chats.click(&card, "ou_li", "take", Manner::default());
    let two = chats.click(&card, "ou_han", "take", Manner::default());
    let (one, two) = tokio::join!(chats.send(&one), chats.send(&two));
    let mut kinds = [toast(&one).0, toast(&two).0];
    kinds.sort_unstable();
    assert_eq!(kinds, ["info", "success"], "{one:?} {two:?}");
    let late = if toast(&one).0 == "info" { &one } else { &two };
    assert!(toast(late).1.contains("已接手") && late.changed, "{late:?}");
}

#[tokio::test(start_paused = true)]
async fn a_click_replayed_does_nothing_twice() {
    let chats = chats(true).await;
    let card = chats.ring().await;
    let click = chats.click(&card, "ou_li", "take", Manner::default());
    assert_eq!(toast(&chats.send(&click).await).0, "success");
    let given_back = chats.press(&card, "ou_li", "release").await;
    assert_eq!(toast(&given_back).0, "success", "{given_back:?}");
    let again = chats.send(&click).await;
    assert_eq!((toast(&again).0, again.changed), ("info", true), "{again:?}");
    assert!(chats.text(&card).contains("[I'll take it]"), "{}", chats.text(&card));
}

#[tokio::test(start_paused = true)]
async fn a_click_is_read_in_every_form_the_platform_has() {
    for manner in [Manner { flat: true, ..Manner::default() }, Manner { value_as_text: true, ..Manner::default() }] {
        let chats = chats(true).await;
        let card = chats.ring().await;
        let shown = chats.send(&chats.click(&card, "ou_li", "take", manner)).await;
        assert!(shown.changed && shown.error.is_none(), "{manner:?}: {shown:?}");
        assert!(chats.text(&card).contains("works on it"), "{manner:?}");
    }
    // Without chat and message nobody can tell where it was done.
    let chats = chats(true).await;
    let card = chats.ring().await;
    let sparse = chats.click(&card, "ou_li", "take", Manner { sparse: true, ..Manner::default() });
    let shown = chats.send(&sparse).await;
    assert_eq!((toast(&shown).0, shown.error), ("warning", None), "{shown:?}");
}

#[tokio::test(start_paused = true)]
async fn a_click_on_an_alert_that_is_over_shows_the_end() {
    let chats = chats(true).await;
    let card = chats.ring().await;
    chats.press(&card, "ou_li", "take").await;
    let done = chats.press(&card, "ou_li", "done").await;
    assert_eq!(toast(&done).0, "success", "{done:?}");
    let text = chats.text(&card);
    assert!(text.starts_with("Over · ") && text.contains("saw to it in"), "{text}");
    let old = chats.click(&card, "ou_han", "take", Manner { version: Some(0), ..Manner::default() });
    let late = chats.send(&old).await;
    assert_eq!((toast(&late).0, late.changed), ("info", true), "{late:?}");
    assert!(toast(&late).1.contains("已结束"), "{late:?}");
}

#[tokio::test(start_paused = true)]
async fn further_buttons_come_with_the_click_and_go_with_the_next_update() {
    let chats = chats(true).await;
    let card = chats.ring().await;
    let more = chats.press(&card, "ou_li", "more").await;
    assert_eq!((more.toast.is_none(), more.changed), (true, true), "{more:?}");
    assert!(chats.text(&card).contains("[Why it rings]"), "{}", chats.text(&card));
    assert!(chats.press(&card, "ou_li", "why").await.changed);
    assert!(chats.press(&card, "ou_li", "back").await.changed);
    assert!(chats.press(&card, "ou_li", "later").await.changed);
    let put_off = chats.press(&card, "ou_li", "snooze_30m").await;
    assert_eq!(toast(&put_off).0, "success", "{put_off:?}");
    let text = chats.text(&card);
    assert!(text.contains("put it off until 10:3"), "{text}");
    assert!(text.contains("[I'll take it] [Remind me later] [More]"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn while_updates_are_refused_the_answer_shows_the_card() {
    let chats = chats(true).await;
    let card = chats.ring().await;
    chats.world.platform(|platform, _| platform.fail_next(Route::MessagePatch, Fault::InternalError, 50));
    let shown = chats.press(&card, "ou_li", "take").await;
    assert_eq!((toast(&shown).0, shown.changed), ("success", true));
    assert!(chats.text(&card).contains("works on it"));
}

#[tokio::test(start_paused = true)]
async fn a_reply_on_a_card_takes_its_alert() {
    let chats = chats(true).await;
    let card = chats.ring().await;
    let said =
        chats.world.platform(|platform, now| platform.person_replies(&card, "ou_li", "收到", true, now)).unwrap();
    let deliveries = chats.world.platform(|platform, now| platform.take_deliveries(now));
    assert!(!deliveries.is_empty());
    for delivery in deliveries {
        let (status, _) = post(&chats.client, &chats.url, &delivery.headers, delivery.body).await.unwrap();
        assert_eq!(status, 200);
    }
    chats.world.pass(Span::from_secs(20)).await;
    assert!(chats.text(&card).contains("works on it"), "{}", chats.text(&card));
    let answers: Vec<String> = chats.world.platform(|platform, _| {
        let on = |message: &&Message| message.parent_id.as_deref() == Some(said.as_str());
        platform.messages_in(TEAM).into_iter().filter(|one| on(one)).filter_map(|one| Some(one.card()?.title)).collect()
    });
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(answers[0].contains("已由你接手"), "{answers:?}");
}

#[tokio::test(start_paused = true)]
async fn where_nobody_may_act_a_click_changes_nothing_and_says_where_to() {
    let access = Access { act: Look::Chats([ChatId::from(OPS)].into()), ..Plot::default().access };
    let chats = chats_of(Plot { access, ..Plot::default() }, true, Span::ZERO).await;
    let card = chats.ring().await;
    let before = chats.message(&card).content().to_string();
    for button in ["take", "more", "later"] {
        let shown = chats.press(&card, "ou_li", button).await;
        assert_eq!((toast(&shown).0, shown.changed, shown.error), ("warning", false, None), "{button}: {shown:?}");
        assert!(toast(&shown).1.contains("chat.access.act"), "{shown:?}");
    }
    chats.world.pass(Span::from_mins(1)).await;
    assert_eq!(chats.message(&card).content(), before);
    let told =
        chats.world.platform(|platform, _| platform.count(Route::MessagePatch) + platform.count(Route::MessageReply));
    assert_eq!((told, chats.world.cards(TEAM).len()), (0, 1), "nobody else hears of it");
}

#[tokio::test(start_paused = true)]
async fn an_old_card_says_that_a_new_one_was_sent_and_has_no_buttons() {
    let chats = chats(true).await;
    let old = chats.ring().await;
    // The platform updates cards for two weeks; this one can no longer be.
    chats.world.platform(|platform, _| platform.fail_next(Route::MessagePatch, Fault::Refused(400, 230_031), 1));
    assert_eq!(toast(&chats.press(&old, "ou_li", "take").await).0, "success");
    chats.world.pass(Span::from_mins(1)).await;
    assert_eq!(toast(&chats.press(&old, "ou_li", "release").await).0, "success");
    chats.world.pass(Span::from_mins(1)).await;
    let new = chats.with_button("take");
    assert_ne!(new, old, "it rings on, on a card of its own");
    let late = chats.click(&old, "ou_li", "take", Manner { version: Some(0), ..Manner::default() });
    let shown = chats.send(&late).await;
    assert!(toast(&shown).1.starts_with("这是旧卡片，已发新卡") && shown.changed, "{shown:?}");
    let text = chats.text(&old);
    assert!(text.contains("This card is an old one; a new one was sent here") && !text.contains("[More]"), "{text}");
    chats.world.pass(Span::from_secs(20)).await;
    assert!(chats.text(&new).contains("works on it"), "what was clicked is done: {}", chats.text(&new));
}

#[tokio::test(start_paused = true)]
async fn who_is_not_answered_in_time_is_told_so_and_the_update_follows() {
    let chats = chats_of(Plot::default(), true, Span::from_secs(30)).await;
    let card = chats.ring().await;
    let clicked_at = chats.world.now();
    let shown = chats.press(&card, "ou_li", "take").await;
    let waited = chats.world.now() - clicked_at;
    assert!((2_000..2_500).contains(&waited), "{waited} ms");
    assert_eq!((toast(&shown).0, shown.changed, shown.error), ("info", false, None), "{shown:?}");
    assert!(toast(&shown).1.starts_with("已收到，正在更新"), "{shown:?}");
    chats.world.pass(Span::from_secs(10)).await;
    assert!(chats.text(&card).contains("works on it"), "{}", chats.text(&card));
}

#[tokio::test(start_paused = true)]
async fn a_ticket_silenced_from_its_card_shows_so_at_once() {
    let chats = chats(true).await;
    let card = chats.ring().await;
    chats.press(&card, "ou_li", "more").await;
    let shown = chats.press(&card, "ou_li", "silence_2h").await;
    assert_eq!((toast(&shown).0, shown.changed), ("success", true), "{shown:?}");
    let text = chats.text(&card);
    assert!(text.contains("silenced until 11-20 12:0"), "{text}");
    assert!(text.contains("[I'll take it] [Remind me later] [More]"), "{text}");
}

/// Lets time go on by steps while a call into the store hangs: time that waits for a thread does not move by itself.
async fn pass_by_hand(span: Span) {
    const STEP: Duration = Duration::from_millis(20);
    for _ in 0..span.to_std().as_millis() / STEP.as_millis() {
        // What is on its way over loopback arrives before the next step.
        for _ in 0..500 {
            tokio::task::yield_now().await;
        }
        tokio::time::advance(STEP).await;
    }
}

#[test]
fn while_the_store_syncs_slowly_a_click_is_answered_in_time_and_the_update_follows() {
    // One thread for all calls that block: while the test holds it, a commit waits for its disk.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let chats = chats(true).await;
        let card = chats.ring().await;
        let before = chats.message(&card).content().to_string();
        let click = chats.click(&card, "ou_li", "take", Manner::default());
        let (disk, waits) = std::sync::mpsc::channel::<()>();
        let held = tokio::task::spawn_blocking(move || waits.recv().is_ok());
        let clicked_at = chats.world.now();
        let shown = async {
            let shown = chats.send(&click).await;
            (shown, chats.world.now() - clicked_at)
        };
        let ((shown, waited), ()) = tokio::join!(shown, pass_by_hand(Span::from_secs(5)));
        assert!((2_000..2_500).contains(&waited), "{waited} ms");
        assert_eq!((toast(&shown).0, shown.changed, shown.error), ("info", false, None), "{shown:?}");
        assert!(toast(&shown).1.starts_with("已收到，正在更新"), "{shown:?}");
        assert_eq!(chats.message(&card).content(), before, "nothing is sent before it is durable");
        disk.send(()).unwrap();
        assert!(held.await.unwrap());
        chats.world.pass(Span::from_secs(10)).await;
        assert!(chats.text(&card).contains("works on it"), "{}", chats.text(&card));
        let again = chats.send(&click).await;
        assert_eq!((toast(&again).0, again.changed), ("info", true), "it was done once: {again:?}");
    });
}

/// A reminder is a line: it has nothing to click, and says nothing that becomes wrong.
#[tokio::test(start_paused = true)]
async fn a_reminder_is_a_line_and_the_buttons_are_on_the_card_above_it() {
    let mut rule = waiting_for_user(Span::from_mins(10));
    (rule.notify[0].repeat, rule.notify[0].repeat_max) = (vec![Wait::wall(Span::from_mins(10))], 1);
    let chats = chats_of(Plot { rules: vec![rule], ..Plot::default() }, true, Span::ZERO).await;
    let ticket = chats.world.file(|ticket| ticket.status = 5);
    chats.world.pass(Span::from_mins(22)).await;
    let (card, reminder) = chats.world.platform(|platform, _| {
        let messages = platform.messages_in(TEAM);
        let [card, reminder] = messages.as_slice() else { panic!("a card and a reminder: {messages:#?}") };
        assert_eq!(reminder.parent_id.as_ref(), Some(&card.id), "it hangs on the card");
        (card.id.clone(), reminder.id.clone())
    });
    let line = chats.text(&reminder);
    assert!(line.starts_with("Reminder 1 · ") && !line.contains('['), "{line}");
    assert!(line.contains("Press \"I'll take it\" or \"Remind me later\" on the card above"), "{line}");
    assert_eq!(toast(&chats.press(&card, "ou_li", "take").await).0, "success");
    chats.world.pass(Span::from_secs(20)).await;
    chats.world.platform(|platform, now| platform.update_ticket(&ticket, now, |ticket| ticket.status = 2));
    chats.world.pass(Span::from_mins(2)).await;
    assert!(chats.text(&card).starts_with("Over · "), "{}", chats.text(&card));
    assert_eq!(chats.text(&reminder), line, "what was said at its time stays");
}

#[tokio::test(start_paused = true)]
async fn a_hundred_questions_are_taken_at_once_while_the_platform_is_slow_and_each_is_answered() {
    const ASKING: usize = 100;
    let mut chats = chats(true).await;
    chats.ring().await;
    let id = chats.world.platform(|platform, _| platform.tickets().next().unwrap().ticket_id.clone());
    chats.world.platform(|platform, now| {
        for route in [Route::TicketGet, Route::TicketMessages, Route::MessageReply] {
            platform.fail_next(route, Fault::Slow(10_000), ASKING);
        }
        for number in 0..ASKING {
            let person = format!("ou_{number}");
            platform.add_person(&person, &person, &format!("{person}@example.com"));
            platform.add_member(TEAM, &person);
            platform.person_says(TEAM, &person, &format!("/ticket {id}"), true, now).unwrap();
        }
    });
    let (clock, shared) = (chats.world.clock(), chats.world.shared());
    let now: Now = Arc::new(move || clock.now().as_ms());
    let delivered = deliver_due(&shared, &now, &chats.client, &chats.url);
    let taken = tokio::time::timeout(Duration::from_secs(3), delivered).await;
    assert_eq!(taken, Ok(ASKING), "each gets 200 within the platform's three seconds");
    assert!(chats.world.platform(|platform, _| platform.next_delivery_ms().is_none()), "none is sent again");
    chats.world.pass(Span::from_mins(10)).await;
    let answers = chats.world.platform(|platform, _| {
        platform.messages_in(TEAM).iter().filter(|message| message.parent_id.is_some()).count()
    });
    assert_eq!(answers, ASKING);
    chats.world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_ticket_s_card_asks_on_and_each_click_is_answered_once() {
    let mut chats = chats(true).await;
    chats.ring().await;
    let id = chats.world.platform(|platform, _| platform.tickets().next().unwrap().ticket_id.clone());
    let asked = Command::Ticket(TicketId::from(id.as_str()));
    chats.world.ask(TEAM, asked).await.unwrap();
    chats.world.pass(Span::from_secs(5)).await;
    let card = chats.with_button("Refresh");
    assert!(chats.text(&card).contains("bad score"), "{}", chats.text(&card));

    chats.world.platform(|platform, now| platform.update_ticket(&id, now, |ticket| ticket.status = 51));
    let click = chats.click(&card, "ou_han", "Refresh", Manner::default());
    for _ in 0..3 {
        assert_eq!(toast(&chats.send(&click).await), ("", ""));
        chats.world.pass(Span::from_secs(5)).await;
    }
    assert_eq!(chats.message(&card).versions.len(), 2, "three deliveries are one question");
    assert!(chats.text(&card).starts_with("closed by agent"), "{}", chats.text(&card));

    let replies = |chats: &Chats| {
        let told: Vec<Message> = chats.world.platform(|platform, _| {
            let messages = platform.messages_in(TEAM).into_iter();
            messages.filter(|message| message.parent_id.as_deref() == Some(card.as_str())).cloned().collect()
        });
        told.iter().map(|message| message.card().unwrap().title).collect::<Vec<_>>()
    };
    for button in ["Why", "Silence for 2 h"] {
        chats.press(&card, "ou_han", button).await;
        chats.world.pass(Span::from_secs(5)).await;
    }
    assert_eq!(replies(&chats).len(), 2, "{:?}", replies(&chats));
    assert!(replies(&chats)[1].contains("silenced S1"), "{:?}", replies(&chats));
    assert_eq!(chats.message(&card).versions.len(), 2, "the card stays as it is");
    chats.world.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_page_of_a_list_is_turned_on_its_card() {
    for manner in [Manner::default(), Manner { flat: true, ..Manner::default() }] {
        let chats = chats(true).await;
        let list = chats.listed().await;
        assert!(chats.text(&list).contains("（第 1/2 页）"), "{}", chats.text(&list));
        let messages = chats.world.platform(|platform, _| platform.messages_in(TEAM).len());
        let next = chats.click(&list, "ou_han", "下一页", manner);
        for _ in 0..2 {
            // Delivered twice, as platforms do.
            let shown = chats.send(&next).await;
            assert_eq!((shown.toast, shown.changed, shown.error), (None, false, None));
        }
        chats.world.pass(Span::from_secs(20)).await;
        let text = chats.text(&list);
        assert!(text.contains("（第 2/2 页）") && text.contains("\n11. ") && text.contains("[上一页]"), "{text}");
        assert!(!text.contains("[下一页]"), "{text}");
        assert_eq!(chats.world.platform(|platform, _| platform.messages_in(TEAM).len()), messages, "on the same card");
        assert_eq!(chats.world.platform(|platform, _| platform.count(Route::MessagePatch)), 1);
    }
    // Where the platform does not say which card it was, whoever clicked is told what to write.
    let chats = chats(true).await;
    let list = chats.listed().await;
    let sparse = Manner { sparse: true, ..Manner::default() };
    let shown = chats.send(&chats.click(&list, "ou_li", "下一页", sparse)).await;
    assert!(toast(&shown).1.contains("请直接发：/tickets 页:2"), "{shown:?}");
}
