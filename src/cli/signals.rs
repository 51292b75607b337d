//! The signals that end a server: interrupt and terminate.

/// Ends when the process is asked to end. Cancel safe.
///
/// On a platform or in a process where a handler cannot be set, waits for the others.
pub async fn shutdown() {
    tokio::select! {
        () = interrupt() => {}
        () = terminate() => {}
    }
}

/// Ends on Ctrl-C (SIGINT).
pub async fn interrupt() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
async fn terminate() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            terminate.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminate() {
    std::future::pending().await
}
