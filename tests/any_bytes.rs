//! Whatever the bytes, requests are read to an end, and in pieces as they are whole (see `laws`).
//!
//! Inputs are those that a fuzzer began with or found, and texts made by chance from what has a meaning; a seed gives
//! the same texts every time. `FUZZ_SECONDS=600 cargo test --release --test any_bytes` goes on for as long, with a seed
//! of its own. With coverage: `cd fuzz && cargo fuzz run -s none http_head` (or another
//! target).

mod laws;

use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use laws::pieces::{ANSWER, BODY, CALL, EXPANSION, HEAD, LISTENER, PACKED, RESPONSE, STREAM, WORDS};
use majordomo::base::value::Value;
use majordomo::sim::dice::Dice;
use majordomo::wire::xml_read::CallReader;
use majordomo::wire::xml_write::write_call;

/// Every input that is kept for a fuzz target.
fn kept(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|problem| panic!("{}: {problem}", folder.display()));
    let inputs: Vec<Vec<u8>> = files.map(|file| std::fs::read(file.expect("a file").path()).expect("bytes")).collect();
    assert!(!inputs.is_empty());
    inputs
}

/// Texts from pieces, and kept inputs with changes.
fn by_chance(target: &str, pieces: &[&str], law: fn(&[u8])) {
    let kept = kept(target);
    kept.iter().for_each(|input| law(input));
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let seed = match seconds {
        Some(_) => SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(1, |time| time.as_secs()),
        None => 1,
    };
    let begun = Instant::now();
    let mut dice = Dice::new(seed);
    let mut round = 0;
    while seconds.map_or(round < 3000, |seconds| begun.elapsed() < Duration::from_secs(seconds)) {
        round += 1;
        let mut input = vec![dice.below(256) as u8, dice.below(256) as u8, dice.below(256) as u8];
        if dice.below(2) == 0 {
            for _ in 0..dice.below(60) {
                input.extend_from_slice(pieces[dice.below(pieces.len() as u64) as usize].as_bytes());
            }
        } else {
            input.clone_from(&kept[dice.below(kept.len() as u64) as usize]);
            for _ in 0..=dice.below(4) {
                change(&mut input, pieces, &mut dice);
            }
        }
        law(&input);
    }
}

/// One byte, one piece or one part is changed.
fn change(input: &mut Vec<u8>, pieces: &[&str], dice: &mut Dice) {
    let at = dice.below(input.len() as u64 + 1) as usize;
    match dice.below(4) {
        0 if at < input.len() => input[at] = dice.below(256) as u8,
        1 => {
            let piece = pieces[dice.below(pieces.len() as u64) as usize].bytes();
            input.splice(at..at, piece);
        }
        2 => {
            let end = (at + dice.below(20) as usize).min(input.len());
            input.drain(at..end);
        }
        _ => input.truncate(at.max(1)),
    }
}

#[test]
fn evt_100_to_108_listeners() {
    by_chance("listener", LISTENER, laws::listener);
}

#[test]
fn evt_060_to_067_captures() {
    by_chance("capture", STREAM, laws::capture);
}

#[test]
fn log_050_sequences() {
    by_chance("ansi", STREAM, laws::ansi);
}

#[test]
fn proc_080_names() {
    by_chance("namespec", WORDS, laws::namespec);
}

#[test]
fn proc_040_words() {
    by_chance("words", WORDS, laws::words);
}

#[test]
fn rpc_110_to_121_offsets() {
    by_chance("offsets", &["\0\0\0\0\0\0\0\0", "\u{7f}", "\0", "12345678", "\u{1}"], laws::offsets);
}

#[test]
fn http_020_to_025_heads() {
    by_chance("http_head", HEAD, laws::head);
}

#[test]
fn http_026_and_027_bodies() {
    by_chance("http_body", BODY, laws::body);
}

#[test]
fn http_029_connections() {
    by_chance("connection", HEAD, laws::connection);
}

#[test]
fn rpc_180_to_195_calls() {
    by_chance("xml_rpc", CALL, laws::call);
}

#[test]
fn rpc_180_to_195_the_short_ways_and_the_xml_reader() {
    by_chance("xml_readers", CALL, laws::wire::readers);
}

