//! Scenario `payload`: two steps that hand on payloads of several sizes.

use super::{
    Rig, Settings,
    cell::Report,
    runs::{measured, runs, steps_source},
};
use crate::{cli::failure::Failure, core::value};

/// Two steps that hand on payloads of several sizes
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The sizes, in bytes; several cells with commas
    #[arg(
        long,
        value_name = "BYTES",
        value_delimiter = ',',
        default_value = "1024,32768,262144,1048576,16000000"
    )]
    sizes: Vec<usize>,

    /// How many workflows run at once
    #[arg(long, value_name = "N", default_value_t = 4)]
    concurrency: usize,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            sizes: vec![1024, 32_768, 262_144, 1_048_576, 16_000_000],
            concurrency: 4,
        }
    }
}

impl Args {
    /// Measures each cell.
    pub async fn run(self, settings: &Settings, out: &mut Report) -> Result<(), Failure> {
        let rig = Rig::start(settings).await?;
        rig.register(&steps_source(2)).await?;
        for size in self.sizes {
            let input = value::string("x".repeat(size));
            let call = runs(&rig, self.concurrency, "bench-steps", &input).await?;
            let what = format!("payload: {size} bytes, {} at once", self.concurrency);
            let (mut cell, load) = measured(
                &rig,
                "payload",
                settings.span(),
                what,
                self.concurrency,
                call,
            )
            .await;
            cell.payload_bytes = Some(size as u64);
            cell.server_memory_peak_bytes = rig.memory_peak_bytes();
            out.add(&cell, load.first_error.as_deref())?;
        }
        Ok(())
    }
}
