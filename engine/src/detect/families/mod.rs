//! The built-in families of tokens: one row a family, with the page that documents its format.
//!
//! Data only. Rows hold formats, never examples: examples are assembled from the format when tests run.

mod ai;
mod cloud;
mod code;
mod data;
mod delivery;
mod money;
mod secrets;
mod talk;
mod watch;

use terrasift_schemas::detection::Category;

/// What must hold beside the format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Proof {
    /// The prefix is unmistakable: nothing more is asked, and a failed checksum would not acquit it.
    Prefix,
    /// The prefix is weak: the secret part must look drawn.
    Drawn,
}

/// One family of tokens.
pub(super) struct Family {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) category: Category,
    /// Formats in the notation of `shape.rs`.
    pub(super) shapes: &'static [&'static str],
    pub(super) proof: Proof,
    pub(super) secret: bool,
    /// Where the format is documented.
    pub(super) source: &'static str,
}

const fn token(
    id: &'static str,
    name: &'static str,
    shapes: &'static [&'static str],
    source: &'static str,
) -> Family {
    Family { id, name, category: Category::Credential, shapes, proof: Proof::Prefix, secret: true, source }
}

const fn weak(
    id: &'static str,
    name: &'static str,
    shapes: &'static [&'static str],
    source: &'static str,
) -> Family {
    Family { id, name, category: Category::Credential, shapes, proof: Proof::Drawn, secret: true, source }
}

/// All families, in the order that gives them their index.
pub(super) fn all() -> impl Iterator<Item = &'static Family> {
    [
        ai::ROWS,
        cloud::ROWS,
        code::ROWS,
        data::ROWS,
        delivery::ROWS,
        money::ROWS,
        secrets::ROWS,
        talk::ROWS,
        watch::ROWS,
    ]
    .into_iter()
    .flatten()
}
