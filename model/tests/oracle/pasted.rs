#[test]
#[allow(unused, clippy::pedantic)]
fn pasted() {
    use selvedge_model::{Failure, Model};
    use selvedge_model::sync::atomic::{AtomicU64, Ordering::*, fence};
    use selvedge_model::sync::{Mutex, hint};
    let model = Model::new(|| ([AtomicU64::new(0), AtomicU64::new(0)], Mutex::new(())))
        .thread("t0", |(x, mutex)| {
            x[0].store(1, Release);
            fence(SeqCst);
            let guard = mutex.lock().unwrap();
            let r0 = x[1].load(Acquire);
            let r1 = x[0].compare_exchange(1, 3, AcqRel, Relaxed).unwrap_or_else(|v| v);
            drop(guard);
            [r0, r1]
        })
        .thread("t1", |(x, mutex)| {
            let r0 = x[0].swap(2, Relaxed);
            let r1 = x[1].fetch_add(1, SeqCst);
            [r0, r1]
        })
        .thread("t2", |(x, mutex)| {
            hint::wait_until(|| x[1].load(Acquire) == 1);
            [0_u64; 0]
        })
        .finally("finals", |(x, _)| [x[0].load(SeqCst), x[1].load(SeqCst)]);
    let report = model.explore().expect("it does not fail");
    let row = |text| report.outcomes.iter().find(|row| row.text == text);
    let found = |text| Some(row(text)?.witness.as_ref()?.sequential);
    assert_eq!(found("t0=[0, 1] t1=[0, 0] t2=[] finals=[3, 1]"), Some(true));
    assert_eq!(found("t0=[0, 1] t1=[3, 0] t2=[] finals=[2, 1]"), Some(true));
    assert_eq!(found("t0=[0, 2] t1=[1, 0] t2=[] finals=[2, 1]"), Some(true));
    assert_eq!(found("t0=[1, 1] t1=[0, 0] t2=[] finals=[3, 1]"), Some(true));
    assert_eq!(found("t0=[1, 2] t1=[1, 0] t2=[] finals=[2, 1]"), Some(true));
}
