//! A notice: one thing to tell one receiver; its key, and what is rendered of it.

use std::{fmt, sync::Arc};

use sha2::{Digest, Sha256};

use crate::domain::{
    alert::{Alert, AlertKey},
    card::{Menu, Turn},
    conversation::Conversation,
    facts::Facts,
    id::{MessageId, ReceiverName, RuleName, SourceName, Subject, TeamName},
    labels::Labels,
    privacy::{self, Privacy},
    receiver::PersonId,
    rule::{Rule, Severity, Urgent},
    seen::Seen,
    text::{Locale, Message, Words},
    ticket::{Known, Text, Ticket},
    time::Timestamp,
};

/// What a notice tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// An alert began: its card.
    Fired,
    /// It still holds: a line under its card.
    Repeated,
    /// The next rung of its ladder: a line under its card, or a card where there is none.
    Escalated,
    /// It ended, to a receiver whose cards cannot be updated.
    Ended,
    /// Several alerts at once: a digest's card.
    Digest,
    /// A card catches up with its alert or digest.
    Update,
    /// The answer to a person's message.
    Answer,
    /// deskbell's own trouble, to operations.
    Trouble,
    /// What is no trouble and worth knowing: rules that changed, what became of a trial.
    Announced,
    /// The person a card mentions is not in its chat: its card in their direct chat.
    Called,
    /// A person is called up about a card: in the app, by SMS, by phone.
    Urged,
    /// Whoever took it is asked how it stands: a line under its card, which has the buttons to answer with.
    Asked,
    /// It was put off, the time is over and it still rings: a line under its card.
    Woken,
    /// Its ladder is at the end and nobody acted: a line under its card, or a card where there is none.
    Fallback,
}

impl Step {
    /// Every one, in the order of their declaration.
    pub const ALL: [Self; 14] = [
        Self::Fired,
        Self::Repeated,
        Self::Escalated,
        Self::Ended,
        Self::Digest,
        Self::Update,
        Self::Answer,
        Self::Trouble,
        Self::Announced,
        Self::Called,
        Self::Urged,
        Self::Asked,
        Self::Woken,
        Self::Fallback,
    ];

    /// What it tells, for people.
    pub const fn words(self) -> Words {
        match self {
            Self::Fired => Words { zh: "开始", en: "it began" },
            Self::Repeated => Words { zh: "再次提醒", en: "a repeat" },
            Self::Escalated => Words { zh: "升级", en: "an escalation" },
            Self::Ended => Words { zh: "结束", en: "its end" },
            Self::Digest => Words { zh: "汇总", en: "a digest" },
            Self::Update => Words { zh: "更新卡片", en: "an update of its card" },
            Self::Answer => Words { zh: "回答", en: "an answer" },
            Self::Trouble => Words { zh: "deskbell 自己的故障", en: "deskbell's own trouble" },
            Self::Announced => Words { zh: "告知", en: "news" },
            Self::Called => Words { zh: "单独发给提到的人", en: "the card for whom it mentions" },
            Self::Urged => Words { zh: "加急", en: "an urgent call" },
            Self::Asked => Words { zh: "问进展", en: "the question how it stands" },
            Self::Woken => Words { zh: "稍后提醒的时间到", en: "the snooze is over" },
            Self::Fallback => Words { zh: "没人处理，再通知", en: "the fallback: nobody acted" },
        }
    }

    /// Its word in keys, logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::Repeated => "repeated",
            Self::Escalated => "escalated",
            Self::Ended => "ended",
            Self::Digest => "digest",
            Self::Update => "update",
            Self::Answer => "answer",
            Self::Trouble => "trouble",
            Self::Announced => "announced",
            Self::Called => "called",
            Self::Urged => "urged",
            Self::Asked => "asked",
            Self::Woken => "woken",
            Self::Fallback => "fallback",
        }
    }
}

