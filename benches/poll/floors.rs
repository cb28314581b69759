//! The least that reading 10,000 tickets can cost, with the client and the process of the real path.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use xxhash_rust::xxh3::xxh3_64;

use crate::pages;

#[derive(Deserialize)]
struct Answer<T> {
    data: Data<T>,
}

#[derive(Deserialize)]
struct Data<T> {
    tickets: Vec<T>,
}

/// A ticket as a plain client would type it.
#[expect(dead_code, reason = "what it holds is not looked at, only made")]
#[derive(Deserialize)]
struct Typed {
    ticket_id: String,
    helpdesk_id: String,
    guest: Option<Person>,
    comments: Option<Comment>,
    ticket_type: i64,
    status: i64,
    score: i64,
    created_at: i64,
    updated_at: i64,
    closed_at: i64,
    agents: Vec<Person>,
    channel: i64,
    solve: i64,
    closed_by: Option<Person>,
    collaborators: Option<Vec<Person>>,
    customized_fields: Vec<CustomField>,
    agent_service_duration: f64,
    agent_first_response_duration: i64,
    bot_service_duration: i64,
    agent_resolution_time: i64,
    actual_processing_time: i64,
    agent_entry_time: i64,
    agent_first_response_time: i64,
    agent_last_response_time: i64,
    agent_owner: Option<Person>,
}

#[expect(dead_code, reason = "what it holds is not looked at, only made")]
#[derive(Deserialize)]
struct Person {
    id: String,
    avatar_url: Option<String>,
    name: String,
    email: Option<String>,
    department: Option<String>,
    city: Option<String>,
    country: Option<String>,
}

#[expect(dead_code, reason = "what it holds is not looked at, only made")]
#[derive(Deserialize)]
struct Comment {
    content: String,
    created_at: i64,
    id: i64,
    user_avatar_url: Option<String>,
    user_id: i64,
    user_name: String,
}

#[expect(dead_code, reason = "what it holds is not looked at, only made")]
#[derive(Deserialize)]
struct CustomField {
    id: String,
    value: String,
    key_name: String,
    display_name: String,
    position: i64,
    required: bool,
    editable: bool,
}

async fn receive(http: &reqwest::Client, base: &str, page: u64) -> Bytes {
    let url = format!("{base}/open-apis/helpdesk/v1/tickets?page={page}&page_size={}", pages::PAGE);
    let answer = http.get(url).bearer_auth("t-bench").send().await.expect("the server answers");
    answer.bytes().await.expect("the answer is whole")
}

/// Receive, split the pages, hash each ticket.
pub(crate) async fn hashed(http: &reqwest::Client, base: &str) -> u64 {
    let (mut count, mut all) = (0, 0);
    for page in 1..=pages::PAGES {
        let body = receive(http, base, page).await;
        let answer: Answer<&RawValue> = serde_json::from_slice(&body).expect("the page is JSON");
        for ticket in answer.data.tickets {
            all ^= xxh3_64(ticket.get().as_bytes());
            count += 1;
        }
    }
    assert_eq!((count, all != 0), (pages::TICKETS, true));
    all
}

/// Receive, decode into types.
pub(crate) async fn typed(http: &reqwest::Client, base: &str) -> u64 {
    let mut count = 0;
    for page in 1..=pages::PAGES {
        let body = receive(http, base, page).await;
        let answer: Answer<Typed> = serde_json::from_slice(&body).expect("the page is JSON");
        count += answer.data.tickets.len() as u64;
        std::hint::black_box(&answer.data.tickets);
    }
    assert_eq!(count, pages::TICKETS);
    count
}
