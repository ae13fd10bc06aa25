//! `system.*`: what can be called, and several calls in one (rpc.md, sections 8 and 9).

use crate::base::order;
use crate::base::value::Value;
use crate::base::words::{Fault, fault};
use crate::rpc::args::{Kind, needs};
use crate::rpc::{Call, Gate, Method, Outcome, Waiting, all_methods};

const NAME: super::args::Param = needs("name", Kind::Text, "string", "The full name of a method.");

/// The rows.
pub const METHODS: &[Method] = &[
    Method {
        name: "listMethods",
        params: &[],
        returns: "array",
        signature: None,
        result: "The full names, sorted.",
        help: "List every method that can be called.",
        gate: Gate::Open,
        reads: true,
        run: list_methods,
    },
    Method {
        name: "methodHelp",
        params: &[NAME],
        returns: "string",
        signature: None,
        result: "The help text.",
        help: "Say what a method does, what it takes and what it gives.",
        gate: Gate::Open,
        reads: true,
        run: method_help,
    },
    Method {
        name: "methodSignature",
        params: &[NAME],
        returns: "array",
        signature: None,
        result: "The type of the result, then those of the parameters.",
        help: "List the types of a method's result and parameters.",
        gate: Gate::Open,
        reads: true,
        run: method_signature,
    },
    Method {
        name: "multicall",
        params: &[needs("calls", Kind::Any, "array", "Structs with methodName and params.")],
        returns: "array",
        signature: None,
        result: "The results in order; a fault is a struct with faultCode and faultString.",
        help: "Carry out several calls, one after the other.",
        gate: Gate::Open,
        reads: true,
        run: multicall,
    },
];

fn list_methods(call: &mut Call<'_, '_>) -> Outcome {
    let mut names: Vec<String> =
        all_methods(call.world).into_iter().map(|(namespace, method)| format!("{namespace}.{}", method.name)).collect();
    order::sort(&mut names);
    Ok(Value::strings(names).into())
}

fn row(call: &Call<'_, '_>) -> Result<&'static Method, Fault> {
    // Once: it can be as long as a call.
    let wanted = call.text(0).split_once('.');
    all_methods(call.world)
        .into_iter()
        .find(|(namespace, method)| wanted == Some((namespace, method.name)))
        .map(|(_, method)| method)
        .ok_or_else(|| Fault::new(fault::SIGNATURE_UNSUPPORTED))
}

fn method_help(call: &mut Call<'_, '_>) -> Outcome {
    Ok(row(call)?.help_text().into())
}

fn method_signature(call: &mut Call<'_, '_>) -> Outcome {
    Ok(Value::strings(row(call)?.signature()).into())
}

fn multicall(call: &mut Call<'_, '_>) -> Outcome {
    let bad = || Fault::new(fault::INCORRECT_PARAMETERS);
    let Value::Array(entries) = call.take(0) else { return Err(bad()) };
    let mut left = Vec::with_capacity(entries.len());
    for entry in entries {
        // RPC-176.
        let Value::Struct(members) = entry else { return Err(bad()) };
        left.push(inner_call(members));
    }
    let arrays = call.world.config.daemon.multicall_arrays;
    let done = Vec::with_capacity(left.len());
    let calls = Waiting::Calls { done, bytes: 0, open: None, access: call.access, arrays, left: left.into_iter() };
    Ok(calls.or_now(call.world, call.turn))
}

/// One entry of a multicall, or the fault that takes its place (RPC-174).
fn inner_call(members: Vec<(String, Value)>) -> Result<(String, Vec<Value>), Fault> {
    let bad = |why: &str| Fault::with(fault::INCORRECT_PARAMETERS, why);
    let (mut method, mut params) = (None, Vec::new());
    for (name, value) in members {
        match (name.as_str(), value) {
            ("methodName", Value::Nil) => method = None,
            ("methodName", value) => method = Some(value.as_text().map(str::to_string)),
            ("params", Value::Array(items)) => params = items,
            ("params", _) => return Err(Fault::new(fault::INCORRECT_PARAMETERS)),
            _ => {}
        }
    }
    let method = method.ok_or_else(|| bad("No methodName"))?;
    // BUG-016: a name that is no text.
    let method = method.ok_or_else(|| Fault::new(fault::INCORRECT_PARAMETERS))?;
    if method == "system.multicall" {
        return Err(bad("Recursive system.multicall forbidden"));
    }
    Ok((method, params))
}
