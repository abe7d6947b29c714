//! The key of the `hash` action. Must never be printed, compared with `==` or outlive its job.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroize;

/// 32 secret bytes, one a tenant: equal values hash equally within a tenant and cannot be linked across tenants.
pub struct HashKey([u8; 32]);

impl HashKey {
    /// Takes the key material.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// First eight bytes of HMAC-SHA-256(key, domain ‖ value): enough to tell values apart within a tenant, too
    /// few to serve as anything else.
    pub(super) fn digest(&self, value: &str) -> [u8; 8] {
        // INVARIANT: HMAC takes keys of every length, and 32 is a length.
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("a key of 32 bytes");
        mac.update(b"terrasift/hash-action/v1\0");
        mac.update(value.as_bytes());
        let full = mac.finalize().into_bytes();
        let mut out = [0; 8];
        out.copy_from_slice(&full[..8]);
        out
    }
}

impl Drop for HashKey {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}
