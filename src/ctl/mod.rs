//! `supervisorctl`: commands for a running `supervisord`, one by one or in a shell.
//!
//! | file | what it does |
//! |---|---|
//! | `table` | the commands: one row each, from which dispatch, checks and help come |
//! | `dialogue` | runs a command line: finds the row, checks, reports what went wrong |
//! | `client` | calls and log streams over blocking sockets |
//! | `shell` | the interactive loop and the terminal behind it |
//! | `control`, `server`, `logs`, `foreground`, `groups`, `cache`, `help` | what the commands do |
//! | `options`, `trouble`, `pprint` | the command line; errors as users see them; values as Python prints them |
//!
//! It knows the daemon only through its sockets.

mod cache;
mod client;
mod control;
mod dialogue;
mod foreground;
mod groups;
mod help;
mod logs;
mod options;
pub mod pprint;
#[cfg(test)]
mod scripted;
mod server;
mod shell;
mod table;
mod trouble;

pub use options::main;
