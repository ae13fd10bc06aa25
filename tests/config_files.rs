//! Configurations that are refused: exit status and message, as recorded from Supervisor 4.3.0.

mod machine;

use std::rc::Rc;

use machine::{Folder, Machine};
use majordomo::config::options::{Asked, complaint, parse_daemon};
use majordomo::config::{Surroundings, load};
use serde_json::Value;

/// What our command line would print to stderr for this configuration; empty if it would start.
fn stderr_of(config: &str, folder: &Folder) -> String {
    let path = folder.0.join("broken.conf");
    std::fs::write(&path, config).unwrap();
    let here = folder.path();
    let args = [format!("{here}/supervisord"), "-n".into(), "-c".into(), format!("{here}/broken.conf")];
    let pairs = [
        ("HOME", here.clone()),
        ("TMPDIR", format!("{here}/tmp")),
        ("LANG", "C.UTF-8".into()),
        ("LC_ALL", "C.UTF-8".into()),
        ("TZ", "UTC".into()),
        ("USER", "tester".into()),
        ("PATH", "/bin".into()),
    ];
    let env = pairs.map(|(name, value)| (name.to_string(), value)).to_vec();
    let around: Rc<dyn Surroundings> = Rc::new(Machine { env, cwd: here });
    let Ok(Asked::Run(options)) = parse_daemon(&args, &around) else { panic!("not run") };
    match load(&options, &around) {
        Ok(_) => String::new(),
        Err(errors) => complaint(&errors, &args[0]),
    }
}

/// What the contract wants instead of what was recorded.
fn wanted(name: &str, recorded: &str) -> String {
    match name {
        "config-026-half-expansion" | "config-027-wrong-expansion-type" => {
            let end = recorded.find("badly formatted: ").unwrap();
            recorded[..end].to_string()
        }
        "config-029-group-with-hole" => "[group:choir] names unknown program or fcgi-program ".to_string(),
        "config-035-fcgi-odd-socket" => {
            "Bad socket format udp://localhost:53 in [fcgi-program:gate] socket".to_string()
        }
        "config-036-fcgi-relative-socket" => {
            "Unix socket path run/gate.sock is not an absolute path in [fcgi-program:gate] socket".to_string()
        }
        _ => recorded.to_string(),
    }
}

#[test]
fn cfg_170_the_recorded_mistakes_give_the_recorded_messages() {
    let vectors = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/config.jsonl")).unwrap();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in vectors.lines() {
        count += 1;
        let vector: Value = serde_json::from_str(line).unwrap();
        let field = |name: &str| vector[name].as_str().unwrap().to_string();
        let folder = Folder::new();
        let real = |text: &str| text.replace("@DIR@", &folder.path()).replace("@BIN@", &folder.path());
        let name = field("name");
        let stderr = stderr_of(&real(&field("config")), &folder);
        if name == "config-051-interface-unknown" {
            // A factory that is not built in is said in the log, and the daemon starts.
            assert_eq!(stderr, "");
            continue;
        }
        let recorded = real(&field("stderr"));
        let (text, help) = recorded.split_once("\nFor help").unwrap();
        let text = wanted(&name, text.strip_prefix("Error: ").unwrap());
        if !stderr.contains(&text) || !stderr.starts_with("Error: ") || !stderr.ends_with(&format!("\nFor help{help}"))
        {
            wrong.push(format!("{name}\n  wanted {text}\n  got    {stderr}"));
        }
    }
    assert_eq!(count, 51);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn cfg_170_messages_name_file_line_section_and_key() {
    let folder = Folder::new();
    let config = "[supervisord]\nloglevel=loud\n[program:a]\ncomand=/bin/cat\n[program:b]\ncommand=x\nstartsecs=soon\n";
    let path = format!("{}/broken.conf", folder.path());
    let expected = format!(
        "Error: bad logging level name 'loud' (file: '{path}', line 2, section [supervisord], key loglevel)\n\
         Error: program section program:a does not specify a command in section 'program:a' (file: '{path}') (line 3, \
         key command; line 4 has 'comand'; did you mean 'command'?)\n\
         Error: invalid literal for int() with base 10: 'soon' in section 'program:b' (file: '{path}') (line 7, key \
         startsecs)\n\
         For help, use {}/supervisord -h\n",
        folder.path()
    );
    assert_eq!(stderr_of(config, &folder), expected);
}
