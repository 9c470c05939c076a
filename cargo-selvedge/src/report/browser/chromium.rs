//! Chromium without a screen, told what to do over a pipe (the `DevTools` protocol).

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

/// Under which names it is installed.
const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// No screen, no network of its own, no questions.
const FLAGS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-pipe",
];

/// An answer that takes longer will not come.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where it is installed.
pub(super) fn find() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut candidates = NAMES
        .iter()
        .flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)));
    candidates.find(|candidate| candidate.is_file())
}

/// A running browser with one page.
pub(super) struct Chromium {
    child: Child,
    orders: Option<ChildStdin>,
    answers: Receiver<Value>,
    /// What has happened, other than answers.
    events: Vec<Value>,
    profile: PathBuf,
    session: Option<String>,
    last: u64,
}

impl Chromium {
    /// Starts it with an empty profile in `profile`.
    pub(super) fn start(program: &Path, profile: &Path) -> Result<Self> {
        if profile.exists() {
            fs::remove_dir_all(profile).context("the browser's last profile cannot be removed")?;
        }
        fs::create_dir_all(profile)?;
        // It takes orders from its descriptor 3 and answers to 4.
        let mut child = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null 2>&1"#])
            .arg(program)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{} cannot be started", program.display()))?;
        let (Some(orders), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("Chromium has no pipes")
        };
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            for message in BufReader::new(stdout).split(0) {
                let value = message.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
                // Nobody listens any more once the browser is dropped.
                if value.is_none_or(|value: Value| sender.send(value).is_err()) {
                    break;
                }
            }
        });
        let mut browser = Self {
            child,
            orders: Some(orders),
            answers,
            events: Vec::new(),
            profile: profile.to_owned(),
            session: None,
            last: 0,
        };
        let page = browser.call("Target.createTarget", &json!({ "url": "about:blank" }))?;
        let attach = json!({ "targetId": page["targetId"], "flatten": true });
        let session = browser.call("Target.attachToTarget", &attach)?;
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), &json!({}))?;
        }
        Ok(browser)
    }

    /// Has it do something, and returns the answer.
    pub(super) fn call(&mut self, method: &str, parameters: &Value) -> Result<Value> {
        self.last += 1;
        let mut order = json!({ "id": self.last, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            order["sessionId"] = json!(session);
        }
        let orders = self.orders.as_mut().context("Chromium has been ended")?;
        orders
            .write_all(format!("{order}\0").as_bytes())
            .and_then(|()| orders.flush())
            .context("Chromium takes no orders")?;
        loop {
            let mut message = self.next(method)?;
            if message["id"] == json!(self.last) {
                ensure!(message.get("error").is_none(), "{method}: {}", message["error"]);
                return Ok(message["result"].take());
            }
            self.events.push(message);
        }
    }

    fn next(&self, awaiting: &str) -> Result<Value> {
        self.answers
            .recv_timeout(PATIENCE)
            .with_context(|| format!("Chromium does not answer {awaiting}"))
    }

    /// Opens a page and waits until it is loaded. Returns what it complained of until then.
    pub(super) fn open(&mut self, url: &str) -> Result<Vec<String>> {
        self.events.clear();
        let opened = self.call("Page.navigate", &json!({ "url": url }))?;
        ensure!(opened.get("errorText").is_none(), "{url}: {}", opened["errorText"]);
        while !self.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = self.next("Page.navigate")?;
            self.events.push(event);
        }
        Ok(self.complaints())
    }

    /// What the console has got, and what was fetched although it is no file, since the last call.
    pub(super) fn complaints(&mut self) -> Vec<String> {
        let complaint = |event: Value| {
            let parameters = &event["params"];
            let text = match event["method"].as_str()? {
                "Runtime.exceptionThrown" => {
                    &parameters["exceptionDetails"]["exception"]["description"]
                }
                "Runtime.consoleAPICalled" => &parameters["args"],
                "Log.entryAdded" => &parameters["entry"]["text"],
                "Network.requestWillBeSent" => {
                    let url = parameters["request"]["url"].as_str()?;
                    let local =
                        ["file:", "data:", "about:"].iter().any(|kind| url.starts_with(kind));
                    return (!local).then(|| format!("it fetches {url}"));
                }
                _ => return None,
            };
            Some(format!("the console: {text}"))
        };
        std::mem::take(&mut self.events).into_iter().filter_map(complaint).collect()
    }

    /// The value of an expression in the page.
    pub(super) fn evaluate(&mut self, expression: &str) -> Result<Value> {
        let parameters = json!({ "expression": expression, "returnByValue": true });
        let mut answer = self.call("Runtime.evaluate", &parameters)?;
        let thrown = answer.get("exceptionDetails");
        ensure!(thrown.is_none(), "{}", thrown.map(ToString::to_string).unwrap_or_default());
        Ok(answer["result"]["value"].take())
    }

    /// Presses a key, as a person would.
    pub(super) fn press(&mut self, key: &str) -> Result<()> {
        for kind in ["keyDown", "keyUp"] {
            self.call("Input.dispatchKeyEvent", &json!({ "type": kind, "key": key, "code": key }))?;
        }
        Ok(())
    }

    /// Ends it.
    pub(super) fn end(mut self) -> Result<()> {
        self.session = None;
        self.call("Browser.close", &json!({}))?;
        self.orders = None;
        self.child.wait()?;
        fs::remove_dir_all(&self.profile).context("the browser's profile cannot be removed")
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // It has ended if all went well; if not, it must not outlive the check.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
