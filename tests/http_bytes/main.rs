//! Connections, spoken to with bytes: what goes in, in pieces of any size, and what comes out (contract http.md).

mod files;
mod large;
mod limits;
mod live;
mod packed;
mod pieces;
mod requests;
mod rig;
mod security;
mod tails;
mod web;
