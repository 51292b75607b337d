//! What waits in memory: that it is read, taken over in the background, bounded, and that it
//! leaves no more in the state than it must.

use std::{
    fs,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use super::*;
use crate::{
    proto::{ExecutionFilter, execution::State},
    store::{Write, conformance::samples::*},
};

/// The keys of the state, but for those that say where it stands.
fn keys(subject: &OnDisk) -> Vec<Vec<u8>> {
    let keys = subject.store.work.kept.state.keys(&[]);
    let keys = keys.map(Result::unwrap);
    keys.filter(|key| !key.starts_with(b"m/")).collect()
}

fn kinds(subject: &OnDisk) -> String {
    let keys = keys(subject);
    keys.iter().map(|key| char::from(key[0])).collect()
}

#[test]
fn nothing_of_an_execution_that_was_deleted_in_time_reaches_the_state() {
    let subject = OnDisk::with(no_checkpoint());
    let commit = |group| subject.store.commit(group).unwrap();
    commit(vec![start(1)]);
    commit(vec![append(1, 2..=2, Some(State::Completed))]);
    commit(vec![Write::DeleteExecution { id: id(1) }]);
    subject.keeper(Task::Drain);
    assert_eq!(kinds(&subject), "");
}

#[test]
fn events_of_one_execution_become_one_value_and_no_mark_outlives_its_use() {
    let subject = OnDisk::with(no_checkpoint());
    let commit = |group| subject.store.commit(group).unwrap();
    commit(vec![start(1)]);
    for sequence in 2..=9 {
        commit(vec![append(1, sequence..=sequence, None)]);
    }
    commit(vec![append(1, 10..=10, Some(State::Completed))]);
    subject.keeper(Task::Drain);
    assert_eq!(kinds(&subject), "enx");
    commit(vec![start(2)]);
    subject.keeper(Task::Drain);
    assert_eq!(kinds(&subject), "eennoxx");
    commit(vec![append(2, 2..=2, Some(State::Failed))]);
    subject.keeper(Task::Drain);
    assert_eq!(kinds(&subject), "eeennxx");
    commit(vec![
        Write::DeleteExecution { id: id(1) },
        Write::DeleteExecution { id: id(2) },
    ]);
    subject.keeper(Task::Drain);
    assert_eq!(kinds(&subject), "");
}

#[test]
fn what_waits_is_taken_over_when_nothing_is_committed_for_a_while() {
    let options = Options {
        drain_idle: Duration::from_millis(1),
        ..no_checkpoint()
    };
    let subject = OnDisk::with(options);
    for n in 1..=2 {
        subject.store.commit(vec![start(n)]).unwrap();
        let give_up = Instant::now() + Duration::from_secs(60);
        while subject.store.pressure().pending_bytes > 0 {
            assert!(Instant::now() < give_up, "nothing is taken over");
            thread::yield_now();
        }
    }
    assert_eq!(kinds(&subject), "eennooxx");
    assert_eq!(subject.store.events(id(2), 0, 9).unwrap().len(), 1);
}

#[test]
fn a_full_memory_is_told_and_takes_what_was_accepted() {
    let options = Options {
        pending_bytes_max: 2000,
        ..no_checkpoint()
    };
    let subject = OnDisk::with(options);
    assert!(!subject.store.pressure().is_full());
    let still = subject.store.work.kept.hold_drains();
    subject
        .store
        .commit(vec![append_sized(1, 1..=1, 3000, Some(State::Running))])
        .unwrap();
    let pressure = subject.store.pressure();
    assert!(
        pressure.is_full() && pressure.pending_bytes_max == 2000,
        "{pressure:?}"
    );
    drop(still);
    let end = append(1, 2..=2, Some(State::Completed));
    subject.store.commit(vec![end]).unwrap();
    subject.keeper(Task::Drain);
    assert_eq!(subject.store.pressure().pending_bytes, 0);
}

#[test]
fn a_failure_in_the_background_is_told_and_stops_commits_but_no_reads() {
    let subject = OnDisk::with(small());
    let (tell, told) = mpsc::channel();
    subject
        .store
        .on_failure(Box::new(move |reason| tell.send(reason).unwrap()));
    subject.store.commit(vec![start(1)]).unwrap();
    fs::remove_dir_all(subject.directory.path().join("state")).unwrap();
    assert!(subject.store.close().is_err());
    let reason = told.recv().unwrap();
    assert!(reason.contains("state"), "{reason}");
    let refused = subject.store.commit(vec![start(2)]).unwrap_err();
    assert!(refused.to_string().contains(&reason), "{refused}");
    assert_eq!(subject.store.events(id(1), 0, 9).unwrap().len(), 1);
}

#[test]
fn a_reader_sees_all_that_is_committed_while_it_is_taken_over() {
    let subject = OnDisk::with(small());
    let any = ExecutionFilter::default();
    let done = AtomicBool::new(false);
    subject.store.commit(vec![start(1)]).unwrap();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let (mut events, mut executions) = (1, 1);
            while !done.load(Ordering::Relaxed) {
                let now = subject.store.events(id(1), 0, usize::MAX).unwrap();
                let sequences: Vec<_> = now.iter().map(|event| event.sequence).collect();
                assert_eq!(sequences, (1..=now.len() as u64).collect::<Vec<_>>());
                let page = subject.store.executions("default", &any, None, 1000);
                let listed = page.unwrap().items.len();
                let open = subject
                    .store
                    .open_executions(None, usize::MAX)
                    .unwrap()
                    .len();
                assert!(now.len() >= events && listed >= executions && open >= listed);
                (events, executions) = (now.len(), listed);
            }
        });
        for n in 2..=150 {
            let group = vec![start(n), append(1, n..=n, None)];
            subject.store.commit(group).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        reader.join().unwrap();
    });
}

/// A checkpoint syncs the state and then gives up segments one by one, the oldest first: a
/// crash may come before, after, and between any two.
#[test]
fn a_crash_at_any_moment_of_a_checkpoint_loses_nothing() {
    let subject = OnDisk::with(no_checkpoint());
    for n in 1..=120 {
        subject.store.commit(vec![start(n)]).unwrap();
    }
    let directory = subject.directory.path();
    let before = tempfile::tempdir().unwrap();
    copy(&directory.join("journal"), before.path());
    subject.store.close().unwrap();
    subject.store.commit(vec![start(121)]).unwrap();
    let last = segments(&subject.directory).pop().unwrap();
    let directory = subject.killed();
    let names = |path: &Path| {
        let found = super::super::segment::list(path).unwrap();
        let names = found.into_iter().map(|(_, path)| path);
        names.collect::<Vec<_>>()
    };
    let spent = names(before.path()).len() - 1;
    assert!(spent > 2);
    for given_up in 0..=spent {
        let crashed = tempfile::tempdir().unwrap();
        copy(directory.path(), crashed.path());
        let journal = crashed.path().join("journal");
        copy(before.path(), &journal);
        fs::copy(&last, journal.join(last.file_name().unwrap())).unwrap();
        for path in &names(&journal)[..given_up] {
            fs::remove_file(path).unwrap();
        }
        let (store, opened) = open(&crashed).unwrap();
        assert_eq!(opened.commits_replayed, 1, "{given_up} given up");
        assert_eq!(store.open_executions(None, usize::MAX).unwrap().len(), 121);
    }
}
