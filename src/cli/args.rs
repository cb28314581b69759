//! The arguments: what may be typed, and the help that is read aloud.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{
    cli::{logging::LogFormat, schema::SchemaOf, ticket::TicketArguments},
    domain::text::Locale,
};

/// What a person typed.
#[derive(Debug, Parser)]
#[command(
    name = "deskbell",
    version,
    about = "看住客服工单，在出问题之前提醒对的飞书群 · Watches support tickets and rings the right Feishu chat before \
             a ticket goes bad",
    after_help = "第一次用：deskbell demo 不需要任何账号；deskbell init <目录> 接入真实的飞书租户。\n\
                  First time: deskbell demo needs no account; deskbell init <DIR> connects a real Feishu tenant.\n\n\
                  退出码 exit codes: 0 成功 done, 1 失败 failed, 2 用法或配置有误 bad usage or configuration",
    disable_help_subcommand = true,
    arg_required_else_help = true
)]
pub struct Arguments {
    /// 输出语言，默认看 LC_ALL、LC_MESSAGES、LANG · Language of the output; default: what the environment says
    #[arg(long, global = true, value_name = "zh|en")]
    pub lang: Option<Language>,
    /// 日志格式 · What log lines look like
    #[arg(long, global = true, value_name = "text|json", default_value = "text", hide_possible_values = true)]
    pub log_format: LogFormat,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// A language as typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Language {
    /// Chinese.
    Zh,
    /// English.
    En,
}

impl From<Language> for Locale {
    fn from(language: Language) -> Self {
        match language {
            Language::Zh => Self::Zh,
            Language::En => Self::En,
        }
    }
}

/// What an answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Which configuration.
#[derive(Clone, Debug, Args)]
pub struct ConfigPath {
    /// 配置文件 · The configuration file
    #[arg(long, short, value_name = "FILE", default_value = "deskbell.yaml")]
    pub config: PathBuf,
}

