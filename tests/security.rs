//! What SECURITY.md promises and no other test shows: requests that two readers could understand differently, names
//! that lead elsewhere, links that somebody planted, and secrets that nobody is told.

mod support;

use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::Path;

use majordomo::base::value::Value;
use support::daemon::{Daemon, Setup};
use support::http::Client;
use support::namespaces::is_root;
use support::xmlrpc::{self, call, request, request_with};
use support::{QUIET, SERVERS, proc, upstream_differs, wait_until};

/// Somebody who is neither root nor us.
const SOMEBODY: u32 = 12_345;

/// HTTP-020 to HTTP-027, RFC 9112 section 11.2: what a proxy could read as one request and we as two is 400, the
/// connection ends, and what stands behind it is never carried out.
#[test]
fn nothing_is_smuggled() {
    if upstream_differs("BUG-019, BUG-030") {
        return;
    }
    let daemon = Daemon::start(SERVERS);
    let hidden = String::from_utf8(request("cache.store", &["smuggled".into(), "x".into()])).expect("text");
    let body = call("supervisor.getPID", &[]);
    let length = body.len();
    let post = |headers: &str, body: &str| format!("POST /RPC2 HTTP/1.1\r\nHost: x\r\n{headers}\r\n{body}{hidden}");
    let chunks = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
    let with_length = |line: &str| post(&format!("{line}Content-Length: {length}\r\n"), &body);
    let rows = [
        // Both kinds of framing, or one of them twice.
        with_length("Transfer-Encoding: chunked\r\n"),
        post(&format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"), "0\r\n\r\n"),
        with_length("Content-Length: 0\r\n"),
        with_length(&format!("Content-Length: {length}\r\n")),
        post(&format!("Content-Length: {length}, {length}\r\n"), &body),
        post("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", &chunks),
        post("Transfer-Encoding: identity, chunked\r\n", &chunks),
        // Codings and numbers that some take for others.
        post("Transfer-Encoding: xchunked\r\n", &chunks),
        post("Transfer-Encoding: chunked;q=1\r\n", &chunks),
        post("Transfer-Encoding: \x0bchunked\r\n", &chunks),
        post("Transfer-Encoding : chunked\r\n", &chunks),
        post("Transfer Encoding: chunked\r\n", &chunks),
        post(&format!("Content-Length: +{length}\r\n"), &body),
        post(&format!("Content-Length: 0x{length:x}\r\n"), &body),
        post(&format!("Content-Length: {length} 0\r\n"), &body),
        post(&format!("Content-Length: {length}.0\r\n"), &body),
        post("Content-Length: -0\r\n", &body),
        // Chunked before HTTP/1.1 knew it.
        format!("POST /RPC2 HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}{hidden}"),
        // Folded framing.
        post(&format!("Content-Length:\r\n {length}\r\n"), &body),
        post("Transfer-Encoding:\r\n chunked\r\n", &chunks),
        post(&format!("X: y\r\nContent-Length: {length}\r\n 0\r\n"), &body),
        // Line ends that not everybody takes for such, in the head and between chunks.
        with_length("X: y\n"),
        with_length("X: y\r"),
        with_length("X: y\rContent-Length: 0\r\n"),
        with_length("X: y\nTransfer-Encoding: chunked\r\n"),
        format!("POST /RPC2 HTTP/1.1\nContent-Length: {length}\n\n{body}{hidden}"),
        post("Transfer-Encoding: chunked\r\n", &format!("{length:x}\n{body}\r\n0\r\n\r\n")),
        post("Transfer-Encoding: chunked\r\n", &format!("{length:x}\r\n{body}\n0\r\n\r\n")),
        post("Transfer-Encoding: chunked\r\n", &format!("{length:x}\r\n{body}\r\n0\n\n")),
        post("Transfer-Encoding: chunked\r\n", &format!("{length:x};\n\r\n{body}\r\n0\r\n\r\n")),
        post("Transfer-Encoding: chunked\r\n", &format!("{length:x};\r{body}\r\n0\r\n\r\n")),
        post("Transfer-Encoding: chunked\r\n", &format!("0x{length:x}\r\n{body}\r\n0\r\n\r\n")),
        // Bytes that end strings elsewhere.
        with_length("X: y\0\r\n"),
        with_length(": y\r\n"),
    ];
    for row in &rows {
        for address in daemon.addresses() {
            let mut client = Client::connect(address).expect("a connection");
            client.send(row.as_bytes()).expect("a request");
            let reply = client.read_reply().unwrap_or_else(|problem| panic!("{row:?}: {problem}"));
            assert_eq!((reply.status, reply.says_close()), (400, true), "{row:?}");
            client.end_sending().ok();
            assert!(client.is_closed_now(), "{row:?}");
        }
        assert_eq!(daemon.call("cache.getCount", &[]), Value::Int(0), "{row:?}");
    }
    // What is hidden would have been carried out.
    assert_eq!(daemon.ask(hidden.as_bytes()).status, 200);
    assert_eq!(daemon.call("cache.getCount", &[]), Value::Int(1));
}

/// RPC-001, CVE-2017-11610: a method's name is a row of a table, never a way into anything.
#[test]
fn names_lead_nowhere() {
    let daemon = Daemon::start(SERVERS);
    for name in [
        "supervisor.supervisord.options.execve",
        "supervisor.supervisord.options.warnings.linecache.os.system",
        "supervisor.supervisord.process_groups",
        "supervisor.__class__.__init__",
        "supervisor.getPID.__func__",
        "supervisor._update",
        "system.namespaces",
        "system._listMethods",
        "twiddler.supervisord.options",
        "cache.cache.clear",
        "__init__",
        "",
        ".",
        "supervisor..getPID",
        "supervisor.getPID ",
        "SUPERVISOR.getPID",
    ] {
        let reply = daemon.ask(&request(name, &["id >/tmp/x".into()]));
        // No name at all is no call.
        if reply.status != 400 {
            assert_eq!(xmlrpc::response(&reply.body), Err((1, "UNKNOWN_METHOD".to_string())), "{name}");
        }
        let calls = format!(
            "<methodCall><methodName>system.multicall</methodName><params><param><value><array><data><value><struct>\
             <member><name>methodName</name><value>{name}</value></member><member><name>params</name><value><array>\
             <data/></array></value></member></struct></value></data></array></value></param></params></methodCall>"
        );
        let text = String::from_utf8(daemon.ask(&request_with(&calls)).body).expect("text");
        assert!(text.contains("UNKNOWN_METHOD") || text.contains("INCORRECT_PARAMETERS"), "{name}: {text}");
    }
}

/// HTTP-100, HTTP-126: neither a log's name nor a file's leads out of what there is.
#[test]
fn paths_lead_nowhere() {
    let config = format!("{SERVERS}[program:p]\ncommand=sleep 1000\nstartsecs=0\nstdout_logfile=%(here)s/out\n");
    let daemon = Setup::new(&config).file("secret", "the secret").start();
    daemon.wait_for_state("p", "RUNNING");
    let up = "../".repeat(20);
    let secret = daemon.file("secret").display().to_string();
    for start in ["/", "/logtail/", "/logtail/p/", "/log/", "/log/p/", "/mainlogtail/", "/stylesheets/", "/images/../"]
    {
        for (at, way) in [
            format!("{up}{secret}"),
            secret.clone(),
            format!("..{secret}"),
            "secret".to_string(),
            format!("%2e%2e%2f{}", secret.replace('/', "%2f")),
            format!("..%5c..%5c{secret}"),
            format!("%252e%252e/{secret}"),
            format!("....//....//{secret}"),
            format!("{secret}%00.png"),
        ]
        .iter()
        .enumerate()
        {
            // A followed main log would not end.
            if start == "/mainlogtail/" && at > 0 {
                continue;
            }
            let mut client = daemon.connect();
            client.send(format!("GET {start}{way} HTTP/1.0\r\n\r\n").as_bytes()).expect("a request");
            let head = client.read_head().expect("an answer");
            if start != "/mainlogtail/" {
                let body = String::from_utf8_lossy(&client.read_to_end().expect("its end")).into_owned();
                assert!(!body.contains("the secret"), "{start}{way}: {body}");
                assert!(matches!(head.status, 301 | 400 | 404), "{start}{way}: {}", head.status);
            }
        }
    }
}

/// HTTP-003, PROC-133: whoever looks, in whatever moment, sees no socket with a looser mode than the configured one,
/// although the daemon's umask takes nothing away.
#[test]
fn sockets_are_never_open_to_more() {
    if upstream_differs("HTTP-003: the mode follows the name") {
        return;
    }
    let config = QUIET.replace("supervisor.sock\n", "supervisor.sock\nchmod=0600\n");
    let loose = Setup::new(&config).through(&["sh", "-c", "umask 0; exec \"$@\"", "sh"]);
    let folder = loose.path().to_path_buf();
    let seen = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut modes = Vec::new();
            while !folder.join("over").exists() {
                for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
                    let Ok(meta) = std::fs::symlink_metadata(entry.path()) else { continue };
                    if entry.file_name().to_string_lossy().contains(".sock") {
                        modes.push(meta.permissions().mode() & 0o777);
                    }
                }
            }
            modes
        });
        let daemon = loose.start();
        for reloads in 2..=20 {
            daemon.signal("HUP");
            wait_until("a new start", 20, || daemon.log().matches("supervisord started").count() == reloads);
        }
        std::fs::write(daemon.file("over"), "").expect("a file");
        watcher.join().expect("what was seen")
    });
    assert!(seen.len() > 100 && seen.iter().all(|mode| *mode == 0o600), "{seen:?}");
}

