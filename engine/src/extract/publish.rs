//! From what was kept to what leaves: sweep, names, collisions, dependencies, entities, bytes.
//!
//! Must never derive a name, tag or URL from a text before the sweep has seen that text as it came.

use std::collections::{HashMap, HashSet};

use terrasift_schemas::catalog::{RESOURCE_KIND, RenderedEntity};
use terrasift_schemas::workspace::WorkspaceFacts;

use super::home::{Home, swept};
use super::naming::{Address, Suffix, has_marker, resource_name};
use super::render::render;
use super::summary::{IndexKey, config_address};
use super::{Block, Extractor, MEMORY_BYTES_MAX, StateHead, Sweep, resource, workspace};
use crate::identity::{Identity, IdentityKey};
use crate::refusal::{Refusal, RefusalKind};

/// Most dependencies of an entity that are published: Terraform lists transitive ones too, and Backstage makes a row
/// of each.
const DEPENDS_ON_MAX: usize = 64;

/// The swept texts of a block's header.
struct Header {
    module: String,
    rtype: String,
    name: String,
}

/// A block with all that its entities need.
struct Named {
    header: Header,
    /// Entity names, in the order of the instances.
    names: Vec<String>,
    /// Identities of the entities, in the same order.
    identities: Vec<Identity>,
    /// Swept instance keys, in the same order.
    indexes: Vec<Option<String>>,
}

/// See [`Extractor::finish`].
pub(super) fn publish(
    extractor: Extractor,
    facts: &WorkspaceFacts,
    head: StateHead<'_>,
    sweep: Sweep<'_>,
) -> Result<Vec<RenderedEntity>, Refusal> {
    let Extractor { types, profile, slug, workspace, key, blocks, addresses, census, .. } = extractor;
    let home = Home::new(facts, profile, slug.as_str(), workspace.as_str(), key.workspace_entity(), sweep);
    let mut named: Vec<Named> = blocks.iter().map(|block| name_block(&home, &key, block, sweep)).collect();
    resolve_collisions(&home, &mut named)?;
    let relations = Relations::new(&home, &blocks, &named, &addresses);

    let mut out = vec![render(&workspace::entity(&home, head, &census, sweep))?];
    let mut bytes = 0;
    for (block, named) in blocks.iter().zip(&named) {
        // The table cannot have changed since the block was kept: a block without a rule has no entities.
        let Some(rule) = types.get(&block.rtype) else { continue };
        for (ix, kept) in block.instances.iter().enumerate() {
            let instance = resource::Instance {
                name: named.names[ix].clone(),
                address: named.header.address(named.indexes[ix].as_deref()),
                rtype: &named.header.rtype,
                spec_type: &rule.spec_type,
                summary: &kept.summary,
                depends_on: relations.of(block, &kept.dependencies, &named.names[ix]),
            };
            let rendered = render(&resource::entity(&home, instance, sweep))?;
            bytes += rendered.body.len();
            if bytes > MEMORY_BYTES_MAX {
                return Err(Refusal {
                    kind: RefusalKind::TooLarge,
                    offset: 0,
                    detail: "the entities need more than 64 MiB; take resource types off the list or split the \
                             workspace",
                });
            }
            out.push(rendered);
        }
    }
    out.sort_unstable_by(|a, b| a.entity_ref.cmp(&b.entity_ref));
    if out.windows(2).any(|pair| pair[0].entity_ref == pair[1].entity_ref) {
        return Err(stands_twice());
    }
    Ok(out)
}

fn stands_twice() -> Refusal {
    Refusal {
        kind: RefusalKind::DuplicateMember,
        offset: 0,
        detail: "a resource instance stands twice in the state; terraform refuses such a state too, remove one",
    }
}

impl Header {
    fn address(&self, index: Option<&str>) -> String {
        let dot = if self.module.is_empty() { "" } else { "." };
        let key = index.map_or_else(String::new, |index| format!("[{index}]"));
        format!("{}{dot}{}.{}{key}", self.module, self.rtype, self.name)
    }

    fn entity_name(&self, home: &Home, index: Option<&str>, identity: Identity, suffix: Suffix) -> String {
        // A redacted key may carry an ordinal among its siblings; names must not move when a sibling comes or goes.
        let index = index.map(|index| if has_marker(index) { "redacted" } else { index });
        let address = Address { rtype: &self.rtype, name: &self.name, index };
        resource_name(&home.slug, &home.facts.name, address, identity, suffix)
    }
}

fn name_block(home: &Home, key: &IdentityKey, block: &Block, sweep: Sweep<'_>) -> Named {
    let header = Header {
        module: swept(&block.module, sweep),
        rtype: swept(&block.rtype, sweep),
        name: swept(&block.name, sweep),
    };
    let identities: Vec<Identity> =
        block.instances.iter().map(|kept| key.entity(block.identity, kept.identity)).collect();
    let mut spelled = |index: &IndexKey| index.spelled(&swept(index.text(), sweep));
    let indexes: Vec<Option<String>> =
        block.instances.iter().map(|kept| kept.summary.index.as_ref().map(&mut spelled)).collect();
    let pairs = identities.iter().zip(&indexes);
    let names =
        pairs.map(|(id, index)| header.entity_name(home, index.as_deref(), *id, Suffix::Short)).collect();
    Named { header, names, identities, indexes }
}

