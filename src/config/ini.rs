//! The INI grammar (CFG-020 to CFG-036): text in, sections with keys in, each with the line it came from, and every
//! line that could not be understood.
//!
//! Knows no section and no key. Total: any text gives a result, in time and memory linear in its length.

use std::rc::Rc;

use crate::base::maps::ByName;
use crate::base::order;
use crate::base::text::repr;
use crate::config::error::Place;

/// The section that supplies fall-back values to all others (CFG-032).
const DEFAULT: &str = "DEFAULT";

/// One `key = value`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// Trimmed; the lines of a continued value are joined with `\n`.
    pub value: String,
    /// Where the key stands.
    pub at: Place,
}

/// One section, merged from all its appearances.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    /// As written, not trimmed (CFG-025).
    pub name: String,
    /// Where it was first opened (CFG-097).
    pub at: Place,
    /// By lower-case key.
    pub settings: ByName<Setting>,
}

impl Section {
    /// An empty section.
    pub fn new(name: &str, at: Place) -> Section {
        Section { name: name.to_string(), at, settings: ByName::default() }
    }
}

/// A line that is no comment, no header and no option.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadLine {
    /// From 1.
    pub line: u32,
    /// The line with its end, `\n` for each kind of end.
    pub text: String,
}

/// What is wrong with a file's grammar.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Trouble {
    /// An option before the first section (CFG-035); only the first is told.
    NoHeader(BadLine),
    /// Lines that can't be understood (CFG-036).
    Lines(Vec<BadLine>),
}

impl Trouble {
    /// Supervisor's message.
    pub fn text(&self, file: &str) -> String {
        match self {
            Trouble::NoHeader(bad) => format!(
                "File contains no section headers.\nfile: {}, line: {}\n{}",
                repr(file),
                bad.line,
                repr(&bad.text)
            ),
            Trouble::Lines(lines) => {
                let mut text = format!("Source contains parsing errors: {}", repr(file));
                for bad in lines {
                    text += &format!("\n\t[line {:>2}]: {}", bad.line, repr(&bad.text));
                }
                text
            }
        }
    }

    /// The first line to blame.
    pub fn line(&self) -> u32 {
        match self {
            Trouble::NoHeader(bad) => bad.line,
            Trouble::Lines(lines) => lines.first().map_or(0, |bad| bad.line),
        }
    }
}

/// Sections in the order of their first appearance.
#[derive(Clone, Debug)]
pub struct Ini {
    sections: Vec<Section>,
    index: ByName<usize>,
    defaults: Section,
}

impl Ini {
    /// No sections yet.
    pub fn new() -> Ini {
        let nowhere = Place { file: Rc::from(""), line: 0 };
        Ini { sections: Vec::new(), index: ByName::default(), defaults: Section::new(DEFAULT, nowhere) }
    }

    /// Reads a file's text into what is there already: later keys override (CFG-031). What could be understood is
    /// kept whatever the result.
    pub fn read(&mut self, text: &str, file: &Rc<str>) -> Result<(), Trouble> {
        let mut scan =
            Scan { ini: self, file, section: None, key: None, indent: usize::MAX, orphan: None, bad: Vec::new() };
        for (number, (line, ended)) in (1..).zip(lines(text)) {
            scan.line(number, line, ended);
        }
        let Scan { orphan, bad, .. } = scan;
        for section in self.sections.iter_mut().chain([&mut self.defaults]) {
            for setting in section.settings.values_mut() {
                setting.value.truncate(setting.value.trim_end_matches(is_space).len());
            }
        }
        match orphan {
            Some(line) => Err(Trouble::NoHeader(line)),
            None if bad.is_empty() => Ok(()),
            None => Err(Trouble::Lines(bad)),
        }
    }

    /// All sections but `[DEFAULT]`.
    pub fn sections(&self) -> &[Section] {
        &self.sections
    }

    /// The section of exactly this name.
    pub fn section(&self, name: &str) -> Option<&Section> {
        self.index.get(name).map(|at| &self.sections[*at])
    }

    /// A section's setting, or `[DEFAULT]`'s (CFG-032).
    pub fn get<'a>(&'a self, section: &'a Section, key: &str) -> Option<&'a Setting> {
        section.settings.get(key).or_else(|| self.defaults.settings.get(key))
    }

