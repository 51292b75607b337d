//! The requests of AgentService.

use std::collections::HashMap;

use super::{Fields, Rejected};
use crate::{
    agents,
    api::page::AfterName,
    core::limits::Limits,
    proto::{Agent, ListAgentsRequest, RegisterAgentRequest, SetAgentStateRequest, agent},
};

/// An agent, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Its namespace.
    pub namespace: String,
    /// Its id.
    pub id: String,
}

/// A page of agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The namespace.
    pub namespace: String,
    /// Only those with this skill, when not empty.
    pub skill: String,
    /// Only those that carry all these labels.
    pub labels: HashMap<String, String>,
    /// Only those with a greater id.
    pub after: String,
    /// The most there may be.
    pub page_size: usize,
}

/// The agent to register, and its namespace.
pub fn register(
    request: RegisterAgentRequest,
    limits: &Limits,
) -> Result<(String, Agent), Rejected> {
    let mut fields = Fields::new(limits);
    let namespace = fields.namespace(request.namespace);
    if request.agent.is_none() {
        fields.reject("agent", "required");
        return fields.finish((namespace, Agent::default()));
    }
    let agent = request.agent.unwrap_or_default();
    for (field, message) in agents::validate_agent(&agent) {
        fields.reject(format!("agent.{field}"), message);
    }
    fields.payload("agent.input_schema", agent.input_schema.as_ref());
    fields.payload("agent.output_schema", agent.output_schema.as_ref());
    fields.finish((namespace, agent))
}

/// The agent that a request names.
pub fn named(namespace: String, id: String, limits: &Limits) -> Result<Named, Rejected> {
    let mut fields = Fields::new(limits);
    let named = Named {
        namespace: fields.namespace(namespace),
        id: fields.id("id", id),
    };
    fields.finish(named)
}

/// Whether an agent is to be given tasks.
pub fn set_state(
    request: SetAgentStateRequest,
    limits: &Limits,
) -> Result<(Named, agent::State), Rejected> {
    let mut fields = Fields::new(limits);
    let named = Named {
        namespace: fields.namespace(request.namespace),
        id: fields.id("id", request.id),
    };
    let state = match agent::State::try_from(request.state) {
        Ok(agent::State::Unspecified) => {
            fields.reject("state", "required: ACTIVE, DRAINING or DISABLED");
            agent::State::Unspecified
        }
        Ok(state) => state,
        Err(_) => {
            let message = format!("{} is none of ACTIVE, DRAINING, DISABLED", request.state);
            fields.reject("state", message);
            agent::State::Unspecified
        }
    };
    fields.finish((named, state))
}

/// Which agents to list.
pub fn list(request: ListAgentsRequest, limits: &Limits) -> Result<List, Rejected> {
    let mut fields = Fields::new(limits);
    let after = fields.page_token(&request.page_token);
    let list = List {
        namespace: fields.namespace(request.namespace),
        skill: fields.optional_key("skill", request.skill),
        labels: fields.labels("labels", request.labels),
        after: after.map_or_else(String::new, |AfterName(id)| id),
        page_size: fields.page_size(request.page_size, super::PAGE_SIZE_DEFAULT),
    };
    fields.finish(list)
}

/// Whose agents to follow.
pub fn watch(namespace: String, limits: &Limits) -> Result<String, Rejected> {
    let mut fields = Fields::new(limits);
    let namespace = fields.namespace(namespace);
    fields.finish(namespace)
}