/// Refuses an instance that stands twice; gives names that are equal by chance the long suffix, all of them, so that
/// none depends on the order in the state.
fn resolve_collisions(home: &Home, named: &mut [Named]) -> Result<(), Refusal> {
    let mut identities = HashSet::new();
    let mut seen = HashSet::new();
    let mut twice = HashSet::new();
    for block in &*named {
        if !block.identities.iter().all(|identity| identities.insert(*identity)) {
            return Err(stands_twice());
        }
        twice.extend(block.names.iter().filter(|name| !seen.insert(name.as_str())).cloned());
    }
    for block in named.iter_mut().filter(|_| !twice.is_empty()) {
        for ix in (0..block.names.len()).filter(|ix| twice.contains(&block.names[*ix])).collect::<Vec<_>>() {
            let index = block.indexes[ix].as_deref();
            block.names[ix] = block.header.entity_name(home, index, block.identities[ix], Suffix::Long);
        }
    }
    Ok(())
}

/// Which entities an interned dependency address stands for.
struct Relations<'a> {
    namespace: &'a str,
    /// By address index: the blocks with that address.
    targets: Vec<Vec<Target<'a>>>,
}

struct Target<'a> {
    module: &'a str,
    config_module: String,
    /// At most [`DEPENDS_ON_MAX`] + 1 names, sorted.
    names: Vec<&'a str>,
}

impl<'a> Relations<'a> {
    fn new(
        home: &'a Home,
        blocks: &'a [Block],
        named: &'a [Named],
        addresses: &HashMap<Box<str>, u32>,
    ) -> Self {
        let mut targets: Vec<Vec<Target<'a>>> = Vec::new();
        targets.resize_with(addresses.len(), Vec::new);
        for (block, named) in blocks.iter().zip(named) {
            let address = addresses.get(block.config_address().as_str());
            let slot = address.and_then(|ix| usize::try_from(*ix).ok()).and_then(|ix| targets.get_mut(ix));
            let Some(slot) = slot else { continue };
            let mut names: Vec<&str> = named.names.iter().map(String::as_str).collect();
            names.sort_unstable();
            names.truncate(DEPENDS_ON_MAX + 1);
            slot.push(Target { module: &block.module, config_module: config_address(&block.module), names });
        }
        Self { namespace: &home.slug, targets }
    }

    /// References of what an instance of the block depends on, sorted, itself left out.
    ///
    /// Within its own module an instance depends on its own module instance's resources only.
    fn of(&self, block: &Block, dependencies: &[u32], own: &str) -> Vec<String> {
        let config_module = config_address(&block.module);
        let mut names: Vec<&str> = Vec::new();
        for ix in dependencies {
            let Some(targets) = usize::try_from(*ix).ok().and_then(|ix| self.targets.get(ix)) else {
                continue;
            };
            for target in targets {
                if target.config_module != config_module || target.module == &*block.module {
                    names.extend(target.names.iter().filter(|name| **name != own));
                }
            }
        }
        names.sort_unstable();
        names.dedup();
        names.truncate(DEPENDS_ON_MAX);
        let kind = RESOURCE_KIND.to_ascii_lowercase();
        names.into_iter().map(|name| format!("{kind}:{}/{name}", self.namespace)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two blocks of one instance each, alike but for their identities.
    fn check(a: [u8; 16], b: [u8; 16], expected: Result<[usize; 2], RefusalKind>) {
        let home = Home::new(
            &WorkspaceFacts { name: "net".to_owned(), ..WorkspaceFacts::default() },
            super::super::CatalogProfile::default(),
            "acme",
            "ws-1",
            Identity([0; 16]),
            &mut |_| None,
        );
        let block = |identity: [u8; 16], name: &str| {
            let header = Header { module: String::new(), rtype: "aws_vpc".to_owned(), name: name.to_owned() };
            let identity = Identity(identity);
            let names = vec![header.entity_name(&home, None, identity, Suffix::Short)];
            Named { header, names, identities: vec![identity], indexes: vec![None] }
        };
        let mut named = [block(a, "main"), block(b, "Main")];
        let outcome = resolve_collisions(&home, &mut named).map_err(|refusal| refusal.kind);
        let suffix = |named: &Named| named.names[0].rsplit('-').next().map_or(0, str::len);
        assert_eq!(outcome.map(|()| [suffix(&named[0]), suffix(&named[1])]), expected);
        assert!(expected.is_err() || named[0].names != named[1].names);
    }

    #[test]
    fn names_that_are_equal_by_chance_both_get_the_long_suffix() {
        let mut late = [7; 16];
        late[15] = 8;
        late[9] = 9;
        let mut early = [7; 16];
        early[0] = 8;
        check([7; 16], early, Ok([8, 8]));
        check([7; 16], late, Ok([24, 24]));
        check([7; 16], [7; 16], Err(RefusalKind::DuplicateMember));
    }
}
