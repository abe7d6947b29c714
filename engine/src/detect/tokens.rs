//! Tokens: those with an exact format, web tokens, and those that only look drawn.

use super::encoded::FOR_URLS;

use super::families::Proof;
use super::inspect::{Search, Seen};
use super::json::{self, PairPart};
use super::key_cache::KeyCache;
use super::rarity::{self, Invitation};
use super::{Hint, KeyVerdict, encoded, parted, structural as rule, value_span, wrapped};

/// Shortest run of token characters that is judged without a telling key.
const DRAWN_MIN: usize = 20;

/// Confirms one shape whose window stands at `at`.
pub(super) fn shape(
    search: &mut Search<'_>,
    text: &str,
    shape: u16,
    at: usize,
    back: usize,
    seen: &mut Seen,
) {
    let Some(start) = at.checked_sub(back) else { return };
    let rules = search.rules;
    let row = &rules.core.shapes[usize::from(shape)];
    if (seen.shape.0 + 1..seen.shape.1).contains(&start) && row.open_ended {
        // Inside a token already taken: an open-ended shape could be restarted at every byte of it.
        return;
    }
    let matched = match row.shape.match_at(text.as_bytes(), start) {
        Ok(matched) => matched,
        Err(read) => {
            search.spend(read);
            return;
        }
    };
    let (from, to) = matched.inner;
    let secret = &text.as_bytes()[from..to];
    if row.proof == Proof::Drawn && !rarity::drawn(strip(secret), Invitation::Key) {
        return;
    }
    seen.shape = (start, matched.end);
    if within_public(search, text.as_bytes(), start, matched.end) {
        return;
    }
    search.push(from, to, row.rule);
}

/// Part of a line of a certificate or a public key: drawn bytes in base64 look like anything by chance.
fn within_public(search: &Search<'_>, bytes: &[u8], start: usize, end: usize) -> bool {
    let glued = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'));
    search.scratch.quiet.iter().any(|q| q.0 <= start && end <= q.1)
        && glued(start.checked_sub(1).and_then(|at| bytes.get(at)))
        && glued(bytes.get(end))
}

/// A weak prefix does not count when the rest is judged.
fn strip(token: &[u8]) -> &[u8] {
    let head = token.iter().take(4).position(|b| matches!(b, b'-' | b'_' | b'.')).map_or(0, |n| n + 1);
    &token[head..]
}

fn web(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'-' || b == b'_'
}

/// A JSON Web Token (RFC 7519) or its encrypted form: the first part decodes to a header. Returns where reading ended.
pub(super) fn jwt(search: &mut Search<'_>, text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let run = |from: usize| from + bytes[from..].iter().take_while(|b| web(**b)).count();
    let head = run(at);
    if bytes.get(head) != Some(&b'.') || head - at < 12 {
        return head;
    }
    let Some(header) = encoded::tolerant(&FOR_URLS, &bytes[at..head]) else { return head };
    let telling = [&b"\"alg\""[..], b"\"typ\"", b"\"enc\"", b"\"kid\""];
    if header.first() != Some(&b'{') || !telling.iter().any(|t| memchr::memmem::find(&header, t).is_some()) {
        return head;
    }
    let mut end = run(head + 1);
    if end - head < 8 {
        return head;
    }
    while bytes.get(end) == Some(&b'.') && run(end + 1) > end + 1 {
        end = run(end + 1);
    }
    search.push(at, end, rule::JWT);
    end
}

/// By table: long runs are read byte by byte.
#[inline]
#[expect(clippy::as_conversions, reason = "constants are made of constants")]
pub(super) fn token_byte(b: u8) -> bool {
    const TOKEN: [bool; 256] = {
        let mut table = [false; 256];
        let mut at = 0;
        let bytes = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/_=-";
        while at < bytes.len() {
            table[bytes[at] as usize] = true;
            at += 1;
        }
        table
    };
    TOKEN[usize::from(b)]
}

/// The next run of twenty or more token characters from a place on: each twentieth byte is probed, since no such run fits
/// between two probes.
#[inline]
fn long_run(bytes: &[u8], from: usize) -> Option<(usize, usize)> {
    let mut probe = from + DRAWN_MIN - 1;
    while probe < bytes.len() {
        if token_byte(bytes[probe]) {
            let start = probe - bytes[from..probe].iter().rev().take_while(|b| token_byte(**b)).count();
            let end = probe + bytes[probe..].iter().take_while(|b| token_byte(**b)).count();
            if end - start >= DRAWN_MIN {
                return Some((start, end));
            }
            probe = end;
        }
        probe += DRAWN_MIN;
    }
    None
}

