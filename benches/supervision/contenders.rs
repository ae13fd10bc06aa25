//! The daemons that are compared, and figures as they are printed.

use std::path::PathBuf;
use std::time::Duration;

use crate::support::daemon::Setup;
use crate::support::python::python;

/// Ours, or the published one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    Ours,
    Published,
}

impl Who {
    pub fn name(self) -> &'static str {
        match self {
            Who::Ours => "majordomo",
            Who::Published => "Supervisor 4.3.0",
        }
    }

    /// A daemon of this kind, not yet started.
    pub fn setup(self, config: &str) -> Setup {
        let program: PathBuf = match self {
            Who::Ours => env!("CARGO_BIN_EXE_supervisord").into(),
            Who::Published => python().path("supervisord"),
        };
        Setup::new(config).program(program)
    }
}

/// Times, sorted.
pub struct Times(Vec<Duration>);

impl Times {
    pub fn new(mut times: Vec<Duration>) -> Times {
        times.sort();
        Times(times)
    }

    /// The time that so many of 100 are not above.
    pub fn percentile(&self, percent: usize) -> Duration {
        self.part(100 * percent)
    }

    /// The time that so many of 10,000 are not above.
    pub fn part(&self, parts: usize) -> Duration {
        let place = (self.0.len() * parts).div_ceil(10_000).saturating_sub(1);
        self.0.get(place).copied().unwrap_or_default()
    }
}

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let (median, p99) = (ms(self.percentile(50)), ms(self.percentile(99)));
        write!(f, "median {median:.3} ms, p99 {p99:.3} ms, max {:.3} ms, n {}", ms(self.percentile(100)), self.0.len())
    }
}

/// The middle one.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or_default()
}
