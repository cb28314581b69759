//! The directory against the fake platform, on virtual time: one question at a time, none that is waited for in vain
//! twice.

use std::sync::{Arc, Mutex};

use deskbell::{
    adapters::{
        clock::Clock,
        feishu::{
            client::Client,
            config::{BaseUrl, Config, Events},
        },
        http,
    },
    domain::{
        desk::settings::Limits,
        id::ChatId,
        people::{KnownPerson, Standing},
        plan::Plan,
        receiver::PersonId,
        time::Span,
    },
    engine::{
        busy::Busy,
        directory::{Directory, Found, MEMBERS_FRESH},
        doors::{self, Queues},
    },
    sim::{
        directory::ChatKind,
        faults::Fault,
        http::{Server, Shared, lock},
        platform::Platform,
        route::Route,
    },
};
use tokio::{net::TcpListener, task::JoinSet, time::timeout};

use crate::world::{START, TEAM};

/// A directory of a platform with Li in a chat and Eve beside it.
struct Hall {
    platform: Shared,
    _server: Server,
    _queues: Queues,
    clock: Clock,
    directory: Directory,
}

impl Hall {
    async fn open() -> Self {
        http::install_crypto();
        let mut platform = Platform::new(3);
        platform.add_chat(TEAM, "team", ChatKind::Group);
        platform.add_person("ou_li", "李雷", "li@example.com");
        platform.add_person("ou_eve", "Eve", "eve@example.com");
        platform.add_member(TEAM, "ou_li");
        let app = platform.app().clone();
        let platform: Shared = Arc::new(Mutex::new(platform));
        let clock = Clock::anchored(START);
        let reading = clock.clone();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server::start(listener, Arc::clone(&platform), Arc::new(move || reading.now().as_ms())).unwrap();
        let config = Config {
            base_url: BaseUrl::parse(&server.base_url()).unwrap(),
            app_id: app.app_id,
            app_secret: app.app_secret.into(),
            plan: Plan::Paid,
            events: Events::default(),
            limits: Limits::default(),
        };
        let client = Client::new(&config, http::loopback_client(), clock.clone());
        let (doors, queues) = doors::open();
        let directory = Directory::new(client, clock.clone(), doors, Busy::default());
        Self { platform, _server: server, _queues: queues, clock, directory }
    }

    fn fail(&self, route: Route, fault: Fault) {
        lock(&self.platform).fail_next(route, fault, 1);
    }

    fn calls(&self, route: Route) -> usize {
        lock(&self.platform).count(route)
    }

    async fn find(&self, email: &str) -> Found {
        let person = PersonId::Email(email.into());
        self.directory.find(std::slice::from_ref(&person)).await.remove(&person).unwrap()
    }
}

fn there(id: &str) -> Found {
    Found::There(id.into())
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_for_the_same_waits_for_the_same_answer() {
    let hall = Arc::new(Hall::open().await);
    hall.fail(Route::UserIds, Fault::Slow(3_000));
    hall.fail(Route::ChatMembers, Fault::Slow(3_000));
    let mut askers = JoinSet::new();
    for _ in 0..10 {
        let (hall, chat) = (Arc::clone(&hall), ChatId::from(TEAM));
        askers.spawn(async move {
            let found = hall.find("li@example.com").await;
            (found, hall.directory.members(&chat, MEMBERS_FRESH).await.map(|members| members.len()))
        });
    }
    while let Some(answer) = askers.join_next().await {
        assert_eq!(answer.unwrap(), (there("ou_li"), Ok(1)));
    }
    assert_eq!((hall.calls(Route::UserIds), hall.calls(Route::ChatMembers)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_question_under_way_holds_up_no_other() {
    let hall = Arc::new(Hall::open().await);
    assert_eq!(hall.find("li@example.com").await, there("ou_li"));
    hall.fail(Route::UserIds, Fault::Slow(60_000));
    let slow = Arc::clone(&hall);
    let asking = tokio::spawn(async move { slow.find("eve@example.com").await });
    hall.clock.sleep(Span::from_secs(1)).await;
    let began = hall.clock.now();
    assert_eq!(hall.find("li@example.com").await, there("ou_li"));
    assert!(hall.clock.now().since(began) < Span::from_secs(1), "known people are not waited for");
    asking.abort();
}

#[tokio::test(start_paused = true)]
async fn a_question_given_up_is_not_waited_for_again_at_once() {
    let hall = Hall::open().await;
    let chat = ChatId::from(TEAM);
    hall.fail(Route::UserIds, Fault::Slow(60_000));
    hall.fail(Route::ChatMembers, Fault::Slow(60_000));
    let patience = Span::from_secs(5).to_std();
    timeout(patience, hall.find("li@example.com")).await.unwrap_err();
    timeout(patience, hall.directory.members(&chat, MEMBERS_FRESH)).await.unwrap_err();
    let began = hall.clock.now();
    assert_eq!(hall.find("li@example.com").await, Found::Unknown);
    hall.directory.members(&chat, MEMBERS_FRESH).await.unwrap_err();
    assert!(hall.clock.now().since(began) < Span::from_secs(1));
    assert_eq!((hall.calls(Route::UserIds), hall.calls(Route::ChatMembers)), (1, 1));
    hall.clock.sleep(Span::from_mins(1)).await;
    assert_eq!(hall.find("li@example.com").await, there("ou_li"));
    assert_eq!(hall.directory.members(&chat, MEMBERS_FRESH).await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_believed_for_a_minute_and_only_where_it_is_the_platform_s_for_all() {
    for (fault, asked_again) in [(Fault::Refused(400, 99_991_672), 0), (Fault::Refused(400, 99_992_402), 1)] {
        let hall = Hall::open().await;
        hall.fail(Route::UserIds, fault);
        assert_eq!(hall.find("li@example.com").await, Found::Unknown);
        assert_eq!(hall.find("li@example.com").await, Found::Unknown);
        assert_eq!(hall.calls(Route::UserIds), 1, "{fault:?}: not at once");
        hall.find("eve@example.com").await;
        assert_eq!(hall.calls(Route::UserIds), 1 + asked_again, "{fault:?}: someone else");
        hall.clock.sleep(Span::from_mins(1)).await;
        assert_eq!(hall.find("li@example.com").await, there("ou_li"), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_known_before_a_restart_stands_until_the_platform_says_more() {
    let hall = Hall::open().await;
    let known = |email: &str, id: &str, name: &str| KnownPerson {
        person: PersonId::Email(email.into()),
        open_id: Some(id.into()),
        name: Some(name.into()),
        standing: Standing::Active,
    };
    hall.directory
        .remember(&[known("li@example.com", "ou_li_of_old", "李"), known("gone@example.com", "ou_gone", "去")]);
    assert_eq!(hall.directory.name(&"ou_gone".into()).as_deref(), Some("去"));
    hall.fail(Route::UserIds, Fault::Refused(400, 99_991_672));
    assert_eq!(hall.find("li@example.com").await, there("ou_li_of_old"), "the platform refuses to say more");
    hall.clock.sleep(Span::from_mins(2)).await;
    assert_eq!(hall.find("li@example.com").await, there("ou_li"), "asked for all the same");
    assert_eq!(hall.find("gone@example.com").await, Found::Nobody);
}
