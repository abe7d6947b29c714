//! One pattern from outside: checked before anything is built from it.
//!
//! Work is bounded by counting, never by a clock: the same file is taken or refused on every machine. Must never
//! repeat a pattern in an error.

use regex_automata::nfa::thompson::{self, WhichCaptures};
use regex_syntax::ast::{self, Ast, ClassPerlKind, ClassSetItem, Flag, FlagsItemKind, Visitor};
use regex_syntax::hir::translate::TranslatorBuilder;
use regex_syntax::hir::{Capture, Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Repetition};

use crate::detect::RuleErrorKind;

/// Bytes of one pattern.
pub(super) const BYTES_MAX: usize = 2_048;
/// Bytes that one compiled pattern may take.
const COMPILED_MAX: usize = 128 * 1024;
/// Nesting of groups, classes and repetitions.
const NEST_MAX: u32 = 50;

/// What all patterns of one file may cost together.
///
/// Units are about 10 µs each: a large Unicode class costs one, and 1,500 where case is ignored, because each of its
/// characters is folded. A file at the limit compiles in about a second, a usual one in a millisecond.
pub(super) struct Budget {
    work: usize,
    memory_bytes: usize,
}

/// Work of one file in units.
const WORK_MAX: usize = 100_000;
/// Work of one pattern in units.
const PATTERN_WORK_MAX: usize = 10_000;
/// Bytes that all compiled patterns of one file may take.
const MEMORY_MAX: usize = 1024 * 1024;
/// Units of a wide class where case is ignored.
const FOLD_UNITS: usize = 1_500;

impl Budget {
    pub(super) fn new() -> Self {
        Self { work: WORK_MAX, memory_bytes: MEMORY_MAX }
    }

    fn spend_work(&mut self, units: usize) -> Result<(), Refused> {
        if units > PATTERN_WORK_MAX {
            return Err(TOO_SLOW);
        }
        self.work = self.work.checked_sub(units).ok_or(ALL_TOO_SLOW)?;
        Ok(())
    }

    fn spend_memory(&mut self, bytes: usize) -> Result<(), Refused> {
        self.memory_bytes = self.memory_bytes.checked_sub(bytes).ok_or(ALL_TOO_LARGE)?;
        Ok(())
    }
}

/// Why a pattern is refused: kind, and a constant text that says how to mend it.
pub(super) type Refused = (RuleErrorKind, &'static str);

const TOO_LONG: Refused =
    (RuleErrorKind::TooLarge, "a pattern may have 2,048 bytes and 50 levels; split the rule");
const TOO_BIG: Refused = (
    RuleErrorKind::TooLarge,
    "the pattern compiles to more than 128 KiB; lower its repetitions, or its classes",
);
const ALL_TOO_LARGE: Refused = (
    RuleErrorKind::TooLarge,
    "the patterns of this file together compile to more than 1 MiB; this one is one too many",
);
const TOO_SLOW: Refused = (
    RuleErrorKind::TooSlow,
    "the pattern has too many Unicode classes to ignore case in; write ASCII ranges, or (?-i:…) around them",
);
const ALL_TOO_SLOW: Refused = (
    RuleErrorKind::TooSlow,
    "the patterns of this file together have too many Unicode classes; write ASCII ranges",
);
const BAD: Refused =
    (RuleErrorKind::BadPattern, "not a regular expression in Rust syntax; see docs/rules.md");
const EMPTY: Refused =
    (RuleErrorKind::MatchesEmpty, "the pattern matches the empty text; require a character");
const NEVER: Refused = (RuleErrorKind::BadPattern, "the pattern can never match");

/// What a pattern is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// To find: must not match the empty text, and may match a little more than it says.
    Find,
    /// To let through: only ever meets what was found, and may match a little less than it says.
    Allow,
}

