//! Owns what the simulator's tests share: a started simulator, requests with its token, a webhook receiver that remembers.
//! It must never assert anything about Terraform Cloud.

#![allow(dead_code, reason = "each test target uses its part")]

use axum::Router;
use axum::http::HeaderMap;
use bytes::Bytes;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use terrasift_load_tests::generator::{StateSize, StateSpec};
use terrasift_load_tests::simulator::{
    OrganizationSpec, Simulator, SimulatorConfig, StateSource, WorkspaceSpec,
};

pub struct World {
    pub simulator: Simulator,
    pub http: reqwest::Client,
    pub token: String,
    pub user: String,
}

/// Two organizations of different users; the first with `count` small workspaces.
pub fn config(count: usize) -> SimulatorConfig {
    let workspace = |at: usize| WorkspaceSpec {
        name: format!("workspace-{at}"),
        state: Some(StateSource::Generated(StateSpec::new(
            u64::try_from(at).unwrap(),
            StateSize::Bytes(20_000),
        ))),
        repository: at.is_multiple_of(2).then(|| ("acme/network".to_owned(), "main".to_owned())),
        tags: vec!["prod".to_owned()],
    };
    let organization = |name: &str, count: usize| OrganizationSpec {
        name: name.to_owned(),
        workspaces: (0..count).map(workspace).collect(),
        token: format!("token-of-{name}"),
        user: format!("{name}-engine"),
    };
    SimulatorConfig {
        requests_per_second: 1_000,
        ..SimulatorConfig::new(5, vec![organization("acme", count), organization("other", 1)])
    }
}

pub async fn start(config: SimulatorConfig) -> World {
    let simulator = Simulator::start(config).await.unwrap();
    let first = simulator.organizations().remove(0);
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
    World { simulator, http, token: first.token, user: first.user }
}

impl World {
    pub async fn get(&self, path: &str) -> (u16, Value) {
        let url = format!("{}/api/v2/{path}", self.simulator.api_origin());
        let response = self.http.get(url).bearer_auth(&self.token).send().await.unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null))
    }

    pub async fn send(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/api/v2/{path}", self.simulator.api_origin());
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = self.http.request(method, url).bearer_auth(&self.token);
        let response = request
            .header("content-type", "application/vnd.api+json")
            .body(body.to_string())
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        (status, serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null))
    }

    /// Id of the n-th workspace.
    pub fn workspace(&self, at: usize) -> String {
        self.simulator.workspaces()[at].id.clone()
    }

    pub async fn download_url(&self, workspace: &str) -> String {
        let (_, body) = self.get(&format!("workspaces/{workspace}/current-state-version")).await;
        body["data"]["attributes"]["hosted-state-download-url"].as_str().unwrap().to_owned()
    }
}

/// A webhook receiver on a free port: answers `status`, keeps what came.
pub struct Receiver {
    pub url: String,
    got: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
}

impl Receiver {
    pub async fn start(status: u16) -> Self {
        let got = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&got);
        let routes = Router::new().fallback(move |headers: HeaderMap, body: Bytes| async move {
            seen.lock().unwrap().push((headers, body));
            axum::http::StatusCode::from_u16(status).unwrap()
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, got }
    }

    pub fn take(&self) -> Vec<(HeaderMap, Bytes)> {
        std::mem::take(&mut *self.got.lock().unwrap())
    }
}
