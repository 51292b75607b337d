//! Scenario `watch`: executions run while watchers follow each of them; every watcher checks
//! that it gets each event once and in order.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures::future::try_join_all;
use tutti_client::Client;

use super::{
    Rig, Settings,
    cell::{Report, rounded},
    runs::{measured, steps_source},
};
use crate::{
    cli::failure::Failure,
    core::value,
    proto::{StartExecutionRequest, WatchExecutionRequest},
};

/// Watchers that follow executions while they run
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many watchers follow each execution
    #[arg(long, value_name = "N", default_value_t = 16)]
    watchers: usize,

    /// How many steps an execution has
    #[arg(long, value_name = "N", default_value_t = 50,
        value_parser = clap::value_parser!(u32).range(1..=1000))]
    steps: u32,

    /// How many executions run at once; several cells with commas
    #[arg(long, value_name = "N", value_delimiter = ',', default_value = "32")]
    concurrency: Vec<usize>,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            watchers: 16,
            steps: 50,
            concurrency: vec![32],
        }
    }
}

/// What all watchers got.
#[derive(Debug, Default)]
struct Seen {
    events: AtomicU64,
    lost: AtomicU64,
}

impl Args {
    /// Measures each cell.
    pub async fn run(self, settings: &Settings, out: &mut Report) -> Result<(), Failure> {
        let rig = Rig::start(settings).await?;
        rig.register(&steps_source(self.steps)).await?;
        for concurrency in self.concurrency {
            let clients: Arc<[Client]> = rig.clients(usize::MAX).await?.into();
            let seen = Arc::new(Seen::default());
            let (watchers, counted) = (self.watchers, Arc::clone(&seen));
            let call = move |caller: usize| {
                let (clients, seen) = (Arc::clone(&clients), Arc::clone(&counted));
                async move { watched(&clients, caller, watchers, &seen).await }
            };
            let what = format!("watch: {watchers} watchers of each of {concurrency} executions");
            let begun = std::time::Instant::now();
            let (mut cell, load) =
                measured(&rig, "watch", settings.span(), what, concurrency, call).await;
            // Warm-up and measurement alike: all events over all the time.
            #[allow(clippy::cast_precision_loss)]
            let events = seen.events.load(Ordering::Relaxed) as f64;
            cell.events_per_second = Some(rounded(events / begun.elapsed().as_secs_f64()));
            cell.events_lost = Some(seen.lost.load(Ordering::Relaxed));
            out.add(&cell, load.first_error.as_deref())?;
        }
        Ok(())
    }
}

/// Starts an execution and follows it to its end with all watchers.
async fn watched(
    clients: &[Client],
    caller: usize,
    watchers: usize,
    seen: &Seen,
) -> Result<(), String> {
    let request = StartExecutionRequest {
        workflow: "bench-steps".into(),
        input: Some(value::string("x".repeat(32))),
        ..StartExecutionRequest::default()
    };
    let client = &clients[caller % clients.len()];
    let started = client.executions().start_execution(request).await;
    let id = started
        .map_err(|s| s.to_string())?
        .into_inner()
        .execution_id;
    let all = (0..watchers).map(|n| {
        let client = clients[(caller + n) % clients.len()].clone();
        follow(client, id.clone(), seen)
    });
    try_join_all(all).await.map(drop)
}

async fn follow(client: Client, execution_id: String, seen: &Seen) -> Result<(), String> {
    let request = WatchExecutionRequest {
        execution_id,
        ..WatchExecutionRequest::default()
    };
    let stream = client.executions().watch_execution(request).await;
    let mut stream = stream.map_err(|s| s.to_string())?.into_inner();
    let mut last = 0;
    while let Some(next) = stream.message().await.map_err(|s| s.to_string())? {
        let Some(event) = next.event else { continue };
        if event.sequence != last + 1 {
            seen.lost.fetch_add(1, Ordering::Relaxed);
        }
        last = event.sequence;
        seen.events.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
