//! Runs executions: shards that decide, a commit pipeline, timers, the progress hub, recovery.
//! Called by the api through `Handle`; calls the store and the agents through their traits.

mod error;
mod handle;

pub use error::{Error, Violation};
pub use handle::{Handle, Registered, Start, Watch, WatchAll, Watched};
