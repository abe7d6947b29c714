//! `docs/rules.md`, made from the rules: what a person must write stands in `preamble.md`, the rest is read off.
//!
//! Must never print an example that a secret scanner would take for a live credential: they are broken by dots.

use std::fmt::Write;
use std::process::ExitCode;

use terrasift_engine::detect::{RuleIx, RuleSet};
use terrasift_schemas::detection::Action;

/// The hand-written part: file format, order, limits.
const PREAMBLE: &str = include_str!("preamble.md");

const BUILT_IN: &str = "
## Built-in rules

This part is made from the rules (`make golden`, or `terrasift rules doc`): $FAMILIES families of tokens by their exact format, and $CODE rules
that are code. Priorities: what cannot be anything else goes first (Terraform's marks 1000, private keys 990, copies of known secrets 950,
sensitive keys 900), then exact formats (500), tokens and passwords by their surroundings (350–480), people and addresses (150–230),
at last what only looks drawn (50). A failed checksum never acquits a token's prefix; it does acquit cards, account and identity numbers.

**Examples** are drawn when the page is made, seeded by the rule's id, with the checksum where the format has one that anybody can
compute (CRC32, Bech32, Base58Check, Luhn, mod 97). They open nothing, and they are *broken*: a `·` stands behind every fourth
character and every colon, and `(at)` for `@`, so that no scanner takes them for live ones. Mended, each is what its rule decides about (a test holds this);
`…` stands for the rest of a long one.

**Formats**: characters stand for themselves, `\\` before one that would mean more; `[…]` is a class; `{n}`, `{n,m}`, `{n,}` repeat the class before;
`(…)` encloses the secret where it is not the whole. `\\d` digits, `\\h` hex, `\\l` lower case and digits, `\\u` upper case and digits, `\\a` letters and
digits, `\\w` these and `_`, `\\s` these and `-`, `\\b` base64, `\\U` base64 for URLs.
";

/// What rules that are code look at, and what it is measured by.
#[rustfmt::skip]
const CODE: &[(&str, &str, &str)] = &[
    ("terraform-sensitive", "a path in `sensitive_attributes`, an output with `sensitive`", "https://developer.hashicorp.com/terraform/language/state/sensitive-data"),
    ("tainted", "a text of eight bytes or more that was found to be secret elsewhere, also inside a longer text", ""),
    ("oversize", "a string above 8 MiB, unseen", ""),
    ("provider-private", "`private` of an instance", "https://developer.hashicorp.com/terraform/plugin/framework/resources/private-state"),
    ("private-key", "PEM, OpenSSH, PGP and PuTTY blocks of private keys; public halves stay", "https://www.rfc-editor.org/rfc/rfc7468"),
    ("sensitive-key", "keys such as `db_password`, `apiKey`, `client_secret`, cut into words: what stands there goes whole", ""),
    ("suggestive-key", "a value that fits, under a key that suggests one (`token`, `auth`, `pin`)", ""),
    ("url-password", "user information of an address", "https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1"),
    ("url-parameter", "a parameter of an address whose name names a secret", "https://www.rfc-editor.org/rfc/rfc3986#section-3.4"),
    ("connection-string", "a value under a key that names a connection, and that cannot be read as one", ""),
    ("assignment", "`NAME=value`, `name: value`, options, statements and files of credentials in a longer text", ""),
    ("auth-header", "`Bearer`, `Basic` and their like with what follows", "https://www.rfc-editor.org/rfc/rfc9110#section-11.6.2"),
    ("jwt", "three or five parts, the first of which decodes to a header", "https://www.rfc-editor.org/rfc/rfc7519"),
    ("high-entropy", "20 or more token characters that look drawn: by charset, length and rarity of their letters", ""),
    ("email", "local part and domain", "https://www.rfc-editor.org/rfc/rfc5322#section-3.4.1"),
    ("phone", "E.164 and common national forms", "https://www.itu.int/rec/T-REC-E.164"),
    ("national-id", "identity, tax and insurance numbers of many countries, by form, name and check digits", ""),
    ("iban", "country, check digits (mod 97), account, with the country's length", "https://www.swift.com/standards/data-standards/iban-international-bank-account-number"),
    ("payment-card", "issuer's range, length and Luhn digit", "https://www.iso.org/standard/70484.html"),
    ("bank-account", "account and routing numbers under a key or word that says so; ABA's check digit", "https://www.aba.com/about-us/routing-number"),
    ("person-name", "names under keys and words that say so", ""),
    ("postal-address", "addresses under keys and words that say so", ""),
    ("birth-date", "dates under keys that say so", ""),
    ("private-ip", "RFC 1918, RFC 6598, link-local and unique local addresses and their networks", "https://www.rfc-editor.org/rfc/rfc1918"),
    ("undecidable", "a value that its stages cannot settle within their bounds", ""),
];

/// Longest example that is shown whole, characters.
const EXAMPLE_MAX: usize = 64;
/// Formats of one family that are shown.
const FORMATS_MAX: usize = 3;

