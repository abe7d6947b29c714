//! The one place that may call `Sanitized::seal` (a clippy ban and the architecture test hold that).
//!
//! Must never be called before the last sweep over the entity.

use terrasift_schemas::{Sanitized, catalog::RenderedEntity};

/// Seals an entity that passed every rule and the last sweep.
#[allow(clippy::disallowed_methods, reason = "this is the one place")]
pub(crate) fn seal(entity: RenderedEntity) -> Sanitized<RenderedEntity> {
    Sanitized::seal(entity)
}
