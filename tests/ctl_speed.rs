//! How long `supervisorctl status` of a hundred programs takes, beside the published one in the same run: at most a
//! twentieth. Measured with the release build; a debug build must still be much faster. Medians, in turn, so that what
//! else the machine does hits both alike.

mod support;

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::daemon::Daemon;
use support::python::python;
use support::{SERVERS, supervisorctl, upstream_differs};

const PROGRAMS: &str = "\
[program:hundred]
command=sleep 1000
process_name=%(process_num)03d
numprocs=100
autostart=false
";

const ROUNDS: usize = 11;

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[test]
fn status_of_a_hundred_programs() {
    if upstream_differs("the speed is our client's") {
        return;
    }
    let daemon = Daemon::start(&format!("{SERVERS}{PROGRAMS}"));
    let run = |mut command: Command| -> (Duration, String) {
        let began = Instant::now();
        let output =
            command.arg("-c").arg(daemon.config()).arg("status").stdin(Stdio::null()).output().expect("status");
        let took = began.elapsed();
        assert_eq!(output.status.code(), Some(3));
        (took, String::from_utf8(output.stdout).expect("text"))
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let published = python();
    for _ in 0..ROUNDS {
        let (took, out) = run(Command::new(supervisorctl()));
        ours.push(took);
        let (took, same) = run(published.program(daemon.path(), "supervisorctl"));
        theirs.push(took);
        assert_eq!(out, same);
        assert_eq!(out.lines().count(), 100);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    let ratio = theirs.as_secs_f64() / ours.as_secs_f64();
    println!("status of 100 programs: ours {ours:.1?}, the published one {theirs:.1?}, {ratio:.0} times");
    let wanted = if cfg!(debug_assertions) { 5.0 } else { 20.0 };
    assert!(ratio >= wanted, "ours takes {ours:.1?}, the published one {theirs:.1?}: {ratio:.1} times, not {wanted}");
}
