//! The engine's side of the room.

use std::sync::Arc;

use prost::Message as _;
use tokio::time::Instant;

use super::{
    Dispatch, HeldLease, Hub, Offer, Order, TaskKey,
    matching::violations,
    state::State,
    task::{Input, Phase},
};
use crate::{
    core::{plan::Target, schema::Schema},
    proto::Agent,
};

impl Dispatch for Hub {
    fn carry_out(&self, orders: Vec<Order>) {
        let schemas = self.input_schemas(&orders);
        let ready = orders.into_iter().zip(schemas).map(|(order, schema)| {
            let looked_at = match &order {
                Order::Enqueue(offer) => Some((offer.input.encoded_len(), look_at(offer, schema))),
                _ => None,
            };
            (order, looked_at)
        });
        let ready: Vec<_> = ready.collect();
        self.changed(|state, now| {
            for (order, looked_at) in ready {
                state.carry_out(order, looked_at, now);
            }
        });
    }

    fn restore(&self, offer: Offer, lease: HeldLease) {
        self.changed(|state, now| state.restore(offer, &lease, now));
    }

    fn waiting_for(&self, key: TaskKey) -> Option<String> {
        self.locked(|state, _| state.waiting_for(key))
    }

    fn obstacle(&self, namespace: &str, target: &Target) -> Option<String> {
        self.locked(|state, _| state.obstacle(namespace, target))
    }

    fn put_agent(&self, namespace: &str, agent: Agent) {
        Self::put_agent(self, namespace, agent);
    }

    fn remove_agent(&self, namespace: &str, id: &str) {
        Self::remove_agent(self, namespace, id);
    }

    fn agent(&self, namespace: &str, id: &str) -> Option<Agent> {
        Self::agent(self, namespace, id)
    }
}

impl Hub {
    /// The schemas that inputs are held against, before the lock is taken for the change.
    fn input_schemas(&self, orders: &[Order]) -> Vec<Option<Arc<Schema>>> {
        self.locked(|state, _| {
            let schema = |order: &Order| match order {
                Order::Enqueue(offer) => state.input_schema(offer),
                _ => None,
            };
            orders.iter().map(schema).collect()
        })
    }
}

/// Holds an input against the schema of the agent asked for.
fn look_at(offer: &Offer, schema: Option<Arc<Schema>>) -> Input {
    match schema {
        None => Input::Unchecked,
        Some(schema) => match violations(&schema, &offer.input) {
            None => Input::Fulfils(schema),
            Some(wrong) => Input::Breaks(wrong),
        },
    }
}

impl State {
    fn carry_out(&mut self, order: Order, looked_at: Option<(usize, Input)>, now: Instant) {
        match order {
            Order::Enqueue(offer) => {
                let (bytes, input) = looked_at.unwrap_or((0, Input::Unchecked));
                self.enqueue(offer, bytes, input, now);
            }
            Order::Wait(ticket) => self.wait(ticket, now),
            Order::Withdraw {
                key,
                reason,
                timed_out,
            } => {
                if let (true, Some(Phase::Leased { agent, .. })) = (timed_out, self.phase(key)) {
                    self.agent_failed(agent, "timeout", now);
                }
                self.withdraw(key, &reason, now);
            }
            Order::Release(key) => self.release(key, now),
            Order::Settle(settled) => self.settled(settled, now),
        }
    }

    fn input_schema(&self, offer: &Offer) -> Option<Arc<Schema>> {
        let Target::Agent(agent) = &offer.target else {
            return None;
        };
        let slot = self.agents.get(&self.find_slot(&offer.namespace, agent)?)?;
        slot.record.as_ref()?.input.clone()
    }
}
