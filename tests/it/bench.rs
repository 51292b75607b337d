//! `tutti bench` as people run it: it starts its own server and worker, against another's it
//! starts only the worker. What it measures is shown, not asserted.

use serde_json::Value as Json;

use crate::{
    cli::{binary, said},
    support::TestServer,
};

/// The cells that a bench gives; fails when a call failed.
async fn cells(args: &[&str]) -> Vec<Json> {
    let mut command = binary();
    command.args(["bench", "--output", "json", "--seconds", "1"]);
    let said = said(command.args(args)).await.exits(0);
    let cells = said.out.lines().map(serde_json::from_str);
    cells.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn a_bench_starts_what_it_needs_and_gives_one_object_a_cell() {
    let cells = cells(&["steps", "--concurrency", "1,4", "--payload", "64"]).await;
    let concurrency: Vec<_> = cells.iter().map(|c| c["concurrency"].as_u64()).collect();
    assert_eq!(concurrency, [Some(1), Some(4)]);
    for cell in cells {
        assert_eq!(
            (&cell["scenario"], &cell["errors"]),
            (&"steps".into(), &0.into())
        );
        for measured in ["workflows_per_second", "p50_ms", "p99_ms"] {
            assert!(cell[measured].as_f64() > Some(0.0), "{cell}");
        }
        let memory = cell["server_memory_bytes"].as_u64();
        assert_eq!(memory.is_some(), cfg!(target_os = "linux"));
    }
}

#[tokio::test]
async fn a_bench_of_another_server_leaves_it_its_executions() {
    let server = TestServer::start().await;
    let address = server.url();
    let cells = cells(&[
        "fan-out",
        "--width",
        "5",
        "--concurrency",
        "1",
        "--connect",
        &address,
    ])
    .await;
    assert_eq!(cells[0]["server_memory_bytes"], Json::Null);
    let mut command = binary();
    command.args([
        "--server",
        &address,
        "list",
        "--workflow",
        "bench-fan-out",
        "-o",
        "json",
    ]);
    let listed: Json = said(&mut command).await.exits(0).json();
    assert_eq!(listed["executions"][0]["state"], "COMPLETED");
    let mut command = binary();
    command.args([
        "bench",
        "open",
        "--executions",
        "1001",
        "--connect",
        &address,
    ]);
    let refused = said(&mut command).await.exits(2);
    assert!(
        refused.err.contains("leave --connect out"),
        "{}",
        refused.err
    );
}

#[tokio::test]
async fn a_map_tells_its_items() {
    let cells = cells(&["map", "--items", "50,200", "--parallel", "20"]).await;
    assert_eq!(cells.len(), 2);
    for cell in cells {
        assert_eq!(
            (&cell["scenario"], &cell["errors"]),
            (&"map".into(), &0.into())
        );
        assert!(cell["items_per_second"].as_f64() > Some(0.0), "{cell}");
        let measured = cell["server_cpu_us_per_item"].as_f64().is_some()
            && cell["server_memory_peak_bytes"].as_u64().is_some();
        assert_eq!(measured, cfg!(target_os = "linux"));
    }
}

#[tokio::test]
async fn watchers_lose_nothing_and_open_executions_are_there_after_kill_9() {
    let watched = cells(&[
        "watch",
        "--steps",
        "10",
        "--watchers",
        "3",
        "--concurrency",
        "2",
    ])
    .await;
    assert_eq!(watched[0]["events_lost"], 0);
    assert!(watched[0]["events_per_second"].as_f64() > Some(0.0));
    let open = cells(&["open", "--executions", "1200", "--settle", "0"]).await;
    assert_eq!(
        (&open[0]["executions"], &open[0]["errors"]),
        (&1200.into(), &0.into())
    );
    assert!(open[0]["restart_ms"].as_f64() > Some(0.0));
}
