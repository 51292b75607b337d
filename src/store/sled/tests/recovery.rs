//! What a start makes of what a crash left.

use std::{fs, fs::File, io::Write as _, os::unix::fs::FileExt as _, path::Path};

use tempfile::TempDir;

use super::{super::files::tree_bytes, *};
use crate::{
    proto::{ExecutionFilter, execution::State},
    store::conformance::samples::*,
};

/// One commit for each event of the first execution.
fn commit(store: &dyn Store, sequences: std::ops::RangeInclusive<u64>) {
    for sequence in sequences {
        let state = (sequence == 1).then_some(State::Running);
        let write = append(1, sequence..=sequence, state);
        store.commit(vec![write]).unwrap();
    }
}

fn last_sequence(store: &SledStore) -> u64 {
    let events = store.events(id(1), 0, usize::MAX).unwrap();
    let sequences: Vec<_> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(sequences, (1..=events.len() as u64).collect::<Vec<_>>());
    events.len() as u64
}

/// A directory whose state is at commit `state` and whose journal goes on to `journal`, as a
/// crash between the two leaves it.
fn apart(state: u64, journal: u64, options: Options) -> TempDir {
    let subject = OnDisk::with(options.clone());
    commit(&subject.store, 1..=state);
    subject.keeper(Task::Checkpoint);
    let directory = subject.killed();
    let kept = tempfile::tempdir().unwrap();
    copy(&directory.path().join("state"), kept.path());
    let (store, _) = SledStore::open(directory.path(), options).unwrap();
    commit(&store, state + 1..=journal);
    drop(store);
    fs::remove_dir_all(directory.path().join("state")).unwrap();
    copy(kept.path(), &directory.path().join("state"));
    directory
}

#[test]
fn what_the_state_lacks_is_replayed() {
    for (state, journal) in [(0, 1), (1, 2), (3, 40), (40, 40)] {
        let directory = apart(state, journal, no_checkpoint());
        let (store, opened) = open(&directory).unwrap();
        let replayed = Opened {
            commits_replayed: journal - state,
            bytes_cut: 0,
        };
        assert_eq!(opened, replayed);
        assert_eq!(last_sequence(&store), journal);
        commit(&store, journal + 1..=journal + 1);
        drop(store);
        let (store, opened) = open(&directory).unwrap();
        assert_eq!(opened.commits_replayed, journal + 1 - state);
        assert_eq!(last_sequence(&store), journal + 1);
    }
}

#[test]
fn a_torn_tail_is_cut_off_wherever_it_was_torn() {
    let original = apart(2, 3, no_checkpoint());
    let ends = record_ends(&segments(&original)[0]);
    let (begin, end) = (ends[1], ends[2]);
    for cut in begin..=end {
        let overwrite = if cut % 2 == 0 {
            overwrite_with_zeros
        } else {
            overwrite_with_garbage
        };
        for tear in [truncate, overwrite] {
            let directory = tempfile::tempdir().unwrap();
            copy(original.path(), directory.path());
            tear(&segments(&directory)[0], cut as u64, end as u64);
            let (store, opened) = open(&directory).unwrap();
            let whole = u64::from(cut == end);
            assert_eq!(opened.commits_replayed, whole, "torn at {cut}");
            assert!(opened.bytes_cut <= (end - begin) as u64);
            assert_eq!(last_sequence(&store), 2 + whole);
            commit(&store, 3 + whole..=3 + whole);
            drop(store);
            let (store, opened) = open(&directory).unwrap();
            assert_eq!((opened.commits_replayed, opened.bytes_cut), (1 + whole, 0));
            assert_eq!(last_sequence(&store), 3 + whole);
        }
    }
}

fn truncate(segment: &Path, cut: u64, _end: u64) {
    let file = File::options().write(true).open(segment).unwrap();
    file.set_len(cut).unwrap();
}

fn overwrite_with_zeros(segment: &Path, cut: u64, end: u64) {
    overwrite(segment, cut, end, 0);
}

fn overwrite_with_garbage(segment: &Path, cut: u64, end: u64) {
    overwrite(segment, cut, end, 0xC7);
}

fn overwrite(segment: &Path, cut: u64, end: u64, byte: u8) {
    let file = File::options().write(true).open(segment).unwrap();
    let bytes = vec![byte; (end - cut) as usize];
    file.write_all_at(&bytes, cut).unwrap();
}

#[test]
fn the_bytes_cut_off_are_told() {
    let directory = apart(2, 3, no_checkpoint());
    let segment = &segments(&directory)[0];
    let ends = record_ends(segment);
    truncate(segment, ends[1] as u64 + 9, 0);
    let (_, opened) = open(&directory).unwrap();
    assert_eq!(opened.bytes_cut, 9);
}

