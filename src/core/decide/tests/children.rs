//! Child executions: begun, awaited, failed, taken back, told to their parent.

use serde_json::json;
use uuid::Uuid;

use super::{Case, Command, Effect, given, value};
use crate::core::{
    decide::{ChildEnding, ChildReport, ChildStart, ChildWorkflow, ParentReport, Rejection},
    execution::{ChildRun, Error, ExecutionState, Parent, StepState},
};

const ONE: &str = "steps: [ { id: sub, workflow: { name: other } } ]";

impl Case {
    /// Children asked for so far, in order.
    fn children(&self) -> Vec<ChildStart> {
        let starts = self.effects.iter().filter_map(|effect| match effect {
            Effect::StartChild(start) => Some((**start).clone()),
            _ => None,
        });
        starts.collect()
    }

    fn child(&self) -> ChildStart {
        self.children().pop().expect("a child was asked for")
    }

    /// Children that were taken back, and whether at once.
    fn stopped(&self) -> Vec<(Uuid, bool)> {
        let stops = self.effects.iter().filter_map(|effect| match effect {
            Effect::StopChild {
                child, terminated, ..
            } => Some((*child, *terminated)),
            _ => None,
        });
        stops.collect()
    }

    fn tell(&mut self, child: &ChildStart, report: ChildReport) -> Result<(), Rejection> {
        self.when(Command::Child {
            step: child.parent.step.clone(),
            child: child.id,
            report,
        })
    }

    fn child_begins(&mut self, child: &ChildStart) -> &mut Self {
        self.tell(child, ChildReport::Started(run_of(child)))
            .unwrap();
        self
    }

    fn child_ends(&mut self, child: &ChildStart, ending: ChildEnding) -> &mut Self {
        self.tell(child, ChildReport::Ended(Box::new(ending)))
            .unwrap();
        self
    }

    /// Names of the events about children, in order.
    fn child_events(&self) -> Vec<&'static str> {
        use crate::proto::event::Kind::{ChildEnded, ChildStarted};
        let names = self.events.iter().filter_map(|event| match event.kind {
            Some(ChildStarted(_)) => Some("started"),
            Some(ChildEnded(_)) => Some("ended"),
            _ => None,
        });
        names.collect()
    }
}

fn run_of(child: &ChildStart) -> ChildRun {
    ChildRun {
        id: child.id,
        workflow: "other".into(),
        version: 3,
    }
}

fn completed(child: &ChildStart, output: serde_json::Value) -> ChildEnding {
    ChildEnding {
        run: run_of(child),
        state: ExecutionState::Completed,
        output: Some(value::from_json(&output)),
        error: None,
    }
}

fn failed(child: &ChildStart, state: ExecutionState, class: &str, step: &str) -> ChildEnding {
    ChildEnding {
        run: run_of(child),
        state,
        output: None,
        error: Some(Error {
            class: class.into(),
            message: "the child says no".into(),
            step: step.into(),
        }),
    }
}

#[test]
fn a_child_gets_the_steps_input_and_its_output_becomes_the_steps() {
    let mut case = given(
        "steps: [ { id: sub, workflow: { name: other, version: 2 }, input: { n: '{{ input }}' } } ]",
        json!(7),
    );
    let child = case.child();
    let runs = ChildWorkflow::Registered {
        name: "other".into(),
        version: Some(2),
    };
    assert_eq!(child.runs, runs);
    assert_eq!(value::to_json(&child.input), json!({"n": 7}));
    assert_eq!(child.parent.step, "sub");
    assert_eq!((child.parent.depth, child.parent.detached), (1, false));
    assert_eq!(case.step("sub"), StepState::Running);

    case.child_begins(&child)
        .child_ends(&child, completed(&child, json!("done")));
    assert_eq!(case.output(), json!({"sub": "done"}));
    assert_eq!(case.child_events(), ["started", "ended"]);
}

#[test]
fn what_a_child_says_again_changes_nothing() {
    let mut case = given(ONE, json!(null));
    let child = case.child();
    case.child_begins(&child).child_begins(&child);
    assert_eq!(case.child_events(), ["started"]);
    case.child_ends(&child, completed(&child, json!(1)));
    let again = ChildReport::Ended(Box::new(completed(&child, json!(2))));
    assert_eq!(case.tell(&child, again), Err(Rejection::Stale));
    case.child_begins(&child);
    assert_eq!(case.stopped(), []);
    assert_eq!(case.child_events(), ["started", "ended"]);
}

#[test]
fn a_child_that_ended_before_its_parent_heard_of_it_is_known_all_the_same() {
    let mut case = given(ONE, json!(null));
    let child = case.child();
    case.child_ends(&child, completed(&child, json!(1)));
    assert_eq!(case.child_events(), ["started", "ended"]);
    let run = case.execution.run(case.execution.find("sub").unwrap());
    assert_eq!(run.child.as_deref(), Some(&run_of(&child)));
}

