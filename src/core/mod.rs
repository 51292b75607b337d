//! The pure kernel: definitions, plans, expressions, and the fold from commands to events to
//! state. Reads no clock, draws no random number, does no I/O; everything it needs comes in.

pub mod context;
pub mod decide;
pub mod definition;
pub mod execution;
pub mod expr;
pub mod finding;
pub mod gate;
pub mod limits;
mod patterns;
pub mod plan;
pub mod retry;
pub mod schema;
pub mod time;
pub mod value;
