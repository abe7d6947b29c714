//! Tables in texts: a heading names a column (`user,password` above lines of values; Markdown, `psql`), and so does `COPY … FROM
//! stdin` of PostgreSQL.
//!
//! Finds the cells of a column that may hold what its heading names; must never take one for it.

use super::rarity;
use super::value_span::Value;

/// Bytes of a table that are read.
const REACH: usize = 16_384;
/// A heading is not longer,
const LINE_MAX: usize = 1_024;
/// and neither is a name in it.
const NAME_MAX: usize = 40;

/// Calls back for each cell below the heading of which the name is a part; `secret`: if it may be one. How much was read.
pub(super) fn column(
    bytes: &[u8],
    (from, to): (usize, usize),
    secret: bool,
    mut cell: impl FnMut(Value),
) -> usize {
    let Some(table) = table(bytes, from, to) else { return 0 };
    table.read(bytes, |value| {
        if !secret {
            return cell(value);
        }
        let word = &bytes[value.start..value.end];
        // What a column is called is said of many things; a password has something that words do not have.
        let telling =
            word.iter().any(|b| b.is_ascii_digit() || b"!#$%^&*?+~@".contains(b)) || rarity::generated(word);
        if telling && word.len() >= 6 && !word.iter().any(u8::is_ascii_whitespace) {
            cell(value);
        }
    })
}

fn table(bytes: &[u8], from: usize, to: usize) -> Option<Table> {
    // What most names have behind them, so that they cost no more than this look.
    let next = *bytes[to..].iter().find(|b| !matches!(b, b'"' | b'\'' | b' ' | b'`' | b'*'))?;
    if !matches!(next, b',' | b';' | b'\t' | b'|' | b'\n' | b'\r' | b')') {
        return None;
    }
    // A longer line is no heading, and is not read to its ends for each of its names.
    let near = from.saturating_sub(LINE_MAX);
    let begin =
        memchr::memrchr(b'\n', &bytes[near..from]).map(|n| near + n + 1).or((near == 0).then_some(0))?;
    let end = to + memchr::memchr(b'\n', &bytes[to..bytes.len().min(to + LINE_MAX)])?;
    if end - begin > LINE_MAX {
        return None;
    }
    copied(bytes, (begin, end), from).or_else(|| headed(bytes, (begin, end), from))
}

/// What is known of a table from its heading.
struct Table {
    delimiter: u8,
    columns: usize,
    /// Of the column at hand, from 0 on.
    column: usize,
    /// Where its first line begins.
    first: usize,
}

impl Table {
    fn read(&self, bytes: &[u8], mut cell: impl FnMut(Value)) -> usize {
        let reach = bytes.len().min(self.first + REACH);
        let mut at = self.first;
        while at < reach {
            let end = memchr::memchr(b'\n', &bytes[at..reach]).map_or(reach, |n| at + n);
            let line = &bytes[at..end];
            if !is_rule(line) {
                let cells = cells(line, self.delimiter);
                if cells.len() != self.columns {
                    break;
                }
                let (start, len) = cells[self.column];
                if len > 0 {
                    cell(Value { start: at + start, end: at + start + len, quoted: true });
                }
            }
            at = end + 1;
        }
        at.min(reach) - self.first
    }
}

/// `COPY public.users (id, password) FROM stdin;`, and tabs below.
fn copied(bytes: &[u8], (begin, end): (usize, usize), from: usize) -> Option<Table> {
    let line = &bytes[begin..end];
    if !line.get(..5)?.eq_ignore_ascii_case(b"copy ") {
        return None;
    }
    let open = memchr::memchr(b'(', &line[..from - begin])? + 1;
    let close = memchr::memchr(b')', line).filter(|close| *close + begin >= from)?;
    if !line[close..].to_ascii_lowercase().starts_with(b") from stdin") {
        return None;
    }
    let commas = |part: &[u8]| part.iter().filter(|b| **b == b',').count();
    let (columns, column) = (commas(&line[open..close]) + 1, commas(&line[open..from - begin]));
    Some(Table { delimiter: b'\t', columns, column, first: end + 1 })
}

/// A line of two names and more, and nothing like it above.
fn headed(bytes: &[u8], (begin, end): (usize, usize), from: usize) -> Option<Table> {
    let line = &bytes[begin..end];
    let delimiter = [b'|', b'\t', b';', b','].into_iter().find(|d| line.contains(d))?;
    let heads = cells(line, delimiter);
    let name = |&(start, len): &(usize, usize)| {
        let name = &line[start..start + len];
        (1..=NAME_MAX).contains(&len)
            && name.iter().all(|b| b.is_ascii_alphanumeric() || b"_-. /()#*`".contains(b) || !b.is_ascii())
            && name.iter().any(|b| b.is_ascii_alphabetic() || !b.is_ascii())
    };
    if heads.len() < 2 || !heads.iter().all(name) {
        return None;
    }
    let column = heads.iter().position(|(start, len)| begin + start <= from && from < begin + start + len)?;
    // Lines of names and values look the same without one.
    let below = &bytes[end + 1..];
    let below = &below[..memchr::memchr(b'\n', below).unwrap_or(below.len())];
    if delimiter == b'|' && !is_rule(below) {
        return None;
    }
    if begin > 0 {
        let above = memchr::memrchr(b'\n', &bytes[..begin - 1]).map_or(0, |n| n + 1);
        if begin - above <= LINE_MAX && cells(&bytes[above..begin - 1], delimiter).len() == heads.len() {
            return None;
        }
    }
    Some(Table { delimiter, columns: heads.len(), column, first: end + 1 })
}

/// `|---|:--:|`, `----+----`.
fn is_rule(line: &[u8]) -> bool {
    line.len() > 2 && line.iter().all(|b| b"-+|:= \t\r".contains(b))
}

/// Where the cells of a line stand, without blanks and quotes around them: from, and bytes. A `|` may enclose the line.
fn cells(line: &[u8], delimiter: u8) -> Vec<(usize, usize)> {
    let mut cells = Vec::new();
    let (mut from, mut quoted) = (0, false);
    for at in 0..=line.len() {
        match line.get(at) {
            Some(b'"') if delimiter != b'|' => quoted = !quoted,
            Some(b) if *b != delimiter || quoted => {}
            _ => {
                cells.push(trimmed(line, from, at));
                from = at + 1;
            }
        }
    }
    if delimiter == b'|' {
        if cells.last().is_some_and(|(_, len)| *len == 0) {
            cells.pop();
        }
        if line.trim_ascii_start().first() == Some(&b'|') {
            cells.remove(0);
        }
    }
    cells
}

fn trimmed(line: &[u8], from: usize, to: usize) -> (usize, usize) {
    let cell = &line[from..to];
    let text = cell.trim_ascii();
    let start = from + (cell.len() - cell.trim_ascii_start().len());
    for quote in [b'"', b'\'', b'`'] {
        if let [first, inner @ .., last] = text
            && (*first, *last) == (quote, quote)
        {
            return (start + 1, inner.len());
        }
    }
    (start, text.len())
}
