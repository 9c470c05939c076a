//! What it costs that threads write the same memory: the curve that the book shows (`loom-tests/2_mistakes`).

use std::fmt::Write as _;

use crate::rounds::contest;
use crate::{counter, growth, machine};

const THREADS: [usize; 4] = [1, 2, 4, 8];

/// A counter, and million increments a second of all threads together, for each number of threads.
pub(crate) struct Curve {
    name: &'static str,
    rates: Vec<f64>,
}

/// Measures and prints the table.
pub(crate) fn print(smoke: bool) -> Vec<Curve> {
    let columns = THREADS
        .map(|threads| contest(&counter::contended(), threads, smoke, |turn| 1e3 / turn.together));
    println!("\n## Contention: million increments a second, all threads together\n");
    growth::heading("threads", THREADS.iter().map(ToString::to_string));
    let sides = counter::contended();
    let curves = sides.iter().enumerate().map(|(number, side)| Curve {
        name: side.name,
        rates: columns.iter().map(|column| column[number]).collect(),
    });
    let curves: Vec<Curve> = curves.collect();
    for curve in &curves {
        growth::line(curve.name, &curve.rates.iter().copied().map(Some).collect::<Vec<_>>());
    }
    curves
}

/// Where the axes are, in pixels.
const LEFT: f64 = 70.0;
const TOP: f64 = 50.0;
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 260.0;
/// Powers of ten of the vertical axis.
const POWERS: [i32; 4] = [1, 2, 3, 4];

fn x(place: usize) -> f64 {
    LEFT + WIDTH * crate::rounds::as_float(place as u64)
        / crate::rounds::as_float(THREADS.len() as u64 - 1)
}

fn y(rate: f64) -> f64 {
    let (lowest, highest) = (f64::from(POWERS[0]), f64::from(POWERS[POWERS.len() - 1]));
    TOP + HEIGHT * (highest - rate.log10().clamp(lowest, highest)) / (highest - lowest)
}

/// The curves as an SVG file.
pub(crate) fn draw(curves: &[Curve]) -> String {
    const STYLE: &str = ":root{--paper:#fff;--ink:#1c2330;--line:#dde2ea;--a:#c62a2f;--b:#8f5a00;--c:#2f5fd0;--d:#14804a}\
        @media (prefers-color-scheme: dark){:root{--paper:#14181f;--ink:#e4e8ef;--line:#2a313d;--a:#ff7b80;--b:#f0b849;--c:#7c9cf0;--d:#4cc38a}}\
        svg{background:var(--paper);font:13px ui-monospace,Menlo,Consolas,monospace}\
        text{fill:var(--ink)}.grid{stroke:var(--line)}.curve{fill:none;stroke-width:2}";
    const COLOURS: [&str; 4] = ["--a", "--b", "--c", "--d"];
    let mut svg = String::new();
    let mut out = |line: std::fmt::Arguments<'_>| writeln!(svg, "{line}").expect("a string grows");
    out(format_args!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 620 390\" width=\"620\" height=\"390\" role=\"img\" \
         aria-label=\"million increments a second by number of threads\">\n<style>{STYLE}</style>"
    ));
    out(format_args!(
        "<text x=\"{LEFT}\" y=\"25\">million increments a second, all threads together</text>"
    ));
    for power in POWERS {
        let (rate, right) = (10_f64.powi(power), LEFT + WIDTH);
        let y = y(rate);
        out(format_args!(
            "<line class=\"grid\" x1=\"{LEFT}\" y1=\"{y:.1}\" x2=\"{right}\" y2=\"{y:.1}\"/>"
        ));
        out(format_args!(
            "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{rate}</text>",
            LEFT - 8.0,
            y + 4.0
        ));
    }
    for (place, threads) in THREADS.iter().enumerate() {
        let (x, y) = (x(place), TOP + HEIGHT + 20.0);
        out(format_args!("<text x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{threads}</text>"));
    }
    let middle = LEFT + WIDTH / 2.0;
    out(format_args!("<text x=\"{middle}\" y=\"350\" text-anchor=\"middle\">threads</text>"));
    for (curve, colour) in curves.iter().zip(COLOURS) {
        let points: Vec<String> = curve
            .rates
            .iter()
            .enumerate()
            .map(|(place, rate)| format!("{:.1},{:.1}", x(place), y(*rate)))
            .collect();
        let (points, last) = (points.join(" "), curve.rates[curve.rates.len() - 1]);
        out(format_args!(
            "<polyline class=\"curve\" style=\"stroke:var({colour})\" points=\"{points}\"/>"
        ));
        let name = curve.name.replace('<', "&lt;").replace('>', "&gt;");
        out(format_args!(
            "<text style=\"fill:var({colour})\" x=\"{}\" y=\"{:.1}\">{name} {last:.0}</text>",
            LEFT + WIDTH + 10.0,
            y(last) + 4.0
        ));
    }
    let (processor, date) = (machine::processor(), machine::date("+%Y-%m-%d"));
    out(format_args!(
        "<text x=\"{LEFT}\" y=\"378\" font-size=\"11\">{processor}, {date}; logarithmic scale</text>"
    ));
    out(format_args!("</svg>"));
    svg
}