/// A folder where everybody may make files, and where the kernel protects nobody, as it does in /tmp.
fn open_folder(setup: &Setup) -> std::path::PathBuf {
    let folder = setup.path().join("tmp");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o777)).expect("its mode");
    folder
}

/// Somebody's link to a file of root's.
fn plant(link: &Path, target: &Path) {
    std::fs::write(target, "precious").expect("a file");
    let _ = std::fs::remove_file(link);
    symlink(target, link).expect("a link");
    lchown(link, Some(SOMEBODY), Some(SOMEBODY)).expect("another owner");
}

/// A root daemon writes where somebody else's link leads neither its main log nor its pid file nor a program's log, at
/// the start, when a log is reopened, and when it is rotated.
#[test]
fn planted_links_are_not_followed() {
    if !is_root() || upstream_differs("follows them") {
        return println!("left out: only root can make links of others");
    }
    let echo = "[program:echo]\ncommand=cat\nstartsecs=0\nstartretries=0\nstdout_logfile=%(here)s/tmp/echo.log\n\
                stdout_logfile_maxbytes=100\nstdout_logfile_backups=2\n";
    let config = format!("{QUIET}{echo}").replace("%(here)s/supervisord.pid", "%(here)s/tmp/pid");
    // The main log: the daemon doesn't start, and says so.
    let setup = Setup::new(&config.replace("%(here)s/supervisord.log", "%(here)s/tmp/main.log"));
    let folder = open_folder(&setup);
    let target = setup.path().join("target");
    plant(&folder.join("main.log"), &target);
    let (status, _, errors) = setup.run();
    assert_eq!(status, Some(2));
    assert!(errors.contains("main.log: Too many levels of symbolic links"), "{errors}");
    assert_eq!(std::fs::read_to_string(&target).expect("a file"), "precious");

    let setup = Setup::new(&config);
    let folder = open_folder(&setup);
    let target = setup.path().join("target");
    plant(&folder.join("pid"), &target);
    plant(&folder.join("echo.log"), &target);
    let daemon = setup.start();
    daemon.wait_for_log("running with pid");
    assert!(daemon.log().contains("without a pidfile: [Errno 40] Too many levels"), "{}", daemon.log());
    daemon.wait_for_state("echo", "FATAL");
    assert_eq!(daemon.info("echo").text("spawnerr"), "unknown error making dispatchers for 'echo': ELOOP");
    // In the place of a log that is open, and of one that comes after a rotation.
    std::fs::remove_file(folder.join("echo.log")).expect("the link");
    daemon.call("supervisor.startProcess", &["echo".into()]);
    plant(&folder.join("echo.log"), &target);
    daemon.signal("USR2");
    daemon.wait_for_log("'echo' log: can't write to log file");
    let text = |line: usize| format!("line {line:60}\n");
    let tell = |line: usize| daemon.call("supervisor.sendProcessStdin", &["echo".into(), text(line).into()]);
    tell(1);
    std::fs::remove_file(folder.join("echo.log")).expect("the link");
    daemon.wait_for_log("is written again, nothing was lost");
    wait_until("the line", 20, || std::fs::read_to_string(folder.join("echo.log")).unwrap_or_default() == text(1));
    // What root's own link leads to is written, as ever: /dev/stdout in the place of a log is one.
    let out = daemon.file("elsewhere");
    daemon.call("supervisor.stopProcess", &["echo".into()]);
    std::fs::remove_file(folder.join("echo.log")).expect("the log");
    symlink(&out, folder.join("echo.log")).expect("a link");
    daemon.call("supervisor.startProcess", &["echo".into()]);
    tell(2);
    wait_until("the line behind a link", 20, || std::fs::read_to_string(&out).unwrap_or_default() == text(2));
    assert_eq!(std::fs::read_to_string(&target).expect("a file"), "precious");
    let meta = std::fs::metadata(&target).expect("a file");
    assert_eq!((meta.uid(), meta.len()), (0, 8));
}

