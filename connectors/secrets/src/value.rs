//! A secret value, and what none can be.
//!
//! Must never be printable.

use std::sync::Arc;

use zeroize::Zeroizing;

/// Most bytes a secret may have: room for an RSA-4096 key with its certificate chain, and no more. Secret Manager has the same bound.
pub const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// A secret value: wiped when its last clone is dropped, without `Debug`, `Display`, `Serialize` or equality.
#[derive(Clone)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Takes a value that is a secret from here on.
    #[must_use]
    pub fn new(value: String) -> Self {
        Self(Arc::new(Zeroizing::new(value)))
    }

    /// The value, for the one call that needs it. Must not be kept, logged or formatted.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// What is wrong with a value, whatever it came from.
pub(crate) fn check(value: &str) -> Result<(), &'static str> {
    if value.trim().is_empty() {
        return Err("the value is empty");
    }
    if u64::try_from(value.len()).map_or(true, |length| length > SECRET_BYTES_MAX) {
        return Err("the value is longer than 64 KiB");
    }
    if value.contains('\0') {
        return Err("the value contains a NUL byte");
    }
    Ok(())
}