/// A value of some depth.
fn value(dice: &mut Dice, depth: u64) -> Value {
    let text = |dice: &mut Dice| -> String {
        let signs = ["a", "é", "😀", "<", "&", ">", "]]>", " ", "\n", "\r", "\t", "\"", "a longer piece of plain text"];
        (0..dice.below(6)).map(|_| *dice.pick::<&str>(&signs)).collect()
    };
    match dice.below(if depth == 0 { 6 } else { 9 }) {
        0 => Value::Int(dice.bits() as i64),
        1 => Value::Bool(dice.below(2) == 0),
        2 => Value::Double(dice.bits() as f64 / 1e9),
        3 => Value::Bytes(text(dice).into_bytes()),
        4 => Value::Nil,
        5 => Value::Str(text(dice)),
        6 => Value::Array((0..dice.below(4)).map(|_| value(dice, depth - 1)).collect()),
        _ => Value::Struct(
            (0..dice.below(4)).map(|number| (format!("{number}{}", text(dice)), value(dice, depth - 1))).collect(),
        ),
    }
}

/// Documents that are sound, and written as nobody's library would.
#[test]
fn rpc_180_to_195_unusual_documents() {
    let between = ["", "", "", " ", "\n\t", "<!-- a & b -->", "<?x y?>", "\r\n"];
    let mut read = 0;
    for seed in 0..1500 {
        let mut dice = Dice::new(seed);
        let params: Vec<Value> = (0..dice.below(4)).map(|_| value(&mut dice, 3)).collect();
        let mut written = Vec::new();
        write_call(&mut written, "a.b", &params);
        let mut text = String::from_utf8(written).expect("text");
        if dice.below(2) == 0 {
            let parts: Vec<&str> = text.split("><").collect();
            let joined: Vec<String> = parts
                .iter()
                .map(|part| match dice.below(9) {
                    0 => format!("{part} x='y'"),
                    _ => part.to_string(),
                })
                .collect();
            text = joined
                .into_iter()
                .reduce(|all, part| format!("{all}>{}<{part}", dice.pick::<&str>(&between)))
                .unwrap_or_default();
        }
        if dice.below(4) == 0 {
            text = text.replace("a longer", "<![CDATA[a <longer>]]>");
        }
        let input = [&[dice.below(256) as u8][..], text.as_bytes()].concat();
        laws::call(&input);
        laws::wire::readers(&input);
        let mut reader = CallReader::new();
        read += u64::from(reader.push(text.as_bytes()).is_ok() && reader.finish().is_ok());
    }
    assert!(read > 500, "{read} of 1500 documents are sound");
}

#[test]
fn rpc_200_to_207_answers() {
    by_chance("answer", ANSWER, laws::wire::answer);
}

#[test]
fn http_024_packed_bodies() {
    by_chance("gzip", PACKED, laws::wire::gzip);
}

#[test]
fn http_150_responses() {
    by_chance("response", RESPONSE, laws::wire::response);
}

/// `any_config.rs` makes more of these.
#[test]
fn cfg_001_configurations_that_are_kept() {
    for input in kept("config") {
        laws::texts::config(&input);
    }
}

#[test]
fn cfg_042_expansions() {
    by_chance("expand", EXPANSION, laws::texts::expansion);
}

/// Each fuzz target has a corpus, and each corpus a test here that reads it: an input that was found once stays found.
#[test]
fn every_corpus_is_read() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let names = |folder: &str| {
        let entries = std::fs::read_dir(fuzz.join(folder)).expect("a folder").flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.path().file_stem().unwrap_or_default().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    let (targets, corpora) = (names("fuzz_targets"), names("corpus"));
    assert_eq!(targets, corpora);
    let (tests, targets_declared) =
        (include_str!("any_bytes.rs"), std::fs::read_to_string(fuzz.join("Cargo.toml")).expect("a text"));
    for target in targets {
        let read = ["by_chance", "kept"].iter().any(|how| tests.contains(&format!("{how}(\"{target}\"")));
        assert!(read && targets_declared.contains(&format!("name = \"{target}\"")), "{target}");
    }
}
