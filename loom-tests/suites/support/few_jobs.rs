//! The jobs of the suites about jobs, and a channel with few of them.

use specimens::jobs::JobChannel;

/// The job that panics.
pub(crate) const BROKEN: u64 = 13;

/// Runs a job, and returns how much work it was.
pub(crate) fn work_on(job: u64) -> u64 {
    assert_ne!(job, BROKEN, "this job is broken");
    job
}

/// A channel that is closed, with these jobs still in it.
pub(crate) fn closed_with(submitted: &[u64]) -> JobChannel<u64> {
    let jobs = JobChannel::new();
    for job in submitted {
        jobs.submit(*job).expect("it is open");
    }
    jobs.close();
    jobs
}