/// Which notice: the same decision has the same key, whatever happens in between.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NoticeKey {
    /// What it is about.
    pub subject: Subject,
    /// The rule, or the name of deskbell's own trouble.
    pub rule: RuleName,
    /// The alert's episode, or the digest's number.
    pub episode: u32,
    /// What it tells.
    pub step: Step,
    /// Counts repeats and updates within the episode.
    pub ordinal: u32,
    /// Whom it tells.
    pub receiver: ReceiverName,
}

/// Ordinals between the first rung of a ladder and the same rung of its next round; a ladder has fewer rungs.
const LADDER_ROUND: u32 = 100;

impl NoticeKey {
    /// Feishu's `uuid`: 32 hex digits of the key's hash, never of the attempt (`facts/feishu.md §3.1`).
    pub fn uuid(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.to_string());
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The ordinal of a step of a ladder that began anew `rounds` times.
    pub const fn ladder_ordinal(rounds: u32, rung: u32) -> u32 {
        rounds.saturating_mul(LADDER_ROUND).saturating_add(rung)
    }

    /// Which rung of the ladder an escalation (or a call that comes with it) is about, from 0.
    pub const fn rung(&self) -> Option<usize> {
        match (self.ordinal % LADDER_ROUND).checked_sub(1) {
            Some(rung) => Some(rung as usize),
            None => None,
        }
    }

    /// The reference in the card's footer: the alert's, and a digest's or a trouble's made the same way.
    pub fn reference(&self) -> String {
        let key = AlertKey { subject: self.subject.clone(), rule: self.rule.clone() };
        crate::domain::alert::reference(&key, self.episode)
    }
}

impl fmt::Display for NoticeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SEP: char = '\u{1f}';
        write!(
            f,
            "{}{SEP}{}{SEP}{}{SEP}{}{SEP}{}{SEP}{}",
            self.subject,
            self.rule,
            self.episode,
            self.step.name(),
            self.ordinal,
            self.receiver
        )
    }
}

/// Everything a card may show of one alert, as committed.
#[derive(Clone, Debug)]
pub struct AlertView {
    /// The alert.
    pub alert: Alert,
    /// The rule; absent once it was removed, and for deskbell's own alerts.
    pub rule: Option<Arc<Rule>>,
    /// The ticket; absent when the alert is not about one, or it is gone.
    pub ticket: Option<TicketView>,
    /// Why this notice is sent.
    pub step: Step,
    /// Which repeat it is.
    pub ordinal: u32,
    /// The silence it rings under.
    pub silenced: Option<Silenced>,
    /// What the last step of its ladder did not tell, and why; absent where it was told.
    pub untold: Option<Message>,
    /// Which buttons are shown: plain, unless someone just asked for others.
    pub menu: Menu,
}

/// A silence, as the cards of alerts under it say so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silenced {
    /// Until when.
    pub until: Timestamp,
    /// Who asked for it.
    pub by: Message,
    /// Why, in their words.
    pub reason: Arc<str>,
}

impl AlertView {
    /// What its rule is called today; an alert keeps the name it was born under.
    pub fn rule_name(&self) -> &str {
        self.rule.as_ref().map_or(self.alert.key.rule.as_str(), |rule| rule.name.as_str())
    }
}

/// Everything a card may show of one ticket: the configuration's `privacy` has gone over it.
#[derive(Clone, Debug)]
pub struct TicketView {
    /// The snapshot, as far as it may be shown.
    pub ticket: Arc<Ticket>,
    /// What observations know besides, as far as it may be shown.
    pub facts: Facts,
    /// Its subject line.
    pub subject: Option<Text>,
    /// The value of its priority field.
    pub priority: Option<Text>,
    /// The team it is for.
    pub team: Option<TeamName>,
    /// There is a guest, and their name may not be shown.
    pub hides_guest: bool,
    /// When the answer it was read from was asked for.
    pub as_of: Timestamp,
    /// What the configuration says of the source's tickets.
    pub labels: Arc<Labels>,
    /// Alerts that ring on it: rule, severity word, since when, why.
    pub alerts: Vec<AlertLine>,
    /// What may be asked on from the card: buttons.
    pub turns: Vec<Turn>,
    /// Ticket and facts as they are.
    whole: (Arc<Ticket>, Facts),
}

