//! Reading definitions: YAML and JSON text to `Workflow`, with positions; differences of two.
