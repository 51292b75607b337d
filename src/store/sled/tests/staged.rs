//! Groups in flight: one is written, others are staged, and the process dies.

use std::{fs, os::unix::fs::FileExt as _, sync::mpsc, thread};

use super::*;
use crate::{
    proto::execution::State,
    store::{Staged, Write, conformance::samples::*},
};

fn event(store: &SledStore, sequence: u64) -> Staged {
    let state = (sequence == 1).then_some(State::Running);
    store
        .stage(vec![append(1, sequence..=sequence, state)])
        .unwrap()
}

fn kept(store: &SledStore) -> Vec<u64> {
    let events = store.events(id(1), 0, usize::MAX).unwrap();
    events.iter().map(|event| event.sequence).collect()
}

/// Commits events one by one, then the groups of events given while all of them are staged, the
/// last of which is never committed.
fn in_flight(before: u64, groups: &[&[u64]]) -> TempDir {
    let subject = OnDisk::with(no_checkpoint());
    let store = &subject.store;
    for sequence in 1..=before {
        store.commit_staged(vec![event(store, sequence)]).unwrap();
    }
    let staged: Vec<Vec<_>> = groups
        .iter()
        .map(|group| {
            group
                .iter()
                .map(|sequence| event(store, *sequence))
                .collect()
        })
        .collect();
    let mut staged = staged.into_iter();
    let never = staged.next_back();
    for group in staged {
        store.commit_staged(group).unwrap();
    }
    drop(never);
    subject.killed()
}

/// Tears the last record at each byte; gives how many events were kept.
fn torn(original: &TempDir, check: impl Fn(&TempDir, bool)) {
    let last = segments(original).pop().unwrap();
    let ends = record_ends(&last);
    let end = *ends.last().unwrap();
    let begin = ends.iter().rev().nth(1).copied().unwrap_or(HEADER_BYTES);
    let written = fs::read(&last).unwrap();
    assert!(
        written[end..].iter().all(|byte| *byte == 0),
        "nothing is written behind a record that is not synced"
    );
    for cut in begin..=end {
        for rest in [0_u8, 0xC7] {
            let directory = tempfile::tempdir().unwrap();
            copy(original.path(), directory.path());
            let segment = segments(&directory).pop().unwrap();
            let file = fs::File::options().write(true).open(segment).unwrap();
            file.write_all_at(&vec![rest; end - cut], cut as u64)
                .unwrap();
            check(&directory, cut == end);
        }
    }
}

#[test]
fn of_two_groups_in_flight_the_torn_one_is_cut_off_and_the_next_is_not_there() {
    let original = in_flight(2, &[&[3], &[4]]);
    torn(&original, |directory, whole| {
        let (store, _) = open(directory).unwrap();
        let last = 2 + u64::from(whole);
        assert_eq!(kept(&store), (1..=last).collect::<Vec<_>>());
        let next = vec![event(&store, last + 1), event(&store, last + 2)];
        store.commit_staged(next).unwrap();
        drop(store);
        let (store, opened) = open(directory).unwrap();
        assert_eq!(opened.bytes_cut, 0);
        assert_eq!(kept(&store), (1..=last + 2).collect::<Vec<_>>());
    });
}

#[test]
fn a_group_of_several_parts_is_there_as_a_whole_or_not_at_all() {
    let original = in_flight(1, &[&[2, 3, 4], &[5, 6]]);
    torn(&original, |directory, whole| {
        let (store, _) = open(directory).unwrap();
        let last = if whole { 4 } else { 1 };
        assert_eq!(kept(&store), (1..=last).collect::<Vec<_>>());
    });
}

/// The segment that the next group needs is made when that is written, not when it is staged:
/// the one before is synced by then.
#[test]
fn a_group_in_flight_across_segments_is_cut_off_where_it_was_torn() {
    let subject = OnDisk::with(no_checkpoint());
    let mut last = 0;
    // Up to the last one that fits: the next group begins a segment.
    while segments(&subject.directory).len() < 2 {
        last += 1;
        let store = &subject.store;
        store.commit_staged(vec![event(store, last)]).unwrap();
    }
    drop(subject);
    let original = in_flight(last - 2, &[&[last - 1], &[last]]);
    assert_eq!(segments(&original).len(), 1);
    torn(&original, |directory, whole| {
        let (store, _) = open(directory).unwrap();
        let count = last - 2 + u64::from(whole);
        assert_eq!(kept(&store), (1..=count).collect::<Vec<_>>());
    });
    let original = in_flight(last - 1, &[&[last], &[last + 1]]);
    assert_eq!(segments(&original).len(), 2);
    torn(&original, |directory, whole| {
        let (store, _) = open(directory).unwrap();
        let count = last - 1 + u64::from(whole);
        assert_eq!(kept(&store), (1..=count).collect::<Vec<_>>());
    });
}

#[test]
fn many_threads_stage_while_one_commits() {
    const WRITERS: u64 = 4;
    const EVENTS: u64 = 200;
    let subject = OnDisk::with(small());
    let store = &subject.store;
    thread::scope(|scope| {
        let (parts, waiting) = mpsc::sync_channel(8);
        for n in 1..=WRITERS {
            let parts = parts.clone();
            scope.spawn(move || {
                for sequence in 1..=EVENTS {
                    let state = (sequence == 1).then_some(State::Running);
                    let write = append(n, sequence..=sequence, state);
                    parts.send(store.stage(vec![write]).unwrap()).unwrap();
                }
            });
        }
        drop(parts);
        while let Ok(first) = waiting.recv() {
            let group = std::iter::once(first).chain(waiting.try_iter());
            store.commit_staged(group.collect()).unwrap();
        }
    });
    let (store, _) = open(&subject.killed()).unwrap();
    for n in 1..=WRITERS {
        let events = store.events(id(n), 0, usize::MAX).unwrap();
        assert!(events.iter().map(|event| event.sequence).eq(1..=EVENTS));
    }
}

#[test]
fn more_than_a_commit_may_hold_is_refused_before_anything_is_written() {
    let options = Options {
        group_bytes_max: 10_000,
        ..no_checkpoint()
    };
    let subject = OnDisk::with(options);
    let store = &subject.store;
    let sized = |n, bytes| vec![append_sized(n, 1..=1, bytes, Some(State::Running))];
    let journal = || fs::read(&segments(&subject.directory)[0]).unwrap();
    let before = journal();
    let too_large = |refused: Result<(), Error>| {
        let Err(Error::TooLarge { bytes, bytes_max }) = refused else {
            panic!("{refused:?}");
        };
        assert!(bytes > 10_000 && bytes_max == 10_000, "{bytes} {bytes_max}");
    };
    too_large(store.stage(sized(1, 20_000)).map(drop));
    let group = [2, 3].map(|n| store.stage(sized(n, 6_000)).unwrap());
    too_large(store.commit_staged(group.into()));
    assert!(journal() == before, "nothing is written");
    store.commit(sized(1, 6_000)).unwrap();
    assert_eq!(kept(store), [1]);
}

#[test]
fn a_failed_store_stages_nothing() {
    let subject = OnDisk::with(small());
    let staged = event(&subject.store, 1);
    subject.store.work.failure.set("the disk is gone".into());
    let refused = subject.store.commit_staged(vec![staged]).unwrap_err();
    assert!(refused.to_string().contains("stopped after a failure"));
    let write = Write::DeleteExecution { id: id(1) };
    assert!(subject.store.stage(vec![write]).is_err());
}