#[test]
fn a_failed_child_fails_the_step_with_its_class_and_the_way_to_its_step() {
    let mut case = given(ONE, json!(null));
    let child = case.child();
    case.child_begins(&child);
    case.child_ends(
        &child,
        failed(&child, ExecutionState::Failed, "own", "pay/charge"),
    );
    assert_eq!(case.state(), ExecutionState::Failed);
    assert_eq!(case.error(), ("own", "the child says no", "sub/pay/charge"));
}

#[test]
fn a_child_that_someone_cancelled_or_that_timed_out_fails_the_step() {
    for (state, class) in [
        (ExecutionState::Cancelled, "cancelled"),
        (ExecutionState::TimedOut, "timeout"),
    ] {
        let mut case = given(ONE, json!(null));
        let child = case.child();
        case.child_ends(&child, failed(&child, state, class, ""));
        assert_eq!(case.error(), (class, "the child says no", "sub"));
    }
}

#[test]
fn another_attempt_runs_another_child() {
    let mut case = given(
        "steps: [ { id: sub, workflow: { name: other }, retry: { max_attempts: 2, initial_delay: 1s } } ]",
        json!(null),
    );
    let first = case.child();
    case.child_ends(
        &first,
        failed(&first, ExecutionState::Failed, "agent_error", "x"),
    );
    assert_eq!(case.step("sub"), StepState::Retrying);
    case.after(5);
    let second = case.child();
    assert_ne!(first.id, second.id);
    assert_eq!(case.attempt("sub"), 2);

    // The first one does not count any more, whatever it says; had it been open, it would end.
    let late = ChildReport::Ended(Box::new(completed(&first, json!("late"))));
    assert_eq!(case.tell(&first, late), Err(Rejection::Stale));
    case.child_begins(&first);
    assert_eq!(case.stopped(), [(first.id, false)]);
    case.child_ends(&second, completed(&second, json!("good")));
    assert_eq!(case.output(), json!({"sub": "good"}));
}

#[test]
fn the_whole_execution_again_runs_another_child_too() {
    let mut case = given(
        "retry: { max_attempts: 2, initial_delay: 1s }\nsteps: [ { id: sub, workflow: { name: other } } ]",
        json!(null),
    );
    let first = case.child();
    case.child_ends(
        &first,
        failed(&first, ExecutionState::Failed, "agent_error", "x"),
    );
    case.after(5);
    let second = case.child();
    assert_ne!(first.id, second.id);
    assert_eq!(case.attempt("sub"), 1);
}

#[test]
fn a_child_is_ended_with_what_is_around_it() {
    let mut cancelled = given(ONE, json!(null));
    let child = cancelled.child();
    let reason = String::new();
    cancelled
        .when(Command::Cancel {
            reason: reason.clone(),
        })
        .unwrap();
    assert_eq!(cancelled.stopped(), [(child.id, false)]);
    // Heard of only now: the stop may have come too early, or been lost in a crash.
    cancelled.child_begins(&child);
    assert_eq!(cancelled.stopped().len(), 2);

    let mut terminated = given(ONE, json!(null));
    let child = terminated.child();
    terminated.when(Command::Terminate { reason }).unwrap();
    assert_eq!(terminated.stopped(), [(child.id, true)]);

    let mut late = given(
        "steps: [ { id: sub, workflow: { name: other }, timeout: 3s } ]",
        json!(null),
    );
    let child = late.child();
    late.child_begins(&child).after(3);
    assert_eq!(late.stopped(), [(child.id, false)]);
    assert_eq!(late.error().0, "timeout");

    let mut sibling = given(
        "mode: PARALLEL\nsteps: [ { id: sub, workflow: { name: other } }, { id: a, agent: a } ]",
        json!(null),
    );
    let child = sibling.child();
    sibling.fail("a", "own");
    assert_eq!(sibling.stopped(), [(child.id, false)]);
    assert_eq!(sibling.step("sub"), StepState::Cancelled);
}

#[test]
fn a_detached_child_completes_the_step_once_it_has_begun() {
    let mut case = given(
        "steps: [ { id: sub, workflow: { name: other, detached: true } } ]",
        json!(null),
    );
    let child = case.child();
    assert!(child.parent.detached);
    assert_eq!(case.step("sub"), StepState::Running);
    case.child_begins(&child);
    let id = child.id.to_string();
    assert_eq!(case.output(), json!({"sub": {"execution_id": id}}));
    // Asked again, as after a crash of the child: it stays as it is.
    case.child_begins(&child);
    assert_eq!(case.stopped(), []);
}

#[test]
fn a_child_that_cannot_be_started_fails_the_attempt() {
    let mut case = given(ONE, json!(null));
    let child = case.child();
    let refused = ChildReport::Refused {
        class: "not_found".into(),
        message: "workflow other not found".into(),
    };
    case.tell(&child, refused).unwrap();
    assert_eq!(
        case.error(),
        ("not_found", "workflow other not found", "sub")
    );
}

