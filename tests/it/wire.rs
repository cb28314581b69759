//! The real client against the fake platform: two readings of the same facts, written apart, must agree.

use std::sync::{Arc, Mutex};

use deskbell::{
    adapters::{
        clock::Clock,
        feishu::{
            callback::{Callback, Opened},
            card,
            client::Client,
            config::{BaseUrl, Config, Events, HelpdeskConfig, WebhookConfig},
            error::Advice,
            event::{Event, EventReader},
            helpdesk::{Helpdesk, TicketQuery, Window},
            ticket::decode,
            webhook::Webhook,
        },
        http,
    },
    domain::{
        card::{Card, Colour},
        desk::settings::Limits,
        id::{ChatId, OpenId, SourceName, TicketId},
        plan::Plan,
        ticket::{Known, Status},
        time::{Span, Timestamp},
    },
    sim::{
        directory::ChatKind,
        events::Delivery,
        faults::Fault,
        helpdesk::FieldDefinition,
        http::{Server, Shared, lock},
        knobs::{CommentsShape, Knobs, NoInstant, ReasonShape},
        platform::Platform,
        route::Route,
        ticket::{Comment, STATUS_CLOSED_BY_AGENT, Tag, User},
        webhook::Hook,
    },
};
use tokio::net::TcpListener;

const START: Timestamp = Timestamp::from_ms(1_790_000_000_000);

struct World {
    platform: Shared,
    server: Server,
    clock: Clock,
    client: Client,
    helpdesk: Helpdesk,
}

impl World {
    /// A platform with one group, one person and one helpdesk, and a client that knows its secrets.
    async fn new() -> Self {
        let mut platform = Platform::new(1);
        platform.add_chat("oc_a", "IT 支持群", ChatKind::Group);
        platform.add_person("ou_li", "李雷", "li@example.com");
        platform.add_member("oc_a", "ou_li");
        let (helpdesk_id, helpdesk_token) = platform.add_default_helpdesk();
        let app = platform.app().clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let platform: Shared = Arc::new(Mutex::new(platform));
        let clock = Clock::anchored(START);
        let now = clock.clone();
        let server = Server::start(listener, platform.clone(), Arc::new(move || now.now().as_ms())).unwrap();
        let config = Config {
            base_url: BaseUrl::parse(&server.base_url()).unwrap(),
            app_id: app.app_id,
            app_secret: app.app_secret.into(),
            plan: Plan::Paid,
            events: Events::default(),
            limits: Limits::default(),
        };
        let client = Client::new(&config, http::loopback_client(), clock.clone());
        let keys = HelpdeskConfig { helpdesk_id, helpdesk_token: helpdesk_token.into() };
        let helpdesk = Helpdesk::new(client.clone(), &keys);
        Self { platform, server, clock, client, helpdesk }
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().as_ms()
    }
}

fn card_json(title: &str) -> String {
    let card = Card {
        title: title.to_string(),
        colour: Colour::Red,
        tags: vec!["P0".to_string()],
        body: "**第一行**\n<at id=ou_li></at>".to_string(),
        footer: "数据截至 10:12 · #4F7A2C".to_string(),
        ..Card::default()
    };
    card::to_json(&card, card::CHAT_CARD_BYTES_MAX)
}

