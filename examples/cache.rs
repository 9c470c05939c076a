//! Pages of a site in a cache: whoever finds nothing loads, the others wait for that load, and what is
//! saved is never overwritten by what was loaded before.
//!
//! ```text
//! cargo run --example cache
//! ```
//!
//! That it is so in every interleaving is shown, for few requests, in `loom-tests/cache.rs`.

use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use selvedge::{Counter, Map};

const PAGES: u64 = 50;
const READERS: u64 = 4;
const REQUESTS: u64 = 20_000;
const SAVES: u64 = 500;

struct Site {
    /// The edition of each page, as the database has it.
    database: Map<u64, u64>,
    cache: Map<u64, Arc<str>>,
    loads: Counter,
    requests: Counter,
}

impl Site {
    fn new() -> Self {
        let database = (0..PAGES).map(|page| (page, 1)).collect();
        Self { database, cache: Map::new(), loads: Counter::new(), requests: Counter::new() }
    }

    /// The page, from the cache if it is there. To look, to load and to fill are one step.
    fn page(&self, page: u64) -> Arc<str> {
        self.cache.get_or_insert_with(page, || {
            self.loads.increment();
            render(page, self.database.get(&page).unwrap_or(0))
        })
    }

    /// Saves the next edition of a page: first in the database, and then out of the cache.
    fn save(&self, page: u64) {
        self.database.update(&page, |edition| edition + 1);
        self.cache.remove(&page);
    }
}

fn render(page: u64, edition: u64) -> Arc<str> {
    format!("page {page}, edition {edition}").into()
}

fn main() -> ExitCode {
    let site = Site::new();
    thread::scope(|scope| {
        for reader in 0..READERS {
            let site = &site;
            scope.spawn(move || {
                let mut requests = site.requests.handle();
                for request in 0..REQUESTS {
                    site.page((request * 7 + reader) % PAGES);
                    requests.increment();
                }
            });
        }
        scope.spawn(|| (0..SAVES).for_each(|save| site.save(save % PAGES)));
    });

    let (requests, loads) = (site.requests.get(), site.loads.get());
    let edition = 1 + SAVES / PAGES;
    let stale = (0..PAGES).filter(|page| site.page(*page) != render(*page, edition)).count();
    println!("requests:    {requests}");
    println!("loads:       {loads}, of at most {}", PAGES + SAVES);
    println!("stale pages: {stale}");
    let right = requests == READERS * REQUESTS && loads <= PAGES + SAVES && stale == 0;
    if right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
