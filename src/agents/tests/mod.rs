//! Tests of the room through its handle.
