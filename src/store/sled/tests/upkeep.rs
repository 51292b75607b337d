//! Compaction, copies, the audit of what lies on disk, and the check of a whole directory.

use std::fs;

use prost::Message as _;

use super::*;
use crate::{
    proto::{ExecutionFilter, execution::State},
    store::{Broken, Write, conformance::samples::*, sled::keys},
};

/// Ten executions in several packs each, five of them deleted again, and a bit of everything.
fn filled() -> OnDisk {
    let subject = OnDisk::with(no_checkpoint());
    let commit = |group| subject.store.commit(group).unwrap();
    commit(
        (1..=10)
            .map(|n| append_sized(n, 1..=3, 700, Some(State::Running)))
            .collect(),
    );
    subject.keeper(Task::Drain);
    commit(
        (1..=10)
            .map(|n| append_sized(n, 4..=4, 9000, None))
            .collect(),
    );
    commit(vec![
        put_agent("n", agent("a", 9000)),
        put_request("n", "r", 1),
    ]);
    commit(vec![
        put_workflow("n", workflow("w", 1, 9000)),
        stand(1, 4, 9),
    ]);
    subject.keeper(Task::Drain);
    commit(
        (2..=10)
            .map(|n| append(n, 5..=5, Some(State::Completed)))
            .collect(),
    );
    commit(
        (1..=5)
            .map(|n| Write::DeleteExecution { id: id(2 * n) })
            .collect(),
    );
    subject
}

/// Text that does not compress.
fn noise(seed: u64, bytes: usize) -> String {
    let mut state = seed;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(b'!' + (state >> 58) as u8)
    };
    (0..bytes).map(|_| next()).collect()
}

/// All that a store holds, as text.
fn told(store: &dyn Store) -> String {
    let any = ExecutionFilter::default();
    let executions = ["default", "other"].map(|n| store.executions(n, &any, None, 99).unwrap());
    let events: Vec<_> = (1..=20)
        .map(|n| store.events(id(n), 0, 99).unwrap())
        .collect();
    let verified = store.verify_executions(None, 99).unwrap();
    assert!(verified.items.iter().all(|found| found.broken.is_none()));
    let rest = (
        store.agents().unwrap(),
        store.request("n", "r").unwrap(),
        store.workflows("n", "", 99).unwrap(),
        store.open_executions(None, 99).unwrap(),
    );
    format!("{executions:?} {events:?} {verified:?} {rest:?}")
}

#[test]
fn compaction_keeps_everything_and_takes_less_space() {
    let subject = filled();
    let before = told(&subject.store);
    for n in 100..400 {
        let mut write = append_sized(n, 1..=2, 10, Some(State::Completed));
        if let Write::Append { events, .. } = &mut write {
            events[0].step = noise(n, 4000);
        }
        subject.store.commit(vec![write]).unwrap();
    }
    subject.keeper(Task::Drain);
    let delete = |n| Write::DeleteExecution { id: id(n) };
    subject
        .store
        .commit((100..400).map(delete).collect())
        .unwrap();
    let compacted = subject.store.compact().unwrap();
    assert!(
        compacted.bytes_after < compacted.bytes_before,
        "{compacted:?}"
    );
    assert_eq!(told(&subject.store), before);
    assert!(!subject.directory.path().join("state").exists());
    subject.store.commit(vec![start(30)]).unwrap();
    subject.store.compact().unwrap();
    let (store, opened) = open(&subject.killed()).unwrap();
    assert_eq!(opened.commits_replayed, 0);
    assert_eq!(store.events(id(30), 0, 9).unwrap().len(), 1);
}

#[test]
fn commits_and_reads_go_on_while_a_state_is_compacted() {
    let subject = filled();
    std::thread::scope(|scope| {
        let compacting = scope.spawn(|| {
            for _ in 0..3 {
                subject.store.compact().unwrap();
            }
        });
        for sequence in 5..=60 {
            subject
                .store
                .commit(vec![append(1, sequence..=sequence, None)])
                .unwrap();
            let events = subject.store.events(id(1), 0, 99).unwrap();
            assert_eq!(events.len() as u64, sequence);
        }
        compacting.join().unwrap();
    });
    let before = told(&subject.store);
    let (store, _) = open(&subject.killed()).unwrap();
    assert_eq!(told(&store), before);
}

