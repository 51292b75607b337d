//! Large payloads: kept once, beside the journal, as long as something refers to them.

use std::{fs, path::PathBuf};

use prost_types::{Struct, Value, value::Kind};

use super::*;
use crate::{
    proto::{Event, ExecutionStarted, StepCompleted, StepScheduled, event},
    store::{
        Attempt, Write,
        conformance::samples::{self, append, id, start},
    },
};

const LARGE: usize = 40_000;

fn text(letter: &str) -> Value {
    Value {
        kind: Some(Kind::StringValue(letter.repeat(LARGE))),
    }
}

fn object(field: &str, value: Value) -> Struct {
    Struct {
        fields: [(field.to_owned(), value)].into(),
    }
}

fn with(n: u64, sequence: u64, kind: event::Kind) -> Write {
    let mut write = append(n, sequence..=sequence, None);
    if let Write::Append {
        events, summary, ..
    } = &mut write
    {
        events[0].kind = Some(kind);
        if sequence == 1 {
            let state = crate::proto::execution::State::Running;
            *summary = Some(Box::new(summary_of(n, state)));
        }
    }
    write
}

fn summary_of(n: u64, state: crate::proto::execution::State) -> crate::proto::Execution {
    samples::summary(n, state)
}

fn scheduled(input: Value) -> event::Kind {
    event::Kind::StepScheduled(StepScheduled {
        input: Some(input),
        ..StepScheduled::default()
    })
}

fn blobs(directory: &TempDir) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for first in fs::read_dir(directory.path().join("blobs")).unwrap() {
        for file in fs::read_dir(first.unwrap().path()).unwrap() {
            found.push(file.unwrap().path());
        }
    }
    found.sort();
    found
}

fn delete(n: u64) -> Write {
    Write::DeleteExecution { id: id(n) }
}

fn all(store: &SledStore, n: u64) -> Vec<Event> {
    store.events(id(n), 0, usize::MAX).unwrap()
}

#[test]
fn large_payloads_come_back_whole_and_the_same_one_is_kept_once() {
    let subject = OnDisk::with(small());
    let started = event::Kind::ExecutionStarted(ExecutionStarted {
        input: Some(text("a")),
        variables: Some(object("v", text("b"))),
        ..ExecutionStarted::default()
    });
    let completed = event::Kind::StepCompleted(StepCompleted {
        output: Some(text("a")),
        saved: Some(object("v", text("b"))),
        ..StepCompleted::default()
    });
    let writes = [
        with(1, 1, started.clone()),
        with(1, 2, scheduled(text("a"))),
        with(1, 3, completed.clone()),
    ];
    for write in writes {
        subject.store.commit(vec![write]).unwrap();
    }
    assert_eq!(
        blobs(&subject.directory).len(),
        2,
        "two contents, five places"
    );
    let check = |store: &SledStore| {
        let kinds: Vec<_> = all(store, 1).into_iter().map(|e| e.kind.unwrap()).collect();
        let expected = [started.clone(), scheduled(text("a")), completed.clone()];
        assert_eq!(kinds, expected);
    };
    check(&subject.store);
    let journal: u64 = segments(&subject.directory)
        .iter()
        .map(|path| fs::metadata(path).unwrap().len())
        .sum();
    assert!(journal < LARGE as u64, "the journal has {journal} bytes");
    check(&subject.reopened().store);
}

#[test]
fn a_page_ends_where_its_payloads_are_large_enough() {
    let subject = OnDisk::with(small());
    let kinds = ["a", "b", "c"].map(|letter| scheduled(text(letter)));
    for (sequence, kind) in (1..).zip(kinds) {
        let write = with(1, sequence, kind);
        subject.store.commit(vec![write]).unwrap();
    }
    let page = |after, bytes_max| {
        let page = subject.store.events_within(id(1), after, 10, bytes_max);
        let page = page.unwrap();
        (page.items.len(), page.next)
    };
    assert_eq!(page(0, 0), (1, Some(1)));
    assert_eq!(page(1, LARGE as u64), (1, Some(2)));
    assert_eq!(page(0, u64::MAX), (3, None));
}

