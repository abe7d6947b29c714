//! Owns the judgement: a state, what the sanitizer made of it, and what that means for everything planted.
//! It must never trust the sanitizer's report for whether something went: only the bytes count. The report says which rule it was.

use super::leaf::Spot;
use super::{Fate, PlantedState};
use crate::generator::Canary;
use crate::leak_search::LeakSearch;
use std::collections::HashMap;

/// Shortest secret that is looked for in the whole output: shorter ones can stand there by chance.
const SEARCHED_FROM_BYTES: usize = 12;

/// One line of the sanitizer's report.
pub struct RuleAt<'a> {
    /// Pointer into the output.
    pub pointer: &'a str,
    /// Rule that decided.
    pub rule: &'a str,
}

/// What became of one state.
#[derive(Debug, Default)]
pub struct Judgement {
    /// For each thing planted that was judged: number in the ledger, and whether its fate was met.
    pub fates: Vec<(usize, bool)>,
    /// Secrets that still stand.
    pub missed: Vec<Case>,
    /// Look-alikes that changed.
    pub changed: Vec<Case>,
    /// Values in which nothing is planted and that changed all the same.
    pub strays: Vec<Case>,
    /// Keys, strings, numbers and literals of the state.
    pub tokens: usize,
    /// Those without a secret.
    pub tokens_without_secret: usize,
    /// Those without a secret that changed.
    pub tokens_changed: usize,
    /// Bytes around secrets in the same value, whatever is in a base64 coat left out.
    pub context_bytes: usize,
    /// Of these, how many went too.
    pub context_lost: usize,
    /// Values of which more than the secret went.
    pub overdone: Vec<Case>,
}

/// One thing that went wrong.
#[derive(Debug, Clone, Default)]
pub struct Case {
    /// Number in the ledger, if anything is planted there.
    pub id: Option<usize>,
    /// Where, in the output; empty when it is not known.
    pub pointer: String,
    /// Why, or which rules.
    pub reason: String,
    /// The value before: drawn, opens nothing.
    pub before: String,
    /// The value after.
    pub after: String,
}

/// Compares.
///
/// # Errors
/// When the output is not the state with texts replaced: what differs, and at which token.
pub fn judge(state: &PlantedState, output: &[u8], report: &[RuleAt<'_>]) -> Result<Judgement, String> {
    let mut rules: HashMap<&str, Vec<&str>> = HashMap::new();
    for at in report {
        rules.entry(at.pointer).or_default().push(at.rule);
    }
    let mut made = Judgement::default();
    let (mut before, mut after) = (Tokens::new(&state.bytes), Tokens::new(output));
    let mut readable = String::new();
    let nothing = Vec::new();
    loop {
        let (old, new) = (before.next(), after.next());
        let (Some(old), Some(new)) = (old, new) else {
            if old.is_some() || new.is_some() {
                return Err(format!("the output ends elsewhere, near token {}", made.tokens));
            }
            break;
        };
        let spots = state.spots.get(&made.tokens).unwrap_or(&nothing);
        made.tokens += 1;
        let new_text = decoded(new)?;
        if !spots.is_empty() || old != new {
            let context = Context { state, spots, after: &after, rules: &rules };
            context.token(&decoded(old)?, &new_text, &mut made);
        }
        let secret = spots.iter().any(|spot| state.planted[spot.id].fate == Fate::Goes);
        made.tokens_without_secret += usize::from(!secret);
        readable.push_str(&new_text);
        readable.push('\0');
    }
    search(state, output, &readable, &mut made);
    Ok(made)
}

/// Looks for every secret in the whole output, in every form.
fn search(state: &PlantedState, output: &[u8], readable: &str, made: &mut Judgement) {
    let mut ids = Vec::new();
    let mut canaries = Vec::new();
    for (id, planted) in state.planted.iter().enumerate() {
        if planted.fate == Fate::Goes && planted.text.len() >= SEARCHED_FROM_BYTES {
            ids.push(id);
            canaries.push(Canary {
                text: planted.text.clone(),
                family: planted.family,
                category: "planted",
                place: "",
            });
        }
    }
    let mut search = LeakSearch::new(&canaries);
    search.look(output, "the output");
    search.look(readable.as_bytes(), "the output");
    for leak in search.leaks() {
        let id = ids[leak.canary];
        if !made.missed.iter().any(|case| case.id == Some(id)) {
            let reason = "its text stands elsewhere in the output".to_owned();
            made.missed.push(Case { id: Some(id), reason, ..Case::default() });
        }
    }
}

struct Context<'a> {
    state: &'a PlantedState,
    spots: &'a [Spot],
    after: &'a Tokens<'a>,
    rules: &'a HashMap<&'a str, Vec<&'a str>>,
}

