//! A process that is killed at any moment loses no commit that had returned.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
};

use super::*;
use crate::{
    proto::execution::State,
    store::conformance::samples::{append_sized, id},
};

/// Names the directory to the process that is killed.
const DIRECTORY: &str = "TUTTI_TEST_KILLED_DIRECTORY";
const SAID: &str = "committed ";

/// Commits until it is killed, and says what it committed.
fn commit_until_killed(directory: &Path) {
    let (store, _) = SledStore::open(directory, small()).unwrap();
    let first = store.events(id(1), 0, usize::MAX).unwrap().len() as u64 + 1;
    for sequence in first.. {
        let state = (sequence == 1).then_some(State::Running);
        let bytes = [10, 5000][usize::from(sequence.is_multiple_of(7))];
        let group = vec![append_sized(1, sequence..=sequence, bytes, state)];
        store.commit(group).unwrap();
        writeln!(std::io::stdout(), "{SAID}{sequence}").unwrap();
    }
}

/// The process that is killed is this test again, told so by its environment.
#[test]
fn a_killed_process_loses_no_commit_that_returned() {
    if let Ok(directory) = env::var(DIRECTORY) {
        return commit_until_killed(Path::new(&directory));
    }
    let directory = tempfile::tempdir().unwrap();
    let mut kept = 0;
    for kill_after in [1, 3, 10, 40, 2, 90, 25] {
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--nocapture",
                "a_killed_process_loses_no_commit_that_returned",
            ])
            .env(DIRECTORY, directory.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said = lines
            .map_while(Result::ok)
            .filter_map(|line| line.split(SAID).nth(1)?.parse::<u64>().ok())
            .nth(kill_after);
        child.kill().unwrap();
        child.wait().unwrap();

        let (store, _) = SledStore::open(directory.path(), small()).unwrap();
        let events = store.events(id(1), 0, usize::MAX).unwrap();
        let sequences: Vec<_> = events.iter().map(|event| event.sequence).collect();
        assert!(said.unwrap() > kept, "it went on");
        kept = events.len() as u64;
        assert_eq!(sequences, (1..=kept).collect::<Vec<_>>());
        assert!(said.unwrap() <= kept, "{said:?} was said, {kept} are kept");
    }
}
