//! What changed lately, for those who watch: a ring of the latest news, numbered, and the last line of each log.
//!
//! Costs one test of a flag while nobody watches. Who watches remembers the number of the news that comes next; if that
//! has fallen out of the ring, all of the world is news.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::base::key::{Key, Slab};
use crate::base::limits::{LINE_BYTES, LINE_CHARS, LINES_PAUSE, LINES_PER_LOOK, NEWS};
use crate::base::maps::ByNumber;
use crate::base::time::Mono;
use crate::base::words::Channel;
use crate::wire::ansi::AnsiStrip;
use crate::world::host::Host;
use crate::world::process::Process;
use crate::world::{Turn, World};

/// One thing that changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// A process came, took a step, or is otherwise not what it was.
    Process(Key<Process>),
    /// A process of this group and name is gone.
    Gone(Rc<str>, Rc<str>),
    /// The last line of a process's log.
    Line(Key<Process>),
    /// What the daemon is doing.
    Mood,
}

/// The news of a world.
#[derive(Debug, Default)]
pub struct News {
    watched: bool,
    ring: VecDeque<Item>,
    /// How many news there were before the ring's first.
    before: u64,
    /// Whose logs were written since their last line was read, each once.
    grown: VecDeque<Key<Process>>,
    lines: Lines,
    /// When last lines may be read again.
    lines_from: Mono,
}

/// The last line of a log.
#[derive(Debug, Default)]
struct LastLine {
    text: Rc<str>,
    /// It stands in the list of those that have grown.
    grown: bool,
}

/// Last lines by their process.
#[derive(Debug, Default)]
struct Lines {
    places: ByNumber<Key<Process>, usize>,
    all: Slab<LastLine>,
}

impl Lines {
    fn get(&self, who: Key<Process>) -> Option<&LastLine> {
        self.all.get(self.places.get(who)?)
    }

    fn get_mut(&mut self, who: Key<Process>) -> Option<&mut LastLine> {
        self.all.get_mut(self.places.get(who)?)
    }

    /// Makes it if there is none.
    fn of(&mut self, who: Key<Process>) -> &mut LastLine {
        let place = self.places.get(who).unwrap_or_else(|| self.all.insert(LastLine::default()));
        self.places.insert(who, place);
        &mut self.all[place]
    }

    fn remove(&mut self, who: Key<Process>) {
        if let Some(place) = self.places.remove(who) {
            self.all.remove(place);
        }
    }
}

impl News {
    fn add(&mut self, item: Item) {
        if !self.watched {
            return;
        }
        if self.ring.len() == NEWS {
            self.ring.pop_front();
            self.before += 1;
        }
        self.ring.push_back(item);
    }
}

impl World {
    /// Somebody watches: from now on there are news. Some last lines are known at once.
    pub fn watch(&mut self, turn: &mut Turn<'_>) {
        if !std::mem::replace(&mut self.news.watched, true) {
            for who in self.keys_by_name() {
                self.queue_line(who);
            }
            self.read_lines(turn);
        }
    }

    /// Nobody watches any more.
    pub fn forget_watchers(&mut self) {
        if self.news.watched {
            // The numbers go on, so that none of before means something else later.
            self.news = News { before: self.news_end(), ..News::default() };
        }
    }

    /// The number of the news that comes next.
    pub fn news_end(&self) -> u64 {
        self.news.before + self.news.ring.len() as u64
    }

    /// The news from number `from` on; `None`: some of them are forgotten.
    pub fn news_since(&self, from: u64) -> Option<impl Iterator<Item = &Item>> {
        let place = usize::try_from(from.checked_sub(self.news.before)?).ok()?;
        (place <= self.news.ring.len()).then(|| self.news.ring.range(place..))
    }

    /// A process may have changed.
    pub(crate) fn note_process(&mut self, who: Key<Process>) {
        self.news.add(Item::Process(who));
    }

    /// A process is gone.
    pub(crate) fn note_gone(&mut self, who: Key<Process>, group: &Rc<str>, name: &str) {
        if self.news.watched {
            self.news.lines.remove(who);
            self.news.add(Item::Gone(group.clone(), name.into()));
        }
    }

    /// The daemon does something else.
    pub(crate) fn note_mood(&mut self) {
        self.news.add(Item::Mood);
    }

    /// The logs of a process were emptied.
    pub(crate) fn note_cleared(&mut self, who: Key<Process>) {
        if let Some(line) = self.news.lines.get_mut(who) {
            line.text = Rc::default();
            self.news.add(Item::Line(who));
        }
    }

    /// A log was written.
    pub(crate) fn note_log(&mut self, who: Key<Process>, channel: Channel) {
        if self.news.watched && channel == Channel::Stdout {
            self.queue_line(who);
        }
    }