#[test]
fn a_lost_state_is_rebuilt_from_a_journal_that_begins_at_the_beginning() {
    let subject = OnDisk::with(no_checkpoint());
    commit(&subject.store, 1..=60);
    subject.store.commit((2..=30).map(start).collect()).unwrap();
    let directory = subject.killed();
    assert!(segments(&directory).len() > 2, "several segments");
    fs::remove_dir_all(directory.path().join("state")).unwrap();
    let (store, opened) = open(&directory).unwrap();
    assert_eq!(opened.commits_replayed, 61);
    assert_eq!(last_sequence(&store), 60);
    let any = ExecutionFilter::default();
    let page = store.executions("other", &any, None, 100).unwrap();
    assert_eq!(page.items.len(), 6);
}

#[test]
fn the_journal_stays_bounded_and_its_segments_are_used_again() {
    let subject = OnDisk::with(small());
    for sequence in 1..=400 {
        commit(&subject.store, sequence..=sequence);
        subject.keeper(Task::Due);
        let kept = segments(&subject.directory).len();
        assert!(kept <= 6, "{kept} segments");
    }
    let directory = subject.killed();
    assert!(segments(&directory)[0] > directory.path().join("journal").join("0".repeat(18)));
    let (store, opened) = SledStore::open(directory.path(), small()).unwrap();
    assert!(opened.commits_replayed < 40, "{opened:?}");
    assert_eq!(last_sequence(&store), 400);
}

#[test]
fn records_left_in_a_segment_used_again_are_not_taken_for_new_ones() {
    let directory = apart(300, 301, small());
    let (store, opened) = SledStore::open(directory.path(), small()).unwrap();
    assert_eq!(opened.commits_replayed, 1);
    assert_eq!(last_sequence(&store), 301);
}

#[test]
fn a_group_larger_than_a_segment_is_kept() {
    let subject = OnDisk::with(no_checkpoint());
    let large = append_sized(1, 1..=3, 50_000, Some(State::Running));
    subject.store.commit(vec![large]).unwrap();
    commit(&subject.store, 4..=5);
    let directory = subject.killed();
    fs::remove_dir_all(directory.path().join("state")).unwrap();
    let (store, _) = open(&directory).unwrap();
    assert_eq!(last_sequence(&store), 5);
}

#[test]
fn a_reader_never_sees_half_a_value() {
    let subject = OnDisk::with(small());
    let sizes = [5000, 30_000];
    let put = |size| vec![put_agent("n", agent("a", size))];
    subject.store.commit(put(sizes[0])).unwrap();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            for _ in 0..200 {
                let agents = subject.store.agents().unwrap();
                assert!(sizes.contains(&agents[0].1.description.len()));
            }
        });
        for round in 0..40 {
            subject.store.commit(put(sizes[round % 2])).unwrap();
        }
        reader.join().unwrap();
    });
}

#[test]
fn large_values_make_no_files_that_sled_does_not_sync() {
    let subject = OnDisk::with(small());
    for n in 1..=20 {
        let write = append_sized(n, 1..=4, 60_000, Some(State::Running));
        subject.store.commit(vec![write]).unwrap();
    }
    subject.store.close().unwrap();
    let blobs = subject.directory.path().join("state").join("blobs");
    assert_eq!(fs::read_dir(blobs).unwrap().count(), 0);
}

#[test]
fn a_snapshot_that_was_not_finished_is_removed() {
    let subject = OnDisk::with(small());
    commit(&subject.store, 1..=3);
    let directory = subject.killed();
    let unfinished = directory
        .path()
        .join("state/snap.FFFFFFFFFFFFFFFF.generating");
    File::create(&unfinished)
        .unwrap()
        .write_all(b"half")
        .unwrap();
    let (store, _) = open(&directory).unwrap();
    assert_eq!(last_sequence(&store), 3);
    assert!(!unfinished.exists());
}

#[test]
fn after_a_failed_write_no_commit_is_taken_and_reads_go_on() {
    let subject = OnDisk::with(no_checkpoint());
    commit(&subject.store, 1..=2);
    fs::remove_dir_all(subject.directory.path().join("journal")).unwrap();
    let mut sequence = 3;
    let failure = loop {
        match subject
            .store
            .commit(vec![append(1, sequence..=sequence, None)])
        {
            Ok(()) => sequence += 1,
            Err(failure) => break failure,
        }
    };
    assert!(matches!(failure, Error::Io { .. }), "{failure}");
    fs::create_dir(subject.directory.path().join("journal")).unwrap();
    let next = subject
        .store
        .commit(vec![append(1, sequence..=sequence, None)]);
    let told = next.unwrap_err().to_string();
    assert!(told.contains("stopped after a failure"), "{told}");
    assert!(subject.store.close().is_err());
    assert_eq!(last_sequence(&subject.store), sequence - 1);
}