#[test]
fn children_of_children_end_at_the_depth_bound() {
    let mut case = given("steps: [ { id: a, agent: a } ]\n", json!(null));
    let parent = |depth| Parent {
        id: Uuid::from_u128(9),
        step: "sub".into(),
        depth,
        detached: false,
    };
    let yaml =
        "mode: SEQUENCE\nsteps: [ { id: a, agent: a }, { id: sub, workflow: { name: other } } ]";
    for (depth, class) in [(15, None), (16, Some("limit"))] {
        case = given(yaml, json!(null));
        case.execution.parent = Some(Box::new(parent(depth)));
        case.complete("a", json!(1));
        assert_eq!(case.children().len(), usize::from(class.is_none()));
        let error = case.execution.error.as_ref().map(|e| e.class.as_str());
        assert_eq!(error, class);
    }
    assert!(
        case.error().1.contains("child_depth_max is 16"),
        "{:?}",
        case.error()
    );
}

#[test]
fn a_child_counts_among_the_steps_in_progress() {
    let case = given(
        "mode: PARALLEL\nmax_parallel_steps: 1\nsteps: [ { id: x, workflow: { name: other } }, { id: y, workflow: { name: other } } ]",
        json!(null),
    );
    assert_eq!(case.children().len(), 1);
    assert_eq!(case.step("y"), StepState::Pending);
}

#[test]
fn a_child_tells_its_parent_when_it_has_begun_and_how_it_ended() {
    let parent = Parent {
        id: Uuid::from_u128(9),
        step: "sub".into(),
        depth: 1,
        detached: false,
    };
    let mut case = super::child_of(parent.clone(), "steps: [ { id: a, agent: a } ]");
    let run = ChildRun {
        id: case.execution.id,
        workflow: "case".into(),
        version: 1,
    };
    assert_eq!(case.told(), [ChildReport::Started(run.clone())]);
    case.complete("a", json!(5));
    let ended = ChildReport::Ended(Box::new(ChildEnding {
        run: run.clone(),
        state: ExecutionState::Completed,
        output: Some(value::from_json(&json!({"a": 5}))),
        error: None,
    }));
    assert_eq!(case.told(), [ChildReport::Started(run.clone()), ended]);

    let detached = Parent {
        detached: true,
        ..parent
    };
    let mut case = super::child_of(detached, "steps: [ { id: a, agent: a } ]");
    case.complete("a", json!(5));
    assert_eq!(case.told(), [ChildReport::Started(run)]);
}

impl Case {
    /// What the execution told its parent.
    fn told(&self) -> Vec<ChildReport> {
        let told = self.effects.iter().filter_map(|effect| match effect {
            Effect::TellParent(told) => {
                let ParentReport {
                    parent,
                    step,
                    child,
                    report,
                } = &**told;
                assert_eq!((parent, step.as_str()), (&Uuid::from_u128(9), "sub"));
                assert_eq!(*child, self.execution.id);
                Some(report.clone())
            }
            _ => None,
        });
        told.collect()
    }
}

const GENERATE: &str = "mode: SEQUENCE\nsteps: [ { id: g, generate: { agent: planner, retry: { max_attempts: 2, initial_delay: 1s } } } ]";

#[test]
fn a_generated_workflow_is_run_as_a_child_with_the_steps_input() {
    let mut case = given(GENERATE, json!({"goal": "x"}));
    assert_eq!(case.input("g/plan"), json!({"goal": "x"}));
    case.complete(
        "g/plan",
        json!("name: made\nsteps: [ { id: a, agent: x } ]"),
    );
    let child = case.child();
    assert_eq!(child.parent.step, "g/run");
    assert_eq!(value::to_json(&child.input), json!({"goal": "x"}));
    let ChildWorkflow::Own(made) = &child.runs else {
        panic!("{:?}", child.runs);
    };
    assert_eq!(made.name, "made");
    case.child_begins(&child)
        .child_ends(&child, completed(&child, json!("done")));
    assert_eq!(case.output(), json!("done"));
}

#[test]
fn a_generated_workflow_that_is_not_valid_fails_the_attempt_with_every_finding() {
    let mut case = given(GENERATE, json!(null));
    case.complete(
        "g/plan",
        json!({"name": "made", "steps": [{"id": "a"}, {"agent": "x"}]}),
    );
    assert_eq!(case.step("g/plan"), StepState::Retrying);
    let (class, message) = case.step_error("g/plan");
    assert_eq!(class, "invalid_output");
    assert!(
        message.contains("steps[0]: the step has no kind"),
        "{message}"
    );
    assert!(
        message.contains("steps[1].id: the step has no id"),
        "{message}"
    );
    case.after(5).complete("g/plan", json!(3));
    assert_eq!(
        (case.error().0, case.error().2),
        ("invalid_output", "g/plan")
    );
    assert_eq!(case.children().len(), 0);
}
