//! Scenario `map`: an `each` over many items, a task for each.

use super::{
    Progress, Rig, Settings,
    cell::{Report, rounded},
    load::{Until, closed},
    runs::{measured_after, runs},
};
use crate::{
    cli::failure::Failure,
    core::value::{self, Value},
};

/// How many items the warm-up has.
const WARM_UP_ITEMS: u32 = 1_000;

/// A map over many items, each done by the worker
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many items a workflow has; several cells with commas
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "100000",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    items: Vec<u32>,

    /// How many items are in progress at once
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    parallel: u32,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            items: vec![100_000],
            parallel: 1_000,
        }
    }
}

impl Args {
    /// Measures each cell: one workflow after another.
    pub async fn run(self, settings: &Settings, out: &mut Report) -> Result<(), Failure> {
        let rig = Rig::start(settings).await?;
        rig.register(&source(self.parallel)).await?;
        for items in self.items {
            let warm_up = runs(&rig, 1, NAME, &input(items.min(WARM_UP_ITEMS))).await?;
            let warmed = closed(1, Until::Calls(1), warm_up).await;
            let what = format!("map: {items} items, {} at once", self.parallel);
            let shown = Progress::show(what);
            let call = runs(&rig, 1, NAME, &input(items)).await?;
            let (mut cell, load) = measured_after(&rig, "map", settings.span(), 1, call).await;
            drop(shown);
            let items = f64::from(items);
            cell.items_per_second = Some(rounded(cell.workflows_per_second * items));
            cell.server_cpu_us_per_item = cell.server_cpu_us.map(|us| rounded(us / items));
            cell.server_memory_peak_bytes = rig.memory_peak_bytes();
            out.add(&cell, load.first_error.or(warmed.first_error).as_deref())?;
        }
        Ok(())
    }
}

const NAME: &str = "bench-map";

fn source(parallel: u32) -> String {
    format!(
        "name: {NAME}\nsteps:\n  - id: map\n    each: {{ items: input, max_parallel: {parallel}, \
         steps: [ {{ id: one, agent: bench-echo }} ] }}\n"
    )
}

/// The numbers from 0.
fn input(items: u32) -> Value {
    value::list((0..items).map(|n| value::number(n.into())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{definition, limits::Limits, plan};

    #[test]
    fn the_definition_is_valid() {
        let parsed = definition::parse(&source(Args::default().parallel));
        let workflow = parsed.workflow.expect("it parses");
        plan::compile(&workflow, &Limits::default()).expect("it compiles");
    }
}
