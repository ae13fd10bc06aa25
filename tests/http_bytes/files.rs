//! Files that come with the daemon (contract http.md, section 7).

use std::time::Duration;

use crate::rig::{GUARDED, Rig, body, header, status, statuses};

const CSS: &str = "/stylesheets/supervisor.css";

fn get(rig: &mut Rig, method: &str, path: &str, headers: &str) -> String {
    rig.ask(format!("{method} {path} HTTP/1.1\r\nHost: box:9001\r\n{headers}\r\n"))
}

/// HTTP-120, HTTP-121, HTTP-123, HTTP-047; HTTP-122: the templates of the original are none of ours.
#[test]
fn http_120_to_123_files_and_their_headers() {
    let mut rig = Rig::new();
    for (path, kind) in [(CSS, "text/css"), ("/images/supervisor.gif", "image/gif"), ("/images/icon.png", "image/png")]
    {
        let answer = get(&mut rig, "GET", path, "");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\nServer: Medusa/1.12\r\nDate: "), "{answer}");
        assert_eq!(header(&answer, "Content-Type"), Some(kind));
        assert_eq!(header(&answer, "Last-Modified"), Some("Wed, 31 Jan 2024 10:20:30 GMT"));
        let length: usize = header(&answer, "Content-Length").and_then(|text| text.parse().ok()).expect("a length");
        assert!(length > 100);
        // HTTP-047: the same head, and nothing behind it.
        let (head, _) = answer.split_once("\r\n\r\n").expect("a head");
        assert_eq!(get(&mut rig, "HEAD", path, ""), format!("{head}\r\n\r\n"));
        for method in ["POST", "PUT", "DELETE"] {
            let answer = get(&mut rig, method, path, "Content-Type: text/xml\r\nContent-Length: 0\r\n");
            assert_eq!(status(&answer), "400", "{method} {path}");
        }
    }
    assert!(body(&get(&mut rig, "GET", CSS, "")).contains(".statusrunning"));
    // HTTP-122.
    for path in ["/status.html", "/ui/status.html", "/images/state0.gif"] {
        assert_eq!(status(&get(&mut rig, "GET", path, "")), "404", "{path}");
    }
    // HTTP-080.
    let conn = rig.connect(GUARDED);
    rig.send(conn, format!("GET {CSS} HTTP/1.1\r\n\r\n").as_bytes());
    assert_eq!(status(&rig.read(conn)), "401");
}

/// HTTP-124, HTTP-145: a directory is told with the name that the client used, also behind a proxy.
#[test]
fn http_124_145_directories() {
    let mut rig = Rig::new();
    for (host, base) in [
        ("Host: box:9001\r\n", "http://box:9001"),
        ("Host: www.example.com:80\r\n", "http://www.example.com"),
        ("Host:\r\n", "http://localhost"),
        ("", "http://localhost"),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = rig.ask(format!("{method} /images HTTP/1.1\r\n{host}\r\n"));
            assert!(answer.starts_with("HTTP/1.1 301 Moved Permanently\r\n"), "{answer}");
            assert_eq!(header(&answer, "Location"), Some(format!("{base}/images/").as_str()));
            assert_eq!(header(&answer, "Content-Length"), Some("142"), "WEB-032");
        }
    }
    for path in ["/images/", "/stylesheets/", "/image", "/images/icon.png/"] {
        assert_eq!(status(&get(&mut rig, "GET", path, "")), "404", "{path}");
    }
}

/// HTTP-125, BUG-022: 304 has no body and says nothing of one.
#[test]
fn http_125_what_the_client_has_already() {
    let mut rig = Rig::new();
    let now = rig.now.wall.secs();
    let date = |secs| majordomo::base::time::Calendar::at(secs, 0).http_date();
    rig.connect(0);
    rig.pass(Duration::from_secs(60));
    for (since, code) in [
        (date(now), "304"),
        (date(now + 100), "304"),
        (format!("{}; length=3", date(now)), "304"),
        (date(now - 1), "200"),
        ("yesterday".to_string(), "200"),
        (String::new(), "200"),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = get(&mut rig, method, CSS, &format!("If-Modified-Since: {since}\r\n"));
            assert_eq!(status(&answer), code, "{since}");
            if code == "304" {
                assert!(answer.starts_with("HTTP/1.1 304 Not Modified\r\n"), "{answer}");
                assert_eq!(body(&answer), "");
                for name in ["Content-Length", "Transfer-Encoding", "Content-Type", "Connection"] {
                    assert_eq!(header(&answer, name), None, "{name}");
                }
                assert_eq!(header(&answer, "Last-Modified"), Some(date(now).as_str()));
            }
        }
    }
    // Behind it the connection goes on.
    let conn = rig.connect(0);
    let known = format!("GET {CSS} HTTP/1.1\r\nIf-Modified-Since: {}\r\n\r\n", date(now));
    rig.send(conn, format!("{known}GET {CSS} HTTP/1.1\r\n\r\n").as_bytes());
    let answers = rig.read(conn);
    assert_eq!(statuses(answers.split_once("\r\n\r\n").expect("the first").1), ["200"]);
}

/// HTTP-126: nothing leads out, or around.
#[test]
fn http_126_no_path_leads_out() {
    let mut rig = Rig::new();
    for path in [
        "/..",
        "/../etc/passwd",
        "/images/../../etc/passwd",
        "/images/../images/icon.png",
        "/%2e%2e/etc/passwd",
        "/images/%2e%2e/images/icon.png",
        "/images%2f..%2f..%2fetc%2fpasswd",
        "/images/icon.png%00",
        "/images//icon.png",
        "/./images/icon.png",
        "/images\\icon.png",
        "/etc/passwd",
        "//etc/passwd",
    ] {
        assert_eq!(status(&get(&mut rig, "GET", path, "")), "404", "{path}");
    }
    assert_eq!(status(&get(&mut rig, "GET", "/images%2ficon.png", "")), "200", "HTTP-025: decoded, then looked up");
}