#[test]
fn at_rest_the_journal_takes_next_to_nothing_and_goes_on_from_there() {
    let options = Options {
        preallocate_bytes: 1 << 20,
        segment_bytes: 4 << 20,
        ..no_checkpoint()
    };
    let subject = OnDisk::with(options);
    commit(&subject.store, 1..=50);
    subject.store.close().unwrap();
    let journal = subject.directory.path().join("journal");
    assert_eq!(tree_bytes(&journal).unwrap(), 68);
    subject.store.close().unwrap();
    assert_eq!(tree_bytes(&journal).unwrap(), 68);
    commit(&subject.store, 51..=52);
    let directory = subject.killed();
    let (store, opened) = open(&directory).unwrap();
    assert_eq!(opened.commits_replayed, 2);
    assert_eq!(last_sequence(&store), 52);
}

/// At rest a segment without records takes the place of all others, which go one by one, the
/// oldest first: a crash may come before, after, and between any two, and while the new one or
/// the one set aside is not whole.
#[test]
fn a_crash_at_any_moment_of_coming_to_rest_loses_nothing() {
    let subject = OnDisk::with(no_checkpoint());
    commit(&subject.store, 1..=120);
    let before = tempfile::tempdir().unwrap();
    copy(subject.directory.path(), before.path());
    subject.store.close().unwrap();
    let directory = subject.killed();
    let names = segments(&before).len();
    assert!(names > 2);
    let crashed = |state: &TempDir, has_new: bool, gone: usize| {
        let crashed = tempfile::tempdir().unwrap();
        copy(state.path(), crashed.path());
        let journal = crashed.path().join("journal");
        fs::remove_dir_all(&journal).unwrap();
        copy(&before.path().join("journal"), &journal);
        fs::write(journal.join("next"), b"not whole").unwrap();
        fs::write(journal.join("next.unfinished"), b"").unwrap();
        for old in &segments(&crashed)[..gone] {
            fs::remove_file(old).unwrap();
        }
        if has_new {
            copy(&directory.path().join("journal"), &journal);
        }
        let (store, _) = open(&crashed).unwrap();
        assert_eq!(last_sequence(&store), 120, "{has_new} {gone}");
        commit(&store, 121..=121);
    };
    for has_new in [false, true] {
        crashed(&before, has_new, 0);
        crashed(&directory, has_new, 0);
    }
    for gone in 1..=names {
        crashed(&directory, true, gone);
    }
}

/// What the keeper has made ahead is used, and nobody grows a file while it commits.
#[test]
fn room_for_records_is_made_ahead() {
    let options = Options {
        segment_bytes: 32 << 10,
        preallocate_bytes: 8 << 10,
        ..no_checkpoint()
    };
    let subject = OnDisk::with(options);
    let length = |path: &Path| fs::metadata(path).unwrap().len();
    let journal = subject.directory.path().join("journal");
    let mut sequence = 1;
    while segments(&subject.directory).len() < 2 {
        let active = segments(&subject.directory).pop().unwrap();
        let before = length(&active);
        commit(&subject.store, sequence..=sequence);
        // Who commits has not made it longer; a keeper that is quick may have.
        let used = *record_ends(&active).last().unwrap() as u64;
        assert!(used <= before, "{used} of {before}");
        subject.keeper(Task::Due);
        if used > 4 << 10 {
            assert!(length(&active) >= 16 << 10);
        }
        if used > 17 << 10 && segments(&subject.directory).len() < 2 {
            assert_eq!(length(&journal.join("next")), 32 << 10);
        }
        sequence += 1;
    }
    let second = segments(&subject.directory).pop().unwrap();
    assert_eq!(length(&second), 32 << 10);
    assert_eq!(last_sequence(&subject.store), sequence - 1);
}

#[test]
fn closing_leaves_nothing_to_replay() {
    let subject = OnDisk::with(no_checkpoint());
    commit(&subject.store, 1..=50);
    subject.store.close().unwrap();
    assert_eq!(segments(&subject.directory).len(), 1);
    let directory = subject.killed();
    let (store, opened) = open(&directory).unwrap();
    assert_eq!(opened, Opened::default());
    assert_eq!(last_sequence(&store), 50);
}
