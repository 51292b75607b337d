//! Results: judged, told to the engine once however often they come, and answered when they
//! are durable.

use std::sync::Arc;

use tokio::{
    sync::{OwnedSemaphorePermit, oneshot},
    time::Instant,
};

use super::{
    Fact, Failure, Hub, Refusal, Settled, Token, What,
    effect::Effect,
    matching::violations,
    state::{Bounds, State},
    task::{Phase, failure},
};
use crate::{
    core::{
        schema::Schema,
        value::{self, Value},
    },
    proto::{
        Usage,
        result_ack::{Ack, Outcome as AckOutcome},
    },
};

/// A result on its way to the engine.
pub(super) struct Report {
    /// False when this room gave it up itself: then no worker's result counts any more.
    pub by_worker: bool,
    too_large: Option<Refusal>,
    waiting: Vec<Reply>,
    /// The room it takes among its worker's messages, until it is durable.
    _room: Option<OwnedSemaphorePermit>,
}

/// Who is to hear what became of a result.
pub(super) enum Reply {
    /// The worker of this namespace and name, on whatever stream it then has.
    Stream(Arc<str>, Arc<str>),
    /// A single call.
    Call(oneshot::Sender<Result<(), Refusal>>),
}

/// What a worker says became of its task.
pub(super) enum Outcome {
    Output(Value, Option<Usage>),
    Failure(Failure),
}

/// An outcome as the engine is told it.
pub(super) struct Verdict {
    pub outcome: Outcome,
    /// Set when the output was over the limit.
    pub too_large: Option<Refusal>,
}

/// A result that has come, judged as far as it can be without the schema of its agent.
pub(super) struct Given {
    pub token: Token,
    pub verdict: Verdict,
    /// The size of the output.
    pub bytes: usize,
    pub reply: Reply,
    /// The room it takes among its worker's messages.
    pub room: Option<OwnedSemaphorePermit>,
}

impl Hub {
    /// Takes results in their order, as one change with `first`, and tells the engine. Outputs
    /// for which there is a schema are held against it in between, without the lock.
    pub(super) fn take_results(&self, given: Vec<Given>, first: impl FnOnce(&mut State, Instant)) {
        let mut given = given.into_iter();
        let mut next = self.told(|state, now| {
            first(state, now);
            state.report_until_schema(None, &mut given, now)
        });
        while let Some((mut unchecked, schema)) = next {
            let verdict = unchecked.verdict;
            unchecked.verdict = judge(
                verdict.outcome,
                unchecked.bytes,
                Some(&schema),
                self.bounds(),
            );
            let checked = Some(unchecked);
            next = self.told(|state, now| state.report_until_schema(checked, &mut given, now));
        }
    }
}

impl Report {
    /// One that no worker gave.
    pub fn by_server() -> Self {
        Self {
            by_worker: false,
            too_large: None,
            waiting: Vec::new(),
            _room: None,
        }
    }

    /// Adds who is to hear of it; the same stream only once.
    fn join(&mut self, reply: Reply) {
        let same = |other: &Reply| match (other, &reply) {
            (Reply::Stream(s, w), Reply::Stream(space, worker)) => s == space && w == worker,
            _ => false,
        };
        if !self.waiting.iter().any(same) {
            self.waiting.push(reply);
        }
    }
}

/// Holds an outcome against the limits, JSON and the agent's schema; what breaks them is a
/// failure.
pub(super) fn judge(
    outcome: Outcome,
    bytes: usize,
    schema: Option<&Schema>,
    bounds: &Bounds,
) -> Verdict {
    let Outcome::Output(output, usage) = outcome else {
        return Verdict {
            outcome,
            too_large: None,
        };
    };
    let usage = usage.map(countable);
    let bytes_max = bounds.payload_bytes_max;
    let too_large = (bytes > bytes_max).then_some(Refusal::TooLarge { bytes, bytes_max });
    let wrong = match &too_large {
        Some(refusal) => Some(failure("limit", refusal.to_string())),
        None => flaw(&output, schema).map(|flaw| failure("invalid_output", flaw)),
    };
    let outcome = match wrong {
        Some(wrong) => Outcome::Failure(Failure { usage, ..wrong }),
        None => Outcome::Output(output, usage),
    };
    Verdict { outcome, too_large }
}

/// What is wrong with an output, in words.
fn flaw(output: &Value, schema: Option<&Schema>) -> Option<String> {
    if let Some(pointer) = value::unwritable(output) {
        return Some(format!(
            "output{pointer} is infinite or not a number: JSON cannot write it"
        ));
    }
    let wrong = schema.and_then(|schema| violations(schema, output))?;
    Some(format!("the output breaks the agent's schema: {wrong}"))
}

/// What a worker says was used, without a cost that is no amount: sums would be spoiled.
pub(super) fn countable(usage: Usage) -> Usage {
    let cost = usage.cost;
    Usage {
        cost: if cost.is_finite() { cost.max(0.0) } else { 0.0 },
        ..usage
    }
}

impl State {
    /// The schema that the output under a token must fulfil.
    fn output_schema(&self, token: Token) -> Option<Arc<Schema>> {
        let phase = self.phase(token.key)?;
        let agent = phase.agent().filter(|_| phase.lease() == Some(token.lease));
        let record = self.agents.get(&agent?)?.record.as_ref()?;
        record.output.clone()
    }

