//! The demo from start to end, as the README's first command runs it.

use crate::cli::{binary, said};

#[tokio::test]
async fn the_demo_runs_its_three_workflows_and_ends() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let mut command = binary();
    command.args(["demo", "--once", "--listen", "127.0.0.1:0", "--data"]);
    let said = said(command.arg(&data)).await.exits(0);
    for (number, word) in [("1/3", "content"), ("2/3", "order"), ("3/3", "document")] {
        let heading = said.out.lines().find(|line| line.starts_with(number));
        let heading = heading.expect("a heading for each run").to_lowercase();
        assert!(heading.contains(word), "{heading}");
    }
    for workflow in ["content-analysis", "ecommerce-order", "document-processing"] {
        let started = format!("execution_started  {workflow} v1");
        assert!(said.err.contains(&started), "{}", said.err);
    }
    let completed = said.err.matches("execution_completed").count();
    assert_eq!(completed, 3, "{}", said.err);
    let retried = |line: &str| line.contains("pay  step_retry_scheduled");
    assert!(said.err.lines().any(retried), "{}", said.err);
    assert!(
        said.out.contains("English"),
        "the agents compute: {}",
        said.out
    );
    assert!(data.is_dir(), "the state that was asked to be kept");
}
