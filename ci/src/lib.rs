//! What the gate and the laboratory share: cargo with the flags of a configuration, git, and what test runs say.

pub mod cargo;
pub mod git;
pub mod libtest;
pub mod tally;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let numbers = [0, 12, 999, 1_000, 116_319, 1_234_567];
        let texts = ["0", "12", "999", "1,000", "116,319", "1,234,567"];
        assert_eq!(numbers.map(grouped), texts);
    }
}