#[test]
fn blobs_go_with_the_last_execution_that_refers_to_them() {
    let subject = OnDisk::with(small());
    let commit = |group| subject.store.commit(group).unwrap();
    commit(vec![with(1, 1, scheduled(text("a")))]);
    commit(vec![with(2, 1, scheduled(text("a")))]);
    commit(vec![with(2, 2, scheduled(text("b")))]);
    assert_eq!(blobs(&subject.directory).len(), 2);
    commit(vec![delete(1)]);
    assert_eq!(
        blobs(&subject.directory).len(),
        2,
        "another one refers to it"
    );
    // The last one goes and a new one comes with the same content, in one group.
    commit(vec![delete(2), with(3, 1, scheduled(text("a")))]);
    assert_eq!(blobs(&subject.directory).len(), 1);
    assert_eq!(all(&subject.store, 3)[0].kind, Some(scheduled(text("a"))));
    let subject = subject.reopened();
    subject.store.commit(vec![delete(3)]).unwrap();
    assert!(blobs(&subject.directory).is_empty());
    // One that comes and goes at once leaves nothing.
    let group = vec![with(4, 1, scheduled(text("c"))), delete(4)];
    subject.store.commit(group).unwrap();
    assert!(blobs(&subject.directory).is_empty());
}

#[test]
fn a_value_that_looks_like_a_reference_stays_what_it_is() {
    let subject = OnDisk::with(small());
    let said = Value::from("0".repeat(64) + " 7");
    let impostor = Value {
        kind: Some(Kind::StructValue(object("\0tutti.blob", said))),
    };
    let write = with(1, 1, scheduled(impostor.clone()));
    subject.store.commit(vec![write]).unwrap();
    assert_eq!(all(&subject.store, 1)[0].kind, Some(scheduled(impostor)));
}

#[test]
fn a_missing_or_altered_blob_is_damage_and_the_audit_names_its_event() {
    let subject = OnDisk::with(small());
    for (sequence, letter) in [(1, "a"), (2, "b")] {
        let write = with(1, sequence, scheduled(text(letter)));
        subject.store.commit(vec![write]).unwrap();
    }
    let verified = |store: &SledStore| store.verify_execution(id(1)).unwrap().unwrap();
    assert_eq!(verified(&subject.store).broken, None);
    let kept = all(&subject.store, 1);
    let second = blobs(&subject.directory)
        .into_iter()
        .find(|path| fs::read(path).unwrap().ends_with(b"bbb"))
        .unwrap();
    for damage in ["altered", "missing"] {
        match damage {
            "altered" => fs::write(&second, "x".repeat(LARGE + 4)).unwrap(),
            _ => fs::remove_file(&second).unwrap(),
        }
        let first = subject.store.events(id(1), 0, 1).unwrap();
        assert_eq!(first, kept[..1], "what is whole is read");
        let Err(Error::Damaged(said)) = subject.store.events(id(1), 0, 2) else {
            panic!("{damage} and not noticed");
        };
        let name = second.file_name().unwrap().to_str().unwrap();
        assert!(said.contains(name), "{said}");
        let broken = verified(&subject.store).broken.unwrap();
        assert_eq!(broken.sequence, 2);
        assert!(broken.reason.contains(name), "{}", broken.reason);
    }
}

#[test]
fn a_blob_is_durable_once_staged_and_stays_whoever_lets_go_of_it_meanwhile() {
    let subject = OnDisk::with(small());
    let store = &subject.store;
    store
        .commit(vec![with(1, 1, scheduled(text("a")))])
        .unwrap();
    let again = store.stage(vec![with(2, 1, scheduled(text("a")))]).unwrap();
    let new = store.stage(vec![with(3, 1, scheduled(text("b")))]).unwrap();
    let same = store.stage(vec![with(4, 1, scheduled(text("b")))]).unwrap();
    assert_eq!(blobs(&subject.directory).len(), 2);
    store.commit(vec![delete(1)]).unwrap();
    assert_eq!(
        blobs(&subject.directory).len(),
        2,
        "one is to be named again"
    );
    store.commit_staged(vec![again, new]).unwrap();
    store.commit(vec![delete(3)]).unwrap();
    store.commit_staged(vec![same]).unwrap();
    assert_eq!(all(store, 2)[0].kind, Some(scheduled(text("a"))));
    assert_eq!(all(store, 4)[0].kind, Some(scheduled(text("b"))));
    store.commit(vec![delete(2), delete(4)]).unwrap();
    assert!(blobs(&subject.directory).is_empty());
}

