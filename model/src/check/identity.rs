//! Which model this is: the page, the test, and which of the test's models.

use std::cell::RefCell;
use std::io::Write as _;
use std::panic::Location;

/// A test, and how many models it has checked.
struct Counted(String, usize);

impl Drop for Counted {
    /// At the end of the test's thread, if it is not too late to say so.
    fn drop(&mut self) {
        let Self(test, count) = self;
        let Ok(replay) = std::env::var("SELVEDGE_REPLAY") else { return };
        let model = replay.split(['.', '/']).next().and_then(|model| model.parse().ok());
        if model.is_some_and(|model: usize| model > *count) {
            let s = if *count == 1 { "" } else { "s" };
            // Not `eprintln!`: the test has ended. A line that cannot be written is not worth a failure.
            let _ = writeln!(
                std::io::stderr(),
                "SELVEDGE_REPLAY={replay}: nothing was replayed, {test} has {count} model{s}"
            );
        }
    }
}

/// Where a model stands.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) at: &'static Location<'static>,
    /// The test's path in its binary.
    test: Option<String>,
    /// Which of the test's models, counted from 1.
    pub(crate) ordinal: usize,
    /// Of a check of many scenarios: which one, counted from 1.
    pub(crate) scenario: Option<usize>,
}

impl Identity {
    /// The identity of a model that is made at `at`, by a test thread: those bear the test's name.
    pub(crate) fn of_caller(at: &'static Location<'static>) -> Self {
        let thread = std::thread::current();
        let test = thread.name().filter(|name| *name != "main").map(str::to_owned);
        Self { at, test, ordinal: 1, scenario: None }
    }

    /// Where the thread has no name (`--test-threads=1`), the type of a closure tells the function
    /// it was written in.
    pub(crate) fn hint(&mut self, type_name: &str) {
        if self.test.is_none() {
            self.test = type_name
                .split_once("::{{closure}}")
                .and_then(|(path, _)| path.split_once("::"))
                .map(|(_, path)| path.to_owned());
        }
    }

    /// Counts the model among those that its test checks.
    pub(crate) fn count(&mut self) {
        std::thread_local! {
            static LAST: RefCell<Counted> = const { RefCell::new(Counted(String::new(), 0)) };
        }
        let test = self.test();
        self.ordinal = LAST.with_borrow_mut(|Counted(last, count)| {
            if *last == test {
                *count += 1;
            } else {
                (*last, *count) = (test, 1);
            }
            *count
        });
    }

    /// The stem of the file that the model stands in.
    pub(crate) fn page(&self) -> &str {
        let file = self.at.file();
        let name = file.rsplit(['/', '\\']).next().unwrap_or(file);
        name.strip_suffix(".rs").unwrap_or(name)
    }

    pub(crate) fn test(&self) -> String {
        self.test.clone().unwrap_or_else(|| format!("line_{}", self.at.line()))
    }

    /// The test, or the page and the line where it is not known, and `#2` if it is the test's second model.
    pub(crate) fn name(&self) -> String {
        let page = if self.test.is_none() { format!("{}::", self.page()) } else { String::new() };
        let name = page + &self.test();
        if self.ordinal == 1 { name } else { format!("{name}#{}", self.ordinal) }
    }

    /// What `SELVEDGE_REPLAY` calls it: `2`, or `2.37` for a scenario.
    #[cfg(loom)]
    pub(crate) fn key(&self) -> String {
        match self.scenario {
            Some(scenario) => format!("{}.{scenario}", self.ordinal),
            None => self.ordinal.to_string(),
        }
    }

    /// The commands that replay execution `number`: with cargo-selvedge, and without.
    #[cfg(loom)]
    pub(crate) fn replay_commands(&self, number: u64) -> String {
        let options = std::env::var(selvedge_results::OPTIONS).ok();
        let typed = options.as_deref().filter(|options| !options.is_empty());
        let typed = typed.map(|options| format!("{options} ")).unwrap_or_default();
        let which = match (self.ordinal, self.scenario) {
            (1, None) => String::new(),
            _ => format!("#{}", self.key()),
        };
        // cargo-selvedge builds in a folder of its own.
        let folder = options.and_then(|_| target_dir());
        let folder = folder.map(|folder| format!("--target-dir {folder} ")).unwrap_or_default();
        let (key, test) = (self.key(), self.test());
        format!(
            "    cargo selvedge replay {typed}{test}{which}/{number}\n  \
             or, without cargo-selvedge:\n    \
             SELVEDGE_REPLAY={key}/{number} RUSTFLAGS=\"--cfg loom\" \\\n    \
             cargo test {folder}{}",
            self.selection()
        )
    }

    /// The commands that explore it.
    #[cfg(not(loom))]
    pub(crate) fn explore_commands(&self) -> String {
        format!(
            "    cargo selvedge prove {}\n  or, without cargo-selvedge:\n    \
             RUSTFLAGS=\"--cfg loom\" cargo test {}",
            self.test.as_deref().unwrap_or_default(),
            self.selection()
        )
    }

    /// The options of `cargo test` that run its test alone.
    fn selection(&self) -> String {
        let package = std::env::var("CARGO_PKG_NAME")
            .map_or_else(|_| String::new(), |name| format!("-p {name} "));
        format!("{package}{} -- --exact {}", self.target(), self.test())
    }

    /// What of the package the test is in. A file's path is relative to the workspace, the test runs in its package.
    fn target(&self) -> String {
        let file = self.at.file().replace('\\', "/");
        let in_src = file.starts_with("src/") || file.contains("/src/");
        let in_bin = file.ends_with("src/main.rs") || file.contains("src/bin/");
        match binary().as_deref().map(without_hash) {
            Some(name) if !in_src => format!("--test {name}"),
            _ if !in_bin && std::path::Path::new("src/lib.rs").exists() => "--lib".to_owned(),
            _ => "--bins".to_owned(),
        }
    }
}

/// The folder in which cargo has built this test binary, as one types it.
#[cfg(loom)]
fn target_dir() -> Option<String> {
    let binary = std::env::current_exe().ok()?;
    let folder = binary.ancestors().find(|folder| folder.join("CACHEDIR.TAG").exists())?;
    let here = std::env::current_dir().ok()?;
    let folder = folder.strip_prefix(here).unwrap_or(folder).display().to_string();
    Some(if folder.contains(' ') { format!("'{folder}'") } else { folder })
}

/// The stem of this test binary, with cargo's hash.
pub(super) fn binary() -> Option<String> {
    let path = std::env::args().next()?;
    Some(std::path::Path::new(&path).file_stem()?.to_str()?.to_owned())
}

/// The name of a test binary without cargo's hash.
fn without_hash(stem: &str) -> &str {
    stem.rsplit_once('-').map_or(stem, |(name, _)| name)
}
