//! Pretended listeners: what they are sent, taken apart as a listener does, and what they say.

use majordomo::base::words::Channel;
use majordomo::sim::child::Child;
use majordomo::wire::listener::Phase;
use majordomo::world::life::Step;

use super::{Rig, read};

/// A message as a listener reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    pub serial: u64,
    pub pool: String,
    pub pool_serial: u64,
    pub event: String,
    pub payload: String,
}

impl Message {
    /// Type and payload, as one text.
    pub fn short(&self) -> String {
        format!("{} {}", self.event, self.payload)
    }
}

/// The first message of what came through a pipe, and how many bytes it has.
pub fn parse(text: &str) -> (Message, usize) {
    let (line, rest) = text.split_once('\n').unwrap_or_else(|| panic!("{text:?} has no line"));
    // EVT-140: blanks between tokens, one colon in each.
    let tokens: Vec<(&str, &str)> = line.split(' ').map(|token| token.split_once(':').expect("a colon")).collect();
    let names: Vec<&str> = tokens.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["ver", "server", "serial", "pool", "poolserial", "eventname", "len"]);
    let value = |name: &str| tokens.iter().find(|(other, _)| *other == name).expect("a token").1;
    let number = |name: &str| value(name).parse::<u64>().expect("a number");
    let payload: String = rest.chars().take(number("len") as usize).collect();
    assert_eq!(payload.chars().count() as u64, number("len"), "{text:?} is cut");
    let length = line.len() + 1 + payload.len();
    let message = Message {
        serial: number("serial"),
        pool: value("pool").to_string(),
        pool_serial: number("poolserial"),
        event: value("eventname").to_string(),
        payload,
    };
    (message, length)
}

impl Rig {
    /// A daemon with a configuration given as text, after its beginning: whatever has no startsecs runs.
    pub fn listening(text: &str) -> Rig {
        let mut rig = Rig::of(read(text).unwrap_or_else(|errors| panic!("{errors:?}")));
        rig.begin();
        rig.pass_ms(1);
        rig
    }

    fn child(&mut self, name: &str) -> &mut Child {
        let who = self.who(name);
        self.host.child_of(who).unwrap_or_else(|| panic!("{name} has a child"))
    }

    /// A listener prints.
    pub fn say(&mut self, name: &str, text: &str) {
        self.print(name, Channel::Stdout, text.as_bytes());
    }

    /// A listener, which reads whatever comes, says that it is ready.
    pub fn ready(&mut self, name: &str) {
        self.child(name).stdin_room = Some(usize::MAX);
        self.say(name, "READY\n");
    }

    /// A listener accepts its event and is ready for the next.
    pub fn ok(&mut self, name: &str) {
        self.say(name, "RESULT 2\nOKREADY\n");
    }

    /// The bytes that came through a child's stdin since this was last asked.
    pub fn heard(&mut self, name: &str) -> String {
        String::from_utf8(std::mem::take(&mut self.child(name).heard)).expect("UTF-8 (EVT-089)")
    }

    /// What a listener was sent since this was last asked.
    pub fn sent(&mut self, name: &str) -> Vec<Message> {
        let text = self.heard(name);
        let mut rest = text.as_str();
        let mut messages = Vec::new();
        while !rest.is_empty() {
            let (message, length) = parse(rest);
            messages.push(message);
            rest = &rest[length..];
        }
        messages
    }

    /// Types and payloads of what a listener is sent while it accepts everything.
    pub fn drained(&mut self, name: &str) -> Vec<String> {
        let mut all = Vec::new();
        loop {
            let sent = self.sent(name);
            if sent.is_empty() {
                return all;
            }
            all.extend(sent.iter().map(Message::short));
            self.ok(name);
        }
    }

    /// How far the conversation with a listener is.
    pub fn phase(&self, name: &str) -> Phase {
        self.process(name).listener.as_ref().expect("a listener").protocol.phase()
    }

    /// Sends a REMOTE_COMMUNICATION event.
    pub fn remote(&mut self, data: &str) {
        let sent = self.get("supervisor.sendRemoteCommEvent", vec![super::s("t"), super::s(data)]);
        assert_eq!(sent, super::yes());
    }
}

/// A section of a listener that runs as soon as it starts.
pub fn listener(name: &str, events: &str, more: &str) -> String {
    format!(
        "[eventlistener:{name}]\ncommand=/bin/steady\nstartsecs=0\nstdout_logfile=NONE\nstderr_logfile=NONE\n\
         events={events}\n{more}\n"
    )
}

/// A pool `l` for remote events with one listener, or more in order: `l:l0`, `l:l1`.
pub fn pool(more: &str) -> Rig {
    Rig::listening(&listener("l", "REMOTE_COMMUNICATION", more))
}

pub fn many(count: usize, more: &str) -> Rig {
    pool(&format!("numprocs={count}\nprocess_name=%(program_name)s%(process_num)d\n{more}"))
}

pub fn data(message: &Message) -> &str {
    message.payload.strip_prefix("type:t\n").expect("a remote event")
}

/// The data of remote events that a listener was sent.
pub fn sent(rig: &mut Rig, name: &str) -> Vec<String> {
    rig.sent(name).iter().map(|message| data(message).to_string()).collect()
}

pub fn start(rig: &mut Rig, name: &str) {
    let who = rig.who(name);
    rig.turn(|world, turn| world.drive(who, Step::Start, turn));
    rig.pass_ms(1);
}

/// The news but for what listeners printed.
pub fn news(rig: &mut Rig) -> Vec<String> {
    let is_line = |line: &String| ["DEBG ", "WARN ", "ERRO "].iter().any(|level| line.starts_with(level));
    rig.news().into_iter().filter(|line| is_line(line) && !line.contains(" output:")).collect()
}
