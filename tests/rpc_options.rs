//! The options of a program that `twiddler.addProgramToGroup` adds (twiddler.md, section 3.2).

mod pure;

use majordomo::base::value::Value;
use majordomo::config::spec::Config;
use pure::{Rig, a, b, config, group, i, idle, s, st, yes};

const ADD: &str = "twiddler.addProgramToGroup";
const REMOVE: &str = "twiddler.removeProcessFromGroup";

/// A daemon with a group `g` whose only process is `a`.
fn one() -> Rig {
    Rig::new(vec![group("g", 5, vec![idle("a")])])
}

fn options(pairs: &[(&str, &str)]) -> Value {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, s(value))).collect();
    st(&pairs)
}

fn bad(text: &str) -> (i32, String) {
    (2, format!("INCORRECT_PARAMETERS: {text}"))
}

#[test]
fn twid_053_mistakes_in_a_configuration() {
    let mut rig = one();
    for (program, options, text) in [
        ("x", options(&[]), "program section program:x does not specify a command in section 'program:x'"),
        (
            "x",
            options(&[("command", "/bin/steady"), ("numprocs", "2")]),
            "%(process_num) must be present within process_name when numprocs > 1 in section 'program:x'",
        ),
        (
            "x",
            options(&[("command", "/bin/steady"), ("autostart", "perhaps")]),
            "not a valid boolean value: 'perhaps' in section 'program:x'",
        ),
        (
            "x",
            options(&[("command", "/bin/steady"), ("autostart", "false"), ("STDERR_LOGFILE_MAXBYTES", "1XB")]),
            "invalid literal for int() with base 10: '1xb' in section 'program:x'",
        ),
        (
            "z:z",
            options(&[("command", "/bin/steady")]),
            "Invalid name: 'z:z' because of character: ':' in section 'program:z:z'",
        ),
        // The program's name does not say which option is bad.
        (
            "autostart",
            options(&[("command", "/bin/steady"), ("autostart", "perhaps")]),
            "not a valid boolean value: 'perhaps' in section 'program:autostart'",
        ),
    ] {
        let fault = rig.fault(ADD, vec![s("g"), s(program), options]);
        // A message that does not say which option is bad is told.
        let option = match text {
            text if text.contains("boolean") => "; the option is autostart",
            text if text.contains("1xb") => "; the option is stderr_logfile_maxbytes",
            _ => "",
        };
        assert_eq!(fault, bad(&format!("{text} (file: 's.conf'){option}")));
    }
    assert_eq!(rig.world.processes.len(), 1);
}

#[test]
fn twid_051_values_of_options() {
    // BUG-051.
    let mut rig = one();
    let settings = st(&[
        ("Command", s("/bin/steady")),
        ("AUTOSTART", b(false)),
        ("startsecs", i(7)),
        ("priority", Value::Double(12.9)),
        ("startretries", Value::Double(-0.5)),
        ("stdout_logfile_maxbytes", i(1000)),
        ("autorestart", s("unexpected")),
        ("color", s("red")),
        ("stopsignal", Value::Bytes(b"INT".to_vec())),
    ]);
    assert_eq!(rig.get(ADD, vec![s("g"), s("x"), settings]), yes());
    let spec = rig.process("g:x").spec.clone();
    assert_eq!((spec.autostart, spec.startsecs, spec.priority, spec.startretries), (false, 7, 12, 0));
    assert_eq!((spec.channels[0].maxbytes, spec.stopsignal), (1000, 2));
    let pairs = a(vec![a(vec![s("command"), s("/bin/steady")]), a(vec![s("autostart"), b(false)])]);
    assert_eq!(rig.get(ADD, vec![s("g"), s("y"), pairs]), yes());
    for odd in [Value::Nil, a(vec![]), st(&[]), Value::Bytes(vec![0xff]), Value::Double(f64::NAN)] {
        assert_eq!(rig.fault(ADD, vec![s("g"), s("z"), st(&[("command", odd)])]).0, 2);
    }
}

