//! The page with the end of a log, for browsers without JavaScript: data in, HTML out (WEB-040 to WEB-042).

use super::text::{escape, quote};

/// What the page shows.
pub(in crate::front) struct Tail {
    /// Whose log, as PROC-080 names it; `None`: nobody said.
    pub(in crate::front) name: Option<String>,
    /// How many bytes of it were asked for.
    pub(in crate::front) limit: u64,
    /// The text, or why there is none.
    pub(in crate::front) text: String,
}

/// The page.
pub(in crate::front) fn render(page: &Tail) -> Vec<u8> {
    let mut out = Vec::with_capacity(1024 + page.text.len());
    let mut title = b"Supervisor tail of process ".to_vec();
    escape(&mut title, page.name.as_deref().unwrap_or("None"));
    out.extend_from_slice(b"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
    out.extend_from_slice(&title);
    out.extend_from_slice(
        b"</title>\n<meta name=\"viewport\" content=\"width=device-width\">\n\
          <link rel=\"icon\" href=\"images/icon.png\">\n\
          <link rel=\"stylesheet\" href=\"stylesheets/supervisor.css\">\n</head>\n<body class=\"tail\">\n<h1>",
    );
    out.extend_from_slice(&title);
    out.extend_from_slice(b"</h1>\n<nav>");
    if let Some(name) = &page.name {
        let name = quote(name);
        let links = format!(
            "<a href=\"tail.html?processname={name}&amp;limit={}\">Refresh</a>\n<a href=\"logtail/{name}\">Follow</a>\n",
            page.limit
        );
        out.extend_from_slice(links.as_bytes());
    }
    out.extend_from_slice(b"<a href=\"index.html\">Status</a></nav>\n<main><pre tabindex=\"0\">");
    escape(&mut out, &page.text);
    out.extend_from_slice(b"</pre></main>\n</body>\n</html>\n");
    out
}
