//! `/`, for people: the same numbers as on `/metrics`.

use std::fmt::Write;
use std::time::Duration;

use indicatif::HumanCount;
use oxhttp::model::header::{CACHE_CONTROL, CONTENT_TYPE};
use oxhttp::model::{Body, Response, StatusCode};

use crate::articles::ARTICLES;
use crate::site::{Site, response as respond};
use specimens::sessions::Session;

/// Which quantiles of the latency are shown.
pub(crate) const QUANTILES: [f64; 4] = [0.5, 0.9, 0.99, 0.999];

/// The page, as it is for one visitor. All of it is numbers and constants: nothing has to be escaped.
pub(crate) fn response(site: &Site, session: Session) -> Response<Body> {
    let html = html(site, session).expect("a string has room");
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CACHE_CONTROL, "no-store")];
    respond(StatusCode::OK, &headers, html)
}

fn html(site: &Site, session: Session) -> Result<String, std::fmt::Error> {
    let latency = site.latency();
    let counts = site.counts();
    let promise = if site.is_racy() {
        "These are the racy variants: do not believe them."
    } else {
        "None is lost."
    };
    let mut out = String::new();
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>selvedge: a site under load</title>\n<style>\n{}</style>\n</head>\n<body>\n\
         <header>\n<h1>A site under load</h1>\n\
         <p>Every number here is written by all threads at once. {promise} \
         For machines: <a href=\"/metrics\">/metrics</a>.</p>\n</header>\n<main>\n",
        include_str!("style.css")
    )?;

    write!(out, "<section class=\"wide\">\n<h2>Now</h2>\n<dl>\n")?;
    let mut fact = |name: &str, value: u64| {
        writeln!(out, "<div><dt>{name}</dt><dd>{}</dd></div>", HumanCount(value))
    };
    fact("requests", latency.count())?;
    fact("sessions", site.sessions() as u64)?;
    fact("articles loaded", site.database.loads.total())?;
    fact("articles saved", site.database.saves.total())?;
    fact("seconds up", site.now())?;
    write!(out, "</dl>\n</section>\n")?;

    write!(
        out,
        "<section>\n<h2>Requests</h2>\n<table>\n\
         <thead><tr><th>route</th><th>status</th><th>count</th></tr></thead>\n<tbody>\n"
    )?;
    for ((route, status), count) in counts {
        let count = HumanCount(count);
        writeln!(out, "<tr><td>{route}</td><td>{status}</td><td>{count}</td></tr>")?;
    }
    write!(out, "</tbody>\n</table>\n</section>\n")?;

    write!(
        out,
        "<section>\n<h2>Time of an answer</h2>\n<table>\n\
         <thead><tr><th>share of requests</th><th>up to</th></tr></thead>\n<tbody>\n"
    )?;
    for (q, share) in QUANTILES.iter().zip(["half", "90 %", "99 %", "99.9 %"]) {
        writeln!(out, "<tr><td>{share}</td><td>{}</td></tr>", time(latency.quantile(*q)))?;
    }
    writeln!(out, "<tr><td>all</td><td>{}</td></tr>", time(latency.max()))?;
    write!(out, "</tbody>\n</table>\n</section>\n")?;

    write!(
        out,
        "<section class=\"wide\">\n<h2>Your session</h2>\n<dl>\n\
         <div><dt>articles read</dt><dd>{}</dd></div>\n\
         <div><dt>items in the cart</dt><dd>{}</dd></div>\n</dl>\n\
         <form method=\"post\" action=\"/cart\"><button>Add an item</button></form>\n\
         <form method=\"post\" action=\"/log-out\"><button>Log out</button></form>\n\
         <p class=\"note\">Articles are <a href=\"/article/1\">/article/1</a> to \
         <a href=\"/article/{ARTICLES}\">/article/{ARTICLES}</a>. POST to one writes its next \
         edition.</p>\n</section>\n</main>\n</body>\n</html>\n",
        HumanCount(session.read.into()),
        HumanCount(session.items.into()),
    )?;
    Ok(out)
}

/// Nanoseconds as people like them.
fn time(nanos: Option<u64>) -> String {
    nanos.map_or("-".to_owned(), |nanos| format!("{:.1?}", Duration::from_nanos(nanos)))
}
