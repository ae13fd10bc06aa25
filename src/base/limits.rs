//! Every bound of the daemon, each with its reason. A bound that a user may set has a key that overrides it.

use std::ops::RangeInclusive;
use std::time::Duration;

/// A request head: contract HTTP-024 asks for at least 64 KiB.
pub const HEAD_BYTES: usize = 64 * 1024;
/// A head whose bytes are kept, to know it again: usual ones have some hundred.
pub const KEEP_HEAD_BYTES: usize = 4096;
/// Header lines in a head; httparse needs a bound, and no client sends a tenth of it.
pub const HEAD_LINES: usize = 128;
/// A request body, packed or not: contract HTTP-024 asks for at least 64 MiB. Key `body_maxbytes`.
pub const BODY_BYTES: u64 = 64 * 1024 * 1024;
/// The line in front of a chunk: its size and extensions, which nobody uses.
pub const CHUNK_LINE_BYTES: usize = 4096;
/// Arrays and structs within each other (RPC-185 asks for at least 64).
pub const XML_DEPTH: usize = 128;
/// Bytes of one XML name; the longest one in XML-RPC has 16.
pub const XML_NAME_BYTES: usize = 256;
/// Attributes of one XML element. XML-RPC has none; some clients declare name spaces.
pub const XML_ATTRIBUTES: usize = 16;
/// Bytes of one XML attribute's value.
pub const XML_ATTRIBUTE_BYTES: usize = 1024;
/// Name spaces in force at one place of a document: the XML reader copies them for every element.
pub const XML_NAMESPACES: usize = 12;
/// Values in one call: a million tiny values would take 100 times their text in memory.
pub const XML_VALUES: usize = 1_000_000;
/// Bytes of a packed body that are unpacked at a time: gzip makes up to 1,032 of one, so this is up to 64 KiB of text.
/// After [`READ_BYTES`] of text others get their turn, as after so many that came unpacked.
pub const PACKED_BLOCK_BYTES: usize = 64;
/// Bytes of text that such a block counts for at least: three empty members fit into it, each takes a new decoder, and
/// nothing comes out.
pub const PACKED_BLOCK_COST: usize = 1024;
/// Sizes of answers that are packed for clients that ask for it. Packing costs 1 ms per MiB of what `getAllProcessInfo`
/// answers (it shrinks to a sixteenth) and 10 ms per MiB of hard text, at the fastest level, and nobody else is served
/// meanwhile. Below 16 KiB it would take longer than the call itself, to save at most 13 ms of a line of 10 Mbit/s; above
/// 2 MiB the loop could stand still for longer than 15 ms. Python's client asks always, also on the same machine.
pub const PACK_BYTES: RangeInclusive<usize> = 16 * 1024..=2 * 1024 * 1024;
/// Packing is given up when so much more has not shrunk to half in all: such text also packs ten times slower.
pub const PACK_SLICE_BYTES: usize = 64 * 1024;
/// Bytes taken from one connection before the next one gets its turn.
pub const READ_BYTES: usize = 64 * 1024;
/// Bytes taken from one child's output before the next one gets its turn (PROC-100). Larger reads cost more for each
/// byte: they no longer fit the caches.
pub const OUTPUT_READ_BYTES: usize = 128 * 1024;
/// Bytes of all children's output in one turn: about half a millisecond of copying, after which clients get theirs.
pub const OUTPUT_BYTES_PER_TURN: usize = 1024 * 1024;
/// Capacity of a pipe, in bytes, that its child fills faster than one of the usual size is emptied: with it, writer and
/// reader take turns less often. Two reads: with 1 MiB a flood costs a tenth more of processor, out of the caches.
pub const LARGE_PIPE_BYTES: usize = 256 * 1024;
/// How many full pipes in a row make a flood.
pub const FLOOD_READS: u8 = 4;
/// How many pipes may be large: half of the 64 MiB that the kernel grants one unprivileged user for all pipes.
pub const LARGE_PIPES: usize = 128;
/// Requests answered for one connection in one turn, and calls of one multicall at a time, so that pipelining without end
/// starves nobody.
pub const REQUESTS_PER_TURN: usize = 64;
/// Bytes of large answers, after the first of each, that are written before others get their turn.
pub const ANSWER_PIECE_BYTES: usize = 256 * 1024;
/// Bytes that the results of one multicall take in memory before the rest of its calls is refused: as much as one call may
/// read of a log (see [`LOG_READ_BYTES`]). The result that passes this is kept, since its call is carried out.
pub const MULTICALL_BYTES: u64 = LOG_READ_BYTES;
/// The same before others get their turn: reading so much of a log takes about as long as 64 usual calls.
pub const MULTICALL_BYTES_PER_LOOK: u64 = 1024 * 1024;
/// Bytes of answers that may wait for a slow reader before its next question is looked at.
pub const OUT_BYTES: usize = 1024 * 1024;
/// The buffer in which answers' bodies are made is given back after one that was longer.
pub const KEEP_BODY_BYTES: usize = 64 * 1024;
/// A form that a page sends: an action and a name, each as long as a request head may be.
pub const FORM_BYTES: usize = HEAD_BYTES;
/// Bytes of a log that the page with its end shows: in HTML they may become five times as many.
pub const TAIL_PAGE_BYTES: u64 = 2 * 1024 * 1024;
/// News that are kept for those who watch: a thousand processes that start are two thousand. Who falls behind further is
/// told everything anew.
pub const NEWS: usize = 4096;
/// How often at most those who watch are told of last lines of logs: more than five a second nobody reads.
pub const LINES_PAUSE: Duration = Duration::from_millis(200);
/// Logs of which the last line is read at once: a few microseconds each. The others follow after the next pause.
pub const LINES_PER_LOOK: usize = 256;
/// Bytes at the end of a log in which its last line is looked for.
pub const LINE_BYTES: usize = 1024;
/// Characters of a last line that are told.
pub const LINE_CHARS: usize = 200;
/// Requests of a kind that went wrong and are told one by one in a minute; the others are one line in the end.
pub const COMPLAINTS_IN_A_MINUTE: u32 = 10;
/// Bytes of a log that one ranged answer has at most.
pub const PIECE_BYTES: u64 = 1024 * 1024;
/// A text of a call whose room the next call may use: names and keys are short.
pub const KEEP_TEXT_BYTES: usize = 1024;
/// So many of them at most: no method of ours takes as many parameters.
pub const KEEP_TEXTS: usize = 8;
/// How long the room of large answers is kept for the next ones: to take and touch a new MiB costs as much as to fill it.
pub const KEEP_LARGE: Duration = Duration::from_millis(100);
/// Bytes of all such rooms together.
pub const KEEP_LARGE_BYTES: usize = 4 * 1024 * 1024;
/// Unread request bytes kept for a connection that is waiting for an answer.
pub const IN_BYTES: usize = 128 * 1024;
/// Connections at once of one server (HTTP-009 asks for at least 1,000). Key `max_connections`.
pub const CONNECTIONS: usize = 16_384;
/// A connection without a request in progress (HTTP-009: at least 30 minutes). Key `idle_timeout`.
pub const IDLE: Duration = Duration::from_secs(45 * 60);
/// A request that was begun must be complete within this: frees what a slow sender holds. Key `request_timeout`.
pub const SLOW_REQUEST: Duration = Duration::from_secs(5 * 60);
/// How long a closed connection is read and ignored, so that the last answer arrives (RFC 9112 9.6).
pub const LINGER: Duration = Duration::from_secs(2);
/// How often a followed log is looked at, in case somebody else writes it (HTTP-107: new data within 200 ms).
pub const FOLLOW_CHECK: Duration = Duration::from_millis(150);
/// Bytes of a request that is no call which the main log shows (RPC-181).
pub const SHOWN_BYTES: usize = 4096;
/// Characters of a path that a line of the main log shows.
pub const SHOWN_PATH_CHARS: usize = 200;
/// Bytes queued for a child's stdin (PROC-090: at least 16 MiB).
pub const STDIN_BYTES: usize = 16 * 1024 * 1024;
/// Bytes of events that wait for listeners with `buffer_size=auto`, and what each event is taken to cost besides its
/// payload: its line and its place.
pub const EVENT_BYTES: u64 = 8 * 1024 * 1024;
/// See [`EVENT_BYTES`].
pub const EVENT_COST: u64 = 192;
/// A listener's line before its result: no number has so many digits.
pub const RESULT_LINE_BYTES: usize = 4096;
/// A listener's result: the word in front and as much as a child's stdin takes (EVT-121).
pub const RESULT_BYTES: usize = STDIN_BYTES + 6;
/// How long listeners may work on events at the ordered end before their pool is stopped (EVT-042): as long as Supervisor's
/// loop gives them, a look each second.
pub const LISTENERS_LAST: Duration = Duration::from_secs(1);
/// How often at least the wall clock is looked at for TICK events, in case somebody set it.
pub const TICK_CHECK: Duration = Duration::from_secs(60);
/// Bytes of a child's log kept while its file can't be written.
pub const LOG_HELD_BYTES: usize = 256 * 1024;
/// The same while only the log's reader is slow. The child waits from half of [`LOG_HELD_BYTES`] on; what still comes
/// is one read of its output, and what it left in its pipe when it ended.
pub const LOG_WAITING_BYTES: usize = LOG_HELD_BYTES / 2 + OUTPUT_READ_BYTES + LARGE_PIPE_BYTES;
/// After a start, a read of a log that is still empty waits so long for the first words (TWID-091).
pub const FIRST_WORDS: Duration = Duration::from_secs(1);
/// Programs started in one turn by themselves: one takes as long as a hundred requests, so that starting a thousand one
/// by one leaves room for clients.
pub const SPAWNS_PER_TURN: u64 = 1;
/// Children on their way to their programs before further starts that nobody asked for by name are put off: more only
/// wait for each other's processor, and for that of who serves clients.
pub const SPAWNS_AT_ONCE: usize = 4;
/// Each of those takes three low descriptors, for good: one for so many that the daemon may have.
pub const DESCRIPTORS_PER_SPAWN: u64 = 64;
/// How long a start is put off for that.
pub const SPAWN_PAUSE: Duration = Duration::from_millis(1);
/// A child that is on its way for longer waits for something else than a processor, say, a file server: no start is put
/// off for it.
pub const SLOW_EXEC: Duration = Duration::from_millis(100);
/// Children on their way in all, those that are stuck included: each takes three descriptors and a stack.
pub const SPAWNS_STUCK: usize = 64;
/// Pauses between looks whether children have left the daemon's memory, the first and the longest.
pub const EXEC_LOOKS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(1);
/// How long a signal that would dump the daemon's memory waits for a child to leave it, and how long the daemon does so at
/// its own end.
pub const EXEC_PATIENCE: Duration = Duration::from_millis(100);
/// Processes that get their automatic logs in one turn at the beginning: two files each, up to 0.3 ms a file.
pub const LOGS_PER_TURN: usize = 2;
/// Files of an earlier run that are removed in one turn at the beginning, some hundredths of a millisecond each.
pub const STALE_LOGS_PER_TURN: usize = 32;
/// Alarms served in one turn. Most are cheap: a process has been up long enough.
pub const ALARMS_PER_TURN: usize = 64;
/// Up to so many backups of a log are simply tried at a rotation, half a microsecond for one that is missing. Of more
/// than that, those that exist are found by reading the folder, which is another descriptor.
pub const BACKUPS_TRIED: u32 = 100;
/// Names of a folder that are read for each backup that a log may have, until it seems cheaper to try those: a tenth of a
/// microsecond each.
pub const NAMES_PER_BACKUP: usize = 4;
/// Up to so many backups are tried if the folder can't be read or is that full, a twentieth of a second in all. Where there
/// are more, the log grows on, and that is told.
pub const BACKUPS_GUESSED: u32 = 100_000;
/// Bytes of a removed file whose room is given back in one turn: a quarter of a millisecond.
pub const REMOVAL_STEP_BYTES: u64 = 4 * 1024 * 1024;
/// Removed files whose room is given back so at once: each is open meanwhile.
pub const REMOVALS: usize = 16;
/// How long output is read, ended children are taken in, and programs are started that nobody asked for by name, before
/// others get their turn. Whoever is left over comes first in the next turn.
pub const TURN_WORK: Duration = Duration::from_millis(1);
/// Children taken in in one turn, each with the rest of its output.
pub const REAPS_PER_TURN: usize = 64;
/// Programs that one call starts each time its answer is looked at, which in one turn may be a few times: a start takes
/// a tenth of a millisecond, on a busy machine several.
pub const SPAWNS_PER_LOOK: usize = 2;
/// Connections accepted at one socket before others get their turn.
pub const ACCEPTS_PER_TURN: usize = 64;
/// How long accepting rests when there are no descriptors left: trying again at once would be a busy loop.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Pauses between tries to make a unix socket again whose file was removed, the first and the longest: its folder may
/// be gone, too, and may come back.
pub const SOCKET_PAUSE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(60);
/// Bytes given to one connection before others get their turn.
pub const WRITE_BYTES: usize = 256 * 1024;
/// Bytes for the foreground's stdout kept while it takes no more; what comes then is lost.
pub const ECHO_BYTES: usize = 1024 * 1024;
/// How long the daemon waits at its end for a reader of a log that takes nothing, and for all of them together.
pub const LAST_READS: Duration = Duration::from_millis(500);
/// See [`LAST_READS`].
pub const LAST_READS_IN_ALL: Duration = Duration::from_secs(5);
/// How long the end of the foreground copy may take to be written when the daemon exits.
pub const ECHO_PATIENCE: Duration = Duration::from_millis(500);
/// When nothing happened for so long the start or a burst is over: programs are up, who asked whether they are has gone,
/// and pages that idling doesn't need can go. Programs that start again and again wait so long, too.
pub const QUIET: Duration = Duration::from_secs(1);
/// So many turns are a burst. Letting code go, and finding it again, takes some tenths of a millisecond: whoever asks
/// once in a while is spared that.
pub const BURST_TURNS: u32 = 256;
/// The longest single wait: a poll counts milliseconds in 31 bits, that is 24 days.
pub const POLL_WAIT: Duration = Duration::from_secs(20 * 24 * 3600);
/// Bytes of a log that one call may ask for: they are in memory three times until they are sent.
pub const LOG_READ_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes of an unfinished line kept for syslog; a longer line goes out in parts (LOG-061).
pub const SYSLOG_LINE_BYTES: usize = 8 * 1024;
/// Processes of one program: what a machine might bear, not what a misplaced zero asks for.
pub const PROCESSES: i64 = 100_000;
/// Width or precision of one conversion in a configuration value, in characters.
pub const FORMAT_WIDTH: usize = 64 * 1024;
/// Bytes of key, text and what holds them that the cache keeps close together with others; more keep a piece of memory of
/// their own, which answers share.
pub const CACHE_PACKED_BYTES: usize = 1024;
/// Texts of the cache from so many bytes on are sent from where they lie: below that a copy costs less.
pub const SHARED_BYTES: usize = 16 * 1024;
/// Bytes of a cleared cache that are given back before others get their turn: about half a millisecond.
pub const CACHE_SWEEP_BYTES: u64 = 4 * 1024 * 1024;
/// Parts of large values that are freed before others get their turn, for each of those that wait for it: about a
/// millisecond. A client needs four turns to send so many.
pub const FREED_PARTS: usize = 16 * 1024;
/// Bytes of one configuration file.
pub const CONFIG_BYTES: usize = 16 * 1024 * 1024;
/// Command lines that the shell of `supervisorctl` remembers.
pub const HISTORY_LINES: usize = 1000;
/// How long the completion of a command line waits for a server: the user can't do anything else meanwhile.
pub const COMPLETION_PATIENCE: Duration = Duration::from_secs(2);
/// Panics that no request is to blame for, in a minute, before the daemon stops all programs and exits: the next one is
/// no accident any more, and each writes some kilobytes into the main log.
pub const BUGS_IN_A_MINUTE: u32 = 16;
/// Bytes of the report about a panic: about forty calls.
pub const BUG_REPORT_BYTES: usize = 8 * 1024;
/// How long the ordered end after a bug may take beyond what programs may take to stop, and how long children are
/// waited for that had to be ended without it.
pub const ENDING_PATIENCE: Duration = Duration::from_secs(10);
