//! Bodies of the Backstage-facing feed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::EntityRef;

/// What happened to an entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// The entity is there, as in `entity`.
    Upsert,
    /// The entity is gone.
    Remove,
}

/// The newest change of one entity. An entity stands in a page at most once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Position in the tenant's feed; grows, with gaps.
    pub seq: i64,
    /// Upsert or remove.
    pub change: ChangeKind,
    /// Lower-case reference.
    pub entity_ref: EntityRef,
    /// The entity; absent on remove.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::catalog::Entity>")]
    pub entity: Option<serde_json::Value>,
}

/// A page of the feed or of a snapshot.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChangesPage {
    /// In order of `seq`.
    pub changes: Vec<Change>,
    /// Opaque; pass it as `cursor` to go on. Bound to tenant, feed epoch and filter.
    pub next_cursor: String,
    /// Whether more is there already; if false, long-poll with `wait`.
    pub has_more: bool,
}
