//! The last step of `deskbell init`: Feishu saves "long connection" in its console only while a client is connected, so one
//! is held while the person saves it. Whatever comes meanwhile is handed back: the service will take it.

use std::{path::Path, sync::Arc};

use tokio::sync::watch;

use crate::{
    adapters::{
        clock::Clock,
        feishu::{
            client::Client,
            error::Error,
            long_connection::{
                connection::{Handle, LongConnection, Means},
                frame::Ack,
            },
        },
        http::{self, tunnel::Tunnel},
    },
    cli::{prepare, run::Stop, terminal::Terminal},
    domain::{text::Message, time::Span},
};

/// How long the connection may take to stand.
pub const STAND_MAX: Span = Span::from_secs(20);

/// How long it is held.
pub const HOLD_MAX: Span = Span::from_mins(10);

/// How a connection that was held ended.
#[derive(Debug)]
pub enum Held {
    /// The person said that it is done, or that it is for later.
    Said(bool),
    /// Nobody said anything for [`HOLD_MAX`].
    Forgotten,
    /// It never stood.
    Failed(Option<Error>),
}

/// Holds the connection while the person saves the setting; where nobody can be asked, says how to do it later.
pub fn while_it_is_saved(
    client: &Client,
    app_page: &str,
    dir: &Path,
    can_wait: bool,
    terminal: Terminal,
) -> Result<(), Stop> {
    if can_wait {
        let tunnel = Tunnel::new(&http::Config::default()).map_err(|fault| Stop::Usage(fault.message))?;
        let runtime = prepare::small_runtime()?;
        let standing = || terminal.say(&invitation(app_page));
        let held = runtime.block_on(hold(client, tunnel, Clock::system(), standing, async move {
            let question = Message::new(
                "保存好后按回车；以后再做，输入 s 回车：",
                "Press Enter once it is saved; for later, type s and Enter:",
            );
            let typed = tokio::task::spawn_blocking(move || terminal.ask(&question)).await;
            matches!(typed.ok().flatten().as_deref(), Some(""))
        }));
        runtime.shutdown_background(); // somebody may still be asked
        terminal.print("");
        tell(&held, terminal);
        if !matches!(held, Held::Said(true)) {
            later(terminal);
        }
    } else {
        later(terminal);
    }
    let dir = dir.display();
    terminal.say(&Message::new(
        format!("下一步：cd {dir} && deskbell check && deskbell doctor && deskbell serve"),
        format!("Next: cd {dir} && deskbell check && deskbell doctor && deskbell serve"),
    ));
    Ok(())
}

/// Holds a connection until `said` is ready, for at most [`HOLD_MAX`]; `standing` is called once it stands.
pub async fn hold(
    client: &Client,
    tunnel: Tunnel,
    clock: Clock,
    standing: impl FnOnce(),
    said: impl Future<Output = bool>,
) -> Held {
    // Nobody acts on events here: handed back, they come again when the service runs.
    let handle: Handle = Arc::new(|_| Box::pin(async { Ack::Failed }));
    let draw = Arc::new(rand::random::<f64>);
    let means = Means { client: client.clone(), tunnel, clock: clock.clone(), draw, handle };
    let (connection, mut watched) = LongConnection::new(means);
    let (stop, stopping) = watch::channel(false);
    let running = tokio::spawn(connection.run(stopping));
    let stands = tokio::select! {
        biased;
        up = watched.wait_for(|standing| standing.is_up() || standing.failures > 0) => up.is_ok_and(|up| up.is_up()),
        () = clock.sleep(STAND_MAX) => false,
    };
    let held = if stands {
        standing();
        tokio::select! {
            biased;
            said = said => Held::Said(said),
            () = clock.sleep(HOLD_MAX) => Held::Forgotten,
        }
    } else {
        Held::Failed(watched.borrow().error.clone())
    };
    stop.send_replace(true);
    drop(running.await); // it ends by itself, in bounded time
    held
}

fn invitation(app_page: &str) -> Message {
    let minutes = HOLD_MAX.as_secs() / 60;
    Message::new(
        format!(
            "✓ 已与飞书建立长连接，保持 {minutes} 分钟。现在去 {app_page} > 事件与回调：事件配置和回调配置的订阅方式都选\
             “使用长连接”，分别保存"
        ),
        format!(
            "✓ The long connection stands, for {minutes} minutes. Now open {app_page} > Events & Callbacks: choose \
             \"persistent connection\" as the subscription mode of both events and callbacks, and save each"
        ),
    )
}

fn tell(held: &Held, terminal: Terminal) {
    match held {
        Held::Said(true) => terminal.say(&Message::new(
            "✓ 好。别忘了添加事件和回调，并发布一个版本",
            "✓ Fine. Add the event and the callback, and publish a version",
        )),
        Held::Said(false) => {}
        Held::Forgotten => terminal.say(&Message::new("长连接已收起，没有再等", "The connection is closed again")),
        Held::Failed(error) => {
            let Message { zh, en } = match error {
                Some(error) => error.message(),
                None => Message::new("20 秒内没有连上", "it did not stand within 20 seconds"),
            };
            terminal.say(&Message::new(
                format!("✗ 长连接没有建立：{zh}"),
                format!("✗ the long connection does not stand: {en}"),
            ));
        }
    }
}

/// How to save the setting at another time.
fn later(terminal: Terminal) {
    terminal.say(&Message::new(
        "长连接以后再设置：先运行 deskbell serve，再去后台保存（飞书只在有客户端连着时才让保存）",
        "The long connection can be set later: run deskbell serve first, then save it in the console (Feishu saves it \
         only while a client is connected)",
    ));
}

/// How it stands, for whoever only looks.
pub async fn try_once(client: &Client, tunnel: Tunnel, clock: Clock) -> Result<(), Option<Error>> {
    match hold(client, tunnel, clock, || (), async { true }).await {
        Held::Failed(error) => Err(error),
        Held::Said(_) | Held::Forgotten => Ok(()),
    }
}
