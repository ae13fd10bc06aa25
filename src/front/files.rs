//! Files that come with the daemon (HTTP-120 to HTTP-126): a table of paths, nothing from the disk, so that no path can
//! lead out of it.

use crate::wire::gzip;

/// A file.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct File {
    /// Without its leading slash.
    path: &'static str,
    /// Its `Content-Type`.
    pub(super) kind: &'static str,
    content: Content,
}

/// What is in a file.
#[derive(PartialEq, Eq, Debug)]
enum Content {
    Plain(&'static [u8]),
    /// Packed with gzip when the program was built, which text is: that is a third, in the program and on its way.
    Packed(&'static [u8]),
}

impl File {
    /// Whether there is a packed form.
    pub(super) fn packs(&self) -> bool {
        matches!(self.content, Content::Packed(_))
    }

    /// Appends what is in it, packed if the client takes that. Returns whether it is packed.
    pub(super) fn write(&self, out: &mut Vec<u8>, packed: bool) -> bool {
        match self.content {
            Content::Packed(bytes) if !packed => {
                // Ours are whole: a test unpacks them all.
                let _ = gzip::unpack(bytes, out);
                return false;
            }
            Content::Plain(bytes) | Content::Packed(bytes) => out.extend_from_slice(bytes),
        }
        self.packs()
    }
}

/// What the build packed.
macro_rules! packed {
    ($name:literal) => {
        Content::Packed(include_bytes!(concat!(env!("OUT_DIR"), "/web/", $name, ".gz")))
    };
}

/// A module of the page's own script.
const fn script(path: &'static str, content: Content) -> File {
    File { path, kind: "text/javascript;charset=utf-8", content }
}

const STYLE: Content = packed!("style.css");
const ICON: Content = Content::Plain(include_bytes!("files/icon.png"));
const LOGO: Content = Content::Plain(include_bytes!("files/supervisor.gif"));

const FILES: &[File] = &[
    File { path: "images/icon.png", kind: "image/png", content: ICON },
    File { path: "images/supervisor.gif", kind: "image/gif", content: LOGO },
    // The same one at the place where Supervisor has its own.
    File { path: "stylesheets/supervisor.css", kind: "text/css", content: STYLE },
    File { path: "web/style.css", kind: "text/css", content: STYLE },
    File { path: "web/icon.svg", kind: "image/svg+xml", content: packed!("icon.svg") },
    script("web/actions.js", packed!("actions.js")),
    script("web/add.js", packed!("add.js")),
    script("web/ansi.js", packed!("ansi.js")),
    script("web/app.js", packed!("app.js")),
    script("web/cache.js", packed!("cache.js")),
    script("web/dom.js", packed!("dom.js")),
    script("web/live.js", packed!("live.js")),
    script("web/logfile.js", packed!("logfile.js")),
    script("web/logview.js", packed!("logview.js")),
    script("web/logwindow.js", packed!("logwindow.js")),
    script("web/rpc.js", packed!("rpc.js")),
    script("web/search.js", packed!("search.js")),
    script("web/table.js", packed!("table.js")),
    script("web/values.js", packed!("values.js")),
    script("web/view.js", packed!("view.js")),
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
    use super::*;

    /// What is in a file, packed or not.
    fn bytes(file: &File, packed: bool) -> Vec<u8> {
        let mut out = Vec::new();
        assert_eq!(file.write(&mut out, packed), packed && file.packs());
        out
    }

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
            assert!(bytes(file, false).starts_with(begins), "{}", file.path);
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
            let name = file.path.rsplit('/').next().unwrap_or_default();
            let name = if name == "supervisor.css" { "style.css" } else { name };
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/front/files");
            let source =
                [folder.to_string(), format!("{folder}/web")].map(|from| std::fs::read(format!("{from}/{name}")));
            assert!(source.iter().flatten().eq([&bytes(file, false)]), "{}", file.path);
            let small = bytes(file, true);
            assert_eq!(file.packs(), small.starts_with(&[0x1f, 0x8b]), "{}", file.path);
            packed += small.len();
            // The name of a vocabulary is no address.
            let text = String::from_utf8_lossy(&bytes(file, false)).replace("http://www.w3.org/2000/svg", "");
            assert!(!text.contains("http:") && !text.contains("https:") && !text.contains("url("), "{}", file.path);
            // What would evaluate text, or take it for markup.
            for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
                assert!(!text.contains(word), "{}: {word}", file.path);
            }
        }
        assert!(packed < 60_000, "{packed} bytes");
    }
}