#[test]
fn blobs_go_and_come_in_the_order_of_the_parts_of_a_group() {
    let subject = OnDisk::with(small());
    let store = &subject.store;
    let stage = |write| store.stage(vec![write]).unwrap();
    store
        .commit(vec![with(1, 1, scheduled(text("a")))])
        .unwrap();
    let group = vec![
        stage(with(2, 1, scheduled(text("b")))),
        stage(delete(2)),
        stage(delete(1)),
        stage(with(1, 1, scheduled(text("a")))),
    ];
    store.commit_staged(group).unwrap();
    assert_eq!(blobs(&subject.directory).len(), 1);
    assert_eq!(all(store, 1)[0].kind, Some(scheduled(text("a"))));
    // Also in one part: what is named after the execution was deleted counts.
    store
        .commit(vec![delete(1), with(1, 1, scheduled(text("a")))])
        .unwrap();
    let subject = subject.reopened();
    assert_eq!(blobs(&subject.directory).len(), 1);
    subject.store.commit(vec![delete(1)]).unwrap();
    assert!(blobs(&subject.directory).is_empty());
}

#[test]
fn writes_with_large_payloads_are_not_staged_at_once() {
    let subject = OnDisk::with(small());
    let writes = vec![with(1, 1, scheduled(text("a")))];
    let Attempt::Slow(given_back) = subject.store.stage_at_once(writes.clone()).unwrap() else {
        panic!("a file must be written for it");
    };
    assert_eq!(given_back, writes);
    assert!(blobs(&subject.directory).is_empty());
}

#[test]
fn what_was_staged_and_never_committed_is_swept_up_after_a_crash() {
    // All that was committed is in the state, so that nothing is left to be replayed; or nothing
    // was committed since an orderly stop.
    for at_rest in [false, true] {
        let subject = OnDisk::with(small());
        let stage = || subject.store.stage(vec![with(1, 1, scheduled(text("a")))]);
        subject.store.commit(vec![start(2)]).unwrap();
        if at_rest {
            subject.store.close().unwrap();
            drop(stage().unwrap());
        } else {
            drop(stage().unwrap());
            subject.keeper(Task::Checkpoint);
        }
        assert_eq!(blobs(&subject.directory).len(), 1);
        let directory = subject.killed();
        let (store, _) = open(&directory).unwrap();
        for n in 3..260 {
            store.commit(vec![start(n)]).unwrap();
        }
        assert!(blobs(&directory).is_empty(), "at rest before: {at_rest}");
    }
}

#[test]
fn what_a_crash_left_of_blobs_is_swept_up() {
    let subject = OnDisk::with(no_checkpoint());
    let write = with(1, 1, scheduled(text("a")));
    subject.store.commit(vec![write]).unwrap();
    let directory = subject.killed();
    let named = blobs(&directory);
    let orphan = directory.path().join("blobs/00").join("1".repeat(62));
    fs::create_dir_all(orphan.parent().unwrap()).unwrap();
    fs::write(&orphan, "nobody").unwrap();
    fs::write(orphan.with_extension("unfinished"), "half").unwrap();
    let (store, opened) = open(&directory).unwrap();
    assert!(opened.commits_replayed > 0);
    for sequence in 2..400 {
        let write = append(1, sequence..=sequence, None);
        store.commit(vec![write]).unwrap();
    }
    assert_eq!(blobs(&directory), named);
    assert_eq!(all(&store, 1)[0].kind, Some(scheduled(text("a"))));
}

/// Deletes an execution while the first bytes of a copy are taken.
struct DeletesMeanwhile<'a> {
    store: &'a SledStore,
    taken: Vec<u8>,
}

impl std::io::Write for DeletesMeanwhile<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.taken.is_empty() {
            self.store.commit(vec![delete(1)]).unwrap();
        }
        self.taken.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_copy_holds_its_blobs_whatever_is_deleted_meanwhile() {
    let subject = OnDisk::with(small());
    let kinds = [scheduled(text("a")), scheduled(text("b"))];
    for (sequence, kind) in (1..).zip(kinds.clone()) {
        subject.store.commit(vec![with(1, sequence, kind)]).unwrap();
    }
    let mut sink = DeletesMeanwhile {
        store: &subject.store,
        taken: Vec::new(),
    };
    subject.store.snapshot(&mut sink).unwrap();
    let taken = sink.taken;
    let restored = tempfile::tempdir().unwrap();
    SledStore::restore(&mut taken.as_slice(), restored.path(), &small()).unwrap();
    let (store, _) = open(&restored).unwrap();
    let events = all(&store, 1).into_iter();
    assert!(events.map(|event| event.kind.unwrap()).eq(kinds));
    assert_eq!(blobs(&restored).len(), 2);

    assert!(all(&subject.store, 1).is_empty());
    for n in 2..300 {
        subject.store.commit(vec![start(n)]).unwrap();
    }
    assert!(
        blobs(&subject.directory).is_empty(),
        "they go once it is made"
    );
}