/// The new state is written beside the old one, then named, then the old one is removed.
#[test]
fn a_crash_at_any_moment_of_a_compaction_loses_nothing() {
    let subject = filled();
    subject.store.close().unwrap();
    let expected = told(&subject.store);
    let directory = subject.directory.path();
    let old = tempfile::tempdir().unwrap();
    copy(directory, old.path());
    subject.store.compact().unwrap();
    let new = tempfile::tempdir().unwrap();
    copy(directory, new.path());

    let half_written = |crashed: &Path| {
        copy(old.path(), crashed);
        fs::create_dir(crashed.join("state-1")).unwrap();
        fs::write(crashed.join("state-1/db"), b"half").unwrap();
    };
    let not_named = |crashed: &Path| {
        copy(old.path(), crashed);
        copy(&new.path().join("state-1"), &crashed.join("state-1"));
    };
    let named = |crashed: &Path| {
        not_named(crashed);
        fs::copy(new.path().join("STATE"), crashed.join("STATE")).unwrap();
    };
    let moments: [&dyn Fn(&Path); 3] = [&half_written, &not_named, &named];
    for moment in moments {
        let crashed = tempfile::tempdir().unwrap();
        moment(crashed.path());
        let (store, _) = open(&crashed).unwrap();
        assert_eq!(told(&store), expected);
        store.compact().unwrap();
        assert_eq!(told(&store), expected);
        let states = fs::read_dir(crashed.path()).unwrap();
        let states = states.filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with("state")
        });
        assert_eq!(states.count(), 1);
    }
}

#[test]
fn a_copy_makes_the_same_store_again() {
    let subject = filled();
    let expected = told(&subject.store);
    let mut taken = Vec::new();
    let snapshot = subject.store.snapshot(&mut taken).unwrap();
    assert_eq!(snapshot.bytes, taken.len() as u64);
    subject.store.commit(vec![start(30)]).unwrap();
    let restored = tempfile::tempdir().unwrap();
    let found = SledStore::restore(&mut taken.as_slice(), restored.path(), &small()).unwrap();
    assert_eq!(found, snapshot);
    for _ in 0..2 {
        let (store, opened) = open(&restored).unwrap();
        assert_eq!(opened, Opened::default());
        assert_eq!(told(&store), expected);
    }
    let (store, _) = open(&restored).unwrap();
    store
        .commit(vec![append(1, 5..=5, None), start(31)])
        .unwrap();
    assert_eq!(store.events(id(1), 0, 9).unwrap().len(), 5);
}

