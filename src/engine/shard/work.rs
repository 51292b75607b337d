//! What a shard decides: starts and commands become events and effects, taken into the group
//! that is being filled.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use prost::Message as _;
use tokio::{sync::oneshot, time::Instant};
use uuid::Uuid;

use super::{Message, Shard, message::Starting};
use crate::{
    agents::{Fact, Order, Settled, Token, What},
    core::{
        decide::{self, Command, Effect, Outcome, decide},
        execution::{Listed, Query, list, outline, summary, view},
        plan::{Plan, Target},
        time::Time,
        value,
    },
    engine::{
        Error, clock,
        progress::Item,
        refusal,
        release::{Release, of_effect},
        sink,
    },
    proto::{self, KnownAgent},
    store::{RequestRecord, Write},
};

/// How old what is known of the free space may be.
const FREE_BYTES_AGE_MAX: Duration = Duration::from_millis(100);

impl Shard {
    pub(super) fn start(&mut self, starting: Starting) {
        let Starting {
            plan,
            mut start,
            body_hash,
            reply,
            end,
            admitted,
        } = starting;
        match self.started_before(&start, body_hash) {
            Ok(None) => {}
            Ok(Some(id)) => {
                if let Some(reply) = end {
                    self.handle(Message::End { id, reply });
                }
                return self.releases.push(Release::Started(reply, id, admitted));
            }
            Err(error) => return drop(reply.send(Err(error))),
        }
        if let Err(error) = self.admit(&start.namespace, &plan) {
            return drop(reply.send(Err(error)));
        }
        start.agents = self.known_agents(&start.namespace, &plan);
        let (id, namespace) = (start.id, start.namespace.clone());
        let request_id = start.request_id.clone();
        let now = clock::now();
        match decide::start(plan, start, now, &self.parts.limits, &mut self.outputs) {
            Ok((execution, outcome)) => {
                if !request_id.is_empty() {
                    let record = RequestRecord {
                        execution_id: id,
                        body_hash,
                        create_time: now.into(),
                    };
                    self.keep_request(namespace, request_id, record);
                }
                self.adopt_new(execution);
                if let Some(end) = end
                    && let Some(live) = self.live.get_mut(&id)
                {
                    live.ends.push(end);
                }
                self.record(id, outcome, true);
                self.releases.push(Release::Started(reply, id, admitted));
            }
            Err(rejection) => drop(reply.send(Err(refusal::of_command(id, rejection)))),
        }
    }

    /// Whether one more execution, of this plan, can be accepted.
    pub(super) fn admit(&mut self, namespace: &str, plan: &Plan) -> Result<(), Error> {
        if plan.needs_agents {
            self.agents_there(namespace, plan)?;
        }
        let limits = Arc::clone(&self.parts.limits);
        if self.parts.open.load(Ordering::Relaxed) >= limits.open_executions_max {
            return Err(refusal::too_many_open(limits.open_executions_max));
        }
        let pressure = self.parts.store.pressure();
        if pressure.is_full() {
            return Err(refusal::store_behind(pressure.pending_bytes_max));
        }
        let free = self.free_bytes()?;
        if free < limits.disk_reserve_bytes {
            return Err(refusal::disk_full(free, limits.disk_reserve_bytes));
        }
        Ok(())
    }

    /// What is known now of the agents that a plan tells others of, as far as an event may hold it.
    pub(super) fn known_agents(&self, namespace: &str, plan: &Plan) -> HashMap<String, KnownAgent> {
        let mut left = self.parts.limits.payload_bytes_max;
        let known = plan.tells_of.iter().filter_map(|id| {
            let agent = self.parts.dispatch.agent(namespace, id)?;
            let known = KnownAgent {
                description: agent.description,
                input_schema: agent.input_schema,
                skills: agent.skills,
            };
            left = left.checked_sub(known.encoded_len())?;
            Some((id.clone(), known))
        });
        known.collect()
    }

