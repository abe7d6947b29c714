//! Time that one run takes, by the wall and by the thread's own processor time.
//! Must never be read by what is measured.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// A sample repeats its run until it took this long: what is shorter measures the clock.
const SAMPLE_MIN: Duration = Duration::from_millis(100);

/// What one run took.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Processor time, of this thread or of a whole child process: what remains of a shared machine's noise are caches,
    /// memory and clock rate.
    pub cpu: Duration,
    /// Time on the wall.
    pub wall: Duration,
}

/// Runs `run` once or more and returns the mean of a run.
///
/// # Errors
/// What `run` answers.
pub fn sample<E>(mut run: impl FnMut() -> Result<(), E>) -> Result<Sample, E> {
    let (mut total, mut runs) = (Sample { cpu: Duration::ZERO, wall: Duration::ZERO }, 0);
    while runs == 0 || total.wall < SAMPLE_MIN {
        let one = once(&mut run)?;
        total = Sample { cpu: total.cpu + one.cpu, wall: total.wall + one.wall };
        runs += 1;
    }
    Ok(Sample { cpu: total.cpu / runs, wall: total.wall / runs })
}

/// Runs `run` once, for what cannot be repeated on the same bytes.
///
/// # Errors
/// What `run` answers.
pub fn once<E>(run: impl FnOnce() -> Result<(), E>) -> Result<Sample, E> {
    let (wall, cpu) = (Instant::now(), thread_cpu());
    run()?;
    Ok(Sample { cpu: thread_cpu().saturating_sub(cpu), wall: wall.elapsed() })
}

fn thread_cpu() -> Duration {
    cpu(ClockId::ThreadCPUTime)
}

/// Processor time of this process so far.
#[must_use]
pub fn process_cpu() -> Duration {
    cpu(ClockId::ProcessCPUTime)
}

fn cpu(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let seconds = Duration::from_secs(u64::try_from(time.tv_sec).unwrap_or(0));
    seconds + Duration::from_nanos(u64::try_from(time.tv_nsec).unwrap_or(0))
}
