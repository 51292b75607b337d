//! Patterns, each compiled onto primitives by a file of its own: it makes the nodes that run it
//! and reports what is wrong at the fields the user wrote. The kernel knows nothing of them but
//! the name they were written by.

mod call;
mod choice;
pub(in crate::core) mod decompose;
pub(in crate::core) mod generate;
pub(in crate::core) mod group_chat;
pub(in crate::core) mod map_reduce;
pub(in crate::core) mod orchestrate;
pub(in crate::core) mod react;
pub(in crate::core) mod refine;
#[cfg(test)]
mod tests;

pub use group_chat::Ballot;
