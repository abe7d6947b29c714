//! Blocks between `-----BEGIN` and `-----END`: private ones go whole, public ones are left in peace.

use super::inspect::Search;
use super::structural as rule;

/// Labels that are secret (RFC 7468, OpenPGP, SSH2, PuTTY).
fn private(label: &str) -> bool {
    label.contains("PRIVATE KEY")
        || label.contains("OPENSSH KEY")
        || label.contains("SECRET KEY")
        || label.contains("Static key")
        || label.contains("NKEY SEED")
}

/// Finds all blocks. Public ones are noted as quiet, so that their base64 is not called drawn.
pub(super) fn search(search: &mut Search<'_>, text: &str) {
    let mut from = 0;
    while let Some(at) = memchr::memmem::find(&text.as_bytes()[from..], b"BEGIN ") {
        let begin = from + at;
        from = begin + 6;
        let dashes = text[..begin].bytes().rev().take_while(|b| matches!(b, b'-' | b' ')).count();
        if !text[..begin].ends_with('-') && !text[..begin].ends_with("- ") || dashes < 4 {
            continue;
        }
        let rest = &text[from..];
        let Some(label_end) = rest.find("----").filter(|n| *n <= 64) else { continue };
        let label = rest[..label_end].trim_end_matches([' ', '-']);
        // A pattern that looks for keys: `BEGIN (RSA |EC )?PRIVATE KEY`.
        if label.contains(['(', '[', '|', '?', '*', '\\']) {
            continue;
        }
        let start = begin - dashes;
        let end = match closing(text, from + label_end, label) {
            Some(end) => end,
            None => from + label_end + body(&text[from + label_end..]),
        };
        if !search.spend(end - begin) {
            return;
        }
        if private(label) {
            search.push(start, end, rule::PRIVATE_KEY);
        } else {
            search.scratch.quiet.push((start, end));
        }
        from = end.max(from);
    }
    vaults(search, text);
    // `PuTTY-User-Key-File-3: ssh-ed25519`: nothing of the key stands before the colon.
    if let Some(start) = text.find("PuTTY-User-Key-File-").filter(|start| text[*start..].contains(':')) {
        let end = text[start..].find("Private-MAC:").map_or(text.len(), |n| {
            let mac = start + n + "Private-MAC:".len();
            mac + text[mac..].bytes().take_while(|b| b.is_ascii_hexdigit() || *b == b' ').count()
        });
        search.push(start, end, rule::PRIVATE_KEY);
    }
}

/// What Ansible Vault encrypted: a header, and lines of hexadecimal digits that a weak password opens
/// (docs.ansible.com, "Format of files encrypted with Ansible Vault").
fn vaults(search: &mut Search<'_>, text: &str) {
    const HEADER: &str = "$ANSIBLE_VAULT;";
    let mut from = 0;
    while let Some(start) = text[from..].find(HEADER).map(|at| from + at) {
        let line = text[start..].find('\n').map_or(text.len(), |at| start + at);
        let digits = |b: &u8| b.is_ascii_hexdigit() || b.is_ascii_whitespace();
        let end = line + text.as_bytes()[line..].iter().take_while(|b| digits(b)).count();
        let end = start + text[start..end].trim_ascii_end().len();
        if !search.spend(end - start) {
            return;
        }
        if end > line {
            search.push(line + 1, end, rule::PRIVATE_KEY);
        }
        from = end.max(start + HEADER.len());
    }
}

/// Whether the whole text is one private block: nothing else that could be found in it would be left (`resolve.rs`), so
/// nothing else is looked for. What is found is kept only then.
pub(super) fn whole(search: &mut Search<'_>, text: &str) -> bool {
    if search.scratch.thorough || search.scratch.witness.is_some() || !text.starts_with("-----BEGIN ") {
        return false;
    }
    let (found, quiet, fuel) = (search.scratch.found.len(), search.scratch.quiet.len(), search.scratch.fuel);
    self::search(search, text);
    let is_whole = matches!(
        search.scratch.found[found..],
        [block] if block.rule == rule::PRIVATE_KEY
            && block.start == 0
            && text.as_bytes()[block.end..].trim_ascii_start().is_empty()
    );
    if !is_whole {
        search.scratch.found.truncate(found);
        search.scratch.fuel = fuel;
    }
    search.scratch.quiet.truncate(quiet);
    is_whole
}

/// Offset behind the END line of this label.
fn closing(text: &str, from: usize, label: &str) -> Option<usize> {
    let mut at = from;
    loop {
        let end = at + text[at..].find("END ")?;
        let rest = &text[end + 4..];
        if rest.starts_with(label) {
            let behind = end + 4 + label.len();
            return Some(
                behind + text[behind..].bytes().take(6).take_while(|b| matches!(b, b'-' | b' ')).count(),
            );
        }
        at = end + 4;
    }
}

/// Length of what can be the body of a block without an end.
fn body(rest: &str) -> usize {
    rest.bytes()
        .take_while(|b| b.is_ascii_alphanumeric() || b.is_ascii_whitespace() || b"+/=-:,.\\()<>_".contains(b))
        .count()
}

#[cfg(test)]
mod tests {
    use crate::detect::{KeyVerdict, RuleSet, Scratch};

    /// The slow twin searches a private block as it searches everything.
    #[test]
    fn a_text_that_is_one_block_comes_out_as_if_it_were_searched() {
        let rules = RuleSet::builtin();
        let block =
            |label: &str, body: &str| format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----");
        let body = "Zk3qXv9LmT0wRb7YhU2cNd5gAKIA12\nada@example.com +49 151 23456789\n[REDACTED:pii] a/b+c=";
        let key = block("RSA PRIVATE KEY", body);
        let mut texts = vec![
            key.clone(),
            format!("{key}\n"),
            format!("{key} \n\t\n"),
            format!("{key}\nada@example.com"),
            format!("{key}\n{}", block("CERTIFICATE", body)),
            format!("{key}\n{}\n", block("PRIVATE KEY", body)),
            format!("{}\n{key}", block("PUBLIC KEY", body)),
            format!("\n{key}"),
            key.replace("END RSA", "END"),
            key.replace("RSA PRIVATE", "PUBLIC"),
            "-----BEGIN PRIVATE KEY-----".to_owned(),
            "-----BEGIN ada@example.com PRIVATE KEY".to_owned(),
            "PuTTY-User-Key-File-3".to_owned(),
            "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\nZk3qXv9L\nPrivate-MAC: 0a1b".to_owned(),
        ];
        texts.extend((1..key.len()).step_by(7).map(|end| key[..end].to_owned()));
        for text in &texts {
            for key in [KeyVerdict::Plain, rules.classify_key("etag"), rules.classify_key("auth_data")] {
                let found = |mut scratch: Scratch| {
                    let mut hits = Vec::new();
                    rules.inspect(text, key, &mut scratch, &mut hits);
                    hits
                };
                assert_eq!(found(Scratch::default()), found(Scratch::thorough()), "{text}");
            }
        }
    }
}
