//! A web server on this machine alone: look-ups in a cache, sessions, limits, counts of requests and
//! quantiles of their latency. All of it is shared by all requests, and nothing is lost.
//!
//! ```text
//! cargo run --release -p examples --bin web                          # serves until Ctrl-C
//! cargo run --release -p examples --bin web -- --load 20000          # and sends itself requests, and checks
//! cargo run --release -p examples --bin web -- --load 20000 --racy   # the same with the racy variants; fails
//! ```
//!
//! With a client from outside, `wrk` or `ab` say: what they have completed is on `/metrics`, and not one
//! more or less.
//!
//! ```text
//! cargo run --release -p examples --bin web -- --port 8080
//! ab -c 8 -n 100000 http://127.0.0.1:8080/article/1       # then look at /metrics
//! wrk -t 2 -c 8 -d 10 http://127.0.0.1:8080/article/1
//! ```
//!
//! (`wrk` stops in the middle of its last requests: up to one a connection is answered and counted here,
//! and not complete there.)
//!
//! What is shared is in `specimens/src/`: `cache.rs`, `sessions.rs` and `requests.rs`, each with its
//! variants, and is proved in the pages of these names in `loom-tests/`. The variants let others run between
//! their two steps, so that they go wrong while you look; the pages show that they need no such help. The
//! limit of saves has no variant here.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use std::{fmt, io};

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, ValueEnum};
use indicatif::HumanCount;
use oxhttp::Server;

mod articles;
mod load;
mod metrics;
mod page;
mod site;

use examples::cores::all_cores;
use site::{Parts, Site};

/// How long a connection may be idle.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often idle sessions are looked for.
const SWEEP: Duration = Duration::from_secs(1);

/// How often a free port is looked for that is then taken by somebody else.
const ATTEMPTS: u32 = 10;

/// Serves articles, sessions and statistics on 127.0.0.1; with --load, sends itself requests and checks
/// that none was lost.
#[derive(Parser)]
#[command(name = "web")]
struct Args {
    /// Run the racy variants
    #[arg(long)]
    racy: bool,
    /// Port to listen on; 0 picks a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Connections that are served at the same time, each by a thread
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1024))]
    threads: u32,
    /// End after so many seconds; otherwise, Ctrl-C does
    #[arg(long, conflicts_with = "load", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    seconds: Option<u64>,
    /// Send so many requests, check what came of them, and end
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    load: Option<u64>,
    /// Clients of --load, two for each visitor; as many connections
    #[arg(long, default_value_t = all_cores(), value_parser = clap::value_parser!(u32).range(2..=64))]
    clients: u32,
    /// How the cache keeps out what is stale
    #[arg(long, value_enum, default_value_t = CacheKind::Inside)]
    cache: CacheKind,
    /// Items that a visitor may put into the cart in a second
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    cart_limit: u32,
    /// Articles that may be saved in a second, by all visitors together
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    save_limit: u32,
}

/// The caches of `support/cache.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CacheKind {
    /// Load under the lock: each value once
    Inside,
    /// Load outside, keep the newest
    Newest,
    /// Load outside, drop what was invalidated meanwhile
    Lease,
}

fn main() -> ExitCode {
    let args = Args::parse();
    if args.load.is_some() && args.clients > args.threads {
        let why = format!(
            "invalid value '{}' for '--clients': must be at most --threads, which is {}",
            args.clients, args.threads
        );
        Args::command().error(ErrorKind::ValueValidation, why).exit();
    }
    let site = Arc::new(Site::new(&Parts {
        racy: args.racy,
        cache: args.cache,
        carts: args.cart_limit,
        saves: args.save_limit,
    }));
    let address = match listen(&args, &site) {
        Ok(address) => address,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("http://{address}/ serves up to {} connections at a time", args.threads);
    match args.load {
        Some(requests) => load::run(&args, requests, address, &site),
        None => serve(&args, &site),
    }
}

/// A port on which the site does not listen.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on port {port}: it must be a free port, or 0 for any")]
struct PortError {
    port: u16,
    source: io::Error,
}

/// Starts to listen, and returns where.
fn listen(args: &Args, site: &Arc<Site>) -> Result<SocketAddr, PortError> {
    let mut attempts = 1..=ATTEMPTS;
    loop {
        let last = attempts.next() == Some(ATTEMPTS) || args.port != 0;
        let started = free_port(args.port).and_then(|port| {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let site = Arc::clone(site);
            Server::new(move |request| site.answer(request))
                .bind(address)
                .with_global_timeout(PATIENCE)
                .with_max_concurrent_connections(args.threads as usize)
                .spawn()?;
            Ok(address)
        });
        match started {
            // A port that was free a moment ago may be taken: then once more.
            Err(error) if !last && error.kind() == io::ErrorKind::AddrInUse => {}
            Err(source) => return Err(PortError { port: args.port, source }),
            Ok(address) => return Ok(address),
        }
    }
}

/// The port itself, or one that is free now instead of 0: the server does not tell which it was given.
fn free_port(port: u16) -> io::Result<u16> {
    if port == 0 {
        return Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port());
    }
    Ok(port)
}

/// Serves others until the time is up or Ctrl-C.
fn serve(args: &Args, site: &Site) -> ExitCode {
    let (interrupt, interrupted) = channel();
    // Whether anybody waits for it any more is no question to it.
    let handled = ctrlc::set_handler(move || {
        let _ = interrupt.send(());
    });
    handled.expect("there is no other handler");
    match args.seconds {
        Some(seconds) => println!("for {seconds} seconds, or until Ctrl-C"),
        None => println!("until Ctrl-C"),
    }
    wait(args.seconds.map(Duration::from_secs), &interrupted, || site.sweep());
    site.close();
    println!("\n{}", Counts(site));
    let counted: u64 = site.counts().iter().map(|(_, count)| count).sum();
    let timed = site.latency().count();
    let invariant = format!(
        "every request that was answered is counted: {} of {}",
        HumanCount(counted),
        HumanCount(timed)
    );
    examples::program::close(&invariant, counted == timed)
}

/// Waits for an interrupt or the end of the time, and calls `sweep` once in a while.
fn wait(time: Option<Duration>, interrupted: &Receiver<()>, sweep: impl Fn()) {
    let started = Instant::now();
    loop {
        let left = time.map_or(SWEEP, |time| time.saturating_sub(started.elapsed()).min(SWEEP));
        match interrupted.recv_timeout(left) {
            Err(RecvTimeoutError::Timeout) if !left.is_zero() => sweep(),
            _ => return,
        }
    }
}

/// What was answered and how fast, as a table.
struct Counts<'a>(&'a Site);

impl fmt::Display for Counts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<10} {:>6} {:>12}", "route", "status", "requests")?;
        for ((route, status), count) in self.0.counts() {
            writeln!(f, "{route:<10} {status:>6} {:>12}", HumanCount(count).to_string())?;
        }
        let latency = self.0.latency();
        let [half, most, all] =
            [0.5, 0.99, 1.0].map(|q| Duration::from_nanos(latency.quantile(q).unwrap_or(0)));
        writeln!(
            f,
            "time of an answer: half up to {half:.1?}, 99 % up to {most:.1?}, all up to {all:.1?}"
        )
    }
}
