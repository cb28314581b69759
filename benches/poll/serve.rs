//! The platform of the benchmark: a process of its own, so that its CPU is not ours. It answers a token, the list's
//! pages, and nothing else.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    ops::Range,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use crate::pages;

/// Set in the process that serves.
const ROLE: &str = "DESKBELL_BENCH_SERVE";

const TOKEN: &str = r#"{"code":0,"msg":"ok","tenant_access_token":"t-bench","expire":7200}"#;
const NONE: &str = r#"{"code":0,"msg":"ok","data":{"tickets":[],"total":0}}"#;

/// The serving process; it ends with this value.
pub(crate) struct Server {
    child: Child,
    /// `http://127.0.0.1:…`
    pub(crate) base: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// Starts the serving process.
pub(crate) fn start() -> Server {
    let mut child = Command::new(env::current_exe().expect("this program has a path"))
        .env(ROLE, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program can be started again");
    let mut line = String::new();
    let out = child.stdout.take().expect("it is piped");
    BufReader::new(out).read_line(&mut line).expect("the server says its address");
    Server { child, base: line.trim().to_owned() }
}

/// Serves, in the process that is to; returns at once in every other.
pub(crate) fn serve_if_asked() {
    if env::var_os(ROLE).is_none() {
        return;
    }
    thread::spawn(|| {
        let _end = std::io::stdin().read(&mut [0; 1]); // the parent is gone
        std::process::exit(0);
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a port left");
    println!("http://{}", listener.local_addr().expect("it is bound"));
    let pages = Arc::new(Mutex::new(generation(0)));
    for stream in listener.incoming().flatten() {
        let pages = pages.clone();
        thread::spawn(move || answer(stream, &pages));
    }
    std::process::exit(0);
}

type Pages = Arc<Vec<Vec<u8>>>;

fn generation(number: u64) -> Pages {
    Arc::new((0..pages::PAGES).map(|page| pages::page(number, page)).collect())
}

fn answer(stream: TcpStream, pages: &Mutex<Pages>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut stream = stream;
    loop {
        let (target, body_bytes) = head(&mut reader)?;
        reader.read_exact(&mut vec![0; body_bytes]).ok()?;
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let value = |key: &str| query.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='));
        if let Some(number) = path.strip_prefix("/generation/") {
            *pages.lock().ok()? = generation(number.parse().ok()?);
            send(&mut stream, NONE.as_bytes())?;
        } else if path.ends_with("/tickets") {
            let all = pages.lock().ok()?.clone();
            let page: usize = value("page").and_then(|page| page.parse().ok()).unwrap_or(1);
            let shown = all.get(listed(|key| value(key).is_some()))?.get(page.checked_sub(1)?);
            send(&mut stream, shown.map_or(NONE.as_bytes(), Vec::as_slice))?;
        } else {
            send(&mut stream, TOKEN.as_bytes())?;
        }
    }
}

/// Which pages a list has: half of the tickets are open and were updated of late, half are closed and new. Who asks for
/// nothing in particular gets all.
fn listed(asks: impl Fn(&str) -> bool) -> Range<usize> {
    let (half, all) = (pages::PAGES as usize / 2, pages::PAGES as usize);
    match (asks("score"), asks("status_list"), asks("update_time_start"), asks("create_time_start")) {
        (true, ..) | (_, true, _, true) => 0..0,
        (_, true, false, false) | (_, false, true, _) => 0..half,
        (_, true, true, _) | (_, false, _, true) => half..all,
        (_, false, false, false) => 0..all,
    }
}

/// Target and body length of the next request.
fn head(reader: &mut BufReader<TcpStream>) -> Option<(String, usize)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let target = line.split(' ').nth(1)?.to_owned();
    let mut body_bytes = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            return Some((target, body_bytes));
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            body_bytes = value.trim().parse().ok()?;
        }
    }
}

fn send(stream: &mut TcpStream, body: &[u8]) -> Option<()> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(body).ok()
}