/// Whether there is such a run.
pub(super) fn has_long_run(bytes: &[u8]) -> bool {
    long_run(bytes, 0).is_some()
}

/// Addresses of resources and digests: nothing in them was drawn to be secret. A text that goes on behind one is none.
#[inline]
pub(super) fn addressed(text: &[u8]) -> bool {
    let address = match text.first() {
        Some(b'a') => text.starts_with(b"arn:"),
        Some(b'p') => text.starts_with(b"projects/"),
        Some(b'/') => text.starts_with(b"/subscriptions/"),
        Some(b'o') => text.starts_with(b"organizations/"),
        Some(b's') => text.starts_with(b"sha256:"),
        Some(b'h') => text.starts_with(b"https://www.googleapis.com/"),
        _ => false,
    };
    address
        && memchr::memchr3(b' ', b'"', b'\'', text).is_none()
        && memchr::memchr3(b'\n', b'\t', b'\r', text).is_none()
        && memchr::memchr(b'\x0c', text).is_none()
}

/// Whether [`runs`] may find something in this run of token characters that is no digest: it can be opened, or
/// (`drawable`) it may look drawn.
#[inline]
pub(super) fn open_to_judgement(text: &[u8], start: usize, end: usize, drawable: bool) -> bool {
    let run = &text[start..end];
    if uuid(run) {
        return false;
    }
    let vault =
        matches!(run.len(), 24..=26) && start >= 2 && matches!(&text[start - 2..start], b"s." | b"b.");
    drawable || vault || encoded::may_open(run)
}

/// All long runs of the text: encoded text is opened, the rest is judged. `decoded`: the text was searched without its
/// percent-encoding already, so that a run beside an escape is only a part of what was seen there.
pub(super) fn runs(search: &mut Search<'_>, text: &str, hint: Hint, level: u8, decoded: bool) {
    let bytes = text.as_bytes();
    let Some(mut next) = long_run(bytes, 0) else { return };
    let addressed = addressed(bytes)
        || search.rules.core.vault.find(bytes).is_some()
            && !bytes.iter().any(|b| b.is_ascii_whitespace() || matches!(b, b'"' | b'\''));
    if addressed {
        return;
    }
    let inviting = matches!(hint, Hint::Secret(_) | Hint::Service(_) | Hint::Rare | Hint::Connection(_));
    loop {
        let (at, end) = next;
        let loud = !search.scratch.quiet.iter().any(|q| q.0 <= at && end <= q.1);
        // Digests and revisions: most long runs of a state.
        let digest = || {
            !inviting
                && parted::begin(bytes, at, end).is_none()
                && (at == 0 || bytes[at - 1] != b'*')
                && bytes[at..end].iter().all(u8::is_ascii_hexdigit)
        };
        let beside_escape = decoded && (at > 0 && bytes[at - 1] == b'%' || bytes.get(end) == Some(&b'%'));
        let mut behind = end;
        if loud && !digest() && !beside_escape {
            match wrapped::block(bytes, at, end) {
                Some(reach) if block(search, text, (at, end), reach, hint, level) => behind = reach,
                Some(_) => {}
                None if encoded::base64(search, text, at, end, level) => {}
                None => judge(search, bytes, at, end, hint),
            }
        }
        match long_run(bytes, behind) {
            Some(run) => next = run,
            None => return,
        }
    }
}

/// Lines of encoded text: opened as one, or drawn as one. `true`: decided up to `reach`.
fn block(
    search: &mut Search<'_>,
    text: &str,
    first: (usize, usize),
    reach: usize,
    hint: Hint,
    level: u8,
) -> bool {
    if encoded::lines(search, text, first, reach, level) {
        return true;
    }
    let kept = search.scratch.found.len();
    if !encoded::base64(search, text, first.0, first.1, level) {
        judge(search, text.as_bytes(), first.0, first.1, hint);
    }
    let whole = search.scratch.found[kept..]
        .iter()
        .any(|f| f.rule == rule::ENTROPY && f.start == first.0 && f.end == first.1);
    let whole = whole && !wrapped::ends_in_a_word(&text.as_bytes()[first.1..reach]);
    if whole {
        search.push(first.0, reach, rule::ENTROPY);
    }
    whole
}