    /// Takes results up to the first whose output is to be held against a schema: gives that one.
    fn report_until_schema(
        &mut self,
        checked: Option<Given>,
        given: &mut impl Iterator<Item = Given>,
        now: Instant,
    ) -> Option<(Given, Arc<Schema>)> {
        if let Some(checked) = checked {
            self.report(checked, now);
        }
        for one in given {
            let output = matches!(one.verdict.outcome, Outcome::Output(..));
            match self.output_schema(one.token).filter(|_| output) {
                Some(schema) => return Some((one, schema)),
                None => self.report(one, now),
            }
        }
        None
    }

    /// Takes a result. One under a token that this room knows nothing of is told to the engine
    /// all the same: it may be the repetition of one that counts.
    fn report(&mut self, given: Given, now: Instant) {
        let Given {
            token,
            verdict,
            reply,
            room,
            ..
        } = given;
        if let Some(report) = self.reports.get_mut(&token) {
            if report.by_worker {
                report.join(reply);
            } else {
                let refusal = Refusal::Stale("its lease ran out".into());
                self.answer(reply, token, Err(refusal));
            }
            return;
        }
        match self.phase(token.key) {
            Some(phase) if phase.lease() != Some(token.lease) => {
                let refusal = Refusal::Stale("it is not handed out under this token".into());
                self.answer(reply, token, Err(refusal));
                return;
            }
            Some(Phase::Offered { .. }) => {
                self.take(token.key, false, None, now);
            }
            Some(Phase::Queued(_) | Phase::Leased { .. }) | None => {}
        }
        if let Some(Phase::Leased { until, .. }) = self.phase(token.key) {
            self.due.remove(&(until, token.key));
        }
        let report = Report {
            by_worker: true,
            too_large: verdict.too_large,
            waiting: vec![reply],
            _room: room,
        };
        self.reports.insert(token, report);
        let agent = self.phase(token.key).and_then(|phase| phase.agent());
        let what = match verdict.outcome {
            Outcome::Output(output, usage) => {
                agent.into_iter().for_each(|a| self.agent_succeeded(a));
                What::Completed { output, usage }
            }
            Outcome::Failure(failure) => {
                let class = failure.class.as_str();
                agent
                    .into_iter()
                    .for_each(|a| self.agent_failed(a, class, now));
                What::Failed(failure)
            }
        };
        self.effects.push(Effect::Fact(Fact { token, what }));
    }

    /// Brings back what became of a fact.
    pub fn settled(&mut self, settled: Settled, now: Instant) {
        let Settled {
            token,
            acceptance,
            result,
        } = settled;
        if !acceptance {
            return self.reported(token, result, now);
        }
        if let Err(refusal) = &result {
            self.acceptance_refused(token, refusal, now);
        }
        if let Some(done) = self.awaited.remove(&token) {
            // A poll that went away abandons its leases itself.
            let _ = done.send(result);
        }
    }

    /// Answers a result.
    pub fn answer(&mut self, reply: Reply, token: Token, result: Result<(), Refusal>) {
        match reply {
            Reply::Call(sender) => {
                // A caller that went away repeats its call.
                let _ = sender.send(result);
            }
            Reply::Stream(space, worker) => {
                let seat = self.stream_named(&space, &worker);
                if let (Some(seat), Some(ack)) = (seat, ack(token.to_string(), result)) {
                    self.acks.entry(seat).or_default().push(ack);
                }
            }
        }
    }

    fn acceptance_refused(&mut self, token: Token, refusal: &Refusal, now: Instant) {
        if *refusal == Refusal::Unavailable || !self.holds(token) {
            return;
        }
        if let Some(Phase::Leased { worker, .. }) = self.phase(token.key)
            && let Some(seat) = self.stream_of(worker)
        {
            self.cancel(seat, token, &refusal.to_string());
        }
        self.free(token.key, now);
    }

    fn reported(&mut self, token: Token, result: Result<(), Refusal>, now: Instant) {
        let Some(report) = self.reports.remove(&token) else {
            return;
        };
        if self.holds(token) {
            match &result {
                Ok(()) | Err(Refusal::Stale(_)) => self.free(token.key, now),
                // The attempt goes on: its worker, or the timer, tells it again.
                Err(_) => {
                    self.renew(token, now);
                }
            }
        }
        let result = result.and(report.too_large.map_or(Ok(()), Err));
        for reply in report.waiting {
            self.answer(reply, token, result.clone());
        }
    }

    fn holds(&self, token: Token) -> bool {
        let phase = self.phase(token.key);
        matches!(phase, Some(Phase::Leased { lease, .. }) if lease == token.lease)
    }
}

/// The ack of a result; `None` while its worker is to repeat it.
pub(super) fn ack(token: String, result: Result<(), Refusal>) -> Option<Ack> {
    let (outcome, message) = match result {
        Ok(()) => (AckOutcome::Recorded, String::new()),
        Err(refusal @ (Refusal::Stale(_) | Refusal::Invalid { .. })) => {
            (AckOutcome::Stale, refusal.to_string())
        }
        Err(refusal @ Refusal::TooLarge { .. }) => (AckOutcome::TooLarge, refusal.to_string()),
        Err(Refusal::Unavailable) => return None,
    };
    Some(Ack {
        token,
        outcome: outcome.into(),
        message,
    })
}