/// TWID-051: every option that is a number or a truth in the file may be one in the call, and means the same.
#[test]
fn twid_051_every_option_natively() {
    use majordomo::config::table::table_of;
    let rows: Vec<_> = table_of("program:x").expect("a table").all_rows().collect();
    let mut tried = 0;
    for row in &rows {
        let natives: &[(Value, &str)] = match row.kind {
            // More processes than one need a name with a number in it.
            "integer" | "count" if row.key == "numprocs" => &[(i(1), "1"), (Value::Double(1.9), "1")],
            "integer" | "count" | "size" => &[(i(7), "7"), (Value::Double(7.9), "7"), (s("7"), "7")],
            "boolean" | "autorestart" => &[(b(true), "true"), (b(false), "false"), (i(1), "1"), (i(0), "0")],
            "signal" => &[(i(2), "INT")],
            "exitcodes" => &[(i(2), "2")],
            "octal" => &[(i(22), "022")],
            _ => &[],
        };
        for (native, text) in natives {
            let spec = |value: Value| {
                let mut rig = one();
                let mut members = vec![("command", s("/bin/steady"))];
                if row.key != "autostart" {
                    members.push(("autostart", b(false)));
                }
                // stopasgroup alone is a mistake.
                if row.key == "stopasgroup" {
                    members.push(("killasgroup", b(true)));
                }
                members.push((row.key, value));
                assert_eq!(rig.get(ADD, vec![s("g"), s("x"), st(&members)]), yes(), "{} {native:?}", row.key);
                rig.process("g:x").spec.clone()
            };
            if row.key == "killasgroup" && text.starts_with(['f', '0']) {
                continue;
            }
            assert_eq!(spec(native.clone()), spec(s(text)), "{} {native:?}", row.key);
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
    // What is none is a fault that names the option, and nothing is half-added.
    let mut rig = one();
    for row in rows.iter().filter(|row| row.key != "command") {
        let value = st(&[("command", s("/bin/steady")), ("numprocs", i(1)), (row.key, a(vec![]))]);
        let fault = rig.fault(ADD, vec![s("g"), s("x"), value]);
        assert_eq!(fault, bad(&format!("option '{}' is neither text, a number nor a boolean", row.key)));
        let settings = st(&[("command", s("/bin/steady")), ("autostart", b(false)), (row.key, s("%(nothing)s"))]);
        if let Err(fault) = rig.call(ADD, vec![s("g"), s("x"), settings]) {
            assert!(fault.code == 2 && fault.text.contains(row.key), "{}: {fault:?}", row.key);
            assert_eq!(rig.world.processes.len(), 1, "{}", row.key);
        } else {
            rig.get(REMOVE, vec![s("g"), s("x")]);
        }
    }
}

#[test]
fn twid_054_expansions_and_environment() {
    // BUG-101: [supervisord] environment is merged.
    let files = machine_with("environment=A=\"1\",B=\"%(here)s\"");
    let mut rig = Rig::of(files);
    let settings = options(&[
        (
            "command",
            "/bin/steady %(here)s %(host_node_name)s %(program_name)s %(group_name)s %(numprocs)d %(ENV_HOME)s",
        ),
        ("process_name", "%(program_name)s_%(process_num)02d"),
        ("environment", "B=\"2\""),
        ("autostart", "false"),
    ]);
    rig.get("twiddler.addGroup", vec![s("g"), i(1)]);
    assert_eq!(rig.get(ADD, vec![s("g"), s("x"), settings]), yes());
    let spec = rig.process("g:x_00").spec.clone();
    assert_eq!(spec.command, "/bin/steady /etc box x g 1 /root");
    let environment: Vec<_> = spec.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(environment, ["A=1", "B=2"]);
}

/// A daemon of a file whose `[supervisord]` says one thing more.
fn machine_with(line: &str) -> Config {
    let text = format!(
        "[supervisord]\nlogfile=/var/log/supervisord.log\nchildlogdir=/tmp\nnodaemon=true\nsilent=true\n{line}\n"
    );
    Config {
        interfaces: config(vec![]).interfaces,
        ..majordomo::sim::setup::read("/etc/s.conf", &text).expect("sound")
    }
}
