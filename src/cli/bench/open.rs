//! Scenario `open`: executions that wait for an agent nobody serves, what they cost in memory,
//! and how soon the server answers again after kill -9.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tutti_client::Client;

use super::{
    Progress, Rig, Settings,
    cell::{Cell, Report, rounded},
    load::{Load, Until, closed},
};
use crate::{
    cli::failure::Failure,
    core::value,
    proto::{GetExecutionRequest, StartExecutionRequest, execution::State},
};

const SOURCE: &str = "name: bench-open\nsteps: [ { id: wait, agent: bench-nobody } ]";
const STARTS_AT_ONCE: usize = 256;
/// How many executions there are at most before memory is measured first: what every server in
/// use keeps in memory up to bounds (caches, executions on their way out of memory, what the
/// allocator holds back for more of them) is there by then and not counted to the others. They
/// stay open: what ended would leave room behind that the others fill unseen.
const BASE_MAX: u64 = 110_000;
/// How many more may be open, so that one can be started behind them.
const SPARE: u64 = 1_000;
const ANSWER_POLL: Duration = Duration::from_millis(1);
/// How long the server may take to answer again.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(120);

/// Open executions: memory, kill -9, restart
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How many executions are open
    #[arg(long, value_name = "N", default_value_t = 210_000,
        value_parser = clap::value_parser!(u64).range(1001..=10_000_000))]
    executions: u64,

    /// How many bytes each is given
    #[arg(long, value_name = "BYTES", default_value_t = 200)]
    payload: usize,

    /// How many seconds the server is left alone before its memory is read: what only waits
    /// leaves memory meanwhile, what was committed is taken over into the state, and what is
    /// free goes back to the system
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    settle: u64,
}

impl Args {
    /// The default, or a tenth of it.
    pub fn sized(quick: bool) -> Self {
        Self {
            executions: if quick { 21_000 } else { 210_000 },
            payload: 200,
            settle: 20,
        }
    }

    /// Measures.
    pub async fn run(self, settings: &Settings, out: &mut Report) -> Result<(), Failure> {
        let limits = [format!("open_executions_max={}", self.executions + SPARE)];
        let mut rig = Rig::without_worker(settings, &limits).await?;
        rig.register(SOURCE).await?;
        let started = Arc::new(Mutex::new(String::new()));
        let before = (self.executions / 2).min(BASE_MAX);
        let counted = self.executions - before;
        let shown = Progress::show(format!("open: starting {before} executions"));
        self.start(&rig, before, &started).await?;
        let base = self.settled(&rig).await;
        drop(shown);
        let shown = Progress::show(format!("open: starting {counted} more"));
        let load = self.start(&rig, counted, &started).await?;
        let full = self.settled(&rig).await;
        drop(shown);
        let last = started.lock().map(|id| id.clone()).unwrap_or_default();
        let shown = Progress::show("open: kill -9, and start again");
        let begun = Instant::now();
        rig.kill_and_restart()?;
        answers(&rig, &last).await?;
        let restart = begun.elapsed();
        drop(shown);
        #[allow(clippy::cast_precision_loss)]
        let each = |bytes: u64| rounded(bytes as f64 / counted as f64);
        let grown = full.zip(base).map(|(full, base)| full.saturating_sub(base));
        let cell = Cell {
            executions: Some(self.executions),
            server_memory_bytes: full,
            memory_bytes_per_execution: grown.map(each),
            restart_ms: Some(rounded(restart.as_secs_f64() * 1e3)),
            ..Cell::of("open", &load)
        };
        out.add(&cell, load.first_error.as_deref())
    }

    /// The server's memory once it has come to rest.
    async fn settled(&self, rig: &Rig) -> Option<u64> {
        tokio::time::sleep(Duration::from_secs(self.settle)).await;
        rig.memory_bytes()
    }

    async fn start(
        &self,
        rig: &Rig,
        count: u64,
        last: &Arc<Mutex<String>>,
    ) -> Result<Load, Failure> {
        let clients: Arc<[Client]> = rig.clients(STARTS_AT_ONCE).await?.into();
        let (last, payload) = (Arc::clone(last), self.payload);
        let call = move |caller: usize| {
            let client = clients[caller % clients.len()].clone();
            let last = Arc::clone(&last);
            async move {
                let request = StartExecutionRequest {
                    workflow: "bench-open".into(),
                    input: Some(value::string("x".repeat(payload))),
                    ..StartExecutionRequest::default()
                };
                let answer = client.executions().start_execution(request).await;
                let id = answer.map_err(|s| s.to_string())?.into_inner().execution_id;
                if let Ok(mut last) = last.lock() {
                    *last = id;
                }
                Ok(())
            }
        };
        Ok(closed(STARTS_AT_ONCE, Until::Calls(count), call).await)
    }
}

/// Waits for the first answers that need all parts: an open execution as it stands, and a start.
async fn answers(rig: &Rig, id: &str) -> Result<(), Failure> {
    let give_up = Instant::now() + ANSWER_TIMEOUT;
    loop {
        let answered = answer(rig, id).await;
        match answered {
            Ok(()) => return Ok(()),
            Err(failure) if Instant::now() > give_up => return Err(failure),
            Err(_) => tokio::time::sleep(ANSWER_POLL).await,
        }
    }
}

async fn answer(rig: &Rig, id: &str) -> Result<(), Failure> {
    let client = rig.clients(1).await?.remove(0);
    let request = GetExecutionRequest {
        execution_id: id.to_owned(),
        ..GetExecutionRequest::default()
    };
    let answer = client
        .executions()
        .get_execution(request)
        .await?
        .into_inner();
    let state = answer.execution.map(|execution| execution.state());
    if !matches!(
        state,
        Some(State::Running | State::Waiting | State::Pending)
    ) {
        return Err(Failure::Ended(format!(
            "execution {id} is {state:?} after the restart"
        )));
    }
    let request = StartExecutionRequest {
        workflow: "bench-open".into(),
        ..StartExecutionRequest::default()
    };
    client.executions().start_execution(request).await?;
    Ok(())
}
