//! Configuration files and their values.

use std::rc::Rc;
use std::time::{Duration, Instant};

use majordomo::base::text::shell_split;
use majordomo::config::environment;
use majordomo::config::expand::{Lookup, Value, expand};
use majordomo::config::json::Secrets;
use majordomo::config::options::{Asked, complaint, parse_daemon};
use majordomo::config::surroundings::Pretended;
use majordomo::config::{Surroundings, differences, json, load};

/// CFG-001 to CFG-006: reading a configuration is total and ends soon: any bytes give one, which is equal to itself, or
/// mistakes. What stands behind the first NUL is a second file, which the first may include. Says whether it was
/// accepted.
pub fn config(bytes: &[u8]) -> bool {
    let included = bytes.iter().position(|byte| *byte == 0).map_or(&[][..], |at| &bytes[at + 1..]);
    let main = &bytes[..bytes.len() - included.len()];
    let main = main.strip_suffix(b"\0").unwrap_or(main);
    let machine: Rc<dyn Surroundings> = Rc::new(Pretended {
        files: [("/c/s.conf".to_string(), main.to_vec()), ("/c/i.ini".to_string(), included.to_vec())].into(),
        directories: ["/", "/c", "/tmp"].map(String::from).into(),
        env: vec![("HOME".to_string(), "/root".to_string()), ("X".to_string(), "%(y)s \"'".to_string())],
        host_name: "box".to_string(),
        cwd: "/c".to_string(),
        uid: 0,
        ..Pretended::default()
    });
    let args = ["supervisord", "-c", "s.conf"].map(String::from);
    let Ok(Asked::Run(options)) = parse_daemon(&args, &machine) else { panic!("the command line is sound") };
    let begun = Instant::now();
    let result = load(&options, &machine);
    assert!(begun.elapsed() < Duration::from_secs(20), "took {:?}", begun.elapsed());
    match result {
        Ok(config) => {
            drop(json::effective(&config, Secrets::Shown));
            assert!(differences(&config.groups, &config.groups).changed.is_empty());
            true
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty() && complaint(&mistakes, "supervisord").starts_with("Error: "));
            false
        }
    }
}

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

/// CFG-042 to CFG-045: any text has a value or a reason why not; text without `%` is its own.
pub fn expansion(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match expand(&text, "program:x.command", &Names) {
        Ok(expanded) => {
            assert!(text.contains('%') || expanded == text);
            let _ = environment::parse(&expanded);
            let _ = shell_split(&expanded);
        }
        Err(reason) => assert!(text.contains('%') && reason.starts_with("Format string "), "{reason}"),
    }
    let _ = environment::parse(&text);
    let _ = shell_split(&text);
}