/// What stands before a digest, or what is published or named by its content, and says so.
#[rustfmt::skip]
const DIGEST_HEADS: &[&str] =
    &["sha1:", "sha256:", "sha384:", "sha512:", "md5:", "h1:", "zh:", "SHA256:", "urn:", "ami-", "key/", "amazonses:",
    "k=ed25519; p=", "|1|", "ipfs://", "257 3 13 ", "256 3 13 ", "257 3 8 ", "256 3 8 "];

/// Paths to what is named by its content, or open to whom it is shared with.
const NAMED_PATHS: &[&[u8]] =
    &[b"nix/store/", b"/document/d/", b"/spreadsheets/d/", b"/file/d/", b"drive/folders/", b"/ipfs/"];

/// A name before a token, or its own head, says that it is a digest.
fn is_digest(before: &[u8], token: &[u8]) -> bool {
    DIGEST_HEADS.iter().any(|head| before.ends_with(head.as_bytes()))
        || [&b"sha256-"[..], b"sha384-", b"sha512-", b"sha1-"].iter().any(|head| token.starts_with(head))
        || NAMED_PATHS.iter().any(|path| memchr::memmem::find(token, path).is_some())
}

fn judge(search: &mut Search<'_>, bytes: &[u8], start: usize, end: usize, hint: Hint) {
    let invited = match hint {
        Hint::Public | Hint::Version => return,
        Hint::Secret(_) | Hint::Service(_) | Hint::Rare | Hint::Connection(_) => Invitation::Key,
        _ => Invitation::None,
    };
    // `name=value` and `//user` are read along: the value is what is judged.
    let padding = bytes[start..end].iter().rev().take_while(|b| **b == b'=').count();
    let name = bytes[start..end - padding].iter().rposition(|b| *b == b'=').map_or(0, |n| n + 1);
    let announced = start + name;
    let slashes = bytes[announced..end].iter().take_while(|b| **b == b'/').count();
    // A padded base64 text may itself begin with a slash.
    let start = if slashes == 1 && padding > 0 && (end - announced).is_multiple_of(4) {
        announced
    } else {
        announced + slashes
    };
    if let Some(from) = parted::begin(bytes, start, end) {
        search.push(from, end, rule::ENTROPY);
        return;
    }
    let token = &bytes[start..end];
    // Vault's tokens before 1.10: `s.` or `b.` and 24 characters.
    let vault = matches!(token.len(), 24..=26)
        && start >= 2
        && matches!(&bytes[start - 2..start], b"s." | b"b.")
        && (start == 2 || !bytes[start - 3].is_ascii_alphanumeric());
    let invited = if vault { Invitation::Key } else { invited };
    if is_digest(&bytes[..announced], token)
        || public_key(token)
        || uuid(token)
        || identifier(token, &bytes[end..])
        || issuer(bytes, start, end)
        || oracle(&bytes[..start])
        || hashed_host(&bytes[..announced])
        || token.ends_with(b"-s3alias")
    {
        return;
    }
    if vault && rarity::drawn(token, invited) {
        search.push(start - 2, end, rule::ENTROPY);
        return;
    }
    if named_public(&mut search.scratch.names, bytes, announced) {
        return;
    }
    let mixed = token.iter().any(u8::is_ascii_lowercase) && token.iter().any(u8::is_ascii_uppercase);
    // `main_OsDisk_1_8d1f…`: a name and a digest; each part is judged for itself.
    let digest =
        |part: &[u8]| part.len() >= 32 && part.iter().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'));
    let steps = token.contains(&b'/') && token.split(|b| *b == b'/').any(okta);
    let named = invited == Invitation::None && token.split(|b| matches!(b, b'-' | b'_')).any(digest);
    if mixed && !named && !token.contains(&b'/') && rarity::drawn(token, invited) {
        search.push(start, end, rule::ENTROPY);
        return;
    }
    if mixed && !steps && base64_like(token) && rarity::drawn(token, invited) {
        search.push(start, end, rule::ENTROPY);
        return;
    }
    let mut from = start;
    for part in token.split(|b| matches!(b, b'/' | b'-' | b'_' | b'=')) {
        // `artifacts/f731790f…/bundle.tar.gz` under `key`: a revision in the name of an object.
        let revision = hint == Hint::Rare && token.contains(&b'/') && digest(part) || steps && okta(part);
        if !revision && rarity::drawn(part, if part.len() >= 16 { invited } else { Invitation::None }) {
            search.push(from, from + part.len(), rule::ENTROPY);
        }
        from += part.len() + 1;
    }
}

