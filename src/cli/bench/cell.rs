//! What was measured in one cell, and how cells are shown: a row of a table, or an object a
//! line.

use serde::Serialize;

use super::load::Load;
use crate::cli::{
    failure::Failure,
    global::Global,
    output,
    output::{Paint, Tone},
};

/// One cell: the fields every scenario has, and those that only some have.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Cell {
    /// The scenario.
    pub scenario: &'static str,
    /// How many calls were open at once.
    pub concurrency: usize,
    /// Workflows completed (`start`: started) in a second.
    pub workflows_per_second: f64,
    /// The median latency, in milliseconds.
    pub p50_ms: f64,
    /// The 99th percentile of latencies, in milliseconds.
    pub p99_ms: f64,
    /// Calls that failed.
    pub errors: u64,
    /// The server's resident memory at the end; unknown for another's server.
    pub server_memory_bytes: Option<u64>,
    /// The processor time of the server for one workflow, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_cpu_us: Option<f64>,
    /// The size of the payload.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_bytes: Option<u64>,
    /// The most that the server's resident memory has been up to then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_memory_peak_bytes: Option<u64>,
    /// Items of a map completed in a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items_per_second: Option<f64>,
    /// The processor time of the server for one item of a map, in microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_cpu_us_per_item: Option<f64>,
    /// Events that watchers received in a second, all watchers together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_per_second: Option<f64>,
    /// Events that a watcher missed or got twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub events_lost: Option<u64>,
    /// How many executions there were: open ones, or stored ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executions: Option<u64>,
    /// What an open execution costs the server's memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes_per_execution: Option<f64>,
    /// From the start of the process after kill -9 to its first answers, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_ms: Option<f64>,
    /// What an ended execution takes on disk, once the server has stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_bytes_per_execution: Option<f64>,
}

impl Cell {
    /// The cell that a load gives.
    pub fn of(scenario: &'static str, load: &Load) -> Self {
        Self {
            scenario,
            concurrency: load.concurrency,
            workflows_per_second: rounded(load.per_second()),
            p50_ms: rounded(load.percentile_ms(0.50)),
            p99_ms: rounded(load.percentile_ms(0.99)),
            errors: load.errors,
            ..Self::default()
        }
    }

    /// What only some scenarios measure, in words.
    fn notes(&self) -> String {
        let mut notes = Vec::new();
        let mut note = |value: Option<String>| notes.extend(value);
        note(self.payload_bytes.map(|b| format!("payload {}", bytes(b))));
        note(self.items_per_second.map(|n| format!("{n:.0} items/s")));
        note(
            self.server_cpu_us_per_item
                .map(|us| format!("{us:.1} us of CPU an item")),
        );
        note(
            self.server_memory_peak_bytes
                .map(|b| format!("at most {} of memory", bytes(b))),
        );
        note(self.events_per_second.map(|n| format!("{n:.0} events/s")));
        note(self.events_lost.map(|n| format!("{n} lost")));
        note(self.executions.map(|n| format!("{n} executions")));
        note(
            self.memory_bytes_per_execution
                .map(|b| format!("{b:.0} B of memory each")),
        );
        note(
            self.restart_ms
                .map(|ms| format!("answers {ms:.0} ms after kill -9")),
        );
        note(
            self.disk_bytes_per_execution
                .map(|b| format!("{b:.0} B on disk each")),
        );
        notes.join(", ")
    }
}

/// Three places are more than a benchmark knows.
pub fn rounded(number: f64) -> f64 {
    (number * 1e3).round() / 1e3
}

/// A size for people.
#[allow(clippy::cast_precision_loss)]
pub fn bytes(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{:.0} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.0} MiB", bytes as f64 / 1_048_576.0),
    }
}

const HEADERS: [&str; 9] = [
    "SCENARIO",
    "AT ONCE",
    "WORKFLOWS/S",
    "P50 MS",
    "P99 MS",
    "ERRORS",
    "MEMORY",
    "CPU US",
    "",
];
const WIDTHS: [usize; 8] = [9, 7, 11, 9, 9, 6, 8, 7];