#[test]
fn a_copy_that_is_not_whole_is_refused_and_leaves_nothing() {
    let subject = filled();
    let mut taken = Vec::new();
    subject.store.snapshot(&mut taken).unwrap();
    let mut changed = taken.clone();
    changed[taken.len() / 2] ^= 1;
    let cut = &taken[..taken.len() - 1];
    for (copy, words) in [
        (cut, "cut short"),
        (&changed, "not whole"),
        (b"TUTTI", "cut short"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let mut copy = copy;
        let refused = SledStore::restore(&mut copy, directory.path(), &small()).unwrap_err();
        assert!(refused.to_string().contains(words), "{refused}");
        assert!(matches!(refused, Error::NotRestored(_)), "{refused}");
        let left = fs::read_dir(directory.path()).unwrap().count();
        assert_eq!(left, 0, "{refused}");
    }
    let refused = SledStore::restore(&mut taken.as_slice(), subject.directory.path(), &small());
    let told = refused.unwrap_err().to_string();
    assert!(told.contains("empty directory"), "{told}");
}

/// Changes one byte of a value of the state.
fn tamper(subject: &OnDisk, key: &[u8]) {
    let state = &subject.store.work.kept.state;
    let mut value = state.get(key).unwrap().unwrap();
    let last = value.len() - 1;
    value[last] ^= 1;
    state.write(vec![(key.to_vec(), Some(value))]).unwrap();
}

#[test]
fn the_first_event_that_was_changed_is_named_also_after_a_compaction() {
    let subject = filled();
    subject.keeper(Task::Drain);
    let of_event_4 = super::super::chunks::part(&keys::events(id(1), 4), 0);
    tamper(&subject, &of_event_4);
    let found = |subject: &OnDisk| {
        let verified = subject.store.verify_execution(id(1)).unwrap().unwrap();
        assert_eq!(verified.events, 3);
        let Broken { sequence, reason } = verified.broken.unwrap();
        assert_eq!(sequence, 4, "{reason}");
        let all = subject.store.verify_executions(None, 99).unwrap();
        let broken = all.items.iter().filter(|found| found.broken.is_some());
        assert_eq!(broken.count(), 1);
    };
    found(&subject);
    subject.store.compact().unwrap();
    found(&subject);
}

#[test]
fn an_event_that_was_removed_is_missed() {
    let subject = filled();
    subject.keeper(Task::Drain);
    let state = &subject.store.work.kept.state;
    let event = keys::events(id(3), 3);
    let gone = state.keys(&event).map(|key| (key.unwrap(), None));
    state.write(gone.collect()).unwrap();
    let verified = subject.store.verify_execution(id(3)).unwrap().unwrap();
    assert_eq!(verified.broken.unwrap().sequence, 1);
}

#[test]
fn a_whole_directory_is_checked_and_what_is_damaged_is_named() {
    let subject = filled();
    subject.keeper(Task::Drain);
    let key = super::super::chunks::part(&keys::events(id(1), 4), 0);
    tamper(&subject, &key);
    subject.store.commit(vec![start(30)]).unwrap();
    let directory = subject.killed();
    let mut broken = Vec::new();
    let mut inspect = || {
        SledStore::inspect(directory.path(), &small(), &mut |found| {
            broken.push(found.id)
        })
    };
    let found = inspect().unwrap();
    assert_eq!((found.commit, found.applied, found.torn_bytes), (7, 6, 0));
    assert_eq!((found.executions, found.broken), (6, 1));
    let segment = segments(&directory).pop().unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    bytes[HEADER_BYTES + 9] ^= 1;
    fs::write(&segment, bytes).unwrap();
    let damaged = inspect().unwrap_err().to_string();
    assert!(damaged.contains("at byte 40"), "{damaged}");
    assert_eq!(broken, [id(1)]);
}

/// Writes what a state holds as format 1 kept it.
fn as_format_1(subject: &OnDisk, into: &Path) {
    let kept = &subject.store.work.kept;
    let state = super::super::state::State::open(into, 1 << 20).unwrap();
    let mut entries = Vec::new();
    let mut put = |key: &[u8], value: &[u8]| {
        for (key, part) in super::super::chunks::split(key, value).unwrap() {
            entries.push((key, Some(part)));
        }
    };
    let mut indexes = Vec::new();
    for found in subject.store.verify_executions(None, 99).unwrap().items {
        let summary = kept.execution(found.id).unwrap().unwrap();
        put(&keys::summary_1(found.id), &summary.encode_to_vec());
        indexes.push(keys::summary(&summary.namespace, found.id));
        for pack in kept.state.packs(found.id, 0, u64::MAX) {
            let (last, value) = pack.unwrap();
            let pack = super::super::packs::Chained::read(last, value).unwrap();
            put(&keys::events(found.id, last), &pack.events);
        }
    }
    for entry in kept.state.all() {
        let (key, value) = entry.unwrap();
        if b"orwax".contains(&key[0]) {
            entries.push((key.to_vec(), Some(value.to_vec())));
        }
    }
    for index in indexes {
        entries.push((index, Some(Vec::new())));
    }
    entries.push((keys::FORMAT.to_vec(), None));
    let at = kept.state.standing().unwrap().applied;
    let changes = super::super::apply::Changes {
        entries,
        ..Default::default()
    };
    state.apply(changes, at, || {}).unwrap();
    state.make_durable(at).unwrap();
}

#[test]
fn a_state_of_format_1_is_brought_to_this_one_at_the_next_start() {
    let subject = filled();
    subject.store.close().unwrap();
    let expected = told(&subject.store);
    let old = tempfile::tempdir().unwrap();
    as_format_1(&subject, &old.path().join("state"));
    let directory = subject.killed();
    fs::remove_dir_all(directory.path().join("state")).unwrap();
    copy(old.path(), directory.path());
    fs::write(directory.path().join("FORMAT"), "tutti data, format 1\n").unwrap();
    for _ in 0..2 {
        let (store, opened) = open(&directory).unwrap();
        assert_eq!(opened, Opened::default());
        assert_eq!(told(&store), expected);
        let format = fs::read_to_string(directory.path().join("FORMAT")).unwrap();
        assert_eq!(format, "tutti data, format 2\n");
    }
}
