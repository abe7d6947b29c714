//! Who sends a signed token: JSON Web Tokens of the issuers that the configuration names, and the keys that they publish.
//!
//! Algorithm and key address never come from a token: its issuer chooses among what is configured for that issuer, and its key id among the
//! keys that this issuer published. Must never tell a caller why a token was refused, nor put a token into an error or a log.

mod claims;
mod issuer;
mod jwks;
mod keys;
mod verifier;

pub use issuer::{Algorithm, Issuer, IssuerKind, KeysAt, Trust};
pub use verifier::{Identity, Limits, Refused, Verifier};
