//! The site: what it shares between requests, and how it answers one.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{PoisonError, RwLock};
use std::thread;
use std::time::Instant;

use oxhttp::model::header::{
    ACCEPT, ALLOW, CONNECTION, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE,
};
use oxhttp::model::{Body, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use selvedge::{Map, Stats};

use crate::articles::{Article, ArticleError, Database};
use crate::{CacheKind, metrics, page};
use specimens::cache::racy::{LastFillWinsCache, LookLoadFillCache};
use specimens::cache::{Cache, LeaseCache, LoadInsideCache, NewestWinsCache};
use specimens::requests::racy::{CheckThenCountLimiter, GetThenInsertCounts};
use specimens::requests::{ClientLimiter, OneWordLimiter, RequestCounts, Seen, TooMany};
use specimens::sessions::racy::WholeSaveSessions;
use specimens::sessions::{Session, SessionError, Sessions};

/// The headers that tell in which window a request was let through, and which edition an article has.
pub(crate) const WINDOW: &str = "window";
pub(crate) const EDITION: &str = "edition";

/// After how many seconds a session that is not used ends.
const IDLE: u64 = 30 * 60;

/// A part of the site, sound or racy.
enum Either<S, R> {
    Sound(S),
    Racy(R),
}

/// A route and a status.
pub(crate) type Kind = (&'static str, u16);

type Counts = RequestCounts<Kind, RandomState>;
type RacyCounts = GetThenInsertCounts<Kind, RandomState>;

impl Either<Counts, RacyCounts> {
    fn count(&self, kind: Kind) {
        match self {
            Self::Sound(counts) => counts.count(kind),
            Self::Racy(counts) => counts.count(kind),
        }
    }

    fn all(&self) -> Vec<(Kind, u64)> {
        match self {
            Self::Sound(counts) => counts.all(),
            Self::Racy(counts) => counts.counts.all(),
        }
    }
}

impl Either<Sessions<RandomState>, WholeSaveSessions<RandomState>> {
    fn store(&self) -> &Sessions<RandomState> {
        match self {
            Self::Sound(sessions) => sessions,
            Self::Racy(sessions) => &sessions.0,
        }
    }

    fn change(&self, id: u64, change: impl FnOnce(&mut Session)) -> Result<(), SessionError> {
        match self {
            Self::Sound(sessions) => sessions.change(id, change),
            Self::Racy(sessions) => sessions.change(id, |session| {
                change(session);
                thread::yield_now();
            }),
        }
    }
}

impl Either<ClientLimiter<RandomState>, CheckThenCountLimiter<RandomState>> {
    fn admit(&self, client: u64, now: u32) -> Result<u32, TooMany> {
        match self {
            Self::Sound(limiter) => limiter.admit(client, now),
            Self::Racy(limiter) => limiter.admit(client, now),
        }
    }
}

/// What a site is made of, and how much it lets through.
pub(crate) struct Parts {
    pub(crate) racy: bool,
    pub(crate) cache: CacheKind,
    /// Items that a visitor may put into the cart in a second.
    pub(crate) carts: u32,
    /// Saves that all visitors together may do in a second.
    pub(crate) saves: u32,
}

/// What all requests share.
pub(crate) struct Site {
    pub(crate) database: Database,
    cache: Box<dyn Cache<Article, ArticleError>>,
    sessions: Either<Sessions<RandomState>, WholeSaveSessions<RandomState>>,
    /// By which numbers in turn become session numbers that nobody guesses.
    ids: RandomState,
    /// Relaxed: each session needs a number of its own and nothing else.
    begun: AtomicU64,
    carts: Either<ClientLimiter<RandomState>, CheckThenCountLimiter<RandomState>>,
    saves: OneWordLimiter,
    counts: Either<Counts, RacyCounts>,
    /// How long each request took, in nanoseconds.
    latency: Stats,
    started: Instant,
    /// Held, for reading, as long as a request is answered. Whether there will be no more.
    closed: RwLock<bool>,
}

impl Site {
    pub(crate) fn new(parts: &Parts) -> Self {
        let sessions = Sessions(Map::new());
        let counts = RequestCounts(Map::new());
        let carts = ClientLimiter { limit: parts.carts, seen: Map::new() };
        let between = thread::yield_now;
        Self {
            database: Database::new(),
            cache: cache(parts),
            sessions: if parts.racy {
                Either::Racy(WholeSaveSessions(sessions))
            } else {
                Either::Sound(sessions)
            },
            ids: RandomState::new(),
            begun: AtomicU64::new(0),
            carts: if parts.racy {
                Either::Racy(CheckThenCountLimiter { limiter: carts, between })
            } else {
                Either::Sound(carts)
            },
            saves: OneWordLimiter::new(parts.saves, Seen { window: 0, count: 0 }),
            counts: if parts.racy {
                Either::Racy(GetThenInsertCounts { counts, between })
            } else {
                Either::Sound(counts)
            },
            latency: Stats::new(),
            started: Instant::now(),
            closed: RwLock::new(false),
        }
    }

    /// Answers a request, and counts it.
    pub(crate) fn answer(&self, request: &Request<Body>) -> Response<Body> {
        let closed = self.closed.read().unwrap_or_else(PoisonError::into_inner);
        if *closed {
            let mut response = text(StatusCode::SERVICE_UNAVAILABLE, "the site is closed\n");
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            return response;
        }
        let timer = self.latency.timer();
        let (route, response) = self.route(request);
        self.counts.count((route, response.status().as_u16()));
        timer.stop();
        response
    }

    /// Waits for the requests that are being answered. All later ones are refused.
    pub(crate) fn close(&self) {
        *self.closed.write().unwrap_or_else(PoisonError::into_inner) = true;
    }

    /// The name of the route, under which it is counted, and the response.
    fn route(&self, request: &Request<Body>) -> (&'static str, Response<Body>) {
        let path = request.uri().path();
        let (get, post) = (request.method() == Method::GET, request.method() == Method::POST);
        if let Some(number) = path.strip_prefix("/article/") {
            let response = match number.parse() {
                Ok(number) if get => self.show(request, number),
                Ok(number) if post => self.save(number),
                Ok(_) => not_allowed("GET, POST"),
                Err(_) => text(
                    StatusCode::NOT_FOUND,
                    format!("the number of an article must be an integer, got {number:?}\n"),
                ),
            };
            return ("/article", response);
        }
        match path {
            "/" if get => ("/", self.home(request)),
            "/" => ("/", not_allowed("GET")),
            "/metrics" if get => ("/metrics", metrics::response(self)),
            "/metrics" => ("/metrics", not_allowed("GET")),
            "/cart" if post => ("/cart", self.put_into_cart(request)),
            "/cart" => ("/cart", not_allowed("POST")),
            "/log-out" if post => ("/log-out", self.log_out(request)),
            "/log-out" => ("/log-out", not_allowed("POST")),
            _ => ("other", text(StatusCode::NOT_FOUND, "there is no such page\n")),
        }
    }

    fn home(&self, request: &Request<Body>) -> Response<Body> {
        let (id, begun) = self.visitor(request);
        let session = self.sessions.store().get(id).unwrap_or(Session::begun(self.now()));
        with_cookie(begun.then_some(id), page::response(self, session))
    }

    fn show(&self, request: &Request<Body>, number: u64) -> Response<Body> {
        match self.cache.get(number, &|| self.database.load(number)) {
            Ok(article) => {
                if let Some(id) = session_of(request) {
                    let now = self.now();
                    // Who has no session any more can read all the same.
                    let _ = self.sessions.change(id, |session| {
                        session.read += 1;
                        session.used = now;
                    });
                }
                shown(&article)
            }
            Err(error) => text(StatusCode::NOT_FOUND, format!("{error}\n")),
        }
    }

    fn save(&self, number: u64) -> Response<Body> {
        let window = match self.saves.admit(self.window()) {
            Ok(window) => window,
            Err(error) => return text(StatusCode::TOO_MANY_REQUESTS, format!("{error}\n")),
        };
        match self.cache.save(number, &|| self.database.save(number)) {
            Ok(article) => with_number(shown(&article), WINDOW, window.into()),
            Err(error) => text(StatusCode::NOT_FOUND, format!("{error}\n")),
        }
    }

    fn put_into_cart(&self, request: &Request<Body>) -> Response<Body> {
        let (id, begun) = self.visitor(request);
        let response = match self.carts.admit(id, self.window()) {
            Ok(window) => {
                let now = self.now();
                let added = self.sessions.change(id, |session| {
                    session.items += 1;
                    session.used = now;
                });
                match added {
                    Ok(()) if wants_page(request) => back_home(),
                    Ok(()) => {
                        let added = text(StatusCode::OK, "an item is in the cart\n");
                        with_number(added, WINDOW, window.into())
                    }
                    Err(error) => text(StatusCode::GONE, format!("{error}\n")),
                }
            }
            Err(error) => text(StatusCode::TOO_MANY_REQUESTS, format!("{error}\n")),
        };
        with_cookie(begun.then_some(id), response)
    }

    fn log_out(&self, request: &Request<Body>) -> Response<Body> {
        let ended = session_of(request).map(|id| self.sessions.store().end(id));
        match ended {
            Some(Err(error)) => text(StatusCode::GONE, format!("{error}\n")),
            None | Some(Ok(_)) => back_home(),
        }
    }

    /// The visitor's session, and whether it begins with this request.
    fn visitor(&self, request: &Request<Body>) -> (u64, bool) {
        let known = session_of(request).filter(|id| self.sessions.store().get(*id).is_ok());
        known.map_or_else(|| (self.begin(), true), |id| (id, false))
    }

    fn begin(&self) -> u64 {
        let id = self.ids.hash_one(self.begun.fetch_add(1, Relaxed));
        self.sessions.store().begin(id, Session::begun(self.now()));
        id
    }

    /// Ends sessions that were not used for half an hour.
    pub(crate) fn sweep(&self) {
        let now = self.now();
        self.sessions.store().expire(|session| session.used + IDLE < now);
    }

    /// Seconds since the site began.
    pub(crate) fn now(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    /// The same, as the number of a window.
    fn window(&self) -> u32 {
        u32::try_from(self.now()).unwrap_or(u32::MAX)
    }

    /// How many requests were answered, by route and status.
    pub(crate) fn counts(&self) -> Vec<(Kind, u64)> {
        let mut counts = self.counts.all();
        counts.sort_unstable();
        counts
    }

    pub(crate) fn latency(&self) -> selvedge::stats::Snapshot {
        self.latency.snapshot()
    }

    pub(crate) fn session(&self, id: u64) -> Result<Session, SessionError> {
        self.sessions.store().get(id)
    }

    pub(crate) fn is_racy(&self) -> bool {
        matches!(self.counts, Either::Racy(_))
    }

    pub(crate) fn sessions(&self) -> usize {
        self.sessions.store().0.len()
    }

    /// Whether the cache shows an article as the database has it.
    pub(crate) fn is_fresh(&self, number: u64) -> bool {
        let load = || self.database.load(number);
        self.cache.get(number, &load) == load()
    }
}

fn cache(parts: &Parts) -> Box<dyn Cache<Article, ArticleError>> {
    match (parts.cache, parts.racy) {
        (CacheKind::Inside, false) => Box::new(LoadInsideCache(Map::new())),
        (CacheKind::Newest, false) => Box::new(NewestWinsCache(Map::new())),
        (CacheKind::Lease, false) => Box::new(LeaseCache(Map::new())),
        (CacheKind::Inside | CacheKind::Lease, true) => Box::new(LookLoadFillCache(Map::new())),
        (CacheKind::Newest, true) => Box::new(LastFillWinsCache(LookLoadFillCache(Map::new()))),
    }
}

/// What the browser says its session is.
fn session_of(request: &Request<Body>) -> Option<u64> {
    session_in(request.headers().get(COOKIE)?.to_str().ok()?)
}

/// The session among the parts of a cookie.
pub(crate) fn session_in(cookie: &str) -> Option<u64> {
    let session = cookie.split("; ").find_map(|part| part.strip_prefix("session="))?;
    u64::from_str_radix(session, 16).ok()
}

fn with_cookie(session: Option<u64>, mut response: Response<Body>) -> Response<Body> {
    if let Some(id) = session {
        let cookie = format!("session={id:016x}; Path=/; HttpOnly; SameSite=Lax");
        response.headers_mut().insert(SET_COOKIE, cookie.parse().expect("visible characters"));
    }
    response
}

fn shown(article: &Article) -> Response<Body> {
    with_number(text(StatusCode::OK, article.text.as_ref()), EDITION, article.edition)
}

fn with_number(mut response: Response<Body>, header: &'static str, value: u64) -> Response<Body> {
    response.headers_mut().insert(header, value.into());
    response
}

/// Whether a browser asks, from a form on the page.
fn wants_page(request: &Request<Body>) -> bool {
    let accepted = request.headers().get(ACCEPT);
    accepted.and_then(|accepted| accepted.to_str().ok()).is_some_and(|a| a.contains("text/html"))
}

fn back_home() -> Response<Body> {
    response(StatusCode::SEE_OTHER, &[(LOCATION, "/")], "")
}

fn not_allowed(allowed: &'static str) -> Response<Body> {
    let why = format!("method not allowed: it must be {allowed}\n");
    response(StatusCode::METHOD_NOT_ALLOWED, &[(ALLOW, allowed)], why)
}

fn text(status: StatusCode, text: impl Into<String>) -> Response<Body> {
    response(status, &[(CONTENT_TYPE, "text/plain; charset=utf-8")], text)
}

/// A response with headers.
pub(crate) fn response(
    status: StatusCode,
    headers: &[(HeaderName, &'static str)],
    body: impl Into<String>,
) -> Response<Body> {
    let mut response = Response::new(Body::from(body.into()));
    *response.status_mut() = status;
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
