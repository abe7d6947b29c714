//! One node of the private cluster: its files and its process. Blocking.
//!
//! Must never leave a process behind: Java runs under a guard shell that ends it when the pipe to this process closes,
//! for whatever reason.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use terrasift_schemas::config::SaslMechanism;
use terrasift_secrets::Secret;

use super::properties::{CLUSTER_ID, Layout};
use super::{failed, on_search_path, refused};
use crate::KafkaError;

/// Passes on each line of its standard input as a signal. At its end (the owner's end of the pipe is gone) asks for a clean
/// shutdown, and after 10 s kills.
const GUARD: &str = r#"
exec 3<&0
"$@" 3<&- </dev/null &
kafka=$!
{
    while read -r signal <&3; do kill -"$signal" $kafka; done
    kill -CONT $kafka
    kill -TERM $kafka
    tries=0
    while kill -0 $kafka && [ $tries -lt 50 ]; do sleep 0.2; tries=$((tries + 1)); done
    kill -KILL $kafka
} 2>/dev/null &
exec 3<&- </dev/null
wait $kafka
"#;

/// A small heap, and the collector and compiler that start soonest.
const JVM: [&str; 5] =
    ["-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Djava.awt.headless=true"];

/// Most characters of a broker's log in an error.
const LAST_WORDS_MAX: usize = 300;

/// Java, and the jars to run.
#[derive(Clone)]
pub(super) struct Java {
    program: PathBuf,
    class_path: String,
}

impl Java {
    pub(super) fn find(libs: &Path) -> Result<Self, KafkaError> {
        let program = on_search_path("java")
            .ok_or_else(|| refused("cannot find java: install a runtime of Java 17 or later"))?;
        let named = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with("kafka_2.13-");
        if !fs::read_dir(libs).into_iter().flatten().flatten().any(|entry| named(&entry)) {
            return Err(refused(
                "there are no jars of Kafka in the given folder: `make kafka-jars` fetches them",
            ));
        }
        Ok(Self { program, class_path: format!("{}/*", libs.display()) })
    }

    /// The words of a command that runs `class`.
    fn words(&self, class: &str) -> Vec<String> {
        let mut words = vec![self.program.display().to_string()];
        words.extend(JVM.iter().map(ToString::to_string));
        words.extend(["-Dlog4j2.level=WARN", "-cp", &self.class_path, class].map(str::to_owned));
        words
    }
}

/// A command with nothing of our environment: a stray JAVA_TOOL_OPTIONS must not lead it astray.
fn command(program: &str, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").env("PATH", "/usr/local/bin:/usr/bin:/bin").current_dir(dir);
    command.stdin(Stdio::null());
    command
}

/// A node, running or not. Dropping it kills its process.
pub(super) struct Node {
    pub(super) layout: Layout,
    guarded: Option<Guarded>,
}

struct Guarded {
    guard: Child,
    /// The pipe that carries signals, and whose end is the order to stop.
    lifeline: Option<ChildStdin>,
}

impl Node {
    /// Writes the node's files and starts it.
    pub(super) fn start(
        layout: Layout,
        java: &Java,
        scram_users: &[(SaslMechanism, String, Secret)],
    ) -> Result<Self, KafkaError> {
        let mut node = Self { layout, guarded: None };
        let data = node.layout.dir.join("data");
        fs::create_dir_all(&data).map_err(|error| unusable("make", &error))?;
        fs::write(node.properties_file(), &node.layout.properties)
            .map_err(|error| unusable("write", &error))?;
        if scram_users.is_empty() {
            // What `kafka-storage.sh format` writes, without a second start of Java.
            let meta = format!("version=1\ncluster.id={CLUSTER_ID}\nnode.id={}\n", node.layout.id);
            fs::write(data.join("meta.properties"), meta).map_err(|error| unusable("write", &error))?;
        } else {
            node.format(java, scram_users)?;
        }
        node.spawn(java)?;
        Ok(node)
    }

