//! One token for all, renewed in time, thrown away when refused.

use std::time::Duration;

use super::*;
use crate::adapters::feishu::fake::{Answer, Fake};

/// The token a request came with.
fn bearer(authorization: &str) -> &str {
    authorization.strip_prefix("Bearer ").unwrap()
}

async fn many_calls(client: &Client, count: usize) -> Vec<Result<(), Error>> {
    let calls = (0..count).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.chats().await.map(drop) })
    });
    let mut results = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        results.push(call.await.unwrap());
    }
    results
}

fn no_chats() -> Answer {
    Answer::data(&json!({ "items": [] }))
}

#[tokio::test(start_paused = true)]
async fn all_who_wait_share_one_fetch() {
    let fake = Fake::with_token(|_| no_chats()).await;
    let client = fake.client();
    assert!(many_calls(&client, 20).await.iter().all(Result::is_ok));
    assert_eq!((fake.tokens(), fake.asked().len()), (1, 20));
    assert!(fake.asked().iter().all(|asked| bearer(&asked.authorization) == "t-secret-1"));
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_and_the_call_repeated_once() {
    for (status, code) in
        [(200, 99_991_663), (400, 99_991_663), (401, 99_991_664), (400, 99_991_665), (400, 99_991_671)]
    {
        let fake = Fake::start(move |asked, before| match asked.authorization.as_str() {
            "" if before == 0 => Answer::token("t-secret-1", 7_200),
            "" => Answer::token("t-secret-2", 7_200),
            "Bearer t-secret-2" => no_chats(),
            _ => Answer::code(status, code, "Invalid access token for authorization"),
        })
        .await;
        let client = fake.client();
        assert!(many_calls(&client, 10).await.iter().all(Result::is_ok), "{code}");
        assert_eq!(fake.tokens(), 2, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_refused_twice_is_for_a_person_to_look_at() {
    let fake = Fake::with_token(|_| Answer::code(200, 99_991_663, "Invalid access token")).await;
    let error = fake.client().chats().await.unwrap_err();
    assert_eq!((error.advice, error.code), (Advice::SetUp, Some(99_991_663)));
    assert_eq!((fake.tokens(), fake.asked().len()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn only_the_token_that_was_sent_is_thrown_away() {
    let fake = Fake::with_token(|_| no_chats()).await;
    let client = fake.client();
    let token = client.token().await.unwrap();
    client.tokens().evict(&Arc::new(SecretString::from("t-another")));
    assert!(Arc::ptr_eq(&token, &client.token().await.unwrap()));
    client.tokens().evict(&token);
    client.token().await.unwrap();
    assert_eq!(fake.tokens(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_ageing_token_is_renewed_while_it_is_used() {
    let fake = Fake::start(|asked, before| match asked.is_token() {
        true if before == 0 => Answer::token("t-secret-1", 7_200),
        true => Answer::token("t-secret-2", 7_200),
        false => no_chats(),
    })
    .await;
    let client = fake.client();
    many_calls(&client, 1).await;
    tokio::time::advance(Duration::from_secs(90 * 60)).await;
    many_calls(&client, 1).await;
    assert_eq!(fake.tokens(), 1, "30 minutes are left: asking would return the same token");
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(many_calls(&client, 10).await.iter().all(Result::is_ok));
    settle(|| fake.tokens() == 2).await;
    assert_eq!(bearer(&fake.asked().last().unwrap().authorization), "t-secret-1");
    many_calls(&client, 1).await;
    assert_eq!(bearer(&fake.asked().last().unwrap().authorization), "t-secret-2");
}

/// Lets the tasks of the runtime go on until `done`, without waiting for time.
async fn settle(done: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if done() {
            break;
        }
        tokio::task::yield_now().await;
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(done());
}

#[tokio::test(start_paused = true)]
async fn a_dying_token_is_not_used_and_a_failed_renewal_is_not_pressed() {
    let fake = Fake::start(|asked, before| match asked.is_token() {
        true if before == 0 => Answer::token("t-secret-1", 1_200),
        true if before < 12 => Answer::code(200, 2_200, "Internal Error"),
        true => Answer::token("t-secret-2", 7_200),
        false => no_chats(),
    })
    .await;
    let client = fake.client();
    for _ in 0..5 {
        assert!(many_calls(&client, 1).await[0].is_ok());
    }
    settle(|| fake.tokens() == 2).await;
    tokio::time::advance(Duration::from_secs(901)).await;
    let failed = many_calls(&client, 1).await.remove(0).unwrap_err();
    assert_eq!((failed.endpoint, failed.advice), (Endpoint::Token, Advice::Retry));
    assert!(fake.asked().iter().all(|asked| bearer(&asked.authorization) == "t-secret-1"));
}

#[tokio::test(start_paused = true)]
async fn wrong_credentials_are_asked_for_once_in_a_while() {
    let fake = Fake::start(|_, _| Answer::code(200, 10_014, "app secret invalid")).await;
    let client = fake.client();
    for result in many_calls(&client, 10).await {
        let error = result.unwrap_err();
        assert_eq!((error.endpoint, error.advice, error.code), (Endpoint::Token, Advice::SetUp, Some(10_014)));
        assert!(error.message().en.contains("app_id or app_secret is wrong"), "{}", error.message());
    }
    assert_eq!(fake.tokens(), 1);
    tokio::time::advance(TOKEN_REFUSED_HELD.to_std()).await;
    assert!(client.check_credentials().await.is_err());
    assert_eq!(fake.tokens(), 2);
}

#[test]
fn token_answers_are_read_leniently() {
    let life = |body: &str| read_token(body.as_bytes()).map(|(_, life)| life.as_secs());
    assert_eq!(life(r#"{"code":0,"tenant_access_token":"t","expire":7140}"#), Some(7_140));
    assert_eq!(life(r#"{"code":0,"tenant_access_token":"t","expire":"60"}"#), Some(60));
    assert_eq!(life(r#"{"code":0,"tenant_access_token":"t","expire":999999}"#), Some(7_200));
    assert_eq!(life(r#"{"code":0,"tenant_access_token":"t"}"#), Some(1_800));
    for bad in [r#"{"code":0}"#, r#"{"code":0,"tenant_access_token":""}"#, r#"{"tenant_access_token":"t"}"#, "", "[]"] {
        assert_eq!(life(bad), None, "{bad}");
    }
}
