//! Counters, gauges and statistics in the text format of Prometheus, version 0.0.4.
//!
//! [`Text`] is what a scrape is answered with; the server is the caller's. It needs the feature `prometheus`, which
//! has no dependencies.
//!
//! ```
//! use selvedge::prometheus::{CONTENT_TYPE, Samples, Text};
//! use selvedge::{Counter, Gauge, Stats};
//!
//! let (requests, open, latency) = (Counter::new(), Gauge::new(), Stats::new());
//! requests.increment();
//! open.increment();
//! latency.record(3_000_000); // nanoseconds, as `Stats::time` records them
//!
//! let mut text = Text::new();
//! text.counter("requests_total", "Requests answered.", &[], requests.get())?
//!     .gauge("sessions", "Sessions that are open.", &[("kind", "web")], open.get())?
//!     .histogram(
//!         "latency_seconds",
//!         "How long it took.",
//!         &[],
//!         Samples::nanoseconds(&latency.snapshot()),
//!         &[0.001, 0.01],
//!     )?;
//! let lines: Vec<&str> = [
//!     "# HELP requests_total Requests answered.",
//!     "# TYPE requests_total counter",
//!     "requests_total 1",
//!     "# HELP sessions Sessions that are open.",
//!     "# TYPE sessions gauge",
//!     r#"sessions{kind="web"} 1"#,
//!     "# HELP latency_seconds How long it took.",
//!     "# TYPE latency_seconds histogram",
//!     r#"latency_seconds_bucket{le="0.001"} 0"#,
//!     r#"latency_seconds_bucket{le="0.01"} 1"#,
//!     r#"latency_seconds_bucket{le="+Inf"} 1"#,
//!     "latency_seconds_sum 0.003",
//!     "latency_seconds_count 1",
//! ].into();
//! assert_eq!(text.to_string().lines().collect::<Vec<_>>(), lines);
//! // Answer with `text.to_string()`, and with the header `Content-Type` as in CONTENT_TYPE.
//! # assert!(CONTENT_TYPE.contains("0.0.4"));
//! # Ok::<(), selvedge::prometheus::TextError>(())
//! ```
//!
//! Prometheus takes rates of what only grows. So pass what [`Counter::get`](crate::Counter::get) and
//! [`Stats::snapshot`](crate::Stats::snapshot) return, and leave `take` to other readers.
//!
//! # Limits
//!
//! - A bucket may count samples that are greater than its bound, by less than 2^-precision of the bound (1.6 % by
//!   default): a [`Stats`](crate::Stats) keeps no more of a sample, see
//!   [`count_between`](crate::stats::Snapshot::count_between). It never misses one. Sum and count are exact until
//!   they are rounded to `f64`, as Prometheus does.
//! - No timestamps, no `OpenMetrics`, no exemplars, no native histograms.

use std::collections::HashSet;
use std::fmt;

use crate::stats::Snapshot;

/// The value of the header `Content-Type` with which a [`Text`] is sent.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The errors of [`Text`].
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TextError {
    /// A metric has a name that Prometheus does not accept.
    #[error("the name of a metric must match [a-zA-Z_:][a-zA-Z0-9_:]*, got {name:?}")]
    MetricName {
        /// The name.
        name: String,
    },
    /// A label has a name that Prometheus does not accept, or uses itself.
    #[error(
        "the name of a label must match [a-zA-Z_][a-zA-Z0-9_]*, must not begin with __, and must not be \
         le of a histogram or quantile of a summary, got {name:?}"
    )]
    LabelName {
        /// The name.
        name: String,
    },
    /// The names of two labels are equal.
    #[error("the labels of a sample must have different names, got {name:?} twice")]
    LabelTwice {
        /// The name.
        name: String,
    },
    /// The name is that of an earlier metric.
    #[error(
        "the samples of a metric must follow each other, be of one kind, and have a name that is not used by \
         another metric (of a histogram or summary also with _bucket, _sum and _count), got {name:?} again"
    )]
    NameTwice {
        /// The name.
        name: String,
    },
    /// A metric has a sample with the same labels already.
    #[error("the samples of a metric must differ in their labels, got {name} {labels:?} twice")]
    SampleTwice {
        /// The name of the metric.
        name: String,
        /// The labels, by name.
        labels: Vec<(String, String)>,
    },
    /// The bounds of a histogram are not in ascending order.
    #[error("the bounds of buckets must be finite and in ascending order, got {bounds:?}")]
    Bounds {
        /// The bounds.
        bounds: Vec<f64>,
    },
    /// A quantile of a summary is out of range.
    #[error("a quantile must be 0 to 1, got {quantile}")]
    Quantile {
        /// The quantile.
        quantile: f64,
    },
    /// A scale is out of range.
    #[error(
        "the number of samples' units to one of the metric's must be finite and above 0, got {per_unit}"
    )]
    PerUnit {
        /// The scale.
        per_unit: f64,
    },
}

/// A snapshot, and the unit in which a metric shows it. A `&Snapshot` is shown as it is.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    snapshot: &'a Snapshot,
    per_unit: f64,
}

