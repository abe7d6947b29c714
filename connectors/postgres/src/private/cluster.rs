//! The processes and directories of a private cluster. Blocking.
//!
//! Must never leave a process behind: `postgres` runs under a guard shell that shuts it down when the pipe to this
//! process closes, for whatever reason.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::setup;
use crate::StoreError;

/// Waits for the end of its standard input (the owner's end of the pipe is gone), then asks for a fast shutdown, and
/// after 20 s for an immediate one.
const GUARD: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null &
postgres=$!
{
    cat <&3 >/dev/null
    kill -INT $postgres
    tries=0
    while kill -0 $postgres && [ $tries -lt 100 ]; do sleep 0.2; tries=$((tries + 1)); done
    kill -QUIT $postgres
} 2>/dev/null &
exec 3<&- </dev/null
wait $postgres
"#;

/// A little more than the guard's patience.
const STOP_PATIENCE: Duration = Duration::from_secs(25);

/// Tables of access: everybody but the superuser needs a password, and nobody comes from outside.
const ACCESS: &str = "local all postgres trust\n\
                      host all terrasift_owner,terrasift_app,terrasift_auditor 127.0.0.1/32 scram-sha-256\n";

/// What keeps values out of the log; durability stays at Postgres' defaults, which are on.
const SETTINGS: [&str; 14] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_permissions=0700",
    "password_encryption=scram-sha-256",
    "log_destination=stderr",
    "logging_collector=off",
    "log_statement=none",
    "log_min_duration_statement=-1",
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
    "log_parameter_max_length=0",
    "log_parameter_max_length_on_error=0",
    "max_connections=200",
    "shared_buffers=128MB",
    "max_wal_size=2GB",
];

/// Who runs the cluster.
#[derive(Clone, Copy)]
struct Account {
    uid: u32,
    gid: u32,
    /// Whether this process must become that account.
    switch: bool,
}

/// Data directory: of the caller, or ours and temporary.
enum DataDir {
    Kept(PathBuf),
    Temporary(TempDir),
}

/// A running cluster. Fields drop in order: process first, then what it uses.
pub(super) struct Cluster {
    process: Guarded,
    port: u16,
    respawns: u32,
    binaries: Binaries,
    /// The cluster's own directory, absolute.
    dir: PathBuf,
    account: Account,
    sockets: TempDir,
    /// Held for its drop: a temporary directory goes with the cluster.
    _data: DataDir,
}

impl Cluster {
    pub(super) fn start(data_dir: Option<PathBuf>) -> Result<Self, StoreError> {
        let binaries = find_binaries()?;
        let data = match data_dir {
            Some(path) => DataDir::Kept(path),
            None => DataDir::Temporary(temp_dir("terrasift-postgres-")?),
        };
        let dir = prepare(data.path())?;
        let account = account(&dir)?;
        let sockets = temp_dir("terrasift-")?;
        own(sockets.path(), account)?;
        if let DataDir::Temporary(parent) = &data {
            own(parent.path(), account)?;
        }
        own(&dir, account)?;
        if !dir.join("PG_VERSION").exists() {
            init(&binaries, &dir, account, &data)?;
        }
        let access = dir.join("pg_hba.conf");
        fs::write(&access, ACCESS).map_err(|e| unusable("write pg_hba.conf into", &dir, &e))?;
        own(&access, account)?;
        let port = free_port()?;
        let process = Guarded::spawn(&binaries, &dir, sockets.path(), port, account)?;
        Ok(Self { process, port, respawns: 0, binaries, dir, account, sockets, _data: data })
    }

