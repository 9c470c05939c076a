//! Texts for Prometheus, read back by a strict parser of the format's grammar.

use std::collections::BTreeMap;

use proptest::prelude::*;
use selvedge::prometheus::{Samples, Text, TextError};
use selvedge::{Counter, Gauge, Stats, stats::Snapshot};

/// What a metric is declared as, and its samples in their order.
#[derive(Debug, Default, PartialEq)]
struct Metric {
    help: String,
    kind: String,
    samples: Vec<Sample>,
}

#[derive(Debug, PartialEq)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// Reads a text; panics where the grammar does not allow it.
fn parse(text: &str) -> BTreeMap<String, Metric> {
    let mut metrics = BTreeMap::new();
    let mut last = String::new();
    let mut lines = text.strip_suffix('\n').unwrap_or_default().split('\n').peekable();
    while let Some(line) = lines.next_if(|line| !text.is_empty() || !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a name and a text");
            let line = lines.next().expect("a type follows");
            let kind = line.strip_prefix(&format!("# TYPE {name} ")).expect("of the same metric");
            let (help, kind) = (unescaped(help).0, kind.to_owned());
            let metric = Metric { help, kind, samples: Vec::new() };
            assert!(metrics.insert(name.to_owned(), metric).is_none(), "{name} is declared once");
            name.clone_into(&mut last);
        } else {
            let sample = sample(line);
            assert!(sample.name.starts_with(&last), "{} stands below {last}", sample.name);
            metrics.get_mut(&last).expect("a declaration comes first").samples.push(sample);
        }
    }
    metrics
}

fn sample(line: &str) -> Sample {
    let end = line.find(['{', ' ']).expect("a value");
    let (name, mut rest) = line.split_at(end);
    assert!(is_name(name, ":_"), "{name:?}");
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (name, after) = rest.split_once("=\"").expect("a label");
            assert!(is_name(name, "_"), "{name:?}");
            let (value, after) = unescaped(after);
            assert!(labels.insert(name.to_owned(), value).is_none(), "{name} is there once");
            let after = after.strip_prefix('"').expect("a quote at the end");
            let Some(next) = after.strip_prefix(',') else {
                rest = after.strip_prefix('}').expect("an end");
                break;
            };
            rest = next;
        }
    }
    let value = rest.strip_prefix(' ').expect("a space").parse().expect("a number");
    Sample { name: name.to_owned(), labels, value }
}

fn is_name(name: &str, more: &str) -> bool {
    let begins = |c: char| c.is_ascii_alphabetic() || more.contains(c);
    name.starts_with(begins) && name.chars().all(|c| begins(c) || c.is_ascii_digit())
}

/// Up to a quote without a backslash, or all of it; and what follows.
fn unescaped(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (value, &text[at..]),
            '\\' => value.push(match chars.next().expect("an escaped character").1 {
                'n' => '\n',
                c @ ('\\' | '"') => c,
                c => panic!("{c:?} cannot be escaped"),
            }),
            c => value.push(c),
        }
    }
    (value, "")
}

fn recorded(precision: u32, samples: &[u64]) -> Snapshot {
    let stats = Stats::with_stripes_and_precision(1, precision).expect("both are in range");
    for sample in samples {
        stats.record(*sample);
    }
    stats.snapshot()
}

/// The counts of the finite buckets, and the last one.
fn buckets(metric: &Metric) -> (Vec<f64>, f64) {
    let mut counts: Vec<f64> = metric
        .samples
        .iter()
        .filter(|sample| sample.labels.contains_key("le"))
        .map(|sample| sample.value)
        .collect();
    let last = counts.pop().expect("the last bucket");
    (counts, last)
}

