//! The status page: data in, HTML out (WEB-001 to WEB-010). It works without JavaScript.

use std::io::Write;

use super::text::{escape, quote};
use super::{Row, Status};
use crate::base::words::State;

/// The page.
pub(in crate::front) fn render(page: &Status) -> Vec<u8> {
    let mut out = Vec::with_capacity(2048 + 1024 * page.rows.len());
    put(
        &mut out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Supervisor Status</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n\
         <link rel=\"stylesheet\" href=\"stylesheets/supervisor.css\">\n</head>\n",
    );
    put(&mut out, &format!("<body data-now=\"{:.3}\" data-state=\"{}\">\n<h1>", page.now, page.mood.name()));
    escape(&mut out, &page.identifier);
    put(&mut out, "</h1>\n");
    if let Some(message) = &page.message {
        put(&mut out, "<p class=\"status_msg\" role=\"status\">");
        escape(&mut out, message);
        put(&mut out, "</p>\n");
    }
    put(&mut out, "<form method=\"post\" action=\"index.html\">\n");
    put(&mut out, "<p><a href=\"index.html?action=refresh\">Refresh</a>");
    if page.may_change {
        for (action, name) in [("restartall", "Restart All"), ("stopall", "Stop All")] {
            put(&mut out, &format!(" <button formaction=\"index.html?action={action}\">{name}</button>"));
        }
    }
    put(&mut out, "</p>\n");
    if page.rows.is_empty() {
        put(&mut out, "<p>No programs to manage</p>\n");
    } else {
        put(&mut out, "<table>\n<tr><th>State<th>Description<th>Name<th>Action\n");
        for row in &page.rows {
            self::row(&mut out, row, page.may_change);
        }
        put(&mut out, "</table>\n");
    }
    put(&mut out, "</form>\n<footer>Supervisor ");
    escape(&mut out, page.version);
    // Writing to a vector can't fail.
    let _ = writeln!(out, " &middot; {}</footer>\n</body>\n</html>", page.year);
    out
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn row(out: &mut Vec<u8>, row: &Row, may_change: bool) {
    let class = match row.state {
        State::Running => "statusrunning",
        State::Fatal | State::Backoff => "statuserror",
        _ => "statusnominal",
    };
    put(out, "<tr data-group=\"");
    escape(out, &row.group);
    put(out, "\" data-name=\"");
    escape(out, &row.name);
    put(out, &format!("\" data-pid=\"{}\" data-start=\"{}\">", row.pid, row.start));
    put(out, &format!("<td><span class=\"{class}\">{}</span><td>", row.state.name().to_lowercase()));
    escape(out, &row.description);
    let name = quote(&row.spec);
    put(out, &format!("<td><a href=\"tail.html?processname={name}\" target=\"_blank\">"));
    escape(out, &row.spec);
    put(out, "</a><td>");
    let actions: &[(&str, &str)] = match row.state {
        State::Running => &[("restart", "Restart"), ("stop", "Stop")],
        State::Stopped | State::Exited | State::Fatal => &[("start", "Start")],
        _ => &[],
    };
    if may_change {
        for (action, text) in actions.iter().chain(&[("clearlog", "Clear Log")]) {
            let to = format!("index.html?processname={name}&amp;action={action}");
            put(out, &format!("<button formaction=\"{to}\">{text}</button> "));
        }
    }
    for (there, channel, text) in [(row.logs[0], "", "Stdout"), (row.logs[1], "/stderr", "Stderr")] {
        let class = if there { "" } else { " class=\"nothing\"" };
        put(out, &format!("<a href=\"logtail/{name}{channel}\" target=\"_blank\"{class}>Tail -f {text}</a> "));
    }
    put(out, "\n");
}
