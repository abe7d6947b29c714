//! After the first sync: the simulated world keeps changing, and each change is a line once it stands in the feed.

use std::collections::{HashMap, HashSet};
use std::io::IsTerminal;
use std::time::Duration;

use anyhow::Context;
use serde_json::json;
use terrasift_load_tests::simulator::{Fault, FaultKind, WorkspaceInfo};
use terrasift_schemas::event::{STATE_UPDATED_TOPIC, STATE_UPDATED_TYPE};
use tokio::sync::broadcast::error::RecvError;

use super::DemoArguments;
use super::sync::{Arrived, Watched};
use super::world::World;

/// Changes the world until it is dropped.
pub async fn run(world: &World, mut watched: Watched, arguments: &DemoArguments) -> anyhow::Result<()> {
    hints(world);
    let names: HashMap<String, String> = world
        .workspaces
        .iter()
        .map(|it| (it.id.clone(), format!("{}/{}", it.organization, it.name)))
        .collect();
    let mut registered = HashSet::new();
    if arguments.dead_letters {
        for workspace in first_of_each(&world.workspaces) {
            let target = Some(workspace.id.clone());
            world.simulator.inject(Fault { kind: FaultKind::DownloadGarbage, target, times: u32::MAX });
            change(world, workspace, &mut registered).await?;
        }
    }
    let mut changes = tokio::time::interval(Duration::from_secs_f64(arguments.change_every));
    let mut turn = 0;
    loop {
        tokio::select! {
            _ = changes.tick() => {
                // A stride that is no divisor of usual counts visits tenants and workspaces in a mixed order.
                turn += 7919;
                if let Some(workspace) = world.workspaces.get(turn % world.workspaces.len().max(1))
                    && let Err(error) = change(world, workspace, &mut registered).await
                {
                    tracing::warn!(error = %error, "the simulated world could not change");
                }
            }
            report = watched.reports.recv() => match report {
                Ok(sync) => {
                    if let Some(arrived) = watched.report(&sync) {
                        tell(&names, &arrived);
                    }
                }
                Err(RecvError::Lagged(_)) => (),
                Err(RecvError::Closed) => anyhow::bail!("the engine stopped: see the log"),
            },
            seen = watched.followers.seen.recv() => match seen {
                Some(seen) => {
                    let counts = format!("+{} -{}", seen.upserts, seen.removals);
                    for arrived in watched.sight(seen) {
                        tell(&names, &arrived);
                        tracing::debug!(counts, "a page of the feed");
                    }
                }
                None => anyhow::bail!("the feed's followers stopped"),
            },
        }
    }
}

/// The first workspace of each organization.
fn first_of_each(workspaces: &[WorkspaceInfo]) -> impl Iterator<Item = &WorkspaceInfo> {
    let mut known = HashSet::new();
    workspaces.iter().filter(move |it| known.insert(it.organization.as_str()))
}

/// Applies a changed state and lets the simulator send its signed notification.
async fn change(
    world: &World,
    workspace: &WorkspaceInfo,
    registered: &mut HashSet<String>,
) -> anyhow::Result<()> {
    if registered.insert(workspace.id.clone()) {
        register(world, workspace).await?;
    }
    let Ok(bumped) = world.simulator.bump(&workspace.id) else { return Ok(()) };
    world
        .simulator
        .send_notification(&workspace.id, Some(&bumped.run_id), "run:completed", "applied")
        .await?;
    Ok(())
}

/// Registers the webhook with the simulator, as a platform engineer would with Terraform Cloud; it answers with the
/// verification ping first.
async fn register(world: &World, workspace: &WorkspaceInfo) -> anyhow::Result<()> {
    let tenant = world.tenant_of(&workspace.organization).context("an organization without tenant")?;
    let url = format!(
        "{}/api/v2/workspaces/{}/notification-configurations",
        world.simulator.api_origin(),
        workspace.id
    );
    let body = json!({ "data": { "type": "notification-configuration", "attributes": {
        "destination-type": "generic",
        "enabled": true,
        "name": "terrasift",
        "token": tenant.webhook_secret.expose(),
        "url": webhook_url(world, tenant.id.as_str()),
        "triggers": ["run:completed"],
    } } });
    let request = world.http.post(url).bearer_auth(&tenant.terraform_token).json(&body);
    request.send().await?.error_for_status().context("the webhook could not be registered")?;
    Ok(())
}

fn webhook_url(world: &World, slug: &str) -> String {
    format!("{}/v1/webhooks/terraform-cloud/{slug}", world.origin)
}

fn tell(names: &HashMap<String, String>, arrived: &Arrived) {
    let name = names.get(&arrived.workspace).map_or(arrived.workspace.as_str(), String::as_str);
    say(&format!("{name} changed: in the feed after {} ms", arrived.latency.as_millis()));
}

/// Three things to try next.
fn hints(world: &World) {
    let (Some(tenant), Some(workspace)) = (world.tenants.first(), world.workspaces.first()) else { return };
    let (bold, plain) = if std::io::stdout().is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    let event = json!({ "tenant": tenant.id, "workspace": workspace.id, "time": "2026-01-01T00:00:00Z", "priority": "high" });
    let notification = json!({
        "payload_version": 1, "notification_configuration_id": "nc-try", "run_id": "run-try",
        "run_url": null, "run_message": null, "run_created_at": null, "run_created_by": null,
        "workspace_id": workspace.id, "workspace_name": workspace.name, "organization_name": workspace.organization,
        "notifications": [{ "message": "Applied", "trigger": "run:completed", "run_status": "applied",
            "run_updated_at": "2026-01-01T00:00:00Z", "run_updated_by": null }],
    });
    say(&format!(
        "\n{bold}Watch the feed{plain} of tenant {id}, as Backstage does:\n  curl -s -H 'Authorization: Bearer {key}' '{origin}/v1/changes?limit=3'\n\n\
         {bold}Push an event{plain} with any Kafka client:\n  echo '{event}' | kcat -P -b {kafka} -t {STATE_UPDATED_TOPIC} -k {id}/{workspace} \\\n    \
         -H ce_specversion=1.0 -H ce_id=try-1 -H ce_source=/me -H ce_type={STATE_UPDATED_TYPE}\n\n\
         {bold}Send a signed webhook{plain}, as Terraform Cloud does:\n  BODY='{notification}'\n  \
         SIGNATURE=$(printf %s \"$BODY\" | openssl dgst -sha512 -hmac '{secret}' -r | cut -d' ' -f1)\n  \
         curl -i -H \"X-TFE-Notification-Signature: $SIGNATURE\" -d \"$BODY\" {webhook}\n\n\
         Readiness {origin}/readyz · metrics {origin}/metrics · log {log}\nThe world keeps changing; Ctrl-C stops it.\n",
        id = tenant.id,
        key = tenant.api_key.expose(),
        origin = world.origin,
        kafka = world.kafka.bootstrap,
        workspace = workspace.id,
        secret = tenant.webhook_secret.expose(),
        webhook = webhook_url(world, tenant.id.as_str()),
        log = world.log.display(),
    ));
}

/// Says a line on standard output.
#[expect(clippy::print_stdout, reason = "the command line's own voice")]
pub fn say(line: &str) {
    println!("{line}");
}
