//! The world around one execution: a journal that may lose its tail, a queue, workers that do
//! anything, a clock that jumps.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use prost::Message as _;
use tutti::{
    core::{
        decide::{self, Command, Effect, Outcome, Rejection, Remembered, decide},
        execution::{Execution, ExecutionState, StepState, apply},
        limits::Limits,
        plan::{self, Plan},
        time::Time,
        value,
    },
    proto::{Event, Workflow},
};
use uuid::Uuid;

use crate::{children::Children, patterns, rng::Rng};

/// How many random things happen before the faults stop.
const TROUBLE: usize = 60;
/// How many decisions an execution may need to end in calm.
const CALM_MAX: usize = 20_000;
/// How many events make an execution a long one.
const LONG: usize = 2_000;
const CLASSES: [&str; 5] = ["timeout", "unavailable", "agent_error", "validation", "own"];

/// What a worker holds: a task and the lease, 0 while it is only queued.
type Tasks = BTreeMap<u64, u64>;

pub struct World {
    plan: Arc<Plan>,
    limits: Limits,
    rng: Rng,
    now: Time,
    live: Execution,
    /// Encoded, as a journal has them; all of them durable.
    journal: Vec<Vec<u8>>,
    /// Folded from the journal alone, one event at a time.
    shadow: Execution,
    tasks: Tasks,
    children: Children,
    leases: u64,
    outputs: Remembered,
    /// How often each step's completion was recorded since the last time it was made new.
    ended_at: Option<usize>,
}

impl World {
    pub fn begin(workflow: &Workflow, rng: Rng) -> Option<Self> {
        let limits = Limits::default();
        let plan = match plan::compile(workflow, &limits) {
            Ok(compiled) => Arc::new(compiled.plan),
            Err(findings) => {
                // Only what chance cannot know is refused: reading what never has a value.
                let known = [
                    "unordered",
                    "never-ordered",
                    "unreachable-read",
                    "never-ending",
                ];
                let strange = findings.iter().find(|f| {
                    f.severity() == tutti::proto::finding::Severity::Error
                        && !known.contains(&f.rule.as_str())
                });
                assert!(strange.is_none(), "{strange:?}\n{workflow:#?}");
                return None;
            }
        };
        let start = decide::Start {
            id: Uuid::from_u128(7),
            namespace: "default".into(),
            version: 1,
            definition: None,
            input: value::number(7.0),
            labels: Default::default(),
            request_id: String::new(),
            parent: None,
            agents: BTreeMap::new().into_iter().collect(),
        };
        let now = Time::from_nanos(1_000_000_000);
        let mut outputs = Remembered::default();
        let (live, outcome) =
            decide::start(Arc::clone(&plan), start, now, &limits, &mut outputs).unwrap();
        let shadow = Execution::create(Arc::clone(&plan), &outcome.events[0]).unwrap();
        let mut world = Self {
            plan,
            limits,
            rng,
            now,
            live,
            journal: vec![outcome.events[0].encode_to_vec()],
            shadow,
            tasks: Tasks::new(),
            children: Children::default(),
            leases: 0,
            outputs,
            ended_at: None,
        };
        let events = outcome.events[1..].to_vec();
        world.land(Outcome {
            events,
            effects: outcome.effects,
        });
        Some(world)
    }

    /// Random things happen, crashes among them.
    pub fn trouble(&mut self) {
        for _ in 0..TROUBLE {
            self.now = self
                .now
                .after(Duration::from_millis(self.rng.next() % 3_000));
            match self.rng.below(100) {
                0..=24 => self.accept(),
                25..=59 => self.report(),
                60..=69 => self.child(),
                70..=84 => drop(self.attempt(Command::Tick)),
                85..=92 => self.crash(),
                93 => self.sleep_long(),
                94 => self.child(),
                95 => drop(self.attempt(Command::Pause {
                    reason: "simulated".into(),
                })),
                96..=97 => self.stale_report(),
                98 => drop(self.attempt(Command::Cancel {
                    reason: "simulated".into(),
                })),
                _ => self.resume(),
            }
        }
    }

    fn resume(&mut self) {
        let vars = self.rng.below(2) as f64;
        self.attempt(Command::Resume {
            reason: "simulated".into(),
            variables: value::Struct {
                fields: [("v0".to_owned(), value::number(vars))].into(),
            },
        });
    }

