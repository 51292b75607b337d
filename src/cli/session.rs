//! The connection to the server that a command talks to.

use std::time::Duration;

use tutti_client::Client;

use super::{failure::Failure, global::Global};

/// How long a watch goes on looking for a server that was lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// Connects to the server that the options name.
///
/// # Errors
/// `Failure::Unreachable`.
pub async fn open(global: &Global) -> Result<Client, Failure> {
    let client = Client::connect(&global.server).await?;
    Ok(client
        .with_namespace(&global.namespace)
        .with_patience(PATIENCE))
}