impl Context<'_> {
    fn case(&self, id: Option<usize>, old: &str, new: &str) -> Case {
        let pointer = self.after.pointer();
        let mut rules = self.rules.get(pointer.as_str()).cloned().unwrap_or_default();
        rules.sort_unstable();
        rules.dedup();
        Case { id, pointer, reason: rules.join("+"), before: old.to_owned(), after: new.to_owned() }
    }

    fn token(&self, old: &str, new: &str, made: &mut Judgement) {
        let kept = kept(new);
        let goes: Vec<Spot> = self
            .spots
            .iter()
            .copied()
            .filter(|spot| self.state.planted[spot.id].fate == Fate::Goes)
            .collect();
        let uncovered = uncovered(old, &kept, &goes);
        for spot in self.spots {
            let planted = &self.state.planted[spot.id];
            let text = &old[spot.start..spot.end];
            let fine = match planted.fate {
                Fate::Goes => !uncovered.contains(&spot.id),
                Fate::Stays => kept.iter().any(|kept| kept.contains(text)),
            };
            made.fates.push((spot.id, fine));
            if fine {
                continue;
            }
            let case = self.case(Some(spot.id), old, new);
            match planted.fate {
                Fate::Goes => made.missed.push(case),
                Fate::Stays => made.changed.push(case),
            }
        }
        if goes.is_empty() {
            if old != new {
                made.tokens_changed += 1;
                if self.spots.is_empty() {
                    made.strays.push(self.case(None, old, new));
                }
            }
            return;
        }
        let secret: usize = united(&goes);
        let lost = old.len().saturating_sub(kept.iter().map(|kept| kept.len()).sum::<usize>());
        let over = lost.saturating_sub(secret);
        made.context_bytes += old.len() - secret;
        if uncovered.is_empty() {
            made.context_lost += over;
            if over > 0 {
                made.overdone.push(Case { reason: format!("{over} bytes"), ..self.case(None, old, new) });
            }
        }
    }
}

/// Bytes under the spots.
fn united(spots: &[Spot]) -> usize {
    let mut sorted: Vec<(usize, usize)> = spots.iter().map(|spot| (spot.start, spot.end)).collect();
    sorted.sort_unstable();
    let (mut sum, mut to) = (0, 0);
    for (start, end) in sorted {
        sum += end.saturating_sub(start.max(to));
        to = to.max(end);
    }
    sum
}

/// What stands between the markers.
fn kept(text: &str) -> Vec<&str> {
    let mut kept = Vec::new();
    let mut rest = text;
    loop {
        let marker = [rest.find("[REDACTED:"), rest.find("[HASHED:")].into_iter().flatten().min();
        let Some(at) = marker else { break };
        let Some(end) = rest[at..].find(']') else { break };
        kept.push(&rest[..at]);
        rest = &rest[at + end + 1..];
    }
    kept.push(rest);
    kept
}

/// The spots of which something may still stand. The kept parts are laid over the old text, each as early as it fits without touching
/// a secret; where that cannot be, they are laid as early as they fit at all, and what they touch is uncovered.
fn uncovered(old: &str, kept: &[&str], goes: &[Spot]) -> Vec<usize> {
    if goes.is_empty() || laid(old, kept, goes).is_some() {
        return Vec::new();
    }
    let Some(places) = laid(old, kept, &[]) else {
        return goes.iter().map(|spot| spot.id).collect();
    };
    let touched = |spot: &&Spot| {
        let mut parts = places.iter().zip(kept);
        parts.any(|(at, part)| *at < spot.end && spot.start < at + part.len() && !part.is_empty())
    };
    goes.iter().filter(touched).map(|spot| spot.id).collect()
}

/// Where each kept part lies; the first at the start, the last at the end.
fn laid(old: &str, kept: &[&str], avoid: &[Spot]) -> Option<Vec<usize>> {
    let clear = |at: usize, part: &str| {
        part.is_empty() || !avoid.iter().any(|spot| at < spot.end && spot.start < at + part.len())
    };
    let mut places = Vec::with_capacity(kept.len());
    let mut from = 0;
    for (index, part) in kept.iter().enumerate() {
        let at = if index == 0 {
            old.starts_with(part).then_some(0)?
        } else if index + 1 == kept.len() {
            let at = old.len().checked_sub(part.len())?;
            (at >= from && old.ends_with(part)).then_some(at)?
        } else {
            let mut search = from;
            loop {
                let at = search + old.get(search..)?.find(part)?;
                if clear(at, part) {
                    break at;
                }
                search = at + 1;
                while !old.is_char_boundary(search) {
                    search += 1;
                }
            }
        };
        if !clear(at, part) || kept.len() == 1 && part.len() != old.len() {
            return None;
        }
        places.push(at);
        from = at + part.len();
    }
    Some(places)
}