/// Nor where somebody's link among the folders leads, unless its owner may write there anyway: a root daemon that logs
/// into a program's own folder writes, renames and shows nothing elsewhere, whatever that program does to the folder.
#[test]
fn planted_folders_are_not_followed() {
    if !is_root() || upstream_differs("follows them") {
        return println!("left out: only root can make links of others");
    }
    let echo = "[program:echo]\ncommand=cat\nstartsecs=0\nstartretries=0\nstdout_logfile=%(here)s/app/current/echo.log\n\
                stdout_logfile_maxbytes=100\nstdout_logfile_backups=1\n";
    let setup = Setup::new(&format!("{QUIET}{echo}"));
    let (app, etc) = (setup.path().join("app"), setup.path().join("etc"));
    let theirs = |path: &Path| lchown(path, Some(SOMEBODY), Some(SOMEBODY)).expect("another owner");
    for folder in [&app, &app.join("one"), &etc] {
        std::fs::create_dir(folder).expect("a folder");
    }
    theirs(&app);
    theirs(&app.join("one"));
    let point = |target: &str| {
        let _ = std::fs::remove_file(app.join("current"));
        symlink(target, app.join("current")).expect("a link");
        theirs(&app.join("current"));
    };
    // As deployments do.
    point("one");
    let daemon = setup.start();
    daemon.wait_for_state("echo", "RUNNING");
    let text = |line: usize| format!("line {line:60}\n");
    let tell = |line: usize| daemon.call("supervisor.sendProcessStdin", &["echo".into(), text(line).into()]);
    let written = |name: &str, wanted: &str| {
        let path = daemon.file(name);
        wait_until(name, 20, || std::fs::read_to_string(&path).unwrap_or_default() == wanted);
    };
    tell(1);
    written("app/one/echo.log", &text(1));
    // To a folder of root's with a file of that name.
    std::fs::write(etc.join("echo.log"), "precious").expect("a file");
    point("../etc");
    for method in ["read", "tail"] {
        let method = format!("supervisor.{method}ProcessStdoutLog");
        let answer = daemon.try_call(&method, &["echo".into(), 0.into(), 99.into()]);
        assert!(!format!("{answer:?}").contains("precious"), "{answer:?}");
    }
    for page in ["/log/echo", "/tail.html?processname=echo", "/logtail/echo"] {
        let mut client = daemon.connect();
        client.send(format!("GET {page} HTTP/1.0\r\n\r\n").as_bytes()).expect("a request");
        client.end_sending().ok();
        let answer = String::from_utf8_lossy(&client.read_to_end().expect("an answer")).into_owned();
        assert!(answer.starts_with("HTTP/1") && !answer.contains("precious"), "{page}: {answer}");
    }
    // Full, and to be rotated there; reopened; opened anew.
    tell(2);
    daemon.wait_for_log("Too many levels of symbolic links");
    daemon.signal("USR2");
    daemon.wait_for_log("INFO supervisord logreopen");
    tell(3);
    daemon.call("supervisor.stopProcess", &["echo".into()]);
    assert_eq!(daemon.fault("supervisor.startProcess", &["echo".into()]).0, 50);
    assert_eq!(daemon.info("echo").text("spawnerr"), "unknown error making dispatchers for 'echo': ELOOP");
    assert_eq!(daemon.fault("supervisor.clearProcessLogs", &["echo".into()]).0, 30);
    let names: Vec<_> = std::fs::read_dir(&etc).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    assert_eq!(names, ["echo.log"]);
    assert_eq!(std::fs::read_to_string(etc.join("echo.log")).expect("a file"), "precious");
    // Back to what is theirs, and the program starts.
    point("one");
    daemon.call("supervisor.startProcess", &["echo".into()]);
    daemon.wait_for_state("echo", "RUNNING");
}

