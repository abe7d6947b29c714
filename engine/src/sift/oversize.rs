//! What is kept of an instance above the cap, for the catalog: what identifies it, none of its attributes.
//!
//! Must never keep a raw value longer than the instance lasts, or anything that is not small.

use super::roles::{Member, Role};
use super::stream::{Listener, Stream};
use super::walk::{Ctx, Walk};
use crate::detect::{KeyVerdict, RuleIx};
use crate::refusal::Refusal;

/// Largest member that is kept, bytes.
const MEMBER_BYTES_MAX: usize = 64 << 10;

/// The small members of the instance at hand.
#[derive(Default)]
pub(super) struct Kept {
    sanitized: Vec<u8>,
    index_key: Option<String>,
    deposed: Option<String>,
}

impl Kept {
    /// An instance begins.
    pub(super) fn begin(&mut self) {
        self.sanitized.clear();
        self.sanitized.push(b'{');
        self.index_key = None;
        self.deposed = None;
    }

    /// Whether a member's sanitized bytes are wanted.
    pub(super) fn keeps(&self, role: Role) -> bool {
        name(role).is_some()
    }

    /// Takes a member.
    pub(super) fn take(&mut self, role: Role, raw: &str, sanitized: &[u8]) {
        match role {
            Role::Member(Member::IndexKey) => self.index_key = Some(raw.to_owned()),
            Role::Member(Member::Deposed) => self.deposed = Some(raw.to_owned()),
            _ => {}
        }
        let Some(name) = name(role) else { return };
        if sanitized.is_empty() || sanitized.len() > MEMBER_BYTES_MAX {
            return;
        }
        if self.sanitized.len() > 1 {
            self.sanitized.push(b',');
        }
        self.sanitized.extend_from_slice(name.as_bytes());
        self.sanitized.push(b':');
        self.sanitized.extend_from_slice(sanitized);
    }

    /// Bytes held.
    pub(super) fn memory_bytes(&self) -> usize {
        let text = |t: &Option<String>| t.as_ref().map_or(0, String::capacity);
        self.sanitized.capacity() + text(&self.index_key) + text(&self.deposed)
    }
}

fn name(role: Role) -> Option<&'static str> {
    match role {
        Role::Member(Member::IndexKey) => Some("\"index_key\""),
        Role::Member(Member::Deposed) => Some("\"deposed\""),
        Role::Member(Member::Dependencies) => Some("\"dependencies\""),
        _ => None,
    }
}

impl<L: Listener> Stream<L> {
    /// An instance above the cap ends.
    pub(super) fn oversize_instance_end(&mut self) -> Result<(), Refusal> {
        if L::COLLECTS {
            let mut kept = std::mem::take(&mut self.oversize);
            kept.sanitized.push(b'}');
            self.listener.instance(&kept.sanitized, kept.index_key.as_deref(), kept.deposed.as_deref())?;
        }
        Ok(())
    }
}

impl Walk {
    /// Context of a frame's member. Of an instance or output above the cap the marks are not known yet (they stand
    /// behind), so every leaf that they could speak about goes: undecidable means redacted.
    pub(super) fn child_ctx(&self, parent: Role, role: Role, verdict: KeyVerdict, ctx: &Ctx) -> Ctx {
        match parent {
            Role::Instance | Role::Output => {
                let unseen = Ctx::forced(self.rules.oversize_rule(), false);
                self.member_ctx(role, verdict, &unseen)
            }
            Role::Document | Role::Outputs => Ctx { verdict, ..Ctx::PLAIN },
            Role::Resource => Ctx::PLAIN,
            _ => Ctx { verdict: verdict.under(ctx.verdict), ..*ctx },
        }
    }

    /// The marker of a value that nobody looked at.
    pub(super) fn write_marker(&mut self, rule: RuleIx) {
        if self.emit {
            self.rules.replacement(rule, "", &self.hash_key, &mut self.out);
        }
    }

    /// Counts a value that nobody looked at.
    pub(super) fn report_oversize(&mut self, bytes: usize) {
        if self.mode.find {
            let rule = self.rules.oversize_rule();
            let pointer = &self.pointer;
            self.tally.add(&self.rules, rule, bytes, || pointer.render(|_, _| ""));
        }
    }
}
