//! Numbers of rule sets: newer files get greater ones, replicas that lag keep theirs.

use std::collections::BTreeSet;

use crate::world::{World, applied_version, tenant};

pub async fn rule_sets_are_numbered_in_the_order_they_came(w: World) {
    let acme = tenant("acme");
    let number =
        async |digest: u8, version| w.store.activate_rules(&acme, [digest; 32], version).await.unwrap();
    assert_eq!(number(1, 1).await, 1);
    assert_eq!(number(1, 1).await, 1, "a restart changes nothing");
    assert_eq!(number(2, 2).await, 2);
    assert_eq!(number(1, 1).await, 1, "a replica with the older file keeps its number");
    assert_eq!(number(2, 2).await, 2);
    assert_eq!(number(3, 2).await, 3, "a change without a new version");
    assert_eq!(number(2, 2).await, 4, "and its undoing");
    assert_eq!(number(1, 9).await, 5, "an old content under a new version is new");
    assert_eq!(
        w.store.activate_rules(&tenant("globex"), [1; 32], 1).await.unwrap(),
        1,
        "each tenant counts for itself"
    );
    // At once, as replicas do: one number for one set.
    let all = futures_util::future::join_all((0..8).map(|_| number(7, 10))).await;
    assert_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 1);
    // A catalog from before rule sets had numbers.
    applied_version(&w, "globex", 1, 1_000_041).await;
    assert_eq!(w.store.activate_rules(&tenant("globex"), [2; 32], 1).await.unwrap(), 42);
}
