//! Runs a program to its end on one core and tells what the whole process took, start and end included.
//! Must never run two at once: the system tells what all dead children took as one sum.

use std::io;
use std::mem::MaybeUninit;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Resource, Rlimit, setrlimit};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use terrasift_benches::clock::Sample;

/// Processor time after which the system ends a child: thirty times what the slowest peer took for its state.
const SECONDS_MAX: u64 = 600;

/// Keeps this process and its children on one core, the last that it may use: the first serves most interrupts.
/// Limits their processor time. Returns the core.
pub fn confine() -> Result<usize> {
    let allowed = sched_getaffinity(None).context("cannot ask for the cores")?;
    let core = (0..CpuSet::MAX_CPU).rev().find(|core| allowed.is_set(*core)).context("no core")?;
    let mut only = CpuSet::new();
    only.set(core);
    sched_setaffinity(None, &only).context("cannot stay on one core")?;
    setrlimit(Resource::Cpu, Rlimit { current: Some(SECONDS_MAX), maximum: Some(SECONDS_MAX) })
        .context("cannot limit the processor time")?;
    Ok(core)
}

/// What it took, and the exit code. Nothing is read from the program and nothing is handed to it.
pub fn measure(command: &mut Command) -> Result<(Sample, i32)> {
    let name = command.get_program().to_string_lossy().into_owned();
    let (wall, cpu) = (Instant::now(), children_cpu()?);
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .with_context(|| format!("cannot run {name}"))?;
    let taken = Sample { wall: wall.elapsed(), cpu: children_cpu()?.saturating_sub(cpu) };
    let code = status.code().with_context(|| format!("{name} was ended: {status}"))?;
    Ok((taken, code))
}

/// Time in user and system mode of all children that ended, to the microsecond.
fn children_cpu() -> Result<Duration> {
    let mut usage = MaybeUninit::<libc::rusage>::uninit();
    // SAFETY: the pointer is to a whole `rusage`, which the system may write.
    let answer = unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr()) };
    if answer != 0 {
        return Err(io::Error::last_os_error()).context("cannot ask what the children took");
    }
    // SAFETY: the system answered 0, so it wrote all of it.
    let usage = unsafe { usage.assume_init() };
    Ok(duration(usage.ru_utime)? + duration(usage.ru_stime)?)
}

fn duration(time: libc::timeval) -> Result<Duration> {
    Ok(Duration::from_secs(time.tv_sec.try_into()?) + Duration::from_micros(time.tv_usec.try_into()?))
}
