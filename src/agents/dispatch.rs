//! The engine's side of the room.

use std::sync::Arc;

use prost::Message as _;

use super::{Dispatch, HeldLease, Hub, Offer, TaskKey, Ticket, matching::violations, task::Input};
use crate::{
    core::{plan::Target, schema::Schema},
    proto::Agent,
};

impl Dispatch for Hub {
    fn enqueue(&self, offer: Offer) {
        let bytes = offer.input.encoded_len();
        let input = self.look_at(&offer);
        self.changed(|state, now| state.enqueue(Box::new(offer), bytes, input, now));
    }

    fn wait(&self, ticket: Ticket) {
        self.changed(|state, now| state.wait(ticket, now));
    }

    fn restore(&self, offer: Offer, lease: HeldLease) {
        self.changed(|state, now| state.restore(offer, &lease, now));
    }

    fn withdraw(&self, key: TaskKey, reason: &str) {
        self.changed(|state, now| state.withdraw(key, reason, now));
    }

    fn release(&self, key: TaskKey) {
        self.changed(|state, now| state.release(key, now));
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
    /// Holds an input against the schema of the agent asked for, before the lock is taken.
    fn look_at(&self, offer: &Offer) -> Input {
        let Target::Agent(agent) = &offer.target else {
            return Input::Unchecked;
        };
        match self.input_schema(&offer.namespace, agent) {
            None => Input::Unchecked,
            Some(schema) => match violations(&schema, &offer.input) {
                None => Input::Fulfils(schema),
                Some(wrong) => Input::Breaks(wrong),
            },
        }
    }

    fn input_schema(&self, namespace: &str, agent: &str) -> Option<Arc<Schema>> {
        self.locked(|state, _| {
            let slot = state.agents.get(&state.find_slot(namespace, agent)?)?;
            slot.record.as_ref()?.input.clone()
        })
    }
}
