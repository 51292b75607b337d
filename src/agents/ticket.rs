//! Tickets: places in the queue of attempts whose executions have left memory. A ticket is
//! small and knows no input; when someone could take the attempt, the engine is asked for it.
//!
//! The place is the time at which the attempt was scheduled, so an attempt stands where it
//! stood whether it is here whole or not, and after a restart too.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use tokio::time::Instant;

use super::{
    Hub, TaskKey, Ticket, Token,
    blocks::Blocks,
    effect::Effect,
    queue::{Place, Source},
    state::{AgentId, Sink, State},
    sticky,
    task::Phase,
};
use crate::core::plan::Target;

/// The most attempts that the engine is asked for and has not given yet.
const FETCHES_MAX: usize = 1_024;
/// The least and the most attempts of one queue that are asked for ahead of those who take them.
const AHEAD_MIN: usize = 4;
const AHEAD_MAX: usize = 64;

/// All tickets. There may be a million of them: what many have in common is kept once.
#[derive(Default)]
pub(super) struct Tickets {
    waiting: Blocks<TaskKey, Kept>,
    /// What tickets have in common, while some do.
    lines: BTreeMap<Line, Arc<Line>>,
    /// What the keys of those count as that are sticky to an agent.
    sticky: Blocks<TaskKey, u64>,
    /// Those that someone else may do, which are to be fetched because nobody here takes them.
    away: BTreeSet<TaskKey>,
    /// Those that the engine was asked for.
    fetching: HashSet<TaskKey>,
    /// Queues whose turn to ask has not come.
    starved: BTreeSet<Source>,
}

/// Where a ticket stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stand {
    pub place: Place,
    pub source: Source,
}

/// Where a ticket stands, as it is kept.
struct Kept {
    /// When it was scheduled, as in its place.
    at: u64,
    line: Arc<Line>,
}

/// The most that a ticket takes here and in its queue, in bytes, beside what it shares. A waiting
/// execution is to cost 200 bytes in all.
const TICKET_BYTES_MAX: usize = 72;
const _: () =
    assert!(size_of::<(TaskKey, Kept)>() + size_of::<(u64, TaskKey)>() <= TICKET_BYTES_MAX);

/// What tickets have in common that stand behind one another in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    source: Source,
    priority: u8,
    lane: u64,
    /// Someone else may do them.
    has_next: bool,
}

impl Kept {
    fn stand(&self) -> Stand {
        let Line {
            source,
            priority,
            lane,
            ..
        } = *self.line;
        let at = self.at;
        let place = Place { priority, at, lane };
        Stand { place, source }
    }
}

impl Tickets {
    pub fn get(&self, key: &TaskKey) -> Option<Stand> {
        self.waiting.get(key).map(Kept::stand)
    }

    pub fn contains(&self, key: &TaskKey) -> bool {
        self.waiting.get(key).is_some()
    }

    fn put(&mut self, key: TaskKey, stand: Stand, target: &Target, has_next: bool) {
        self.keep(key, stand, has_next);
        if let Some(sticky) = target.sticky_key() {
            self.sticky.insert(key, sticky::hash(sticky));
        }
    }

    fn keep(&mut self, key: TaskKey, Stand { place, source }: Stand, has_next: bool) {
        let Place { priority, at, lane } = place;
        let line = Line {
            source,
            priority,
            lane,
            has_next,
        };
        let line = self.lines.entry(line).or_insert_with(|| Arc::new(line));
        let line = Arc::clone(line);
        self.waiting.insert(key, Kept { at, line });
    }

    /// Takes a ticket away; its place in the queue is the caller's.
    pub fn take(&mut self, key: &TaskKey) -> Option<Stand> {
        let (stand, _) = self.let_go(key)?;
        self.sticky.remove(key);
        self.away.remove(key);
        Some(stand)
    }