    fn queue_line(&mut self, who: Key<Process>) {
        let line = self.news.lines.of(who);
        if !std::mem::replace(&mut line.grown, true) {
            self.news.grown.push_back(who);
        }
    }

    /// The last line of a process's stdout log, as far as it is known; if it isn't, it will be news.
    pub fn last_line(&mut self, who: Key<Process>) -> Rc<str> {
        match self.news.lines.get(who) {
            Some(line) => line.text.clone(),
            None => {
                if self.news.watched {
                    self.queue_line(who);
                }
                Rc::default()
            }
        }
    }

    /// When [`World::read_lines`] has something to do; `None`: all last lines are known.
    pub fn lines_due(&self) -> Option<Mono> {
        (!self.news.grown.is_empty()).then_some(self.news.lines_from)
    }

    /// Reads the last lines of some logs that have grown, unless that was done just now.
    pub fn read_lines(&mut self, turn: &mut Turn<'_>) {
        if self.lines_due().is_none_or(|at| turn.now.mono < at) {
            return;
        }
        self.news.lines_from = turn.now.mono + LINES_PAUSE;
        for _ in 0..LINES_PER_LOOK {
            let Some(who) = self.news.grown.pop_front() else { return };
            let Some(process) = self.processes.get(who) else { continue };
            let text = process.log_path(Channel::Stdout).map(|path| read_line(path, turn.host)).unwrap_or_default();
            let line = self.news.lines.of(who);
            line.grown = false;
            // One that was rotated just now has no line yet.
            if !text.is_empty() && *line.text != *text {
                line.text = text.into();
                self.news.add(Item::Line(who));
            }
        }
    }
}

/// The last line of the file at `path`; empty if there is none.
fn read_line(path: &str, host: &mut dyn Host) -> String {
    let Some(meta) = host.stat(path).ok().filter(|meta| meta.regular && meta.size > 0) else { return String::new() };
    let offset = meta.size.saturating_sub(LINE_BYTES as u64);
    let bytes = host.read(path, offset, LINE_BYTES).unwrap_or_default();
    last_line(&bytes, offset > 0)
}

/// The last line in the end of a log that has more than blanks: its first characters, without sequences for terminals
/// and anything else that can't be seen. `cut`: the end may begin within a character.
fn last_line(bytes: &[u8], cut: bool) -> String {
    let mut strip = AnsiStrip::default();
    let plain = strip.push(bytes);
    let text = String::from_utf8_lossy(&plain);
    // Whoever writes a line again and again ends it with a carriage return.
    let mut lines = text.rsplit(['\n', '\r']).filter(|line| !line.trim().is_empty());
    let line = lines.next().unwrap_or_default();
    let line = if cut && line.as_ptr() == text.as_ptr() { line.trim_start_matches('\u{fffd}') } else { line };
    let mut out = String::new();
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            // ESC ] is a title or a link, up to BEL or ESC \.
            '\u{1b}' if chars.as_str().starts_with(']') => {
                let rest = chars.as_str();
                let end = rest.find(['\u{7}', '\u{1b}']).unwrap_or(rest.len());
                chars = rest[end..].chars();
                if chars.next() == Some('\u{1b}') {
                    chars.next();
                }
            }
            '\t' => out.push(' '),
            c if is_unseen(c) => {}
            c => out.push(c),
        }
    }
    out.trim().chars().take(LINE_CHARS).collect()
}

/// Controls, and what turns the direction of the text around it.
fn is_unseen(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_lines_are_plain() {
        let line = |text: &str| last_line(text.as_bytes(), false);
        assert_eq!(line(""), "");
        assert_eq!(line("one\ntwo\n"), "two");
        assert_eq!(line("one\ntwo"), "two", "it is not finished yet");
        assert_eq!(line("one\r\n \t\r\n\n"), "one");
        assert_eq!(line("10%\r20%\r"), "20%");
        assert_eq!(line("\x1b[31mred\x1b[0m \x1b]0;title\x07a\x1b]8;;http://x\x1b\\b\x1b]8;;\x1b\\\n"), "red ab");
        assert_eq!(line("a\tb\x00\x08c\u{202e}d <script>é\n"), "a bcd <script>é");
        assert_eq!(line("\x1b]0;never ends"), "");
        assert_eq!(line(&format!("{}\n", "é".repeat(500))), "é".repeat(LINE_CHARS));
        assert_eq!(last_line(b"\xa9 half a character\n", true), "half a character");
        assert_eq!(last_line(b"\xa9 x\n", false), "\u{fffd} x");
    }
}