    /// Starts the cluster again, if it ended at once, on another port: somebody may have taken the first one. When that
    /// does not help, says where to read why.
    pub(super) fn keep_trying(&mut self) -> Result<(), StoreError> {
        const RESPAWNS_MAX: u32 = 3;
        if self.process.exited().is_none() {
            return Ok(());
        }
        if self.respawns == RESPAWNS_MAX {
            let log = self.log_file();
            return Err(setup(format!("the private postgres ends at once: see {}", log.display())));
        }
        self.respawns += 1;
        self.port = free_port()?;
        self.process =
            Guarded::spawn(&self.binaries, &self.dir, self.sockets.path(), self.port, self.account)?;
        Ok(())
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Kills the server as `kill -9` does; its backends notice and go too.
    pub(super) fn kill(&mut self) -> Result<(), StoreError> {
        let file = self.dir.join("postmaster.pid");
        let text =
            fs::read_to_string(&file).map_err(|e| unusable("read the process id in", &self.dir, &e))?;
        let pid = text.lines().next().and_then(|line| line.trim().parse::<u32>().ok());
        let pid = pid.ok_or_else(|| setup("postmaster.pid names no process"))?;
        let killed = Command::new("kill").args(["-KILL", &pid.to_string()]).stderr(Stdio::null()).status();
        killed.map_err(|e| setup(format!("cannot run kill: {}", e.kind())))?;
        self.process.wait();
        Ok(())
    }

    /// Starts the server again on its files and its port.
    pub(super) fn restart(&mut self) -> Result<(), StoreError> {
        self.process.wait();
        self.process =
            Guarded::spawn(&self.binaries, &self.dir, self.sockets.path(), self.port, self.account)?;
        Ok(())
    }

    /// Whether the server has ended.
    pub(super) fn has_ended(&mut self) -> bool {
        self.process.exited().is_some()
    }

    pub(super) fn socket_dir(&self) -> &Path {
        self.sockets.path()
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.binaries.path(name)
    }

    pub(super) fn data_dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn log_file(&self) -> PathBuf {
        log_file(&self.dir)
    }
}

impl DataDir {
    fn path(&self) -> &Path {
        match self {
            Self::Kept(path) => path,
            Self::Temporary(dir) => dir.path(),
        }
    }
}

fn log_file(dir: &Path) -> PathBuf {
    dir.join("postgres.log")
}

struct Guarded {
    guard: Child,
    /// The pipe whose end is the order to stop.
    lifeline: Option<ChildStdin>,
}

impl Guarded {
    fn spawn(
        binaries: &Binaries,
        dir: &Path,
        sockets: &Path,
        port: u16,
        account: Account,
    ) -> Result<Self, StoreError> {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(log_file(dir))
            .map_err(|e| unusable("write the log into", dir, &e))?;
        own(&log_file(dir), account)?;
        let log_too = log.try_clone().map_err(|e| unusable("write the log into", dir, &e))?;
        let mut command = as_account(Path::new("sh"), account);
        command
            .args(["-c", GUARD, "terrasift-postgres-guard"])
            .arg(binaries.path("postgres"))
            .arg("-D")
            .arg(dir);
        command.args(["-p", &port.to_string(), "-k"]).arg(sockets);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        // Its own group: Ctrl-C is for us, who drain before the database may go.
        command.process_group(0).stdin(Stdio::piped()).stdout(log).stderr(log_too);
        let mut guard = command.spawn().map_err(|e| setup(format!("cannot start postgres: {}", e.kind())))?;
        let lifeline = guard.stdin.take();
        Ok(Self { guard, lifeline })
    }

    fn exited(&mut self) -> Option<ExitStatus> {
        self.guard.try_wait().ok().flatten()
    }

    /// Waits for the end of what was killed or asked to stop; the guard bounds that.
    fn wait(&mut self) {
        drop(self.lifeline.take());
        let _ = self.guard.wait();
    }
}

impl Drop for Guarded {
    #[expect(
        clippy::disallowed_methods,
        reason = "polls a process that ends, bounded; drop cannot wait otherwise"
    )]
    fn drop(&mut self) {
        drop(self.lifeline.take());
        let deadline = Instant::now() + STOP_PATIENCE;
        while self.exited().is_none() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        // Past its patience the guard has asked for an immediate shutdown; here only the guard itself is left.
        let _ = self.guard.kill();
        let _ = self.guard.wait();
    }
}

/// The directory that holds `initdb` and `postgres`.
struct Binaries(PathBuf);

impl Binaries {
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

/// The search path first, then where distributions keep the newest version.
fn find_binaries() -> Result<Binaries, StoreError> {
    let complete = |dir: &PathBuf| ["initdb", "postgres"].iter().all(|name| dir.join(name).is_file());
    on_search_path().into_iter().chain(where_distributions_keep_them()).find(complete).map(Binaries).ok_or_else(|| {
        setup("cannot find initdb and postgres: install the package postgresql, or put its bin directory on the PATH")
    })
}

/// Asked of the shell: configuration alone may look at the environment.
fn on_search_path() -> Option<PathBuf> {
    let output = Command::new("sh").args(["-c", "command -v initdb"]).stdin(Stdio::null()).output().ok()?;
    let found = fs::canonicalize(String::from_utf8(output.stdout).ok()?.trim()).ok()?;
    found.parent().map(Path::to_path_buf)
}

fn where_distributions_keep_them() -> Vec<PathBuf> {
    let mut places: Vec<(u32, PathBuf)> = Vec::new();
    for (root, prefix) in [("/usr/lib/postgresql", ""), ("/usr", "pgsql-")] {
        for entry in fs::read_dir(root).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let version = name.to_str().and_then(|n| n.strip_prefix(prefix)).and_then(|n| n.parse().ok());
            places.extend(version.map(|version| (version, entry.path().join("bin"))));
        }
    }
    places.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    places.into_iter().map(|(_, dir)| dir).collect()
}

