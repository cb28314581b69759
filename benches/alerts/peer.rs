//! The peer: Alertmanager given as many alerts at once, each a group of its own, the same sink behind its webhook. In a
//! process of its own, where this machine has one (`apt-get install prometheus-alertmanager`).

use std::{
    env, fs,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use deskbell::adapters::http;
use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::{
    ALERTS, FLOOR_BODY_BYTES, Run, number_in, posts,
    sink::{HOOK, Sink},
};

/// What it is called, by its makers and by Debian.
const NAMES: [&str; 2] = ["alertmanager", "prometheus-alertmanager"];

/// How often it is looked whether it is up, or done.
const LOOK: Duration = Duration::from_millis(5);

/// How long it may take to be up.
const PATIENCE: Duration = Duration::from_secs(20);

/// Ticks of a CPU clock in a second, as `/proc` counts them.
const TICKS_A_SECOND: f64 = 100.0;

/// Its program, where there is one.
pub(crate) fn program() -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let mut all = env::split_paths(&path).flat_map(|folder| NAMES.map(|name| folder.join(name)));
    all.find(|program| program.is_file())
}

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _waited = self.0.wait();
    }
}

/// One repetition: from the post of all alerts until the sink has as many notifications.
pub(crate) fn ring(program: &PathBuf, sink: &Sink) -> Run {
    let home = TempDir::new().expect("a temporary directory");
    let hook = format!("{}{HOOK}", sink.base);
    let config = format!(
        "route: {{ receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 1h, repeat_interval: 4h }}\n\
         receivers: [{{ name: hook, webhook_configs: [{{ url: '{hook}', send_resolved: false }}] }}]\n"
    );
    let file = home.path().join("alertmanager.yml");
    fs::write(&file, config).expect("the folder takes files");
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    let address = free.expect("loopback has a port left");
    let child = Command::new(program)
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.path={}", home.path().join("data").display()))
        .arg(format!("--web.listen-address={address}"))
        .args(["--cluster.listen-address=", "--log.level=error"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let pid = child.id();
    let _ended = Ended(child);
    let runtime = Runtime::new().expect("a runtime");
    let client = http::loopback_client();
    let up = Instant::now();
    while !runtime.block_on(async { client.get(format!("http://{address}/-/ready")).send().await.is_ok() }) {
        assert!(up.elapsed() < PATIENCE, "it is not up");
        thread::sleep(LOOK);
    }
    let body = alerts();
    let (before, cpu) = (posts(sink), cpu_seconds(pid));
    let begun = Instant::now();
    let url = format!("http://{address}/api/v2/alerts");
    let answer = runtime.block_on(async {
        client
            .post(url)
            .header("content-type", "application/json")
            .body(body)
            .send()
            .await
            .map(|answer| answer.status())
    });
    assert!(answer.expect("it answers").is_success());
    while posts(sink) - before < ALERTS {
        thread::sleep(LOOK);
    }
    Run {
        seconds: begun.elapsed().as_secs_f64(),
        cpu_seconds: cpu_seconds(pid) - cpu,
        peak_mb: number_in(&format!("/proc/{pid}/status"), "VmHWM:") / 1_000.0,
        ..Run::default()
    }
}

/// As many alerts; with what it adds, a notification is as long as one of ours.
fn alerts() -> String {
    let text = "x".repeat(FLOOR_BODY_BYTES * 3 / 5);
    let alert = |number: usize| {
        json!({
            "labels": { "alertname": "waiting", "severity": "warning", "team": "support", "ticket": number.to_string() },
            "annotations": { "summary": text },
        })
    };
    json!((0..ALERTS).map(alert).collect::<Vec<_>>()).to_string()
}

fn cpu_seconds(pid: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let behind = text.rsplit(')').next().unwrap_or_default();
    let ticks = |place: usize| behind.split_whitespace().nth(place).and_then(|text| text.parse().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / TICKS_A_SECOND
}