    /// Nothing fails any more: the execution must end.
    pub fn calm(&mut self) {
        for _ in 0..CALM_MAX {
            if self.live.is_ended() {
                return self.check_end();
            }
            if let Some((&task, &lease)) = self.tasks.first_key_value() {
                let lease = if lease == 0 {
                    self.accept_task(task)
                } else {
                    lease
                };
                let output = patterns::answer(&mut self.rng, &self.live, task, true);
                self.attempt(Command::Complete {
                    task,
                    lease,
                    output,
                    usage: None,
                });
            } else if let Some(report) = self.children.go_on(&mut self.rng, true) {
                self.attempt(report);
            } else if self.live.pause.is_some() {
                // What fails every time is given up at last.
                match self.rng.chance(90) {
                    true => self.resume(),
                    false => drop(self.attempt(Command::Cancel {
                        reason: "given up".into(),
                    })),
                }
            } else {
                let due = self.live.next_due();
                let due = due.expect("an execution in which nothing is in progress waits for time");
                self.now = self.now.max(due);
                self.attempt(Command::Tick);
            }
        }
        panic!("the execution does not end: {:#?}", self.live);
    }

    pub fn outcome(&self) -> usize {
        match self.live.state {
            ExecutionState::Completed => 0,
            ExecutionState::Failed => 1,
            ExecutionState::Cancelled => 2,
            ExecutionState::TimedOut => 3,
            other => panic!("ended as {other:?}"),
        }
    }

    fn accept(&mut self) {
        let waiting: Vec<u64> = self.held(|lease| lease == 0);
        if !waiting.is_empty() {
            let task = *self.rng.pick(&waiting);
            self.accept_task(task);
        }
    }

    fn accept_task(&mut self, task: u64) -> u64 {
        self.leases += 1;
        let lease = self.leases;
        self.tasks.insert(task, lease);
        self.attempt(Command::Accept {
            task,
            worker_id: "w".into(),
            agent: "worker".into(),
            lease,
        });
        lease
    }

    fn report(&mut self) {
        let running: Vec<u64> = self.held(|lease| lease > 0);
        if running.is_empty() {
            return;
        }
        let task = *self.rng.pick(&running);
        let lease = self.tasks[&task];
        let command = if self.rng.chance(60) {
            let output = patterns::answer(&mut self.rng, &self.live, task, false);
            Command::Complete {
                task,
                lease,
                output,
                usage: None,
            }
        } else {
            Command::Fail {
                task,
                lease,
                class: (*self.rng.pick(&CLASSES)).into(),
                message: "simulated".into(),
                retry_after: self.rng.chance(20).then_some(Duration::from_secs(3)),
                usage: None,
            }
        };
        let repeated = self.rng.chance(20).then(|| command.clone());
        let landed = self.attempt(command);
        if let Some(command) = repeated.filter(|_| landed) {
            let before = self.live.sequence;
            let answer = decide(
                &mut self.live,
                command,
                self.now,
                &self.limits,
                &mut self.outputs,
            );
            let silent = matches!(&answer, Ok(outcome) if outcome.events.is_empty());
            assert!(silent || answer == Err(Rejection::Stale), "{answer:?}");
            assert_eq!(
                self.live.sequence, before,
                "a repeated result changes nothing"
            );
        }
    }

    /// A result under a lease that never was.
    fn stale_report(&mut self) {
        let task = self.rng.next() % (self.live.sequence + 3);
        let output = value::null();
        let (lease, usage) = (u64::MAX, None);
        let command = Command::Complete {
            task,
            lease,
            output,
            usage,
        };
        let before = self.live.clone();
        let answer = decide(
            &mut self.live,
            command,
            self.now,
            &self.limits,
            &mut self.outputs,
        );
        assert_eq!(answer, Err(Rejection::Stale));
        assert!(self.live == before, "a refused command changes nothing");
    }

    fn sleep_long(&mut self) {
        self.now = self.now.after(Duration::from_secs(120));
        self.attempt(Command::Tick);
    }

    fn held(&self, wanted: impl Fn(u64) -> bool) -> Vec<u64> {
        let tasks = self.tasks.iter();
        tasks
            .filter(|(_, l)| wanted(**l))
            .map(|(t, _)| *t)
            .collect()
    }

    /// Decides a command; the process may die before it is durable. True when it is.
    fn attempt(&mut self, command: Command) -> bool {
        let ended = self.live.is_ended();
        let answer = decide(
            &mut self.live,
            command,
            self.now,
            &self.limits,
            &mut self.outputs,
        );
        match answer {
            Ok(outcome) if self.rng.chance(4) && !ended && self.is_looked_at() => {
                // Died before the append: nothing of it was, no effect was released.
                drop(outcome);
                self.outputs = Remembered::default();
                self.crash();
                return false;
            }
            Ok(outcome) => self.land(outcome),
            Err(Rejection::Stale | Rejection::NotPaused(_)) => return false,
            Err(Rejection::Ended(_)) => {
                let ending = self.live.ending.is_some();
                assert!(ended || ending, "refused as ended while open");
            }
            Err(other) => panic!("{other}"),
        }
        true
    }

