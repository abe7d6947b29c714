//! What is read out of a workspace's body, and which bodies are refused rather than guessed at.

use crate::server::{Server, ok};
use terrasift_schemas::WorkspaceId;
use terrasift_secrets::Secret;
use terrasift_terraform_cloud::{Client, ClientConfig, FailureKind, TfcError, WorkspaceRead};

async fn read(body: &str) -> Result<WorkspaceRead, TfcError> {
    let server = Server::start().await;
    server.on("/api/v2/workspaces/ws-1", ok(body));
    let mut config =
        ClientConfig::new(server.address.parse().expect("address"), vec![Secret::new("toxic-1".to_owned())]);
    config.allow_http = true;
    let client = Client::new(config).expect("client");
    let read = client.workspace(&WorkspaceId::parse("ws-1").expect("id")).await;
    assert_eq!(
        server.asked()[0].target,
        "/api/v2/workspaces/ws-1?include=current_state_version%2Cproject%2Cvars"
    );
    read
}

#[tokio::test]
async fn a_workspace_with_everything_is_read_in_one_request() {
    let body = r#"{"data":{"id":"ws-1","type":"workspaces","attributes":{
        "name":"web/prod","description":"the shop","terraform-version":"~> 1.9","locked":true,"auto-apply":true,
        "vcs-repo":{"identifier":"acme/web","branch":"main","repository-http-url":"https://github.com/acme/web"},
        "working-directory":"infra","tag-names":["team:web"],"updated-at":"2026-01-02T03:04:05Z","unheard-of":{}},
      "relationships":{"organization":{"data":{"id":"acme","type":"organizations"}},
        "project":{"data":{"id":"prj-1","type":"projects"}},
        "current-state-version":{"data":{"id":"sv-1","type":"state-versions"}},
        "vars":{"data":[{"id":"var-1","type":"vars"},{"id":"var-2","type":"vars"},{"id":"var-3","type":"vars"}]}},
      "links":{"self":"/api/v2/x","self-html":"/app/acme/workspaces/web"}},
     "included":[
      {"id":"prj-1","type":"projects","attributes":{"name":"Shop"}},
      {"id":"var-1","type":"vars","attributes":{"key":"region","value":"toxic","sensitive":false}},
      {"id":"var-2","type":"vars","attributes":{"key":"password","value":null,"sensitive":true}},
      {"id":"var-3","type":"vars","attributes":{"key":"unclear"}},
      {"id":"var-9","type":"vars","attributes":{"key":"of another"}},
      {"id":"sv-1","type":"state-versions","attributes":{"serial":42,"size":940,"status":"finalized",
        "terraform-version":"1.9.0","hosted-state-download-url":"https://archivist.example/toxic"},
       "relationships":{"run":{"data":{"id":"run-1","type":"runs"}}}}]}"#;
    let WorkspaceRead { facts, state } = read(body).await.expect("read");
    assert_eq!(facts.name, "web/prod");
    assert_eq!(facts.description.as_deref(), Some("the shop"));
    assert_eq!(facts.organization, "acme");
    assert_eq!(facts.terraform_version.as_deref(), Some("~> 1.9"));
    assert!(facts.locked && facts.auto_apply);
    assert_eq!(facts.vcs_repository.as_deref(), Some("acme/web"));
    assert_eq!(facts.vcs_branch.as_deref(), Some("main"));
    assert_eq!(facts.vcs_url.as_deref(), Some("https://github.com/acme/web"));
    assert_eq!(facts.working_directory.as_deref(), Some("infra"));
    assert_eq!(facts.tags, ["team:web"]);
    assert_eq!(facts.project.as_deref(), Some("Shop"));
    assert_eq!(facts.updated_at.as_deref(), Some("2026-01-02T03:04:05Z"));
    assert!(facts.html_url.is_some_and(|url| url.ends_with("/app/acme/workspaces/web")));
    let variables = [("region", false), ("password", true), ("unclear", true)];
    assert_eq!(facts.variables, variables.map(|(key, sensitive)| (key.to_owned(), sensitive)));
    let state = state.expect("state");
    assert_eq!((state.id.as_str(), state.serial, state.size), ("sv-1", 42, Some(940)));
    assert_eq!(state.status.as_deref(), Some("finalized"));
    assert_eq!(state.terraform_version.as_deref(), Some("1.9.0"));
    assert_eq!(state.run.map(|run| run.to_string()).as_deref(), Some("run-1"));
    assert!(state.download.is_some());
}

