//! Scenario `growth`: what a workflow costs as more and more executions are stored.

use super::{
    Progress, Rig, Settings,
    cell::Report,
    load::{Until, closed},
    runs::{measured, runs, steps_source},
};
use crate::{cli::failure::Failure, core::value};

const AT_ONCE: usize = 64;

/// What a workflow of three steps costs as stored executions grow
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many executions are stored when a cell is measured; several cells with commas
    #[arg(
        long,
        value_name = "N",
        value_delimiter = ',',
        default_value = "10000,100000,1000000"
    )]
    executions: Vec<u64>,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            executions: vec![10_000, 100_000, 1_000_000],
        }
    }
}

impl Args {
    /// Measures each cell.
    pub async fn run(self, settings: &Settings, out: &mut Report) -> Result<(), Failure> {
        let rig = Rig::start(settings).await?;
        rig.register(&steps_source(3)).await?;
        let input = value::string("x".repeat(200));
        let call = runs(&rig, AT_ONCE, "bench-steps", &input).await?;
        let mut stored = 0;
        for executions in self.executions {
            let shown = Progress::show(format!("growth: up to {executions} executions"));
            let missing = executions.saturating_sub(stored);
            let filled = closed(AT_ONCE, Until::Calls(missing), call.clone()).await;
            drop(shown);
            stored += filled.latencies.len() as u64;
            let what = format!("growth: {AT_ONCE} at once over {stored} executions");
            let (mut cell, load) =
                measured(&rig, "growth", settings.span(), what, AT_ONCE, call.clone()).await;
            cell.executions = Some(stored);
            stored += load.latencies.len() as u64;
            out.add(&cell, load.first_error.or(filled.first_error).as_deref())?;
        }
        Ok(())
    }
}
