//! Every record comes back as it was written: generated values with every field unknown, empty and present.

mod inbox;
mod silence;

use std::{fmt::Debug, sync::Arc};

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{
    alert::AlertRecord,
    parts::{PackedText, Shared},
    tracked::{RemainsRecord, RevisionRecord, TrackedRecord},
};
use crate::{
    adapters::store::{key::Kind, record, value},
    domain::{
        actor::Actor,
        alert::{Alert, AlertKey, AlertState, Announced, EndReason, Line, LineOf, Snoozed, Taken},
        card::{Question, Turn},
        conversation::{Conversation, Said},
        desk::state::{
            Answer, CardKey, CardShows, CardState, DeadLetter, Digest, Entry, JournalEntry, Lane, LastEpisode, Remains,
            Revision, SourceState, Tracked, Trial,
        },
        facts::{Facts, Spell},
        id::{SourceName, Subject, TicketId, TicketKey},
        notice::{DigestCause, NoticeKey, Step, Target},
        rule::Severity,
        text::{Locale, Message},
        ticket::{Comment, CustomField, I18nText, Known, Person, Status, Tag, Text, Ticket},
        time::{Span, Timestamp},
    },
};

fn known<T: Clone + Debug + 'static>(value: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Known<T>> {
    prop_oneof![Just(Known::Unknown), Just(Known::Empty), value.prop_map(Known::Present)].boxed()
}

