//! A duty roster that one thread owns: others send it messages and wait for its answer. Somebody is
//! always on call, and there is no lock to forget.
//!
//! Why this holds, and what goes wrong with a lock for each person: `loom-tests/mutex_everywhere.rs`.
//!
//! ```text
//! cargo run --example duty
//! ```

use std::process::ExitCode;

use selvedge::sync::mpsc::{Receiver, Sender, channel};
use selvedge::sync::thread;

const PEOPLE: usize = 4;
const SHIFTS: u64 = 5_000;

/// What somebody asks of the owner.
enum Request {
    /// May I go off call? Answered with yes or no.
    Leave { who: usize, answer: Sender<bool> },
    /// I am back on call.
    Return { who: usize },
}

/// What the owner has seen.
#[derive(Default)]
struct Seen {
    granted: u64,
    refused: u64,
    /// The fewest who were ever on call.
    fewest: usize,
}

fn main() -> ExitCode {
    let (requests, inbox) = channel();
    let owner = thread::spawn(move || own(&inbox));
    let people: Vec<_> = (0..PEOPLE)
        .map(|who| {
            let requests = requests.clone();
            thread::spawn(move || live(who, &requests))
        })
        .collect();
    // The owner goes home once nobody can ask any more.
    drop(requests);
    let breaks: u64 = people.into_iter().map(|one| one.join().expect("nobody panics")).sum();
    let seen = owner.join().expect("the owner does not panic");

    let asked = PEOPLE as u64 * SHIFTS;
    println!("asked to leave: {asked} = {} granted + {} refused", seen.granted, seen.refused);
    println!("breaks taken:   {breaks}");
    println!("fewest on call: {}", seen.fewest);
    let adds_up = seen.granted == breaks && seen.granted + seen.refused == asked;
    if adds_up && seen.fewest >= 1 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Owns the roster: plain local variables, which nobody else can reach.
fn own(inbox: &Receiver<Request>) -> Seen {
    let mut on_call = [true; PEOPLE];
    let mut seen = Seen { fewest: PEOPLE, ..Seen::default() };
    for request in inbox {
        match request {
            Request::Leave { who, answer } => {
                let others = (0..PEOPLE).any(|other| other != who && on_call[other]);
                on_call[who] = !others;
                if others {
                    seen.granted += 1;
                } else {
                    seen.refused += 1;
                }
                answer.send(others).expect("who asks waits for the answer");
            }
            Request::Return { who } => on_call[who] = true,
        }
        seen.fewest = seen.fewest.min(on_call.iter().filter(|on_call| **on_call).count());
    }
    seen
}

/// Asks for breaks, and returns how many were granted.
fn live(who: usize, requests: &Sender<Request>) -> u64 {
    let mut breaks = 0;
    for _ in 0..SHIFTS {
        let (answer, answered) = channel();
        requests.send(Request::Leave { who, answer }).expect("the owner listens");
        if answered.recv().expect("the owner answers") {
            breaks += 1;
            requests.send(Request::Return { who }).expect("the owner listens");
        }
    }
    breaks
}
