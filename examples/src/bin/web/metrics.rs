//! `/metrics`, in the text format of Prometheus.

use oxhttp::model::header::CONTENT_TYPE;
use oxhttp::model::{Body, Response, StatusCode};
use selvedge::prometheus::{self, Samples, Text, TextError};

use crate::page::QUANTILES;
use crate::site::{Site, response as respond};

/// All metrics.
pub(crate) fn response(site: &Site) -> Response<Body> {
    let metrics = text(site).expect("the names are valid, and each is there once");
    respond(StatusCode::OK, &[(CONTENT_TYPE, prometheus::CONTENT_TYPE)], metrics.to_string())
}

fn text(site: &Site) -> Result<Text, TextError> {
    let mut text = Text::new();
    for ((route, status), count) in site.counts() {
        let labels = [("route", route), ("status", &status.to_string())];
        let help = "Requests answered, by route and status.";
        text.counter("web_requests_total", help, &labels, count)?;
    }
    let (loads, saves) = (site.database.loads.total(), site.database.saves.total());
    let whole = |n| i64::try_from(n).unwrap_or(i64::MAX);
    text.summary(
        "web_request_duration_seconds",
        "How long answering a request took.",
        &[],
        Samples::nanoseconds(&site.latency()),
        &QUANTILES,
    )?
    .counter("web_article_loads_total", "Articles loaded from the database.", &[], loads)?
    .counter("web_article_saves_total", "Articles saved.", &[], saves)?
    .gauge(
        "web_sessions",
        "Sessions that have begun and not ended.",
        &[],
        whole(site.sessions() as u64),
    )?
    .gauge("web_uptime_seconds", "Since the site began.", &[], whole(site.now()))?;
    Ok(text)
}
