//! majordomo: `supervisord` and `supervisorctl` as one small single-threaded event-loop server.
//!
//! The map, lowest floor first; a floor uses only those below it (`tests/tidy.rs` checks):
//!
//! | folder | what lives there |
//! |---|---|
//! | [`base`] | plain values: keys, clocks, byte queues, XML-RPC values, the contract's vocabularies |
//! | [`wire`] | bytes to meaning and back: HTTP heads and bodies, XML-RPC; no sockets |
//! | [`config`] | files and command lines to a checked [`config::spec::Config`] |
//! | [`world`] | processes, groups, logs, the cache: all state but connections |
//! | [`rpc`] | the methods, one table |
//! | [`front`] | connections without sockets: requests in, answers out |
//! | [`daemon`] | the world and its front in one turn, in one order |
//! | [`sys`] | the system calls; the only `unsafe` |
//! | [`reactor`] | the poll loop; owns every descriptor |
//! | [`ctl`] | `supervisorctl` |
//! | [`sim`] | a pretended system, with dice |

pub mod base;
pub mod config;
pub mod ctl;
pub mod daemon;
pub mod front;
pub mod reactor;
pub mod rpc;
pub mod sim;
#[allow(unsafe_code)]
pub mod sys;
pub mod wire;
pub mod world;
