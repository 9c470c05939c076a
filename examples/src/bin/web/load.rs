//! `--load`: clients that send requests over the network, know what has to come of them, and check it.

use std::collections::BTreeMap;
use std::hash::{Hash, RandomState};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fastrand::Rng;
use indicatif::HumanCount;
use selvedge::{Counter, Map};
use thiserror::Error;
use ureq::Agent;
use ureq::http::header::{COOKIE, SET_COOKIE};
use ureq::http::{Method, Request};

use crate::articles::ARTICLES;
use crate::site::{EDITION, Site, WINDOW, session_in};
use crate::{Args, CacheKind, Counts};
use examples::workers::{Timeout, Workers};
use specimens::requests::RequestCounts;

/// Articles from here on are saved now and then, those before never.
const SAVED_FROM: u64 = ARTICLES / 2 + 1;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whose limit it is: a visitor's, or that of all who save.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Limited {
    Visitor(u64),
    Saves,
}

/// Why there is nothing to be checked.
#[derive(Debug, Error)]
enum LoadError {
    /// The server did not answer, or not by HTTP.
    #[error("a request was not answered: {0}")]
    NotAnswered(#[from] ureq::Error),
    /// No client has had an answer for a while.
    #[error(transparent)]
    Timeout(#[from] Timeout),
}

/// What all clients together know.
struct Known {
    /// Answers by route and status, as `/metrics` names them.
    answered: RequestCounts<String, RandomState>,
    /// Of each visitor, articles read and items put into the cart.
    read: RequestCounts<u64, RandomState>,
    items: RequestCounts<u64, RandomState>,
    /// Requests that were let through, by window.
    admitted: RequestCounts<(Limited, u32), RandomState>,
    /// Of each article the newest edition that is known to be saved.
    saved: Map<u64, u64>,
    /// Answers that were older than that.
    stale: Counter,
    /// Why a request was not answered, the first time.
    failure: Mutex<Option<ureq::Error>>,
}

impl Known {
    fn new() -> Self {
        Self {
            answered: RequestCounts(Map::new()),
            read: RequestCounts(Map::new()),
            items: RequestCounts(Map::new()),
            admitted: RequestCounts(Map::new()),
            saved: Map::new(),
            stale: Counter::new(),
            failure: Mutex::new(None),
        }
    }
}

/// An answer that has arrived.
struct Answer {
    /// The session that has begun.
    session: Option<u64>,
    /// The window in which the request was let through.
    window: Option<u32>,
    /// The edition of the article.
    edition: Option<u64>,
    body: String,
}

/// A client, with a connection of its own.
struct Client {
    agent: Agent,
    site: String,
    known: Arc<Known>,
}

impl Client {
    fn new(address: SocketAddr, known: &Arc<Known>) -> Self {
        let config = Agent::config_builder().http_status_as_error(false);
        // Without a proxy, whatever the environment says: this is about this machine alone.
        let agent = config.timeout_global(Some(PATIENCE)).proxy(None).build().into();
        Self { agent, site: format!("http://{address}"), known: Arc::clone(known) }
    }

    /// Sends a request of a visitor, and counts its answer under the name of its route.
    fn ask(
        &self,
        method: Method,
        route: &str,
        path: &str,
        visitor: Option<u64>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.site));
        if let Some(id) = visitor {
            request = request.header(COOKIE, format!("session={id:016x}"));
        }
        let mut response = self.agent.run(request.body(())?)?;
        let header = |name: &str| response.headers().get(name)?.to_str().ok();
        let session = header(SET_COOKIE.as_str()).and_then(session_in);
        let window = header(WINDOW).and_then(|window| window.parse().ok());
        let edition = header(EDITION).and_then(|edition| edition.parse().ok());
        let body = response.body_mut().read_to_string()?;
        let status = response.status().as_u16();
        self.known.answered.count(format!("route=\"{route}\",status=\"{status}\""));
        Ok(Answer { session, window, edition, body })
    }

    /// Opens a session.
    fn arrive(&self) -> Result<u64, ureq::Error> {
        let answer = self.ask(Method::GET, "/", "/", None)?;
        Ok(answer.session.expect("a new visitor is given a session"))
    }

