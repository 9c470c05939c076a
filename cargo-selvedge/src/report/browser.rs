//! The report as a browser shows it: every page, wide and narrow, light and dark.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;
use serde_json::json;

mod chromium;

use chromium::Chromium;

/// Looks at a page from inside.
const LOOK: &str = include_str!("browser/look.js");
/// Takes its steps with the keyboard: what it says after each.
const STATUS: &str = "document.querySelector('.stepper .status').textContent";
const NOW: &str = "document.querySelectorAll('figure')[0].querySelectorAll('.row.later').length";

/// What `look.js` finds.
#[derive(Debug, Deserialize)]
struct Found {
    /// Whatever sticks out of the page, or out of its box.
    overflows: Vec<String>,
    /// Models with fewer drawings than outcomes, and drawings without a row.
    missing: Vec<String>,
    /// Links that lead nowhere, and whatever else is wrong.
    broken: Vec<String>,
    figures: usize,
    /// All drawings can be stepped through.
    steppers: usize,
}

/// Opens all `files`, if there is a browser, with a profile in `scratch`. Returns how many drawings can be stepped
/// through; nothing if there is no browser.
///
/// # Errors
///
/// If the browser cannot be run, or a page is not as it should be.
pub fn check(scratch: &Path, files: &[PathBuf]) -> Result<Option<usize>> {
    let Some(program) = chromium::find() else { return Ok(None) };
    let mut browser = Chromium::start(&program, &scratch.join("chromium"))?;
    let mut figures = 0;
    let mut problems = Vec::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let found = look(&mut browser, file).with_context(|| format!("{name} in Chromium"))?;
        problems.extend(found.1.into_iter().map(|problem| format!("{name}: {problem}")));
        figures += found.0;
    }
    browser.end()?;
    for problem in &problems {
        println!("problem: {problem}");
    }
    ensure!(
        problems.is_empty(),
        "the report is not as it should be; problems, as above: {}",
        problems.len()
    );
    Ok(Some(figures))
}

/// Opens a file: how many drawings it has, and what is wrong with it.
fn look(browser: &mut Chromium, file: &Path) -> Result<(usize, Vec<String>)> {
    let mut problems = Vec::new();
    let mut figures = 0;
    // A picture shrinks where it is shown; a page has to fit.
    let picture = file.extension().is_some_and(|kind| kind == "svg");
    let views = [(1280, "light"), (400, "dark")];
    for (width, scheme) in views.into_iter().take(if picture { 1 } else { 2 }) {
        browser.call(
            "Emulation.setDeviceMetricsOverride",
            &json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false }),
        )?;
        let scheme = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        browser.call("Emulation.setEmulatedMedia", &json!({ "features": scheme }))?;
        let url = format!("file://{}", file.display());
        problems.extend(browser.open(&url)?);
        let found: Found = serde_json::from_value(browser.evaluate(LOOK)?)?;
        let at = |what: &str, all: Vec<String>| {
            all.into_iter()
                .map(move |one| format!("at {width} pixels, {what}: {one}"))
                .collect::<Vec<_>>()
        };
        problems.extend(at("sticks out", found.overflows));
        problems.extend(at("is missing", found.missing));
        problems.extend(at("is wrong", found.broken));
        if found.steppers != found.figures {
            problems.push(format!(
                "{} of {} drawings can be stepped through",
                found.steppers, found.figures
            ));
        }
        figures = found.figures;
        if figures > 0 && found.steppers > 0 {
            problems.extend(step(browser)?);
        }
        problems.extend(browser.complaints());
    }
    Ok((figures, problems))
}

/// Steps through the first drawing, by keyboard.
fn step(browser: &mut Chromium) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    browser.evaluate("document.querySelector('.stepper button').focus()")?;
    for (key, wanted) in
        [("ArrowRight", "1 of "), ("ArrowRight", "2 of "), ("ArrowLeft", "1 of "), ("Escape", "")]
    {
        browser.press(key)?;
        let status = browser.evaluate(STATUS)?;
        let status = status.as_str().unwrap_or_default();
        let right = if wanted.is_empty() { status.is_empty() } else { status.starts_with(wanted) };
        let hidden = browser.evaluate(NOW)?.as_u64().unwrap_or_default();
        // After the first step there are more to come, and in the end there are none.
        let as_many =
            if wanted == "1 of " { hidden > 0 } else { hidden == 0 || !wanted.is_empty() };
        if !right || !as_many {
            problems.push(format!(
                "{key} in the first drawing leads to {status:?} with {hidden} rows hidden, not to {wanted:?}"
            ));
        }
    }
    Ok(problems)
}
