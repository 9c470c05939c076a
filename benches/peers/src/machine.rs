//! What the figures were measured on.

use std::fs;
use std::process::Command;

/// Prints it, in a few lines.
pub(crate) fn print() {
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").ok();
    println!("- {}", processor());
    println!("- kernel {}", kernel.as_deref().unwrap_or("unknown").trim());
    println!("- {}", said_by("rustc", &["--version"]));
    println!("- {}", date("+%Y-%m-%d %H:%M UTC"));
    println!("- load average {}", load());
}

/// Its name and its cores.
pub(crate) fn processor() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    format!("{}, {cores} cores", cpu.as_deref().unwrap_or("CPU unknown"))
}

/// Of today, in the format of the program `date`.
pub(crate) fn date(format: &str) -> String {
    said_by("date", &["-u", format])
}

/// Of the last one, five and fifteen minutes.
pub(crate) fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().take(3).collect();
    if words.is_empty() { "unknown".to_owned() } else { words.join(" ") }
}

fn said_by(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_else(|_| format!("{program} is not there"))
}