/// Slashes as base64 has them, and not as paths have them: little of it is words, which some parts look like by chance.
fn base64_like(token: &[u8]) -> bool {
    // Padding to whole groups tells base64 by itself.
    let padded = token.ends_with(b"=") && token.len().is_multiple_of(4);
    let (short, share) = if padded { (8, 4) } else { (4, 8) };
    let word = |part: &&[u8]| part.len() >= short && rarity::familiarity(part) >= 60;
    let words: usize = token.split(|b| *b == b'/').filter(word).map(<[u8]>::len).sum();
    !token.contains(&b'-') && !token.contains(&b'_') && words * share <= token.len()
}

/// Public halves in OpenSSH's encoding begin with the length and name of their type.
fn public_key(token: &[u8]) -> bool {
    [&b"AAAAB3NzaC1"[..], b"AAAAC3NzaC1", b"AAAAE2VjZHNh", b"AAAAGnNrLXNz", b"AAAAInNrLWVj"]
        .iter()
        .any(|h| token.starts_with(h))
}

/// Identifiers that look drawn because they are, and open nothing.
fn identifier(token: &[u8], behind: &[u8]) -> bool {
    let cut = token.iter().position(|b| *b == b'-').unwrap_or(token.len());
    let (kind, rest) = (&token[..cut], token.get(cut + 1..).unwrap_or_default());
    // HCP Terraform's external ids: a kind and 16 characters.
    let terraform = rest.len() == 16
        && (2..=8).contains(&kind.len())
        && kind.iter().all(u8::is_ascii_lowercase)
        && rest.iter().all(u8::is_ascii_alphanumeric);
    // ULID: 48 bits of time, 80 drawn bits, in Crockford's alphabet; begins with 0 to 7.
    let ulid = token.len() == 26
        && matches!(token[0], b'0'..=b'7')
        && token.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase() && !b"ILOU".contains(b));
    // age's recipients: Bech32 (BIP 173) of a public key.
    let age = token.len() == 62
        && token.starts_with(b"age1")
        && token[4..].iter().all(|b| b"qpzry9x8gf2tvdw0s3jn54khce6mua7l".contains(b));
    let publishable = token.starts_with(b"pk_live_") || token.starts_with(b"pk_test_");
    let client = behind.starts_with(b".apps.googleusercontent.com");
    unique_id(token)
        || terraform
        || ulid
        || age
        || okta(token)
        || publishable
        || client
        || label(token, behind)
}

/// `terraform-20250121054133123400000001`: what Terraform names things that have no name (helper/id of its plugin SDK).
pub(super) fn unique_id(token: &[u8]) -> bool {
    token
        .strip_prefix(b"terraform-")
        .is_some_and(|rest| rest.len() >= 18 && rest.iter().all(u8::is_ascii_hexdigit))
}

/// Okta's ids of groups, users, applications, servers: a kind and base62, of twenty characters in all.
fn okta(token: &[u8]) -> bool {
    token.len() == 20
        && [&b"00g"[..], b"00u", b"00o", b"0oa", b"aus", b"00p", b"0pr", b"exk", b"fs0", b"aln"]
            .iter()
            .any(|head| token.starts_with(head))
        && token.iter().all(u8::is_ascii_alphanumeric)
}

/// What stands behind the last slash of a path.
fn last_step(token: &[u8]) -> Option<&[u8]> {
    token.iter().rposition(|b| *b == b'/').map(|at| &token[at + 1..])
}

/// The name of a host in `known_hosts`, hashed: `|1|<salt>|<hash>` (sshd(8)).
fn hashed_host(before: &[u8]) -> bool {
    const SALT_BYTES: usize = 28;
    let near = &before[before.len().saturating_sub(SALT_BYTES + 4)..];
    near.last() == Some(&b'|') && near.starts_with(b"|1|") && near.len() == SALT_BYTES + 4
}