/// Shows each cell as it is measured.
#[derive(Debug)]
pub struct Report {
    json: bool,
    paint: Paint,
    begun: bool,
    errors: u64,
    first_error: Option<String>,
}

impl Report {
    /// An empty report, in the format that the options ask for.
    pub fn new(global: &Global) -> Self {
        Self {
            json: global.json(),
            paint: global.stdout(),
            begun: false,
            errors: 0,
            first_error: None,
        }
    }

    /// Shows a cell; `error` is the first of its failed calls.
    ///
    /// # Errors
    /// `Failure::Closed` when nobody reads any more.
    pub fn add(&mut self, cell: &Cell, error: Option<&str>) -> Result<(), Failure> {
        self.errors += cell.errors;
        if self.first_error.is_none() {
            self.first_error = error.map(str::to_owned);
        }
        if self.json {
            let line = serde_json::to_string(cell)
                .map_err(|e| Failure::Internal(format!("a cell: {e}")))?;
            return output::print(&line);
        }
        if !std::mem::replace(&mut self.begun, true) {
            let headers = row(HEADERS.map(str::to_owned));
            output::print(&self.paint.tone(Tone::Dim, &headers))?;
        }
        output::print(&row(columns(cell)))
    }

    /// Says whether all calls succeeded.
    ///
    /// # Errors
    /// `Failure::Ended` with the first error when one did not.
    pub fn finish(self) -> Result<(), Failure> {
        match self.errors {
            0 => Ok(()),
            errors => {
                let first = self.first_error.unwrap_or_default();
                Err(Failure::Ended(format!(
                    "{errors} calls failed; the first: {first}"
                )))
            }
        }
    }
}

fn columns(cell: &Cell) -> [String; 9] {
    [
        cell.scenario.to_owned(),
        cell.concurrency.to_string(),
        format!("{:.0}", cell.workflows_per_second),
        format!("{:.2}", cell.p50_ms),
        format!("{:.2}", cell.p99_ms),
        cell.errors.to_string(),
        cell.server_memory_bytes.map_or_else(|| "-".into(), bytes),
        cell.server_cpu_us
            .map_or_else(|| "-".into(), |us| format!("{us:.0}")),
        cell.notes(),
    ]
}

/// A line of the table: the scenario to the left, numbers to the right, notes behind.
fn row(columns: [String; 9]) -> String {
    let padded = columns
        .iter()
        .zip(WIDTHS)
        .enumerate()
        .map(|(n, (text, width))| match n {
            0 => format!("{text:<width$}"),
            _ => format!("{text:>width$}"),
        });
    let mut line: Vec<String> = padded.collect();
    line.extend(columns.last().cloned());
    line.join("  ").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn load() -> Load {
        Load {
            concurrency: 2,
            latencies: (1..=100).map(Duration::from_millis).collect(),
            errors: 3,
            first_error: Some("refused".into()),
            took: Duration::from_secs(2),
        }
    }

    #[test]
    fn a_cell_tells_rate_and_percentiles() {
        let cell = Cell::of("steps", &load());
        assert_eq!((cell.workflows_per_second, cell.errors), (50.0, 3));
        assert_eq!((cell.p50_ms, cell.p99_ms), (51.0, 100.0));
    }

    #[test]
    fn an_object_holds_what_every_scenario_has_and_nothing_unmeasured() {
        let object = serde_json::to_value(Cell::of("steps", &load())).expect("it is JSON");
        for field in [
            "scenario",
            "concurrency",
            "workflows_per_second",
            "p50_ms",
            "p99_ms",
            "errors",
            "server_memory_bytes",
        ] {
            assert!(object.get(field).is_some(), "{field}");
        }
        assert!(object.get("restart_ms").is_none());
    }

    #[test]
    fn rows_stand_under_their_headers() {
        let (head, line) = (
            row(HEADERS.map(str::to_owned)),
            row(columns(&Cell::of("steps", &load()))),
        );
        assert_eq!(
            head.find("P50 MS").map(|at| at + 6),
            line.find("51.00").map(|at| at + 5)
        );
    }
}
