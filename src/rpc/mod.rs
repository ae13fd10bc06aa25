//! The methods: one table row each, and one way to call them.
//!
//! [`call`] finds the row, counts, gates and checks which arguments are texts before a handler runs, so handlers only
//! work. `system.listMethods`, `methodHelp`, `methodSignature` and the whitelist read the same rows.

pub mod args;
pub mod cache;
pub mod control;
pub mod daemon;
pub mod info;
pub mod logs;
pub mod read;
pub mod system;
pub mod twiddler;
pub mod waiting;

use std::rc::Rc;

use crate::base::value::Value;
use crate::base::words::{Fault, Level, Mood, fault};
use crate::config::spec::InterfaceKind;
use crate::world::entries::Apart;
use crate::world::lines::Line;
use crate::world::{Turn, World};
use args::Param;
pub use info::Structs;
pub use waiting::Waiting;

/// What a method gives back at once.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A value of its own.
    Value(Value),
    /// A value that the cache keeps, too.
    Shared(Rc<Apart>),
    /// Structs that are made while they are written.
    Structs(Structs),
}

impl Reply {
    /// The value, copied if it is shared.
    pub fn into_value(self, world: &World, turn: &mut Turn<'_>) -> Value {
        match self {
            Reply::Value(value) => value,
            Reply::Shared(entry) => entry.value().clone(),
            Reply::Structs(structs) => structs.to_value(world, turn),
        }
    }
}

impl<V: Into<Value>> From<V> for Reply {
    fn from(value: V) -> Reply {
        Reply::Value(value.into())
    }
}

/// How a call goes on.
pub enum Answer {
    /// It is done.
    Now(Result<Reply, Fault>),
    /// It waits for something.
    Later(Waiting),
}

impl<V: Into<Reply>> From<V> for Answer {
    fn from(reply: V) -> Answer {
        Answer::Now(Ok(reply.into()))
    }
}

/// When a method refuses because the supervisor is on its way out (RPC-005, RPC-006).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gate {
    /// Never.
    Open,
    /// While restarting or shutting down.
    Running,
    /// While shutting down.
    NotShutdown,
}

/// What a client may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Everything.
    Full,
    /// Call what only reads.
    View,
}

/// What a handler works with. The arguments are as many as the row says, and those that are texts are.
pub struct Call<'a, 't> {
    /// All state.
    pub world: &'a mut World,
    /// The moment and the system.
    pub turn: &'a mut Turn<'t>,
    /// The arguments, without those left out.
    pub args: Vec<Value>,
    /// Which of [`World::interfaces`] was called; `system` has none.
    pub interface: Option<usize>,
    /// What the client may do: for calls within the call.
    pub access: Access,
}

/// What a handler gives: an answer now or later, or a fault.
pub type Outcome = Result<Answer, Fault>;

/// One method.
pub struct Method {
    /// Without its namespace.
    pub name: &'static str,
    /// In order; those with a default come last.
    pub params: &'static [Param],
    /// The shown type of the result.
    pub returns: &'static str,
    /// Shown types, where they differ from those of `returns` and `params` (upstream: TWID-060, CACHE-030).
    pub signature: Option<&'static [&'static str]>,
    /// What the result is, for help.
    pub result: &'static str,
    /// One line that says what the method does.
    pub help: &'static str,
    /// When it refuses.
    pub gate: Gate,
    /// Whether it changes nothing, so that everybody who may look may call it.
    pub reads: bool,
    /// Does it.
    pub run: fn(&mut Call<'_, '_>) -> Outcome,
}

impl Method {
    /// Result and parameter types as `methodSignature` shows them.
    pub fn signature(&self) -> Vec<&'static str> {
        match self.signature {
            Some(shown) => shown.to_vec(),
            None => std::iter::once(self.returns).chain(self.params.iter().map(|param| param.shown)).collect(),
        }
    }

    /// The help text: a summary, then one tag a parameter and one for the result (RPC-141).
    pub fn help_text(&self) -> String {
        let signature = self.signature();
        let mut text = format!("{}\n\n", self.help);
        for (i, param) in self.params.iter().enumerate() {
            let shown = signature.get(i + 1).copied().unwrap_or(param.shown);
            text.push_str(&format!("@param {shown} {} {}\n", param.name, param.help));
        }
        text.push_str(&format!("@return {} {}", signature.first().copied().unwrap_or(self.returns), self.result));
        text
    }
}

/// The rows of a kind of namespace.
pub fn methods_of(kind: &InterfaceKind) -> &'static [&'static [Method]] {
    match kind {
        InterfaceKind::Main => &[daemon::METHODS, info::METHODS, control::METHODS, logs::METHODS],
        InterfaceKind::Twiddler { .. } => &[twiddler::METHODS],
        InterfaceKind::Cache { .. } => &[cache::METHODS],
        InterfaceKind::Foreign { .. } => &[],
    }
}

