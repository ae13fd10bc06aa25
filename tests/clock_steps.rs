//! Somebody sets the wall clock, far back or far ahead, in each state: everything happens at the moment it would have
//! (process.md, section 11). On a simulated clock, since a real one belongs to everybody on the machine.

mod pure;

use majordomo::base::words::State;
use majordomo::config::spec::Autorestart;
use pure::{Rig, field, i, program, s, solo};

/// What happened and when, in milliseconds since the start: lines of the main log with the moment they came.
type Story = Vec<(u64, String)>;

/// A whole life: a start, a stop that needs SIGKILL, an end by itself with its restart, and failed starts until it is
/// given up. `steps` are seconds by which the wall clock is set, one after the other, at each stage.
fn story(steps: &[i64]) -> Story {
    let mut rig = Rig::new(vec![solo(program("p", |spec| {
        spec.command = "/bin/stubborn".into();
        (spec.startsecs, spec.stopwaitsecs, spec.startretries) = (3, 4, 2);
        spec.autorestart = Autorestart::Always;
    }))]);
    let begun = rig.clock.now().mono;
    let mut story = Vec::new();
    let mut steps = steps.iter().cycle();
    rig.begin();
    // Time passes in small bits, so that each line is seen in its moment.
    let mut pass = |rig: &mut Rig, ms: u64| {
        rig.clock.step_wall(*steps.next().expect("a step"));
        for _ in 0..ms / 50 {
            rig.pass_ms(50);
            let at = (rig.clock.now().mono - begun).as_millis() as u64;
            story.extend(rig.news().into_iter().map(|line| (at, line)));
        }
    };
    pass(&mut rig, 1_000);
    assert_eq!(rig.state("p"), State::Starting, "PROC-121");
    pass(&mut rig, 2_500);
    assert_eq!(rig.state("p"), State::Running);
    pass(&mut rig, 1_000);
    assert_eq!(rig.state("p"), State::Running, "PROC-122");
    rig.get("supervisor.stopProcess", vec![s("p"), false.into()]);
    pass(&mut rig, 2_000);
    assert_eq!(rig.state("p"), State::Stopping, "PROC-123");
    pass(&mut rig, 3_000);
    rig.die("p", 9);
    rig.get("supervisor.startProcess", vec![s("p"), false.into()]);
    pass(&mut rig, 3_500);
    // PROC-124: it lived long enough, whatever its start looks like now.
    pass(&mut rig, 100);
    rig.exit_code("p", 0);
    pass(&mut rig, 50);
    // Three starts that fail: PROC-123 for BACKOFF.
    for pause in [1_000, 2_000] {
        pass(&mut rig, 100);
        rig.exit_code("p", 1);
        assert_eq!(rig.state("p"), State::Backoff);
        pass(&mut rig, pause - 100);
        assert_eq!(rig.state("p"), State::Backoff);
        pass(&mut rig, 100);
        assert_eq!(rig.state("p"), State::Starting);
    }
    rig.exit_code("p", 1);
    pass(&mut rig, 50);
    assert_eq!(rig.state("p"), State::Fatal);
    story
}

/// PROC-120, PROC-121, PROC-122, PROC-123, PROC-124: the story is the same, to the moment and to the line.
#[test]
fn nothing_depends_on_the_wall_clock() {
    const YEAR: i64 = 365 * 86_400;
    let steady = story(&[0]);
    assert!(steady.len() > 15, "{steady:?}");
    assert!(!steady.iter().any(|(_, line)| line.contains("in the future")));
    for steps in
        [&[-1][..], &[1], &[-3600], &[3600], &[-20 * YEAR], &[20 * YEAR], &[5, -5], &[YEAR, -2 * YEAR, 1, -1, 0]]
    {
        assert_eq!(story(steps), steady, "{steps:?}");
    }
}

/// PROC-110, PROC-120: only what is shown follows the wall clock, and it makes sense.
#[test]
fn what_is_shown_makes_sense() {
    let mut rig = Rig::one(|_| {});
    rig.begin();
    rig.pass_secs(10);
    for step in [-86_400, 86_400, -20 * 365 * 86_400, 30 * 365 * 86_400] {
        rig.clock.step_wall(step);
        let info = rig.get("supervisor.getProcessInfo", vec![s("p")]);
        assert_eq!(field(&info, "now"), i(rig.clock.now().wall.secs()));
        let pid = rig.pid("p");
        assert_eq!(field(&info, "description"), s(&format!("pid {pid}, uptime 0:00:10")), "{step}");
    }
}
