//! What a start refuses, and what it says.

use std::{fs, os::unix::fs::FileExt as _, path::Path};

use tempfile::TempDir;

use super::*;
use crate::{
    proto::execution::State,
    store::conformance::samples::{append, append_sized, start},
};

fn filled(commits: u64) -> TempDir {
    let subject = OnDisk::with(no_checkpoint());
    for n in 1..=commits {
        subject.store.commit(vec![start(n)]).unwrap();
    }
    subject.keeper(Task::Drain);
    subject.killed()
}

fn flip(path: &Path, at: usize) {
    let file = fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at as u64).unwrap();
    file.write_all_at(&[byte[0] ^ 0x10], at as u64).unwrap();
}

/// Asserts that the directory is refused as damaged, in words that hold each of these.
fn refused(directory: &TempDir, words: &[&str]) {
    let told = match open(directory) {
        Err(Error::Damaged(told)) => told,
        other => panic!("not refused as damaged: {other:?}"),
    };
    for word in words {
        assert!(told.contains(word), "`{word}` is not in: {told}");
    }
    assert!(
        told.contains("tutti restore"),
        "the way out is not in: {told}"
    );
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

#[test]
fn a_flipped_byte_is_named_by_the_record_it_lies_in() {
    let directory = filled(3);
    let segment = &segments(&directory)[0];
    let ends = record_ends(segment);
    let offset = format!("at byte {}", ends[0]);
    for at in ends[0]..ends[1] {
        flip(segment, at);
        refused(&directory, &[name(segment), &offset]);
        flip(segment, at);
    }
    assert!(open(&directory).is_ok(), "nothing was changed");
}

#[test]
fn a_flipped_byte_in_a_full_segment_is_damage_even_in_its_last_record() {
    let directory = filled(40);
    let segment = &segments(&directory)[0];
    let ends = record_ends(segment);
    flip(segment, ends[ends.len() - 1] - 1);
    let offset = format!("at byte {}", ends[ends.len() - 2]);
    refused(&directory, &[name(segment), &offset]);
}

#[test]
fn a_flipped_byte_in_the_last_record_is_damage_once_the_state_has_it() {
    let directory = filled(3);
    let segment = &segments(&directory)[0];
    let ends = record_ends(segment);
    flip(segment, ends[2] - 1);
    let offset = format!("at byte {}", ends[1]);
    refused(
        &directory,
        &[name(segment), &offset, "the state stands at commit 3"],
    );
}

#[test]
fn a_flipped_byte_in_a_segments_header_is_damage() {
    let directory = filled(2);
    let segment = &segments(&directory)[0];
    for at in 0..super::super::segment::HEADER_BYTES {
        flip(segment, at);
        refused(&directory, &[name(segment), "at byte 0"]);
        flip(segment, at);
    }
}

#[test]
fn a_missing_segment_is_damage_wherever_it_was() {
    let original = filled(100);
    let count = segments(&original).len();
    assert!(count >= 4);
    for missing in 0..count {
        let directory = tempfile::tempdir().unwrap();
        copy(original.path(), directory.path());
        fs::remove_file(&segments(&directory)[missing]).unwrap();
        refused(&directory, &["journal segment", "at byte"]);
    }
}

#[test]
fn a_missing_journal_is_damage() {
    let directory = filled(2);
    fs::remove_dir_all(directory.path().join("journal")).unwrap();
    refused(&directory, &["journal", "the state stands at commit 2"]);
}

#[test]
fn a_lost_state_is_damage_once_segments_were_given_up() {
    let subject = OnDisk::with(small());
    subject.store.commit(vec![start(1)]).unwrap();
    for sequence in 2..=100 {
        let write = append_sized(1, sequence..=sequence, 500, None);
        subject.store.commit(vec![write]).unwrap();
    }
    subject.keeper(Task::Due);
    let directory = subject.killed();
    fs::remove_dir_all(directory.path().join("state")).unwrap();
    refused(&directory, &["journal segment", "kept up to commit 0"]);
}

#[test]
fn a_state_of_another_history_is_damage() {
    let directory = filled(3);
    let other = OnDisk::with(no_checkpoint());
    other.store.commit(vec![start(9)]).unwrap();
    other
        .store
        .commit(vec![append(9, 2..=2, Some(State::Failed))])
        .unwrap();
    other.keeper(Task::Drain);
    let other = other.killed();
    fs::remove_dir_all(directory.path().join("state")).unwrap();
    copy(&other.path().join("state"), &directory.path().join("state"));
    refused(&directory, &["another history at commit 2"]);
}

#[test]
fn a_directory_in_use_is_refused() {
    let subject = OnDisk::with(small());
    let second = open(&subject.directory).unwrap_err();
    assert!(matches!(second, Error::InUse(_)), "{second}");
    let directory = subject.killed();
    assert!(open(&directory).is_ok());
}

#[test]
fn a_newer_format_is_refused() {
    let directory = filled(1);
    fs::write(directory.path().join("FORMAT"), "tutti data, format 3\n").unwrap();
    let newer = open(&directory).unwrap_err();
    assert!(
        matches!(
            newer,
            Error::NewerFormat {
                found: 3,
                known: 2,
                ..
            }
        ),
        "{newer}"
    );
}

#[test]
fn an_unreadable_format_is_refused() {
    let directory = filled(1);
    fs::write(directory.path().join("FORMAT"), "tutti data\n").unwrap();
    refused(&directory, &["FORMAT"]);
}

#[test]
fn a_directory_of_something_else_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("thesis.txt"), "mine").unwrap();
    refused(&directory, &["thesis.txt", "--data"]);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}