impl TicketView {
    /// A ticket on which nothing rings, as far as its source's `privacy` lets it be shown.
    pub fn new(ticket: Arc<Ticket>, facts: Facts, labels: Arc<Labels>, as_of: Timestamp) -> Self {
        let seen = Seen::at_rest(&ticket, &facts, &labels);
        let privacy = &labels.privacy;
        let priority = labels.priority_of(&ticket).present().copied();
        let shown = privacy.ticket(&ticket, labels.priority.as_deref());
        let named = |ticket: &Ticket| ticket.guest.present().is_some_and(|guest| guest.name.present().is_some());
        Self {
            subject: labels.subject_shown(&seen).map(Into::into),
            priority: priority.map(|text| privacy.masked(text, ticket.key.id.as_str()).into()),
            team: labels.team_of(&seen).present().map(|team| team.name.clone()),
            hides_guest: named(&ticket) && !named(&shown),
            facts: privacy.facts(&facts, &ticket),
            ticket: Arc::new(shown),
            whole: (ticket, facts),
            as_of,
            labels,
            alerts: Vec::new(),
            turns: Vec::new(),
        }
    }

    /// The ticket as it may be shown.
    pub fn seen(&self) -> Seen<'_> {
        Seen::at_rest(&self.ticket, &self.facts, &self.labels)
    }

    /// The ticket as it is: to judge by, never to show.
    pub fn whole(&self) -> Seen<'_> {
        Seen::at_rest(&self.whole.0, &self.whole.1, &self.labels)
    }

    /// The same with what was said on it, as far as that may be shown.
    #[must_use]
    pub fn with_talk(self, talk: Arc<Conversation>) -> Self {
        let (ticket, facts) = self.whole;
        let facts = Facts { conversation: Known::Present(talk), ..facts };
        Self { alerts: self.alerts, ..Self::new(ticket, facts, self.labels, self.as_of) }
    }

    /// The same with nothing hidden, masked or cut: for `raw`.
    pub fn bare(&self) -> Self {
        let labels = Labels { privacy: Arc::new(Privacy::none()), ..Labels::clone(&self.labels) };
        let (ticket, facts) = self.whole.clone();
        Self { alerts: self.alerts.clone(), ..Self::new(ticket, facts, Arc::new(labels), self.as_of) }
    }

    /// The same with nothing of the guest.
    fn for_outsiders(self) -> Self {
        let labels = Labels { privacy: Arc::new(Privacy::outsiders()), ..Labels::clone(&self.labels) };
        let (ticket, facts) = self.whole;
        let alerts = self.alerts.into_iter().map(AlertLine::for_outsiders).collect();
        Self { alerts, ..Self::new(ticket, facts, Arc::new(labels), self.as_of) }
    }
}

impl AlertLine {
    fn for_outsiders(self) -> Self {
        Self { title: None, why: privacy::hidden(), ..self }
    }
}

impl Content {
    /// The same for people of other companies: nothing of the guest, and no answers in words.
    pub fn for_outsiders(self) -> Self {
        match self {
            Self::Alert(view) => Self::Alert(Box::new(AlertView {
                alert: Alert { why: privacy::hidden(), ..view.alert },
                ticket: view.ticket.map(TicketView::for_outsiders),
                untold: None, // it names people
                menu: Menu::Plain,
                ..*view
            })),
            Self::Digest(view) => Self::Digest(Box::new(DigestView {
                shared: None,
                lines: view.lines.into_iter().map(AlertLine::for_outsiders).collect(),
                ..*view
            })),
            Self::Answer(view) => Self::Answer(Box::new(match *view {
                AnswerView::Ticket(view) => AnswerView::Ticket(Box::new(view.for_outsiders())),
                AnswerView::Text(_) | AnswerView::Page(..) => AnswerView::Text(NOT_OUTSIDE.into()),
            })),
            same @ (Self::Trouble(_) | Self::Announcement(_)) => same,
        }
    }
}

