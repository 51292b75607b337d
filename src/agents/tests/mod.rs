//! Tests of the room through its handle, with a sink that records what it is told and a clock
//! that moves only when everything rests.

#![allow(clippy::unwrap_used)]

mod circuit;
mod engine;
mod invariants;
mod leases;
mod poll;
mod queue;
mod random;
mod reconnect;
mod registry;
mod results;
mod rig;
mod session;
mod sticky;
mod tickets;
