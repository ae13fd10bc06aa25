//! Whether a request comes from another site's page, or by a name that is not ours: browsers say so.
//!
//! A browser sends the user's password, and reaches what the user's machine reaches, whoever wrote the page that asks.
//! It tells where a request comes from (`Sec-Fetch-Site`, `Origin`: Fetch, 3.1 and Fetch Metadata, 2). Other clients send
//! neither, and are not concerned. Looks at heads only.

use crate::wire::http_in::Head;

/// What harm a request can do that somebody else's page makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Harm {
    /// None: pages and files are for everybody who may see them, and can't be read from elsewhere.
    None,
    /// It holds a connection, or has the user fetch what is not theirs to fetch.
    Reads,
    /// It may change something.
    Changes,
}

/// Why a request must not be answered: where it comes from.
pub(super) fn foreign(head: &Head, harm: Harm) -> Option<String> {
    if harm == Harm::None {
        return None;
    }
    let mut ours = false;
    for site in head.all("sec-fetch-site") {
        match site {
            "same-origin" => ours = true,
            "none" => {}
            // A neighbour's page may link to a log.
            "same-site" if harm == Harm::Reads => {}
            site => return Some(format!("it comes from another site's page (Sec-Fetch-Site: {})", shown(site))),
        }
    }
    if ours {
        // A proxy may have changed the host, which the browser did not know.
        return None;
    }
    // A page can't set either of these.
    let names = ["host", "x-forwarded-host"].map(|name| head.header(name).unwrap_or_default());
    let theirs = |origin: &&str| {
        let Some((scheme, host)) = origin.split_once("://") else { return true };
        let same = |name: &&str| !name.is_empty() && same_host(first(name), host, scheme);
        !names.iter().any(same)
    };
    let origin = head.all("origin").find(theirs)?;
    Some(format!("it comes from a page of {} (Origin), and Host is {}", shown(origin), shown(names[0])))
}

fn first(list: &str) -> &str {
    list.split(',').next().unwrap_or_default().trim()
}

/// Whether two names of a host mean the same, each with or without the port that the scheme has anyway.
fn same_host(one: &str, other: &str, scheme: &str) -> bool {
    let usual = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    let [one, other] = [one, other].map(|host| host.strip_suffix(usual).unwrap_or(host));
    one.eq_ignore_ascii_case(other)
}

/// Why a request must not be answered: it calls us by a name that is not in `hosts`. Anybody can make a name of theirs
/// lead to this machine, and their page then counts as ours. Whoever gives no name is no browser. No `hosts`: any name.
pub(super) fn misdirected(head: &Head, hosts: &[String]) -> Option<String> {
    let host = head.header("host").unwrap_or_default();
    if hosts.is_empty() || host.is_empty() || hosts.iter().any(|pattern| fits(pattern, host)) {
        return None;
    }
    Some(format!("its Host, {}, is not in allowed_hosts", shown(host)))
}

/// Whether a host, with or without a port, is one of a pattern: a name, `*.` and a name, or `*`; with a port only that.
fn fits(pattern: &str, host: &str) -> bool {
    let (name, port) = split_port(host);
    let (wanted, wanted_port) = split_port(pattern);
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let wanted = wanted.to_ascii_lowercase();
    let same_name = match wanted.strip_prefix('*') {
        Some(end) => name.len() > end.len() && name.ends_with(end),
        None => name == wanted,
    };
    same_name && wanted_port.is_none_or(|wanted| port.unwrap_or("80") == wanted)
}

/// A host and its port; the host may be an IPv6 address in brackets.
fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    }
}

