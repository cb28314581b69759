//! `deskbell demo`: the simulated platform and the real service against it, in a terminal. Nothing leaves the machine,
//! but for `--to`, and nothing is left behind.

pub mod script;
pub mod english;
pub mod stage;
pub mod watch;
pub mod screen;
pub mod configuration;
pub mod world;
pub mod pace;
pub mod typed;
pub mod mirror;
pub mod words;

use std::{
    convert::Infallible,
    io::{self, IsTerminal, Write},
    pin::pin,
    time::Duration,
};

use clap::Args;
use secrecy::SecretString;
use tokio::sync::mpsc;

use crate::{
    cli::{
        demo::{
            mirror::Mirror,
            pace::Pace,
            screen::Screen,
            watch::{Seen, What},
            world::World,
        },
        prepare,
        run::Stop,
        signals::Signals,
        terminal::Terminal,
    },
    domain::time::{Span, Zone},
    sim::app::Transport,
};

/// What the demonstration is asked for.
#[derive(Clone, Debug, Args)]
pub struct DemoArguments {
    /// 运行这么久就结束，不需要终端，例如 60s · End after this time; needs no terminal
    #[arg(long = "for", value_name = "DURATION")]
    pub run_for: Option<String>,
    /// 随机数种子，相同的种子输出相同 · The seed; the same seed prints the same lines
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// 快慢，2 是两倍快 · How fast: 2 is twice as fast
    #[arg(long, default_value_t = 1.0, conflicts_with = "run_for")]
    pub speed: f64,
    /// 事件走 HTTP 回调，不走长连接 · Events arrive over HTTP callbacks instead of the long connection
    #[arg(long)]
    pub http: bool,
    /// 把卡片也发到这个自定义机器人 · Also post the cards to this custom bot
    #[arg(long, value_name = "URL", value_parser = secret)]
    pub to: Option<SecretString>,
    /// 自定义机器人的签名密钥 · The custom bot's signing secret
    #[arg(long, requires = "to", value_parser = secret)]
    pub secret: Option<SecretString>,
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a value parser")]
fn secret(typed: &str) -> Result<SecretString, Infallible> {
    Ok(SecretString::from(typed))
}

/// Runs the demonstration.
pub fn run(arguments: &DemoArguments, terminal: Terminal) -> Result<(), Stop> {
    let pace = Pace::new(arguments.run_for.as_deref(), arguments.speed)?;
    // One thread: the world depends on it.
    let runtime = prepare::small_runtime()?;
    let ended = runtime.block_on(show(arguments, pace, terminal));
    runtime.shutdown_background();
    ended
}

async fn show(arguments: &DemoArguments, pace: Pace, terminal: Terminal) -> Result<(), Stop> {
    let mut signals = Signals::new()?;
    let mut signal = pin!(signals.next());
    let mirror = match &arguments.to {
        Some(url) => Some(Mirror::new(url, arguments.secret.as_ref(), terminal)?),
        None => None,
    };
    let transport = if arguments.http { Transport::Http } else { Transport::LongConnection };
    let mut world = World::build(arguments.seed, terminal.locale, transport).await?;
    let zone = Zone(chrono_tz::Asia::Shanghai);
    let mut performance = Performance {
        screen: Screen { has_colour: terminal.has_colour(), zone, locale: terminal.locale },
        pace,
        mirror,
        typed: typed::lines(),
        is_deaf: false,
        has_company: arguments.run_for.is_none() && io::stdin().is_terminal(),
        has_told_next: false,
    };
    let ticket = world.ticket_to_try().filter(|_| arguments.run_for.is_none()).map(str::to_string);
    let opening = words::opening(arguments.seed, ticket.as_deref());
    let played = tokio::select! {
        played = performance.play(&mut world, &opening) => played,
        () = &mut signal => print("\n").map(|()| Ended::Stopped),
    };
    let trouble = world.trouble();
    world.stop().await;
    if let Some(trouble) = trouble {
        return Err(trouble);
    }
    let ended = match played {
        Ok(Ended::Stopped) => performance.close(Span::ZERO, terminal).await,
        Ok(Ended::ByItself) => {
            let patience = performance.pace.left();
            tokio::select! {
                closed = performance.close(patience, terminal) => closed,
                () = signal => Ok(()),
            }
        }
        Err(gone) => Err(gone),
    };
    match ended {
        Err(Gone(error)) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Stop::failure(format!("写不出去：{error}"), format!("cannot write: {error}")))
        }
        // Whoever closed the pipe has seen enough.
        _ => Ok(()),
    }
}