/// Every method that can be called now: namespace and row.
pub fn all_methods(world: &World) -> Vec<(&str, &'static Method)> {
    let configured = world.interfaces.iter().flat_map(|interface| {
        methods_of(&interface.kind).iter().copied().flatten().map(|method| (interface.namespace.as_str(), method))
    });
    configured.chain(system::METHODS.iter().map(|method| ("system", method))).collect()
}

/// Finds `namespace.method` (RPC-001).
fn find(world: &World, name: &str) -> Option<(Option<usize>, &'static Method)> {
    let (namespace, method) = name.split_once('.')?;
    if namespace == "system" {
        return Some((None, system::METHODS.iter().find(|row| row.name == method)?));
    }
    let interface = world.interface(namespace)?;
    let tables = methods_of(&world.interfaces[interface].kind);
    let row = tables.iter().copied().flatten().find(|row| row.name == method)?;
    Some((Some(interface), row))
}

/// Carries out a call, and says so at level TRAC (RPC-208). To who may only look, what changes something is FAILED. What
/// the method doesn't take of its parameters stays.
pub fn call(world: &mut World, turn: &mut Turn<'_>, access: Access, method: &str, params: &mut Vec<Value>) -> Answer {
    if world.says(Level::Trace) {
        world.say(&Line::MethodCalled { method: method.to_string() }, turn);
    }
    let answer = carry_out(world, turn, access, method, params);
    if world.says(Level::Trace) {
        match &answer {
            // upstream: RPC-208, to have begun to wait is a success, too.
            Answer::Now(Ok(_)) | Answer::Later(_) => {
                world.say(&Line::MethodReturned { method: method.to_string() }, turn);
            }
            Answer::Now(Err(Fault { code, text })) => {
                let (method, code, text) = (method.to_string(), *code, text.clone());
                world.say(&Line::MethodFault { method, code, text }, turn);
            }
        }
    }
    answer
}

/// Carries out a call without a word, as those within a multicall are.
fn carry_out(world: &mut World, turn: &mut Turn<'_>, access: Access, method: &str, params: &mut Vec<Value>) -> Answer {
    dispatch(world, turn, access, method, params).unwrap_or_else(|fault| Answer::Now(Err(fault)))
}

/// Carries out a method of the main namespace for the daemon's own pages: whichever namespaces are configured, and
/// without a word.
pub fn own_call(world: &mut World, turn: &mut Turn<'_>, name: &str, mut args: Vec<Value>) -> Answer {
    let rows = methods_of(&InterfaceKind::Main).iter().copied().flatten();
    let outcome = match rows.into_iter().find(|row| row.name == name) {
        Some(row) => run(world, turn, Access::Full, None, row, &mut args),
        None => Err(Fault::new(fault::UNKNOWN_METHOD)),
    };
    outcome.unwrap_or_else(|fault| Answer::Now(Err(fault)))
}

fn dispatch(world: &mut World, turn: &mut Turn<'_>, access: Access, name: &str, args: &mut Vec<Value>) -> Outcome {
    let (interface, method) = find(world, name).ok_or_else(|| Fault::new(fault::UNKNOWN_METHOD))?;
    if access == Access::View && !method.reads {
        return Err(Fault::with(fault::FAILED, format!("this account may only look, and {name} changes something")));
    }
    run(world, turn, access, interface, method, args)
}

/// Gates, checks the arguments and runs the handler. `interface`: which of [`World::interfaces`] was called.
fn run(
    world: &mut World,
    turn: &mut Turn<'_>,
    access: Access,
    interface: Option<usize>,
    method: &'static Method,
    args: &mut Vec<Value>,
) -> Outcome {
    // RPC-003.
    let least = method.params.iter().filter(|param| !param.optional).count();
    if args.len() < least || args.len() > method.params.len() {
        return Err(Fault::new(fault::INCORRECT_PARAMETERS));
    }
    let refused = match method.gate {
        Gate::Open => false,
        Gate::Running => world.mood() != Mood::Running,
        Gate::NotShutdown => world.mood() == Mood::Shutdown,
    };
    if refused {
        return Err(Fault::new(fault::SHUTDOWN_STATE));
    }
    if let Some(interface) = interface
        && let InterfaceKind::Twiddler { whitelist, .. } = &world.interfaces[interface].kind
    {
        twiddler::check_whitelist(whitelist, method.name)?;
    }
    // RPC-004.
    if !method.params.iter().zip(args.iter()).all(|(param, arg)| param.kind.accepts(arg)) {
        return Err(Fault::new(fault::INCORRECT_PARAMETERS));
    }
    let mut call = Call { world, turn, args: std::mem::take(args), interface, access };
    let outcome = (method.run)(&mut call);
    *args = call.args;
    outcome
}
