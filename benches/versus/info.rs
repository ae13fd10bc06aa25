//! `getAllProcessInfo`, by the number of processes. They are not started: what they are is told in the same way.

use crate::Plan;
use crate::contenders::Who;
use crate::load::{self, Question};
use crate::peers::{Peer, daemon};
use crate::rates::request;
use crate::table::{Column, Table};

const COLUMNS: &[Column] = &[
    Column { name: "ms/call", digits: 3 },
    Column { name: "server CPU ms/call", digits: 3 },
    Column { name: "server CPU us/process", digits: 2 },
];
/// The published one takes 4 s for 5,000.
const MOST_OF_PUBLISHED: usize = 1000;

pub fn run(plan: &Plan) {
    let (bytes, _) = request("supervisor.getAllProcessInfo", &[], false);
    let question =
        Question::new(bytes, "</struct></value>\n</data></array></value>\n</param>\n</params>\n</methodResponse>\n");
    for processes in if plan.trial { vec![10] } else { vec![10, 100, 1000, 10_000] } {
        let program = format!(
            "[program:worker]\ncommand=/bin/sleep 100000\nnumprocs={processes}\nautostart=false\n\
             process_name=worker_%(process_num)05d\nstdout_logfile=NONE\nstderr_logfile=NONE\n"
        );
        let servers: Vec<_> = [(Peer::Ours, Who::Ours), (Peer::Supervisor, Who::Published)]
            .into_iter()
            .filter(|(_, who)| *who == Who::Ours || processes <= MOST_OF_PUBLISHED)
            .map(|(peer, who)| (peer, daemon(who, &program)))
            .collect();
        let mut table = Table::new(COLUMNS);
        for _ in 0..plan.rounds {
            for (peer, server) in &servers {
                let load = load::run(server.address, &question, 1, plan.each, server.pid);
                let cpu = load.cpu_micros() / 1e3;
                table.add(peer.name(), Ok(vec![1e3 / load.rate(), cpu, cpu * 1e3 / processes as f64]));
            }
        }
        table.print(&format!("{processes} processes"));
    }
}