/// How the day ended.
#[derive(Clone, Copy, Debug)]
enum Ended {
    /// It was over.
    ByItself,
    /// Somebody stopped it.
    Stopped,
}

/// Nobody reads what is printed any more.
#[derive(Debug)]
struct Gone(io::Error);

/// The day as it is shown.
struct Performance {
    screen: Screen,
    pace: Pace,
    mirror: Option<Mirror>,
    typed: mpsc::Receiver<String>,
    /// Nothing more will be typed.
    is_deaf: bool,
    /// Somebody sits before it, who ends it.
    has_company: bool,
    /// What to do next was said.
    has_told_next: bool,
}

impl Performance {
    async fn play(&mut self, world: &mut World, opening: &str) -> Result<Ended, Gone> {
        print(opening)?;
        let mut news = Some(world.begin().await);
        while let Some(seen) = news {
            let line = self.show(&seen, world).await?;
            self.answer(line, world).await?;
            news = world.go_on().await;
        }
        if self.has_company && world.trouble().is_none() {
            print(&format!("{}{}\n", words::STAYS, words::NEXT))?;
            self.has_told_next = true;
            while let Some(line) = self.next_line().await {
                self.answer(Some(line), world).await?;
            }
        }
        if !self.has_told_next && world.trouble().is_none() {
            print(words::OVER)?;
        }
        Ok(Ended::ByItself)
    }

    /// Shows what is new, card by card at a reader's pace, but all at once when somebody types: the line.
    async fn show(&mut self, seen: &[Seen], world: &World) -> Result<Option<String>, Gone> {
        let script = world.script();
        let day = (script.start, world.now(), script.end);
        let mut line = None;
        for seen in seen {
            self.print(seen)?;
            let cards = u32::from(!matches!(seen.what, What::Words(..) | What::Click(..)));
            if line.is_none() {
                line = self.rest(self.pace.pause(cards, day)).await;
            }
        }
        if seen.is_empty() {
            line = self.rest(self.pace.pause(0, day)).await;
        }
        Ok(line)
    }

    /// Pauses; a line that is typed meanwhile ends the pause.
    async fn rest(&mut self, pause: Duration) -> Option<String> {
        if pause.is_zero() {
            return self.typed.try_recv().ok();
        }
        let pace = self.pace.clone();
        tokio::select! {
            line = self.next_line(), if !self.is_deaf => line,
            () = pace.rest(pause) => None,
        }
    }

    /// The next line; nothing once there are no more.
    async fn next_line(&mut self) -> Option<String> {
        let line = self.typed.recv().await;
        self.is_deaf |= line.is_none();
        line
    }

    /// Takes a line to the bot, and those typed meanwhile.
    async fn answer(&mut self, mut line: Option<String>, world: &mut World) -> Result<(), Gone> {
        while let Some(text) = line {
            let seen = world.hear(&text).await;
            line = self.show(&seen, world).await?;
        }
        Ok(())
    }

    fn print(&self, seen: &Seen) -> Result<(), Gone> {
        if let Some(mirror) = &self.mirror {
            mirror.take(seen);
        }
        print(&self.screen.draw(seen))
    }

    /// The last words.
    async fn close(self, patience: Span, terminal: Terminal) -> Result<(), Gone> {
        if let Some(mirror) = self.mirror {
            terminal.note(&mirror.finish(patience).await);
        }
        if self.has_told_next { Ok(()) } else { print(words::NEXT) }
    }
}

fn print(text: &str) -> Result<(), Gone> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(Gone)
}
