//! What upstream no longer shows: found by the reconciler, confirmed by the owner, and only then removed (invariant 9).

use std::time::Duration;

use terrasift_actors::SyncEnd;

use super::world::World;

pub const TENANTS: &[&str] = &["shrinking", "emptied"];
pub const RECONCILE_EVERY: Duration = Duration::from_secs(1);

pub async fn a_workspace_that_is_gone_is_removed_when_that_is_confirmed(world: &World) {
    let mut scene = world.scene("shrinking").await;
    let (gone, stays) = (scene.workspaces[0].clone(), scene.workspaces[1].clone());
    let tenant = scene.tenant.clone();
    let known = |workspace| world.store.known_digests(&tenant, workspace);
    let kept = known(&stays).await.expect("digests");
    let removed = known(&gone).await.expect("digests");
    assert!(!removed.is_empty() && !kept.is_empty());
    let head = scene.head().await;
    world.simulator.remove_workspace(gone.as_str()).expect("removed");
    let end = scene.next_end_that(&gone, |end| end == SyncEnd::Suspected).await;
    assert_eq!((end, scene.head().await), (SyncEnd::Suspected, head), "one answer removes nothing");
    scene.next_end_that(&gone, |end| end == SyncEnd::Removed).await;
    let tombstones = scene.changes_after(head).await;
    assert_eq!(tombstones.len(), removed.len());
    assert!(tombstones.iter().all(|change| change.deleted && change.body.is_none()));
    assert_eq!(known(&stays).await.expect("digests"), kept, "its neighbour stays as it is");
}

pub async fn an_organization_that_shows_nothing_removes_nothing(world: &World) {
    let scene = world.scene("emptied").await;
    for workspace in &scene.workspaces {
        world.simulator.remove_workspace(workspace.as_str()).expect("removed");
    }
    let (head, asked) = (scene.head().await, world.simulator.request_count("user-emptied"));
    scene
        .until("the reconciler has listed nothing several times", async |_| {
            world.simulator.request_count("user-emptied") >= asked + 4
        })
        .await;
    assert_eq!(scene.head().await, head);
    for workspace in &scene.workspaces {
        assert!(!world.store.known_digests(&scene.tenant, workspace).await.expect("digests").is_empty());
    }
}
