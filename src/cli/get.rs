//! `tutti get`: an execution as it stands, step by step.

use super::{
    failure::Failure,
    global::Global,
    json,
    list::workflow,
    output,
    output::{Paint, Tone},
    progress::{Counter, grouped, said, state_tone},
    session,
    table::{Cell, Table},
    time,
};
use crate::{
    core::time::Time,
    proto::{Execution, StepExecution, step_execution::State},
};

/// Shows an execution with its steps
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tutti get 0193f4c2-…
  tutti get 0193f4c2-… --output json | jq '.steps[] | {path, state, output}'")]
pub struct Args {
    /// The execution
    id: String,
}

/// Prints the execution.
///
/// # Errors
/// `Failure::Refused`, `Failure::Unreachable`.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let execution = session::open(global).await?.get(&args.id).await?;
    if global.json() {
        return output::print(&json::pretty(&execution, "tutti.v1.Execution")?);
    }
    output::print(&shown(&execution, time::now(), global.stdout())?)
}

fn shown(execution: &Execution, now: Time, paint: Paint) -> Result<String, Failure> {
    let mut lines: Vec<String> = facts(execution, now, paint);
    lines.push(String::new());
    lines.push(table(&execution.steps, now).render(paint, "no steps"));
    if execution.steps_left_out > 0 {
        let count = grouped(execution.steps_left_out.into());
        let words = format!("and {count} more: `tutti steps {}`", execution.execution_id);
        lines.push(paint.tone(Tone::Dim, &words));
    }
    if let Some(output) = &execution.output {
        lines.push(format!("\n{}", paint.tone(Tone::Dim, "output")));
        lines.push(json::pretty_value(output)?);
    }
    Ok(lines.join("\n"))
}

/// What is known of the whole: a line for each fact there is.
fn facts(execution: &Execution, now: Time, paint: Paint) -> Vec<String> {
    let state = execution.state();
    let progress = format!("{:.0} %", execution.progress_percent);
    let labels = {
        let mut labels: Vec<String> = execution
            .labels
            .iter()
            .map(|(k, v)| format!("{k}={v}"))
            .collect();
        labels.sort();
        labels.join(", ")
    };
    let attempt = match execution.attempt {
        0 | 1 => String::new(),
        attempt => attempt.to_string(),
    };
    let estimate = execution
        .estimated_completion_time
        .filter(|_| execution.end_time.is_none());
    let remaining = estimate.map(|t| format!("in {}", time::span(Time::from(t).since(now))));
    let facts = [
        (
            "execution",
            paint.tone(Tone::Strong, &execution.execution_id),
        ),
        ("workflow", workflow(execution)),
        ("state", paint.tone(state_tone(state), state.as_str_name())),
        ("parent", parent(execution)),
        (
            "error",
            paint.tone(Tone::Bad, &said(execution.error.as_ref())),
        ),
        ("progress", progress),
        ("attempt", attempt),
        (
            "started",
            time::stamp_ago(execution.create_time.as_ref(), now),
        ),
        ("took", time::message_span(execution.elapsed.as_ref())),
        (
            "average step",
            time::message_span(execution.average_step_time.as_ref()),
        ),
        ("expected end", remaining.unwrap_or_default()),
        ("labels", labels),
        ("left out", execution.omitted_fields.join(", ")),
    ];
    let shown = facts.into_iter().filter(|(_, fact)| !fact.is_empty());
    shown
        .map(|(name, fact)| format!("{}  {fact}", paint.tone(Tone::Dim, &format!("{name:<12}"))))
        .collect()
}

/// Whose child it is: the execution and its step.
fn parent(execution: &Execution) -> String {
    let parent = execution.parent.as_ref();
    parent.map_or(String::new(), |p| match p.detached {
        true => format!("{} step {} (detached)", p.execution_id, p.step),
        false => format!("{} step {}", p.execution_id, p.step),
    })
}

