//! A Terraform Cloud that answers one question, "what is this workspace's current state", after the work that is due for it,
//! and hands that state out.
//!
//! Spoken byte by byte, so that it costs the two cores next to nothing. Must never answer before that work is done.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A request's head is a few hundred bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The state version that every workspace shows.
pub const STATE_VERSION: &str = "sv-Measured00000001";

/// A current state.
#[derive(Clone)]
pub struct Shown {
    /// Its id.
    pub state_version: String,
    /// Its serial.
    pub serial: u64,
    /// The document.
    pub document: Arc<Vec<u8>>,
}

/// What is due, and what was done.
#[derive(Default)]
pub struct Work {
    shown: Mutex<HashMap<String, Shown>>,
    due: Mutex<HashMap<String, Vec<Duration>>>,
    answers: AtomicU64,
    at_once: AtomicU64,
    at_once_max: AtomicU64,
}

impl Work {
    /// A message of this workspace costs this much.
    pub fn add(&self, workspace: &str, work: Duration) {
        self.due().entry(workspace.to_owned()).or_default().push(work);
    }

    /// From here on, this is the workspace's current state. Without one it is [`STATE_VERSION`], which nobody can load.
    pub fn show(&self, workspace: &str, state: Shown) {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).insert(workspace.to_owned(), state);
    }

    fn shown(&self, workspace: &str) -> Option<Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).get(workspace).cloned()
    }

    /// Messages whose work is still to be done.
    pub fn left(&self) -> usize {
        self.due().values().map(Vec::len).sum()
    }

    /// Answers that were given.
    pub fn answers(&self) -> u64 {
        self.answers.load(Ordering::Relaxed)
    }

    /// Most workspaces that were worked on at once.
    pub fn at_once_max(&self) -> u64 {
        self.at_once_max.load(Ordering::Relaxed)
    }

    async fn do_all_of(&self, workspace: &str) {
        let due = self.due().remove(workspace).unwrap_or_default();
        let now = self.at_once.fetch_add(1, Ordering::Relaxed) + 1;
        self.at_once_max.fetch_max(now, Ordering::Relaxed);
        let all: Duration = due.iter().sum();
        if !all.is_zero() {
            tokio::time::sleep(all).await;
        }
        self.at_once.fetch_sub(1, Ordering::Relaxed);
        self.answers.fetch_add(1, Ordering::Relaxed);
    }

    fn due(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<Duration>>> {
        self.due.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The running server; dropped, it stops.
pub struct Upstream {
    /// `http://127.0.0.1:port`.
    pub origin: String,
    /// What it does.
    pub work: Arc<Work>,
    _tasks: JoinSet<()>,
}

impl Upstream {
    /// Listens on loopback.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen on loopback")?;
        let origin = format!("http://{}", listener.local_addr()?);
        let work = Arc::new(Work::default());
        let mut tasks = JoinSet::new();
        let shared = Arc::clone(&work);
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let work = Arc::clone(&shared);
                connections.spawn(async move {
                    // A client that goes away is no error.
                    let _ = serve(stream, &work).await;
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { origin, work, _tasks: tasks })
    }
}

async fn serve(mut stream: TcpStream, work: &Work) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut head = Vec::with_capacity(1024);
    loop {
        head.clear();
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() > HEAD_BYTES_MAX || stream.read_buf(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let text = String::from_utf8_lossy(&head);
        let path = text.split(' ').nth(1).unwrap_or_default();
        let path = path.split('?').next().unwrap_or_default();
        let body = if let Some(workspace) = path.strip_prefix("/api/v2/workspaces/") {
            work.do_all_of(workspace).await;
            Arc::new(read(workspace, work.shown(workspace)).into_bytes())
        } else if let Some(workspace) = path.strip_prefix("/states/") {
            work.shown(workspace).map(|shown| shown.document).unwrap_or_default()
        } else {
            Arc::new(ACCOUNT.as_bytes().to_vec())
        };
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/vnd.api+json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut answer = answer.into_bytes();
        answer.extend_from_slice(&body);
        stream.write_all(&answer).await?;
    }
}

const ACCOUNT: &str = r#"{"data":{"id":"user-measure","type":"users","attributes":{"username":"measure"}}}"#;

fn read(workspace: &str, shown: Option<Shown>) -> String {
    let (id, serial, url) = match shown {
        Some(shown) => (shown.state_version, shown.serial, format!("/states/{workspace}")),
        None => (STATE_VERSION.to_owned(), 1, String::new()),
    };
    format!(
        r#"{{"data":{{"id":"{workspace}","type":"workspaces","attributes":{{"name":"measured"}},"relationships":{{"current-state-version":{{"data":{{"id":"{id}","type":"state-versions"}}}}}}}},"included":[{{"id":"{id}","type":"state-versions","attributes":{{"serial":{serial},"status":"finalized","hosted-state-download-url":"{url}"}}}}]}}"#
    )
}
