//! The web views (HTTP-063): so far the one that monitors ask whether the daemon is alive.
//!
//! Never changes anything, and knows nothing of connections.

/// A view.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Page {
    /// `ok.html` (WEB-043).
    Ok,
}

impl Page {
    /// Its `Content-Type` and body.
    pub(super) fn render(self) -> (&'static str, &'static [u8]) {
        match self {
            Page::Ok => ("text/plain", b"OK"),
        }
    }
}

/// The paths of views, without their leading slashes: no call goes there (HTTP-063, HTTP-150).
pub(super) const NAMES: [&str; 4] = ["", "index.html", "tail.html", "ok.html"];

/// The view of that name; `None`: there is none, although the name is a view's.
pub(super) fn find(name: &str) -> Option<Page> {
    match name {
        "ok.html" => Some(Page::Ok),
        _ => None,
    }
}
