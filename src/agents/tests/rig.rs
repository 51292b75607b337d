//! What the tests share: the sink, the room around it, and a worker at the end of a stream.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
};
use uuid::Uuid;

use crate::{
    agents::{
        Dispatch as _, Fact, Failure, HeldLease, Hub, Offer, Order, Refusal, Session, Settled,
        TaskKey, TaskSink, Ticket, What,
    },
    core::{
        limits::Limits,
        plan::{Select, Target},
        time::Time,
        value::{self, Value},
    },
    proto::{
        self, Accept, Agent, Chunk, Complete, Credit, Hello, Task, TaskResult, Welcome,
        result_ack::Ack, work_request::Message as Up, work_response::Message as Down,
    },
};

/// What the sink was told.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    Accepted(TaskKey, HeldLease),
    Completed(TaskKey, u64, Value),
    Failed(TaskKey, u64, Failure),
    Chunk(Chunk),
    Registered(String, Agent),
    Fetched(Vec<TaskKey>),
}

/// Records what it is told, and answers as it was last set to.
pub struct FakeSink {
    pub told: Mutex<Vec<Told>>,
    pub answer: Mutex<Result<(), Refusal>>,
    /// What it gives when it is asked for attempts; withdrawn is what is not here.
    pub asleep: Arc<Mutex<BTreeMap<TaskKey, Offer>>>,
    /// Answers are held back while true.
    held: watch::Sender<bool>,
    hub: Hub,
}

impl FakeSink {
    fn tell(&self, told: Told) -> BoxFuture<'static, Result<(), Refusal>> {
        self.told.lock().unwrap().push(told);
        let answer = self.answer.lock().unwrap().clone();
        let mut held = self.held.subscribe();
        Box::pin(async move {
            held.wait_for(|held| !held).await.unwrap();
            answer
        })
    }
}

impl TaskSink for FakeSink {
    fn tell(&self, facts: Vec<Fact>) -> Vec<Settled> {
        for fact in facts {
            let settled = fact.refused(Refusal::Unavailable);
            let (key, lease) = (fact.token.key, fact.token.lease);
            let answer = self.tell(match fact.what {
                What::Accepted {
                    worker_id, agent, ..
                } => Told::Accepted(
                    key,
                    HeldLease {
                        worker_id,
                        agent,
                        lease,
                    },
                ),
                What::Completed { output, .. } => Told::Completed(key, lease, output),
                What::Failed(failure) => Told::Failed(key, lease, failure),
            });
            let hub = self.hub.clone();
            tokio::spawn(async move {
                let result = answer.await;
                hub.carry_out(vec![Order::Settle(Settled { result, ..settled })]);
            });
        }
        Vec::new()
    }

    fn fetch(&self, keys: Vec<TaskKey>) -> BoxFuture<'static, ()> {
        let told = self.tell(Told::Fetched(keys.clone()));
        let (hub, asleep) = (self.hub.clone(), self.asleep.clone());
        Box::pin(async move {
            let _ = told.await;
            for key in keys {
                match asleep.lock().unwrap().remove(&key) {
                    Some(offer) => hub.enqueue(offer),
                    None => hub.withdraw(key, "it is no more"),
                }
            }
        })
    }

    fn chunk(&self, chunk: Chunk) {
        self.told.lock().unwrap().push(Told::Chunk(chunk));
    }

    fn register(&self, namespace: String, agent: Agent) -> BoxFuture<'static, Result<(), Refusal>> {
        let told = self.tell(Told::Registered(namespace.clone(), agent.clone()));
        let hub = self.hub.clone();
        Box::pin(async move {
            told.await?;
            hub.put_agent(&namespace, agent);
            Ok(())
        })
    }
}

/// Orders one at a time.
impl Hub {
    pub(super) fn withdraw(&self, key: TaskKey, reason: &str) {
        let reason = reason.into();
        self.carry_out(vec![Order::Withdraw {
            key,
            reason,
            timed_out: false,
        }]);
    }

    pub(super) fn wait(&self, ticket: Ticket) {
        self.carry_out(vec![Order::Wait(ticket)]);
    }

    pub(super) fn release(&self, key: TaskKey) {
        self.carry_out(vec![Order::Release(key)]);
    }
}

