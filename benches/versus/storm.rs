//! A steady client while 200 children crash as soon as they are started, and one floods its log.

use std::time::{Duration, Instant};

use crate::contenders::{Times, Who};
use crate::peers::{self, Peer, Server};
use crate::rates::{KEY, VALUE};
use crate::support::http::{Address, Client};
use crate::support::{SERVERS, xmlrpc};
use crate::{Plan, children, rates};

/// Requests a second.
const RATE: u32 = 2000;
const CRASHERS: usize = 200;

fn config() -> String {
    format!(
        "[program:crash]\ncommand=/bin/false\nstartsecs=0\nautorestart=true\nprocess_name=%(process_num)03d\n\
         numprocs={CRASHERS}\nstdout_logfile=NONE\nstderr_logfile=NONE\n\
         [program:flood]\ncommand={}\nstartsecs=0\nstdout_logfile=%(here)s/flood.log\nstdout_logfile_maxbytes=50MB\n",
        children::command("child-flood", u64::MAX)
    )
}

/// Calls at a steady rate for a while: how many were due, and what those answered in that time took from the moment
/// they were due.
fn ask(server: &Server, seconds: f64) -> (u64, Vec<Duration>) {
    let request = xmlrpc::request("cache.fetch", &[KEY.into()]);
    let mut client = Client::connect(&Address::Inet(server.address)).expect("a connection");
    let due_in_all = (seconds * f64::from(RATE)) as u64;
    let begin = Instant::now();
    let mut times = Vec::new();
    for number in 0..due_in_all {
        let due = Duration::from_secs(number) / RATE;
        std::thread::sleep(due.saturating_sub(begin.elapsed()));
        // Whoever is asked one after the other and answers too slowly is still asked when time is over.
        if begin.elapsed().as_secs_f64() > seconds + 0.5 {
            break;
        }
        let reply = client.ask(&request).expect("an answer");
        assert_eq!(xmlrpc::response(&reply.body), Ok(VALUE.into()));
        times.push(begin.elapsed() - due);
    }
    (due_in_all, times)
}

pub fn run(plan: &Plan) {
    // The children need a place, too; everybody has all processors.
    peers::unpin_client();
    for _ in 0..plan.rounds {
        for peer in [Peer::Ours, Peer::Supervisor] {
            let who = if peer == Peer::Ours { Who::Ours } else { Who::Published };
            let servers = SERVERS.replace("[supervisord]\n", "[supervisord]\nloglevel=warn\nminfds=8192\n");
            let daemon = who.setup(&format!("{servers}{}", config())).start();
            let server = Server::of(daemon);
            rates::prepare(peer, &server);
            let (due, times) = ask(&server, plan.each.as_secs_f64() * 10.0);
            let answered = times.len();
            println!("{:18} {answered} of {due} answered; {}", peer.name(), Times::new(times));
        }
    }
    peers::pin_client();
}
