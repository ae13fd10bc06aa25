//! A steady client while 200 children crash as soon as they are started, and one floods its log.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::contenders::{Times, Who};
use crate::peers::{self, Peer, Server};
use crate::support::SERVERS;
use crate::{Plan, children, load, processors, rates};

/// Requests a second.
const RATE: u32 = 2000;
const CRASHERS: usize = 200;
const CONNECTIONS: usize = 128;

fn config() -> String {
    format!(
        "[program:crash]\ncommand=/bin/false\nstartsecs=0\nautorestart=true\nprocess_name=%(process_num)03d\n\
         numprocs={CRASHERS}\nstdout_logfile=NONE\nstderr_logfile=NONE\n\
         [program:flood]\ncommand={}\nstartsecs=0\nstdout_logfile=%(here)s/flood.log\nstdout_logfile_maxbytes=50MB\n",
        children::command("child-flood", u64::MAX)
    )
}

/// Calls at a steady rate for a while, whether earlier ones were answered or not: on whichever of many connections is
/// free. How many were due, and what those answered in that time took from the moment they were due.
fn ask(server: &Server, seconds: f64) -> (u64, Vec<Duration>) {
    let question = rates::fetch_question();
    let expected = load::ask_once(server.address, &question);
    let due_in_all = (seconds * f64::from(RATE)) as u64;
    let mut poll = Poll::new().expect("a poll");
    let mut links: Vec<Asking> = (0..CONNECTIONS)
        .map(|number| {
            let stream = std::net::TcpStream::connect(server.address).expect("a connection");
            stream.set_nodelay(true).expect("no delay");
            stream.set_nonblocking(true).expect("no waiting");
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(number), Interest::READABLE).expect("a place in the poll");
            Asking { stream, got: 0, due: Duration::ZERO }
        })
        .collect();
    let mut free: Vec<usize> = (0..CONNECTIONS).collect();
    let mut events = Events::with_capacity(CONNECTIONS);
    let (mut asked, mut times) = (0, Vec::new());
    let begin = Instant::now();
    // What was asked last has half a second.
    while times.len() < due_in_all as usize && begin.elapsed().as_secs_f64() < seconds + 0.5 {
        let next = Duration::from_secs(asked) / RATE;
        while asked < due_in_all
            && Duration::from_secs(asked) / RATE <= begin.elapsed()
            && let Some(number) = free.pop()
        {
            let link = &mut links[number];
            link.due = Duration::from_secs(asked) / RATE;
            asked += 1;
            // An empty socket takes a few hundred bytes.
            link.stream.write_all(&question.bytes).expect("a question sent");
        }
        let pause = next.saturating_sub(begin.elapsed()).max(Duration::from_millis(1));
        poll.poll(&mut events, Some(pause)).expect("news");
        for event in &events {
            let link = &mut links[event.token().0];
            let mut piece = [0; 4096];
            while let Ok(count) = link.stream.read(&mut piece) {
                assert!(count > 0, "the server closed a connection");
                link.got += count;
            }
            if link.got == expected {
                link.got = 0;
                times.push(begin.elapsed() - link.due);
                free.push(event.token().0);
            }
        }
    }
    (due_in_all, times)
}

/// One connection, and since when its question is due.
struct Asking {
    stream: TcpStream,
    got: usize,
    due: Duration,
}

pub fn run(plan: &Plan) {
    // The children need a place, too; everybody has all processors.
    processors::unpin_client();
    for _ in 0..plan.rounds {
        for peer in [Peer::Ours, Peer::Supervisor] {
            let who = if peer == Peer::Ours { Who::Ours } else { Who::Published };
            let servers = SERVERS.replace("[supervisord]\n", "[supervisord]\nloglevel=warn\nminfds=8192\n");
            let daemon = who.setup(&format!("{servers}{}", config())).start();
            let server = Server::of(daemon);
            rates::prepare(peer, &server);
            // What waits for its turn otherwise is the client, and it would tell of itself.
            peers::nice_client(-10);
            let (due, times) = ask(&server, plan.each.as_secs_f64() * 10.0);
            peers::nice_client(0);
            let answered = times.len();
            println!("{:18} {answered} of {due} answered; {}", peer.name(), Times::new(times));
        }
    }
    processors::pin_client();
}
