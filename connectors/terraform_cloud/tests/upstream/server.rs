//! A hand-made HTTP server for one test: answers by path, byte for byte, and remembers what it was asked.
//!
//! Bytes by hand, because the interesting answers are those that no server library would give.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What to answer to a path.
#[derive(Clone)]
pub enum Answer {
    /// These bytes, then the end of the connection.
    Bytes(Vec<u8>),
    /// These bytes, then silence on an open connection.
    Hang(Vec<u8>),
    /// By token: what follows `Bearer `, and the answer.
    ByToken(Vec<(&'static str, Vec<u8>)>),
}

/// A request as it came.
#[derive(Clone)]
pub struct Asked {
    /// Path and query.
    pub target: String,
    /// What follows `Bearer `.
    pub bearer: Option<String>,
    /// All header lines, lower-case.
    pub head: String,
}

/// A server on a loopback port of its own: an origin of its own.
pub struct Server {
    pub address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    answers: Arc<Mutex<HashMap<String, Answer>>>,
}

impl Server {
    /// Listens; every path is 404 until it is told otherwise.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listener");
        let address = format!("http://{}", listener.local_addr().expect("address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answers = Arc::new(Mutex::new(HashMap::new()));
        let server = Self { address, asked: Arc::clone(&asked), answers: Arc::clone(&answers) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&asked), Arc::clone(&answers)));
            }
        });
        server
    }

    /// Answers requests to this path (without query) so from now on.
    pub fn on(&self, path: &str, answer: Answer) {
        self.answers.lock().expect("answers").insert(path.to_owned(), answer);
    }

    /// Everything that was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("asked").clone()
    }
}

async fn serve(
    mut stream: TcpStream,
    asked: Arc<Mutex<Vec<Asked>>>,
    answers: Arc<Mutex<HashMap<String, Answer>>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).expect("an ASCII head");
    let target = head.split(' ').nth(1).expect("target").to_owned();
    let line = |name: &str| {
        head.lines()
            .find_map(|l| l.to_ascii_lowercase().starts_with(name).then(|| l[name.len()..].trim().to_owned()))
    };
    let bearer = line("authorization: bearer ");
    let path = target.split('?').next().unwrap_or_default().to_owned();
    let request = Asked { target, bearer: bearer.clone(), head: head.to_ascii_lowercase() };
    asked.lock().expect("asked").push(request);
    let answer = answers.lock().expect("answers").get(&path).cloned();
    let bytes = match answer {
        None => status(404, "", "{}"),
        Some(Answer::Bytes(bytes)) => bytes,
        Some(Answer::ByToken(answers)) => answers
            .into_iter()
            .find(|(token, _)| Some(*token) == bearer.as_deref())
            .map_or_else(|| status(401, "", "{}"), |(_, bytes)| bytes),
        Some(Answer::Hang(bytes)) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.flush().await;
            // Until the client hangs up.
            let _ = stream.read_u8().await;
            return;
        }
    };
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
}

/// An answer with a body and its right length; `headers` are whole lines, each with its line end.
pub fn status(code: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {code} X\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// A redirect.
pub fn redirect(code: u16, to: &str) -> Answer {
    Answer::Bytes(status(code, &format!("location: {to}\r\n"), ""))
}

/// 200 with this body.
pub fn ok(body: &str) -> Answer {
    Answer::Bytes(status(200, "content-type: application/vnd.api+json\r\n", body))
}
