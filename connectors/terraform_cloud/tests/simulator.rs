//! The client against the Terraform Cloud simulator, which is written from the documentation without our types.

use std::collections::BTreeSet;
use std::time::Duration;

use terrasift_load_tests::simulator::{Simulator, SimulatorConfig};
use terrasift_schemas::{OrganizationName, WorkspaceId};
use terrasift_secrets::Secret;
use terrasift_terraform_cloud::{Client, ClientConfig, FailureKind, StateFacts, TfcError};

async fn start(change: impl FnOnce(&mut SimulatorConfig)) -> Simulator {
    let mut config = SimulatorConfig::demo(1, 120, 7);
    config.requests_per_second = 1000;
    change(&mut config);
    Simulator::start(config).await.expect("simulator")
}

fn client(simulator: &Simulator, tokens: &[&str]) -> Client {
    let tokens = tokens.iter().map(|token| Secret::new((*token).to_owned())).collect();
    let mut config = ClientConfig::new(simulator.api_origin().parse().expect("address"), tokens);
    config.allow_http = true;
    config.allow_private_downloads = true;
    Client::new(config).expect("client")
}

fn organization(simulator: &Simulator) -> (OrganizationName, String) {
    let organization = simulator.organizations().into_iter().next().expect("an organization");
    (OrganizationName::parse(&organization.name).expect("name"), organization.token)
}

async fn fetch(client: &Client, state: &StateFacts) -> Result<Vec<u8>, TfcError> {
    let url = state.download.as_ref().expect("a download URL");
    let mut download = client.download(url).await?;
    let mut bytes = Vec::new();
    while let Some(chunk) = download.next_chunk().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

#[tokio::test]
async fn an_organization_is_listed_read_and_downloaded() {
    let simulator = start(|config| config.without_totals = true).await;
    let (name, token) = organization(&simulator);
    let client = client(&simulator, &[&token]);
    assert_eq!(client.account_user().await, client.account_user().await);

    let (mut listed, mut page) = (Vec::new(), Some(1));
    while let Some(number) = page {
        let got = client.workspaces(&name, number).await.expect("page");
        listed.extend(got.workspaces);
        page = got.next_page;
    }
    let ids: BTreeSet<_> = listed.iter().map(|workspace| workspace.id.clone()).collect();
    assert_eq!((listed.len(), ids.len()), (120, 120));
    assert!(listed.iter().all(|workspace| workspace.state.is_some()), "each state's serial in the list");

    let first = &listed[0];
    let read = client.workspace(&first.id).await.expect("workspace");
    assert_eq!(
        (read.facts.name.as_str(), read.facts.organization.as_str()),
        (first.name.as_str(), name.as_str())
    );
    let state = read.state.expect("state");
    let bytes = fetch(&client, &state).await.expect("download");
    let document: serde_json::Value = serde_json::from_slice(&bytes).expect("a state");
    assert_eq!(document["serial"], state.serial);
    assert!(state.size.is_none_or(|size| usize::try_from(size) == Ok(bytes.len())));

    simulator.bump(first.id.as_str()).expect("bump");
    let bumped = client.workspace(&first.id).await.expect("workspace").state.expect("state");
    assert!(bumped.serial > state.serial && bumped.id != state.id);
    let gone = WorkspaceId::parse("ws-gone").expect("id");
    assert_eq!(client.workspace(&gone).await.err().map(|e| e.kind()), Some(FailureKind::NotFound));
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_wrong_primary_token_falls_back_to_the_next() {
    let simulator = start(|_| {}).await;
    let (name, token) = organization(&simulator);
    let client = client(&simulator, &["wrong", &token]);
    assert_eq!(client.workspaces(&name, 1).await.err().map(|e| e.kind()), Some(FailureKind::TokenRefused));
    assert!(client.workspaces(&name, 1).await.is_ok());
    simulator.shutdown().await;
}

#[tokio::test]
async fn an_expired_url_and_a_spent_budget_are_told_as_such() {
    let simulator = start(|config| {
        config.url_lifetime = Duration::ZERO;
        config.requests_per_second = 2;
    })
    .await;
    let (name, token) = organization(&simulator);
    let client = client(&simulator, &[&token]);
    let page = client.workspaces(&name, 1).await.expect("page");
    let read = client.workspace(&page.workspaces[0].id).await.expect("workspace");
    let refused = fetch(&client, &read.state.expect("state")).await;
    assert_eq!(refused.err().map(|e| e.kind()), Some(FailureKind::Expired));
    // On a machine that is slow enough, the second is over before the third request.
    let mut limited = None;
    for _ in 0..50 {
        limited = client.workspaces(&name, 1).await.err().map(|e| e.kind());
        if limited.is_some() {
            break;
        }
    }
    assert!(
        matches!(limited, Some(FailureKind::RateLimited(wait)) if wait <= Duration::from_secs(1)),
        "{limited:?}"
    );
    simulator.shutdown().await;
}
