//! Groups on their way to being durable, and what is released once they are.

use std::{collections::VecDeque, sync::atomic::Ordering, time::Duration};

use futures::FutureExt as _;
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{Live, Message, Shard};
use crate::{
    agents::Order,
    core::execution::{into_view, view},
    engine::{
        clock,
        release::{Release, Released},
    },
};

/// How long a group may wait for company when nobody waits for it.
const PATIENCE: Duration = Duration::from_millis(2);

/// A group handed in, and what waits for it.
pub(super) struct Flight {
    done: oneshot::Receiver<()>,
    releases: Vec<Release>,
    requests: Vec<(String, String)>,
}

impl Shard {
    /// Hands the filled group to the commit thread, or what waits for no write to the group
    /// before it.
    pub(super) async fn hand_in(&mut self) {
        if self.may_wait() {
            return;
        }
        self.pressing = false;
        self.patience = None;
        // The next group is about as large.
        let room = self.releases.len();
        let releases = std::mem::replace(&mut self.releases, Vec::with_capacity(room));
        if self.filling.is_empty() {
            match self.in_flight.back_mut() {
                Some(flight) => flight.releases.extend(releases),
                None => self.release(releases),
            }
            return;
        }
        let (pieces, requests) = self.filling.take(self.lane.commits());
        let (done, receiver) = oneshot::channel();
        self.in_flight.push_back(Flight {
            done: receiver,
            releases,
            requests,
        });
        self.lane.send(pieces, done).await;
    }

    /// True while the group may wait for company: for a bounded time, as long as nobody waits
    /// for it. Saves a sync of its own for every task that is accepted.
    fn may_wait(&mut self) -> bool {
        if self.pressing || self.stopping || self.filling.is_empty() {
            return false;
        }
        let now = Instant::now();
        *self.patience.get_or_insert(now + PATIENCE) > now
    }

    /// A group is durable, or never will be: then the shard ends.
    pub(super) fn landed(&mut self, durable: bool) -> bool {
        let Some(flight) = self.in_flight.pop_front() else {
            return true;
        };
        if !durable {
            return false;
        }
        for name in flight.requests {
            self.requests.remove(&name);
        }
        self.release(flight.releases);
        true
    }

    fn release(&mut self, releases: Vec<Release>) {
        let mut released = Released::default();
        for release in releases {
            match release {
                Release::Left(leaving) => released.orders.extend(self.left(leaving)),
                release => release.run(&self.parts, &mut released),
            }
        }
        if !released.orders.is_empty() {
            self.parts.dispatch.carry_out(released.orders);
        }
        drop(released.fetched);
        for ended in released.ended {
            if let Some(live) = self.live.remove(&ended) {
                self.parts.open.fetch_sub(1, Ordering::Relaxed);
                if let Some(due) = live.due {
                    self.timers.remove(&(due, ended));
                }
                self.tell_end(*live);
            }
        }
    }

    /// Answers who waits for the end of an execution.
    fn tell_end(&self, live: Live) {
        let Live {
            execution, ends, ..
        } = live;
        let mut ends: Vec<_> = ends.into_iter().filter(|end| !end.is_closed()).collect();
        let Some(last) = ends.pop() else {
            return;
        };
        let most = self.parts.limits.execution_steps_shown_max;
        let (now, waits) = (clock::now(), self.parts.waiting_for(execution.id));
        for end in ends {
            drop(end.send(Some(view(&execution, now, most, &waits))));
        }
        drop(last.send(Some(into_view(execution, now, most, &waits))));
    }

    /// The shard has ended: what it was told of tasks and is not durable never will be.
    pub(super) fn give_up(&mut self, mut messages: mpsc::UnboundedReceiver<Message>) {
        messages.close();
        let flights = self.in_flight.drain(..).flat_map(|flight| flight.releases);
        let releases = flights.chain(self.releases.drain(..));
        let mut orders: Vec<_> = releases.filter_map(Release::given_up).collect();
        let parked = self.passive.loading.drain();
        let parked = parked.flat_map(|(_, loading)| loading.waiting);
        let unread = std::iter::from_fn(|| messages.try_recv().ok());
        let refused = parked.chain(unread).flat_map(Message::refused);
        orders.extend(refused.map(Order::Settle));
        if !orders.is_empty() {
            self.parts.dispatch.carry_out(orders);
        }
    }
}

/// Waits for the oldest group in flight; for ever when there is none.
pub(super) async fn next_durable(in_flight: &mut VecDeque<Flight>) -> bool {
    match in_flight.front_mut() {
        Some(flight) => (&mut flight.done).map(|done| done.is_ok()).await,
        None => std::future::pending().await,
    }
}
