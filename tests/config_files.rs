//! Configurations that are refused by the real daemon: exit status and message, as recorded from Supervisor 4.3.0.

mod support;

use std::process::Command;

use serde_json::Value;
use support::{Folder, upstream, upstream_differs};

/// What the daemon does with a configuration that it must refuse: status, output, errors.
fn refused(config: &str, folder: &Folder) -> (Option<i32>, String, String) {
    let path = folder.path().join("broken.conf");
    std::fs::write(&path, config).expect("the configuration");
    let mut command = Command::new(support::supervisord());
    command.args(["-n", "-c"]).arg(path).current_dir(folder.path()).env_clear().envs([
        ("HOME", folder.path().as_os_str()),
        ("TMPDIR", folder.path().join("tmp").as_os_str()),
        ("LANG", "C.UTF-8".as_ref()),
        ("LC_ALL", "C.UTF-8".as_ref()),
        ("TZ", "UTC".as_ref()),
        ("USER", "tester".as_ref()),
        ("PATH", "/bin".as_ref()),
    ]);
    let done = command.output().expect("the daemon's program");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.status.code(), text(&done.stdout), text(&done.stderr))
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
        let name = field("name");
        if name == "config-051-interface-unknown" {
            // A factory that is not built in is said in the log, and the daemon starts.
            continue;
        }
        let folder = Folder::new();
        let program = support::supervisord();
        let bin = program.parent().expect("a folder").to_string_lossy().into_owned();
        let real = |text: &str| text.replace("@DIR@", &folder.path().to_string_lossy()).replace("@BIN@", &bin);
        let (status, stdout, stderr) = refused(&real(&field("config")), &folder);
        let recorded = real(&field("stderr"));
        let (text, help) = recorded.split_once("\nFor help").unwrap();
        let text = match upstream() {
            true => text.to_string(),
            false => wanted(&name, text.strip_prefix("Error: ").unwrap()),
        };
        let fits =
            stderr.contains(&text) && stderr.starts_with("Error: ") && stderr.ends_with(&format!("\nFor help{help}"));
        if !fits || status.map(i64::from) != vector["exit_code"].as_i64() || stdout != field("stdout") {
            wrong.push(format!("{name}\n  wanted {text}\n  got    {status:?} {stdout}{stderr}"));
        }
        let mut left: Vec<_> =
            std::fs::read_dir(folder.path()).unwrap().flatten().map(|entry| entry.file_name()).collect();
        left.retain(|name| name != "broken.conf");
        if !left.is_empty() {
            wrong.push(format!("{name}\n  left {left:?}"));
        }
    }
    assert_eq!(count, 51);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn cfg_170_messages_name_file_line_section_and_key() {
    if upstream_differs("it tells the first mistake only") {
        return;
    }
    let folder = Folder::new();
    let config = "[supervisord]\nloglevel=loud\n[program:a]\ncomand=/bin/cat\n[program:b]\ncommand=x\nstartsecs=soon\n";
    let path = folder.path().join("broken.conf").display().to_string();
    let expected = format!(
        "Error: bad logging level name 'loud' (file: '{path}', line 2, section [supervisord], key loglevel)\n\
         Error: program section program:a does not specify a command in section 'program:a' (file: '{path}') (line 3, \
         key command; line 4 has 'comand'; did you mean 'command'?)\n\
         Error: invalid literal for int() with base 10: 'soon' in section 'program:b' (file: '{path}') (line 7, key \
         startsecs)\n\
         For help, use {} -h\n",
        support::supervisord().display()
    );
    assert_eq!(refused(config, &folder), (Some(2), String::new(), expected));
}

/// CFG-006, CFG-008, BUG-070: the file that is not there.
#[test]
fn a_file_that_is_not_there() {
    if upstream_differs("BUG-070") {
        return;
    }
    for (given, text) in [
        ("", "could not find config file "),
        ("none.conf", "could not find config file none.conf"),
        ("/", "could not read config file /"),
    ] {
        let done = Command::new(support::supervisord()).args(["-c", given]).output().expect("the daemon's program");
        let wanted = format!("Error: {text}\nFor help, use {} -h\n", support::supervisord().display());
        assert_eq!((done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned()), (Some(2), wanted));
        assert!(done.stdout.is_empty());
    }
}
