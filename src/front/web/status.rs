//! The status page: data in, HTML out (WEB-001 to WEB-010). It works without JavaScript; with it, `files/web/app.js`
//! takes the same elements over.

use super::tail::head;
use super::text::{escape, quote};
use super::{Row, Status};
use crate::base::words::{Mood, State};

/// The page.
pub(in crate::front) fn render(page: &Status) -> Vec<u8> {
    let mut out = Vec::with_capacity(2048 + 1024 * page.rows.len());
    head(&mut out, |out| put(out, "Supervisor Status"));
    put(&mut out, "<script type=\"module\" src=\"web/app.js\"></script>\n");
    put(&mut out, if page.may_change { "</head>\n<body>\n" } else { "</head>\n<body class=\"viewer\">\n" });
    header(&mut out, page);
    put(&mut out, "<main>\n");
    if let Some(message) = &page.message {
        put(&mut out, "<p class=\"status_msg\" role=\"status\">");
        escape(&mut out, message);
        put(&mut out, "</p>\n");
    }
    put(&mut out, "<form id=\"actions\" method=\"post\" action=\"index.html\">\n");
    if page.rows.is_empty() {
        put(&mut out, "<p class=\"empty\">No programs to manage</p>\n");
    } else {
        put(&mut out, "<table class=\"processes\">\n<thead><tr>");
        for title in ["State", "Description", "Name", "Action"] {
            put(&mut out, &format!("<th scope=\"col\">{title}</th>"));
        }
        put(&mut out, "</tr></thead>\n<tbody>\n");
        for row in &page.rows {
            self::row(&mut out, row, page.may_change);
        }
        put(&mut out, "</tbody>\n</table>\n");
    }
    put(&mut out, "</form>\n</main>\n<footer>Supervisor ");
    escape(&mut out, page.version);
    put(&mut out, &format!(" · {}</footer>\n</body>\n</html>\n", page.year));
    out
}

/// Who this is, how it is, and what can be done with everything.
fn header(out: &mut Vec<u8>, page: &Status) {
    put(out, "<header>\n<h1><img src=\"web/icon.svg\" alt=\"\" width=\"22\" height=\"22\"><span>");
    escape(out, &page.identifier);
    put(out, "</span></h1>\n");
    let tone = if page.mood == Mood::Running { "good" } else { "warn" };
    let mood = page.mood.name().to_ascii_lowercase();
    put(out, &format!("<span class=\"chip dot\" id=\"state\" data-tone=\"{tone}\">{mood}</span>\n<div class=\"bar\">"));
    put(out, "<a class=\"button refresh\" href=\"index.html?action=refresh\">Refresh</a>");
    if page.may_change {
        for (action, name) in [("restartall", "Restart All"), ("stopall", "Stop All")] {
            let to = format!("formaction=\"index.html?action={action}\"");
            put(out, &format!("\n<button form=\"actions\" {to}>{name}</button>"));
        }
    }
    put(out, "</div>\n</header>\n");
}

/// A process (WEB-003 to WEB-007). A thousand of them are sent as they are here, so there is nothing in it to spare.
fn row(out: &mut Vec<u8>, row: &Row, may_change: bool) {
    let class = match row.state {
        State::Running => "statusrunning",
        State::Fatal | State::Backoff => "statuserror",
        _ => "statusnominal",
    };
    put(out, &format!("<tr><td><span class=\"{class}\">{}</span></td><td>", row.state.name().to_ascii_lowercase()));
    escape(out, &row.description);
    let name = quote(&row.spec);
    put(out, &format!("</td><td><a href=\"tail.html?processname={name}\" target=\"_blank\">"));
    escape(out, &row.spec);
    put(out, "</a></td><td>");
    let actions: [Option<(&str, &str)>; 2] = match row.state {
        State::Running => [Some(("restart", "Restart")), Some(("stop", "Stop"))],
        State::Stopped | State::Exited | State::Fatal => [Some(("start", "Start")), None],
        _ => [None, None],
    };
    if may_change {
        for action in actions.iter().chain(&[Some(("clearlog", "Clear Log"))]) {
            match action {
                None => put(out, "– "),
                Some((action, text)) => {
                    let to = format!("index.html?processname={name}&amp;action={action}");
                    put(out, &format!("<button formaction=\"{to}\">{text}</button> "));
                }
            }
        }
    }
    for (channel, text) in [("", "Stdout"), ("/stderr", "Stderr")] {
        put(out, &format!("<a href=\"logtail/{name}{channel}\" target=\"_blank\">Tail -f {text}</a> "));
    }
    put(out, "</td></tr>\n");
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}
