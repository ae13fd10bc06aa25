//! Expanding a value and splitting it into words are total: any text gives a value or a reason.
#![no_main]

use libfuzzer_sys::fuzz_target;
use majordomo::base::text::shell_split;
use majordomo::config::environment;
use majordomo::config::expand::{Lookup, Value, expand};

/// A few names of each kind.
struct Names;

impl Lookup for Names {
    fn value(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "here" => Some(Value::Text("/etc/é")),
            "c" => Some(Value::Text("x")),
            "process_num" => Some(Value::Number(7)),
            "numprocs" => Some(Value::Number(-255)),
            "ENV_P" => Some(Value::Text("100%(here)s \"'")),
            _ => None,
        }
    }

    fn names(&self) -> Vec<String> {
        ["here", "c", "process_num", "numprocs", "ENV_P"].map(String::from).to_vec()
    }
}

fuzz_target!(|text: &str| {
    if let Ok(expanded) = expand(text, "program:x.command", &Names) {
        let _ = environment::parse(&expanded);
        let _ = shell_split(&expanded);
    }
    let _ = environment::parse(text);
    let _ = shell_split(text);
});