impl<'a> Samples<'a> {
    /// Nanoseconds, as [`Stats::time`](crate::Stats::time) records them, shown as seconds, which is the unit of
    /// time in Prometheus.
    pub fn nanoseconds(snapshot: &'a Snapshot) -> Self {
        Self::scaled(snapshot, 1e9)
    }

    /// Shown in a unit that is `per_unit` times that of the samples: 1,000 for milliseconds as seconds.
    pub fn scaled(snapshot: &'a Snapshot, per_unit: f64) -> Self {
        Self { snapshot, per_unit }
    }

    /// The scale, if it is one.
    fn per_unit(self) -> Result<f64, TextError> {
        let per_unit = self.per_unit;
        let valid = per_unit.is_finite() && per_unit > 0.0;
        valid.then_some(per_unit).ok_or(TextError::PerUnit { per_unit })
    }

    /// How many samples are at most `bound`, in the metric's unit.
    #[expect(clippy::cast_possible_truncation, reason = "a float too large becomes u64::MAX")]
    #[expect(clippy::cast_sign_loss, reason = "it is not negative")]
    fn up_to(self, bound: f64) -> u64 {
        // 0.29 times 100 is a little less than 29, but means 29.
        let limit = bound * self.per_unit * (1.0 + 2.0 * f64::EPSILON);
        if limit < 0.0 { 0 } else { self.snapshot.count_between(..=limit as u64) }
    }

    /// The lines with which a histogram and a summary end.
    #[expect(clippy::cast_precision_loss, reason = "rounded, as the documentation says")]
    fn totals(self, per_unit: f64) -> [Line; 2] {
        let sum = float(self.snapshot.sum() as f64 / per_unit);
        let line = |suffix, value| Line { suffix, own: None, value };
        [line("_sum", sum), line("_count", self.snapshot.count().to_string())]
    }
}

impl<'a> From<&'a Snapshot> for Samples<'a> {
    fn from(snapshot: &'a Snapshot) -> Self {
        Self::scaled(snapshot, 1.0)
    }
}

/// The four types of metrics that this module writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
    Summary,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::Summary => "summary",
        }
    }

    /// The label that it uses itself.
    fn own_label(self) -> Option<&'static str> {
        match self {
            Self::Counter | Self::Gauge => None,
            Self::Histogram => Some("le"),
            Self::Summary => Some("quantile"),
        }
    }

    /// What the names of its samples end with.
    fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Counter | Self::Gauge => &[""],
            Self::Histogram => &["", "_bucket", "_sum", "_count"],
            Self::Summary => &["", "_sum", "_count"],
        }
    }
}

/// A line without what all lines of a sample have in common.
struct Line {
    suffix: &'static str,
    own: Option<(&'static str, String)>,
    value: String,
}

/// Metrics in the text format, as [`Display`](fmt::Display) writes them.
///
/// A metric with several samples is written by one call for each of them, in a row, which differ in their
/// labels. A call that fails writes nothing. See the example of the [module](self).
#[derive(Debug, Clone, Default)]
pub struct Text {
    out: String,
    /// The last metric, and the labels of its samples.
    last: Option<(Kind, String)>,
    samples: HashSet<Vec<(String, String)>>,
    /// The names of all samples.
    names: HashSet<String>,
}

impl Text {
    /// No metrics.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a sample of a counter, whose name by convention ends with `_total`.
    ///
    /// # Errors
    ///
    /// [`TextError`] if the names or labels are not valid.
    pub fn counter(
        &mut self,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        value: u64,
    ) -> Result<&mut Self, TextError> {
        let line = Line { suffix: "", own: None, value: value.to_string() };
        self.write(Kind::Counter, name, help, labels, [line])
    }

    /// Adds a sample of a gauge.
    ///
    /// # Errors
    ///
    /// [`TextError`] if the names or labels are not valid.
    pub fn gauge(
        &mut self,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        value: i64,
    ) -> Result<&mut Self, TextError> {
        let line = Line { suffix: "", own: None, value: value.to_string() };
        self.write(Kind::Gauge, name, help, labels, [line])
    }

    /// Adds a sample of a histogram: how many samples are at most each of `bounds`, which are in the metric's
    /// unit, and a last bucket for all. See the limits of the [module](self) for how exact that is.
    ///
    /// # Errors
    ///
    /// [`TextError`] if the names or labels are not valid, or the bounds not finite and in ascending order.
    pub fn histogram<'a>(
        &mut self,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        samples: impl Into<Samples<'a>>,
        bounds: &[f64],
    ) -> Result<&mut Self, TextError> {
        let samples = samples.into();
        let per_unit = samples.per_unit()?;
        let ascending = bounds.is_sorted_by(|one, next| one < next);
        if !ascending || bounds.iter().any(|bound| !bound.is_finite()) {
            return Err(TextError::Bounds { bounds: bounds.to_vec() });
        }
        let bucket = |le, count: u64| Line {
            suffix: "_bucket",
            own: Some(("le", le)),
            value: count.to_string(),
        };
        let finite = bounds.iter().map(|bound| bucket(float(*bound), samples.up_to(*bound)));
        let all = bucket(float(f64::INFINITY), samples.snapshot.count());
        let lines = finite.chain([all]).chain(samples.totals(per_unit));
        self.write(Kind::Histogram, name, help, labels, lines)
    }

