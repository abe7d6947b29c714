//! Text in other coats: every way in which tools wrap a script, with a secret in it and without one.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

use super::{redact, rules};

const CRED: &str = "[REDACTED:credential]";

fn script(line: &str) -> String {
    format!(
        "#!/bin/sh\nset -e\nyum install -y nginx\n{line}\necho done, and more things\nsystemctl start nginx\n"
    )
}

fn wrap(text: &str, width: usize, line_break: &str) -> String {
    let lines: Vec<&str> =
        text.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    lines.join(line_break)
}

/// A gzip member (RFC 1952): header with these flags and what they announce, deflate stream, trailer (not checked).
fn gzip(text: &[u8], flags: u8, announced: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3];
    out.extend_from_slice(announced);
    out.extend(compress_to_vec(text, 6));
    out.extend([0; 8]);
    out
}

/// A name, and what it makes of a script.
type Coat = (&'static str, Box<dyn Fn(&str) -> String>);

fn coats() -> Vec<Coat> {
    let utf16 = |t: &str| t.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    vec![
        ("standard", Box::new(|t| STANDARD.encode(t))),
        ("without padding", Box::new(|t| STANDARD_NO_PAD.encode(t))),
        ("for addresses", Box::new(|t| URL_SAFE.encode(t))),
        ("for addresses without padding", Box::new(|t| URL_SAFE_NO_PAD.encode(t))),
        ("76 columns", Box::new(|t| wrap(&STANDARD.encode(t), 76, "\n"))),
        ("64 columns of Windows", Box::new(|t| wrap(&STANDARD.encode(t), 64, "\r\n"))),
        ("60 columns, indented", Box::new(|t| wrap(&STANDARD.encode(t), 60, "\n    "))),
        ("76 columns, escaped breaks", Box::new(|t| wrap(&STANDARD.encode(t), 76, "\\n"))),
        ("twice", Box::new(|t| STANDARD.encode(STANDARD.encode(t)))),
        ("twice, wrapped inside", Box::new(|t| STANDARD.encode(wrap(&STANDARD.encode(t), 76, "\n")))),
        ("gzip", Box::new(|t| STANDARD.encode(gzip(t.as_bytes(), 0, b"")))),
        ("gzip with a name", Box::new(|t| STANDARD.encode(gzip(t.as_bytes(), 8, b"init.sh\0")))),
        ("gzip with an extra field", Box::new(|t| STANDARD.encode(gzip(t.as_bytes(), 4, b"\x02\0ab")))),
        ("gzip, 76 columns", Box::new(|t| wrap(&STANDARD.encode(gzip(t.as_bytes(), 0, b"")), 76, "\n"))),
        ("zlib", Box::new(|t| STANDARD.encode(compress_to_vec_zlib(t.as_bytes(), 6)))),
        (
            "base64 in gzip in base64",
            Box::new(|t| STANDARD.encode(gzip(STANDARD.encode(t).as_bytes(), 0, b""))),
        ),
        ("UTF-16 of PowerShell", Box::new(move |t| STANDARD.encode(utf16(t)))),
        (
            "twice inside JSON inside JSON",
            Box::new(|t| {
                let inner = serde_json::json!({ "a": STANDARD.encode(STANDARD.encode(t)) }).to_string();
                serde_json::json!({ "b": inner }).to_string()
            }),
        ),
    ]
}

#[test]
fn every_coat_is_opened_and_goes_only_with_a_secret_inside() {
    let rules = rules();
    let mut wrong = Vec::new();
    for (name, coat) in coats() {
        let secret = coat(&script("export DB_PASSWORD=hunter2"));
        let got = redact(&rules, "user_data", &secret);
        if !got.contains(CRED) || got.replace(CRED, "").len() > 40 {
            wrong.push(format!("{name}: kept {got}"));
        }
        let in_text = redact(&rules, "x", &format!("write: |\n    {secret}\npath: /a"));
        if in_text != format!("write: |\n    {}\npath: /a", got) {
            wrong.push(format!("{name}: in a text {in_text}"));
        }
        let harmless = coat(&script("export MODE=production"));
        let got = redact(&rules, "user_data", &harmless);
        if got != harmless {
            wrong.push(format!("{name}: holds nothing and became {got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_cannot_be_inflated_goes() {
    let rules = rules();
    let whole = gzip(script("export MODE=production").repeat(3).as_bytes(), 0, b"");
    let bomb = gzip(&vec![b'a'; 8 << 20], 0, b"");
    for (name, bytes) in
        [("cut off", &whole[..whole.len() / 2]), ("a bomb", &bomb[..]), ("no stream", &whole[..24])]
    {
        assert_eq!(redact(&rules, "x", &STANDARD.encode(bytes)), CRED, "{name}");
    }
}

#[test]
fn pictures_and_public_structures_stay() {
    let rules = rules();
    let noise: Vec<u8> = (0..400u32).map(|n| u8::try_from((n * n * 31 + 7) % 251).expect("small")).collect();
    for head in [&b"\x89PNG\r\n\x1a\n"[..], b"\xff\xd8\xff\xe0", b"GIF89a"] {
        let picture = STANDARD.encode([head, &noise].concat());
        assert_eq!(redact(&rules, "image", &picture), picture);
    }
}
