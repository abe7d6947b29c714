//! Tokens as issuers make them, and as nobody should: real keys, signed by hand, so that every part of a token can be wrong alone.

#![allow(clippy::unwrap_used, reason = "tests stop at what should not be")]

mod accepted;
mod keys;
mod press;
mod refused;
