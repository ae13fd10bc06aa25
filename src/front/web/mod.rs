//! The web pages (HTTP-063): which there are, and what each shows, as plain data for the renderers beside this file.
//!
//! Reads the world, never changes it, and knows nothing of connections. A renderer takes data and gives bytes.

pub(super) mod action;
pub(super) mod live;
pub(super) mod status;
pub(super) mod tail;
pub(super) mod text;

use crate::base::limits;
use crate::base::text::display_name;
use crate::base::time::Calendar;
use crate::base::words::{Channel, Fault, Mood, SUPERVISOR_VERSION, State, fault};
use crate::rpc::info::description;
use crate::rpc::logs::read_end;
use crate::world::process::Process;
use crate::world::{Turn, World};

/// A page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Page {
    /// `ok.html`: what monitors ask whether the daemon is alive (WEB-043).
    Ok,
    /// `/` and `index.html`: all processes, and what can be done with them (WEB-001).
    Status,
    /// `tail.html`: the end of a log (WEB-040).
    Tail,
}

/// The paths of pages, without their leading slashes: no call goes there (HTTP-063, HTTP-150).
const PAGES: [(&str, Page); 4] =
    [("", Page::Status), ("index.html", Page::Status), ("tail.html", Page::Tail), ("ok.html", Page::Ok)];

/// The page of that name.
pub(super) fn find(name: &str) -> Option<Page> {
    PAGES.iter().find(|row| row.0 == name).map(|row| row.1)
}

/// What the status page shows.
pub(super) struct Status {
    /// Sorted by group and name (WEB-003).
    pub(super) rows: Vec<Row>,
    /// What came of an action, or whatever `?message=` says (WEB-008): any text.
    pub(super) message: Option<String>,
    /// What getSupervisorVersion answers (RPC-013).
    pub(super) version: &'static str,
    /// The name of this daemon: any text.
    pub(super) identifier: String,
    /// What the daemon is doing.
    pub(super) mood: Mood,
    /// The current year (WEB-009).
    pub(super) year: i64,
    /// Whether the reader may change things: without it there are no buttons.
    pub(super) may_change: bool,
}

/// A process on the status page.
pub(super) struct Row {
    /// How it is shown and what actions call it (PROC-080).
    pub(super) spec: String,
    /// Its state.
    pub(super) state: State,
    /// What getProcessInfo says (PROC-110 to 113): any text.
    pub(super) description: String,
}

/// Whether there is a log to read: of stdout, of stderr.
fn row_logs(process: &Process) -> [bool; 2] {
    [Channel::Stdout, Channel::Stderr].map(|channel| process.log_path(channel).is_some())
}

/// The tail page's data (WEB-040, WEB-041).
pub(super) fn tail(form: text::Form, world: &World, turn: &mut Turn<'_>) -> tail::Tail {
    let digits = form.limit.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let limit = digits.map_or(0, |text| text.parse().unwrap_or(u64::MAX)).clamp(1024, limits::TAIL_PAGE_BYTES);
    let text = match &form.processname {
        None => "No process name found".to_string(),
        Some(name) => match read_end(world, turn, name, limit) {
            Ok(text) => text,
            Err(Fault { code: fault::NO_FILE, .. }) => format!("No file for {name}"),
            Err(Fault { code, text }) => format!("ERROR: unexpected rpc fault [{code}] {text}"),
        },
    };
    tail::Tail { name: form.processname, limit, text }
}

/// The status page's data.
pub(super) fn status(world: &World, message: Option<String>, may_change: bool, turn: &mut Turn<'_>) -> Status {
    let wall = turn.now.wall;
    Status {
        rows: world.all_by_name().into_iter().map(|process| row(process, turn)).collect(),
        message,
        version: SUPERVISOR_VERSION,
        identifier: world.config.daemon.identifier.clone(),
        mood: world.mood(),
        year: Calendar::at(wall.secs(), turn.host.local_offset(wall.secs())).year,
        may_change,
    }
}

fn row(process: &Process, turn: &mut Turn<'_>) -> Row {
    Row {
        spec: display_name(&process.group_name, &process.spec.name),
        state: process.life.state(),
        description: description(process, turn.now, turn.host),
    }
}
