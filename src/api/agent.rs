//! AgentService: keeps the agents of a namespace.

use tonic::{Request, Response, Status};
use tracing::instrument;

use super::{
    convert::agent as convert,
    follow::{self, Messages},
    page::{self, AfterName, Bounds},
    reply::reply,
    stop::Stop,
};
use crate::{
    agents::Hub,
    core::limits::Limits,
    engine::{Error, Handle},
    proto::{
        Agent, DeregisterAgentRequest, DeregisterAgentResponse, GetAgentRequest, GetAgentResponse,
        ListAgentsRequest, ListAgentsResponse, RegisterAgentRequest, RegisterAgentResponse,
        ResetCircuitRequest, ResetCircuitResponse, SetAgentStateRequest, SetAgentStateResponse,
        WatchAgentsRequest, WatchAgentsResponse, agent_service_server::AgentService,
    },
};

/// The service.
pub struct Service {
    engine: Handle,
    hub: Hub,
    stop: Stop,
}

impl Service {
    /// The service over an engine and the agents it knows.
    pub fn new(engine: Handle, hub: Hub, stop: Stop) -> Self {
        Self { engine, hub, stop }
    }

    fn limits(&self) -> &Limits {
        self.engine.limits()
    }

    /// An agent as it stands.
    fn agent(&self, named: &convert::Named) -> Result<Agent, Error> {
        let agent = self.hub.agent(&named.namespace, &named.id);
        agent.ok_or_else(|| Error::NotFound {
            kind: "agent",
            name: named.id.clone(),
        })
    }
}

#[tonic::async_trait]
impl AgentService for Service {
    #[instrument(level = "debug", skip_all, fields(rpc = "RegisterAgent", namespace = request.get_ref().namespace))]
    async fn register_agent(
        &self,
        request: Request<RegisterAgentRequest>,
    ) -> Result<Response<RegisterAgentResponse>, Status> {
        let (namespace, agent) = convert::register(request.into_inner(), self.limits())?;
        let id = agent.id.clone();
        let created = self.engine.register_agent(&namespace, agent).await?;
        let agent = Some(self.agent(&convert::Named { namespace, id })?);
        reply(RegisterAgentResponse { agent, created }, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "GetAgent", id = request.get_ref().id))]
    async fn get_agent(
        &self,
        request: Request<GetAgentRequest>,
    ) -> Result<Response<GetAgentResponse>, Status> {
        let GetAgentRequest { namespace, id } = request.into_inner();
        let named = convert::named(namespace, id, self.limits())?;
        let agent = Some(self.agent(&named)?);
        reply(GetAgentResponse { agent }, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "ListAgents", namespace = request.get_ref().namespace))]
    async fn list_agents(
        &self,
        request: Request<ListAgentsRequest>,
    ) -> Result<Response<ListAgentsResponse>, Status> {
        let list = convert::list(request.into_inner(), self.limits())?;
        let bounds = Bounds {
            items_max: list.page_size,
            bytes_max: self.limits().message_bytes_max,
        };
        let convert::List {
            namespace,
            skill,
            labels,
            after,
            page_size,
        } = &list;
        let found = self
            .hub
            .agents(namespace, skill, labels, after, page_size + 1);
        let (agents, next_page_token) = page::cut(found, bounds, |a| AfterName(a.id.clone()));
        let response = ListAgentsResponse {
            agents,
            next_page_token,
        };
        reply(response, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "DeregisterAgent", id = request.get_ref().id))]
    async fn deregister_agent(
        &self,
        request: Request<DeregisterAgentRequest>,
    ) -> Result<Response<DeregisterAgentResponse>, Status> {
        let DeregisterAgentRequest { namespace, id } = request.into_inner();
        let named = convert::named(namespace, id, self.limits())?;
        self.engine
            .deregister_agent(&named.namespace, &named.id)
            .await?;
        reply(DeregisterAgentResponse {}, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "SetAgentState", id = request.get_ref().id))]
    async fn set_agent_state(
        &self,
        request: Request<SetAgentStateRequest>,
    ) -> Result<Response<SetAgentStateResponse>, Status> {
        let (named, state) = convert::set_state(request.into_inner(), self.limits())?;
        let convert::Named { namespace, id } = &named;
        self.engine.set_agent_state(namespace, id, state).await?;
        let agent = Some(self.agent(&named)?);
        reply(SetAgentStateResponse { agent }, self.limits())
    }

    #[instrument(level = "debug", skip_all, fields(rpc = "ResetCircuit", namespace = request.get_ref().namespace, id = request.get_ref().id))]
    async fn reset_circuit(
        &self,
        request: Request<ResetCircuitRequest>,
    ) -> Result<Response<ResetCircuitResponse>, Status> {
        let request = request.into_inner();
        let named = convert::named(request.namespace, request.id, self.limits())?;
        self.hub.reset_circuit(&named.namespace, &named.id);
        let agent = Some(self.agent(&named)?);
        reply(ResetCircuitResponse { agent }, self.limits())
    }

    type WatchAgentsStream = Messages<WatchAgentsResponse>;

    #[instrument(level = "debug", skip_all, fields(rpc = "WatchAgents", namespace = request.get_ref().namespace))]
    async fn watch_agents(
        &self,
        request: Request<WatchAgentsRequest>,
    ) -> Result<Response<Self::WatchAgentsStream>, Status> {
        let namespace = convert::watch(request.into_inner().namespace, self.limits())?;
        let watch = self.hub.watch_agents(&namespace);
        let stream = follow::stream(watch, self.stop.clone(), |message| message);
        Ok(Response::new(stream))
    }
}