#[tokio::test]
async fn nulls_everywhere_are_fine() {
    let body = r#"{"data":{"id":"ws-1","attributes":{"name":"a b","description":null,"terraform-version":null,"locked":null,
        "auto-apply":null,"vcs-repo":null,"working-directory":null,"tag-names":null,"updated-at":null},
      "relationships":{"organization":{"data":{"id":"acme"}},"project":null,"current-state-version":{"data":null},"vars":null},
      "links":null},"included":null,"meta":null}"#;
    let WorkspaceRead { facts, state } = read(body).await.expect("read");
    assert!(state.is_none());
    assert!(facts.html_url.is_some_and(|url| url.ends_with("/app/acme/workspaces/a%20b")));
    assert!(facts.tags.is_empty() && facts.variables.is_empty() && !facts.locked);
}

#[tokio::test]
async fn what_does_not_tell_the_state_is_refused_and_never_read_as_none() {
    let with = |id: &str, relationships: &str, included: &str| {
        format!(
            r#"{{"data":{{"id":"{id}","attributes":{{"name":"n"}},"relationships":{relationships}}},"included":[{included}]}}"#
        )
    };
    let current = r#"{"current-state-version":{"data":{"id":"sv-1"}}}"#;
    let version =
        |attributes: &str| format!(r#"{{"id":"sv-1","type":"state-versions","attributes":{attributes}}}"#);
    let odd_run = r#"{"id":"sv-1","type":"state-versions","attributes":{"serial":1},
        "relationships":{"run":{"data":{"id":"!"}}}}"#;
    let cases: Vec<(&str, String, bool)> = vec![
        ("serial 0", with("ws-1", current, &version(r#"{"serial":0}"#)), true),
        ("a run id of another kind", with("ws-1", current, odd_run), true),
        ("none", with("ws-1", r#"{"current-state-version":{"data":null}}"#, ""), true),
        ("no relationships", with("ws-1", "null", ""), false),
        ("no such relationship", with("ws-1", "{}", &version(r#"{"serial":1}"#)), false),
        ("a null relationship", with("ws-1", r#"{"current-state-version":null}"#, ""), false),
        ("not included", with("ws-1", current, ""), false),
        ("no serial", with("ws-1", current, &version("{}")), false),
        ("null serial", with("ws-1", current, &version(r#"{"serial":null}"#)), false),
        ("negative serial", with("ws-1", current, &version(r#"{"serial":-1}"#)), false),
        ("text serial", with("ws-1", current, &version(r#"{"serial":"1"}"#)), false),
        ("no attributes", with("ws-1", current, r#"{"id":"sv-1","type":"state-versions"}"#), false),
        ("another workspace", with("ws-2", r#"{"current-state-version":{"data":null}}"#, ""), false),
    ];
    for (case, body, good) in cases {
        match read(&body).await {
            Ok(_) => assert!(good, "{case}"),
            Err(error) => {
                assert!(!good, "{case}");
                assert_eq!(error.kind(), FailureKind::BadBody, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn the_documented_samples_are_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/corpus/tfc/docs");
    let sample = |name: &str| std::fs::read_to_string(format!("{folder}/{name}")).ok();
    let (Some(workspace), Some(version)) = (
        sample("workspaces__create-a-workspace__sample-response.json"),
        sample("state-versions__fetch-the-current-state-version-for-a-workspace__sample-response.json"),
    ) else {
        return; // the corpus is not part of the repository
    };
    let mut document: serde_json::Value = serde_json::from_str(&workspace).expect("sample");
    let version: serde_json::Value = serde_json::from_str(&version).expect("sample");
    document["data"]["id"] = "ws-1".into();
    document["data"]["relationships"]["current-state-version"]["data"]["id"] = version["data"]["id"].clone();
    document["included"] = serde_json::json!([version["data"]]);
    let WorkspaceRead { facts, state } = read(&document.to_string()).await.expect("read");
    let state = state.expect("state");
    assert_eq!(
        (facts.name.as_str(), facts.organization.as_str()),
        ("workspace-in-project", "my-organization")
    );
    assert_eq!((state.serial, state.size, state.download.is_some()), (9, Some(940), true));
    assert_eq!(state.run.map(|run| run.to_string()).as_deref(), Some("run-YfmFLWpgTv31VZsP"));
}
