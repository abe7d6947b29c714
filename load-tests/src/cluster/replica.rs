//! One replica: the real program as a process of its own, which can be killed, halted, asked to stop and started again.
//!
//! Must never leave a process behind: the program runs under a guard shell that kills it when the pipe to this process
//! closes, for whatever reason.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// Says the program's process id, waits for it, and kills it at the end of its own standard input. No core files: they
/// would hold memory.
const GUARD: &str = r#"
ulimit -c 0
exec 3<&0
log=$1
shift
"$@" 3<&- </dev/null >>"$log" 2>&1 &
replica=$!
echo $replica
exec >/dev/null
{ cat <&3 >/dev/null; kill -KILL $replica; } 2>/dev/null &
exec 3<&- </dev/null
wait $replica
"#;
/// Longest start: migrations are done, but a consumer's first join takes seconds, and brokers may be away.
const READY_WAIT_MAX: Duration = Duration::from_secs(60);
/// Longest drain after SIGTERM before it is killed.
const STOP_WAIT_MAX: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// How to run the program. No `Debug`: the environment holds secrets.
#[derive(Clone)]
pub struct ReplicaPlan {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// All of its environment.
    pub environment: Vec<(String, String)>,
    /// Its port on the loopback address.
    pub port: u16,
    /// Where it logs; starts append.
    pub log: PathBuf,
}

/// A replica, running or not. Dropping it kills its process.
pub struct Replica {
    plan: ReplicaPlan,
    process: Option<Guarded>,
    http: reqwest::Client,
}

struct Guarded {
    guard: Child,
    lifeline: Option<ChildStdin>,
    program: Pid,
}

impl Replica {
    /// One that does not run yet.
    ///
    /// # Errors
    /// When there can be no HTTP client.
    pub fn new(plan: ReplicaPlan) -> Result<Self> {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build()?;
        Ok(Self { plan, process: None, http })
    }

    /// Scheme, host and port of its API.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.plan.port)
    }

    /// Where it logs.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.plan.log
    }

    /// Starts it, with further arguments; a running one is left alone.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(&mut self, further: &[String]) -> Result<()> {
        if self.runs() {
            return Ok(());
        }
        let mut command = Command::new("sh");
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C");
        command.args(["-c", GUARD, "terrasift-replica-guard"]).arg(&self.plan.log);
        command.args(&self.plan.command).args(further);
        command.envs(self.plan.environment.iter().map(|(name, value)| (name, value)));
        // Its own group: Ctrl-C is for us.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut guard = command.spawn().context("cannot start a shell")?;
        let lifeline = guard.stdin.take();
        let mut line = String::new();
        if let Some(said) = guard.stdout.take() {
            BufReader::new(said).read_line(&mut line).context("cannot hear the guard")?;
        }
        let program = line.trim().parse().ok().and_then(Pid::from_raw);
        let program = program.context("the guard named no process")?;
        self.process = Some(Guarded { guard, lifeline, program });
        Ok(())
    }

    /// Waits until it says that it is ready.
    ///
    /// # Errors
    /// When it ends instead, or says nothing within a minute.
    pub async fn ready(&mut self) -> Result<()> {
        let deadline = tokio::time::Instant::now() + READY_WAIT_MAX;
        loop {
            if self.says_ready().await {
                return Ok(());
            }
            if !self.runs() {
                bail!("a replica ended while it started: see {}", self.plan.log.display());
            }
            if tokio::time::Instant::now() > deadline {
                bail!("a replica is not ready in time: see {}", self.plan.log.display());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Whether it says that it is ready, now.
    pub async fn says_ready(&self) -> bool {
        let answer = self.http.get(format!("{}/readyz", self.origin())).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Whether its process runs (also when it is halted).
    pub fn runs(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| matches!(process.guard.try_wait(), Ok(None)))
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Halts it (SIGSTOP): it keeps its connections and does nothing.
    pub fn halt(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets a halted one go on.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// Asks it to stop (SIGTERM) and waits for its drain, for at most half a minute: then it is killed.
    /// Whether it ended by itself.
    pub async fn stop(&mut self) -> bool {
        self.signal(Signal::TERM);
        let deadline = tokio::time::Instant::now() + STOP_WAIT_MAX;
        while self.runs() && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        let by_itself = !self.runs();
        self.kill();
        by_itself
    }

    /// What its metrics say; nothing when it does not answer.
    pub async fn metrics(&self) -> Option<String> {
        let answer = self.http.get(format!("{}/metrics", self.origin())).send().await.ok()?;
        answer.text().await.ok()
    }

    /// Resident memory of its process in bytes, as the system tells it.
    #[must_use]
    pub fn resident_bytes(&self) -> Option<u64> {
        let pid = self.process.as_ref()?.program.as_raw_nonzero();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
        Some(kib * 1024)
    }

    /// Number of its process, while it runs.
    #[must_use]
    pub fn process_id(&self) -> Option<i32> {
        self.process.as_ref().map(|process| process.program.as_raw_nonzero().get())
    }

    fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            // A process that has ended needs no signal.
            let _ = kill_process(process.program, signal);
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // The guard has not been waited for, so that the number is still its child's or nobody's.
        if matches!(self.guard.try_wait(), Ok(None)) {
            let _ = kill_process(self.program, Signal::KILL);
        }
        drop(self.lifeline.take());
        let _ = self.guard.wait();
    }
}

/// A port that is free now; nobody else on this machine asks for it by number.
///
/// # Errors
/// When there is none.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot find a free port")?;
    Ok(listener.local_addr()?.port())
}
