//! Tutti: a durable orchestrator for AI agents, gRPC first.
//!
//! The map of rooms, in reading order. What each may import is said in ARCHITECTURE.md and
//! held by `tests/it/architecture.rs`.

pub mod proto;

pub mod core;

pub mod store;

pub mod agents;

pub mod engine;

pub mod api;

pub mod config;

pub mod server;

pub mod telemetry;

pub mod cli;
