//! Rule files on top of each other: the operator's for all tenants, a tenant's own over it.
//!
//! A tenant's file adds rules and allowlist entries and may switch off what the file below brought. Limits hold for all
//! layers together. A refusal names the file that is to be mended.

use terrasift_engine::detect::{RuleError, RulePlace, RuleSet};
use terrasift_schemas::rules::RuleFile;

use super::{RuleFileError, Source, walk};

/// Which file and which entry of it a merged entry comes from, by list.
#[derive(Default)]
struct Origins {
    disable: Vec<(usize, usize)>,
    rules: Vec<(usize, usize)>,
    allowlist: Vec<(usize, usize)>,
}

/// Compiles the files, the lowest layer first; the last one's version is the version of all.
///
/// # Errors
/// The first rule that cannot be taken, with its file and line.
pub fn compile(core: &RuleSet, layers: &[&Source]) -> Result<RuleSet, RuleFileError> {
    let mut origins = Origins::default();
    let mut merged = RuleFile { version: 1, ..RuleFile::default() };
    for (layer, source) in layers.iter().enumerate() {
        let RuleFile { version, disable, rules, allowlist } = &source.file;
        merged.version = *version;
        for (index, id) in disable.iter().enumerate() {
            // Rules of the files below are as good as built in.
            match merged.rules.iter_mut().find(|rule| rule.id == *id) {
                Some(rule) => rule.enabled = false,
                None => {
                    merged.disable.push(id.clone());
                    origins.disable.push((layer, index));
                }
            }
        }
        merged.rules.extend_from_slice(rules);
        origins.rules.extend((0..rules.len()).map(|index| (layer, index)));
        merged.allowlist.extend_from_slice(allowlist);
        origins.allowlist.extend((0..allowlist.len()).map(|index| (layer, index)));
    }
    core.with(&merged).map_err(|error| refusal(layers, &origins, error))
}

fn refusal(layers: &[&Source], origins: &Origins, mut error: RuleError) -> RuleFileError {
    let list = match error.place.key {
        "disable" => &origins.disable,
        "rules" => &origins.rules,
        _ => &origins.allowlist,
    };
    let origin = error.place.index.and_then(|index| list.get(index)).copied();
    let layer = origin.map_or(layers.len().saturating_sub(1), |(layer, _)| layer);
    error.place = RulePlace { index: origin.map(|(_, index)| index), ..error.place };
    let (file, line) = match layers.get(layer) {
        Some(source) => (source.name.clone(), walk::line(&source.text, error.place).unwrap_or(1)),
        None => (String::new(), 1),
    };
    RuleFileError::Rule { file, line, error: Box::new(error) }
}

#[cfg(test)]
mod tests {
    use terrasift_engine::detect::Scratch;

    use super::*;
    use crate::rule_file::parse;

    fn source(name: &str, text: &str) -> Source {
        let file = parse(name, text).expect("of the shape");
        Source { name: name.to_owned(), text: text.to_owned(), file }
    }

    const GLOBAL: &str = "\
version: 5
disable: [phone]
rules:
- {id: badge, category: pii, pattern: 'ACME-[0-9]{4}'}
- {id: ticket, category: pii, pattern: 'OPS-[0-9]{4}'}
";

    #[test]
    fn a_tenants_file_stands_on_the_common_one() {
        let own = "version: 9\ndisable: [ticket, private-ip]\nrules:\n- {id: own, category: pii, pattern: 'OWN-[0-9]{4}'}\n";
        let (global, own) = (source("global", GLOBAL), source("own", own));
        let core = RuleSet::builtin();
        let rules = compile(&core, &[&global, &own]).expect("good rules");
        assert_eq!(rules.version(), 9);
        for (text, found) in [("ACME-1234", 1), ("OPS-1234", 0), ("OWN-1234", 1), ("10.0.0.1", 0)] {
            let mut hits = Vec::new();
            rules.inspect(text, rules.classify_key("x"), &mut Scratch::default(), &mut hits);
            assert_eq!(hits.len(), found, "{text}");
        }
        let alone = compile(&core, &[&global]).expect("good rules");
        assert_ne!(alone.digest(), rules.digest());
        assert_eq!(alone.digest(), compile(&core, &[&global]).expect("good rules").digest());
    }

    #[test]
    fn a_refusal_names_the_file_that_is_to_be_mended() {
        let global = source("global", GLOBAL);
        let bad_global = source("global", "version: 5\nrules:\n- {id: a, category: pii, pattern: 'x*'}\n");
        let good = source("own", "version: 2\nrules:\n- {id: b, category: pii, pattern: x}\n");
        for (own, expected) in [
            (
                "version: 2\n\nrules:\n- {id: own, category: pii, pattern: 'x*'}",
                "file own, line 4: rule own: rules[0].pattern",
            ),
            (
                "version: 2\nrules:\n- {id: badge, category: pii, pattern: x}",
                "file own, line 3: rule badge: rules[0].id",
            ),
            ("version: 2\ndisable: [ticket, nothing]", "file own, line 2: disable[1]: unknown_rule"),
            (
                "version: 2\ndisable: [private-key]",
                "file own, line 2: rule private-key: disable[0]: protected",
            ),
            ("version: 2\nallowlist: [{pattern: x, reason: ''}]", "file own, line 2: allowlist[0].reason"),
            ("version: 0", "file own, line 1: version"),
        ] {
            let own = source("own", own);
            let refused = compile(&RuleSet::builtin(), &[&global, &own]).map(drop).expect_err("bad");
            assert!(refused.to_string().contains(expected), "{expected}: {refused}");
        }
        let refused = compile(&RuleSet::builtin(), &[&bad_global, &good]).map(drop).expect_err("bad");
        assert!(refused.to_string().contains("file global, line 3: rule a: rules[0].pattern"), "{refused}");
    }
}
