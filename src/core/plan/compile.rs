//! From a workflow to its plan: the entry, the state of a compilation, and what belongs to
//! the workflow as a whole. Steps, their order, policies, gates and expressions have files of
//! their own.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    Gate, Input, Kind, Node, NodeId, Plan, Reference, Role, bounds, calls, expressions::Reads,
    graph, marks::Marks, once::Once, roles::Part, states::Machine, steps::Around,
};
use crate::{
    core::{
        expr::{Names, Template},
        finding::{self, Finding},
        limits::Limits,
        schema::Schema,
        value::Value,
    },
    proto::{Graph, Step, Workflow, workflow::Readiness},
};

/// A workflow that can run.
#[derive(Debug)]
pub struct Compiled {
    /// What the kernel runs.
    pub plan: Plan,
    /// What is likely not meant.
    pub warnings: Vec<Finding>,
    /// The steps and what each waits for.
    pub graph: Graph,
    /// The most calls to agents that one execution can make, retries included; saturating.
    /// Those of child executions are theirs.
    pub worst_case_calls: u64,
    /// The registered workflows that it names.
    pub references: Vec<Reference>,
}

/// Compiles a workflow.
///
/// # Errors
/// Every finding, warnings among them, when any is an error. A workflow beyond the bounds of
/// size gets those findings alone.
pub fn compile(workflow: &Workflow, limits: &Limits) -> Result<Compiled, Vec<Finding>> {
    let beyond = bounds::check(workflow, limits);
    if !beyond.is_empty() {
        return Err(beyond);
    }
    let mut compiler = Compiler::new(limits);
    let plan = compiler.workflow(workflow);
    if finding::any_error(&compiler.findings) {
        return Err(compiler.findings);
    }
    Ok(Compiled {
        graph: graph::of(&plan, compiler.conditions),
        worst_case_calls: calls::worst_case(&plan, limits),
        warnings: compiler.findings,
        references: compiler.references,
        plan,
    })
}

/// Variables in reach of every step's expressions.
const STEP_VARIABLES: [&str; 6] = [
    "input",
    "vars",
    "previous",
    "execution",
    "all_previous_outputs",
    "all_step_outputs",
];

/// A compilation on its way.
pub(in crate::core) struct Compiler<'a> {
    pub limits: &'a Limits,
    pub findings: Vec<Finding>,
    pub nodes: Vec<Node>,
    /// By node: the condition under which it runs, for showing.
    pub conditions: Vec<String>,
    /// What expressions may name here.
    pub names: Names,
    /// The steps around the place being compiled, outermost first.
    pub levels: Vec<Level<'a>>,
    /// The field being compiled, with a leading dot.
    pub path: String,
    /// Dependencies between steps so far, for their bound.
    pub dependencies: usize,
    /// Did-you-mean searches left; each goes over all siblings.
    pub suggestions_left: u32,
    /// The registered workflows named so far.
    pub references: Vec<Reference>,
    /// The marks set and named so far.
    pub marks: Marks,
    /// How many of the outermost levels have ended: what is read of them orders no steps.
    pub levels_ended: usize,
    /// True where a failure undoes what completed.
    pub undoes: bool,
    /// What the workflow's input fulfils.
    pub input_schema: Option<&'a Value>,
    /// The agents that patterns tell others of.
    pub tells_of: BTreeSet<String>,
    /// The workflow's roles.
    pub roles: BTreeMap<String, Part>,
    /// Schemas and regular expressions compiled so far.
    pub(super) once: Once,
}

/// The steps of one list, and what the one being compiled reads of them.
pub(in crate::core) struct Level<'a> {
    /// The steps of the list.
    pub steps: &'a [Step],
    /// Place in the list by id.
    pub places: HashMap<&'a str, usize>,
    pub reads: Reads,
}