fn init(binaries: &Binaries, dir: &Path, account: Account, data: &DataDir) -> Result<(), StoreError> {
    let mut command = as_account(&binaries.path("initdb"), account);
    // A temporary cluster does not outlive the machine's crash, so its first files need not wait for the disk.
    if matches!(data, DataDir::Temporary(_)) {
        command.arg("--no-sync");
    }
    let output = command
        .args([
            "--username=postgres",
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--no-locale",
        ])
        .args(["--data-checksums", "-D"])
        .arg(dir)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| setup(format!("cannot run initdb: {}", e.kind())))?;
    if output.status.success() {
        return Ok(());
    }
    // initdb speaks of directories and permissions only: there are no values yet.
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().find(|line| line.contains("error:")).unwrap_or("no reason given").to_owned();
    Err(setup(format!("initdb failed in {}: {line}", dir.display())))
}

/// A command with nothing of our environment: a stray PGDATA or PGPASSWORD must not lead it astray.
fn as_account(program: &Path, account: Account) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").env("PATH", "/usr/local/bin:/usr/bin:/bin").current_dir("/");
    if account.switch {
        command.uid(account.uid).gid(account.gid);
    }
    command
}

/// Whom the cluster runs as: whoever we are; from root the directory's owner, else `postgres`, else `nobody`.
fn account(dir: &Path) -> Result<Account, StoreError> {
    let uid = number_of("-u", None)
        .ok_or_else(|| setup("cannot tell which account this is: is `id` installed?"))?;
    let gid = number_of("-g", None).unwrap_or(uid);
    if uid != 0 {
        return Ok(Account { uid, gid, switch: false });
    }
    let owner =
        fs::metadata(dir.join("PG_VERSION")).ok().map(|m| (m.uid(), m.gid())).filter(|(uid, _)| *uid != 0);
    let named = |name: &str| Some((number_of("-u", Some(name))?, number_of("-g", Some(name))?));
    let (uid, gid) = owner.or_else(|| named("postgres")).or_else(|| named("nobody")).ok_or_else(|| {
        setup("postgres refuses to run as root, and there is neither an account postgres nor nobody: add one")
    })?;
    Ok(Account { uid, gid, switch: true })
}

fn number_of(flag: &str, name: Option<&str>) -> Option<u32> {
    let output =
        Command::new("id").arg(flag).args(name).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

/// Makes the directories; gives the cluster's, absolute.
fn prepare(parent: &Path) -> Result<PathBuf, StoreError> {
    // One below the given directory, which may hold other things of its owner.
    let dir = parent.join("cluster");
    fs::create_dir_all(&dir).map_err(|e| unusable("make", &dir, &e))?;
    dir.canonicalize().map_err(|e| unusable("find", &dir, &e))
}

/// Gives a path to the account, for its eyes only.
fn own(path: &Path, account: Account) -> Result<(), StoreError> {
    let metadata = fs::metadata(path).map_err(|e| unusable("look at", path, &e))?;
    if account.switch && metadata.uid() != account.uid {
        chown(path, Some(account.uid), Some(account.gid)).map_err(|e| unusable("hand over", path, &e))?;
    }
    let mode = if metadata.is_dir() { 0o700 } else { 0o600 };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).map_err(|e| unusable("protect", path, &e))
}

fn temp_dir(prefix: &str) -> Result<TempDir, StoreError> {
    tempfile::Builder::new()
        .prefix(prefix)
        .tempdir()
        .map_err(|e| setup(format!("cannot make a temporary directory: {}", e.kind())))
}

/// A port that is free now. Somebody may take it before the cluster does: then the cluster ends, and says so.
fn free_port() -> Result<u16, StoreError> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|e| setup(format!("cannot find a free port on 127.0.0.1: {}", e.kind())))
}

fn unusable(what: &str, path: &Path, error: &io::Error) -> StoreError {
    setup(format!("cannot {what} {}: {}", path.display(), error.kind()))
}
