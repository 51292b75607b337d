//! The server's end, as open calls learn of it.

use tokio::sync::watch;

/// Ends open calls, when told to or when dropped.
pub struct Stopper(watch::Sender<bool>);

/// Tells a call when it has to end.
#[derive(Clone)]
pub struct Stop(watch::Receiver<bool>);

/// A pair that belongs together.
pub fn stop() -> (Stopper, Stop) {
    let (sender, receiver) = watch::channel(false);
    (Stopper(sender), Stop(receiver))
}

impl Stopper {
    /// Tells every call that is open now, and all to come.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Returns once calls have to end. Cancel safe.
    pub async fn wait(&mut self) {
        // An error means that the stopper is gone, and with it the server.
        let _ = self.0.wait_for(|stopped| *stopped).await;
    }
}