impl<'a> Compiler<'a> {
    fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            findings: Vec::new(),
            nodes: Vec::new(),
            conditions: Vec::new(),
            names: Names::default(),
            levels: Vec::new(),
            path: String::new(),
            dependencies: 0,
            suggestions_left: 20,
            references: Vec::new(),
            marks: Marks::default(),
            levels_ended: 0,
            undoes: false,
            input_schema: None,
            tells_of: BTreeSet::new(),
            roles: BTreeMap::new(),
            once: Once::default(),
        }
    }

    fn workflow(&mut self, workflow: &'a Workflow) -> Plan {
        self.names_of_workflow(workflow);
        self.roles(workflow);
        let input_schema = self.schema(".input_schema", workflow.input_schema.as_ref());
        self.input_schema = workflow.input_schema.as_ref();
        let output_schema = self.schema(".output_schema", workflow.output_schema.as_ref());
        let variables = self.variables(workflow);
        let max_parallel_steps = self.max_parallel_steps(workflow);
        let timeout = self.timeout(".timeout", workflow.timeout.as_ref());
        let retry = self.retry(workflow.retry.as_ref());
        self.names.variables = STEP_VARIABLES.to_vec();
        self.undoes = Self::undoes_all(workflow);
        let mut root = root(&workflow.name);
        (root.timeout, root.retry) = (timeout, retry);
        self.push(root, String::new());
        let around = Around {
            list: "steps",
            node: NodeId(0),
            condition: "",
        };
        let machine = Machine {
            initial: &workflow.initial,
            max_transitions: workflow.max_transitions,
        };
        let block = self.block_of(&workflow.steps, around, workflow.mode(), machine);
        let finally = self.finally(workflow);
        self.check_marks();
        let (output, goal) = self.outcome(workflow, output_schema.as_ref());
        self.nodes[0].output = output;
        self.beside_all(workflow);
        self.nodes[0].kind = Kind::Block(block);
        Plan {
            name: workflow.name.clone(),
            labels: labels(workflow),
            nodes: std::mem::take(&mut self.nodes),
            input_schema,
            output_schema,
            variables,
            max_parallel_steps,
            goal,
            finally,
            roles: self.roles_end(),
            tells_of: std::mem::take(&mut self.tells_of),
            needs_agents: workflow.readiness() == Readiness::Refuse,
        }
    }

    /// Output and goal, which see all steps as ended.
    fn outcome(
        &mut self,
        workflow: &'a Workflow,
        schema: Option<&Schema>,
    ) -> (Option<Template>, Vec<Gate>) {
        self.enter(&workflow.steps);
        self.names.variables = vec!["input", "vars", "execution", "all_step_outputs"];
        let output = workflow.output.as_ref();
        let output = output.and_then(|o| self.within(".output", |c| c.template(o)));
        let written = workflow.output_schema.as_ref();
        let clashes = self.clashes(output.as_ref(), written, schema);
        self.report_clashes(".output", clashes);
        let retries = workflow.retry.is_some();
        let goal = self.gates(
            NodeId(0),
            ".goal",
            &workflow.goal,
            &["output", "value"],
            retries,
        );
        self.leave();
        (output, goal)
    }

    fn variables(&mut self, workflow: &Workflow) -> Vec<(String, Template)> {
        self.names.variables = vec!["input"];
        let variables = workflow.variables.as_ref();
        let compiled = variables.map_or(Vec::new(), |v| self.templates(".variables", v));
        for (name, template) in &compiled {
            let references = template.references();
            let reads_outputs = |v: &String| v.starts_with("all_");
            if references.steps_dynamic || references.variables.iter().any(reads_outputs) {
                let message = "when `vars` begin, no step has an output yet";
                let hint = "known here is input";
                self.error(
                    &format!(".variables.{name}"),
                    "unknown-variable",
                    message,
                    hint,
                );
            }
        }
        compiled
    }

    fn max_parallel_steps(&mut self, workflow: &Workflow) -> Option<u32> {
        let given = workflow.max_parallel_steps;
        let most = self.limits.parallel_steps_max;
        if given > most {
            let message = format!("{given} calls at once are more than the server's {most}");
            let hint = format!("limit `parallel_steps_max`: give at most {most}, or leave it out");
            self.error(".max_parallel_steps", "limit", message, hint);
        }
        (given > 0).then_some(given)
    }

    pub fn schema(&mut self, field: &str, schema: Option<&Value>) -> Option<Schema> {
        let compiled = self.once.schema(schema?);
        compiled
            .map_err(|reason| {
                let message = format!("this is not a JSON Schema: {reason}");
                self.error(field, "json-schema", message, "see https://json-schema.org");
            })
            .ok()
    }

    /// Adds a node; its kind and place among its siblings come later.
    pub fn push(&mut self, node: Node, condition: String) -> NodeId {
        let id = u32::try_from(self.nodes.len()).expect("steps are bounded");
        self.nodes.push(node);
        self.conditions.push(condition);
        NodeId(id)
    }

    pub fn node(&mut self, id: NodeId) -> &mut Node {
        &mut self.nodes[id.0 as usize]
    }

    /// Runs `compile` with the field's path gone on by `segment` (`.when`, `[2]`).
    pub fn within<T>(&mut self, segment: &str, compile: impl FnOnce(&mut Self) -> T) -> T {
        let length = self.path.len();
        self.path.push_str(segment);
        let result = compile(self);
        self.path.truncate(length);
        result
    }

    /// Adds an error about the current field or, with a segment, one within it.
    pub fn error(
        &mut self,
        segment: &str,
        rule: &str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let finding = finding::error(self.path_of(segment), rule, message, hint);
        self.findings.push(finding);
    }

    /// Adds a warning, as `error` does.
    pub fn warn(
        &mut self,
        segment: &str,
        rule: &str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let finding = finding::warning(self.path_of(segment), rule, message, hint);
        self.findings.push(finding);
    }

    /// The path of a field within the current one, without the leading dot.
    pub fn path_of(&self, segment: &str) -> String {
        format!("{}{segment}", self.path)
            .trim_start_matches('.')
            .to_owned()
    }
}

/// A node that has only a name yet.
pub(in crate::core) fn blank(id: &str, name: &str, path: String, parent: Option<NodeId>) -> Node {
    Node {
        id: id.to_owned(),
        name: name.to_owned(),
        path,
        parent,
        depends_on: Vec::new(),
        previous: None,
        when: None,
        input: Input::Execution,
        context: None,
        output: None,
        save: Vec::new(),
        timeout: None,
        queue_timeout: None,
        total_timeout: None,
        retry: None,
        tolerates_failure: false,
        schemas: None,
        before: Vec::new(),
        after: Vec::new(),
        role: Role::Step,
        beside: None,
        kind: Kind::Set(Vec::new()),
        written: None,
        hides_steps: false,
        names: Vec::new(),
        gives: None,
        max_calls: None,
        gives_workflow: false,
        priority: None,
        fairness_key: None,
        cache: None,
    }
}

fn root(name: &str) -> Node {
    blank("", name, String::new(), None)
}

fn labels(workflow: &Workflow) -> BTreeMap<String, String> {
    let tags = workflow.tags.iter().map(|t| (t.clone(), String::new()));
    let labels = workflow.labels.iter();
    tags.chain(labels.map(|(k, v)| (k.clone(), v.clone())))
        .collect()
}
