//! `supervisorctl`: commands for a running `supervisord`, one by one or in a shell.
//!
//! | file | what it does |
//! |---|---|
//! | `table` | the commands: one row each, from which dispatch, checks and help come |
//! | `dialogue` | runs a command line: finds the row, checks, reports what went wrong |
//! | `client`, `dial` | calls and log streams over sockets; where a URL leads, and connecting |
//! | `shell`, `console`, `editor`, `completion` | the interactive loop, the terminal behind it, and editing there |
//! | `control`, `server`, `logs`, `foreground`, `groups`, `cache`, `twiddler`, `help` | what the commands do |
//! | `options`, `trouble`, `hints` | the command line; errors as users see them; what to do about them |
//! | `pprint` | values as Python prints them |
//! | `pages`, `completions` | manual pages and completion scripts, made from the tables |
//!
//! It knows the daemon only through its sockets.

mod cache;
mod client;
mod completion;
pub mod completions;
mod console;
mod control;
mod dial;
mod dialogue;
#[cfg(test)]
mod dialogue_tests;
mod editor;
mod foreground;
mod groups;
mod help;
mod hints;
mod logs;
mod options;
pub mod pages;
pub mod pprint;
#[cfg(test)]
mod scripted;
mod server;
mod shell;
mod table;
#[cfg(test)]
mod table_tests;
mod trouble;
mod twiddler;

pub use options::main;