/// One alert in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertLine {
    /// The alert's reference.
    pub reference: String,
    /// Its rule.
    pub rule: RuleName,
    /// What it is about.
    pub subject: Subject,
    /// What the ticket goes by: its subject line, else its guest.
    pub title: Option<String>,
    /// Since when it holds.
    pub since: Timestamp,
    /// Whether it still rings.
    pub firing: bool,
    /// How serious.
    pub severity: Severity,
    /// Why.
    pub why: Message,
    /// Who has it, where someone does.
    pub taken_by: Option<Message>,
    /// Who put it off, and until when.
    pub put_off: Option<(Message, Timestamp)>,
}

/// A digest, as committed.
#[derive(Clone, Debug)]
pub struct DigestView {
    /// Whose it is: a source's that was caught up on, or a receiver's.
    pub of: Subject,
    /// The source of all its alerts, where they have one.
    pub source: Option<SourceName>,
    /// What brought it about.
    pub cause: DigestCause,
    /// Whether deskbell hears replies on its card.
    pub hears: bool,
    /// The rule it is about, where it is about one.
    pub rule: Option<RuleName>,
    /// When it began.
    pub began_at: Timestamp,
    /// When it was closed, where it is.
    pub closed_at: Option<Timestamp>,
    /// The field value most of its alerts' tickets share, in words.
    pub shared: Option<Message>,
    /// How many alerts it stands for.
    pub total: usize,
    /// How many of them still ring.
    pub firing: usize,
    /// How many of these someone has.
    pub taken: usize,
    /// How many of these are put off.
    pub put_off: usize,
    /// How serious the most serious is that rings and that nobody has; where someone has each, that rings.
    pub severity: Option<Severity>,
    /// How many per rule, in the order of the rules' names.
    pub by_rule: Vec<(RuleName, usize)>,
    /// The ten that hold longest, those that nobody has first.
    pub lines: Vec<AlertLine>,
}

impl DigestView {
    /// How many still ring that nobody has or put off; where those who have them are asked, all that ring.
    pub const fn waiting(&self) -> usize {
        match self.cause {
            DigestCause::Questions => self.firing,
            _ => self.firing.saturating_sub(self.taken).saturating_sub(self.put_off),
        }
    }
}

/// Alerts a digest names one by one.
pub const DIGEST_LINES_MAX: usize = 10;

/// What brought a digest about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DigestCause {
    /// The first reading of a source.
    Baseline,
    /// The service or the source was away.
    Downtime,
    /// A rule is new or was edited.
    RuleChange,
    /// Too many alerts of one rule for one receiver at once.
    Storm,
    /// A silence (or an inhibition) is over.
    SilenceOver,
    /// A receiver's quiet hours are over.
    QuietOver,
    /// Too many alerts of one rule at once whose ladders tell one receiver.
    Escalations,
    /// Too many alerts of one rule at once of which one receiver is reminded.
    Repeats,
    /// Several alerts that one person took together: how do they stand?
    Questions,
}

impl DigestCause {
    /// The cause in words.
    pub const fn words(self) -> Words {
        match self {
            Self::Baseline => Words { zh: "首次读取工单", en: "first reading of the tickets" },
            Self::Downtime => Words { zh: "中断后补读", en: "catching up after an interruption" },
            Self::RuleChange => Words { zh: "规则新增或修改", en: "a rule is new or was changed" },
            Self::Storm => Words { zh: "短时间内太多", en: "too many at once" },
            Self::SilenceOver => Words { zh: "静默结束", en: "a silence is over" },
            Self::QuietOver => Words { zh: "免打扰时段结束", en: "quiet hours are over" },
            Self::Escalations => Words { zh: "同时升级的太多", en: "too many escalations at once" },
            Self::Repeats => Words { zh: "同时再提醒的太多", en: "too many reminders at once" },
            Self::Questions => Words { zh: "接手的时间到了", en: "the time they were taken for is over" },
        }
    }