/// Steps as a table.
pub fn table(steps: &[StepExecution], now: Time) -> Table {
    let mut table = Table::new(["STEP", "KIND", "STATE", "ATTEMPT", "AGENT", "TOOK", "NOTE"]);
    for step in steps {
        table.row([
            Cell::new(&step.path, Tone::Plain),
            Cell::new(&step.kind, Tone::Dim),
            Cell::new(step.state().as_str_name(), step_tone(step.state())),
            attempt(step).into(),
            Cell::new(doer(step), Tone::Dim),
            took(step, now).into(),
            note(step),
        ]);
    }
    table
}

fn step_tone(state: State) -> Tone {
    match state {
        State::Completed => Tone::Good,
        State::Failed => Tone::Bad,
        State::Running => Tone::Busy,
        State::Waiting | State::Retrying | State::Cancelled | State::Compensated => Tone::Warn,
        State::Unspecified | State::Pending | State::Skipped => Tone::Dim,
    }
}

fn attempt(step: &StepExecution) -> String {
    match (step.attempt, step.max_attempts) {
        (0, _) => String::new(),
        (attempt, 0 | 1) => attempt.to_string(),
        (attempt, most) => format!("{attempt} of {most}"),
    }
}

fn doer(step: &StepExecution) -> String {
    match (step.agent.as_str(), step.skill.as_str()) {
        ("", skill) if !skill.is_empty() => format!("skill {skill}"),
        (agent, _) => agent.to_owned(),
    }
}

fn took(step: &StepExecution, now: Time) -> String {
    let Some(start) = step.start_time.map(Time::from) else {
        return String::new();
    };
    let end = step.end_time.map_or(now, Time::from);
    time::span(end.since(start))
}

fn note(step: &StepExecution) -> Cell {
    if let Some(items) = step.items.filter(|_| step.error.is_none()) {
        return Cell::new(Counter::from(items).words(), Tone::Plain);
    }
    if step.error.is_some() {
        return Cell::new(said(step.error.as_ref()), Tone::Bad);
    }
    match step.waiting_for.as_str() {
        "" if !step.child_execution_id.is_empty() => {
            Cell::new(format!("child {}", step.child_execution_id), Tone::Dim)
        }
        "" => Cell::new("", Tone::Plain),
        reason => Cell::new(format!("waits: {reason}"), Tone::Warn),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        core::value::{number, object},
        proto::{Error, execution},
    };

    fn at(millis: i64) -> Option<prost_types::Timestamp> {
        Some(Time::from_nanos(millis * 1_000_000).into())
    }

    #[test]
    fn an_execution_shows_its_facts_steps_and_output() {
        let steps = vec![
            StepExecution {
                path: "pay".into(),
                kind: "agent".into(),
                agent: "payment".into(),
                state: State::Retrying.into(),
                attempt: 1,
                max_attempts: 5,
                start_time: at(0),
                error: Some(Error {
                    class: "unavailable".into(),
                    message: "gateway".into(),
                    step: "pay".into(),
                }),
                ..Default::default()
            },
            StepExecution {
                path: "ship".into(),
                kind: "call".into(),
                skill: "shipping".into(),
                state: State::Pending.into(),
                waiting_for: "step pay".into(),
                ..Default::default()
            },
        ];
        let execution = Execution {
            execution_id: "0193".into(),
            workflow: "order".into(),
            state: execution::State::Running.into(),
            progress_percent: 12.0,
            create_time: at(0),
            elapsed: "2s".parse().ok(),
            output: Some(object([("total", number(42.0))])),
            steps,
            ..Default::default()
        };
        let text = shown(
            &execution,
            Time::from_nanos(2_000_000_000),
            Paint::new(false),
        );
        assert_eq!(
            text.expect("it is JSON"),
            "execution     0193\n\
             workflow      order\n\
             state         RUNNING\n\
             progress      12 %\n\
             started       2 s ago\n\
             took          2.0 s\n\
             \n\
             STEP  KIND   STATE     ATTEMPT  AGENT           TOOK   NOTE\n\
             pay   agent  RETRYING  1 of 5   payment         2.0 s  unavailable: gateway\n\
             ship  call   PENDING            skill shipping         waits: step pay\n\
             \noutput\n{\n  \"total\": 42\n}"
        );
    }
}
