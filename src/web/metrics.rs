//! `/metrics`: the service's numbers in the Prometheus text format, made from the published view at each scrape.

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric, text::encode},
    metrics::{MetricType, counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use crate::web::{
    state::CallbackCounts,
    status::{Counter, LongConnectionStatus, SourceStatus, Status},
};

/// What every metric's name begins with.
const PREFIX: &str = "deskbell";

type Labels = Vec<(String, String)>;

/// The numbers as text, `application/openmetrics-text; version=1.0.0`.
pub fn text(status: &Status, callbacks: &CallbackCounts) -> String {
    let mut registry = Registry::with_prefix(PREFIX);
    numbers(&mut registry, status);
    sources(&mut registry, status);
    if let Some(line) = &status.long_connection {
        long_connection(&mut registry, line);
    }
    registry.register_collector(Box::new(Counters(counters(status, callbacks))));
    let mut out = String::new();
    match encode(&mut out, &registry) {
        Ok(()) => out,
        Err(std::fmt::Error) => String::new(), // writing into a String does not fail
    }
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn gauge(value: i64) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(value);
    gauge
}

fn gauges(values: impl IntoIterator<Item = (Labels, i64)>) -> Family<Labels, Gauge> {
    let family = Family::default();
    for (labels, value) in values {
        let gauge: &Gauge = &family.get_or_create(&labels);
        gauge.set(value);
    }
    family
}

fn labels(name: &str, value: &str) -> Labels {
    vec![(name.to_string(), value.to_string())]
}

fn numbers(registry: &mut Registry, status: &Status) {
    let plain = [
        ("ready", "1 when the service is ready", i64::from(status.not_ready.is_empty())),
        ("rules", "Rules in force", count(status.rules)),
        (
            "config_last_reload_successful",
            "1 when what stands on disk is in force, 0 while it has faults",
            i64::from(status.rules_refused.is_empty()),
        ),
        ("alerts_pending", "Alerts that hold but not yet for long enough", count(status.alerts_pending)),
        ("alerts_taken", "Alerts that ring and someone works on", count(status.alerts_taken)),
        ("silences", "Silences in force", count(status.silences)),
        ("storms", "Storms under way", count(status.storms)),
        ("inbox_messages", "Messages accepted and not answered", count(status.inbox)),
        ("outbox_failing", "Notices that wait after a failed attempt", count(status.outbox_failing)),
        ("dead_letters", "Notices that cannot be delivered", count(status.dead_letters_total)),
    ];
    for (name, help, value) in plain {
        registry.register(name, help, gauge(value));
    }
    if let Some(calls) = status.calls_per_month {
        let calls = gauge(i64::try_from(calls).unwrap_or(i64::MAX));
        registry.register("calls_per_month", "The month's API calls; absent where there is no limit", calls);
    }
    let started = gauge(status.started_at / 1_000);
    registry.register_with_unit("start_time", "When the service started, Unix time", Unit::Seconds, started);
    if let Some(loaded) = status.rules_loaded_at {
        let (name, help) = ("config_last_reload_success_timestamp", "When the rules in force were loaded, Unix time");
        registry.register_with_unit(name, help, Unit::Seconds, gauge(loaded / 1_000));
    }
    let waited = status.outbox_oldest.as_ref().map_or(0, |oldest| (status.at - oldest.decided_at).max(0) / 1_000);
    let help = "How long the oldest notice waits";
    registry.register_with_unit("outbox_oldest", help, Unit::Seconds, gauge(waited));
    let firing = status.alerts_firing.iter().map(|(rule, number)| (labels("rule", rule), count(*number)));
    registry.register("alerts_firing", "Alerts that ring, by rule", gauges(firing));
    let waiting = status.outbox.iter().map(|(lane, number)| (labels("lane", lane), count(*number)));
    registry.register("outbox_notices", "Notices decided and not delivered, by lane", gauges(waiting));
}

fn long_connection(registry: &mut Registry, line: &LongConnectionStatus) {
    let plain = [
        ("long_connection_up", "1 while the long connection stands", i64::from(line.is_up())),
        ("long_connection_failures", "Attempts that failed since it stood last", i64::from(line.failures)),
    ];
    for (name, help, value) in plain {
        registry.register(name, help, gauge(value));
    }
    let pong = line.pong_at.map_or(0, |at| at / 1_000);
    let help = "When the platform answered a ping last, Unix time; 0 before the first";
    registry.register_with_unit("long_connection_pong", help, Unit::Seconds, gauge(pong));
}

/// What the long connection did, counted since the start.
fn long_connection_counters(line: &LongConnectionStatus) -> Vec<Counter> {
    let events = |fate, value| {
        Counter::labelled("long_connection_events", "Events over the long connection, by fate", ("fate", fate), value)
    };
    vec![
        Counter::new("long_connection_connects", "Times the long connection stood", line.connects),
        Counter::new("long_connection_odd_frames", "Frames that could not be read or never became whole", line.odd),
        events("taken", line.taken),
        events("refused", line.refused),
    ]
}

fn sources(registry: &mut Registry, status: &Status) {
    let mut family = |name: &str, help: &str, unit: Option<Unit>, value: &dyn Fn(&SourceStatus) -> Option<i64>| {
        let values = status.sources.iter().filter_map(|(name, source)| Some((labels("source", name), value(source)?)));
        match unit {
            Some(unit) => registry.register_with_unit(name, help, unit, gauges(values)),
            None => registry.register(name, help, gauges(values)),
        }
    };
    family("source_tickets", "Tickets under watch", None, &|source| Some(count(source.tracked)));
    family("source_tickets_open", "Open tickets under watch", None, &|source| Some(count(source.open)));
    family("source_cursor", "Everything up to here was read, Unix time", Some(Unit::Seconds), &|source| {
        source.cursor.map(|ms| ms / 1_000)
    });
    family("source_polled", "When the last complete poll began, Unix time", Some(Unit::Seconds), &|source| {
        source.polled_at.map(|ms| ms / 1_000)
    });
    family("source_next_poll", "When it is polled next, Unix time", Some(Unit::Seconds), &|source| {
        source.next_poll_at.map(|ms| ms / 1_000)
    });
    family("source_failed_polls", "Polls that failed since the last complete one", None, &|source| {
        Some(i64::from(source.failures))
    });
    family("source_silent", "1 while no poll comes to its end", None, &|source| Some(i64::from(source.silent)));
    family("source_paused", "1 while the month's API calls are used up", None, &|source| {
        Some(i64::from(source.paused_until.is_some()))
    });
    family("source_calls_this_month", "API calls this month", None, &|source| {
        i64::try_from(source.calls_this_month).ok()
    });
    family("source_broken_tickets", "Tickets of the last pass that could not be decoded", None, &|source| {
        Some(i64::from(source.broken))
    });
}

/// Counters, grouped by name.
#[derive(Debug)]
struct Counters(Vec<Counter>);

fn counters(status: &Status, callbacks: &CallbackCounts) -> Vec<Counter> {
    let help = "Callbacks, by how they were answered";
    let answered =
        callbacks.all().map(|(answer, value)| Counter::labelled("callbacks", help, ("answer", answer), value));
    let mut all: Vec<Counter> = status.counters.iter().cloned().chain(answered).collect();
    all.extend(status.long_connection.iter().flat_map(long_connection_counters));
    all.sort();
    all
}

impl Collector for Counters {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        for group in self.0.chunk_by(|one, other| one.name == other.name) {
            let Some(first) = group.first() else { continue };
            let descriptor = encoder.encode_descriptor(&first.name, &first.help, None, MetricType::Counter)?;
            if first.label.is_none() {
                counter::ConstCounter::new(first.value).encode(descriptor)?;
                continue;
            }
            let family = Family::<Labels, counter::Counter>::default();
            for counter in group {
                let labels = counter.label.iter().cloned().collect();
                family.get_or_create(&labels).inc_by(counter.value);
            }
            family.encode(descriptor)?;
        }
        Ok(())
    }
}
