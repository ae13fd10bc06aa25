//! From the start of the program to its first answer, without programs and with a thousand that it starts meanwhile.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::Plan;
use crate::contenders::Who;
use crate::processors;
use crate::support::{SERVERS, proc, wait_until, xmlrpc};
use crate::table::{Column, Table};

const COLUMNS: &[Column] =
    &[Column { name: "first answer, ms", digits: 2 }, Column { name: "all programs started, ms", digits: 1 }];

fn measure(who: Who, programs: u64) -> Vec<f64> {
    let program = match programs {
        0 => String::new(),
        count => format!(
            "[program:worker]\ncommand=/bin/sleep 100000\nnumprocs={count}\nstartsecs=0\nstopsignal=KILL\n\
             process_name=worker_%(process_num)05d\n"
        ),
    };
    let servers = SERVERS.replace("[supervisord]\n", "[supervisord]\nloglevel=warn\nminfds=8192\n");
    let setup = who.setup(&format!("{servers}{program}"));
    let address = SocketAddr::from(([127, 0, 0, 1], setup.port()));
    let request = xmlrpc::request("supervisor.getState", &[]);
    let begin = Instant::now();
    let daemon = setup.start_at_once();
    let mut stream = loop {
        match TcpStream::connect(address) {
            Ok(stream) => break stream,
            Err(_) => std::thread::sleep(Duration::from_micros(100)),
        }
    };
    stream.write_all(&request).expect("a question sent");
    let mut answer = [0; 4096];
    assert!(stream.read(&mut answer).expect("an answer") > 0);
    let first = begin.elapsed();
    wait_until("all programs", 60, || proc::child_count(daemon.pid()) >= programs);
    [first, begin.elapsed()].map(|time| time.as_secs_f64() * 1e3).to_vec()
}

pub fn run(plan: &Plan) {
    // Children need a place, too; everybody has all processors.
    processors::unpin_client();
    for programs in if plan.trial { [0, 5] } else { [0, 1000] } {
        let mut table = Table::new(COLUMNS);
        // The first ones find nothing in the page cache.
        for round in 0..=3 * plan.rounds {
            for who in [Who::Ours, Who::Published] {
                let figures = measure(who, programs);
                if round > 0 {
                    table.add(who.name(), Ok(figures));
                }
            }
        }
        table.print(&format!("{programs} programs"));
    }
    processors::pin_client();
}