    /// Takes a ticket away, and tells whether someone else may do it.
    fn let_go(&mut self, key: &TaskKey) -> Option<(Stand, bool)> {
        let kept = self.waiting.remove(key)?;
        // The other one is that in `lines`.
        if Arc::strong_count(&kept.line) == 2 {
            self.lines.remove(&*kept.line);
        }
        Some((kept.stand(), kept.line.has_next))
    }

    /// A ticket whose queue takes no tasks is fetched if someone else may do it.
    pub fn turn_away(&mut self, key: TaskKey) {
        let has_next = |kept: &Kept| kept.line.has_next;
        if self.waiting.get(&key).is_some_and(has_next) {
            self.away.insert(key);
        }
    }

    /// What the key of a ticket counts as that is sticky to an agent.
    pub fn sticky(&self, key: &TaskKey) -> Option<u64> {
        self.sticky.get(key).copied()
    }

    /// Gives the place of a ticket that is in another queue from now on.
    pub fn change_queue(&mut self, key: &TaskKey, to: Source) -> Option<Place> {
        let (Stand { place, .. }, has_next) = self.let_go(key)?;
        self.keep(*key, Stand { place, source: to }, has_next);
        Some(place)
    }

    fn is_wanted(&self, key: &TaskKey) -> bool {
        self.contains(key) && !self.fetching.contains(key)
    }

    #[cfg(test)]
    pub fn iter(&self) -> impl Iterator<Item = (TaskKey, Stand)> {
        let waiting = self.waiting.iter();
        waiting.map(|(key, kept)| (*key, kept.stand()))
    }

    #[cfg(test)]
    pub fn is_fetching(&self, key: &TaskKey) -> bool {
        self.fetching.contains(key)
    }

    /// Panics when a line is kept that no ticket has, or one is not kept.
    #[cfg(test)]
    pub fn check(&self) {
        let lines: BTreeSet<_> = self.waiting.iter().map(|(_, kept)| *kept.line).collect();
        assert!(lines.iter().eq(self.lines.keys()), "lines of tickets");
    }
}

impl State {
    /// Keeps the place of an attempt and lets go of the rest. One that is handed out stays as
    /// it is.
    pub fn wait(&mut self, ticket: Ticket, now: Instant) {
        let key = ticket.key;
        if let Some(task) = self.tasks.get(&key) {
            if let Phase::Queued(source) = task.phase {
                let stand = Stand {
                    place: task.place,
                    source,
                };
                let offer = &task.offer;
                self.tickets.put(key, stand, &offer.target, offer.has_next);
                self.tasks.remove(&key);
            }
            return;
        }
        if self.tickets.contains(&key) {
            return;
        }
        let space = self.space(&ticket.namespace);
        let source = self.source(&space, &ticket.target);
        let time = ticket.schedule_time;
        let place = Place::new(ticket.priority, &ticket.fairness_key, time);
        let (target, has_next) = (&ticket.target, ticket.has_next);
        let stand = Stand { place, source };
        self.tickets.put(key, stand, target, has_next);
        self.stand(key, source, place);
        if has_next && self.closed_door(&ticket.namespace, target).is_some() {
            self.tickets.turn_away(key);
            self.fetch_away();
        }
        self.match_source(source, now);
    }

    /// Takes a ticket out of its queue; true when there was one.
    pub fn tear(&mut self, key: TaskKey, now: Instant) -> bool {
        let Some(Stand { place, source }) = self.tickets.take(&key) else {
            return false;
        };
        self.pull(source, place, key);
        self.match_source(source, now);
        true
    }

    /// True when the first of a queue must be fetched before it can be handed out.
    pub fn is_unfetched(&self, source: Source) -> bool {
        let head = self.queue(source).and_then(|q| q.head());
        head.is_some_and(|(_, key)| self.tickets.contains(&key))
    }

