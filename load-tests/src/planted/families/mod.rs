//! Owns the list of what can be planted: every family with its format, from the vendors' and authorities' own documentation.
//! It must never be derived from Terrasift's rules, or a missing rule would hide itself.

mod ai;
mod cloud;
mod code;
mod connections;
mod countries;
mod data;
mod keys;
mod money;
mod national;
mod people;
mod services;
mod talk;

use super::{Sample, format};
use crate::generator::dice::Dice;

/// What gives a secret away.
#[derive(Clone, Copy)]
pub(super) enum Tell {
    /// Its own form: it may stand anywhere.
    Form,
    /// Only a name beside it; these are the names that are in use.
    Named(&'static [&'static str]),
    /// As `Named`, in the manner of data about people: keys, and how texts announce it (`‹›` is where it stands).
    Person(&'static [&'static str], &'static [&'static str]),
}

#[derive(Clone, Copy)]
pub(super) enum Make {
    /// See [`format`].
    Pattern(&'static str),
    Function(fn(&mut Dice) -> Sample),
}

/// A kind of secret.
#[derive(Clone, Copy)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) make: Make,
    pub(super) tell: Tell,
}

impl Family {
    pub(super) fn sample(&self, dice: &mut Dice) -> Sample {
        match self.make {
            Make::Pattern(pattern) => format::sample(dice, pattern),
            Make::Function(make) => make(dice),
        }
    }
}

const fn form(name: &'static str, pattern: &'static str) -> Family {
    Family { name, make: Make::Pattern(pattern), tell: Tell::Form }
}

const fn named(name: &'static str, pattern: &'static str, names: &'static [&'static str]) -> Family {
    Family { name, make: Make::Pattern(pattern), tell: Tell::Named(names) }
}

const fn made(name: &'static str, make: fn(&mut Dice) -> Sample) -> Family {
    Family { name, make: Make::Function(make), tell: Tell::Form }
}

/// All families.
pub(super) fn all() -> Vec<Family> {
    let tables = [
        cloud::FAMILIES,
        code::FAMILIES,
        talk::FAMILIES,
        money::FAMILIES,
        data::FAMILIES,
        ai::FAMILIES,
        connections::FAMILIES,
        keys::FAMILIES,
        people::FAMILIES,
        countries::FAMILIES,
        services::FAMILIES,
    ];
    tables.concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn there_are_enough_families_and_every_one_can_be_made() {
        let mut names = HashSet::new();
        for family in all() {
            assert!(names.insert(family.name), "{} twice", family.name);
            for seed in 0..20 {
                let made = family.sample(&mut Dice::new(seed, 0, 0, 0));
                assert!(!made.spans.is_empty(), "{}", family.name);
                for (start, end) in made.spans {
                    assert!(end > start && made.text.get(start..end).is_some(), "{}", family.name);
                }
            }
        }
        assert!(names.len() >= 250, "{}", names.len());
    }
}
