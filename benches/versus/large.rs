//! Values of 1 MiB over 4 connections: from a cache to its clients, and back.

use crate::Plan;
use crate::load::{self, Question};
use crate::peers::{Peer, Server};
use crate::rates::{request, response};
use crate::table::{Column, Table};

const COLUMNS: &[Column] = &[Column { name: "MiB/s", digits: 0 }, Column { name: "server CPU us/MiB", digits: 0 }];
const CONNECTIONS: usize = 4;
const KEY: &str = "page";
const BYTES: usize = 1024 * 1024;

/// The value: what nginx's file has, too, or something with much to escape. It ends with the only line end.
pub fn value(escapes: bool) -> String {
    let line = if escapes { "<p>all work &amp; no play makes Jack a dull boy</p>" } else { "x" };
    line.chars().cycle().take(BYTES - 1).chain(['\n']).collect()
}

/// What puts the value there, and what takes it.
fn questions(peer: Peer, escapes: bool) -> (Option<Question>, Option<Question>) {
    let value = value(escapes);
    let end = &value[BYTES - 64..];
    match peer {
        Peer::Ours | Peer::Supervisor => {
            let (store, _) = request("cache.store", &[KEY.into(), value.as_str().into()], false);
            let (fetch, _) = request("cache.fetch", &[KEY.into()], false);
            let end = "</string></value>\n</param>\n</params>\n</methodResponse>\n";
            (Some(Question::new(store, response("<boolean>1</boolean>"))), Some(Question::new(fetch, end)))
        }
        // It has no place to put anything, and gives files fastest.
        Peer::Nginx if escapes => (None, None),
        Peer::Nginx => {
            let get = "GET /files/large HTTP/1.1\r\nHost: localhost\r\n\r\n";
            (None, Some(Question::new(get, end)))
        }
        Peer::Redis => {
            let set = format!("*3\r\n$3\r\nSET\r\n${}\r\n{KEY}\r\n${BYTES}\r\n{value}\r\n", KEY.len());
            let get = format!("*2\r\n$3\r\nGET\r\n${}\r\n{KEY}\r\n", KEY.len());
            (Some(Question::new(set, "+OK\r\n")), Some(Question::new(get, format!("{end}\r\n"))))
        }
        Peer::Memcached => {
            let set = format!("set {KEY} 0 0 {BYTES}\r\n{value}\r\n");
            (
                Some(Question::new(set, "STORED\r\n")),
                Some(Question::new(format!("get {KEY}\r\n"), format!("{end}\r\nEND\r\n"))),
            )
        }
    }
}

pub fn run(plan: &Plan) {
    let everybody = [Peer::Ours, Peer::Supervisor, Peer::Nginx, Peer::Redis, Peer::Memcached];
    let servers: Vec<(Peer, Result<Server, String>)> = everybody.iter().map(|peer| (*peer, peer.start("x"))).collect();
    for escapes in [false, true] {
        let mut tables = [Table::new(COLUMNS), Table::new(COLUMNS)];
        for _ in 0..plan.rounds {
            for (peer, server) in &servers {
                let (store, fetch) = questions(*peer, escapes);
                // First there, then back.
                for (question, table) in [store, fetch].iter().zip(&mut tables) {
                    let Some(question) = question else { continue };
                    let figures = server.as_ref().map_err(String::clone).map(|server| {
                        let load = load::run(server.address, question, CONNECTIONS, plan.each, server.pid);
                        vec![load.rate(), load.cpu_micros()]
                    });
                    table.add(peer.name(), figures);
                }
            }
        }
        let what = if escapes { ", a page of HTML" } else { "" };
        for (name, table) in ["store", "fetch"].iter().zip(&tables) {
            table.print(&format!("{name}{what}"));
        }
    }
}
