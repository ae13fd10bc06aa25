//! The memory of a daemon with idle children, and of what else watches children. The children's own is not counted.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::Plan;
use crate::contenders::Who;
use crate::processors::{self, find};
use crate::support::{Folder, SERVERS, proc, wait_until};
use crate::table::{Column, Table};

const COLUMNS: &[Column] = &[
    Column { name: "PSS kB", digits: 0 },
    Column { name: "private dirty kB", digits: 0 },
    Column { name: "RSS kB", digits: 0 },
    Column { name: "PSS of a further child, kB", digits: 2 },
];
const FEW: u64 = 10;

/// PSS, private dirty, RSS of some processes, in kB.
fn memory(pids: &[i64]) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for pid in pids {
        let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("its memory");
        for (sum, name) in sums.iter_mut().zip(["Pss:", "Private_Dirty:", "Rss:"]) {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("a figure");
            let figure = line.trim().strip_suffix(" kB").and_then(|figure| figure.parse::<f64>().ok());
            *sum += figure.expect("a number");
        }
    }
    sums
}

/// What has just been started settles: our daemon gives back what only the start needed after a second of silence.
fn settle() {
    std::thread::sleep(Duration::from_secs(3));
}

fn daemon(who: Who, children: u64) -> [f64; 3] {
    let servers = SERVERS.replace("[supervisord]\n", "[supervisord]\nminfds=8192\n");
    let daemon = who
        .setup(&format!(
            "{servers}[program:worker]\ncommand=/bin/sleep 100000\nnumprocs={children}\nstartsecs=0\nstopsignal=KILL\n\
             process_name=worker_%(process_num)05d\n"
        ))
        .start();
    wait_until("all programs", 60, || proc::child_count(daemon.pid()) == children);
    settle();
    memory(&[daemon.pid()])
}

/// Ends a tree of runit.
struct Runit(Child, #[allow(dead_code)] Folder);

impl Drop for Runit {
    fn drop(&mut self) {
        let own = i64::from(self.0.id());
        let supervisors = proc::children(own);
        proc::send(&[own], "KILL");
        // runsv ends its service at TERM, and then itself.
        proc::send(&supervisors, "TERM");
        let _ = self.0.wait();
    }
}

fn runit(children: u64) -> Result<[f64; 3], String> {
    let program = find("runsvdir").ok_or("not found: runit is not installed")?;
    let folder = Folder::new();
    for number in 0..children {
        let service = folder.path().join(format!("service{number}"));
        std::fs::create_dir(&service).expect("a folder");
        let script = service.join("run");
        std::fs::write(&script, "#!/bin/sh\nexec sleep 100000\n").expect("a script");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(&script, mode).expect("made executable");
    }
    let child = Command::new(program).arg("-P").arg(folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).spawn();
    let runit = Runit(child.map_err(|error| format!("not found: {error}"))?, folder);
    let own = i64::from(runit.0.id());
    let all = || proc::children(own);
    wait_until("all services", 60, || {
        proc::child_count(own) == children && all().iter().all(|pid| proc::child_count(*pid) == 1)
    });
    settle();
    let mut pids = all();
    pids.push(own);
    Ok(memory(&pids))
}

pub fn run(plan: &Plan) {
    processors::unpin_client();
    let many = if plan.trial { 20 } else { 210 };
    let mut table = Table::new(COLUMNS);
    let row = |few: [f64; 3], many_of: [f64; 3]| {
        let mut figures = few.to_vec();
        figures.push((many_of[0] - few[0]) / (many - FEW) as f64);
        figures
    };
    for _ in 0..plan.rounds {
        for who in [Who::Ours, Who::Published] {
            table.add(who.name(), Ok(row(daemon(who, FEW), daemon(who, many))));
        }
        table.add("runit", runit(FEW).and_then(|few| Ok(row(few, runit(many)?))));
    }
    table.print(&format!("{FEW} idle children"));
    processors::pin_client();
}