/// Parses and checks a pattern.
pub(super) fn parse(pattern: &str, used: Use, budget: &mut Budget) -> Result<Hir, Refused> {
    if pattern.len() > BYTES_MAX {
        return Err(TOO_LONG);
    }
    let ascii = ascii_digits(pattern);
    let mut parser = ast::parse::ParserBuilder::new();
    let tree = parser.nest_limit(NEST_MAX).build().parse(&ascii).map_err(|error| match error.kind() {
        ast::ErrorKind::NestLimitExceeded(_) => TOO_LONG,
        _ => BAD,
    })?;
    let effort = ast::visit(&tree, Effort::default()).map_err(|()| BAD)?;
    let fold = if effort.ignores_case { FOLD_UNITS } else { 1 };
    budget.spend_work(1 + effort.wide.saturating_mul(fold))?;
    let hir = TranslatorBuilder::new().build().translate(&ascii, &tree).map_err(|_| BAD)?;
    let hir = coarse(hir, used);
    match hir.properties().minimum_len() {
        None => return Err(NEVER),
        Some(0) if used == Use::Find => return Err(EMPTY),
        Some(_) => {}
    }
    let nfa = compile(std::slice::from_ref(&hir), COMPILED_MAX).ok_or(TOO_BIG)?;
    budget.spend_memory(nfa.memory_usage())?;
    Ok(hir)
}

/// Compiles patterns into one automaton; `None` when it is larger than `bytes_max`.
pub(super) fn compile(patterns: &[Hir], bytes_max: usize) -> Option<thompson::NFA> {
    let config = thompson::Config::new().which_captures(WhichCaptures::None).nfa_size_limit(Some(bytes_max));
    thompson::Compiler::new().configure(config).build_many_from_hir(patterns).ok()
}

/// Ranges of a class that is kept as it is: blocks and scripts. `\w` has 770.
const RANGES_MAX: usize = 64;

/// Large classes beyond ASCII made plain: a rule takes all characters there, an allowlist none. What is in doubt goes, and
/// the automaton of a `\w` is thirty times smaller.
fn coarse(hir: Hir, used: Use) -> Hir {
    let all = |parts: Vec<Hir>| parts.into_iter().map(|part| coarse(part, used)).collect::<Vec<_>>();
    match hir.into_kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Look(look) => Hir::look(look),
        HirKind::Class(Class::Unicode(class)) if class.ranges().len() > RANGES_MAX => {
            let ascii = ClassUnicode::new([ClassUnicodeRange::new('\0', '\x7f')]);
            let mut plain = class;
            plain.intersect(&ascii);
            if used == Use::Find {
                plain.push(ClassUnicodeRange::new('\u{80}', char::MAX));
            }
            Hir::class(Class::Unicode(plain))
        }
        HirKind::Class(class) => Hir::class(class),
        HirKind::Repetition(repetition) => {
            let sub = Box::new(coarse(*repetition.sub, used));
            Hir::repetition(Repetition { sub, ..repetition })
        }
        HirKind::Capture(capture) => {
            let sub = Box::new(coarse(*capture.sub, used));
            Hir::capture(Capture { sub, ..capture })
        }
        HirKind::Concat(parts) => Hir::concat(all(parts)),
        HirKind::Alternation(parts) => Hir::alternation(all(parts)),
    }
}

/// `\d` is `[0-9]`: nobody means the digits of sixty scripts, and they make a pattern ten times larger.
fn ascii_digits(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut escaped = false;
    for c in pattern.chars() {
        match (escaped, c) {
            (true, 'd') => {
                out.pop();
                out.push_str("[0-9]");
            }
            _ => out.push(c),
        }
        escaped = c == '\\' && !escaped;
    }
    out
}

/// Counts what is dear to translate.
#[derive(Default)]
struct Effort {
    wide: usize,
    ignores_case: bool,
}

impl Effort {
    fn flags(&mut self, flags: &ast::Flags) {
        self.ignores_case |=
            flags.items.iter().any(|item| item.kind == FlagsItemKind::Flag(Flag::CaseInsensitive));
    }
}

impl Visitor for Effort {
    type Output = Self;
    type Err = ();

