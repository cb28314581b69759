//! What the notices are posted to: a process of its own, so that its CPU and memory are not ours. It answers every post
//! with 200, a token and an empty list of tickets to whoever asks, and how many posts there were.

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Set in the process that serves.
const ROLE: &str = "DESKBELL_BENCH_SINK";

/// Where notices are posted.
pub(crate) const HOOK: &str = "/hook";

/// Where the count of posts is read.
pub(crate) const COUNT: &str = "/count";

const PLATFORM: &str =
    r#"{"code":0,"msg":"ok","tenant_access_token":"t-bench","expire":7200,"data":{"tickets":[],"total":0}}"#;

/// The serving process; it ends with this value.
pub(crate) struct Sink {
    child: Child,
    /// `http://127.0.0.1:…`
    pub(crate) base: String,
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// Starts the serving process.
pub(crate) fn start() -> Sink {
    let mut child = Command::new(env::current_exe().expect("this program has a path"))
        .env(ROLE, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this program can be started again");
    let mut line = String::new();
    let out = child.stdout.take().expect("it is piped");
    BufReader::new(out).read_line(&mut line).expect("the sink says its address");
    Sink { child, base: line.trim().to_owned() }
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
    let posts = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming().flatten() {
        let posts = Arc::clone(&posts);
        thread::spawn(move || answer(stream, &posts));
    }
    std::process::exit(0);
}

fn answer(stream: TcpStream, posts: &AtomicUsize) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::with_capacity(64 * 1024, stream.try_clone().ok()?);
    let mut stream = stream;
    let mut body = Vec::new();
    loop {
        let (path, bytes) = head(&mut reader)?;
        body.resize(bytes, 0);
        reader.read_exact(&mut body).ok()?;
        let answer = match path.as_str() {
            HOOK => {
                posts.fetch_add(1, Ordering::Relaxed);
                String::new()
            }
            COUNT => posts.load(Ordering::Relaxed).to_string(),
            _ => PLATFORM.to_owned(),
        };
        let kind = "HTTP/1.1 200 OK\r\ncontent-type: application/json";
        stream.write_all(format!("{kind}\r\ncontent-length: {}\r\n\r\n{answer}", answer.len()).as_bytes()).ok()?;
    }
}

/// Path and body length of the next request.
fn head(reader: &mut BufReader<TcpStream>) -> Option<(String, usize)> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let path = line.split([' ', '?']).nth(1)?.to_owned();
    let mut bytes = 0;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            return Some((path, bytes));
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            bytes = value.trim().parse().ok()?;
        }
    }
}
