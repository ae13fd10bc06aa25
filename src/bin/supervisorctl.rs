//! `supervisorctl`: see `majordomo::ctl`.

fn main() {
    std::process::exit(majordomo::ctl::main());
}
