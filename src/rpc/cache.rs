//! `cache.*`: values kept in the daemon (contract cache.md).

use crate::base::value::Value;
use crate::base::words::{Fault, fault};
use crate::config::spec::InterfaceKind;
use crate::rpc::args::{Kind, Param, needs};
use crate::rpc::{Answer, Call, Gate, Method, Outcome, Reply};
use crate::world::Interface;
use crate::world::cache::{Cache, Full};
use crate::world::entries::Found;

/// What `getAPIVersion` answers (CACHE-010).
const API_VERSION: &str = "0.2";

const KEY: Param = needs("key", Kind::Any, "string", "A string that is not empty.");

/// The rows. The shown types are the original's (CACHE-030).
pub const METHODS: &[Method] = &[
    Method {
        name: "clear",
        params: &[],
        returns: "boolean",
        signature: None,
        result: "Always true.",
        help: "Forget every key.",
        gate: Gate::NotShutdown,
        reads: false,
        run: clear,
    },
    Method {
        name: "delete",
        params: &[KEY],
        returns: "boolean",
        signature: None,
        result: "Always true, also when there was no such key.",
        help: "Forget a key and its value.",
        gate: Gate::NotShutdown,
        reads: false,
        run: delete,
    },
    Method {
        name: "fetch",
        params: &[KEY],
        returns: "string",
        signature: None,
        result: "The value.",
        help: "Give the value of a key.",
        gate: Gate::NotShutdown,
        reads: true,
        run: fetch,
    },
    Method {
        name: "getAPIVersion",
        params: &[],
        returns: "string",
        signature: None,
        result: "The version.",
        help: "Give the version of these methods.",
        gate: Gate::NotShutdown,
        reads: true,
        run: |_| Ok(Answer::from(API_VERSION)),
    },
    Method {
        name: "getCount",
        params: &[],
        returns: "integer",
        signature: None,
        result: "The number.",
        help: "Count the keys.",
        gate: Gate::NotShutdown,
        reads: true,
        run: get_count,
    },
    Method {
        name: "getKeys",
        params: &[],
        returns: "array",
        signature: None,
        result: "The keys, sorted.",
        help: "List every key.",
        gate: Gate::NotShutdown,
        reads: true,
        run: get_keys,
    },
    Method {
        name: "store",
        params: &[KEY, needs("data", Kind::Any, "string", "The value; a string, unless the section says values=any.")],
        returns: "boolean",
        signature: None,
        result: "Always true.",
        help: "Keep a value under a key, in place of what was there.",
        gate: Gate::NotShutdown,
        reads: false,
        run: store,
    },
];

fn cache<'a>(call: &'a mut Call<'_, '_>) -> Result<&'a mut Cache, Fault> {
    cache_and_args(call).map(|(cache, _)| cache)
}

fn cache_and_args<'a>(call: &'a mut Call<'_, '_>) -> Result<(&'a mut Cache, &'a [Value]), Fault> {
    let interface = call.interface.and_then(|index| call.world.interfaces.get_mut(index));
    let cache = interface.map(|interface| &mut interface.cache).ok_or_else(|| Fault::new(fault::UNKNOWN_METHOD))?;
    Ok((cache, &call.args))
}

/// The key, which is the first argument (CACHE-020).
fn key(args: &[Value]) -> Result<&str, Fault> {
    args.first()
        .and_then(Value::as_text)
        .filter(|key| !key.is_empty())
        .ok_or_else(|| Fault::with(fault::BAD_NAME, "Cache key must be a non-empty string"))
}

fn clear(call: &mut Call<'_, '_>) -> Outcome {
    cache(call)?.clear();
    Ok(true.into())
}

fn delete(call: &mut Call<'_, '_>) -> Outcome {
    let (cache, args) = cache_and_args(call)?;
    cache.delete(key(args)?);
    Ok(true.into())
}

fn fetch(call: &mut Call<'_, '_>) -> Outcome {
    let Call { world, args, interface, .. } = call;
    let interface = interface.and_then(|index| world.interfaces.get(index));
    let cache = interface.map(|interface| &interface.cache).ok_or_else(|| Fault::new(fault::UNKNOWN_METHOD))?;
    let reply = match cache.fetch(key(args)?).ok_or_else(|| Fault::new(fault::BAD_NAME))? {
        Found::Text(text) => {
            // In the key's room, which the call gives back.
            let mut room = match args.first_mut() {
                Some(Value::Str(key)) => std::mem::take(key),
                _ => String::new(),
            };
            room.clear();
            room.push_str(text);
            Reply::Value(Value::Str(room))
        }
        Found::Apart(entry) => Reply::Shared(entry.clone()),
    };
    Ok(Answer::Now(Ok(reply)))
}

fn get_count(call: &mut Call<'_, '_>) -> Outcome {
    let count = cache(call)?.len();
    Ok(Value::Int(count as i64).into())
}

fn get_keys(call: &mut Call<'_, '_>) -> Outcome {
    let keys = Value::strings(cache(call)?.keys());
    Ok(keys.into())
}

fn store(call: &mut Call<'_, '_>) -> Outcome {
    let Call { world, args, interface, .. } = call;
    let [key_arg, value] = args.as_mut_slice() else { return Err(Fault::new(fault::INCORRECT_PARAMETERS)) };
    let key = key(std::slice::from_ref(key_arg))?;
    let interface = interface.and_then(|index| world.interfaces.get_mut(index));
    let Some(Interface { kind: InterfaceKind::Cache { any, max_bytes }, cache, .. }) = interface else {
        return Err(Fault::new(fault::UNKNOWN_METHOD));
    };
    if !*any {
        // CACHE-021, CACHE-022: base64 that is text counts as text.
        match value {
            Value::Str(_) => {}
            Value::Bytes(bytes) => {
                *value = Value::Str(String::from_utf8(std::mem::take(bytes)).map_err(|_| not_a_string())?);
            }
            _ => return Err(not_a_string()),
        }
    }
    // CACHE-025.
    match cache.store(key, value, *max_bytes) {
        Ok(()) => Ok(true.into()),
        Err(Full::Bytes(most)) => {
            Err(Fault::with(fault::FAILED, format!("the cache is full: maxbytes is {most}; delete something")))
        }
        Err(Full::Numbers) => Err(Fault::with(fault::FAILED, "the cache is full: there are too many entries")),
    }
}

fn not_a_string() -> Fault {
    Fault::with(fault::INCORRECT_PARAMETERS, "Cache data must be a string")
}
