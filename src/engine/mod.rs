//! Runs executions: shards that decide, a commit pipeline, timers, the progress hub, recovery.
