//! Scenarios of workflows run one after another: `steps`, `fan-out` and `start`.

use std::{sync::Arc, time::Duration};

use futures::{FutureExt as _, future::BoxFuture};
use tutti_client::Client;

use super::{
    Progress, Rig, Settings,
    cell::{Cell, Report, rounded},
    load::{Load, Until, closed},
};
use crate::{
    cli::failure::Failure,
    core::value::{self, Value},
    proto::{RunExecutionRequest, StartExecutionRequest, execution::State},
};

/// Steps one after another, each done by the worker
#[derive(Debug, clap::Args)]
pub struct Steps {
    /// How many steps a workflow has
    #[arg(long, value_name = "N", default_value_t = 3,
        value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub steps: u32,

    /// How many workflows run at once; several cells with commas
    #[arg(
        long,
        value_name = "N",
        value_delimiter = ',',
        default_value = "1,16,64,256"
    )]
    pub concurrency: Vec<usize>,

    /// The size of each workflow's input, in bytes; every step gives it on
    #[arg(long, value_name = "BYTES", default_value_t = 200)]
    pub payload: usize,
}

impl Default for Steps {
    fn default() -> Self {
        Self {
            steps: 3,
            concurrency: vec![1, 16, 64, 256],
            payload: 200,
        }
    }
}

/// Steps side by side, and one that joins what they gave
#[derive(Debug, clap::Args)]
pub struct FanOut {
    /// How many steps run side by side
    #[arg(long, value_name = "N", default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(1..=900))]
    width: u32,

    /// How many workflows run at once; several cells with commas
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "1,16")]
    concurrency: Vec<usize>,
}

impl Default for FanOut {
    fn default() -> Self {
        Self {
            width: 100,
            concurrency: vec![1, 16],
        }
    }
}

/// Durable starts, of workflows that need no worker
#[derive(Debug, clap::Args)]
pub struct Start {
    /// How many starts wait for their answer at once; several cells with commas
    #[arg(
        long,
        value_name = "N",
        value_delimiter = ',',
        default_value = "1,64,256"
    )]
    concurrency: Vec<usize>,
}

impl Default for Start {
    fn default() -> Self {
        Self {
            concurrency: vec![1, 64, 256],
        }
    }
}

impl Steps {
    /// Measures each cell.
    pub async fn run(self, settings: &Settings, out: &mut Report) -> Result<(), Failure> {
        let rig = Rig::start(settings).await?;
        rig.register(&steps_source(self.steps)).await?;
        let input = value::string("x".repeat(self.payload));
        for concurrency in self.concurrency {
            let what = format!("steps: {} steps, {concurrency} at once", self.steps);
            let run = runs(&rig, concurrency, "bench-steps", &input).await?;
            measure(&rig, "steps", settings.span(), what, concurrency, run, out).await?;
        }
        Ok(())
    }
}

impl FanOut {
    /// Measures each cell.
    pub async fn run(self, settings: &Settings, out: &mut Report) -> Result<(), Failure> {
        let rig = Rig::start(settings).await?;
        rig.register(&fan_out_source(self.width)).await?;
        let input = value::string("x");
        for concurrency in self.concurrency {
            let what = format!("fan-out: {} wide, {concurrency} at once", self.width);
            let run = runs(&rig, concurrency, "bench-fan-out", &input).await?;
            measure(
                &rig,
                "fan-out",
                settings.span(),
                what,
                concurrency,
                run,
                out,
            )
            .await?;
        }
        Ok(())
    }
}

impl Start {
    /// Measures each cell.
    pub async fn run(self, settings: &Settings, out: &mut Report) -> Result<(), Failure> {
        let rig = Rig::without_worker(settings, &[]).await?;
        let source = "name: bench-start\nsteps: [ { id: set, set: { seen: \"{{ input }}\" } } ]";
        rig.register(source).await?;
        for concurrency in self.concurrency {
            let what = format!("start: {concurrency} at once");
            let clients: Arc<[Client]> = rig.clients(concurrency).await?.into();
            let start = move |caller: usize| {
                let client = clients[caller % clients.len()].clone();
                async move {
                    let request = StartExecutionRequest {
                        workflow: "bench-start".into(),
                        input: Some(value::string("x")),
                        ..StartExecutionRequest::default()
                    };
                    let answer = client.executions().start_execution(request).await;
                    answer.map(drop).map_err(|status| status.to_string())
                }
            };
            measure(
                &rig,
                "start",
                settings.span(),
                what,
                concurrency,
                start,
                out,
            )
            .await?;
        }
        Ok(())
    }
}