    /// Reads an article, puts something into the cart, or saves an article.
    fn act(&self, visitor: u64, rng: &mut Rng) -> Result<(), ureq::Error> {
        match rng.u32(0..10) {
            0 => self.save(rng.u64(SAVED_FROM..=ARTICLES)),
            1..4 => self.put_into_cart(visitor),
            _ => self.read(visitor, rng.u64(1..=ARTICLES)),
        }
    }

    fn read(&self, visitor: u64, number: u64) -> Result<(), ureq::Error> {
        let newest = self.known.saved.get(&number).unwrap_or(0);
        let path = format!("/article/{number}");
        let answer = self.ask(Method::GET, "/article", &path, Some(visitor))?;
        if let Some(edition) = answer.edition {
            self.known.read.count(visitor);
            if edition < newest {
                self.known.stale.increment();
            }
        }
        Ok(())
    }

    fn put_into_cart(&self, visitor: u64) -> Result<(), ureq::Error> {
        let answer = self.ask(Method::POST, "/cart", "/cart", Some(visitor))?;
        if let Some(window) = answer.window {
            self.known.items.count(visitor);
            self.known.admitted.count((Limited::Visitor(visitor), window));
        }
        Ok(())
    }

    fn save(&self, number: u64) -> Result<(), ureq::Error> {
        let path = format!("/article/{number}");
        let answer = self.ask(Method::POST, "/article", &path, None)?;
        if let (Some(window), Some(edition)) = (answer.window, answer.edition) {
            self.known.admitted.count((Limited::Saves, window));
            self.known.saved.compute(number, |newest| Some(edition.max(*newest.unwrap_or(&0))));
        }
        Ok(())
    }
}

