//! What passes by on its way to the extractor: head, resource headers, instances.
//!
//! Holds the raw address of the resource at hand, for its identity. Must never hand a raw text to the extractor.

use super::roles::Field;
use super::stream::Listener;
use crate::extract::{Extractor, ResourceHeader};
use crate::identity::IdentityKey;
use crate::refusal::{Refusal, RefusalKind};

/// What the head of the state says.
#[derive(Default)]
pub(super) struct Head {
    /// Keyed fingerprint.
    pub lineage: Option<[u8; 16]>,
    pub serial: Option<u64>,
    /// Sanitized.
    pub terraform_version: Option<String>,
}

/// A text as it stands in the state, and as it may leave.
#[derive(Default)]
struct Pair {
    raw: String,
    sanitized: String,
}

#[derive(Default)]
struct Header {
    module: Option<Pair>,
    mode: Option<Pair>,
    rtype: Option<Pair>,
    name: Option<Pair>,
    provider: Option<Pair>,
}

/// Feeds the extractor.
pub(super) struct Listening {
    pub extractor: Extractor,
    pub head: Head,
    identity: IdentityKey,
    header: Header,
    wanted: bool,
}

impl Listening {
    pub(super) fn new(extractor: Extractor, identity: IdentityKey) -> Self {
        Self { extractor, head: Head::default(), identity, header: Header::default(), wanted: true }
    }
}

impl Listener for Listening {
    const COLLECTS: bool = true;

    fn field(&mut self, field: Field, raw: &str, sanitized: &[u8]) -> Result<(), Refusal> {
        match field {
            Field::Version => {}
            Field::Serial => self.head.serial = raw.parse().ok(),
            Field::Lineage => {
                let lineage = text(raw.as_bytes()).filter(|lineage| !lineage.is_empty());
                self.head.lineage = lineage.map(|lineage| self.identity.lineage(&lineage));
            }
            Field::TerraformVersion => self.head.terraform_version = text(sanitized),
            Field::Mode => self.header.mode = pair(raw, sanitized),
            Field::Type => self.header.rtype = pair(raw, sanitized),
            Field::Name => self.header.name = pair(raw, sanitized),
            Field::Module => self.header.module = pair(raw, sanitized),
            Field::Provider => self.header.provider = pair(raw, sanitized),
        }
        Ok(())
    }

    fn instances_begin(&mut self) -> bool {
        self.wanted = match (&self.header.mode, &self.header.rtype) {
            (Some(mode), Some(rtype)) => self.extractor.resource_begin(&mode.sanitized, &rtype.sanitized),
            _ => true,
        };
        self.wanted
    }

    fn instance(
        &mut self,
        sanitized: &[u8],
        index_key: Option<&str>,
        deposed: Option<&str>,
    ) -> Result<(), Refusal> {
        let deposed = deposed.and_then(|raw| text(raw.as_bytes())).filter(|key| !key.is_empty());
        if !self.wanted {
            self.extractor.count_instance(deposed.is_some());
            return Ok(());
        }
        let index_key = index_key.filter(|raw| *raw != "null").map(str::as_bytes);
        let identity = self.identity.instance(index_key, deposed.as_deref());
        self.extractor.instance(sanitized, identity, deposed.is_some())
    }

    fn resource_end(&mut self) -> Result<(), Refusal> {
        let header = std::mem::take(&mut self.header);
        self.wanted = true;
        let (Some(mode), Some(rtype), Some(name)) = (&header.mode, &header.rtype, &header.name) else {
            let detail = "a resource has no mode, type or name; repair the state by hand";
            return Err(Refusal { kind: RefusalKind::NotAStateV4, offset: 0, detail });
        };
        let module = header.module.as_ref();
        let raw_module = module.map_or("", |m| m.raw.as_str());
        let identity = self.identity.resource(raw_module, &mode.raw, &rtype.raw, &name.raw);
        let shown = ResourceHeader {
            module: module.map(|m| m.sanitized.as_str()),
            mode: &mode.sanitized,
            rtype: &rtype.sanitized,
            name: &name.sanitized,
            provider: header.provider.as_ref().map_or("", |p| p.sanitized.as_str()),
        };
        self.extractor.resource_end(shown, identity)
    }

    fn memory_bytes(&self) -> usize {
        self.extractor.memory_bytes()
    }
}

/// The text of a JSON string.
fn text(json: &[u8]) -> Option<String> {
    serde_json::from_slice(json).ok()
}

fn pair(raw: &str, sanitized: &[u8]) -> Option<Pair> {
    Some(Pair { raw: text(raw.as_bytes())?, sanitized: text(sanitized)? })
}
