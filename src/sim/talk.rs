//! What a pretended listener makes of its pipes: most of the time it does what a listener must do.

use crate::base::words::Exit;
use crate::sim::dice::Dice;

/// What happened between the daemon and a listener, as the listener sees it. Numbers are those of the pool.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum News {
    /// It has an event.
    Taken(u64),
    /// It accepts the event.
    Accepted(u64),
    /// It doesn't accept it.
    Refused(u64),
    /// The daemon said what it must not say.
    Wrong(String),
}

/// A listener's side of the conversation.
#[derive(Clone, Debug, Default)]
pub struct Talk {
    ready: bool,
    in_hand: Option<u64>,
    deaf: bool,
    /// What nobody has looked at yet.
    pub news: Vec<News>,
}

impl Talk {
    /// Looks at what came through stdin and says something, or nothing. Gives how it ends, if it does.
    pub fn go_on(&mut self, stdin: &mut Vec<u8>, stdout: &mut Vec<u8>, dice: &mut Dice) -> Option<Exit> {
        if self.deaf {
            return dice.one_in(8).then_some(Exit::Code(1));
        }
        if let Some(number) = self.in_hand.take() {
            return self.answer(number, stdout, dice);
        }
        let message = match message(stdin) {
            Ok(message) => message,
            Err(what) => {
                self.news.push(News::Wrong(what));
                return None;
            }
        };
        match message {
            Some((_, number)) if !self.ready => {
                self.news.push(News::Wrong(format!("event {number} comes before it was asked for")));
            }
            Some((length, number)) => {
                stdin.drain(..length);
                self.ready = false;
                self.in_hand = Some(number);
                self.news.push(News::Taken(number));
                if !stdin.is_empty() {
                    self.news.push(News::Wrong(format!("there is more behind event {number}")));
                }
            }
            None if dice.one_in(60) => {
                self.deaf = true;
                stdout.extend_from_slice(b"What is this?\n");
            }
            None if !self.ready => {
                self.ready = true;
                stdout.extend_from_slice(b"READY\n");
            }
            None => {}
        }
        None
    }

    fn answer(&mut self, number: u64, stdout: &mut Vec<u8>, dice: &mut Dice) -> Option<Exit> {
        match dice.below(20) {
            0..14 => {
                self.news.push(News::Accepted(number));
                stdout.extend_from_slice(b"RESULT 2\nOK");
                if dice.one_in(2) {
                    self.ready = true;
                    stdout.extend_from_slice(b"READY\n");
                }
                return None;
            }
            14..17 => stdout.extend_from_slice(b"RESULT 4\nFAIL"),
            17 => {
                self.deaf = true;
                stdout.extend_from_slice(b"What?\n");
            }
            18 => {
                self.news.push(News::Refused(number));
                stdout.extend_from_slice(b"RESULT 2\nO");
                return Some(Exit::Code(0));
            }
            _ => {
                self.news.push(News::Refused(number));
                return Some(Exit::Signal { signal: 11, core: false });
            }
        }
        self.news.push(News::Refused(number));
        None
    }
}

/// The first message, if it is there as a whole: its length in bytes and its number. The error says what is wrong.
fn message(stdin: &[u8]) -> Result<Option<(usize, u64)>, String> {
    let Some(end) = stdin.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
    let line = String::from_utf8_lossy(&stdin[..end]).into_owned();
    let token =
        |name: &str| line.split(' ').find_map(|token| token.strip_prefix(name)?.strip_prefix(':')?.parse::<u64>().ok());
    let (Some(number), Some(length), true) = (token("poolserial"), token("len"), line.starts_with("ver:3.0 ")) else {
        return Err(format!("{line:?} is no line before an event"));
    };
    // Characters; the last one may still be on its way in part.
    let payload = match std::str::from_utf8(&stdin[end + 1..]) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&stdin[end + 1..end + 1 + error.valid_up_to()]).unwrap_or_default(),
    };
    let left = usize::try_from(length).unwrap_or(usize::MAX);
    let whole = payload.chars().take(left);
    let (count, bytes) = whole.fold((0, 0), |(count, bytes), c| (count + 1, bytes + c.len_utf8()));
    Ok((count == left).then_some((end + 1 + bytes, number)))
}