    /// Asks for the first attempts of a queue when they are tickets and someone can take them.
    pub fn fetch(&mut self, source: Source) {
        if self.tickets.waiting.is_empty()
            || !self.is_unfetched(source)
            || self.choose(source).is_none()
        {
            return;
        }
        let fetching = self.tickets.fetching.len();
        if fetching >= FETCHES_MAX {
            self.tickets.starved.insert(source);
            return;
        }
        let ahead = self.room(source).clamp(AHEAD_MIN, AHEAD_MAX);
        let ahead = ahead.min(FETCHES_MAX - fetching);
        let Some(queue) = self.queue(source) else {
            return;
        };
        let wanted = queue.first(ahead).into_iter();
        let keys: Vec<_> = wanted.filter(|key| self.tickets.is_wanted(key)).collect();
        if !keys.is_empty() {
            self.tickets.fetching.extend(keys.iter().copied());
            self.effects.push(Effect::Fetch(keys));
        }
    }

    /// As `fetch`, for all the queues that an agent serves.
    pub fn fetch_for(&mut self, agent: AgentId) {
        if self.tickets.waiting.is_empty() {
            return;
        }
        let Some(slot) = self.agents.get(&agent) else {
            return;
        };
        let skills = slot.skills.iter().map(|s| Source::Skill(*s));
        let sources: Vec<_> = skills.chain([Source::Agent(agent)]).collect();
        for source in sources {
            self.fetch(source);
        }
    }

    /// Asks for attempts that nobody here takes and someone else may: they are turned away when
    /// they come.
    pub fn fetch_away(&mut self) {
        let mut keys = Vec::new();
        while self.tickets.fetching.len() < FETCHES_MAX
            && let Some(key) = self.tickets.away.pop_first()
        {
            if self.tickets.is_wanted(&key) {
                self.tickets.fetching.insert(key);
                keys.push(key);
            }
        }
        if !keys.is_empty() {
            self.effects.push(Effect::Fetch(keys));
        }
    }

    /// The engine has given what it was asked for.
    pub fn fetched(&mut self, keys: &[TaskKey], now: Instant) {
        for key in keys {
            self.tickets.fetching.remove(key);
        }
        self.fetch_away();
        for source in std::mem::take(&mut self.tickets.starved) {
            self.match_source(source, now);
        }
    }

    /// How many tasks those who serve a queue have room for, counted up to `AHEAD_MAX`.
    fn room(&self, source: Source) -> usize {
        let of_agent = |agent: &AgentId| {
            let ready = self.agents.get(agent).map(|slot| slot.ready.iter());
            let seats = ready.into_iter().flatten();
            let credits = seats.filter_map(|(_, seat)| Some(self.seats.get(seat)?.credits));
            credits.fold(0_u32, u32::saturating_add)
        };
        let room = match source {
            Source::Agent(agent) => of_agent(&agent),
            Source::Skill(id) => {
                let members = self.skills.get(&id).map(|queue| queue.members.iter());
                let members = members.into_iter().flatten();
                members.map(of_agent).fold(0, u32::saturating_add)
            }
        };
        usize::try_from(room).unwrap_or(AHEAD_MAX)
    }
}

impl Hub {
    /// Brings attempts here whose executions are not in memory, so that what is said of their
    /// tokens finds them. Those that are here already, and texts that are no tokens, are left.
    pub(super) async fn recall(&self, tokens: &[String]) {
        let tokens: Vec<Token> = tokens.iter().filter_map(|t| t.parse().ok()).collect();
        if tokens.is_empty() {
            return;
        }
        let (sink, missing) = self.locked(|state, _| {
            let missing = tokens.iter().filter(|token| {
                !state.tasks.contains_key(&token.key) && !state.reports.contains_key(token)
            });
            let missing: Vec<_> = missing.map(|token| token.key).collect();
            match &state.sink {
                Sink::Set(sink) if !missing.is_empty() => (Some(sink.clone()), missing),
                _ => (None, missing),
            }
        });
        if let Some(sink) = sink {
            sink.fetch(missing).await;
        }
    }
}
