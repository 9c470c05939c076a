//! What is printed, and where: for people, or for programs.

use std::fmt::Display;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// The format of standard output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum MessageFormat {
    /// Lines for people
    #[default]
    Human,
    /// A line of JSON for each result; lines for people go to standard error
    Json,
}

/// Whether to use colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Colour {
    /// On a terminal
    #[default]
    Auto,
    /// Also where standard output is no terminal
    Always,
    /// Not at all
    Never,
}

/// How a word is to look.
#[derive(Debug, Clone, Copy)]
pub enum Look {
    Good,
    Warn,
    Bad,
    Dim,
}

/// Prints.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shell {
    format: MessageFormat,
}

impl Look {
    fn style(self) -> anstyle::Style {
        use anstyle::AnsiColor::{Green, Red, Yellow};
        match self {
            Self::Good => Green.on_default(),
            Self::Warn => Yellow.on_default(),
            Self::Bad => Red.on_default().bold(),
            Self::Dim => anstyle::Style::new().dimmed(),
        }
    }

    /// The text in this look. What prints it removes the colour where there is to be none.
    pub fn paint(self, text: impl Display) -> String {
        let style = self.style();
        format!("{style}{text}{style:#}")
    }
}

impl Shell {
    /// Prints in this format; sets the choice of colour for the whole process.
    #[must_use]
    pub fn new(format: MessageFormat, colour: Colour) -> Self {
        // Cargo's own variable, where the option does not say.
        let cargo = std::env::var("CARGO_TERM_COLOR").unwrap_or_default();
        let choice = match (colour, &*cargo) {
            (Colour::Always, _) | (Colour::Auto, "always") => anstream::ColorChoice::Always,
            (Colour::Never, _) | (Colour::Auto, "never") => anstream::ColorChoice::Never,
            (Colour::Auto, _) => anstream::ColorChoice::Auto,
        };
        choice.write_global();
        Self { format }
    }

    /// A line for people.
    pub fn say(&self, line: impl Display) {
        match self.format {
            MessageFormat::Human => anstream::println!("{line}"),
            MessageFormat::Json => anstream::eprintln!("{line}"),
        }
    }

    /// A result for programs, if they are to read it.
    ///
    /// # Errors
    ///
    /// If it cannot be written as JSON.
    pub fn data(&self, value: &impl Serialize) -> Result<()> {
        if self.format == MessageFormat::Json {
            println!("{}", serde_json::to_string(value)?);
        }
        Ok(())
    }

    /// A progress bar with the time to go. It hides itself where standard error is no terminal.
    ///
    /// # Panics
    ///
    /// Never: the template is well formed.
    #[must_use]
    pub fn progress(&self, length: usize, what: &str) -> ProgressBar {
        let bar = ProgressBar::new(length as u64);
        let template = format!(
            "{{bar:30}} {{pos}} of {{len}} {what}, {{elapsed}}, {{eta}} to go  {{wide_msg}}"
        );
        let style = ProgressStyle::with_template(&template).expect("the template is well formed");
        bar.set_style(style);
        bar.enable_steady_tick(std::time::Duration::from_millis(200));
        bar
    }
}

/// A number with commas: 1,234,567.
#[must_use]
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 model`, `2 models`.
#[must_use]
pub fn counted(number: usize, word: &str) -> String {
    format!("{} {word}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let numbers = [0, 12, 999, 1_000, 116_319, 1_234_567];
        let texts = ["0", "12", "999", "1,000", "116,319", "1,234,567"];
        assert_eq!(numbers.map(grouped), texts);
        assert_eq!(
            (counted(1, "model"), counted(2, "model")),
            ("1 model".into(), "2 models".into())
        );
    }
}
