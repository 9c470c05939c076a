//! `/metrics`, in the text format of Prometheus.

use std::fmt::Write;

use oxhttp::model::header::CONTENT_TYPE;
use oxhttp::model::{Body, Response, StatusCode};

use crate::page::QUANTILES;
use crate::site::{Site, response as respond};

/// All metrics. The values of labels are constants without a character that would have to be escaped.
pub(crate) fn response(site: &Site) -> Response<Body> {
    let content_type = (CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8");
    let metrics = text(site).expect("a string has room");
    respond(StatusCode::OK, &[content_type], metrics)
}

fn text(site: &Site) -> Result<String, std::fmt::Error> {
    let mut out = String::new();

    head(&mut out, "web_requests_total", "counter", "Requests answered, by route and status.")?;
    for ((route, status), count) in site.counts() {
        writeln!(out, "web_requests_total{{route=\"{route}\",status=\"{status}\"}} {count}")?;
    }

    let name = "web_request_duration_seconds";
    head(&mut out, name, "summary", "How long answering a request took.")?;
    let latency = site.latency();
    for q in QUANTILES {
        let value = latency.quantile(q).map_or("NaN".to_owned(), |nanos| seconds(nanos.into()));
        writeln!(out, "{name}{{quantile=\"{q}\"}} {value}")?;
    }
    writeln!(out, "{name}_sum {}", seconds(latency.sum()))?;
    writeln!(out, "{name}_count {}", latency.count())?;

    head(&mut out, "web_article_loads_total", "counter", "Articles loaded from the database.")?;
    writeln!(out, "web_article_loads_total {}", site.database.loads.total())?;
    head(&mut out, "web_article_saves_total", "counter", "Articles saved.")?;
    writeln!(out, "web_article_saves_total {}", site.database.saves.total())?;

    head(&mut out, "web_sessions", "gauge", "Sessions that have begun and not ended.")?;
    writeln!(out, "web_sessions {}", site.sessions())?;
    head(&mut out, "web_uptime_seconds", "gauge", "Since the site began.")?;
    writeln!(out, "web_uptime_seconds {}", site.now())?;
    Ok(out)
}

fn head(out: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(out, "# HELP {name} {help}")?;
    writeln!(out, "# TYPE {name} {kind}")
}

/// Nanoseconds as seconds, exactly.
fn seconds(nanos: u128) -> String {
    const SECOND: u128 = 1_000_000_000;
    format!("{}.{:09}", nanos / SECOND, nanos % SECOND)
}
