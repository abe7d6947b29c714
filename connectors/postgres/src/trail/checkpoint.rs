//! Signed checkpoints: how far a chain went and what its hash was there, signed with Ed25519 (RFC 8032).
//!
//! What is only in the database can be written anew by whoever owns it; a signature cannot. Must never show or store the signing key.

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use time::OffsetDateTime;

use super::{Chain, micros, to_the_microsecond};
use crate::{StoreError, StoreErrorKind};

/// Begins what is signed: what it is, and which version of it.
const CHECKPOINT_V1: &[u8] = b"terrasift-security-checkpoint\x01";

/// The end of a chain at some time.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Checkpoint {
    /// Whose chain.
    pub segment: String,
    /// Its last record then.
    pub number: i64,
    /// When it was signed.
    pub at: OffsetDateTime,
    /// That record's hash.
    pub hash: Vec<u8>,
    /// Nothing comes after it: the process ended as it should.
    pub closes: bool,
    /// Ed25519 over all of the above.
    pub signature: Vec<u8>,
}

impl Checkpoint {
    /// What is signed, version 1: the prefix, number and microseconds since 1970 as 8 bytes, big-endian, 1 or 0 for the end, the hash,
    /// and the segment.
    fn bytes(&self) -> Vec<u8> {
        let mut out = CHECKPOINT_V1.to_vec();
        out.extend(self.number.to_be_bytes());
        out.extend(micros(self.at).to_be_bytes());
        out.push(u8::from(self.closes));
        out.extend(&self.hash);
        out.extend(self.segment.as_bytes());
        out
    }
}

/// Signs. No Debug: it holds the key.
pub struct CheckpointSigner {
    pair: Ed25519KeyPair,
}

impl CheckpointSigner {
    /// Takes the 32 secret bytes of a key.
    ///
    /// # Errors
    /// `Invalid` when they are no key.
    pub fn new(seed: &[u8; 32]) -> Result<Self, StoreError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| {
            StoreError::new(StoreErrorKind::Invalid, "the key that signs the audit is not 32 bytes")
        })?;
        Ok(Self { pair })
    }

    /// Who signs, for those who check.
    #[must_use]
    pub fn public(&self) -> CheckpointKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.pair.public_key().as_ref());
        CheckpointKey(key)
    }

    /// Signs the end of a chain.
    #[must_use]
    pub fn sign(&self, chain: &Chain, at: OffsetDateTime, closes: bool) -> Checkpoint {
        let mut checkpoint = Checkpoint {
            segment: chain.segment.clone(),
            number: chain.number,
            at: to_the_microsecond(at),
            hash: chain.head.to_vec(),
            closes,
            signature: Vec::new(),
        };
        checkpoint.signature = self.pair.sign(&checkpoint.bytes()).as_ref().to_vec();
        checkpoint
    }
}

/// The public half of a signing key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckpointKey(pub [u8; 32]);

impl CheckpointKey {
    /// Whether it signed this.
    #[must_use]
    pub fn signed(&self, checkpoint: &Checkpoint) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(&checkpoint.bytes(), &checkpoint.signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_checkpoint_and_its_key_only() {
        let signer = CheckpointSigner::new(&[1; 32]).unwrap();
        let good = signer.sign(&Chain::new([2; 16]), OffsetDateTime::UNIX_EPOCH, false);
        assert!(signer.public().signed(&good));
        assert!(!CheckpointSigner::new(&[2; 32]).unwrap().public().signed(&good));
        let changes: [fn(&mut Checkpoint); 6] = [
            |c| c.segment = "03".repeat(16),
            |c| c.number += 1,
            |c| c.at += time::Duration::MICROSECOND,
            |c| c.hash[0] ^= 1,
            |c| c.closes = true,
            |c| c.signature[63] ^= 1,
        ];
        for change in changes {
            let mut forged = good.clone();
            change(&mut forged);
            assert!(!signer.public().signed(&forged), "{forged:?}");
        }
    }

    /// RFC 8032, 7.1, test 1: the public key of a published secret one.
    #[test]
    fn the_public_key_is_that_of_the_standard() {
        let seed = [
            0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
            0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
        ];
        let public = CheckpointSigner::new(&seed).unwrap().public().0;
        assert_eq!(public[..4], [0xd7, 0x5a, 0x98, 0x01]);
        assert_eq!(public[28..], [0xf7, 0x07, 0x51, 0x1a]);
    }
}
