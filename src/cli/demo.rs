//! `deskbell demo`: the simulated platform and the real service against it.

pub mod script;
pub mod stage;
pub mod watch;
pub mod screen;

use clap::Args;

use crate::cli::{run::Stop, terminal::Terminal};

/// What the demonstration is asked for.
#[derive(Clone, Debug, Args)]
pub struct DemoArguments {
    /// 运行这么久就结束，不需要终端，例如 60s · End after this time; needs no terminal
    #[arg(long = "for", value_name = "DURATION")]
    pub run_for: Option<String>,
    /// 随机数种子，相同的种子输出相同 · The seed; the same seed prints the same lines
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// 把卡片也发到这个自定义机器人 · Also post the cards to this custom bot
    #[arg(long, value_name = "URL")]
    pub to: Option<String>,
    /// 自定义机器人的签名密钥 · The custom bot's signing secret
    #[arg(long, requires = "to")]
    pub secret: Option<String>,
}

/// Runs the demonstration.
pub fn run(_arguments: &DemoArguments, _terminal: Terminal) -> Result<(), Stop> {
    Err(Stop::failure("demo 还没有接上", "the demo is not wired yet"))
}
