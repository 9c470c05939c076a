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
use ureq::Agent;
use ureq::http::header::{COOKIE, SET_COOKIE};
use ureq::http::{Method, Request};

use crate::articles::ARTICLES;
use crate::crew::Crew;
use crate::requests::RequestCounts;
use crate::site::{EDITION, Site, WINDOW, session_in};
use crate::{Args, CacheKind, Counts, program};

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
        let agent = config.timeout_global(Some(PATIENCE)).build().into();
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
        Ok(held) => program::close("no request, field or load is lost or done twice", held),
        Err(error) => {
            eprintln!("error: a request was not answered: {error}");
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
) -> Result<Vec<u64>, ureq::Error> {
    let clients: Vec<_> = (0..args.clients).map(|_| Client::new(address, known)).collect();
    let visitors: Vec<_> =
        clients.iter().step_by(2).map(Client::arrive).collect::<Result<_, _>>()?;
    let started = Instant::now();
    let mut crew = Crew::default();
    for (number, client) in (0..).zip(clients) {
        let visitor = visitors[number as usize / 2];
        // The first ones send one more, where it does not divide.
        let share = requests / u64::from(args.clients)
            + u64::from(number < requests % u64::from(args.clients));
        crew.work(move |done| {
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
    crew.watch(requests).expect("a request is answered, or given up");
    if let Some(error) = lock(&known.failure).take() {
        return Err(error);
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
) -> Result<bool, ureq::Error> {
    println!("\n{}", Counts(site));
    let mut all = true;
    let mut say = |held: bool, what: String| {
        println!("{:<6}  {what}", if held { "held" } else { "broken" });
        all &= held;
    };

    let answered: BTreeMap<_, _> = known.answered.all().into_iter().collect();
    let total: u64 = answered.values().sum();
    let metrics = Client::new(address, known).ask(Method::GET, "/metrics", "/metrics", None)?.body;
    let counted: BTreeMap<_, _> = samples(&metrics, "web_requests_total")
        .map(|(labels, count)| (labels.trim_matches(['{', '}']).to_owned(), count))
        .collect();
    let timed: u64 = samples(&metrics, "web_request_duration_seconds_count").map(|(_, n)| n).sum();
    let lost = total.abs_diff(counted.values().sum()) + total.abs_diff(timed);
    let (total, lost) = (HumanCount(total), HumanCount(lost));
    let held = counted == answered && lost.0 == 0;
    say(held, format!("of {total} answers, {lost} are missing on /metrics"));

    let (read, items) = (table(&known.read), table(&known.items));
    let (mut done, mut forgotten) = (0, 0);
    for id in visitors {
        let (read, items) = (read.get(id).unwrap_or(&0), items.get(id).unwrap_or(&0));
        let session = site.session(*id);
        let remembered = session.map_or((0, 0), |session| (session.read, session.items));
        done += read + items;
        forgotten += read.abs_diff(remembered.0.into()) + items.abs_diff(remembered.1.into());
    }
    let (done, forgotten) = (HumanCount(done), HumanCount(forgotten));
    say(forgotten.0 == 0, format!("of {done} changes of sessions, {forgotten} are lost"));

    let (loads, saves) = (table(&site.database.loads), table(&site.database.saves));
    let (loaded, saved): (u64, u64) = (loads.values().sum(), saves.values().sum());
    if args.cache == CacheKind::Inside {
        let needed = |article| 1 + saves.get(article).unwrap_or(&0);
        let vain: u64 = loads.iter().map(|(n, loads)| loads.saturating_sub(needed(n))).sum();
        say(vain == 0, format!("of {loaded} loads of articles, {vain} were of what was there"));
    }

    let stale = known.stale.get();
    let kept = (1..=ARTICLES).filter(|number| !site.is_fresh(*number)).count();
    let held = stale == 0 && kept == 0;
    say(
        held,
        format!("{saved} saves: {stale} answers are older than one, and {kept} articles stay so"),
    );

    let admitted = table(&known.admitted);
    let most = |limited: fn(&Limited) -> bool| {
        let counts = admitted.iter().filter(|((whose, _), _)| limited(whose));
        counts.map(|(_, count)| *count).max().unwrap_or(0)
    };
    let (carts, saves) =
        (most(|whose| *whose != Limited::Saves), most(|whose| *whose == Limited::Saves));
    let limit = args.cart_limit;
    say(
        carts <= limit.into(),
        format!("a visitor's cart: up to {carts} a second let through, of {limit}"),
    );
    let limit = args.save_limit;
    say(saves <= limit.into(), format!("saves: up to {saves} a second let through, of {limit}"));
    Ok(all)
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