    /// Whether each call has someone who could take it, be it after those at work.
    fn agents_there(&self, namespace: &str, plan: &Plan) -> Result<(), Error> {
        let obstacle = |target: &&Target| self.parts.dispatch.obstacle(namespace, target);
        let mut missing = BTreeSet::new();
        for targets in plan.known_targets() {
            let obstacles: Vec<_> = targets.iter().map_while(obstacle).collect();
            if obstacles.len() == targets.len() {
                missing.insert(obstacles.join(", "));
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(Error::AgentsMissing {
            workflow: plan.name.clone(),
            missing: missing.into_iter().collect(),
        })
    }

    /// How much more the store can keep, as of a moment ago.
    fn free_bytes(&mut self) -> Result<u64, Error> {
        let now = Instant::now();
        if let Some((looked, free)) = self.free
            && now < looked + FREE_BYTES_AGE_MAX
        {
            return Ok(free);
        }
        let free = self.parts.store.free_bytes()?.unwrap_or(u64::MAX);
        self.free = Some((now, free));
        Ok(free)
    }

    /// The execution that this request started before.
    fn started_before(&self, start: &decide::Start, body_hash: u64) -> Result<Option<Uuid>, Error> {
        if start.request_id.is_empty() {
            return Ok(None);
        }
        let name = (start.namespace.clone(), start.request_id.clone());
        let record = match self.requests.get(&name) {
            Some(record) => Some(record.clone()),
            None => self.parts.store.request(&name.0, &name.1)?,
        };
        match record {
            Some(record) if record.body_hash != body_hash => Err(Error::RequestReused(name.1)),
            record => Ok(record.map(|r| r.execution_id)),
        }
    }

    fn keep_request(&mut self, namespace: String, request_id: String, record: RequestRecord) {
        let name = (namespace.clone(), request_id.clone());
        self.requests.insert(name, record.clone());
        self.filling.push(Write::PutRequest {
            namespace,
            request_id,
            record,
        });
    }

    pub(super) fn command(&mut self, id: Uuid, command: Command) -> Result<(), Error> {
        let now = clock::now();
        let limits = Arc::clone(&self.parts.limits);
        let Some(live) = self.live.get_mut(&id) else {
            return self.command_ended(id, command, now);
        };
        live.touched = now;
        let state = live.execution.state;
        let outcome = decide(
            &mut live.execution,
            command,
            now,
            &limits,
            &mut self.outputs,
        )
        .map_err(|rejection| refusal::of_command(id, rejection))?;
        let changed = live.execution.state != state;
        self.record(id, outcome, changed);
        Ok(())
    }

    /// What a worker did: at once, or once its execution is in memory.
    pub(super) fn fact(&mut self, fact: Fact) {
        let id = fact.token.key.execution_id;
        match self.live.contains_key(&id) {
            true => self.take_fact(fact),
            false => self.load(id, Some(Message::Facts(vec![fact]))),
        }
    }

    /// What a worker did, as a command; what became of it is told once that is durable.
    pub(super) fn take_fact(&mut self, fact: Fact) {
        let token = fact.token;
        let acceptance = matches!(fact.what, What::Accepted { .. });
        let command = command(token, fact.what);
        let settled = Settled {
            token,
            acceptance,
            result: self
                .command(token.key.execution_id, command)
                .map_err(sink::refusal),
        };
        self.releases.push(Release::Order(Order::Settle(settled)));
    }

    /// A command for an execution that is not in memory: it has ended, or never was.
    fn command_ended(&mut self, id: Uuid, command: Command, now: Time) -> Result<(), Error> {
        let mut execution = self.not_in_memory(id)?;
        let outcome = decide(
            &mut execution,
            command,
            now,
            &self.parts.limits,
            &mut self.outputs,
        )
        .map_err(|rejection| refusal::of_command(id, rejection))?;
        let effects = outcome.effects.into_iter();
        self.releases
            .extend(effects.filter_map(|effect| of_effect(&execution, effect)));
        Ok(())
    }

    /// Takes what was decided into the group being filled.
    pub(super) fn record(&mut self, id: Uuid, outcome: Outcome, summary_changed: bool) {
        let Some(live) = self.live.get_mut(&id) else {
            return;
        };
        let Outcome { events, effects } = outcome;
        let execution = &live.execution;
        if let Some(last) = events.last() {
            if summary_changed {
                live.summarised = last.sequence;
            }
            let summary = summary_changed.then(|| Box::new(summary(execution)));
            if let Some(summary) = &summary
                && self.parts.progress.all_followed()
            {
                self.releases.push(Release::Changed(summary.clone()));
            }
            let last = last.sequence;
            let told = self.parts.progress.news(id, &events);
            self.filling.push(Write::Append {
                id,
                events,
                summary,
            });
            for write in self.outputs.writes.drain(..) {
                self.filling.push(write);
            }
            self.filling.command_ended(self.lane.commits());
            let item = Item::Events { last, events: told };
            self.releases.push(Release::Progress { id, item });
        }
        self.release_effects(id, effects);
        let Some(live) = self.live.get_mut(&id) else {
            return;
        };
        if live.execution.is_ended() {
            self.releases.push(Release::Ended(id));
        }
        self.set_timer(id);
    }

    /// Has effects of an execution in memory released with the group being filled.
    pub(super) fn release_effects(&mut self, id: Uuid, effects: impl IntoIterator<Item = Effect>) {
        let Some(live) = self.live.get(&id) else {
            return;
        };
        let effects = effects.into_iter();
        let released = effects.filter_map(|effect| of_effect(&live.execution, effect));
        self.releases.extend(released);
    }

    /// Answers with the execution once it has ended.
    pub(super) fn end(&mut self, id: Uuid, reply: oneshot::Sender<Option<proto::Execution>>) {
        match self.live.get_mut(&id) {
            Some(live) => {
                live.ends.retain(|end| !end.is_closed());
                live.ends.push(reply);
            }
            None => drop(reply.send(None)),
        }
    }

    pub(super) fn view(&mut self, id: Uuid, reply: oneshot::Sender<Option<proto::Execution>>) {
        let Some(live) = self.live.get(&id) else {
            return drop(reply.send(None));
        };
        let waiting_for = self.parts.waiting_for(id);
        let most = self.parts.limits.execution_steps_shown_max;
        let view = Box::new(view(&live.execution, clock::now(), most, &waiting_for));
        self.releases.push(Release::Viewed(reply, view));
    }

    pub(super) fn steps(
        &mut self,
        id: Uuid,
        query: &Query,
        reply: oneshot::Sender<Option<Listed>>,
    ) {
        let Some(live) = self.live.get(&id) else {
            return drop(reply.send(None));
        };
        let waiting_for = self.parts.waiting_for(id);
        let listed = Box::new(list(&live.execution, query, &waiting_for));
        self.releases.push(Release::Listed(reply, listed));
    }

    pub(super) fn outline(&mut self, id: Uuid, reply: oneshot::Sender<Option<proto::Execution>>) {
        let Some(live) = self.live.get(&id) else {
            return drop(reply.send(None));
        };
        let outline = Box::new(outline(&live.execution, clock::now()));
        self.releases.push(Release::Viewed(reply, outline));
    }

    pub(super) fn delete(&mut self, id: Uuid) -> Result<(), Error> {
        let open = match self.live.get(&id) {
            Some(live) => !live.execution.is_ended(),
            None => {
                let kept = self.parts.store.execution(id)?;
                kept.is_some_and(|kept| kept.end_time.is_none())
            }
        };
        if open {
            return Err(refusal::still_open(id));
        }
        self.filling.push(Write::DeleteExecution { id });
        let item = Item::Deleted;
        self.releases.push(Release::Progress { id, item });
        self.releases.push(Release::Ended(id));
        Ok(())
    }
}

/// What a worker did, as the kernel takes it.
fn command(token: Token, what: What) -> Command {
    let (task, lease) = (token.key.sequence, token.lease);
    match what {
        What::Accepted {
            worker_id, agent, ..
        } => Command::Accept {
            task,
            worker_id,
            agent,
            lease,
        },
        What::Completed { output, usage } => Command::Complete {
            task,
            lease,
            // A value without a kind is no JSON: readers of the events would stumble over it.
            output: if value::is_null(&output) {
                value::null()
            } else {
                output
            },
            usage,
        },
        What::Failed(failure) => Command::Fail {
            task,
            lease,
            class: failure.class,
            message: failure.message,
            retry_after: failure.retry_after,
            usage: failure.usage,
        },
    }
}
