//! Scenario `disk`: what an ended execution takes on disk, once the server has stopped.

use super::{
    Progress, Rig, Settings,
    cell::{Cell, Report, rounded},
    load::{Until, closed},
    process,
    runs::{runs, steps_source},
};
use crate::{cli::failure::Failure, core::value};

const AT_ONCE: usize = 256;

/// What ended executions of three steps take on disk
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many executions are run
    #[arg(long, value_name = "N", default_value_t = 100_000,
        value_parser = clap::value_parser!(u64).range(1..))]
    executions: u64,

    /// The size of each workflow's input, in bytes; every step gives it on
    #[arg(long, value_name = "BYTES", default_value_t = 256)]
    payload: usize,
}

impl Args {
    /// The default, or a tenth of it.
    pub fn sized(quick: bool) -> Self {
        Self {
            executions: if quick { 10_000 } else { 100_000 },
            payload: 256,
        }
    }

    /// Measures.
    pub async fn run(self, settings: &Settings, out: &mut Report) -> Result<(), Failure> {
        let mut rig = Rig::start(settings).await?;
        rig.register(&steps_source(3)).await?;
        let input = value::string("x".repeat(self.payload));
        let call = runs(&rig, AT_ONCE, "bench-steps", &input).await?;
        let shown = Progress::show(format!("disk: running {} executions", self.executions));
        let load = closed(AT_ONCE, Until::Calls(self.executions), call).await;
        let memory = rig.memory_bytes();
        drop(shown);
        let data = rig.stop().await?;
        let bytes = process::disk_bytes(data).map_err(|source| Failure::Io {
            context: format!("read {}", data.display()),
            source,
        })?;
        #[allow(clippy::cast_precision_loss)]
        let cell = Cell {
            executions: Some(self.executions),
            server_memory_bytes: memory,
            payload_bytes: Some(self.payload as u64),
            disk_bytes_per_execution: Some(rounded(bytes as f64 / self.executions as f64)),
            ..Cell::of("disk", &load)
        };
        out.add(&cell, load.first_error.as_deref())
    }
}
