//! Owns how text becomes JSON text: escaping as Go's encoder does it (Terraform's own, with `<`, `>` and `&` as
//! `\u00xx`) and the two layouts. It must never decide what is written.

use super::dice::HEX;

/// How a finished text is put into the document.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// As is: for texts that are encoded as a whole later.
    Raw,
    /// Inside a JSON string.
    Json,
    /// Inside a JSON document that itself stands in a JSON string.
    Nested,
    /// Inside a JSON string, every character as `\u00xx`.
    Unicode,
}

/// Appends `text` in the encoding.
pub(crate) fn encode(out: &mut Vec<u8>, text: &str, encoding: Encoding) {
    match encoding {
        Encoding::Raw => out.extend_from_slice(text.as_bytes()),
        Encoding::Json => escape(out, text),
        Encoding::Nested => {
            let mut inner = Vec::with_capacity(text.len() + 16);
            escape(&mut inner, text);
            escape(out, &String::from_utf8_lossy(&inner));
        }
        Encoding::Unicode => {
            for unit in text.encode_utf16() {
                push_unicode(out, unit);
            }
        }
    }
}

fn escape(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut start = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let short: &[u8] = match byte {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            b'<' | b'>' | b'&' | 0..=0x1f => b"",
            _ => continue,
        };
        out.extend_from_slice(&bytes[start..at]);
        if short.is_empty() {
            push_unicode(out, u16::from(*byte));
        } else {
            out.extend_from_slice(short);
        }
        start = at + 1;
    }
    out.extend_from_slice(&bytes[start..]);
}

fn push_unicode(out: &mut Vec<u8>, unit: u16) {
    out.extend_from_slice(b"\\u");
    for shift in [12, 8, 4, 0] {
        out.push(HEX[usize::from((unit >> shift) & 0xf)]);
    }
}

/// Two-space indentation as Terraform writes it, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// As `terraform` writes state files.
    #[default]
    Pretty,
    /// One line, no blanks.
    Compact,
}

/// Lays compact JSON text out for a place `depth` levels deep. The text must be well-formed; slots (`<…>`) stand in strings
/// or as whole values, and are passed through.
pub(crate) fn lay_out(compact: &str, layout: Layout, depth: usize) -> String {
    if layout == Layout::Compact {
        return compact.to_owned();
    }
    let mut out = String::with_capacity(compact.len() * 2);
    let mut level = depth;
    let mut in_string = false;
    let mut escaped = false;
    let mut chars = compact.chars().peekable();
    while let Some(c) = chars.next() {
        if in_string {
            out.push(c);
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            '"' => {
                in_string = true;
                out.push(c);
            }
            '{' | '[' => {
                out.push(c);
                if let Some(close) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(close);
                } else {
                    level += 1;
                    new_line(&mut out, level);
                }
            }
            '}' | ']' => {
                level = level.saturating_sub(1);
                new_line(&mut out, level);
                out.push(c);
            }
            ',' => {
                out.push(c);
                new_line(&mut out, level);
            }
            ':' => out.push_str(": "),
            '<' => {
                out.push(c);
                out.extend(chars.by_ref().take_while(|c| *c != '>'));
                out.push('>');
            }
            _ => out.push(c),
        }
    }
    out
}

fn new_line(out: &mut String, level: usize) {
    out.push('\n');
    for _ in 0..level {
        out.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_decodes_to_its_text() {
        let text = "a\"b\\c\nd<e>&f\u{1}ü😀\t";
        for (encoding, rounds) in [(Encoding::Json, 1), (Encoding::Nested, 2), (Encoding::Unicode, 1)] {
            let mut out = Vec::new();
            encode(&mut out, text, encoding);
            let mut decoded = String::from_utf8(out).unwrap();
            for _ in 0..rounds {
                decoded = serde_json::from_str(&format!("\"{decoded}\"")).unwrap();
            }
            assert_eq!(decoded, text);
        }
    }

    #[test]
    fn the_pretty_layout_is_what_serde_json_would_print() {
        for compact in
            [r#"{"a":1,"b":[],"c":{"d":"x,{}:\"[","e":null},"f":[1,{"g":2}],"h":{}}"#, "[]", r#"["\\"]"#]
        {
            let value: serde_json::Value = serde_json::from_str(compact).unwrap();
            assert_eq!(lay_out(compact, Layout::Pretty, 0), serde_json::to_string_pretty(&value).unwrap());
        }
    }
}