proptest! {
    /// Whatever is in help and in values of labels comes back.
    #[test]
    fn texts_are_escaped(help in "(?s)[^\"]{0,12}", value in "(?s).{0,12}", sum in any::<i64>()) {
        let mut text = Text::new();
        text.gauge("a:b_1", &help, &[("one", &value), ("two", "2")], sum).expect("names are valid");
        let metrics = parse(&text.to_string());
        let metric = &metrics["a:b_1"];
        prop_assert_eq!(&metric.help, &help);
        prop_assert_eq!(&metric.samples[0].labels["one"], &value);
        prop_assert_eq!(&metric.samples[0].labels["two"], "2");
        let end = format!(" {sum}\n");
        prop_assert!(text.to_string().ends_with(&end));
    }

    /// Never fewer than there are, and no more than those that are less than 2^-precision above the bound.
    #[test]
    #[expect(clippy::cast_precision_loss, reason = "the text is read as floats")]
    #[expect(clippy::float_cmp, reason = "both are rounded from the same number")]
    fn buckets_are_cumulative_and_within_the_error(
        precision in 0..8_u32,
        samples in prop::collection::vec(prop_oneof![0..300_u64, 0..1_u64 << 40, any::<u64>()], 0..50),
        per_unit in prop::sample::select(&[1.0, 100.0, 1e9]),
        bounds in prop::collection::btree_set(prop_oneof![0..1_000_u64, 0..1_u64 << 45], 0..12),
    ) {
        let snapshot = recorded(precision, &samples);
        let bounds: Vec<u64> = bounds.into_iter().collect();
        let shown: Vec<f64> = bounds.iter().map(|bound| *bound as f64 / per_unit).collect();
        let mut text = Text::new();
        let samples_in_unit = Samples::scaled(&snapshot, per_unit);
        text.histogram("h", "Help.", &[], samples_in_unit, &shown).expect("all is valid");
        let metrics = parse(&text.to_string());
        let metric = &metrics["h"];
        let (counts, last) = buckets(metric);
        let [sum, count] = metric.samples[counts.len() + 1..].iter().map(|s| s.value).collect::<Vec<_>>()[..]
            else { panic!("sum and count come last") };

        prop_assert!(counts.is_sorted() && counts.last().is_none_or(|count| *count <= last));
        prop_assert_eq!((last, count), (samples.len() as f64, samples.len() as f64));
        prop_assert_eq!(sum, samples.iter().map(|n| u128::from(*n)).sum::<u128>() as f64 / per_unit);
        for (bound, count) in bounds.iter().zip(counts) {
            let up_to = |limit: u64| samples.iter().filter(|n| **n <= limit).count() as f64;
            let error = bound >> precision;
            prop_assert!(count >= up_to(*bound), "{} of {} up to {}", count, up_to(*bound), bound);
            prop_assert!(count <= up_to(bound + error), "{} of {} up to {}", count, up_to(bound + error), bound);
        }
    }
}

/// A small integer of hundredths is exact, though 0.29 * 100 is less than 29 in floats.
#[test]
fn bounds_that_stand_for_integers_are_met() {
    let snapshot = recorded(6, &(0..100).collect::<Vec<_>>());
    let bounds: Vec<f64> = (0..100_u32).map(|n| f64::from(n) / 100.0).collect();
    let mut text = Text::new();
    let samples = Samples::scaled(&snapshot, 100.0);
    text.histogram("h", "Help.", &[], samples, &bounds).expect("all is valid");
    let (counts, _) = buckets(&parse(&text.to_string())["h"]);
    let expected: Vec<f64> = (1..=100).map(f64::from).collect();
    assert_eq!(counts, expected);
}

#[test]
fn a_negative_bound_has_no_samples() {
    let mut text = Text::new();
    text.histogram("h", "Help.", &[], &recorded(6, &[0, 5]), &[-1.0, -0.5, 0.0]).expect("valid");
    assert_eq!(buckets(&parse(&text.to_string())["h"]), (vec![0.0, 0.0, 1.0], 2.0));
}

#[test]
fn a_summary_has_quantiles_sum_and_count() {
    let snapshot = recorded(6, &[1_000_000_000, 2_000_000_000, 4_000_000_000]);
    let mut text = Text::new();
    text.summary("s", "Help.", &[("a", "b")], Samples::nanoseconds(&snapshot), &[0.0, 1.0])
        .and_then(|text| text.summary("s", "Help.", &[], &Snapshot::default(), &[0.5]))
        .expect("all is valid");
    let shown = text.to_string();
    let expected = "# HELP s Help.\n# TYPE s summary\n\
                    s{a=\"b\",quantile=\"0\"} 1\ns{a=\"b\",quantile=\"1\"} 4\n\
                    s_sum{a=\"b\"} 7\ns_count{a=\"b\"} 3\n\
                    s{quantile=\"0.5\"} NaN\ns_sum 0\ns_count 0\n";
    assert_eq!(shown, expected);
    assert_eq!(parse(&shown)["s"].samples.len(), 7);
}

