//! Secrets by reference: where they stand, how they are read, and each of them as it is now.
//!
//! Four sources: `env:`, `file:`, `gcp-secret-manager:` and `vault:`. Must never print, log, serialise or compare a value where
//! somebody could see the outcome, nor repeat a text that is no reference: it may be a secret that somebody pasted.

mod book;
mod current;
mod error;
mod google;
mod local;
mod reference;
mod sources;
mod transport;
mod value;
mod vault;

pub use book::{Declared, Happened, SecretBook, Seen, Taken, Unread};
pub use current::CurrentSecret;
pub use error::{SecretError, SecretErrorKind};
pub use google::GoogleConfig;
pub use local::resolve;
pub use reference::{GoogleName, SecretRef, VaultName};
pub use sources::{Sources, SourcesConfig};
pub use value::{SECRET_BYTES_MAX, Secret};
pub use vault::{KvVersion, VaultConfig, VaultLogin};