/// Warms up, measures, and shows the cell.
pub async fn measure<F, Answer>(
    rig: &Rig,
    scenario: &'static str,
    span: Duration,
    what: String,
    concurrency: usize,
    call: F,
    out: &mut Report,
) -> Result<(), Failure>
where
    F: Fn(usize) -> Answer + Clone + Send + 'static,
    Answer: Future<Output = Result<(), String>> + Send + 'static,
{
    let (cell, load) = measured(rig, scenario, span, what, concurrency, call).await;
    out.add(&cell, load.first_error.as_deref())
}

/// Warms up and measures a cell.
pub async fn measured<F, Answer>(
    rig: &Rig,
    scenario: &'static str,
    span: Duration,
    what: String,
    concurrency: usize,
    call: F,
) -> (Cell, Load)
where
    F: Fn(usize) -> Answer + Clone + Send + 'static,
    Answer: Future<Output = Result<(), String>> + Send + 'static,
{
    let _shown = Progress::show(what);
    closed(concurrency, Until::Passed(span / 5), call.clone()).await;
    measured_after(rig, scenario, span, concurrency, call).await
}

/// Measures a cell that is warm already.
pub async fn measured_after<F, Answer>(
    rig: &Rig,
    scenario: &'static str,
    span: Duration,
    concurrency: usize,
    call: F,
) -> (Cell, Load)
where
    F: Fn(usize) -> Answer + Clone + Send + 'static,
    Answer: Future<Output = Result<(), String>> + Send + 'static,
{
    let before = rig.cpu();
    let load = closed(concurrency, Until::Passed(span), call).await;
    let mut cell = Cell::of(scenario, &load);
    cell.server_memory_bytes = rig.memory_bytes();
    cell.server_cpu_us = cpu_us_each(before, rig.cpu(), load.latencies.len());
    (cell, load)
}

/// The processor time between two readings for each of `count` workflows, in microseconds.
#[allow(clippy::cast_precision_loss)]
pub fn cpu_us_each(before: Option<Duration>, after: Option<Duration>, count: usize) -> Option<f64> {
    let used = after?.checked_sub(before?)?;
    (count > 0).then(|| rounded(used.as_secs_f64() * 1e6 / count as f64))
}

/// A call that runs a workflow to its end.
///
/// # Errors
/// `Failure::Unreachable`.
pub async fn runs(
    rig: &Rig,
    concurrency: usize,
    workflow: &'static str,
    input: &Value,
) -> Result<impl Fn(usize) -> BoxFuture<'static, Result<(), String>> + Clone + Send + use<>, Failure>
{
    let clients: Arc<[Client]> = rig.clients(concurrency).await?.into();
    let input = input.clone();
    Ok(move |caller: usize| {
        let (client, input) = (clients[caller % clients.len()].clone(), input.clone());
        run_one(client, workflow, input).boxed()
    })
}

async fn run_one(client: Client, workflow: &str, input: Value) -> Result<(), String> {
    let request = RunExecutionRequest {
        workflow: workflow.into(),
        input: Some(input),
        ..RunExecutionRequest::default()
    };
    let answer = client.executions().run_execution(request).await;
    let execution = answer
        .map_err(|status| status.to_string())?
        .into_inner()
        .execution;
    match execution {
        Some(execution) if execution.state() == State::Completed => Ok(()),
        Some(execution) => Err(format!("it ended {}", execution.state().as_str_name())),
        None => Err("an answer without an execution".into()),
    }
}

/// A workflow of so many steps in sequence.
pub fn steps_source(steps: u32) -> String {
    let steps = (1..=steps).map(|n| format!("  - {{ id: step-{n}, agent: bench-echo }}\n"));
    format!(
        "name: bench-steps\nmode: SEQUENCE\nsteps:\n{}",
        steps.collect::<String>()
    )
}

fn fan_out_source(width: u32) -> String {
    let branches =
        (1..=width).map(|n| format!("        - {{ id: branch-{n}, agent: bench-echo }}\n"));
    format!(
        "name: bench-fan-out\nmode: SEQUENCE\nsteps:\n  - id: spread\n    block:\n      mode: PARALLEL\n      \
         steps:\n{}  - {{ id: join, agent: bench-join }}\n",
        branches.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{definition, limits::Limits, plan};

    #[test]
    fn the_definitions_are_valid() {
        for source in [steps_source(3), fan_out_source(100)] {
            let workflow = definition::parse(&source).workflow.expect("it parses");
            plan::compile(&workflow, &Limits::default()).expect("it compiles");
        }
    }

    #[test]
    fn processor_time_is_told_for_each_workflow() {
        let ms = |n| Some(Duration::from_millis(n));
        assert_eq!(cpu_us_each(ms(10), ms(30), 100), Some(200.0));
        assert_eq!(cpu_us_each(None, ms(30), 100), None);
        assert_eq!(cpu_us_each(ms(10), ms(30), 0), None);
    }
}
