//! Writes `docs/benchmarks.md` and its plot from what `make bench` measured: the lines of
//! `cargo bench --bench limit` and those of `tutti bench all`, both as JSON.
//!
//! `cargo bench --bench report -- LIMIT_FILE BENCH_FILE`

#![allow(missing_docs, clippy::unwrap_used)]

use std::{fmt::Write as _, fs, path::Path, process::Command};

use plotters::prelude::*;
use serde_json::Value;

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs");
const SIZE: (u32, u32) = (760, 380);

fn main() {
    let files: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with("--"))
        .collect();
    let [limit, bench] = files.as_slice() else {
        return eprintln!(
            "usage: cargo bench --bench report -- LIMIT_FILE BENCH_FILE (see `make bench`)"
        );
    };
    let (limit, bench) = (lines(limit), lines(bench));
    plot(&limit, &Path::new(DOCS).join("benchmarks.svg"));
    fs::write(Path::new(DOCS).join("benchmarks.md"), page(&limit, &bench)).unwrap();
    println!("wrote {DOCS}/benchmarks.md and benchmarks.svg");
}

fn lines(file: &str) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_else(|e| panic!("{file}: {e}"));
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn page(limit: &[Value], bench: &[Value]) -> String {
    let mut page = String::from(
        "# Benchmarks\n\nWritten by `make bench`; [benchmarking.md](benchmarking.md) tells what each scenario does and how to \
         run one.\nServer, worker and load are three processes on the machine below, over the default durable store.\n\n",
    );
    writeln!(page, "{}", machine()).unwrap();
    page += "\n## Beside the limit\n\nWorkflows of three steps with 200-byte payloads, beside a server with the same gRPC calls and a \
             synced journal but no\nengine at all, measured in turn in one run; medians.\n\n![Workflows per second](benchmarks.svg)\n\n\
             | at once | Tutti, workflows/s | limit | ratio | Tutti p50 / p99 ms | limit p50 / p99 ms |\n|---|---|---|---|---|---|\n";
    for row in limit {
        let of = |who: &str, what: &str| row[who][what].as_f64().unwrap();
        let (rate, top) = (
            of("tutti", "workflows_per_second"),
            of("limit", "workflows_per_second"),
        );
        writeln!(
            page,
            "| {} | {rate:.0} | {top:.0} | {:.2} | {:.2} / {:.2} | {:.2} / {:.2} |",
            row["concurrency"],
            rate / top,
            of("tutti", "p50_ms"),
            of("tutti", "p99_ms"),
            of("limit", "p50_ms"),
            of("limit", "p99_ms")
        )
        .unwrap();
    }
    page += "\n## All scenarios\n\n| scenario | at once | workflows/s | p50 ms | p99 ms | server memory | server CPU µs | |\n\
             |---|---|---|---|---|---|---|---|\n";
    for cell in bench {
        writeln!(page, "{}", row(cell)).unwrap();
    }
    page
}

fn row(cell: &Value) -> String {
    let number = |name: &str, places: usize| {
        cell[name]
            .as_f64()
            .map_or_else(|| "–".into(), |n| format!("{n:.places$}"))
    };
    let mib = cell["server_memory_bytes"]
        .as_f64()
        .map(|b| format!("{:.0} MiB", b / 1_048_576.0));
    let mut notes = Vec::new();
    for (field, words) in [
        ("payload_bytes", "byte payloads"),
        ("executions", "executions"),
        ("items_per_second", "items/s"),
        ("server_cpu_us_per_item", "µs of CPU an item"),
        ("server_memory_peak_bytes", "bytes of memory at most"),
        ("events_per_second", "events/s to watchers"),
        ("events_lost", "lost"),
        ("memory_bytes_per_execution", "bytes of memory each"),
        ("restart_ms", "ms from kill -9 to the first answers"),
        ("disk_bytes_per_execution", "bytes on disk each"),
    ] {
        if let Some(value) = cell[field].as_f64() {
            notes.push(format!("{value:.0} {words}"));
        }
    }
    format!(
        "| {} | {} | {} | {} | {} | {} | {} | {} |",
        cell["scenario"].as_str().unwrap(),
        cell["concurrency"],
        number("workflows_per_second", 0),
        number("p50_ms", 2),
        number("p99_ms", 2),
        mib.unwrap_or_else(|| "–".into()),
        number("server_cpu_us", 0),
        notes.join(", ")
    )
}

/// What the machine is, as far as the system tells.
fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|l| l.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("an unknown processor", |(_, model)| model);
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kib = memory.lines().find_map(|l| l.strip_prefix("MemTotal:"));
    let gib = kib.and_then(|k| k.trim().trim_end_matches(" kB").parse::<f64>().ok());
    let gib = gib.map_or_else(String::new, |k| {
        format!(", {:.0} GiB of memory", k / 1_048_576.0)
    });
    let said = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let system = said("uname", &["-sr"]).unwrap_or_default();
    let rust = said("rustc", &["--version"]).unwrap_or_default();
    let day = said("date", &["-u", "+%Y-%m-%d"]).unwrap_or_default();
    format!("Machine: {model}, {cores} cores{gib}; {system}; {rust}; {day}.")
}

/// Workflows a second over calls at once, both on logarithmic axes.
fn plot(limit: &[Value], file: &Path) {
    let points = |who: &'static str| {
        limit.iter().map(move |row| {
            (
                row["concurrency"].as_f64().unwrap(),
                row[who]["workflows_per_second"].as_f64().unwrap(),
            )
        })
    };
    let top = points("limit").map(|(_, rate)| rate).fold(1.0, f64::max);
    let root = SVGBackend::new(file, SIZE).into_drawing_area();
    root.fill(&WHITE).unwrap();
    let mut chart = ChartBuilder::on(&root)
        .caption("3-step durable workflows per second", ("sans-serif", 18))
        .margin(14)
        .x_label_area_size(40)
        .y_label_area_size(64)
        .build_cartesian_2d((1.0..300.0).log_scale(), (100.0..top * 1.6).log_scale())
        .unwrap();
    let mesh = &mut chart.configure_mesh();
    mesh.x_desc("workflows at once")
        .y_desc("workflows/s")
        .draw()
        .unwrap();
    for (who, words, colour) in [
        (
            "limit",
            "gRPC + journal, no engine",
            RGBColor(150, 150, 150),
        ),
        ("tutti", "Tutti", BLUE),
    ] {
        chart
            .draw_series(LineSeries::new(points(who), colour.stroke_width(2)))
            .unwrap()
            .label(words)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        let dots = points(who).map(|at| Circle::new(at, 3, colour.filled()));
        chart.draw_series(dots).unwrap();
    }
    let labels = &mut chart.configure_series_labels();
    labels
        .position(SeriesLabelPosition::LowerRight)
        .border_style(BLACK.mix(0.3))
        .draw()
        .unwrap();
    root.present().unwrap();
}
