//! Clients that others wrote, as their users use them. They are installed below the target folder (`support::python`,
//! `support::packages`).

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use support::daemon::Daemon;
use support::packages::{debian_program, node_script};
use support::python::{python, shown};
use support::{SERVERS, free_port, upstream_differs, wait_for};

/// Prints what no XML can carry, then waits.
const NOISY: &str = "[program:noisy]\n\
    command=/bin/sh -c \"printf 'nul \\\\000 esc \\\\033[31m bad \\\\377\\\\303 ok \\\\303\\\\251 end\\\\n'; exec sleep 1000\"\n\
    autostart=false\nstdout_logfile=%(here)s/noisy.out\nstderr_logfile=NONE\n[program:idle]\ncommand=sleep 1000\n";

/// With a cache for all types, results as Python's MultiCall wants them, and two programs.
fn daemon() -> Daemon {
    let config = SERVERS
        .replace("[supervisord]\n", "[supervisord]\nmulticall_results=array\n")
        .replace("make_cache_rpcinterface\n", "make_cache_rpcinterface\nvalues=any\n");
    assert!(config.contains("values=any"));
    Daemon::start(&format!("{config}{NOISY}"))
}

/// HTTP-140, HTTP-141, RPC-180 to RPC-206, RPC-130, RPC-131, BUG-010, BUG-011, BUG-013, BUG-014, BUG-093, CACHE-023,
/// DEC-011.
#[test]
fn pythons_own_client() {
    if upstream_differs("BUG-010, 011, 014, CACHE-023, DEC-011") {
        return;
    }
    let daemon = daemon();
    let mut script = python().script(daemon.path(), "clients.py");
    let output = script.arg(daemon.port().to_string()).arg(daemon.file("supervisor.sock")).output().expect("Python");
    assert!(output.status.success(), "{}", shown(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "all as expected\n");
}

/// HTTP-140, HTTP-144, HTTP-151, RPC-206.
#[test]
fn nodes_xmlrpc() {
    if upstream_differs("BUG-010, 011, 014, CACHE-023, DEC-011") {
        return;
    }
    let Some(mut script) = node_script("client.js") else { return };
    let daemon = daemon();
    let output = script.arg(daemon.port().to_string()).env("TZ", "UTC").output().expect("node");
    assert!(output.status.success(), "{}", shown(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "all as expected\n");
}

/// HTTP-140, RPC-017: the exporter asks getAllProcessInfo at each scrape, with Go's reader of XML.
#[test]
fn prometheus_node_exporter() {
    let Some(exporter) = debian_program("prometheus-node-exporter", "usr/bin/prometheus-node-exporter") else {
        return;
    };
    let daemon = daemon();
    daemon.wait_for_state("idle", "RUNNING");
    for url in [
        format!("http://127.0.0.1:{}/RPC2", daemon.port()),
        format!("unix://{}", daemon.file("supervisor.sock").display()),
    ] {
        let port = free_port();
        let mut process = Command::new(&exporter)
            .args(["--collector.disable-defaults", "--collector.supervisord"])
            .arg(format!("--collector.supervisord.url={url}"))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .env("MAJORDOMO_TEST", daemon.path())
            .stderr(Stdio::null())
            .spawn()
            .expect("the exporter");
        let address = support::http::Address::port(port);
        let metrics = wait_for("the exporter's answer", 30, || {
            let mut client = support::http::Client::connect(&address).ok()?;
            let reply = client.ask(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ok()?;
            Some(String::from_utf8_lossy(&reply.body).into_owned())
        });
        process.kill().and_then(|()| process.wait()).expect("its end");
        let has = |line: &str| assert!(metrics.lines().any(|other| other == line), "{url}: no {line} in\n{metrics}");
        has("node_scrape_collector_success{collector=\"supervisord\"} 1");
        has("node_supervisord_up{group=\"idle\",name=\"idle\"} 1");
        has("node_supervisord_up{group=\"noisy\",name=\"noisy\"} 0");
        has("node_supervisord_state{group=\"idle\",name=\"idle\"} 20");
        has("node_supervisord_state{group=\"noisy\",name=\"noisy\"} 0");
        has("node_supervisord_exit_status{group=\"idle\",name=\"idle\"} 0");
    }
}

/// HTTP-141, RPC-016, RPC-017, RPC-050, RPC-056: superlance's listeners are clients, too. Here they are told of a tick
/// by hand, and do over XML-RPC what they are for.
#[test]
fn superlance_over_xml_rpc() {
    let daemon = daemon();
    daemon.wait_for_state("idle", "RUNNING");
    let unix = format!("unix://{}", daemon.file("supervisor.sock").display());
    let inet = format!("http://127.0.0.1:{}", daemon.port());
    let nobody = format!("http://127.0.0.1:{}/", free_port());
    for url in [unix, inet] {
        for (name, args) in [
            ("memmon", vec!["-p", "idle=1KB"]),
            ("httpok", vec!["-p", "idle", "-t", "1", "-s", "/bin/cat", nobody.as_str()]),
        ] {
            let before = daemon.wait_for_state("idle", "RUNNING").pid();
            let mut listener = python()
                .program(daemon.path(), name)
                .args(args)
                .env("SUPERVISOR_SERVER_URL", &url)
                .env("MAJORDOMO_TEST", daemon.path())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect(name);
            let mut said = BufReader::new(listener.stdout.take().expect("its output"));
            let mut line = String::new();
            said.read_line(&mut line).expect("a line");
            assert_eq!(line, "READY\n", "{name}");
            let payload = "when:1700000000";
            let tick = format!(
                "ver:3.0 server:supervisor serial:1 pool:{name} poolserial:1 eventname:TICK_60 len:{}\n{payload}",
                payload.len()
            );
            let mut to = listener.stdin.take().expect("its input");
            to.write_all(tick.as_bytes()).expect("the event is taken");
            let mut result = [0; 11];
            let read = said.read_exact(&mut result);
            let _ = listener.kill();
            let mut errors = String::new();
            let _ = listener.stderr.take().expect("its errors").read_to_string(&mut errors);
            listener.wait().expect("its end");
            assert!(read.is_ok() && &result == b"RESULT 2\nOK", "{name} over {url}: {errors}");
            let after = daemon.wait_for_state("idle", "RUNNING").pid();
            assert_ne!(before, after, "{name} over {url} restarts it: {errors}");
        }
    }
}