    /// All keys that a section has, those of `[DEFAULT]` included.
    pub fn keys<'a>(&'a self, section: &'a Section) -> Vec<&'a str> {
        let all = section.settings.names().chain(self.defaults.settings.names());
        let mut all: Vec<&str> = all.map(String::as_str).collect();
        order::sort(&mut all);
        all.dedup();
        all
    }

    /// Puts a directory in place of every `%(here)s` that stands in any value (CFG-050).
    pub fn settle_here(&mut self, here: &str) {
        const HERE: &str = "%(here)s";
        for section in &mut self.sections {
            for setting in section.settings.values_mut() {
                if setting.value.contains(HERE) {
                    setting.value = setting.value.replace(HERE, here);
                }
            }
            // upstream: CFG-050: a fall-back value is settled per section, with the directory of the file that the
            // section came from.
            for (key, setting) in self.defaults.settings.iter() {
                if setting.value.contains(HERE) && section.settings.get(key).is_none() {
                    let value = setting.value.replace(HERE, here);
                    section.settings.insert(key.clone(), Setting { value, at: setting.at.clone() });
                }
            }
        }
    }
}

impl Default for Ini {
    fn default() -> Ini {
        Ini::new()
    }
}

/// Where a running read stands.
struct Scan<'a> {
    ini: &'a mut Ini,
    file: &'a Rc<str>,
    section: Option<Open>,
    /// The option that deeper lines continue.
    key: Option<String>,
    /// Depth of the line that began the option, in characters.
    indent: usize,
    orphan: Option<BadLine>,
    bad: Vec<BadLine>,
}

/// Which section is open.
#[derive(Clone, Copy)]
enum Open {
    Defaults,
    At(usize),
}

impl Scan<'_> {
    fn line(&mut self, number: u32, line: &str, ended: bool) {
        let comment = comment_start(line);
        let content = line[..comment.unwrap_or(line.len())].trim_matches(is_space);
        if content.is_empty() {
            // An empty line belongs to the value; one with a comment does not (CFG-029).
            if comment.is_none() {
                self.append("");
            }
            return;
        }
        let depth = line.chars().take_while(|c| is_space(*c)).count();
        if depth > self.indent && self.append(content) {
            return;
        }
        self.indent = depth;
        let at = Place { file: self.file.clone(), line: number };
        let bad = || BadLine { line: number, text: format!("{line}{}", if ended { "\n" } else { "" }) };
        if let Some(name) = header(content) {
            self.open(name, at);
        } else if self.section.is_none() {
            self.orphan.get_or_insert_with(bad);
        } else if let Some((key, value)) = option(content) {
            if key.is_empty() {
                self.bad.push(bad());
                self.key = None;
            } else {
                let value = value.to_string();
                self.settings().insert(key.clone(), Setting { value, at });
                self.key = Some(key);
            }
        } else {
            self.bad.push(bad());
        }
    }

    /// Adds a line to the running option's value; false if there is none.
    fn append(&mut self, piece: &str) -> bool {
        let Some(key) = self.key.take() else { return false };
        if let Some(setting) = self.settings().get_mut(&key) {
            setting.value.push('\n');
            setting.value.push_str(piece);
        }
        self.key = Some(key);
        true
    }

    fn open(&mut self, name: &str, at: Place) {
        self.key = None;
        self.section = Some(if name == DEFAULT {
            Open::Defaults
        } else if let Some(known) = self.ini.index.get(name) {
            Open::At(*known)
        } else {
            let fresh = self.ini.sections.len();
            self.ini.sections.push(Section::new(name, at));
            self.ini.index.insert(name.to_string(), fresh);
            Open::At(fresh)
        });
    }

    fn settings(&mut self) -> &mut ByName<Setting> {
        match self.section {
            Some(Open::At(at)) => &mut self.ini.sections[at].settings,
            Some(Open::Defaults) | None => &mut self.ini.defaults.settings,
        }
    }
}

/// White space as Python's `str` has it: Unicode's, and the four separators of ASCII.
pub fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// Splits at `\n`, `\r\n` and `\r` (CFG-020): each line without its end, and whether it had one.
fn lines(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let (line, tail) = rest.split_at(end);
        rest = tail.strip_prefix("\r\n").or_else(|| tail.strip_prefix(['\n', '\r'])).unwrap_or(tail);
        Some((line, !tail.is_empty()))
    })
}

