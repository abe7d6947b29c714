//! A server on loopback that remembers what it was asked and answers as it is told to.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::net::TcpListener;
use url::Url;

/// A request as it came.
#[derive(Clone)]
pub struct Asked {
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Asked {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What is answered.
pub enum Answer {
    Json(u16, Value),
    Bytes(u16, Vec<u8>),
    Moved(String),
    Never,
}

pub struct Server {
    pub address: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
}

type Handler = Arc<dyn Fn(&Asked) -> Answer + Send + Sync>;

impl Server {
    pub async fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let (asked, router) = router(Arc::new(answer));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, asked }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

/// The same behind TLS is made of this.
pub fn router(answer: Handler) -> (Arc<Mutex<Vec<Asked>>>, Router) {
    let asked = Arc::<Mutex<Vec<Asked>>>::default();
    let seen = Arc::clone(&asked);
    let handle = move |request: Request<Body>| {
        let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
        async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, 1 << 20).await.unwrap();
            let asked = Asked {
                method: parts.method,
                path: parts.uri.path().to_owned(),
                headers: parts.headers,
                body: serde_json::from_slice(&body).unwrap_or_default(),
            };
            seen.lock().unwrap().push(asked.clone());
            respond(answer(&asked)).await
        }
    };
    (asked, Router::new().fallback(handle))
}

async fn respond(answer: Answer) -> Response {
    let status = |code| StatusCode::from_u16(code).unwrap();
    match answer {
        Answer::Json(code, json) => (status(code), axum::Json(json)).into_response(),
        Answer::Bytes(code, bytes) => (status(code), bytes).into_response(),
        Answer::Moved(to) => (StatusCode::TEMPORARY_REDIRECT, [("location", to)]).into_response(),
        Answer::Never => std::future::pending().await,
    }
}
