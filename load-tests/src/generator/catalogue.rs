//! Owns the templates in compiled form, once a layout. It must never hold anything that depends on a seed.

use super::carriers::{CARRIERS, SHARED_PASSWORD};
use super::ordinary::{FILLER, HEARTBEAT, ORDINARY};
use super::outputs::{CHECKS, OUTPUTS};
use super::resource::{Resource, marks_json};
use super::template::{Template, any_families};
use super::text::{Layout, lay_out};
use super::texts::TEXTS;
use std::sync::LazyLock;

/// Depth of an instance's fields: document, resources, resource, instances, instance.
const INSTANCE_DEPTH: usize = 5;
/// Depth of an output and of a check result.
const ENTRY_DEPTH: usize = 2;

/// A resource with its parts compiled.
pub(crate) struct Compiled {
    pub(crate) resource: Resource,
    pub(crate) attributes: Template,
    pub(crate) marks: String,
    pub(crate) identity: Option<Template>,
    pub(crate) private: Template,
}

/// All templates in one layout.
pub(crate) struct Catalogue {
    pub(crate) ordinary: Vec<Compiled>,
    pub(crate) carriers: Vec<Compiled>,
    pub(crate) heartbeat: Compiled,
    pub(crate) shared: Compiled,
    pub(crate) filler: Compiled,
    /// Name, whether it plants, body.
    pub(crate) outputs: Vec<(&'static str, bool, Template)>,
    pub(crate) checks: Vec<(bool, Template)>,
    pub(crate) texts: Vec<Template>,
    pub(crate) any: Vec<usize>,
}

static PRETTY: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::compile(Layout::Pretty));
static COMPACT: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::compile(Layout::Compact));

/// The compiled templates of a layout.
pub(crate) fn catalogue(layout: Layout) -> &'static Catalogue {
    match layout {
        Layout::Pretty => &PRETTY,
        Layout::Compact => &COMPACT,
    }
}

impl Catalogue {
    fn compile(layout: Layout) -> Self {
        let all = |table: &[Resource]| table.iter().map(|resource| compiled(resource, layout)).collect();
        Self {
            ordinary: all(ORDINARY),
            carriers: all(CARRIERS),
            heartbeat: compiled(&HEARTBEAT, layout),
            shared: compiled(&SHARED_PASSWORD, layout),
            filler: compiled(&FILLER, layout),
            outputs: OUTPUTS
                .iter()
                .map(|(name, body)| (*name, plants(body), template(&lay_out(body, layout, ENTRY_DEPTH))))
                .collect(),
            checks: CHECKS
                .iter()
                .map(|body| (plants(body), template(&lay_out(body, layout, ENTRY_DEPTH))))
                .collect(),
            texts: TEXTS.iter().map(|(_, text)| template(text)).collect(),
            any: any_families(),
        }
    }
}

fn plants(body: &str) -> bool {
    body.contains("<!") || body.contains("<~")
}

fn compiled(resource: &Resource, layout: Layout) -> Compiled {
    Compiled {
        resource: *resource,
        attributes: template(&lay_out(resource.attributes, layout, INSTANCE_DEPTH)),
        marks: lay_out(&marks_json(resource.marks), layout, INSTANCE_DEPTH),
        identity: (!resource.identity.is_empty())
            .then(|| template(&lay_out(resource.identity, layout, INSTANCE_DEPTH))),
        private: template(resource.private),
    }
}

fn template(source: &str) -> Template {
    match Template::compile(source) {
        Ok(template) => template,
        // The sources are constants and a test compiles them all: this is a mistake in this crate.
        Err(reason) => unreachable!("{reason}"),
    }
}