/// Where a comment begins (CFG-021, CFG-022).
fn comment_start(line: &str) -> Option<usize> {
    if line.trim_start_matches(is_space).starts_with([';', '#']) {
        return Some(0);
    }
    // upstream: CFG-022: both marks are searched in step, the n-th `;` beside the n-th `#`, and the first step that
    // finds a comment ends the search. So `a;b ;c #d` is cut at the `#`.
    let mut marks = [line.match_indices(';'), line.match_indices('#')];
    loop {
        let found = marks.each_mut().map(|mark| mark.next().map(|(at, _)| at));
        if found == [None, None] {
            return None;
        }
        let after_space = |at: &usize| line[..*at].chars().next_back().is_none_or(is_space);
        if let Some(at) = found.into_iter().flatten().filter(after_space).min() {
            return Some(at);
        }
    }
}

/// The name in `[name]`, up to the last bracket (CFG-024).
fn header(content: &str) -> Option<&str> {
    let inner = content.strip_prefix('[')?;
    let end = inner.rfind(']')?;
    (end > 0).then(|| &inner[..end])
}

/// Key and value, split at the first `=` or `:` (CFG-026); none without one (CFG-027).
fn option(content: &str) -> Option<(String, &str)> {
    let at = content.find(['=', ':'])?;
    Some((content[..at].trim_end_matches(is_space).to_ascii_lowercase(), content[at + 1..].trim_matches(is_space)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Ini, Result<(), Trouble>) {
        let mut ini = Ini::new();
        let result = ini.read(text, &Rc::from("f"));
        (ini, result)
    }

    /// The values of `[s]` in a text that is fine.
    fn values(text: &str) -> Vec<(String, String)> {
        let (ini, result) = read(text);
        assert_eq!(result, Ok(()), "{text:?}");
        let section = ini.section("s").unwrap();
        section.settings.iter().map(|(key, setting)| (key.clone(), setting.value.clone())).collect()
    }

    fn one(text: &str) -> String {
        let values = values(&format!("[s]\n{text}"));
        assert_eq!(values.len(), 1, "{values:?}");
        values[0].1.clone()
    }

    fn names(text: &str) -> Vec<String> {
        read(text).0.sections().iter().map(|section| section.name.clone()).collect()
    }

    #[test]
    fn cfg_020_line_ends() {
        let expected = [("a".to_string(), "1".to_string()), ("b".to_string(), "2".to_string())];
        for text in ["[s]\na=1\nb=2\n", "[s]\r\na=1\r\nb=2", "[s]\ra=1\rb=2\r"] {
            assert_eq!(values(text), expected);
        }
    }

    #[test]
    fn cfg_021_full_line_comments() {
        assert_eq!(one(";x\n  # y\na=1\n\t;z"), "1");
        // `rem` is no comment.
        assert!(read("[s]\nrem x").1.is_err());
    }

    #[test]
    fn cfg_022_cfg_023_inline_comments() {
        assert_eq!(one("command=/bin/echo a;b ;c"), "/bin/echo a;b");
        assert_eq!(one("a=a#b #c"), "a#b");
        assert_eq!(one("a=x\t;y"), "x");
        assert_eq!(one("environment=A=\"1 ;2\""), "A=\"1");
        // upstream: CFG-022, observed with the original.
        assert_eq!(one("a=a;b;c ;d #e"), "a;b;c ;d");
        assert_eq!(one("a=a;b ;c d#e"), "a;b");
    }

    #[test]
    fn cfg_024_cfg_025_headers() {
        assert_eq!(names("[program:a]b]\n[program:a] junk\n[ x ]\n"), ["program:a]b", "program:a", " x "]);
        assert_eq!(names("  [x] ; y\n[X]"), ["x", "X"]);
        assert!(read("[s]\n[]\n").1.is_err());
    }

    #[test]
    fn cfg_026_cfg_027_options() {
        assert_eq!(one("Command = /x=y:z "), "/x=y:z");
        assert_eq!(one("Command: /x=y"), "/x=y");
        assert_eq!(values("[s]\nKEY =v")[0].0, "key");
        assert_eq!(one("a="), "");
        let bad =
            Trouble::Lines(vec![BadLine { line: 2, text: "command\n".into() }, BadLine { line: 3, text: "=x".into() }]);
        assert_eq!(read("[s]\ncommand\n=x").1, Err(bad));
    }

    #[test]
    fn cfg_028_cfg_029_continuation() {
        assert_eq!(one("a=1\n b=2\n  [x]\n"), "1\nb=2\n[x]");
        assert_eq!(one("a=\n  1,\n  ; no\n\n  2\n\n\n"), "\n1,\n\n2");
        assert_eq!(one("a=1\n# no\n 2"), "1\n2");
    }

    #[test]
    fn cfg_030_indentation_is_relative() {
        assert_eq!(values("[s]\n  a=1\n  b=2\n c=3").len(), 3);
        assert_eq!(names("[s]\na=1\n[t]\n   b=2\n  [u]\n"), ["s", "t", "u"]);
    }

    #[test]
    fn cfg_031_the_last_wins_and_sections_merge() {
        let (mut ini, result) = read("[s]\na=1\na=2\n[t]\n[s]\nb=3\n");
        assert_eq!(result, Ok(()));
        ini.read("[t]\n[s]\n\n\nb=4", &Rc::from("g")).unwrap();
        let section = ini.section("s").unwrap();
        assert_eq!(section.settings.get("a").unwrap().value, "2");
        assert_eq!(section.settings.get("b").unwrap().value, "4");
        assert_eq!(section.settings.get("b").unwrap().at, Place { file: Rc::from("g"), line: 5 });
        assert_eq!(section.at, Place { file: Rc::from("f"), line: 1 });
        assert_eq!(ini.sections().len(), 2);
    }

    #[test]
    fn cfg_032_default_supplies_fall_back_values() {
        let (ini, _) = read("[DEFAULT]\na=1\nb=2\n[s]\nb=3\n");
        let section = ini.section("s").unwrap();
        assert_eq!(ini.get(section, "a").unwrap().value, "1");
        assert_eq!(ini.get(section, "b").unwrap().value, "3");
        assert_eq!(ini.get(section, "c"), None);
        assert_eq!(ini.keys(section), ["a", "b"]);
        assert_eq!(ini.sections().len(), 1);
    }

    #[test]
    fn cfg_034_quotes_stay() {
        assert_eq!(one("directory=\"/tmp\""), "\"/tmp\"");
    }

    #[test]
    fn cfg_035_text_before_the_first_section() {
        let trouble = read("\n ; x\nhello=world\nmore=x\n[s]\na=1\n").1.unwrap_err();
        assert_eq!(trouble.text("/f"), "File contains no section headers.\nfile: '/f', line: 3\n'hello=world\\n'");
    }

    #[test]
    fn cfg_036_all_bad_lines_are_told() {
        let trouble = read("[s]\nverbose\na=1\n{% x %}").1.unwrap_err();
        let text = "Source contains parsing errors: 'f'\n\t[line  2]: 'verbose\\n'\n\t[line  4]: '{% x %}'";
        assert_eq!(trouble.text("f"), text);
    }

    #[test]
    fn cfg_050_here_is_settled_in_every_value() {
        let (mut ini, _) = read("[DEFAULT]\nd=%(here)s/d\n[s]\na=%(here)s/x %(here)s\n");
        ini.settle_here("/one");
        ini.read("[t]\nb=%(here)s\n", &Rc::from("g")).unwrap();
        ini.settle_here("/two");
        assert_eq!(ini.section("s").unwrap().settings.get("a").unwrap().value, "/one/x /one");
        assert_eq!(ini.section("s").unwrap().settings.get("d").unwrap().value, "/one/d");
        assert_eq!(ini.section("t").unwrap().settings.get("b").unwrap().value, "/two");
        assert_eq!(ini.section("t").unwrap().settings.get("d").unwrap().value, "/two/d");
    }

    #[test]
    fn any_text_gives_a_result() {
        // A small deterministic stand-in for the fuzzer: all short texts over the characters that matter.
        let alphabet = ["[", "]", "s", "=", ":", ";", "#", " ", "\n", "\r", "\u{1c}", "é"];
        let mut texts = vec![String::new()];
        for _ in 0..4 {
            texts = texts.iter().flat_map(|text| alphabet.iter().map(move |c| format!("{text}{c}"))).collect();
            for text in &texts {
                let (ini, _) = read(text);
                assert!(ini.sections().len() <= text.len());
            }
        }
    }
}