/// A room that runs, and its sink.
pub struct Rig {
    pub hub: Hub,
    pub sink: Arc<FakeSink>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

pub fn limits() -> Limits {
    Limits::default()
}

pub fn rig() -> Rig {
    rig_with(&limits())
}

pub fn rig_with(limits: &Limits) -> Rig {
    let hub = Hub::new(limits);
    let sink = Arc::new(FakeSink {
        told: Mutex::default(),
        answer: Mutex::new(Ok(())),
        asleep: Arc::default(),
        held: watch::channel(false).0,
        hub: hub.clone(),
    });
    hub.set_sink(sink.clone());
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(hub.clone().run(async {
        let _ = stopped.await;
    }));
    Rig {
        hub,
        sink,
        stop: Some(stop),
        running,
    }
}

impl Rig {
    /// Ends the room as the server does.
    pub async fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        (&mut self.running).await.unwrap();
    }

    /// What the sink was told since the last time, once everything rests.
    pub async fn told(&self) -> Vec<Told> {
        rest().await;
        std::mem::take(&mut self.sink.told.lock().unwrap())
    }

    /// What the sink was told, without acceptances.
    pub async fn told_results(&self) -> Vec<Told> {
        let mut told = self.told().await;
        told.retain(|t| !matches!(t, Told::Accepted(..)));
        told
    }

    pub fn hold_answers(&self, hold: bool) {
        self.sink.held.send_replace(hold);
    }

    pub fn answer(&self, answer: Result<(), Refusal>) {
        *self.sink.answer.lock().unwrap() = answer;
    }

    pub fn put(&self, agent: Agent) {
        self.hub.put_agent("default", agent);
    }

    pub fn agent(&self, id: &str) -> Agent {
        self.hub.agent("default", id).unwrap()
    }

    /// Queues tasks for an agent, with these sequences.
    pub fn enqueue(&self, agent: &str, sequences: impl IntoIterator<Item = u64>) {
        for sequence in sequences {
            self.hub.enqueue(offer(sequence, to_agent(agent)));
        }
    }

    /// Queues tasks of executions that are not in memory, with these sequences.
    pub fn wait(&self, target: &Target, sequences: impl IntoIterator<Item = u64>) {
        for sequence in sequences {
            let offer = offer(sequence, target.clone());
            self.hub.wait(ticket(&offer));
            self.sink.asleep.lock().unwrap().insert(offer.key, offer);
        }
    }

    /// Connects a worker that serves these agents.
    pub async fn connect(&self, id: &str, agents: &[&str]) -> TestWorker {
        self.connect_with(hello(id, agents)).await.0
    }

    pub async fn connect_with(&self, hello: Hello) -> (TestWorker, Welcome) {
        let (session, welcome, down) = self.hub.connect(hello).await.unwrap();
        (TestWorker { session, down }, welcome)
    }

    /// A worker with credits, and the tasks it accepted at once.
    pub async fn working(
        &self,
        id: &str,
        agents: &[&str],
        credits: u32,
    ) -> (TestWorker, Vec<Task>) {
        let mut worker = self.connect(id, agents).await;
        worker.credit(credits).await;
        let tasks = worker.tasks().await;
        worker.accept(&tasks).await;
        rest().await;
        (worker, tasks)
    }

    pub fn waiting_for(&self, sequence: u64) -> Option<String> {
        self.hub.waiting_for(key(sequence))
    }
}

/// Lets everything run until only the clock could go on.
pub async fn rest() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}

/// Lets virtual time pass.
pub async fn pass(span: Duration) {
    tokio::time::sleep(span).await;
    rest().await;
}

/// A worker at the end of a stream.
pub struct TestWorker {
    pub session: Session,
    pub down: mpsc::Receiver<Down>,
}

impl TestWorker {
    pub async fn say(&self, message: Up) {
        self.session.handle(message).await.unwrap();
    }

    pub async fn credit(&self, tasks: u32) {
        self.say(Up::Credit(Credit { tasks })).await;
    }

    pub async fn accept(&self, tasks: &[Task]) {
        let tokens = tasks.iter().map(|t| t.token.clone()).collect();
        self.say(Up::Accept(Accept { tokens })).await;
    }

    pub async fn complete(&self, task: &Task, output: Value) {
        let results = vec![TaskResult {
            token: task.token.clone(),
            output: Some(output),
            usage: None,
        }];
        self.say(Up::Complete(Complete { results })).await;
    }

