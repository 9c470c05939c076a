// A program written against `std` alone: included twice, with `lib` as `std` and as the drop-in.

use self::lib::sync::mpsc::sync_channel;
use self::lib::sync::{Arc, LazyLock, Mutex};
use self::lib::thread;

type Job = Arc<dyn Fn(u32) -> u32 + Send + Sync>;

static DOUBLE: LazyLock<Job> =
    LazyLock::new(|| Arc::from(Box::new(|n: u32| 2 * n) as Box<dyn Fn(u32) -> u32 + Send + Sync>));
static DONE: Mutex<Vec<u32>> = Mutex::new(Vec::new());
static STARTED: Mutex<u32> = Mutex::new(0);

/// Hands the numbers to a worker, and returns the sum of what it makes of them.
fn sum_of_doubles(numbers: &[u32]) -> u32 {
    let sum = Mutex::new(0);
    let (hand_over, numbers_of_worker) = sync_channel(0);
    thread::scope(|scope| {
        let (job, sum) = (Arc::clone(&DOUBLE), &sum);
        scope.spawn(move || {
            for number in numbers_of_worker {
                *sum.lock().unwrap() += job(number);
            }
        });
        for number in numbers {
            hand_over.send(*number).unwrap();
        }
        drop(hand_over);
    });
    let sum = sum.into_inner().unwrap();
    DONE.lock().unwrap().push(sum);
    sum
}

/// The sums so far, in order.
fn done() -> Vec<u32> {
    DONE.lock().unwrap().clone()
}

/// Counts a start. Defect: it gives up the lock between its read and its write.
fn start() {
    let before = *STARTED.lock().unwrap();
    *STARTED.lock().unwrap() = before + 1;
}

/// How many starts were counted.
fn started() -> u32 {
    *STARTED.lock().unwrap()
}
