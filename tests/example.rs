//! The README's first command: `supervisord --example` in an empty folder.

mod support;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};

use support::http::{Address, Client};
use support::xmlrpc::{request, response};
use support::{Folder, free_port, proc, upstream_differs, wait_until};

/// A daemon that a test started by itself; its programs end with it.
struct Running {
    process: Child,
    mark: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        proc::send(&[self.process.id().into()], "STOP");
        proc::send(&proc::marked(&self.mark), "KILL");
        let _ = self.process.wait();
    }
}

fn start(folder: &Folder, words: &[&str]) -> Running {
    let errors = fs::File::create(folder.path().join("errors")).expect("a file");
    let mut command = Command::new(support::supervisord());
    command.args(words).current_dir(folder.path()).env("MAJORDOMO_TEST", folder.path());
    let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors).spawn().expect("the daemon");
    Running { process, mark: format!("MAJORDOMO_TEST={}", folder.path().display()) }
}

/// Both sockets, `twiddler` and `cache` on, nothing to edit, nothing written elsewhere. Its port is fixed; where
/// somebody else has it, the file it wrote is tried with another one.
#[test]
fn the_example_runs() {
    if upstream_differs("has no example") {
        return;
    }
    let folder = Folder::new();
    let example = folder.path().join("majordomo-example");
    let socket = example.join("supervisor.sock");
    let serves = |running: &mut Running| {
        wait_until("its servers or its end", 20, || {
            Client::connect(&Address::file(&socket)).is_ok() || running.process.try_wait().expect("a status").is_some()
        });
        running.process.try_wait().expect("a status").is_none()
    };
    let mut port = 9001;
    let mut running = start(&folder, &["--example"]);
    if !serves(&mut running) {
        let errors = fs::read_to_string(folder.path().join("errors")).expect("its errors");
        assert!(errors.starts_with("Error: Another program is already listening on a port"), "{errors}");
        port = free_port();
        let file = example.join("supervisord.conf");
        let text = fs::read_to_string(&file).expect("the example's configuration");
        fs::write(&file, text.replace("9001", &port.to_string())).expect("another port");
        drop(running);
        running = start(&folder, &["-n", "-c", "majordomo-example/supervisord.conf"]);
        let serves = serves(&mut running);
        assert!(serves, "it ended: {}", fs::read_to_string(folder.path().join("errors")).expect("its errors"));
    }
    for address in [Address::file(&socket), Address::port(port)] {
        let mut client = Client::connect(&address).expect("a connection");
        for method in ["supervisor.getState", "twiddler.getGroupNames", "cache.getKeys"] {
            let reply = client.ask(&request(method, &[])).expect("an answer");
            assert!(response(&reply.body).is_ok(), "{method}");
        }
    }
    let mut names: Vec<_> =
        fs::read_dir(folder.path()).expect("the folder").flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    assert_eq!(names, ["errors", "majordomo-example"]);
    assert_eq!(fs::read_to_string(folder.path().join("errors")).expect("its errors"), "");

    // Our own client reads the same file, and finds every program known to the README's tour.
    let mut ctl = Command::new(env!("CARGO_BIN_EXE_supervisorctl"));
    let status = ctl.args(["-c", "majordomo-example/supervisord.conf", "status"]).current_dir(folder.path()).output();
    let status = String::from_utf8(status.expect("supervisorctl").stdout).expect("text");
    let readme = include_str!("../README.md");
    for line in status.lines() {
        let name = line.split(' ').next().expect("a name");
        assert!(readme.contains(&format!("    {name:<33}")), "the README doesn't show {name}:\n{status}");
    }
    assert!(status.contains("RUNNING") || status.contains("STARTING"), "{status}");

    // What is there already is used as it is, not written again.
    let before = fs::metadata(example.join("supervisord.conf")).expect("the file").mtime_nsec();
    drop(running);
    let mut again = start(&folder, &["--example"]);
    wait_until("its servers or its end", 20, || {
        Client::connect(&Address::file(&socket)).is_ok() || again.process.try_wait().expect("a status").is_some()
    });
    assert_eq!(fs::metadata(example.join("supervisord.conf")).expect("the file").mtime_nsec(), before);
}
