//! What the site is about: articles in a database that takes its time.

use std::hash::RandomState;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use selvedge::Map;
use thiserror::Error;

use specimens::requests::RequestCounts;

/// How many articles there are: 1, 2, …
pub(crate) const ARTICLES: u64 = 40;

/// How long a load takes.
const LOAD: Duration = Duration::from_millis(2);

/// An article as it was at some time. Editions come first: what is greater is newer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Article {
    pub(crate) edition: u64,
    pub(crate) text: Arc<str>,
}

/// The error of a request for an article.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub(crate) enum ArticleError {
    /// It has not been written.
    #[error("unknown article {number}: the number must be 1 to {ARTICLES}")]
    Unknown {
        /// The number that was asked for.
        number: u64,
    },
}

/// Where articles come from. Each call is one step.
pub(crate) struct Database {
    /// The edition of each article.
    editions: Map<u64, u64>,
    /// How often each was loaded.
    pub(crate) loads: RequestCounts<u64, RandomState>,
    /// How often each was saved.
    pub(crate) saves: RequestCounts<u64, RandomState>,
}

impl Database {
    pub(crate) fn new() -> Self {
        Self {
            editions: (1..=ARTICLES).map(|number| (number, 1)).collect(),
            loads: RequestCounts(Map::new()),
            saves: RequestCounts(Map::new()),
        }
    }

    /// The article as it is. Slowly.
    pub(crate) fn load(&self, number: u64) -> Result<Article, ArticleError> {
        let edition = self.editions.get(&number).ok_or(ArticleError::Unknown { number })?;
        thread::sleep(LOAD);
        self.loads.count(number);
        Ok(article(number, edition))
    }

    /// Writes the next edition, and returns it.
    pub(crate) fn save(&self, number: u64) -> Result<Article, ArticleError> {
        let before = self.editions.update(&number, |edition| edition + 1);
        let edition = before.ok_or(ArticleError::Unknown { number })? + 1;
        self.saves.count(number);
        Ok(article(number, edition))
    }
}

fn article(number: u64, edition: u64) -> Article {
    Article { edition, text: format!("Article {number}, edition {edition}.\n").into() }
}