/// Something that a client sent, for a line of the main log.
fn shown(text: &str) -> String {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{:?}...", &text[..end]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::http_in::HeadReader;

    fn head(lines: &str) -> Head {
        let text = format!("POST /RPC2 HTTP/1.1\r\n{lines}\r\n");
        HeadReader::default().read(text.as_bytes()).ok().flatten().expect("a head").0
    }

    fn refused(lines: &str) -> [bool; 3] {
        [Harm::None, Harm::Reads, Harm::Changes].map(|harm| foreign(&head(lines), harm).is_some())
    }

    #[test]
    fn who_is_no_browser_is_not_concerned() {
        for lines in ["", "Host: box:9001\r\n", "Host:\r\n", "Host: /tmp/s.sock\r\nUser-Agent: x\r\n"] {
            assert_eq!(refused(lines), [false; 3], "{lines}");
        }
    }

    #[test]
    fn sec_fetch_site_decides() {
        for (site, expected) in [
            ("same-origin", [false; 3]),
            ("none", [false; 3]),
            ("same-site", [false, false, true]),
            ("cross-site", [false, true, true]),
            ("new-word", [false, true, true]),
        ] {
            assert_eq!(refused(&format!("Host: box\r\nSec-Fetch-Site: {site}\r\n")), expected, "{site}");
        }
        // Said twice, the worse counts.
        let both = "Host: box\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n";
        assert_eq!(refused(both), [false, true, true]);
        // The browser knows what it did; a proxy may have changed the host behind it.
        assert_eq!(refused("Host: inner:9001\r\nOrigin: https://box\r\nSec-Fetch-Site: same-origin\r\n"), [false; 3]);
        assert_eq!(refused("Host: box\r\nOrigin: http://evil\r\nSec-Fetch-Site: none\r\n"), [false, true, true]);
    }

    #[test]
    fn origin_must_be_the_host() {
        for (host, origin) in [
            ("box:9001", "http://box:9001"),
            ("box", "http://box"),
            ("BOX:9001", "http://box:9001"),
            ("box:80", "http://box"),
            ("box", "https://box"),
            ("box:443", "https://box"),
            ("[::1]:9001", "http://[::1]:9001"),
            ("inner\r\nX-Forwarded-Host: box", "https://box"),
            ("inner\r\nX-Forwarded-Host: box, other", "https://box"),
        ] {
            assert_eq!(refused(&format!("Host: {host}\r\nOrigin: {origin}\r\n")), [false; 3], "{host} {origin}");
        }
        for (host, origin) in [
            ("box:9001", "http://evil"),
            ("box:9001", "http://box:9002"),
            ("box:9001", "http://box"),
            ("box", "http://box.evil"),
            ("box", "http://evil.box"),
            ("box", "null"),
            ("box", "box"),
            ("box", ""),
            ("", "http://"),
            ("", "http://box"),
            ("box", "http://box\r\nOrigin: http://evil"),
            ("box:443", "http://box"),
        ] {
            assert_eq!(
                refused(&format!("Host: {host}\r\nOrigin: {origin}\r\n")),
                [false, true, true],
                "{host} {origin}"
            );
        }
        assert_eq!(refused("Origin: http://box\r\n"), [false, true, true], "no host at all");
    }

    #[test]
    fn hosts_that_are_allowed() {
        let allowed = |patterns: &str, host: &str| {
            let patterns: Vec<String> = patterns.split(',').map(String::from).collect();
            misdirected(&head(&format!("Host: {host}\r\n")), &patterns).is_none()
        };
        for (patterns, host) in [
            ("box", "box"),
            ("box", "BOX:9001"),
            ("Box", "box."),
            ("box:9001", "box:9001"),
            ("box:80", "box"),
            ("a,*.example.com", "x.y.example.com:9001"),
            ("[::1]", "[::1]:9001"),
            ("[::1]:9001", "[::1]:9001"),
            ("127.0.0.1", "127.0.0.1:9001"),
            ("*", "anything:1"),
            ("*:9001", "anything:9001"),
        ] {
            assert!(allowed(patterns, host), "{patterns} {host}");
        }
        for (patterns, host) in [
            ("box", "evil"),
            ("box", "box.evil"),
            ("box", "xbox"),
            ("box:9001", "box:9002"),
            ("box:9001", "box"),
            ("*.example.com", "example.com"),
            ("*.example.com", "evilexample.com"),
            ("[::1]", "[::2]:9001"),
            ("box", "/tmp/s.sock"),
        ] {
            assert!(!allowed(patterns, host), "{patterns} {host}");
        }
        // Nobody says.
        assert!(allowed("box", ""));
        assert_eq!(misdirected(&head(""), &["box".to_string()]), None);
        assert_eq!(misdirected(&head("Host: evil\r\n"), &[]), None);
    }

    #[test]
    fn what_is_said_of_it_is_one_short_line() {
        let long = format!("Host: box\r\nOrigin: http://{}\r\n", "é\"".repeat(1000));
        let text = foreign(&head(&long), Harm::Changes).expect("refused");
        assert!(text.len() < 800 && !text.contains('\n'), "{text}");
    }
}
