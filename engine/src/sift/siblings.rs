//! What the other members of an object say about one of them: the name beside a value, `kind: Secret` beside `data`.
//!
//! Looks at direct members whose value is a text. Must never cost more than a few looks at each token of a unit: what is made
//! to cost more goes unseen.

use super::walk::{Walk, key_slice};
use crate::detect::{KeyVerdict, Kin};
use crate::refusal::Refusal;
use crate::scan::{Unit, decode};

/// Kinds of questions.
const KINS: usize = 4;

/// An object whose members are being walked, and what was told of it so far.
pub(super) struct Siblings {
    /// The token that opens it.
    open: usize,
    told: [Option<(Kin, Option<KeyVerdict>)>; KINS],
}

impl Siblings {
    /// Costs nothing until somebody asks.
    pub(super) fn of(open: usize) -> Self {
        Self { open, told: [None; KINS] }
    }
}

/// Tokens that may be looked at again for each token of a unit.
const LOOKS_PER_TOKEN: usize = 16;

impl Walk {
    /// The verdict of a member that asks `kin` of its siblings.
    pub(super) fn ask(
        &mut self,
        unit: &Unit<'_>,
        siblings: &mut Siblings,
        own: KeyVerdict,
        kin: Kin,
    ) -> Result<KeyVerdict, Refusal> {
        self.events += 1;
        let known = siblings.told.iter().flatten().find(|(asked, _)| *asked == kin);
        let told = match known {
            Some((_, told)) => *told,
            None => {
                let told = self.tell(unit, siblings.open, kin)?;
                if let Some(free) = siblings.told.iter_mut().find(|slot| slot.is_none()) {
                    *free = Some((kin, told));
                }
                told
            }
        };
        Ok(own.answered(told))
    }

    fn tell(&mut self, unit: &Unit<'_>, open: usize, kin: Kin) -> Result<Option<KeyVerdict>, Refusal> {
        let mut at = open + 1;
        while unit.byte(at) == b'"' {
            let close = unit.closing_quote(at)?;
            let value = close + 2;
            let mut end = value;
            if unit.byte(value) == b'"' {
                end = unit.closing_quote(value)?;
                let (mut key, mut text) = (String::new(), String::new());
                let key = decoded(unit, at, close, &mut key)?;
                let told = kin.told(&self.rules, key, decoded(unit, value, end, &mut text)?);
                if told.is_some() {
                    return Ok(told);
                }
            } else {
                let mut depth = 0usize;
                while end < unit.len() {
                    match unit.byte(end) {
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                    end += 1;
                }
            }
            self.looks += end + 1 - at;
            if self.looks > unit.len() * LOOKS_PER_TOKEN {
                return Ok(Some(KeyVerdict::UNSETTLED));
            }
            at = end + 1;
            if unit.byte(at) == b',' {
                at += 1;
            }
        }
        Ok(None)
    }
}

/// The text of a string; `room` is where it stands if it has escapes.
fn decoded<'t>(unit: &Unit<'t>, open: usize, close: usize, room: &'t mut String) -> Result<&'t str, Refusal> {
    if close == open + 1 {
        return Ok(key_slice(unit, open, close));
    }
    decode(unit, open, close, room)?;
    Ok(room)
}