/// What deskbell is asked to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// 运行服务 · Run the service
    Serve {
        /// Which configuration.
        #[command(flatten)]
        at: ConfigPath,
        /// 每个数据源读一遍，发完就退出 · Poll every source once, deliver, exit
        #[arg(long)]
        once: bool,
    },
    /// 检查配置、规则和模板，不联网 · Check configuration, rules and templates, offline
    Check {
        /// Which configuration.
        #[command(flatten)]
        at: ConfigPath,
    },
    /// 跑规则测试（*.test.yaml）：不联网，不动数据 · Run rule tests (*.test.yaml): no network, no store
    Test {
        /// 文件夹或测试文件；默认是配置里的 rules · Folders or test files; default: the configuration's rules
        paths: Vec<PathBuf>,
        /// 配置文件；不写就用当前目录的 deskbell.yaml，没有就用替身 · The configuration; default: deskbell.yaml here, else stand-ins
        #[arg(long, short, value_name = "FILE")]
        config: Option<PathBuf>,
        /// 卡片的语言；默认按配置 · The language of the cards; default: as configured
        #[arg(long, value_name = "zh|en")]
        locale: Option<Language>,
        /// 结果的格式 · What the result looks like
        #[arg(long, value_name = "text|json", default_value = "text", hide_possible_values = true)]
        format: Format,
    },
    /// 联网检查凭证、权限、群和字段，并说明该点哪里 · Check credentials, scopes, chats and fields against the API
    Doctor {
        /// Which configuration.
        #[command(flatten)]
        at: ConfigPath,
        /// 把能在这里办的办好：订阅服务台事件 · Also set right what can be: subscribe to helpdesk events
        #[arg(long)]
        fix: bool,
    },
    /// 查一张工单 · Look up one ticket
    Ticket(TicketArguments),
    /// 列出自定义字段和选项 · List the custom fields and their options
    Fields {
        /// Which configuration.
        #[command(flatten)]
        at: ConfigPath,
    },
    /// 每条规则看什么、什么时候提醒、通知谁、花多少调用 · What each rule watches, rings, tells and costs
    Rules {
        /// Which configuration.
        #[command(flatten)]
        at: ConfigPath,
        /// 只看这一条（名字的一部分也行） · This rule only; a part of its name will do
        name: Option<String>,
        /// 输出格式 · What the answer looks like
        #[arg(long, value_name = "text|json", default_value = "text", hide_possible_values = true)]
        format: Format,
    },
    /// 规则能用的每个词：字段、值、时长，中英文 · Every word rules may use: fields, values, clocks, in both languages
    Words {
        /// Which configuration; its custom fields are listed too where they are known.
        #[command(flatten)]
        at: ConfigPath,
        /// 查一个词，中文、英文、飞书的写法都行 · Look one word up: Chinese, English, or the vendor's
        word: Option<String>,
        /// 输出格式 · What the answer looks like
        #[arg(long, value_name = "text|json", default_value = "text", hide_possible_values = true)]
        format: Format,
    },
    /// 给编辑器用的 JSON Schema，给程序用的 OpenAPI · JSON Schema for editors, OpenAPI for programs
    Schema {
        /// rules 规则、config 配置、calendars 节假日、tests 规则测试、api 接口 · What: rules, config, calendars, tests, api
        #[arg(value_name = "rules|config|calendars|tests|api", hide_possible_values = true)]
        what: SchemaOf,
    },
    /// 列出机器人所在的群 · List the chats the bot is in
    Chats {
        /// Which configuration.
        #[command(flatten)]
        at: ConfigPath,
    },
    /// 向一个接收方发一张标着【演练】的卡片 · Send a receiver a card that is marked as a drill
    SendTest {
        /// Which configuration.
        #[command(flatten)]
        at: ConfigPath,
        /// 接收方的名字（receivers） · The receiver's name (receivers)
        receiver: String,
        /// 用这条规则的模板，要和 --ticket 一起 · Use this rule's template; goes with --ticket
        #[arg(long, requires = "ticket")]
        rule: Option<String>,
        /// 用这张真实工单，要和 --rule 一起 · Use this real ticket; goes with --rule
        #[arg(long, requires = "rule")]
        ticket: Option<String>,
    },
    /// 看正在运行的服务 · Show the running service
    Status {
        /// Which configuration.
        #[command(flatten)]
        at: ConfigPath,
        /// 原样输出 JSON · Print the answer as JSON
        #[arg(long)]
        json: bool,
    },
    /// 一张工单为什么响、为什么没响：每个条件看到的值 · Why a ticket rings or does not: what each test saw
    Explain(crate::cli::explain::ExplainArguments),
    /// 有哪些提醒：谁在处理、通知了谁、接下来怎样 · Which alerts there are, who works on them, what comes next
    Alerts(crate::cli::alerts::AlertsArguments),
    /// 我来处理：规则的 taken_for 之内不再提醒和升级 · Take an alert: it rests for the rule's taken_for
    Take(crate::cli::deeds::DeedArguments),
    /// 不处理了，恢复提醒和升级 · Give an alert back
    Release(crate::cli::deeds::DeedArguments),
    /// 已处理，结束这条提醒 · Say that an alert is handled
    Done(crate::cli::deeds::DeedArguments),
    /// 稍后提醒 · Put an alert off
    Snooze(crate::cli::deeds::SnoozeArguments),
    /// 待发的和发不出去的通知：列出、查看、再发、不要了 · What is not delivered: list, show, retry, drop
    Outbox(crate::cli::outbox::OutboxArguments),
    /// 一张工单上发生过什么、为什么，按时间讲 · What happened about a ticket and why, as a story
    Journal(crate::cli::journal::JournalArguments),
    /// 静默：列出、添加、结束；只是不发，提醒的状态照常 · Silences: list, add, end; they keep notices back, never states
    Silence(crate::cli::silence::SilenceArguments),
    /// 谁在值班、到什么时候、接着是谁；让人顶班 · Who is on call, until when, who is next; put someone on call
    Oncall(crate::cli::oncall::OncallArguments),
    /// 删除一个客户的资料（应客户要求） · Delete what is kept of a guest, on request
    Forget(crate::cli::forget::ForgetArguments),
    /// 一张工单归哪个团队、每条规则通知谁、为什么 · Which team a ticket is for, whom each rule tells, and why
    Route(crate::cli::route::RouteArguments),
    /// 规则上线之前，用真实的历史工单演练一遍 · Play the rules over the helpdesk's own history before they go live
    Rehearse(crate::cli::rehearse::run::RehearseArguments),
    /// 用自己的历史回测规则，或比较两套规则 · Play rules over the store's own history, or compare two sets of rules
    Backtest(crate::cli::backtest::BacktestArguments),
    /// 维护数据目录 · Look after the store
    #[command(subcommand)]
    Store(StoreVerb),
    /// 接入一个飞书租户：检查凭证，列出步骤和群，写出配置 · Connect a Feishu tenant and write a configuration
    Init {
        /// 放配置的目录 · The folder for the configuration
        dir: PathBuf,
        /// 开放平台地址 · The platform's address
        #[arg(long, value_name = "URL", default_value = "https://open.feishu.cn")]
        base_url: String,
        /// 不提问，只用环境变量；第一个群作为接收方 · Ask nothing: environment only
        #[arg(long)]
        yes: bool,
    },
    /// 不需要账号的演示 · A demonstration that needs no account
    Demo(crate::cli::demo::DemoArguments),
}

/// What is done to the store.
#[derive(Clone, Debug, Subcommand)]
pub enum StoreVerb {
    /// 收缩数据文件；先停止服务 · Shrink the store's files; stop the service first
    Compact {
        /// Which configuration.
        #[command(flatten)]
        at: ConfigPath,
    },
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Arguments::command().debug_assert();
    }
}