    pub async fn heartbeat(&self, task: &Task) {
        let tokens = vec![task.token.clone()];
        self.say(Up::Heartbeat(proto::Heartbeat { tokens })).await;
    }

    /// What came down since the last time, once everything rests.
    pub async fn messages(&mut self) -> Vec<Down> {
        rest().await;
        std::iter::from_fn(|| self.down.try_recv().ok()).collect()
    }

    /// The tasks that came down since the last time; nothing else may have.
    pub async fn tasks(&mut self) -> Vec<Task> {
        let messages = self.messages().await.into_iter();
        let tasks = messages.map(|m| match m {
            Down::Tasks(tasks) => tasks.tasks,
            other => panic!("not tasks: {other:?}"),
        });
        tasks.flatten().collect()
    }

    /// The sequences of the tasks that came down since the last time.
    pub async fn sequences(&mut self) -> Vec<u64> {
        self.tasks().await.iter().map(sequence).collect()
    }

    /// The acks that came down since the last time; nothing else may have.
    pub async fn acks(&mut self) -> Vec<Ack> {
        let messages = self.messages().await.into_iter();
        let acks = messages.map(|m| match m {
            Down::ResultAck(acks) => acks.acks,
            other => panic!("not acks: {other:?}"),
        });
        acks.flatten().collect()
    }

    /// The tokens and reasons of what was cancelled since the last time; nothing else came.
    pub async fn cancelled(&mut self) -> Vec<(String, String)> {
        let messages = self.messages().await.into_iter();
        let cancels = messages.map(|m| match m {
            Down::Cancel(cancel) => (cancel.tokens.concat(), cancel.reason),
            other => panic!("not a cancel: {other:?}"),
        });
        cancels.collect()
    }
}

pub fn key(sequence: u64) -> TaskKey {
    TaskKey {
        execution_id: Uuid::from_u128(1),
        sequence,
    }
}

/// The sequence of a task, which the tests carry in its input.
pub fn sequence(task: &Task) -> u64 {
    let input = value::to_json(task.input.as_ref().unwrap());
    input["sequence"].as_u64().unwrap()
}

pub fn offer(sequence: u64, target: Target) -> Offer {
    #[allow(clippy::cast_precision_loss)]
    let number = value::number(sequence as f64);
    Offer {
        key: key(sequence),
        namespace: "default".into(),
        workflow: "flow".into(),
        step: "outer/inner".into(),
        again: None,
        target,
        is_computed: false,
        has_next: false,
        priority: 5,
        fairness_key: "flow".into(),
        attempt: 1,
        input: value::object([("sequence", number)]),
        context: None,
        timeout: None,
        schedule_time: Time::default(),
    }
}

/// What is left of an offer whose execution leaves memory.
pub fn ticket(offer: &Offer) -> Ticket {
    Ticket {
        key: offer.key,
        namespace: offer.namespace.clone(),
        target: offer.target.clone(),
        has_next: offer.has_next,
        priority: offer.priority,
        fairness_key: offer.fairness_key.clone(),
        schedule_time: offer.schedule_time,
    }
}

pub fn to_agent(id: &str) -> Target {
    Target::Agent(id.into())
}

pub fn to_skill(skill: &str, labels: &[(&str, &str)], select: Select) -> Target {
    let labels: BTreeMap<_, _> = labels
        .iter()
        .map(|(k, v)| (k.to_string(), v.to_string()))
        .collect();
    Target::Skill {
        skill: skill.into(),
        labels,
        select,
    }
}

pub fn agent(id: &str) -> Agent {
    Agent {
        id: id.into(),
        ..Agent::default()
    }
}

pub fn skilled(id: &str, skill: &str, labels: &[(&str, &str)]) -> Agent {
    let labels: HashMap<_, _> = labels
        .iter()
        .map(|(k, v)| (k.to_string(), v.to_string()))
        .collect();
    Agent {
        skills: vec![skill.into()],
        labels,
        ..agent(id)
    }
}

pub fn hello(id: &str, agents: &[&str]) -> Hello {
    Hello {
        worker_id: id.into(),
        agents: agents.iter().map(|id| agent(id)).collect(),
        ..Hello::default()
    }
}

/// A schema that objects with this member fulfil.
pub fn requires(member: &str) -> Value {
    value::from_json(&serde_json::json!({ "type": "object", "required": [member] }))
}