/// Prints the page.
#[expect(clippy::print_stdout, reason = "the command line's own voice")]
pub fn run(rules: &RuleSet) -> anyhow::Result<ExitCode> {
    print!("{}", page(rules));
    Ok(ExitCode::SUCCESS)
}

/// The whole page.
pub fn page(rules: &RuleSet) -> String {
    let (families, code): (Vec<RuleIx>, Vec<RuleIx>) =
        rules.rules().map(|(ix, _)| ix).partition(|ix| !rules.formats(*ix).is_empty());
    let built_in =
        BUILT_IN.replace("$FAMILIES", &families.len().to_string()).replace("$CODE", &code.len().to_string());
    let mut page = format!("{PREAMBLE}{built_in}");
    let mut families: Vec<RuleIx> = families;
    families.sort_by(|a, b| rules.rule(*a).id.cmp(&rules.rule(*b).id));
    for (title, list) in [("Rules that are code", code), ("Families", families)] {
        let _ = write!(
            page,
            "\n### {title}\n\n| rule | what | format | example | category | action | priority | source |\n|---|---|---|---|---|---|---|---|\n"
        );
        for ix in list {
            let _ = writeln!(page, "{}", row(rules, ix));
        }
    }
    page
}

fn row(rules: &RuleSet, ix: RuleIx) -> String {
    let info = rules.rule(ix);
    let code = CODE.iter().find(|(id, ..)| *id == info.id);
    let formats = rules.formats(ix);
    let format = match code {
        Some((_, looks, _)) => (*looks).to_owned(),
        None => {
            let mut shown: Vec<String> = formats.iter().take(FORMATS_MAX).map(|f| verbatim(f)).collect();
            if formats.len() > FORMATS_MAX {
                shown.push(format!("and {} more", formats.len() - FORMATS_MAX));
            }
            shown.join(" ")
        }
    };
    let source = code.map_or(info.source, |(.., source)| source);
    let source = if source.is_empty() { "–".to_owned() } else { format!("<{source}>") };
    let action = match info.action {
        Action::Redact => "redact",
        Action::Hash => "hash",
        Action::Allow => "allow",
    };
    let standing = if info.protected { " (protected)" } else { "" };
    format!(
        "| `{}` | {} | {format} | {} | {} | {action}{standing} | {} | {source} |",
        info.id,
        info.name,
        example(rules, ix),
        info.category.as_str(),
        info.priority
    )
}

fn example(rules: &RuleSet, ix: RuleIx) -> String {
    let Some(example) = rules.example(ix) else { return "–".to_owned() };
    let broken = broken(&example.text);
    match example.key {
        Some(key) => format!("{} under `{key}`", verbatim(&broken)),
        None => verbatim(&broken),
    }
}

/// A dot behind every fourth character and every colon, `(at)` for `@`; what is long is cut.
pub fn broken(text: &str) -> String {
    let mut out = String::new();
    for (at, c) in text.replace('\n', " ").chars().enumerate() {
        if at == EXAMPLE_MAX {
            out.push('…');
            break;
        }
        if at > 0 && (at % 4 == 0 || out.ends_with(':')) {
            out.push('·');
        }
        match c {
            '@' => out.push_str("(at)"),
            c => out.push(c),
        }
    }
    out
}

/// Code within a cell of a table.
fn verbatim(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use terrasift_engine::detect::{KeyVerdict, Scratch};

    use super::*;

    /// `UPDATE_GOLDEN=1` (`make golden`) writes the page anew.
    #[test]
    fn the_page_of_rules_is_what_the_rules_say() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
        let page = page(&RuleSet::builtin());
        #[expect(clippy::disallowed_methods, reason = "golden files are written on demand")]
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::write(&path, &page).expect("the page is writable");
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(golden == page, "docs/rules.md is stale: run `make golden` and read the difference");
    }

    #[test]
    fn every_rule_is_described() {
        let rules = RuleSet::builtin();
        let mut families = 0;
        for (ix, info) in rules.rules() {
            let code = CODE.iter().any(|(id, ..)| *id == info.id);
            assert!(
                code == rules.formats(ix).is_empty(),
                "{}: described once, by a format or in words",
                info.id
            );
            families += usize::from(!code);
        }
        assert!(families >= 250, "{families} families");
        assert_eq!(rules.rules().count(), families + CODE.len());
    }

    /// The sanitizer itself reads the page, line by line and cell by cell, and finds nothing to redact.
    #[test]
    fn nothing_on_the_page_looks_live() {
        let rules = RuleSet::builtin();
        let (mut scratch, mut hits) = (Scratch::default(), Vec::new());
        let page = page(&rules);
        let (_, tables) = page.split_once("### Rules that are code").expect("tables");
        for line in tables.lines() {
            for text in line.split(" | ").chain([line]) {
                rules.inspect(text, KeyVerdict::Plain, &mut scratch, &mut hits);
                let said: Vec<_> =
                    hits.iter().map(|hit| (&rules.rule(hit.rule).id, &text[hit.start..hit.end])).collect();
                assert!(said.is_empty(), "{said:?} in {line}");
            }
        }
    }
}