    /// The events are durable; effects are released.
    fn land(&mut self, outcome: Outcome) {
        for event in &outcome.events {
            let bytes = event.encode_to_vec();
            let event = Event::decode(bytes.as_slice()).unwrap();
            assert_eq!(event.sequence, self.shadow.sequence + 1, "gap-free");
            assert!(self.ended_at.is_none(), "nothing follows the end");
            apply(&mut self.shadow, &event);
            self.journal.push(bytes);
            if self.shadow.is_ended() {
                self.ended_at = Some(self.journal.len());
            }
        }
        let compared = self.is_looked_at();
        assert!(
            !compared || self.shadow == self.live,
            "the fold of the events is not the live state:\n{:#?}\n{:#?}",
            self.shadow,
            self.live
        );
        if self.rng.chance(2) && self.is_looked_at() {
            // Died after the append: nothing of it was done outside.
            return self.crash();
        }
        for effect in outcome.effects {
            match effect {
                Effect::StartChild(_) | Effect::StopChild { .. } => {
                    if let Some(report) = self.children.take(effect) {
                        self.attempt(report);
                    }
                }
                Effect::TellParent(_) => panic!("it has no parent"),
                Effect::Dispatch(task) => drop(self.tasks.insert(task.task, 0)),
                Effect::Withdraw { task, .. } | Effect::Release { task } => {
                    self.tasks.remove(&task);
                }
            }
        }
    }

    /// Whether what goes over all of the execution is done: of a long one only now and then.
    fn is_looked_at(&mut self) -> bool {
        self.journal.len() < LONG || self.rng.chance(1)
    }

    /// The process dies and comes back: state is what the journal folds to, the queue is what
    /// the state says.
    fn crash(&mut self) {
        let events: Vec<Event> = self
            .journal
            .iter()
            .map(|bytes| Event::decode(bytes.as_slice()).unwrap())
            .collect();
        self.live = Execution::replay(Arc::clone(&self.plan), &events).unwrap();
        assert!(
            self.live == self.shadow,
            "replay is not the incremental fold"
        );
        let before = std::mem::take(&mut self.tasks);
        for (run, step) in self.live.runs() {
            if self.live.dispatch_of(run).is_none() {
                continue;
            }
            match step.state {
                StepState::Waiting => drop(self.tasks.insert(step.scheduled, 0)),
                StepState::Running => drop(self.tasks.insert(step.scheduled, step.lease)),
                _ => {}
            }
        }
        let lost = before.keys().find(|task| {
            let run = self.live.task(**task).map(|r| self.live.run(r));
            run.is_some_and(|r| {
                let over = r.state == StepState::Retrying || r.awaited().is_some();
                r.is_active() && r.scheduled == **task && !over
            }) && !self.tasks.contains_key(task)
        });
        assert_eq!(lost, None, "a task in progress is lost by a crash");
        self.children_again();
    }

    /// After a crash: the execution asks for its children again, and they tell how far they are.
    fn children_again(&mut self) {
        let reports = self.children.crash();
        let runs = self.live.runs_with_child().into_iter();
        let starts: Vec<_> = runs.filter_map(|r| self.live.child_start(r)).collect();
        for start in starts {
            let answer = self.children.take(Effect::StartChild(Box::new(start)));
            answer.map(|report| self.attempt(report));
        }
        for report in reports {
            self.attempt(report);
        }
    }

    fn child(&mut self) {
        let Some(report) = self.children.go_on(&mut self.rng, false) else {
            return;
        };
        let again = self.rng.chance(20).then(|| report.clone());
        if self.attempt(report)
            && let Some(again) = again
        {
            let before = self.live.sequence;
            self.attempt(again);
            assert_eq!(self.live.sequence, before, "said again, it changes nothing");
        }
    }

    fn check_end(&self) {
        let children = self.children.left_open();
        assert!(children.is_empty(), "nobody ends {children:?}");
        let active = self.live.runs().skip(1).find(|(_, run)| run.is_active());
        assert!(active.is_none(), "active after the end: {active:?}");
        assert!(
            self.tasks.is_empty(),
            "handed out after the end: {:?}",
            self.tasks
        );
        assert_eq!(self.live.calls_in_progress(), 0);
        assert_eq!(self.live.next_due(), None);
    }
}
