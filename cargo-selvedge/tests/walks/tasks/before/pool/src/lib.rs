//! Work that threads share.

use queue::Queue;

/// Does what is in the queue, and returns the sum.
pub fn work(queue: &Queue) -> u64 {
    std::iter::from_fn(|| queue.pop()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No model: it is run, and counts for nothing.
    #[test]
    fn all_is_done() {
        let queue = Queue::default();
        queue.push(1);
        queue.push(2);
        assert_eq!(work(&queue), 3);
    }
}