    /// SCRAM's first users can only be made by Kafka's own tool.
    fn format(&self, java: &Java, users: &[(SaslMechanism, String, Secret)]) -> Result<(), KafkaError> {
        let words = java.words("kafka.tools.StorageTool");
        let mut tool = command(&words[0], &self.layout.dir);
        tool.args(&words[1..])
            .args(["format", "--cluster-id", CLUSTER_ID, "--config"])
            .arg(self.properties_file());
        for (mechanism, name, password) in users {
            let user = format!("{}=[name={name},password={}]", mechanism.name(), password.expose());
            tool.args(["--add-scram", &user]);
        }
        let output = tool.output().map_err(|error| failed(format!("cannot run java: {}", error.kind())))?;
        // Its text can quote the users: the status has to do.
        if output.status.success() { Ok(()) } else { Err(failed("Kafka's storage tool refused the users")) }
    }

    /// Starts the process; without effect on one that runs.
    pub(super) fn spawn(&mut self, java: &Java) -> Result<(), KafkaError> {
        if self.guarded.is_some() && !self.has_ended() {
            return Ok(());
        }
        let log = fs::OpenOptions::new().create(true).append(true).open(self.log_file());
        let log = log.map_err(|error| unusable("write", &error))?;
        let log_too = log.try_clone().map_err(|error| unusable("write", &error))?;
        let mut shell = command("sh", &self.layout.dir);
        shell
            .args(["-c", GUARD, "terrasift-kafka-guard"])
            .args(java.words("kafka.Kafka"))
            .arg(self.properties_file());
        // Its own group: Ctrl-C is for us, who drain before the brokers may go.
        shell.process_group(0).stdin(Stdio::piped()).stdout(log).stderr(log_too);
        let mut guard =
            shell.spawn().map_err(|error| failed(format!("cannot start java: {}", error.kind())))?;
        let lifeline = guard.stdin.take();
        self.guarded = Some(Guarded { guard, lifeline });
        Ok(())
    }

    /// Whether it should run.
    pub(super) fn runs(&self) -> bool {
        self.guarded.is_some()
    }

    /// Whether it should run and does not.
    pub(super) fn has_ended(&mut self) -> bool {
        self.guarded.as_mut().is_some_and(|guarded| guarded.guard.try_wait().ok().flatten().is_some())
    }

    pub(super) fn signal(&mut self, name: &str) -> Result<(), KafkaError> {
        let lifeline = self.guarded.as_mut().and_then(|guarded| guarded.lifeline.as_mut());
        let lifeline = lifeline.ok_or_else(|| failed("this node is down"))?;
        writeln!(lifeline, "{name}").map_err(|_| failed("this node is down"))
    }

    pub(super) fn kill(&mut self) {
        if self.guarded.is_some() {
            // One that has ended already cannot be told to.
            let _ = self.signal("KILL");
            self.wait();
        }
    }

    /// The guard asks, and kills after its patience.
    pub(super) fn ask_to_stop(&mut self) {
        if let Some(guarded) = &mut self.guarded {
            guarded.lifeline = None;
        }
    }

    /// Waits for the end of a node that was killed or asked to stop; the guard bounds that.
    pub(super) fn wait(&mut self) {
        if let Some(mut guarded) = self.guarded.take() {
            let _ = guarded.guard.wait();
        }
    }

    /// The last line of the log that complains; brokers do not log what records hold.
    pub(super) fn last_words(&self) -> String {
        let log = fs::read(self.log_file()).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let complaint =
            |line: &&str| line.contains("ERROR") || line.contains("Exception") || line.contains("Error:");
        let line = log.lines().rfind(complaint).unwrap_or("its log is silent");
        line.chars().take(LAST_WORDS_MAX).collect()
    }

    fn properties_file(&self) -> PathBuf {
        self.layout.dir.join("server.properties")
    }

    fn log_file(&self) -> PathBuf {
        self.layout.dir.join("kafka.log")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

fn unusable(what: &str, error: &io::Error) -> KafkaError {
    failed(format!("cannot {what} the files of a node: {}", error.kind()))
}