fn decoded(raw: &[u8]) -> Result<String, String> {
    if raw.first() == Some(&b'"') {
        serde_json::from_slice(raw).map_err(|_| "a string of the output is not JSON".to_owned())
    } else {
        Ok(String::from_utf8_lossy(raw).into_owned())
    }
}

/// The scalars and keys of a document, and where the last one stands.
struct Tokens<'a> {
    bytes: &'a [u8],
    at: usize,
    frames: Vec<Frame<'a>>,
    last_is_key: bool,
}

struct Frame<'a> {
    object: bool,
    key: &'a [u8],
    index: usize,
    wants_key: bool,
}

impl<'a> Tokens<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, frames: Vec::new(), last_is_key: false }
    }

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let byte = *self.bytes.get(self.at)?;
            match byte {
                b'{' | b'[' => {
                    let object = byte == b'{';
                    self.frames.push(Frame { object, key: b"", index: 0, wants_key: object });
                }
                b'}' | b']' => drop(self.frames.pop()),
                b',' => {
                    if let Some(frame) = self.frames.last_mut() {
                        frame.index += 1;
                        frame.wants_key = frame.object;
                    }
                }
                b':' | b' ' | b'\n' | b'\r' | b'\t' => {}
                _ => return Some(self.scalar()),
            }
            self.at += 1;
        }
    }

    fn scalar(&mut self) -> &'a [u8] {
        let start = self.at;
        if self.bytes[start] == b'"' {
            self.at += 1;
            while self.at < self.bytes.len() && self.bytes[self.at] != b'"' {
                self.at += if self.bytes[self.at] == b'\\' { 2 } else { 1 };
            }
            self.at = (self.at + 1).min(self.bytes.len());
        } else {
            let ends = |byte: &u8| b",]} \n\r\t".contains(byte);
            let len = self.bytes[start..].iter().position(ends).unwrap_or(self.bytes.len() - start);
            self.at += len;
        }
        let raw = &self.bytes[start..self.at];
        self.last_is_key = false;
        if let Some(frame) = self.frames.last_mut().filter(|frame| frame.wants_key) {
            frame.key = raw;
            frame.wants_key = false;
            self.last_is_key = true;
        }
        raw
    }

    /// RFC 6901 pointer to the last token; a key's is that of its value.
    fn pointer(&self) -> String {
        let mut out = String::new();
        for frame in &self.frames {
            out.push('/');
            if frame.object {
                let key: String = serde_json::from_slice(frame.key).unwrap_or_default();
                out.push_str(&key.replace('~', "~0").replace('/', "~1"));
            } else {
                out.push_str(&frame.index.to_string());
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(old: &str, new: &str, secret: &str, missed: bool) {
        let start = old.find(secret).unwrap();
        let spots = [Spot { start, end: start + secret.len(), id: 0 }];
        assert_eq!(!uncovered(old, &kept(new), &spots).is_empty(), missed, "{old} -> {new}");
    }

    #[test]
    fn a_secret_is_missed_when_any_of_its_bytes_may_stand() {
        check("a SECRET b", "a [REDACTED:pii] b", "SECRET", false);
        check("a SECRET b", "[REDACTED:pii]", "SECRET", false);
        check("a SECRET b", "a SECRET b", "SECRET", true);
        check("a SECRET b", "a SEC[REDACTED:pii] b", "SECRET", true);
        check("a SECRET b", "[REDACTED:pii] SECRET b", "SECRET", true);
        check("a SECRET b SECRET", "a [REDACTED:pii] b [HASHED:pii:0a]", "SECRET", false);
        check("a SECRET b", "something else", "SECRET", true);
        check("t SECRET t", "[REDACTED:pii]T t", "SECRET", true);
    }

    #[test]
    fn tokens_and_pointers_follow_the_document() {
        let mut tokens = Tokens::new(br#"{"a":[1,{"b/c":"x\"y"}],"d":null}"#);
        let mut seen = Vec::new();
        while let Some(raw) = tokens.next() {
            seen.push((String::from_utf8_lossy(raw).into_owned(), tokens.pointer()));
        }
        let expected = [
            ("\"a\"", "/a"),
            ("1", "/a/0"),
            ("\"b/c\"", "/a/1/b~1c"),
            ("\"x\\\"y\"", "/a/1/b~1c"),
            ("\"d\"", "/d"),
            ("null", "/d"),
        ];
        assert_eq!(seen, expected.map(|(raw, at)| (raw.to_owned(), at.to_owned())));
    }
}
