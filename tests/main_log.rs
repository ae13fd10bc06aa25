//! The main log on a full disk.

mod pure;

use majordomo::base::limits::LOG_HELD_BYTES;
use majordomo::base::words::Level;
use majordomo::world::lines::Line;
use pure::{Rig, plain, solo};

/// LOG-053: the main log can't tell of its own trouble while it has it, but afterwards.
#[test]
fn what_the_main_log_lost_is_said_once_it_can_be_written() {
    let mut rig = Rig::new(vec![solo(plain("p"))]);
    rig.news();
    rig.host.files.faults.room = Some(0);
    let line = "x".repeat(LOG_HELD_BYTES / 2);
    for _ in 0..3 {
        rig.turn(|world, turn| world.say(&Line::Free(Level::Error, line.clone()), turn));
    }
    rig.pass_secs(5);
    assert_eq!(rig.news(), [""; 0]);
    rig.host.files.faults.room = None;
    rig.pass_secs(2);
    // Three lines with their dates and ends, less what is kept.
    let lost = 3 * (line.len() + "2026-01-01 00:00:00,000 ERRO \n".len()) - LOG_HELD_BYTES;
    let log = rig.news().concat();
    let text =
        format!("ERRO {lost} bytes of log file '/var/log/supervisord.log' were lost while it could not be written");
    assert!(log.ends_with(&text), "{:?}", log.get(log.len().saturating_sub(200)..));
    // Once.
    rig.pass_secs(100);
    assert_eq!(rig.news(), [""; 0]);
}