    /// Whether it tells of what held before a source was read or a rule was changed.
    pub const fn catches_up(self) -> bool {
        matches!(self, Self::Baseline | Self::Downtime | Self::RuleChange)
    }

    /// Whether alerts join it as they come, until none does for a while.
    pub const fn gathers(self) -> bool {
        matches!(self, Self::Storm) || self.tells_again()
    }

    /// Whether it tells of alerts that were told before.
    pub const fn tells_again(self) -> bool {
        matches!(self, Self::Escalations | Self::Repeats | Self::Questions)
    }
}

/// What a person asked for, answered.
#[derive(Clone, Debug)]
pub enum AnswerView {
    /// The ticket's card.
    Ticket(Box<TicketView>),
    /// A sentence, with the next step.
    Text(Message),
    /// A page of a list, with the buttons that turn it.
    Page(Message, Vec<Turn>),
}

/// What a send shows.
#[derive(Clone, Debug)]
pub enum Content {
    /// One alert's card, or a repeat or ending of it.
    Alert(Box<AlertView>),
    /// A digest's card.
    Digest(Box<DigestView>),
    /// An answer to a person.
    Answer(Box<AnswerView>),
    /// A trouble, to operations.
    Trouble(Message),
    /// A sentence that is no trouble: of rules that changed, of a trial.
    Announcement(Message),
}

/// What of a send may be read in an external chat that the configuration does not allow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Outside {
    /// Nothing: it is not sent.
    #[default]
    Nothing,
    /// All of it: there is nothing of a ticket in it.
    Whole,
    /// This sentence in its place: whoever asked is not left without an answer.
    Instead(Message),
}

/// The answer in an external chat to what is not answered there.
pub const NOT_OUTSIDE: Words = Words {
    zh: "外部群里不回答这类问题，请在公司内部的群里问",
    en: "this is not answered in an external chat: ask in a chat of your own company",
};

/// What is sent now: made from the state committed at this moment, rendered by an adapter.
#[derive(Clone, Debug)]
pub struct Send {
    /// Which notice.
    pub key: NoticeKey,
    /// Where it goes.
    pub target: Target,
    /// The template asked for by the rule's notify line.
    pub template: Option<crate::domain::id::TemplateName>,
    /// What it shows.
    pub content: Content,
    /// What goes to a chat that people of other companies read in, though the configuration does not let them.
    pub outside: Outside,
    /// The language it is read in.
    pub locale: Locale,
    /// It may have been sent before, and nobody can tell: the card says so.
    pub maybe_repeat: bool,
    /// Mentions are left out (a mention was refused before).
    pub without_mentions: bool,
    /// Telephone numbers and addresses are masked (the content was refused for them before).
    pub masked: bool,
    /// Its card may be forwarded to other chats.
    pub forward: bool,
    /// What is said at its head: why it comes here, who was called up, who is not mentioned again.
    pub notes: Vec<Message>,
    /// What is said of it below what happened.
    pub asides: Vec<Message>,
    /// Whom it mentions; those who are not in its chat are named only.
    pub mentions: Vec<PersonId>,
    /// Which revision of its alert or digest it shows; 0 when an earlier attempt may have left an older one standing.
    pub rev: u32,
    /// Attempts made so far.
    pub attempts: u32,
}

impl Send {
    /// Whether it is a line under the alert's card: what happened at that time, in a reply without buttons. How the alert
    /// stands is shown by the card alone, so a line never becomes wrong.
    pub const fn is_line(&self) -> bool {
        let is_notice = !matches!(self.key.step, Step::Update);
        is_notice && matches!((&self.content, &self.target), (Content::Alert(_), Target::Reply(_)))
    }
}

/// Where a send goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A new message to a receiver.
    Post(ReceiverName),
    /// A quoted reply on a message.
    Reply(MessageId),
    /// An update of a card.
    Patch(MessageId),
    /// A call to a person about a message of ours.
    Urge(MessageId, Urgent, PersonId),
}
