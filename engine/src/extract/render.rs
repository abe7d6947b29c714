//! The canonical bytes of an entity and their digest.
//!
//! Must never depend on map order or on features of other crates: equal entities have equal bytes on every machine.

use sha2::{Digest, Sha256};
use terrasift_schemas::{
    EntityRef,
    catalog::{Entity, RenderedEntity},
};

use super::naming::dns_label;
use crate::refusal::{Refusal, RefusalKind};

/// Annotation that carries the Terraform resource type, and fills the store's plain column.
pub(super) const RESOURCE_TYPE_ANNOTATION: &str = "terraform.io/resource-type";

/// Largest rendered entity, bytes: Backstage stores and ships each as one row and one message.
pub const ENTITY_BYTES_MAX: usize = 64 * 1024;

/// Renders compact JSON with sorted members and its SHA-256.
///
/// # Errors
/// [`RefusalKind::TooLarge`] above [`ENTITY_BYTES_MAX`]; [`RefusalKind::Undecidable`] when the name or namespace make
/// no reference.
pub fn render(entity: &Entity) -> Result<RenderedEntity, Refusal> {
    let undecidable = |detail| Refusal { kind: RefusalKind::Undecidable, offset: 0, detail };
    let mut sorted = entity.clone();
    for value in sorted.spec.values_mut() {
        value.sort_all_objects();
    }
    let body = serde_json::to_vec(&sorted)
        .map_err(|_| undecidable("an entity does not serialize; report this as a fault of terrasift"))?;
    if body.len() > ENTITY_BYTES_MAX {
        return Err(Refusal {
            kind: RefusalKind::TooLarge,
            offset: 0,
            detail: "an entity is above 64 KiB; shorten its tags, variables or description",
        });
    }
    let meta = &entity.metadata;
    if !dns_label(&meta.namespace) {
        return Err(undecidable(
            "the tenant's slug makes no backstage namespace; choose one without double hyphens",
        ));
    }
    let text = format!("{}:{}/{}", entity.kind, meta.namespace, meta.name).to_ascii_lowercase();
    let entity_ref = EntityRef::parse(&text).map_err(|_| {
        undecidable("an entity's name makes no reference; report this as a fault of terrasift")
    })?;
    Ok(RenderedEntity {
        entity_ref,
        kind: entity.kind.clone(),
        resource_type: meta.annotations.get(RESOURCE_TYPE_ANNOTATION).cloned(),
        digest: Sha256::digest(&body).into(),
        body,
    })
}
