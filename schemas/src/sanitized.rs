//! `Sanitized<T>`: the type that says "the engine let this through".
//!
//! Lives here so that ports can demand it. It can be made in one module of the engine only: `clippy.toml` bans
//! [`Sanitized::seal`] everywhere else, and the architecture test greps for it.

use serde::de::DeserializeOwned;
use serde::{Serialize, Serializer};

/// A value that went through the sanitizer. Only what is wrapped in it may leave the process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sanitized<T>(T);

impl<T> Sanitized<T> {
    /// Seals a value that the sanitizer has produced. Banned outside `engine/src/seal.rs`.
    #[must_use]
    pub fn seal(value: T) -> Self {
        Self(value)
    }

    /// Looks at the value.
    #[must_use]
    pub fn get(&self) -> &T {
        &self.0
    }

    /// Takes the value out, at the process boundary.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: Serialize> Serialize for Sanitized<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// What was read from the catalog, into which only what is [`Sanitized`] is written: it may be kept elsewhere for a while. Implemented beside
/// the catalog only: the architecture test greps for it.
pub trait FromCatalog: Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: FromCatalog> FromCatalog for Vec<T> {}
