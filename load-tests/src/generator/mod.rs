//! Owns the seeded generator of Terraform states (format version 4): any size in constant memory, the same bytes for the same
//! specification, and a record of every secret in them. It must never depend on Terrasift's engine or rules.

mod blocks;
mod canary;
mod carriers;
mod catalogue;
pub(crate) mod dice;
mod ordinary;
mod outputs;
mod page;
mod resource;
mod scene;
mod secrets;
mod stream;
mod template;
mod text;
mod texts;

pub use canary::{Canary, Category};
pub use secrets::checksums;
pub use stream::{StateStream, StateSummary};
pub use text::Layout;

pub(crate) use dice::{BASE62, Dice, mix};
use std::io::{self, Write};

/// How big a state shall be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateSize {
    /// Exactly this many resources in generation 0; later generations add and remove some.
    Resources(u32),
    /// This many bytes, to within a few hundred (at least about 6 KB with canaries).
    Bytes(u64),
}

/// How many secrets are planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CanaryDensity {
    /// Resources with planted secrets in a hundred; 0 plants nothing at all, not even in outputs.
    pub per_hundred: u32,
}

impl CanaryDensity {
    /// No secret, no private address.
    pub const NONE: Self = Self { per_hundred: 0 };
    /// One resource in four holds secrets.
    pub const USUAL: Self = Self { per_hundred: 25 };
}

/// Everything that a state's bytes depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateSpec {
    /// Seed of everything below.
    pub seed: u64,
    /// Wanted size.
    pub size: StateSize,
    /// `serial` of the document.
    pub serial: u64,
    /// `lineage`; drawn from the seed when `None`.
    pub lineage: Option<String>,
    /// `terraform_version` of the document.
    pub terraform_version: String,
    /// How often the state has been changed since it was made: one sixteenth of the resources differ from generation to generation.
    pub generation: u32,
    /// How many secrets.
    pub canaries: CanaryDensity,
    /// Indented or not.
    pub layout: Layout,
}

impl StateSpec {
    /// A first state: serial 1, generation 0, the usual canaries, indented.
    #[must_use]
    pub fn new(seed: u64, size: StateSize) -> Self {
        Self {
            seed,
            size,
            serial: 1,
            lineage: None,
            terraform_version: "1.13.4".to_owned(),
            generation: 0,
            canaries: CanaryDensity::USUAL,
            layout: Layout::Pretty,
        }
    }

    /// The lineage that the document carries.
    #[must_use]
    pub fn lineage(&self) -> String {
        self.lineage.clone().unwrap_or_else(|| {
            let mut dice = Dice::new(self.seed, stream::domain::LINEAGE, 0, 0);
            String::from_utf8_lossy(&dice.uuid()).into_owned()
        })
    }
}

/// Writes the whole document and appends what was planted to `canaries`.
///
/// # Errors
/// Whatever `out` answers.
pub fn generate(
    spec: &StateSpec,
    out: &mut impl Write,
    canaries: &mut Vec<Canary>,
) -> io::Result<StateSummary> {
    let mut stream = StateStream::new(spec.clone()).recording();
    while let Some(chunk) = stream.next() {
        out.write_all(&chunk)?;
        canaries.append(&mut stream.take_canaries());
    }
    Ok(stream.summary())
}

/// What the document comes to, without keeping it.
#[must_use]
pub fn measure(spec: &StateSpec) -> StateSummary {
    let mut stream = StateStream::new(spec.clone());
    while stream.next().is_some() {}
    stream.summary()
}