/// A call for each sample, one declaration for all of them.
#[test]
fn samples_of_a_metric_have_one_declaration() {
    let (counter, gauge) = (Counter::new(), Gauge::new());
    counter.add(3);
    gauge.sub(4);
    let mut text = Text::new();
    for route in ["/", "/a"] {
        text.counter("requests_total", "Help.", &[("route", route)], counter.get()).expect("valid");
    }
    text.gauge("depth", "Help.", &[], gauge.get()).expect("valid");
    let metrics = parse(&text.to_string());
    assert_eq!(metrics.len(), 2);
    let kinds: Vec<_> = metrics.values().map(|m| (m.kind.as_str(), m.samples.len())).collect();
    assert_eq!(kinds, [("gauge", 1), ("counter", 2)]);
    assert_eq!(metrics["depth"].samples[0].value.total_cmp(&-4.0), std::cmp::Ordering::Equal);
    assert!(parse(&Text::new().to_string()).is_empty());
}

/// Each is refused with the value in the message, and writes nothing.
#[test]
fn what_prometheus_would_reject_is_an_error() {
    let mut text = Text::new();
    text.histogram("h", "Help.", &[("a", "1")], &Snapshot::default(), &[]).expect("valid");
    text.counter("c", "Help.", &[("a", "1"), ("b", "2")], 1).expect("valid");
    let before = text.to_string();
    let snapshot = &Snapshot::default();
    let mut refused = |call: &dyn Fn(&mut Text) -> Option<TextError>, said: &str| {
        let message = call(&mut text).map(|error| error.to_string()).unwrap_or_default();
        assert!(message.contains(said), "{message:?} does not contain {said:?}");
        assert_eq!(text.to_string(), before, "nothing is written: {said}");
    };
    for name in ["", "1a", "a-b", "a b", "ä"] {
        refused(&|text| text.counter(name, "", &[], 1).err(), &format!("got {name:?}"));
    }
    for name in ["", "1a", "a:b", "__a", "a b"] {
        refused(&|text| text.gauge("g", "", &[(name, "")], 1).err(), &format!("got {name:?}"));
    }
    refused(&|text| text.gauge("g", "", &[("a", ""), ("a", "")], 1).err(), "\"a\" twice");
    refused(&|text| text.histogram("i", "", &[("le", "")], snapshot, &[]).err(), "got \"le\"");
    refused(
        &|text| text.summary("s", "", &[("quantile", "")], snapshot, &[]).err(),
        "\"quantile\"",
    );
    // Not in a row, of another kind, or the name of a histogram's samples.
    refused(&|text| text.histogram("h", "", &[], snapshot, &[]).err(), "got \"h\" again");
    refused(&|text| text.gauge("c", "", &[], 1).err(), "got \"c\" again");
    refused(&|text| text.counter("h_count", "", &[], 1).err(), "got \"h_count\" again");
    refused(
        &|text| text.counter("c", "", &[("b", "2"), ("a", "1")], 1).err(),
        "c [(\"a\", \"1\"), ",
    );
    for bounds in [&[2.0, 1.0][..], &[1.0, 1.0], &[f64::NAN], &[1.0, f64::INFINITY]] {
        refused(
            &|text| text.histogram("i", "", &[], snapshot, bounds).err(),
            "ascending order, got [",
        );
    }
    for quantile in [-0.1, 1.1, f64::NAN] {
        let said = format!("0 to 1, got {quantile}");
        refused(&|text| text.summary("s", "", &[], snapshot, &[quantile]).err(), &said);
    }
    for per_unit in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let samples = || Samples::scaled(snapshot, per_unit);
        refused(
            &|text| text.histogram("i", "", &[], samples(), &[]).err(),
            &format!("got {per_unit}"),
        );
        refused(
            &|text| text.summary("s", "", &[], samples(), &[]).err(),
            &format!("got {per_unit}"),
        );
    }
}