/// Texts of every packed form, and those that look like one and are none.
fn text() -> BoxedStrategy<String> {
    prop_oneof![
        any::<u64>().prop_map(|number| number.to_string()),
        any::<[u8; 16]>().prop_map(|id| format!("ou_{:032x}", u128::from_be_bytes(id))),
        select(vec![
            "",
            "0",
            "00",
            "007",
            "+1",
            "-1",
            "18446744073709551615",
            "18446744073709551616",
            "ou_",
            "６６",
            "ou_0123456789ABCDEF0123456789abcdef",
            "ou_0123456789abcdef0123456789abcdeg",
            "ou_0123456789abcdef",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
        "[待用户响应]{1,60}",
    ]
    .boxed()
}

fn words() -> BoxedStrategy<Known<Text>> {
    known(text().prop_map(|text| Text::from(text.as_str())))
}

fn at() -> BoxedStrategy<Timestamp> {
    prop_oneof![any::<i64>(), 0..2_000_000_000_000_i64].prop_map(Timestamp::from_ms).boxed()
}

fn list<T: Clone + Debug + 'static>(item: impl Strategy<Value = T> + 'static) -> BoxedStrategy<Known<Arc<[T]>>> {
    known(vec(item, 0..4).prop_map(Arc::from))
}

fn person() -> BoxedStrategy<Arc<Person>> {
    (words(), words(), words(), words(), words(), words())
        .prop_map(|(id, name, email, department, city, country)| {
            Arc::new(Person { id, name, email, department, city, country, avatar_url: Known::Unknown })
        })
        .boxed()
}

fn comment() -> BoxedStrategy<Comment> {
    (known(any::<i64>()), words(), known(at()), words(), words())
        .prop_map(|(id, content, created_at, user_name, user_id)| Comment {
            id,
            content,
            created_at,
            user_name,
            user_id,
            user_avatar_url: Known::Unknown,
        })
        .boxed()
}

fn custom_field() -> BoxedStrategy<CustomField> {
    let flags = (known(any::<i64>()), known(any::<bool>()), known(any::<bool>()));
    (words(), words(), words(), words(), flags)
        .prop_map(|(id, value, key_name, display_name, (position, required, editable))| CustomField {
            id,
            value,
            key_name,
            display_name,
            position,
            required,
            editable,
        })
        .boxed()
}

fn ticket_key() -> BoxedStrategy<TicketKey> {
    (text(), text()).prop_map(|(source, id)| TicketKey::new(source.as_str().into(), TicketId::new(id))).boxed()
}

fn numbers() -> BoxedStrategy<[Known<i64>; 8]> {
    vec(known(any::<i64>()), 8).prop_map(|all| all.try_into().unwrap()).boxed()
}

fn instants() -> BoxedStrategy<[Known<Timestamp>; 6]> {
    vec(known(at()), 6).prop_map(|all| all.try_into().unwrap()).boxed()
}

fn ticket() -> BoxedStrategy<Ticket> {
    let i18n = (words(), words(), words()).prop_map(|(zh_cn, en_us, ja_jp)| I18nText { zh_cn, en_us, ja_jp });
    let tag = (words(), words()).prop_map(|(id, name)| Tag { id, name });
    let people = (known(person()), list(person()), known(person()), list(person()), known(person()));
    let lists = (list(comment()), list(i18n), list(custom_field()), list(tag));
    let status = known(any::<i64>().prop_map(Status::from_code));
    let open = known(select(vec![Status::Queueing, Status::WaitingForUser, Status::ClosedByUser]));
    let minutes =
        known(prop_oneof![Just(0.0), Just(-0.5), any::<f64>().prop_filter("equal to itself", |x| !x.is_nan())]);
    (ticket_key(), words(), people, lists, numbers(), instants(), prop_oneof![status, open], minutes)
        .prop_map(|(key, helpdesk_id, people, lists, numbers, instants, status, agent_service_duration)| {
            let (guest, agents, closed_by, collaborators, agent_owner) = people;
            let (comments, dissatisfaction_reason, customized_fields, tags) = lists;
            let [ticket_type, score, channel, solved, first_response, bot, resolution, processing] = numbers;
            let [created_at, updated_at, closed_at, entry, first, last] = instants;
            Ticket {
                key,
                helpdesk_id,
                guest,
                comments,
                ticket_type,
                status,
                score,
                created_at,
                updated_at,
                closed_at,
                dissatisfaction_reason,
                agents,
                channel,
                solved,
                closed_by,
                collaborators,
                customized_fields,
                agent_service_duration,
                agent_first_response_duration: first_response,
                bot_service_duration: bot,
                agent_resolution_time: resolution,
                actual_processing_time: processing,
                agent_entry_time: entry,
                agent_first_response_time: first,
                agent_last_response_time: last,
                agent_owner,
                tags,
            }
        })
        .boxed()
}

fn tracked() -> BoxedStrategy<Tracked> {
    let facts = (at(), any::<bool>(), any::<u32>(), at()).prop_map(
        |(status_since, status_since_estimated, reopened_count, first_seen)| Facts {
            status_since_estimated,
            reopened_count,
            ..Facts::new(status_since, first_seen)
        },
    );
    let spell = (any::<i64>(), at()).prop_map(|(status, since)| Spell { status, since });
    let spells = option::of(vec(spell, 1..4).prop_map(Arc::from));
    let facts = (facts, spells, known(conversation().prop_map(Arc::new)))
        .prop_map(|(facts, spells, conversation)| Facts { spells, conversation, ..facts });
    (ticket(), facts, at(), option::of(any::<u64>()), option::of(at()))
        .prop_map(|(ticket, facts, asked_at, list_hash, gone_at)| Tracked {
            ticket: Arc::new(ticket),
            facts,
            asked_at,
            list_hash,
            gone_at,
        })
        .boxed()
}

fn conversation() -> BoxedStrategy<Conversation> {
    let said = (at(), text()).prop_map(|(at, text)| Said { at, text: text.as_str().into() }).boxed();
    let side = vec(said.clone(), 0..3).prop_map(Arc::from).boxed();
    (side.clone(), side, option::of(said), option::of(at()))
        .prop_map(|(guest, agent, first_guest, unanswered_since)| Conversation {
            guest,
            agent,
            first_guest,
            unanswered_since,
        })
        .boxed()
}

fn trial() -> BoxedStrategy<Trial> {
    (text(), at(), any::<u32>(), any::<u32>(), any::<i64>(), option::of(at()))
        .prop_map(|(rule, began_at, fired, dealt_with, longest, reported_at)| Trial {
            rule: rule.as_str().into(),
            began_at,
            fired,
            dealt_with,
            longest: Span::from_ms(longest),
            reported_at,
        })
        .boxed()
}

fn remains() -> BoxedStrategy<Remains> {
    let last = (text(), any::<u32>(), any::<bool>()).prop_map(|(rule, episode, latched)| LastEpisode {
        rule: rule.as_str().into(),
        episode,
        latched,
    });
    (ticket_key(), option::of(any::<i64>().prop_map(Status::from_code)), any::<u32>(), vec(last, 0..4))
        .prop_map(|(key, status, reopened_count, episodes)| Remains { key, status, reopened_count, episodes })
        .boxed()
}

fn subject() -> BoxedStrategy<Subject> {
    prop_oneof![
        ticket_key().prop_map(Subject::Ticket),
        text().prop_map(|source| Subject::Source(source.as_str().into())),
        Just(Subject::Service),
        text().prop_map(|message| Subject::Message(message.as_str().into())),
        text().prop_map(|value| Subject::Group(value.as_str().into())),
    ]
    .boxed()
}

fn message() -> BoxedStrategy<Message> {
    (text(), text()).prop_map(|(zh, en)| Message { zh, en }).boxed()
}

fn alert_key() -> BoxedStrategy<AlertKey> {
    (subject(), text()).prop_map(|(subject, rule)| AlertKey { subject, rule: rule.as_str().into() }).boxed()
}

fn alert() -> BoxedStrategy<Alert> {
    let reasons = vec![
        EndReason::Cleared,
        EndReason::Handled,
        EndReason::Expired,
        EndReason::TicketGone,
        EndReason::RuleChanged,
        EndReason::RuleRemoved,
    ];
    let state = prop_oneof![
        Just(AlertState::Pending),
        (at(), option::of(at())).prop_map(|(fired_at, stale_as_of)| AlertState::Firing { fired_at, stale_as_of }),
        (option::of(at()), at(), select(reasons)).prop_map(|(fired_at, ended_at, reason)| AlertState::Ended {
            fired_at,
            ended_at,
            reason
        }),
    ];
    let announced =
        prop_oneof![Just(Announced::Cards), any::<u32>().prop_map(Announced::Digest), Just(Announced::Nobody)];
    let from =
        prop_oneof![any::<u32>().prop_map(LineOf::Notify), any::<u32>().prop_map(LineOf::Rung), Just(LineOf::Nothing),];
    let line = (text(), any::<u32>(), option::of(at()), from).prop_map(|(receiver, repeats, next_at, from)| Line {
        repeats,
        next_at,
        digest: next_at.map(|_| repeats),
        again: next_at.filter(|_| repeats % 3 == 0).map(|_| repeats),
        held: repeats % 2 == 0,
        ..Line::new(receiver.as_str().into(), from)
    });
    let severity = select(vec![Severity::Info, Severity::Warning, Severity::Critical]);
    let counts = (any::<u32>(), any::<u32>(), any::<bool>(), any::<u64>());
    let progress = (any::<u32>(), option::of(at()), any::<bool>());
    let life = (option::of(actor()), option::of(at()), any::<u32>());
    (alert_key(), state, (at(), severity), message(), announced, vec(line, 0..3), counts, (progress, life))
        .prop_map(|(key, state, (since, severity), why, announced, lines, counts, (progress, life))| {
            let (rung, quiet_since, trial) = progress;
            let (by, when, number) = life;
            let (episode, rev, latched, meaning) = counts;
            Alert {
                episode,
                state,
                severity,
                why,
                announced,
                lines,
                rev,
                latched,
                meaning,
                rung,
                quiet_since,
                trial,
                ladder_from: when,
                fallbacks: number,
                fallback_at: when,
                taken: by.clone().map(|by| Taken { by, at: since, until: since, asked_at: when }),
                snoozed: by.clone().map(|by| Snoozed { by, at: since, until: since }),
                snoozes: number,
                ended_by: by,
                takeovers: number,
                rounds: number,
                ..Alert::pending(key, since)
            }
        })
        .boxed()
}

fn actor() -> BoxedStrategy<Actor> {
    prop_oneof![
        (text(), option::of(text())).prop_map(|(id, name)| Actor::Person {
            id: id.as_str().into(),
            name: name.map(|name| name.as_str().into())
        }),
        text().prop_map(|name| Actor::Agent(name.as_str().into())),
        text().prop_map(|name| Actor::Operator(name.as_str().into())),
        Just(Actor::Deskbell),
    ]
    .boxed()
}

fn card() -> BoxedStrategy<CardState> {
    let shows = prop_oneof![
        (alert_key(), any::<u32>()).prop_map(|(key, episode)| CardShows::Alert(key, episode)),
        (text(), any::<u32>())
            .prop_map(|(source, number)| CardShows::Digest(Subject::Source(source.as_str().into()), number)),
    ];
    (shows, text(), option::of(text()), any::<u32>(), at(), option::of(text()))
        .prop_map(|(shows, receiver, message, shown_rev, posted_at, replaces)| CardState {
            key: CardKey { shows, receiver: receiver.as_str().into() },
            message: message.map(|message| message.as_str().into()),
            shown_rev,
            posted_at,
            replaces: replaces.map(|message| message.as_str().into()),
        })
        .boxed()
}

fn digest() -> BoxedStrategy<Digest> {
    let cause = select(vec![DigestCause::Baseline, DigestCause::Downtime, DigestCause::RuleChange]);
    let receivers = vec(text().prop_map(|name| name.as_str().into()), 0..3);
    let of = prop_oneof![
        text().prop_map(|name| Subject::Source(name.as_str().into())),
        text().prop_map(|name| Subject::Receiver(name.as_str().into())),
    ];
    let since_2 = (option::of(text()), any::<bool>(), at(), at(), option::of(at()));
    (of, any::<u32>(), cause, receivers, any::<u32>(), since_2)
        .prop_map(|(of, number, cause, receivers, rev, (rule, critical, began_at, joined_at, closed_at))| Digest {
            of,
            number,
            cause,
            rule: rule.map(|rule| rule.as_str().into()),
            critical,
            began_at,
            joined_at,
            closed_at,
            hops: receivers.iter().cloned().zip(receivers.iter().rev().cloned()).collect(),
            receivers,
            joined_rev: rev / 2,
            rev,
        })
        .boxed()
}

fn notice_key() -> BoxedStrategy<NoticeKey> {
    let steps = vec![
        Step::Fired,
        Step::Repeated,
        Step::Ended,
        Step::Digest,
        Step::Update,
        Step::Answer,
        Step::Trouble,
        Step::Escalated,
        Step::Announced,
    ];
    (subject(), text(), any::<u32>(), select(steps), any::<u32>(), text())
        .prop_map(|(subject, rule, episode, step, ordinal, receiver)| NoticeKey {
            subject,
            rule: rule.as_str().into(),
            episode,
            step,
            ordinal,
            receiver: receiver.as_str().into(),
        })
        .boxed()
}

fn entry() -> BoxedStrategy<Entry> {
    let target = prop_oneof![
        text().prop_map(|name| Target::Post(name.as_str().into())),
        text().prop_map(|name| Target::Reply(name.as_str().into())),
        text().prop_map(|name| Target::Patch(name.as_str().into())),
    ];
    let turn = (message(), text(), any::<bool>()).prop_map(|(words, text, is_direct)| {
        let locale = if is_direct { Locale::Zh } else { Locale::En };
        Turn { words, asks: Question { text, is_direct, locale } }
    });
    let answer = prop_oneof![
        ticket_key().prop_map(Answer::Ticket),
        message().prop_map(Answer::Text),
        (message(), prop::collection::vec(turn, 0..3)).prop_map(|(words, turns)| Answer::Page(words, turns)),
    ];
    let lane = select(vec![Lane::Answers, Lane::Critical, Lane::Alerts, Lane::Updates]);
    let times = (at(), at(), option::of(at()));
    let rest = (any::<u32>(), any::<bool>(), any::<bool>(), option::of(message()));
    (notice_key(), lane, option::of(target), option::of(answer), times, rest)
        .prop_map(|(key, lane, target, text, (decided_at, not_before, first_tried_at), rest)| {
            let (attempts, without_mentions, maybe_repeat, last_error) = rest;
            let masked = attempts % 2 == 0;
            Entry {
                key,
                lane,
                target,
                text,
                decided_at,
                not_before,
                first_tried_at,
                attempts,
                without_mentions,
                masked,
                maybe_repeat,
                last_error,
            }
        })
        .boxed()
}

fn source() -> BoxedStrategy<SourceState> {
    (text(), option::of(at()), option::of(at()), any::<(u64, u32, u64, i32)>(), option::of(at()))
        .prop_map(|(name, cursor, swept_at, (pass, digest, calls, calls_month), paused_until)| SourceState {
            name: SourceName::from(name.as_str()),
            cursor,
            swept_at,
            pass,
            digest,
            calls,
            calls_month,
            paused_until,
        })
        .boxed()
}

/// Encodes, decodes and converts back.
macro_rules! comes_back {
    ($value:expr, $kind:ident, $record:ty, $of:expr, |$it:ident, $shared:ident| $back:expr) => {{
        let bytes = value::encode(Kind::$kind, &$of(&$value));
        let mut shared = Shared::default();
        let $shared = &mut shared;
        let $it: $record = value::decode(Kind::$kind, &bytes).unwrap();
        $back
    }};
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_ticket_comes_back(value in tracked()) {
        let bytes = value::encode(Kind::Ticket, &TrackedRecord::of(&value));
        let back = TrackedRecord::read(&bytes, &mut Shared::default()).unwrap();
        prop_assert_eq!(&back.ticket, &value.ticket);
        prop_assert_eq!(back.facts, value.facts);
        prop_assert_eq!(
            (back.asked_at, back.list_hash, back.gone_at),
            (value.asked_at, value.list_hash, value.gone_at)
        );
    }

    #[test]
    fn all_else_comes_back(
        remains in remains(), alert in alert(), card in card(), digest in digest(), entry in entry(),
        (inbox, source, reason, given_up) in (inbox::item(), source(), message(), at()),
        (trial, was) in (trial(), ticket()),
    ) {
        use record::{card::{CardRecord, DigestRecord}, inbox::InboxRecord};
        use record::{notice::{DeadRecord, OutboxRecord}, source::SourceRecord, trial::TrialRecord};
        let dead = DeadLetter { entry: entry.clone(), at: given_up, reason };
        let bytes = value::encode(Kind::Remains, &RemainsRecord::of(&remains));
        prop_assert_eq!(RemainsRecord::read(&bytes, &mut Shared::default()).unwrap(), remains);
        for kind in [Kind::Alert, Kind::Past] {
            let bytes = value::encode(kind, &AlertRecord::of(&alert));
            prop_assert_eq!(&AlertRecord::read(kind, &bytes, &mut Shared::default()).unwrap(), &alert);
        }
        let revision = Revision { at: given_up, was: Arc::new(was) };
        let of = RevisionRecord::of;
        let back = comes_back!(revision, Revision, RevisionRecord<'_>, of, |it, shared| it.revision(shared)).unwrap();
        prop_assert_eq!(back, revision);
        let back = comes_back!(trial, Trial, TrialRecord<'_>, TrialRecord::of, |it, shared| it.trial(shared));
        prop_assert_eq!(back, trial);
        let back = comes_back!(card, Card, CardRecord<'_>, CardRecord::of, |it, shared| it.card(shared));
        prop_assert_eq!(back, card);
        let back = comes_back!(digest, Digest, DigestRecord<'_>, DigestRecord::of, |it, shared| it.digest(shared));
        prop_assert_eq!(back, digest);
        let back = comes_back!(entry, Outbox, OutboxRecord<'_>, OutboxRecord::of, |it, shared| it.entry(shared));
        prop_assert_eq!(back, entry);
        let back = comes_back!(dead, Dead, DeadRecord<'_>, DeadRecord::of, |it, shared| it.dead(shared));
        prop_assert_eq!(back, dead);
        let back = comes_back!(inbox, Inbox, InboxRecord<'_>, InboxRecord::of, |it, _shared| it.item());
        prop_assert_eq!(back, inbox);
        let back = comes_back!(source, Source, SourceRecord<'_>, SourceRecord::of, |it, shared| it.source(shared));
        prop_assert_eq!(back, source);
    }

    #[test]
    fn meanings_messages_and_the_journal_come_back(
        subject in subject(), at in at(), note in message(), (name, number) in (text(), any::<u64>()),
        (episode, rule) in (any::<u32>(), option::of(text())),
    ) {
        use record::{journal::JournalRecord, source::{MeaningRecord, SeenRecord}};
        let meaning = (name.as_str().into(), number);
        let of = |(rule, meaning): &(_, u64)| value::encode(Kind::Meaning, &MeaningRecord::of(rule, *meaning));
        prop_assert_eq!(value::decode::<MeaningRecord<'_>>(Kind::Meaning, &of(&meaning)).unwrap().meaning(), meaning);
        let seen = (name.as_str().into(), at);
        let bytes = value::encode(Kind::Seen, &SeenRecord::of(&seen.0, seen.1));
        prop_assert_eq!(value::decode::<SeenRecord<'_>>(Kind::Seen, &bytes).unwrap().seen(), seen);
        let rule = rule.map(|rule| rule.as_str().into());
        let entry = JournalEntry { at, subject, rule, episode, what: "fired", note };
        let line = comes_back!(entry, Journal, JournalRecord<'_>, JournalRecord::of, |it, shared| it.line(shared));
        prop_assert_eq!((line.at, &line.subject, &line.rule), (entry.at, &entry.subject, &entry.rule));
        prop_assert_eq!((line.episode, &*line.what, &line.note), (entry.episode, entry.what, &entry.note));
    }

    #[test]
    fn damaged_bytes_are_refused_or_read_never_fatal(value in tracked(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = value::encode(Kind::Ticket, &TrackedRecord::of(&value));
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ticket = TrackedRecord::read(&bytes, &mut Shared::default());
        bytes.truncate(at);
        prop_assert!(TrackedRecord::read(&bytes, &mut Shared::default()).is_err());
    }
}

#[test]
fn a_revision_of_one_field_is_small() {
    let key = TicketKey::new("it-desk".into(), TicketId::new("6626871355780366331"));
    let was = Ticket { status: Known::Present(Status::Queueing), ..Ticket::unknown(key) };
    let revision = Revision { at: Timestamp::from_ms(1_790_000_000_000), was: Arc::new(was) };
    let bytes = value::encode(Kind::Revision, &RevisionRecord::of(&revision));
    assert!(bytes.len() <= 64, "{}", bytes.len());
}

#[test]
fn ids_are_packed() {
    fn bytes(text: &str) -> usize {
        postcard::to_stdvec(&PackedText::text(text)).unwrap().len()
    }
    assert!(bytes("6626871355780366331") <= 10);
    assert_eq!(bytes("ou_7dab8a3d3cdcc9da365777c7ad535d62"), 17);
    assert_eq!(bytes("支付"), 2 + "支付".len());
}
