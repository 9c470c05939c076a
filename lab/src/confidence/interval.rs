//! What can be said of a rate that was seen `hits` times in `n`.

/// The standard normal deviate that leaves 2.5 % on either side.
const Z: f64 = 1.959_964;

/// The 95 % score interval: E. B. Wilson, Probable Inference, the Law of Succession, and Statistical
/// Inference, JASA 22 (1927). It is right for small `n` and for 0 hits, too.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
pub(crate) fn wilson(hits: u64, n: u64) -> (f64, f64) {
    let (p, n) = (hits as f64 / n as f64, n as f64);
    let centre = p + Z * Z / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    (((centre - spread) / scale).max(0.0), ((centre + spread) / scale).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounded(hits: u64, n: u64) -> (String, String) {
        let (low, high) = wilson(hits, n);
        (format!("{low:.4}"), format!("{high:.4}"))
    }

    /// By the formula, on paper: 1 of 1, 5 of 10, and Newcombe's 81 of 263 (1998).
    #[test]
    fn intervals_are_wilsons() {
        assert_eq!(rounded(1, 1), ("0.2065".to_owned(), "1.0000".to_owned()));
        assert_eq!(rounded(5, 10), ("0.2366".to_owned(), "0.7634".to_owned()));
        assert_eq!(rounded(81, 263), ("0.2553".to_owned(), "0.3662".to_owned()));
    }

    #[test]
    fn nothing_seen_is_no_proof_of_nothing() {
        assert_eq!(rounded(0, 1), ("0.0000".to_owned(), "0.7935".to_owned()));
        let (low, high) = wilson(0, 100_000);
        assert!(low == 0.0 && (3.8e-5..3.9e-5).contains(&high), "{low} {high}");
    }
}
