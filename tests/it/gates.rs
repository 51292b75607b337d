//! Gates that ask agents: judged and repaired over a real server, over a restart too.

mod killed;

use serde_json::json;
use tutti::proto::{
    CancelExecutionRequest, event::Kind, execution::State, step_execution::State as StepState,
};

use crate::{
    loops::events,
    support::{TestServer, json_of},
};

const JUDGED: &str = "
name: judged
steps:
  - id: write
    agent: writer
    gates:
      after:
        - { length: { min: 3 }, on_violation: REPAIR, repair: { agent: fixer } }
        - { judge: { agent: critic, criteria: be good, threshold: 0.8 } }
";

#[tokio::test]
async fn an_output_is_repaired_and_judged_and_no_finished_call_is_repeated_by_a_restart() {
    let mut server = TestServer::start().await;
    server.register(JUDGED).await;
    let id = server.begin("judged", json!(null)).await;
    let draft = server.poll("writer").await;
    server.complete(&draft, json!("a")).await.unwrap();
    server.restart().await;
    server.complete(&draft, json!("a")).await.unwrap();

    let repair = server.poll("fixer").await;
    assert_eq!(repair.step, "write/gates.after[0].repair");
    let asked = json!({"output": "a", "violations": ["the length is 1, less than 3"]});
    assert_eq!(json_of(&repair.input), asked);
    let open = server.get(&id).await;
    let step = |path: &str| open.steps.iter().find(|s| s.path == path).unwrap().clone();
    assert_eq!(step("write").state(), StepState::Running);
    assert_eq!(step(&repair.step).kind, "repair");
    server.complete(&repair, json!("abc")).await.unwrap();
    server.restart().await;

    let judge = server.poll("critic").await;
    assert_eq!(judge.step, "write/gates.after[1].judge");
    let asked = json!({"output": "abc", "criteria": "be good"});
    assert_eq!(json_of(&judge.input), asked);
    let verdict = json!({"score": 0.9, "reason": "good"});
    server.complete(&judge, verdict).await.unwrap();

    let execution = server.ended(&id).await;
    assert_eq!(execution.state(), State::Completed);
    assert_eq!(json_of(&execution.output), json!({"write": "abc"}));
    let all = events(&server, &id).await;
    let scheduled: Vec<_> = all
        .iter()
        .filter(|e| matches!(e.kind, Some(Kind::StepScheduled(_))))
        .map(|e| e.step.as_str())
        .collect();
    assert_eq!(scheduled, ["write", &repair.step, &judge.step], "each once");
}

#[tokio::test]
async fn a_judge_fails_the_step_and_a_cancel_reaches_one_that_is_asked() {
    let server = TestServer::start().await;
    server.register(JUDGED).await;
    let id = server.begin("judged", json!(null)).await;
    let draft = server.poll("writer").await;
    server.complete(&draft, json!("abc")).await.unwrap();
    let judge = server.poll("critic").await;
    let verdict = json!({"score": 0.1, "reason": "dull"});
    server.complete(&judge, verdict).await.unwrap();
    let execution = server.ended(&id).await;
    let error = execution.error.unwrap();
    assert_eq!(
        (error.class.as_str(), error.step.as_str()),
        ("invalid_output", "write")
    );
    assert_eq!(error.message, "the judge gives 0.1, less than 0.8: dull");

    let id = server.begin("judged", json!(null)).await;
    let draft = server.poll("writer").await;
    server.complete(&draft, json!("abc")).await.unwrap();
    let judge = server.poll("critic").await;
    let request = CancelExecutionRequest {
        execution_id: id.clone(),
        ..Default::default()
    };
    server.executions().cancel_execution(request).await.unwrap();
    let late = server.complete(&judge, json!({"score": 1})).await;
    assert_eq!(late.unwrap_err().code(), tonic::Code::FailedPrecondition);
    let execution = server.ended(&id).await;
    let asked = execution.steps.iter().find(|s| s.path == judge.step);
    assert_eq!(asked.unwrap().state(), StepState::Cancelled);
}
