//! Many random changes, a check after each, and at the end every task has ended once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use futures::FutureExt as _;

use super::{
    engine::{Engine, Random},
    invariants::check,
    rig::*,
};
use crate::{
    agents::{Dispatch as _, Hub},
    core::{plan::Select, value},
    proto::{
        Accept, Agent, Draining, Hello, Task, agent::State as AgentState,
        work_request::Message as Up, work_response::Message as Down,
    },
};

/// Runs of the room; a failing one names its seed, which replays it.
const SEEDS: u64 = 100;
/// Changes in one run.
const CHANGES: usize = 120;

const AGENTS: [&str; 3] = ["a", "b", "c"];
const WORKERS: [&str; 4] = ["w0", "w1", "w2", "w3"];

#[tokio::test(start_paused = true)]
async fn whatever_happens_every_task_ends_once() {
    for seed in 0..SEEDS {
        let run = std::panic::AssertUnwindSafe(run(seed));
        if let Err(panic) = run.catch_unwind().await {
            eprintln!("failing seed: {seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

async fn run(seed: u64) {
    let mut world = World::new(seed);
    for _ in 0..CHANGES {
        world.change().await;
        check(&world.hub);
    }
    world.finish().await;
}

/// A worker that may be connected, and what it believes to hold.
#[derive(Default)]
struct Player {
    stream: Option<TestWorker>,
    offered: Vec<Task>,
    held: Vec<Task>,
}

impl Player {
    fn forget(&mut self, token: &str) {
        self.offered.retain(|t| t.token != token);
        self.held.retain(|t| t.token != token);
    }

    fn hear(&mut self, message: Down) {
        match message {
            Down::Tasks(tasks) => self.offered.extend(tasks.tasks),
            Down::Cancel(cancel) => cancel.tokens.iter().for_each(|t| self.forget(t)),
            Down::ResultAck(acks) => acks.acks.iter().for_each(|a| self.forget(&a.token)),
            Down::GoAway(_) | Down::Drain(_) | Down::Ping(_) | Down::Welcome(_) => {}
        }
    }
}

struct World {
    hub: Hub,
    engine: Arc<Engine>,
    random: Random,
    players: Vec<Player>,
    polled: Vec<Task>,
    next: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let hub = Hub::new(&limits());
        let engine = Arc::new(Engine::new(&hub, seed ^ 0xabcd));
        hub.set_sink(engine.clone());
        tokio::spawn(hub.clone().run(std::future::pending()));
        let mut world = Self {
            hub,
            engine,
            random: Random(seed),
            players: WORKERS.iter().map(|_| Player::default()).collect(),
            polled: Vec::new(),
            next: 1,
        };
        for i in 0..AGENTS.len() {
            world.put_agent(i, AgentState::Active);
        }
        world
    }

    fn put_agent(&mut self, i: usize, state: AgentState) {
        let agent = Agent {
            max_concurrency: [0, 3, 1][i],
            state: state.into(),
            ..skilled(AGENTS[i], ["x", "x", "y"][i], &[])
        };
        self.hub.put_agent("default", agent);
    }

    async fn change(&mut self) {
        let who = self.random.below(self.players.len());
        match self.random.below(19) {
            0..=3 => self.enqueue(),
            4 | 5 => self.connect(who).await,
            6 => self.players[who].stream = None,
            7 => self.say(who, Up::Draining(Draining {})).await,
            8 | 9 => self.credit(who).await,
            10 | 11 => self.accept(who).await,
            12 | 13 => self.complete(who).await,
            14 => self.poll().await,
            15 => self.disturb(who),
            16 | 17 => self.let_leave(),
            _ => self.pass(who).await,
        }
        rest().await;
        self.listen();
    }

    /// Queues one task, or takes one back.
    fn enqueue(&mut self) {
        let sequence = self.next;
        if sequence > 1 && self.random.one_in(8) {
            let withdrawn = key(1 + self.random.below(sequence as usize - 1) as u64);
            self.engine.withdraw(withdrawn);
            self.hub.withdraw(withdrawn, "not wanted");
            return;
        }
        self.next += 1;
        let select = match self.random.below(4) {
            0 => Select::LeastLoaded,
            1 => Select::RoundRobin,
            key => Select::Sticky(key.to_string().into()),
        };
        let target = match self.random.below(5) {
            3 => to_skill("x", &[], select),
            4 => to_skill("y", &[], select),
            i => to_agent(AGENTS[i]),
        };
        let offer = offer(sequence, target);
        self.engine.schedule(&offer);
        self.hub.enqueue(offer);
    }

    /// Some executions that only wait leave memory.
    fn let_leave(&mut self) {
        for sequence in 1..self.next {
            if self.random.one_in(2) {
                self.engine.leave(key(sequence));
            }
        }
    }

    /// Connects a worker, which names all, some or none of what it holds.
    async fn connect(&mut self, who: usize) {
        let agents: Vec<_> = AGENTS
            .iter()
            .filter(|_| self.random.one_in(2))
            .copied()
            .collect();
        if agents.is_empty() {
            return;
        }
        let player = &mut self.players[who];
        player.held.append(&mut player.offered);
        if self.random.one_in(4) {
            player.held.pop();
        }
        let hello = Hello {
            max_concurrency: self.random.below(4) as u32 * 2,
            held_tokens: player.held.iter().map(|t| t.token.clone()).collect(),
            ..hello(WORKERS[who], &agents)
        };
        // What was adopted may be more than the limit of a worker that now says less.
        let held = u32::try_from(player.held.len()).unwrap();
        let hello = Hello {
            max_concurrency: match hello.max_concurrency {
                0 => 0,
                max => max.max(held),
            },
            ..hello
        };
        let (session, welcome, down) = self.hub.connect(hello).await.unwrap();
        let player = &mut self.players[who];
        let kept: BTreeSet<_> = welcome.adopted_tokens.into_iter().collect();
        player.held.retain(|t| kept.contains(&t.token));
        player.stream = Some(TestWorker { session, down });
    }

    async fn say(&mut self, who: usize, message: Up) {
        if let Some(stream) = &self.players[who].stream {
            stream.say(message).await;
        }
    }

    async fn credit(&mut self, who: usize) {
        let tasks = self.random.below(5) as u32;
        if let Some(stream) = &self.players[who].stream {
            stream.credit(tasks).await;
        }
    }

    async fn accept(&mut self, who: usize) {
        let player = &mut self.players[who];
        let Some(stream) = &player.stream else {
            return;
        };
        let keep = self.random.below(player.offered.len() + 1);
        let taken = player.offered.split_off(keep);
        let tokens = taken.iter().map(|t| t.token.clone()).collect();
        player.held.extend(taken);
        stream.say(Up::Accept(Accept { tokens })).await;
    }

    async fn complete(&mut self, who: usize) {
        let player = &self.players[who];
        if let (Some(stream), Some(task)) = (&player.stream, player.held.first()) {
            stream.complete(task, value::null()).await;
        }
        if let Some(task) = self.polled.pop() {
            // Refused or not: the poller is done with it.
            let _ = self.hub.complete(&task.token, value::null(), None).await;
        }
    }

    /// Takes tasks by a call, which now and then goes away before its answer.
    async fn poll(&mut self) {
        let agents = [AGENTS[self.random.below(3)].to_owned()];
        let wait = self.random.millis(50);
        let poll = self.hub.poll("", "poller", &agents, 2, wait);
        let patience = self.random.millis(60);
        if let Ok(polled) = tokio::time::timeout(patience, poll).await {
            self.polled.extend(polled.unwrap());
        }
    }

    fn disturb(&mut self, who: usize) {
        let i = self.random.below(AGENTS.len());
        match self.random.below(5) {
            0 => self.put_agent(i, AgentState::Disabled),
            1 => self.put_agent(i, AgentState::Draining),
            // Only the one without a limit: a limit that comes back may be exceeded already.
            2 => drop(self.hub.remove_agent("default", AGENTS[0])),
            3 => drop(self.hub.drain_worker("default", WORKERS[who])),
            _ => self.put_agent(i, AgentState::Active),
        }
    }

    async fn pass(&mut self, who: usize) {
        if let Some(stream) = &self.players[who].stream {
            for task in &self.players[who].held {
                stream.heartbeat(task).await;
            }
        }
        pass(self.random.millis(12_000)).await;
    }

    fn listen(&mut self) {
        for player in &mut self.players {
            while let Some(stream) = &mut player.stream {
                match stream.down.try_recv() {
                    Ok(message) => player.hear(message),
                    Err(_) if stream.down.is_closed() => player.stream = None,
                    Err(_) => break,
                }
            }
        }
    }

    /// The faults stop: one good worker does what is left.
    async fn finish(&mut self) {
        for i in 0..AGENTS.len() {
            self.put_agent(i, AgentState::Active);
        }
        self.engine.failing.store(false, Relaxed);
        self.players.clear();
        let (session, _, down) = self.hub.connect(hello("good", &AGENTS)).await.unwrap();
        let mut worker = TestWorker { session, down };
        let mut held: BTreeMap<String, Task> = BTreeMap::new();
        let mut idle = 0;
        while idle < 40 {
            worker.credit(9).await;
            let messages = worker.messages().await;
            idle = if messages.is_empty() { idle + 1 } else { 0 };
            for message in messages {
                match message {
                    Down::Tasks(tasks) => {
                        worker.accept(&tasks.tasks).await;
                        held.extend(tasks.tasks.into_iter().map(|t| (t.token.clone(), t)));
                    }
                    Down::ResultAck(acks) => acks.acks.iter().for_each(|a| {
                        held.remove(&a.token);
                    }),
                    Down::Cancel(cancel) => cancel.tokens.iter().for_each(|token| {
                        held.remove(token);
                    }),
                    other => panic!("{other:?}"),
                }
            }
            for task in held.values() {
                worker.complete(task, value::null()).await;
            }
            pass(Duration::from_secs(2)).await;
            check(&self.hub);
        }
        self.all_is_done();
    }

    fn all_is_done(&self) {
        assert_eq!(self.engine.open(), [], "lost");
        self.hub.locked(|state, _| {
            assert!(state.tasks.is_empty());
            assert!(state.reports.is_empty());
            assert!(state.skills.is_empty());
            assert_eq!(state.workers.len(), 1);
            assert_eq!(state.seats.len(), 1);
        });
    }
}
