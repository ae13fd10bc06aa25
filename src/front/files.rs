//! Files that come with the daemon (HTTP-120 to HTTP-126): a table of paths, nothing from the disk, so that no path can
//! lead out of it.

/// A file.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct File {
    /// Without its leading slash.
    path: &'static str,
    /// Its `Content-Type`.
    pub(super) kind: &'static str,
    /// What is in it.
    pub(super) bytes: &'static [u8],
}

impl File {
    /// Whether it becomes much shorter by packing: text does.
    pub(super) fn packs(&self) -> bool {
        !matches!(self.kind, "image/png" | "image/gif")
    }
}

/// A module of the page's own script.
const fn script(path: &'static str, bytes: &'static [u8]) -> File {
    File { path, kind: "text/javascript;charset=utf-8", bytes }
}

const STYLE: &[u8] = include_bytes!("files/web/style.css");

const FILES: &[File] = &[
    File { path: "images/icon.png", kind: "image/png", bytes: include_bytes!("files/icon.png") },
    File { path: "images/supervisor.gif", kind: "image/gif", bytes: include_bytes!("files/supervisor.gif") },
    // The same one at the place where Supervisor has its own.
    File { path: "stylesheets/supervisor.css", kind: "text/css", bytes: STYLE },
    File { path: "web/style.css", kind: "text/css", bytes: STYLE },
    File { path: "web/icon.svg", kind: "image/svg+xml", bytes: include_bytes!("files/web/icon.svg") },
    script("web/actions.js", include_bytes!("files/web/actions.js")),
    script("web/add.js", include_bytes!("files/web/add.js")),
    script("web/ansi.js", include_bytes!("files/web/ansi.js")),
    script("web/app.js", include_bytes!("files/web/app.js")),
    script("web/cache.js", include_bytes!("files/web/cache.js")),
    script("web/dom.js", include_bytes!("files/web/dom.js")),
    script("web/live.js", include_bytes!("files/web/live.js")),
    script("web/logfile.js", include_bytes!("files/web/logfile.js")),
    script("web/logview.js", include_bytes!("files/web/logview.js")),
    script("web/logwindow.js", include_bytes!("files/web/logwindow.js")),
    script("web/rpc.js", include_bytes!("files/web/rpc.js")),
    script("web/search.js", include_bytes!("files/web/search.js")),
    script("web/table.js", include_bytes!("files/web/table.js")),
    script("web/values.js", include_bytes!("files/web/values.js")),
    script("web/view.js", include_bytes!("files/web/view.js")),
];

/// The file of that name.
pub(super) fn find(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.path == name)
}

/// Whether files lie in a directory of that name, which has no slash behind it (HTTP-124).
pub(super) fn is_directory(name: &str) -> bool {
    FILES.iter().any(|file| file.path.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn http_120_121_files_are_what_they_are_called() {
        for file in FILES {
            let begins: &[u8] = match file.kind {
                "image/png" => b"\x89PNG\r\n\x1a\n",
                "image/gif" => b"GIF89a",
                "image/svg+xml" => b"<svg ",
                "text/javascript;charset=utf-8" => b"// ",
                _ => b"/*",
            };
            assert!(file.bytes.starts_with(begins), "{}", file.path);
            assert_eq!(find(file.path), Some(file));
        }
        for name in ["", "images", "images/", "/images/icon.png", "images/../images/icon.png", "files.rs"] {
            assert_eq!(find(name), None, "{name}");
        }
        assert!(is_directory("web") && is_directory("images") && is_directory("stylesheets"));
        for name in ["", "image", "images/", "images/icon.png", "..", "."] {
            assert!(!is_directory(name), "{name}");
        }
    }
    #[test]
    fn all_files_are_small_and_ask_nothing_of_anybody_else() {
        let mut packed = 0;
        for file in FILES {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(file.bytes).expect("a vector takes all");
            packed += encoder.finish().expect("a vector takes all").len();
            // The name of a vocabulary is no address.
            let text = String::from_utf8_lossy(file.bytes).replace("http://www.w3.org/2000/svg", "");
            assert!(!text.contains("http:") && !text.contains("https:") && !text.contains("url("), "{}", file.path);
            // What would evaluate text, or take it for markup.
            for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
                assert!(!text.contains(word), "{}: {word}", file.path);
            }
        }
        assert!(packed < 60_000, "{packed} bytes");
    }
}