    /// Adds a sample of a summary: [`quantile`](Snapshot::quantile)s of all samples since the last
    /// [`take`](crate::Stats::take), `NaN` if there are none.
    ///
    /// Quantiles of several processes cannot be put together afterwards; histograms can.
    ///
    /// # Errors
    ///
    /// [`TextError`] if the names or labels are not valid, or a quantile is not 0 to 1.
    pub fn summary<'a>(
        &mut self,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        samples: impl Into<Samples<'a>>,
        quantiles: &[f64],
    ) -> Result<&mut Self, TextError> {
        let samples = samples.into();
        let per_unit = samples.per_unit()?;
        if let Some(quantile) = quantiles.iter().find(|q| !(0.0..=1.0).contains(*q)) {
            return Err(TextError::Quantile { quantile: *quantile });
        }
        #[expect(clippy::cast_precision_loss, reason = "rounded, as the documentation says")]
        let value = |q| samples.snapshot.quantile(q).map_or(f64::NAN, |n| n as f64 / per_unit);
        let quantile = |q: &f64| Line {
            suffix: "",
            own: Some(("quantile", float(*q))),
            value: float(value(*q)),
        };
        let lines = quantiles.iter().map(quantile).chain(samples.totals(per_unit));
        self.write(Kind::Summary, name, help, labels, lines)
    }

    /// Checks everything, and then writes it.
    fn write(
        &mut self,
        kind: Kind,
        name: &str,
        help: &str,
        labels: &[(&str, &str)],
        lines: impl IntoIterator<Item = Line>,
    ) -> Result<&mut Self, TextError> {
        let key = check_labels(kind, labels)?;
        let is_new =
            self.last.as_ref().is_none_or(|last| (last.0, last.1.as_str()) != (kind, name));
        if is_new {
            self.check_name(kind, name)?;
        } else if self.samples.contains(&key) {
            return Err(TextError::SampleTwice { name: name.to_owned(), labels: key });
        }
        if is_new {
            let help = escaped(help, false);
            let head = ["# HELP ", name, " ", &help, "\n# TYPE ", name, " ", kind.name(), "\n"];
            self.out.extend(head);
            self.names.extend(kind.suffixes().iter().map(|suffix| format!("{name}{suffix}")));
            self.samples.clear();
            self.last = Some((kind, name.to_owned()));
        }
        self.samples.insert(key);
        for line in lines {
            let own = line.own.iter().map(|(label, value)| (*label, value.as_str()));
            let labels: Vec<String> = labels
                .iter()
                .copied()
                .chain(own)
                .map(|(label, value)| format!("{label}=\"{}\"", escaped(value, true)))
                .collect();
            let labels = labels.join(",");
            let (open, close) = if labels.is_empty() { ("", "") } else { ("{", "}") };
            self.out.extend([name, line.suffix, open, &labels, close, " ", &line.value, "\n"]);
        }
        Ok(self)
    }

    fn check_name(&self, kind: Kind, name: &str) -> Result<(), TextError> {
        if !is_name(name, true) {
            return Err(TextError::MetricName { name: name.to_owned() });
        }
        let suffixes = kind.suffixes().iter();
        let mut names = suffixes.map(|suffix| format!("{name}{suffix}"));
        let taken = names.find(|name| self.names.contains(name));
        taken.map_or(Ok(()), |name| Err(TextError::NameTwice { name }))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.out)
    }
}

/// The labels, sorted: those that differ only in their order are equal.
fn check_labels(kind: Kind, labels: &[(&str, &str)]) -> Result<Vec<(String, String)>, TextError> {
    let mut key: Vec<(String, String)> = Vec::with_capacity(labels.len());
    for (name, value) in labels {
        let owned = (*name).to_owned();
        if !is_name(name, false) || name.starts_with("__") || kind.own_label() == Some(*name) {
            return Err(TextError::LabelName { name: owned });
        }
        if key.iter().any(|(other, _)| other == name) {
            return Err(TextError::LabelTwice { name: owned });
        }
        key.push((owned, (*value).to_owned()));
    }
    key.sort();
    Ok(key)
}

fn is_name(name: &str, colons: bool) -> bool {
    let may_begin = |c: char| c.is_ascii_alphabetic() || c == '_' || (colons && c == ':');
    name.starts_with(may_begin) && name.chars().all(|c| may_begin(c) || c.is_ascii_digit())
}

/// The text with `\` in front of `\`, line breaks, and in values of labels `"`.
fn escaped(text: &str, quotes: bool) -> String {
    let text = text.replace('\\', r"\\").replace('\n', r"\n");
    if quotes { text.replace('"', "\\\"") } else { text }
}

fn float(value: f64) -> String {
    if value == f64::INFINITY { "+Inf".to_owned() } else { value.to_string() }
}
