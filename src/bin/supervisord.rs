//! `supervisord`: see `majordomo::reactor`.

fn main() {
    let args = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    std::process::exit(majordomo::reactor::run(args));
}