    fn finish(self) -> Result<Self, ()> {
        Ok(self)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), ()> {
        match ast {
            Ast::Flags(set) => self.flags(&set.flags),
            Ast::Group(group) => {
                if let Some(flags) = group.flags() {
                    self.flags(flags);
                }
            }
            Ast::ClassUnicode(_) | Ast::ClassPerl(_) => self.wide += 1,
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), ()> {
        let wide = match item {
            ClassSetItem::Range(range) => u32::from(range.end.c) - u32::from(range.start.c) > 256,
            ClassSetItem::Unicode(_) => true,
            ClassSetItem::Perl(perl) => perl.negated || perl.kind == ClassPerlKind::Word,
            ClassSetItem::Ascii(ascii) => ascii.negated,
            ClassSetItem::Bracketed(inner) => inner.negated,
            ClassSetItem::Empty(_) | ClassSetItem::Literal(_) | ClassSetItem::Union(_) => false,
        };
        self.wide += usize::from(wide);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, expected: Option<RuleErrorKind>) {
        let kind = parse(pattern, Use::Find, &mut Budget::new()).err().map(|refused| refused.0);
        assert_eq!(kind, expected, "{}", &pattern[..pattern.len().min(40)]);
    }

    #[test]
    fn pathological_patterns_have_a_clear_outcome() {
        use RuleErrorKind::{BadPattern, MatchesEmpty, TooLarge, TooSlow};
        check("(a*)*$", Some(MatchesEmpty));
        check("(a|a)*", Some(MatchesEmpty));
        check(r"\b", Some(MatchesEmpty));
        check("^$", Some(MatchesEmpty));
        check("(a+)+$", None);
        check("(x+x+)+y", None);
        check("[a&&b]", Some(BadPattern));
        check("(?=a)", Some(BadPattern));
        check(r"(a)\1", Some(BadPattern));
        check("(", Some(BadPattern));
        check(r"(\pL{1000}){1000}", Some(TooLarge));
        check("((((a{10}){10}){10}){10}){10}", Some(TooLarge));
        check(&"(".repeat(60), Some(BadPattern));
        check(&format!("{}a{}", "(".repeat(60), ")".repeat(60)), Some(TooLarge));
        check(&"a".repeat(2_049), Some(TooLarge));
        check(&format!("(?i){}", r"[\x{0}-\x{10ffff}]".repeat(50)), Some(TooSlow));
        check(&format!("(?i:{})", r"\pL".repeat(600)), Some(TooSlow));
        check(&format!("(?i){}", "[[^a]b]".repeat(200)), Some(TooSlow));
        check(r"(?i)api[_-]?key\s*[:=]\s*[^\s]+", None);
    }

    #[test]
    fn many_patterns_spend_one_budget() {
        let mut budget = Budget::new();
        let dear = format!("(?i){}", r"\pL".repeat(6));
        let taken = (0..1_000).take_while(|_| parse(&dear, Use::Find, &mut budget).is_ok()).count();
        assert!((5..50).contains(&taken), "{taken}");
        let mut budget = Budget::new();
        let large = r"[\p{Greek}\p{Cyrillic}]{9}";
        let taken = (0..1_000).take_while(|_| parse(large, Use::Find, &mut budget).is_ok()).count();
        assert!((5..100).contains(&taken), "{taken}");
    }

    #[test]
    fn large_classes_take_more_in_rules_and_less_in_allowlists() {
        let plain = |pattern, used| format!("{:?}", parse(pattern, used, &mut Budget::new()).unwrap());
        for (pattern, rule, allow) in [
            (r"\w", r"[0-9A-Z_a-z\x{80}-\x{10FFFF}]", "[0-9A-Z_a-z]"),
            (r"(?i)x\pL", r"[Xx][A-Za-z\x{80}-\x{10FFFF}]", "[Xx][A-Za-z]"),
            (r"[äöü]", "[äöü]", "[äöü]"),
            (r"[^a]", "[^a]", "[^a]"),
        ] {
            assert_eq!(plain(pattern, Use::Find), plain(rule, Use::Find), "{pattern}");
            assert_eq!(plain(pattern, Use::Allow), plain(allow, Use::Allow), "{pattern}");
        }
    }

    #[test]
    fn digits_are_ascii() {
        assert_eq!(ascii_digits(r"a\d+\\d[\d-]\D"), r"a[0-9]+\\d[[0-9]-]\D");
    }
}