#[tokio::test(start_paused = true)]
async fn every_query_parameter_means_the_same_to_both() {
    let world = World::new().await;
    let (matching, now_ms) = {
        let (mut platform, now_ms) = (lock(&world.platform), world.now_ms());
        platform.create_ticket(now_ms, |_| ());
        let user = |id: &str| User { id: id.to_string(), name: id.to_string(), ..User::default() };
        let id = platform.create_ticket(now_ms, |ticket| {
            ticket.guest = user("ou_g");
            ticket.agent_owner = Some(user("ou_b"));
            ticket.channel = 9;
            ticket.score = Some(1);
            ticket.tags = vec![Tag { id: "1".to_string(), name: "重要 客户".to_string() }];
        });
        platform.close_ticket(&id, STATUS_CLOSED_BY_AGENT, now_ms + 10);
        (id, now_ms)
    };
    let query = TicketQuery::default;
    let window = |from, until| Some(Window { from: Timestamp::from_ms(from), until: Timestamp::from_ms(until) });
    let open_id = |id: &str| Some(OpenId::new(id));
    let table = [
        TicketQuery { ticket_id: Some(TicketId::new(matching.as_str())), ..query() },
        TicketQuery { agent_id: open_id("ou_b"), ..query() },
        TicketQuery { closed_by_id: open_id("ou_b"), ..query() },
        TicketQuery { guest_id: open_id("ou_g"), ..query() },
        TicketQuery { guest_name: Some("ou_g".to_string()), ..query() },
        TicketQuery { channel: Some(9), ticket_type: Some(2), ..query() },
        TicketQuery { solved: Some(2), ..query() },
        TicketQuery { score: Some(1), ..query() },
        TicketQuery { statuses: vec![Status::Pending, Status::ClosedByAgent], ..query() },
        TicketQuery { tags: vec!["重要 客户".to_string()], ..query() },
        TicketQuery { updated: window(now_ms + 10, now_ms + 10), ..query() },
        TicketQuery { created: window(now_ms, now_ms), score: Some(1), page: Some(1), page_size: Some(1), ..query() },
    ];
    for query in table {
        let page = world.helpdesk.list(&query).await.unwrap();
        let ids: Vec<&str> = page.tickets.iter().map(|ticket| ticket.id.as_str()).collect();
        assert_eq!((page.total, ids), (1, vec![matching.as_str()]), "{query:?}");
    }
    assert_eq!(world.helpdesk.list(&query()).await.unwrap().total, 2);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_reads_the_same_in_every_shape() {
    let world = World::new().await;
    let id = {
        let (mut platform, now_ms) = (lock(&world.platform), world.now_ms());
        let id = platform.create_ticket(now_ms, |ticket| {
            ticket.guest = User { id: "ou_g".to_string(), name: "客户".to_string(), ..User::default() };
            ticket.agent_service_duration = Some(42_624.95);
            let user_id = 7_262_656_095_919_128_578;
            ticket.comments = vec![Comment { content: "备注".to_string(), user_id, ..Comment::default() }];
        });
        platform.rate_ticket(&id, 1, Some("太慢"), now_ms);
        id
    };
    let shapes: [&dyn Fn(&mut Knobs); 6] = [
        &|_| (),
        &|knobs| knobs.comments = CommentsShape::Object,
        &|knobs| knobs.dissatisfaction_reason = ReasonShape::Object,
        &|knobs| knobs.dissatisfaction_reason = ReasonShape::Strings,
        &|knobs| knobs.closed_at_when_open = NoInstant::Zero,
        &|knobs| {
            knobs.closed_at_when_open = NoInstant::MinusOne;
            knobs.updated_at_when_fresh = NoInstant::Absent;
            knobs.null_for_absent = true;
        },
    ];
    for (place, shape) in shapes.iter().enumerate() {
        lock(&world.platform).turn(|knobs| {
            *knobs = Knobs::default();
            shape(knobs);
        });
        let raw = world.helpdesk.get(&TicketId::new(id.as_str())).await.unwrap();
        let decoded = decode(&SourceName::new("it-desk"), &raw).unwrap();
        assert_eq!(decoded.unreadable, [] as [&str; 0], "shape {place}");
        let ticket = decoded.ticket;
        let comments = ticket.comments.present().unwrap();
        assert_eq!(comments[0].user_id.as_ref().map(|id| &**id), Known::Present("7262656095919128578"));
        let reasons = ticket.dissatisfaction_reason.present().unwrap();
        assert_eq!(reasons[0].zh_cn.as_ref().map(|text| &**text), Known::Present("太慢"), "shape {place}");
        assert_eq!(ticket.closed_at.present(), None, "shape {place}");
        assert_eq!(ticket.updated_at.present(), None, "shape {place}");
    }
    let gone = world.helpdesk.get(&TicketId::new("1")).await.unwrap_err();
    assert_eq!((gone.advice, gone.code), (Advice::NotThere, Some(154_004)));
    assert!(gone.log_id.is_some());
}

#[tokio::test(start_paused = true)]
async fn one_broken_ticket_spares_its_page() {
    let world = World::new().await;
    {
        let mut platform = lock(&world.platform);
        for status in [serde_json::json!(2), serde_json::json!({ "broken": true })] {
            platform.create_ticket(START.as_ms(), |ticket| drop(ticket.overrides.insert("status".to_string(), status)));
        }
        platform.create_ticket(START.as_ms(), |ticket| {
            drop(ticket.overrides.insert("ticket_id".to_string(), serde_json::json!([])));
        });
    }
    let page = world.helpdesk.list(&TicketQuery::default()).await.unwrap();
    assert_eq!((page.total, page.tickets.len(), page.broken.len()), (3, 2, 1));
    let source = SourceName::new("it-desk");
    assert!(page.tickets.iter().any(|raw| decode(&source, raw).is_ok_and(|decoded| decoded.unreadable.is_empty())));
}

#[tokio::test(start_paused = true)]
async fn cards_are_sent_once_updated_answered_and_found_again() {
    let world = World::new().await;
    let chat = ChatId::new("oc_a");
    let sent = world.client.create(&chat, &card_json("一"), "u1").await.unwrap();
    assert_eq!(world.client.create(&chat, &card_json("一"), "u1").await.unwrap(), sent);
    world.client.patch(&sent, &card_json("二")).await.unwrap();
    let reply = world.client.reply(&sent, &card_json("三"), "u2").await.unwrap();
    {
        let platform = lock(&world.platform);
        let messages = platform.messages_in("oc_a");
        let titles: Vec<String> = messages.iter().map(|message| message.card().unwrap().title).collect();
        assert_eq!(titles, ["二", "三"]);
        let seen = messages[0].card().unwrap();
        assert_eq!((seen.colour.as_str(), seen.tags.as_slice()), ("red", ["P0".to_string()].as_slice()));
        assert_eq!(seen.body, ["第一行", "@ou_li"]);
        assert_eq!(messages[0].versions.len(), 2);
        assert_eq!((messages[1].id.as_str(), messages[1].parent_id.as_deref()), (reply.as_str(), Some(sent.as_str())));
    }
    let (since, until) = (START.minus(Span::from_mins(1)), world.clock.now());
    let find = |reference| world.client.history_contains(&chat, reference, since, until);
    assert_eq!(find("#4F7A2C").await.unwrap(), Some(sent));
    assert_eq!(find("#000000").await.unwrap(), None);
    let unknown = world.client.create(&ChatId::new("oc_none"), &card_json("x"), "u3").await.unwrap_err();
    assert_eq!(unknown.advice, Advice::SetUp, "{unknown:?}");
}

#[tokio::test(start_paused = true)]
async fn trouble_is_understood() {
    let table = [
        (Fault::InternalError, Advice::RetrySameKey),
        (Fault::BadGateway, Advice::RetrySameKey),
        (Fault::CutBefore, Advice::RetrySameKey),
        (Fault::CutAfter, Advice::RetrySameKey),
        (Fault::RateLimited(3), Advice::SlowDown),
        (Fault::ChatLimited, Advice::SlowDown),
        (Fault::QuotaUsedUp, Advice::AwaitQuota),
        (Fault::Refused(400, 230_049), Advice::AskAgainSoon),
        (Fault::Refused(400, 230_028), Advice::Mask),
        (Fault::Refused(400, 230_025), Advice::Shorten),
        (Fault::Refused(400, 99_991_672), Advice::SetUp),
    ];
    for (fault, advice) in table {
        let world = World::new().await;
        world.client.check_credentials().await.unwrap();
        lock(&world.platform).fail_next(Route::MessageCreate, fault, 1);
        let chat = ChatId::new("oc_a");
        let send = || world.client.create(&chat, r#"{"elements":[]}"#, "u");
        let error = send().await.unwrap_err();
        assert_eq!(error.advice, advice, "{fault:?}: {error:?}");
        send().await.unwrap();
        assert_eq!(lock(&world.platform).messages_in("oc_a").len(), 1, "{fault:?}");
    }
    let world = World::new().await;
    world.client.check_credentials().await.unwrap();
    lock(&world.platform).revoke_tokens();
    world.client.bot().await.unwrap();
    assert_eq!(lock(&world.platform).count(Route::Token), 2, "a revoked token is replaced without a word");
}

#[tokio::test(start_paused = true)]
async fn chats_people_and_fields_are_found() {
    let world = World::new().await;
    {
        let mut platform = lock(&world.platform);
        for number in 0..150 {
            platform.add_chat(&format!("oc_{number}"), &format!("群 {number}"), ChatKind::Topic);
        }
        let desk = platform.add_default_helpdesk().0;
        let field = |id: &str, visible| FieldDefinition {
            id: id.to_string(),
            key_name: format!("key_{id}"),
            display_name: "优先级".to_string(),
            field_type: "dropdown".to_string(),
            options: vec![("o".to_string(), "P0".to_string())],
            multiple: false,
            visible,
            required: false,
        };
        platform.add_field(&desk, field("1", true));
        platform.add_field(&desk, field("2", false));
    }
    assert_eq!(world.client.chats().await.unwrap().len(), 151);
    let detail = world.client.chat(&ChatId::new("oc_a")).await.unwrap();
    assert_eq!((detail.name.as_str(), detail.external, detail.dissolved), ("IT 支持群", false, false));
    assert_eq!(world.client.members(&ChatId::new("oc_a")).await.unwrap(), [OpenId::new("ou_li")]);
    let bot = world.client.bot().await.unwrap();
    assert_eq!(bot.open_id.as_str(), lock(&world.platform).app().bot_open_id);
    let found = world.client.users_by_email(&["li@example.com".to_string(), "no@x.com".to_string()]).await.unwrap();
    let ids: Vec<Option<&str>> = found.iter().map(|user| user.open_id.as_ref().map(OpenId::as_str)).collect();
    assert_eq!(ids, [Some("ou_li"), None]);
    for (visible_only, count) in [(None, 2), (Some(true), 1)] {
        let fields = world.helpdesk.customized_fields(visible_only).await.unwrap();
        assert_eq!((fields.ticket.len(), fields.broken), (count, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_custom_bot_takes_a_signed_card() {
    let world = World::new().await;
    let hook =
        Hook { token: "h".to_string(), chat_id: "oc_a".to_string(), secret: Some("s".to_string()), ..Hook::default() };
    let path = lock(&world.platform).add_hook(hook);
    let config = |secret: &str| WebhookConfig {
        url: format!("{}{path}", world.server.base_url()).into(),
        secret: Some(secret.into()),
    };
    let card = Card {
        title: "标题".to_string(),
        colour: Colour::Blue,
        tags: vec![],
        body: "x".to_string(),
        footer: String::new(),
        ..Card::default()
    };
    let post = |secret| {
        let hook = Webhook::new(&config(secret), http::loopback_client(), world.clock.clone());
        let card = card.clone();
        async move { hook.post(&card).await }
    };
    post("s").await.unwrap();
    assert_eq!(lock(&world.platform).messages_in("oc_a")[0].card().unwrap().title, "标题");
    assert_eq!(post("wrong").await.unwrap_err().code, Some(19_021));
}

#[tokio::test(start_paused = true)]
async fn events_are_opened() {
    let world = World::new().await;
    let app = lock(&world.platform).app().clone();
    let open = |delivery: &Delivery, key: Option<String>| {
        let callback =
            Callback::new(app.verification_token.clone().into(), key.map(Into::into), EventReader::default());
        let mut headers = reqwest::header::HeaderMap::new();
        for (name, value) in &delivery.headers {
            let name: reqwest::header::HeaderName = name.parse().unwrap();
            headers.insert(name, value.parse().unwrap());
        }
        callback.open(&headers, delivery.body.as_bytes(), START)
    };
    for key in [app.encrypt_key.clone(), None] {
        let mut platform = lock(&world.platform);
        platform.app_mut().encrypt_key.clone_from(&key);
        let challenge = platform.url_verification("abc", START.as_ms());
        assert_eq!(open(&challenge, key.clone()), Ok(Opened::Challenge("abc".to_string())));
        let id = platform.person_says("oc_a", "ou_li", "/ticket 6626871355780366331", true, START.as_ms()).unwrap();
        let delivery = platform.take_deliveries(START.as_ms()).pop().unwrap();
        let Ok(Opened::Event(Event::Message(incoming))) = open(&delivery, key) else { panic!("{:?}", delivery.body) };
        assert_eq!((incoming.message.as_str(), incoming.sender.as_str()), (id.as_str(), "ou_li"));
        assert_eq!(incoming.text.trim(), "/ticket 6626871355780366331");
        assert_eq!(incoming.event.as_str(), delivery.event_id);
        platform.settle_delivery(delivery.number, Some(200), START.as_ms());
    }
}
