//! Instances and outputs: their members are found first, because marks stand after what they mark.
//!
//! Must never let a second `attributes`, `sensitive_attributes` or `sensitive` decide differently from the first.

use super::marks::{Here, Verdict};
use super::roles::{Member, Role};
use super::walk::{Ctx, Force, Walk, key_slice};
use crate::detect::KeyVerdict;
use crate::refusal::{Refusal, RefusalKind};
use crate::scan::{Unit, decode};

/// One direct member of a unit, as tokens.
#[derive(Clone, Copy)]
pub(super) struct Place {
    role: Role,
    key: (usize, usize),
    /// First and last token of the value.
    value: (usize, usize),
}

pub(super) const TWICE: &str = "a member stands twice where only one can be meant; repair the state by hand";

/// What an instance tells about its identity: JSON as it stands.
#[derive(Clone, Copy, Default)]
pub(super) struct InstanceParts<'u> {
    pub index_key: Option<&'u str>,
    pub deposed: Option<&'u str>,
}

/// Finds the direct members. `ends` are the tokens of the brackets that close members ([`crate::scan::Finder`]).
pub(super) fn members(
    unit: &Unit<'_>,
    parent: Role,
    ends: &[usize],
    out: &mut Vec<Place>,
) -> Result<(), Refusal> {
    out.clear();
    if unit.byte(0) != b'{' {
        let detail = "an instance or output is no object; pull the state again";
        return Err(unit.refuse(unit.position(0), RefusalKind::NotAStateV4, detail));
    }
    let mut ends = ends.iter().copied();
    let mut at = 1;
    let mut seen = 0;
    if unit.byte(1) == b'}' {
        return if unit.len() == 2 { Ok(()) } else { Err(unit.unexpected(2)) };
    }
    loop {
        if unit.byte(at) != b'"' {
            return Err(unit.unexpected(at));
        }
        let close = unit.closing_quote(at)?;
        if unit.byte(close + 1) != b':' {
            return Err(unit.unexpected(close + 1));
        }
        let value = close + 2;
        let last = match unit.byte(value) {
            b'"' => unit.closing_quote(value)?,
            b'{' | b'[' => ends.find(|end| *end > value).ok_or_else(|| unit.unexpected(value))?,
            _ => value,
        };
        let role = role_of(unit, parent, at, close)?;
        if seen & role.once() != 0 {
            return Err(unit.refuse(unit.position(at), RefusalKind::DuplicateMember, TWICE));
        }
        seen |= role.once();
        out.push(Place { role, key: (at, close), value: (value, last) });
        at = last + 1;
        match unit.byte(at) {
            b',' => at += 1,
            b'}' if at + 1 == unit.len() => return Ok(()),
            _ => return Err(unit.unexpected(at)),
        }
    }
}

fn role_of(unit: &Unit<'_>, parent: Role, open: usize, close: usize) -> Result<Role, Refusal> {
    if close == open + 1 {
        return Ok(parent.of_key(key_slice(unit, open, close)));
    }
    let mut key = String::new();
    decode(unit, open, close, &mut key)?;
    Ok(parent.of_key(&key))
}

impl Walk {
    /// A resource instance.
    pub(super) fn instance<'u>(
        &mut self,
        unit: &Unit<'u>,
        ends: &[usize],
        places: &mut Vec<Place>,
    ) -> Result<InstanceParts<'u>, Refusal> {
        members(unit, Role::Instance, ends, places)?;
        self.begin_unit();
        let find = |member| places.iter().find(|p| p.role == Role::Member(member));
        let text = |p: &Place| unit.slice(unit.position(p.value.0), end_of(unit, p));
        let parts = InstanceParts {
            index_key: find(Member::IndexKey).map(text),
            deposed: find(Member::Deposed).map(text),
        };
        let (root, verdict) = match find(Member::SensitiveAttributes) {
            Some(place) => self.marks.load(text(place)),
            None => {
                self.marks.clear();
                (Here::NONE, Verdict::Open)
            }
        };
        let root = match (self.of_schema, verdict) {
            ([], _) | (_, Verdict::Whole) => root,
            (paths, Verdict::Open) => self.marks.add_of_schema(paths),
        };
        let marked = Ctx {
            marks: root,
            force: (verdict == Verdict::Whole).then(|| Force { rule: self.rules.mark_rule(), learn: true }),
            ..Ctx::PLAIN
        };
        for place in places.iter() {
            self.place(unit, place, &marked)?;
        }
        self.names.leave(self.depth + 1);
        self.marks.clear();
        Ok(parts)
    }

    /// An output; `name` is what its name says.
    pub(super) fn output(
        &mut self,
        unit: &Unit<'_>,
        ends: &[usize],
        places: &mut Vec<Place>,
        name: KeyVerdict,
    ) -> Result<(), Refusal> {
        members(unit, Role::Output, ends, places)?;
        self.begin_unit();
        let flag = places.iter().find(|p| p.role == Role::Member(Member::OutputSensitive));
        // Anything but a plain "no" is a "yes".
        let open = flag.is_none_or(|p| matches!(unit.scalar(p.value.0), "false" | "null"));
        let value = if open {
            Ctx { verdict: name, ..Ctx::PLAIN }
        } else {
            Ctx::forced(self.rules.mark_rule(), true)
        };
        for place in places.iter() {
            self.place(unit, place, &value)?;
        }
        self.names.leave(self.depth + 1);
        Ok(())
    }

    /// One member; `marked` is the context of what marks speak about.
    fn place(&mut self, unit: &Unit<'_>, place: &Place, marked: &Ctx) -> Result<(), Refusal> {
        self.depth += 1;
        let verdict = self.key(unit, place.key.0, place.key.1, false)?;
        let at = place.value.0;
        let next = match place.role {
            Role::Member(Member::IndexKey) => self.index_key(unit, at)?,
            role => self.value(unit, at, &self.member_ctx(role, verdict, marked))?,
        };
        self.pointer.pop();
        self.depth -= 1;
        if next == place.value.1 + 1 { Ok(()) } else { Err(unit.unexpected(next)) }
    }

    /// Context of a member's value, by its role.
    pub(super) fn member_ctx(&self, role: Role, verdict: KeyVerdict, marked: &Ctx) -> Ctx {
        match role {
            Role::Member(Member::Attributes | Member::OutputValue) => *marked,
            Role::Member(Member::AttributesFlat) => Ctx { marks: Here::NONE, flat: true, ..*marked },
            Role::Member(Member::Private) => Ctx::forced(self.rules.private_rule(), false),
            Role::Member(Member::OutputType) => Ctx { types: true, ..Ctx::PLAIN },
            Role::Member(_) => Ctx::PLAIN,
            _ => Ctx { verdict, ..Ctx::PLAIN },
        }
    }
}

fn end_of(unit: &Unit<'_>, place: &Place) -> usize {
    let (first, last) = place.value;
    if first == last && !matches!(unit.byte(last), b'"' | b'}' | b']') {
        return unit.position(first) + unit.scalar(first).len();
    }
    unit.position(last) + 1
}
