//! The web page in a headless browser: `tests/node/browser.js` and what it requires, against real daemons.

mod support;

use std::path::Path;
use std::process::Stdio;

use support::daemon::{Daemon, Setup};
use support::packages::{browser, node_script};
use support::{QUIET, SERVERS, upstream_differs};

/// Text in a name: what HTML, addresses, queries and patterns would take for something else.
const EVIL: &str = "<img src=x onerror=\"globalThis.harm=1\">'&amp;?#+*ü\u{65e5}";

/// A daemon with everything that there is, for all that one does with processes, logs and the cache.
fn main_daemon() -> Daemon {
    let config = SERVERS
        .replace("[supervisord]\n", "[supervisord]\nidentifier=tested\n")
        .replace("make_cache_rpcinterface\n", "make_cache_rpcinterface\nvalues=any\n");
    assert!(config.contains("values=any") && config.contains("identifier"));
    let talk = "printf '\\033[32m%%s\\033[0m words of %%s\\n' $i $SUPERVISOR_PROCESS_NAME";
    let programs = format!(
        "[program:talk]\nprocess_name=talk_%(process_num)d\nnumprocs=2\n\
         command=/bin/sh -c \"i=0; while sleep 0.3; do i=$((i+1)); {talk}; done\"\n\
         [program:sleeper]\ncommand=sleep 1000\nautostart=false\nstartsecs=0\nstdout_logfile=%(here)s/sleeper.log\n\
         [program:missing]\ncommand=/no/such/program\nstartretries=0\n\
         [program:evil]\nprocess_name=%(ENV_EVIL)s\ncommand=sleep 1000\nautostart=false\nstartsecs=0\n\
         stdout_logfile=%(here)s/evil.log\nstderr_logfile=NONE\n"
    );
    Setup::new(&format!("{config}{programs}")).env("EVIL", EVIL).start()
}

fn url(daemon: &Daemon) -> String {
    format!("http://127.0.0.1:{}/", daemon.port())
}

/// WEB-001 to WEB-010 as people see them; the page's own promises: live, fast, accessible, safe.
#[test]
fn the_page_in_chromium() {
    if upstream_differs("the page") {
        return;
    }
    let Some(chromium) = browser() else { return };
    let Some(mut script) = node_script("browser.js") else { return };
    let main = main_daemon();
    let many = "[program:many]\ncommand=sleep 1000\nprocess_name=many_%(process_num)04d\nnumprocs=20\n\
                [program:still]\ncommand=sleep 1000\nprocess_name=many_%(process_num)04d\nnumprocs=980\n\
                numprocs_start=20\nautostart=false\n[group:many]\nprograms=many,still\n";
    let inet = "[inet_http_server]\nport=127.0.0.1:@PORT@\n";
    let thousand = Daemon::start(&format!("{inet}{QUIET}{many}"));
    let plain = Daemon::start(&format!("{inet}{QUIET}"));
    let accounts = "username=admin\npassword=secret\nviewer_username=guest\nviewer_password=look\n";
    let cache = "[rpcinterface:cache]\n\
                 supervisor.rpcinterface_factory = supervisor_cache.rpcinterface:make_cache_rpcinterface\n";
    let one = "[program:one]\ncommand=sleep 1000\nautostart=false\nstartsecs=0\n";
    let locked = Setup::new(&format!("{inet}{accounts}{QUIET}{cache}{one}"));
    let locked = locked.start();
    let setting = serde_json::json!({
        "main": url(&main),
        "folder": main.path(),
        "evil": format!("evil:{EVIL}"),
        "thousand": url(&thousand),
        "thousandPid": thousand.pid(),
        "plain": url(&plain),
        "locked": url(&locked),
    });
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    let pictures = target.join("screenshots");
    script
        .arg(setting.to_string())
        .args(std::env::var("ONLY"))
        .env("CHROMIUM", chromium)
        .env("SCREENSHOTS", &pictures)
        .stdin(Stdio::null());
    let output = script.output().expect("node");
    let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{said}");
    std::fs::write(pictures.join("report.txt"), said.as_bytes()).expect("a report beside the screenshots");
    assert!(output.status.success() && said.ends_with("all as expected\n"), "{wrong}");
}