/// Sends requests, checks what came of them, and closes the program.
pub(crate) fn run(args: &Args, requests: u64, address: SocketAddr, site: &Site) -> ExitCode {
    let known = Arc::new(Known::new());
    let held = send(args, requests, address, &known)
        .and_then(|visitors| check(args, address, site, &known, &visitors));
    match held {
        Ok(held) => {
            examples::program::close("no request, field or load is lost or done twice", held)
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Lets all clients send requests, and returns their visitors.
fn send(
    args: &Args,
    requests: u64,
    address: SocketAddr,
    known: &Arc<Known>,
) -> Result<Vec<u64>, LoadError> {
    let mut clients = Vec::new();
    let mut visitors = Vec::new();
    for number in 0..args.clients {
        let client = Client::new(address, known);
        if number % 2 == 0 {
            visitors.push(client.arrive()?);
        }
        clients.push((client, visitors[visitors.len() - 1]));
    }
    let started = Instant::now();
    let mut workers = Workers::of(args.clients);
    for (number, (client, visitor)) in (0..).zip(clients) {
        // The first ones send one more, where it does not divide.
        let share = requests / u64::from(args.clients)
            + u64::from(number < requests % u64::from(args.clients));
        workers.work(move |done| {
            let mut rng = Rng::with_seed(number);
            for _ in 0..share {
                if let Err(error) = client.act(visitor, &mut rng) {
                    lock(&client.known.failure).get_or_insert(error);
                    return;
                }
                done.increment();
            }
        });
    }
    workers.watch(requests)?;
    if let Some(error) = lock(&known.failure).take() {
        return Err(error.into());
    }
    let took = started.elapsed();
    println!(
        "{} clients of {} visitors sent {} requests in {took:.2?}",
        args.clients,
        visitors.len(),
        HumanCount(requests),
    );
    Ok(visitors)
}

/// Compares what the site says with what the clients know, says so, and returns whether all is right.
fn check(
    args: &Args,
    address: SocketAddr,
    site: &Site,
    known: &Arc<Known>,
    visitors: &[u64],
) -> Result<bool, LoadError> {
    println!("\n{}", Counts(site));
    let answered = table(&known.answered);
    let metrics = Client::new(address, known).ask(Method::GET, "/metrics", "/metrics", None)?.body;
    let held = [
        check_metrics(&answered, &metrics),
        check_sessions(known, site, visitors),
        check_loads(args, site),
        check_editions(known, site),
        check_limits(args, known),
    ];
    Ok(held.iter().all(|held| *held))
}

/// Says whether something held, and returns it.
fn say(held: bool, what: &str) -> bool {
    println!("{:<6}  {what}", if held { "held" } else { "broken" });
    held
}

fn check_metrics(answered: &BTreeMap<String, u64>, metrics: &str) -> bool {
    let counted: BTreeMap<_, _> = samples(metrics, "web_requests_total")
        .map(|(labels, count)| (labels.trim_matches(['{', '}']).to_owned(), count))
        .collect();
    let timed: u64 = samples(metrics, "web_request_duration_seconds_count").map(|(_, n)| n).sum();
    let total: u64 = answered.values().sum();
    let missing = total.abs_diff(counted.values().sum()) + total.abs_diff(timed);
    let held = counted == *answered && missing == 0;
    let (total, missing) = (HumanCount(total), HumanCount(missing));
    say(held, &format!("of {total} answers, {missing} are missing on /metrics"))
}

fn check_sessions(known: &Known, site: &Site, visitors: &[u64]) -> bool {
    let (read, items) = (table(&known.read), table(&known.items));
    let (mut changes, mut lost) = (0, 0);
    for id in visitors {
        let (read, items) = (read.get(id).unwrap_or(&0), items.get(id).unwrap_or(&0));
        let kept = site.session(*id).map_or((0, 0), |session| (session.read, session.items));
        changes += read + items;
        lost += read.abs_diff(kept.0.into()) + items.abs_diff(kept.1.into());
    }
    let (changes, missing) = (HumanCount(changes), HumanCount(lost));
    say(lost == 0, &format!("of {changes} changes of sessions, {missing} are lost"))
}

/// A load for the first who asks, and one more for each save: that is what loads inside promise.
fn check_loads(args: &Args, site: &Site) -> bool {
    let (loads, saves) = (table(&site.database.loads), table(&site.database.saves));
    let total: u64 = loads.values().sum();
    if args.cache != CacheKind::Inside {
        return say(
            true,
            &format!("{total} loads of articles; this cache does not promise how many"),
        );
    }
    let needed = |article| 1 + saves.get(article).unwrap_or(&0);
    let vain: u64 = loads.iter().map(|(n, loads)| loads.saturating_sub(needed(n))).sum();
    say(vain == 0, &format!("of {total} loads of articles, {vain} were of what was there"))
}

fn check_editions(known: &Known, site: &Site) -> bool {
    let saves = site.database.saves.total();
    let old = known.stale.get();
    let stale = (1..=ARTICLES).filter(|number| !site.is_fresh(*number)).count();
    let what =
        format!("{saves} saves: {old} answers older than one, {stale} articles stale for good");
    say(old == 0 && stale == 0, &what)
}

fn check_limits(args: &Args, known: &Known) -> bool {
    let (mut cart, mut saves) = (0, 0);
    for ((limited, _), count) in known.admitted.all() {
        let most = if limited == Limited::Saves { &mut saves } else { &mut cart };
        *most = count.max(*most);
    }
    let held = |what, most: u64, limit: u32| {
        say(most <= limit.into(), &format!("{what}: up to {most} in a second, of {limit} allowed"))
    };
    // Both are said, whatever the first one is.
    let cart_held = held("a visitor's cart", cart, args.cart_limit);
    held("saves", saves, args.save_limit) && cart_held
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn table<K: Hash + Eq + Ord + Clone>(counts: &RequestCounts<K, RandomState>) -> BTreeMap<K, u64> {
    counts.all().into_iter().collect()
}

/// The samples of a metric, each by what follows its name.
fn samples<'a>(metrics: &'a str, name: &str) -> impl Iterator<Item = (&'a str, u64)> {
    metrics.lines().filter_map(move |line| {
        let (labels, value) = line.strip_prefix(name)?.rsplit_once(' ')?;
        Some((labels, value.parse().ok()?))
    })
}