/// Oracle Cloud's ids: `ocid1.<type>.<realm>.<region>.<id>`.
fn oracle(before: &[u8]) -> bool {
    let near = &before[before.len().saturating_sub(64)..];
    let name = near.iter().rev().take_while(|b| b.is_ascii_alphanumeric() || b".-".contains(b)).count();
    let name = &near[near.len() - name..];
    name.last() == Some(&b'.') && name.len() > 6 && name[..6].eq_ignore_ascii_case(b"ocid1.")
}

/// The first label of a host name that goes on behind it: `search-logs-x7k….us-east-1.es.amazonaws.com`.
fn label(token: &[u8], behind: &[u8]) -> bool {
    let letters = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-';
    let len = behind.iter().take(128).take_while(|b| letters(b) || **b == b'.').count();
    let rest = &behind[..len];
    let top = rest.rsplit(|b| *b == b'.').next().unwrap_or(rest);
    token.iter().all(letters)
        && rest.first() == Some(&b'.')
        && rest.iter().filter(|b| **b == b'.').count() >= 2
        && matches!(top, b"com" | b"net" | b"org" | b"io" | b"dev" | b"app" | b"cloud")
}

/// An EKS cluster's OpenID issuer ends in 32 capitals and digits that name it: `oidc.eks.….amazonaws.com/id/…`.
fn issuer(bytes: &[u8], start: usize, end: usize) -> bool {
    let token = &bytes[start..end];
    let id = last_step(token).unwrap_or(token);
    let near = &bytes[start.saturating_sub(48)..end - id.len()];
    id.len() == 32
        && id.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
        && near.ends_with(b"/id/")
        && memchr::memmem::find(near, b"oidc.eks.").is_some()
}

/// A name before the value says that it is public: `CODE_SHA256=…`, `--etag …`, `ENV DIGEST …`, `"version": "…"`.
fn named_public(names: &mut KeyCache, bytes: &[u8], start: usize) -> bool {
    matches!(name_before(names, bytes, start), Some(Hint::Public | Hint::Version))
}

/// What the name before a value in a text suggests.
pub(super) fn name_before(names: &mut KeyCache, bytes: &[u8], start: usize) -> Option<Hint> {
    let near = &bytes[start.saturating_sub(96)..start];
    // The quote of a weak entity tag stands behind its sign.
    let quotes = near.iter().rev().take_while(|b| matches!(b, b'"' | b'\\')).count();
    let near = near[..near.len() - quotes].strip_suffix(b"W/").unwrap_or(near);
    let mut name = word_before(near)?;
    if json::pair_part(std::str::from_utf8(&near[name.0..name.1]).ok()?) == Some(PairPart::Value) {
        // `- name: CODE_SHA256` on the line before `value: …`.
        name = word_before(near[..name.0].trim_ascii_end())?;
    }
    // A name that the window cuts is not known.
    if name.0 == 0 && start > near.len() {
        return None;
    }
    let name = std::str::from_utf8(&near[name.0..name.1]).ok()?;
    // RFC 7517: the public members of a key.
    if matches!(name, "x" | "y" | "n" | "e") && memchr::memmem::find(bytes, b"kty").is_some() {
        return Some(Hint::Public);
    }
    match names.classify(name.trim_start_matches('-')) {
        KeyVerdict::Context(context) => Some(context.hint),
        _ => None,
    }
}

/// The name at the end of a text, in front of quotes and one sign.
fn word_before(near: &[u8]) -> Option<(usize, usize)> {
    let skip = |near: &[u8]| {
        let mut end = near.len();
        loop {
            let before = end;
            end -= near[..end].iter().rev().take_while(|b| b" \t\"'\\".contains(b)).count();
            // The same, percent-encoded.
            if [&b"%20"[..], b"%22", b"%27"].iter().any(|escape| near[..end].ends_with(escape)) {
                end -= 3;
            }
            if end == before {
                return end;
            }
        }
    };
    let value = skip(near);
    let sign = near[..value].last().is_some_and(|b| matches!(b, b'=' | b':' | b'>' | b','));
    let escaped = [&b"%3D"[..], b"%3A"].iter().any(|escape| near[..value].ends_with(escape));
    let end = skip(&near[..value - if escaped { 3 } else { usize::from(sign) }]);
    let len = near[..end].iter().rev().take_while(|b| value_span::name_byte(**b)).count();
    (len > 0).then_some((end - len, end))
}

/// RFC 9562: 8-4-4-4-12.
pub(super) fn uuid(token: &[u8]) -> bool {
    token.len() == 36
        && token.iter().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}
