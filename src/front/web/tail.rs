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
    let mut out = Vec::with_capacity(2048 + page.text.len());
    let mut title = b"Supervisor tail of process ".to_vec();
    escape(&mut title, page.name.as_deref().unwrap_or("None"));
    head(&mut out, |out| out.extend_from_slice(&title));
    out.extend_from_slice(
        b"</head>\n<body>\n<header>\n<h1><img src=\"web/icon.svg\" alt=\"\" width=\"22\" height=\"22\"><span>",
    );
    out.extend_from_slice(&title);
    out.extend_from_slice(b"</span></h1>\n<div class=\"bar\">");
    if let Some(name) = &page.name {
        let name = quote(name);
        for (class, to, text) in [
            ("button", format!("tail.html?processname={name}&amp;limit={}", page.limit), "Refresh"),
            ("button", format!("logtail/{name}"), "Follow"),
            ("button scripted", format!("index.html#log?name={name}"), "Search"),
        ] {
            out.extend_from_slice(format!("<a class=\"{class}\" href=\"{to}\">{text}</a>\n").as_bytes());
        }
    }
    out.extend_from_slice(
        b"<a class=\"button\" href=\"index.html\">Status</a></div>\n</header>\n<main><pre class=\"tail\" tabindex=\"0\">",
    );
    escape(&mut out, &page.text);
    out.extend_from_slice(b"</pre></main>\n</body>\n</html>\n");
    out
}

/// The beginning of every page, up to its title, its icon and its style.
pub(super) fn head(out: &mut Vec<u8>, title: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(b"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
    title(out);
    out.extend_from_slice(
        b"</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
          <meta name=\"color-scheme\" content=\"light dark\">\n\
          <link rel=\"icon\" type=\"image/svg+xml\" href=\"web/icon.svg\">\n\
          <link rel=\"stylesheet\" href=\"web/style.css\">\n",
    );
}
