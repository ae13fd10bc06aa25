//! An answer's document, whatever the bytes: see the law.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/laws/mod.rs"]
mod laws;

fuzz_target!(|bytes: &[u8]| {
    laws::wire::answer(bytes);
});
