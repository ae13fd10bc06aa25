//! A thousand fetches in one call, one call after the other on one connection.

use majordomo::base::value::Value;

use crate::Plan;
use crate::load::{self, Question};
use crate::peers::{Peer, Server};
use crate::rates::{KEY, VALUE, prepare, request};
use crate::support::xmlrpc;
use crate::table::{Column, Table};

const COLUMNS: &[Column] =
    &[Column { name: "fetches/s", digits: 0 }, Column { name: "server CPU us/fetch", digits: 2 }];
const CALLS: usize = 1000;
/// What comes behind the last of several values.
const END: &str = "</data></array></value>\n</param>\n</params>\n</methodResponse>\n";

pub fn run(plan: &Plan) {
    let one =
        xmlrpc::members(&[("methodName", Value::str("cache.fetch")), ("params", Value::Array(vec![Value::str(KEY)]))]);
    let (bytes, _) = request("system.multicall", &[Value::Array(vec![one; CALLS])], false);
    let question = Question::new(bytes, format!("<value><string>{VALUE}</string></value>\n{END}"));
    let servers: Vec<(Peer, Result<Server, String>)> =
        [Peer::Ours, Peer::Supervisor].into_iter().map(|peer| (peer, peer.start(""))).collect();
    for (peer, server) in &servers {
        if let Ok(server) = server {
            prepare(*peer, server);
        }
    }
    let mut table = Table::new(COLUMNS);
    for _ in 0..plan.rounds {
        for (peer, server) in &servers {
            let figures = server.as_ref().map_err(String::clone).map(|server| {
                let load = load::run(server.address, &question, 1, plan.each, server.pid);
                vec![load.rate() * CALLS as f64, load.cpu_micros() / CALLS as f64]
            });
            table.add(peer.name(), figures);
        }
    }
    table.print("1 connection");
}
