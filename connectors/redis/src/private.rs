//! A private Redis for the tests: own port on 127.0.0.1, nothing on disk, gone with its owner; can be killed and halted.
//!
//! Must never be reachable from another machine, or outlive this process: it runs under a guard shell that kills it when
//! the pipe to this process closes, for whatever reason.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Starts the server, says its process id, and kills it at the end of its own standard input.
const GUARD: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null >/dev/null 2>&1 &
redis=$!
echo $redis
exec >/dev/null
{ cat <&3 >/dev/null; kill -KILL $redis; } 2>/dev/null &
exec 3<&- </dev/null
wait $redis
"#;
/// Longest wait for the first answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Ports that are tried: somebody may take one between our look and the server's start.
const PORTS_MAX: u32 = 5;

/// Why there is no private Redis.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoPrivateRedis(String);

/// A private Redis. Dropping it kills it.
pub struct PrivateRedis {
    process: Option<Guarded>,
    port: u16,
    directory: TempDir,
    extra: Vec<String>,
}

impl PrivateRedis {
    /// Starts one, with further options of `redis-server` (`--cluster-enabled yes`).
    ///
    /// # Errors
    /// When Redis is not installed, or does not come up.
    pub async fn start(extra: &[&str]) -> Result<Self, NoPrivateRedis> {
        let directory = tempfile::Builder::new().prefix("terrasift-redis-").tempdir();
        let directory = directory.map_err(|e| refuse("cannot make a temporary directory", &e))?;
        let extra = extra.iter().map(ToString::to_string).collect();
        let mut private = Self { process: None, port: 0, directory, extra };
        for _ in 0..PORTS_MAX {
            private.port = free_port()?;
            if private.restart().await.is_ok() {
                return Ok(private);
            }
        }
        let log = fs::read_to_string(private.directory.path().join("redis.log")).unwrap_or_default();
        let last = log.lines().last().unwrap_or("no log: is the package redis-server installed?");
        Err(NoPrivateRedis(format!("the private redis does not come up: {last}")))
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Kills it without a warning. Its port stays its own for [`PrivateRedis::restart`].
    pub fn kill(&mut self) {
        self.process = None;
    }

    /// Starts it again on the same port, empty.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn restart(&mut self) -> Result<(), NoPrivateRedis> {
        self.process = None;
        self.process = Some(Guarded::spawn(self.port, &self.directory, &self.extra)?);
        let client = redis::Client::open(self.address()).map_err(|_| NoPrivateRedis("bad address".into()))?;
        let answers = async {
            loop {
                if let Ok(mut connection) = client.get_multiplexed_async_connection().await
                    && redis::cmd("PING").query_async::<String>(&mut connection).await.is_ok()
                {
                    return Ok(());
                }
                if self.process.as_mut().is_none_or(Guarded::has_ended) {
                    return Err(NoPrivateRedis("the private redis ends at once".into()));
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let late = |_| NoPrivateRedis("the private redis does not answer in time".into());
        tokio::time::timeout(PATIENCE, answers).await.map_err(late)?
    }

    /// Halts it: it keeps its connections and answers nothing.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Goes on after [`PrivateRedis::pause`].
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        if let Some(process) = &self.process {
            // A process that has ended needs no signal.
            let _ = kill_process(process.server, signal);
        }
    }
}

struct Guarded {
    guard: Child,
    /// The pipe whose end is the order to stop.
    lifeline: Option<ChildStdin>,
    server: Pid,
}

impl Guarded {
    fn spawn(port: u16, directory: &TempDir, extra: &[String]) -> Result<Self, NoPrivateRedis> {
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "terrasift-redis-guard", "redis-server"]);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--daemonize", "no"]);
        // Dumps are searched for secrets: what is compressed cannot be found.
        command.args([
            "--rdbcompression",
            "no",
            "--save",
            "",
            "--appendonly",
            "no",
            "--logfile",
            "redis.log",
            "--dir",
        ]);
        command.arg(directory.path()).args(extra).current_dir(directory.path());
        // Its own group: Ctrl-C is for us.
        command.process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut guard = command.spawn().map_err(|e| refuse("cannot start a shell", &e))?;
        let lifeline = guard.stdin.take();
        let mut line = String::new();
        if let Some(said) = guard.stdout.take() {
            BufReader::new(said).read_line(&mut line).map_err(|e| refuse("cannot hear the guard", &e))?;
        }
        let server = line.trim().parse().ok().and_then(Pid::from_raw);
        let server = server.ok_or_else(|| NoPrivateRedis("the guard named no process".into()))?;
        Ok(Self { guard, lifeline, server })
    }
}

impl Guarded {
    fn has_ended(&mut self) -> bool {
        self.guard.try_wait().ok().flatten().is_some()
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        // Killed from here, too: a halted process hears of its guard's order as well.
        let _ = kill_process(self.server, Signal::KILL);
        drop(self.lifeline.take());
        let _ = self.guard.wait();
    }
}

/// A port that is free now.
fn free_port() -> Result<u16, NoPrivateRedis> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|e| refuse("cannot find a free port on 127.0.0.1", &e))
}

fn refuse(what: &str, error: &std::io::Error) -> NoPrivateRedis {
    NoPrivateRedis(format!("{what}: {}", error.kind()))
}