/// What nobody but the operator may know.
const SECRETS: [&str; 5] = ["p4ss-one", "p4ss-two", "p4ss-three", "t0ken-four", "t0ken-five"];

fn holds_secrets(text: &str) -> bool {
    SECRETS.iter().any(|secret| text.contains(secret))
}

/// Passwords and what stands in `environment` are in no log, no fault and no list of processes, whatever goes wrong:
/// mistakes in the lines that hold them, clients with wrong passwords, everything logged that can be.
#[test]
fn secrets_are_kept() {
    if upstream_differs("tells them") {
        return;
    }
    let servers = SERVERS
        .replace("supervisor.sock\n[", "supervisor.sock\nusername=u\npassword=p4ss-one\n[")
        .replace("@PORT@\n", "@PORT@\nusername=u\npassword=p4ss-two\n")
        .replace("[supervisord]\n", "[supervisord]\nloglevel=blather\nenvironment=TOKEN=\"t0ken-four\"\n");
    let programs = "[program:p]\ncommand=sleep 1000\nstartsecs=0\nenvironment=OWN=\"t0ken-five\"\n";
    let mut daemon = Daemon::start(&format!("{servers}{programs}"));
    daemon.wait_for_log("success: p ");
    let pass = |pair: &str| format!("Authorization: Basic {}\r\n", base64(pair));
    let post = |headers: &str, method: &str| {
        let body = call(method, &[]);
        format!("POST /RPC2 HTTP/1.1\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    let mut told = String::new();
    for address in daemon.addresses() {
        for headers in [String::new(), pass("u:p4ss-three"), pass("p4ss-three"), "Authorization: Basic !\r\n".into()] {
            let mut client = Client::connect(address).expect("a connection");
            let reply = client.ask(&post(&headers, "supervisor.getPID")).expect("an answer");
            assert!(matches!(reply.status, 400 | 401), "{}", reply.status);
            told += &String::from_utf8_lossy(&reply.body);
        }
    }
    let good = pass("u:p4ss-one");
    for method in ["supervisor.getAllConfigInfo", "supervisor.getAllProcessInfo", "supervisor.getState", "no.such"] {
        told += &String::from_utf8_lossy(&daemon.ask(&post(&good, method)).body);
    }
    for page in ["/", "/tail.html?processname=p", "/log/p", "/?action=refresh"] {
        told += &String::from_utf8_lossy(&daemon.ask(format!("GET {page} HTTP/1.0\r\n{good}\r\n").as_bytes()).body);
    }
    let mut check = std::process::Command::new(support::supervisord());
    let check = check.arg("-c").arg(daemon.config()).args(["--check", "--json"]).output().expect("a check");
    told += &String::from_utf8_lossy(&[check.stdout, check.stderr].concat());
    // Mistakes in each line that holds one. `reloadConfig` gives a fault, SIGHUP a line of the log.
    let whole = format!("{servers}{programs}");
    let mistakes = [
        ("password=p4ss-one", "password=p4ss-one%"),
        ("password=p4ss-two", "password=p4ss-two%(nobody)s"),
        ("TOKEN=\"t0ken-four\"", "TOKEN=\"t0ken-four\"%"),
        ("TOKEN=\"t0ken-four\"", "TOKEN=\"t0ken-four\",MORE"),
        ("OWN=\"t0ken-five\"", "OWN=\"t0ken-five"),
        ("OWN=\"t0ken-five\"", "OWN=\"t0ken-five\",B"),
        ("OWN=\"t0ken-five\"", "OWN=\"t0ken-five%(nobody)s\""),
    ];
    for (round, (right, wrong)) in mistakes.iter().enumerate() {
        assert!(whole.contains(right), "{right}");
        daemon.configure(&whole.replace(right, wrong));
        let fault = String::from_utf8_lossy(&daemon.ask(&post(&good, "supervisor.reloadConfig")).body).into_owned();
        assert!(fault.contains("CANT_REREAD") && !holds_secrets(&fault), "{wrong}: {fault}");
        told += &fault;
        daemon.signal("HUP");
        wait_until("a refusal", 20, || daemon.log().matches("cannot reload").count() == round + 1);
    }
    for text in [&told, &daemon.log(), &daemon.text("daemon.out"), &daemon.text("daemon.err")] {
        assert!(!holds_secrets(text), "{text}");
    }
    // Where a mistake is, is told.
    assert!(daemon.log().contains("section [program:p], key environment"), "{}", daemon.log());
    for pid in proc::children(daemon.pid()).into_iter().chain([daemon.pid()]) {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        assert!(!holds_secrets(&String::from_utf8_lossy(&line)), "{pid}");
        // Its child gets what it is to get, and no password.
        let environment =
            String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default()).into_owned();
        assert!(!SECRETS[..3].iter().any(|secret| environment.contains(secret)), "{environment}");
        assert_eq!(environment.contains("t0ken-five"), pid != daemon.pid(), "{environment}");
    }
}

fn base64(text: &str) -> String {
    const SIGNS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for three in text.as_bytes().chunks(3) {
        let bits = three.iter().chain(&[0, 0]).take(3).fold(0, |bits, byte| bits << 8 | usize::from(*byte));
        for place in 0..4 {
            let sign = SIGNS[bits >> (18 - 6 * place) & 63];
            out.push(if place <= three.len() { char::from(sign) } else { '=' });
        }
    }
    out
}

/// SECURITY.md names tests that are there.
#[test]
fn promises_name_their_tests() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(project.join("SECURITY.md")).expect("SECURITY.md");
    let mut named = 0;
    let promises = page.split_once("## Promises").expect("promises").1;
    for line in promises.lines().filter(|line| line.starts_with('|') && line.matches('|').count() == 3) {
        let proof = line.trim_end_matches(['|', ' ']).rsplit('|').next().unwrap_or_default();
        let mut source = String::new();
        for words in proof.split('`').skip(1).step_by(2).map(|words| words.split(' ').collect::<Vec<_>>()) {
            let (name, function) = match words[..] {
                [name, function] => (Some(name), Some(function)),
                // A file, or one more function of the last one.
                [word] if source.contains(&format!("fn {word}(")) => (None, Some(word)),
                [word] => (Some(word), None),
                _ => panic!("{line}"),
            };
            if let Some(name) = name.filter(|name| !name.contains("::") && !name.ends_with('/')) {
                let files = [format!("tests/{name}.rs"), format!("tests/{name}"), format!("src/{name}")];
                let found = files.iter().map(|file| project.join(file)).find(|path| path.exists());
                let path = found.unwrap_or_else(|| panic!("there is no {name}: {line}"));
                let parts = if path.is_dir() {
                    std::fs::read_dir(path).expect("a folder").flatten().map(|e| e.path()).collect()
                } else {
                    vec![path]
                };
                source = parts.iter().map(|part| std::fs::read_to_string(part).expect("a text")).collect();
            }
            if let Some(function) = function {
                assert!(source.contains(&format!("fn {function}(")), "there is no {function}: {line}");
                named += 1;
            }
        }
    }
    assert!(named > 20, "{named}");
}
