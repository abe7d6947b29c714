//! Makes state-shaped documents of any bytes: what a fuzzer mutates, a test draws.
//!
//! Each byte of the tape decides one thing, and a tape that ends decides for the simplest, so that small changes of the
//! tape are small changes of the document. Must never look at rules: what it plants is a guess at what they find.

use crate::snippets;
use crate::tape::Tape;

/// Values in one document: keeps an execution below a tenth of a millisecond.
const VALUES_MAX: usize = 16;
/// Around the documented limit of 512.
const DEPTHS: [usize; 8] = [2, 3, 5, 20, 60, 100, 507, 512];

#[rustfmt::skip]
const KEYS: [&str; 41] = [
    "id", "name", "value", "type", "tags", "arn", "a/b", "m~n", "été", "x y", "", "description", "password",
    "db_password", "master_password", "secret_arn", "token", "api_key", "private_key", "user_data",
    "connection_string", "password_policy", "email", "phone", "owner", "key", "content", "environment",
    "endpoint", "host", "version", "card", "iban", "ssn", "nested", "list", "ann@acme-mail.com",
    "bob@acme-mail.com", "[REDACTED:pii]", "[REDACTED:pii]#2", "set_sensitive",
];

/// A state, or nearly one.
#[must_use]
pub fn document(tape: &mut Tape<'_>) -> Vec<u8> {
    let mut weaver = Weaver {
        white: tape.below(4),
        spelling: tape.below(4),
        secrets: Vec::new(),
        out: Vec::new(),
        left: VALUES_MAX,
        paths: Vec::new(),
        path: Vec::new(),
        tape,
    };
    for _ in 0..weaver.tape.below(3) {
        let secret = snippets::secret(weaver.tape);
        weaver.secrets.push(secret);
    }
    weaver.state();
    let mut out = weaver.out;
    if tape.rarely(8) {
        hurt(&mut out, tape);
    }
    out
}

/// Breaks a document somewhere.
fn hurt(out: &mut Vec<u8>, tape: &mut Tape<'_>) {
    let at = (usize::from(tape.byte()) * 256 + usize::from(tape.byte())) % (out.len() + 1);
    match tape.below(5) {
        0 => out.truncate(at),
        1 => out.insert(at, tape.byte()),
        2 if at < out.len() => out[at] = tape.byte(),
        3 if at < out.len() => drop(out.remove(at)),
        _ => {
            let bits = tape.one(&[
                &b"\\ud800"[..],
                b"\\",
                b"\"",
                b"\xff",
                b"{",
                b"]",
                b",",
                b"\x00",
                b"\xef\xbb\xbf",
            ]);
            out.splice(at..at, bits.iter().copied());
        }
    }
}

struct Weaver<'w, 't> {
    tape: &'w mut Tape<'t>,
    out: Vec<u8>,
    /// How white space and strings are spelled.
    white: usize,
    spelling: usize,
    /// Texts that stand in several places.
    secrets: Vec<String>,
    left: usize,
    /// Places in the attributes at hand, for marks.
    paths: Vec<String>,
    path: Vec<String>,
}

impl Weaver<'_, '_> {
    fn white(&mut self) {
        match self.white {
            0 => {}
            1 => self.out.extend_from_slice(b"\n  "),
            2 => self.out.push(b' '),
            _ => {
                let white =
                    self.tape.one(&[&b""[..], b" ", b"\t\r\n", b"                                        "]);
                self.out.extend_from_slice(white);
            }
        }
    }

    fn byte(&mut self, byte: u8) {
        self.white();
        self.out.push(byte);
    }

    fn raw(&mut self, text: &str) {
        self.white();
        self.out.extend_from_slice(text.as_bytes());
    }

    /// A JSON string in some spelling.
    fn string(&mut self, text: &str) {
        self.byte(b'"');
        for c in text.chars() {
            let odd = match self.spelling {
                0 | 1 => false,
                2 => self.tape.rarely(12),
                _ => matches!(c, '/' | '@' | ':' | 'a' | 'e'),
            };
            let mut room = [0; 2];
            match c {
                '"' => self.out.extend_from_slice(b"\\\""),
                '\\' => self.out.extend_from_slice(b"\\\\"),
                '\n' => self.out.extend_from_slice(b"\\n"),
                '/' if odd => self.out.extend_from_slice(b"\\/"),
                c if odd || c < ' ' => {
                    for unit in c.encode_utf16(&mut room) {
                        self.out.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                    }
                }
                c => self.out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        self.out.push(b'"');
    }

    fn key(&mut self, key: &str) {
        self.string(key);
        self.byte(b':');
    }

    /// Separates members and items.
    fn comma(&mut self, index: usize) {
        if index > 0 {
            self.byte(b',');
        }
    }

    fn state(&mut self) {
        let order: &[&str] =
            self.tape.one(&[
                &[
                    "version",
                    "terraform_version",
                    "serial",
                    "lineage",
                    "outputs",
                    "resources",
                    "check_results",
                ][..],
                &["check_results", "lineage", "outputs", "resources", "serial", "version"],
                &["version", "resources", "outputs"],
                &[
                    "version",
                    "other",
                    "outputs",
                    "ann@acme-mail.com",
                    "resources",
                    "ann@acme-mail.com",
                    "password",
                ],
                &["version", "outputs", "outputs", "serial"],
                &["version", "values", "modules"],
            ]);
        self.byte(b'{');
        for (index, key) in order.iter().enumerate() {
            self.comma(index);
            self.key(key);
            match *key {
                "version" => {
                    let version = self.tape.one(&["4", "4", "4", "4", "4", "4", "3", "4.0", "\"4\"", "5"]);
                    self.raw(version);
                }
                "outputs" => self.outputs(),
                "resources" => self.resources(),
                "serial" => self.raw("7"),
                "lineage" => self.string("d8a9d9f4-4b8e-9c1f-6b0e-0d6c2c7f4a11"),
                "terraform_version" => {
                    let version = self.tape.one(&["1.11.4", "1.5.7", "1.11.4", ""]);
                    self.string(version);
                }
                "check_results" => self.checks(),
                _ => self.value(2),
            }
        }
        self.byte(b'}');
        self.white();
    }

    fn checks(&mut self) {
        if self.tape.rarely(3) {
            self.byte(b'[');
            self.value(3);
            self.byte(b']');
        } else {
            self.raw("null");
        }
    }

    fn outputs(&mut self) {
        let count = self.tape.below(3);
        self.byte(b'{');
        for index in 0..count {
            self.comma(index);
            let name = self.name();
            self.key(&name);
            self.byte(b'{');
            let flag_first = self.tape.rarely(4);
            if flag_first {
                self.sensitive();
                self.byte(b',');
            }
            self.key("value");
            self.value(2);
            self.byte(b',');
            self.key("type");
            self.type_expression(2);
            if !flag_first && self.tape.rarely(2) {
                self.byte(b',');
                self.sensitive();
            }
            self.byte(b'}');
        }
        self.byte(b'}');
    }

    fn sensitive(&mut self) {
        self.key("sensitive");
        let flag = self.tape.one(&["true", "false", "null", "\"false\"", "1", "[]", "true"]);
        self.raw(flag);
    }

    fn type_expression(&mut self, depth: usize) {
        match self.tape.below(4) {
            0 | 1 => self.string("string"),
            2 if depth > 0 => {
                self.raw("[\"object\",{");
                let name = self.name();
                self.key(&name);
                self.type_expression(depth - 1);
                self.raw("}]");
            }
            _ => self.raw("[\"list\",\"string\"]"),
        }
    }

    fn resources(&mut self) {
        let count = self.tape.below(3);
        self.byte(b'[');
        for index in 0..count {
            self.comma(index);
            self.byte(b'{');
            let kind = self.tape.one(&[
                "aws_thing",
                "aws_thing",
                "aws_ssm_parameter",
                "some_secret",
                "helm_release",
            ]);
            self.raw("\"mode\":\"managed\",\"type\":");
            self.string(kind);
            self.raw(",\"provider\":\"p\",");
            self.key("name");
            let name = self.tape.one(&["one", "two", "ann@acme-mail.com"]);
            self.string(name);
            self.byte(b',');
            self.key("instances");
            self.byte(b'[');
            for index in 0..self.tape.below(3) {
                self.comma(index);
                self.instance();
            }
            self.byte(b']');
            self.byte(b'}');
        }
        self.byte(b']');
    }

    fn instance(&mut self) {
        let order: &[&str] = self.tape.one(&[
            &["schema_version", "attributes", "sensitive_attributes", "private"][..],
            &["index_key", "schema_version", "attributes", "sensitive_attributes", "dependencies"],
            &["private", "sensitive_attributes", "attributes", "identity", "index_key"],
            &["attributes_flat", "sensitive_attributes", "deposed"],
            &["attributes", "attributes_flat", "sensitive_attributes", "attributes"],
            &["index_key", "attributes", "identity", "note", "password"],
        ]);
        // Marks speak of places that are written already, or not yet.
        self.paths.clear();
        self.byte(b'{');
        for (index, key) in order.iter().enumerate() {
            self.comma(index);
            self.key(key);
            match *key {
                "attributes" => {
                    self.path.clear();
                    self.object(3);
                }
                "attributes_flat" => self.flat(),
                "sensitive_attributes" => self.marks(),
                "private" | "deposed" => {
                    let text = snippets::text(self.tape, &self.secrets, 1);
                    self.string(&text);
                }
                "index_key" => self.index_key(),
                "schema_version" => self.raw("0"),
                "dependencies" => self.raw("[\"aws_thing.two\"]"),
                _ => self.value(1),
            }
        }
        self.byte(b'}');
    }

    fn index_key(&mut self) {
        if self.tape.rarely(4) {
            self.raw("3");
        } else {
            let name = self.name();
            self.string(&name);
        }
    }

    fn flat(&mut self) {
        self.byte(b'{');
        for index in 0..self.tape.below(4) {
            self.comma(index);
            let (head, tail) = (self.name(), self.name());
            let middle = self.tape.one(&[".", ".0.", ".#.", ".%"]);
            self.paths.push(format!("{{\"type\":\"get_attr\",\"value\":{}}}", quoted(&head)));
            self.key(&format!("{head}{middle}{tail}"));
            self.value(1);
        }
        self.byte(b'}');
    }

    fn marks(&mut self) {
        let whole = self.tape.one(&[
            "",
            "",
            "",
            "",
            "",
            "",
            "null",
            "{}",
            "\"a\"",
            "[[]]",
            "[1]",
            "[[{\"type\":\"splat\"}]]",
        ]);
        if !whole.is_empty() {
            return self.raw(whole);
        }
        self.byte(b'[');
        for index in 0..self.tape.below(4) {
            self.comma(index);
            let known = self.paths.len();
            let mut path = if known > 0 {
                let at = self.tape.below(known);
                self.paths[at].clone()
            } else {
                let name = self.name();
                format!("{{\"type\":\"get_attr\",\"value\":{}}}", quoted(&name))
            };
            if self.tape.rarely(6) {
                let more = self.tape.one(&[
                    "{\"type\":\"get_attr\",\"value\":\"password\"}",
                    "{\"type\":\"index\",\"value\":{\"value\":0,\"type\":\"number\"}}",
                    "{\"type\":\"index\",\"value\":{\"value\":\"0\",\"type\":\"number\"}}",
                    "{\"type\":\"index\",\"value\":{\"value\":\"id\",\"type\":\"string\"}}",
                    "{\"type\":\"index\",\"value\":{\"value\":{},\"type\":[\"object\",{}]}}",
                ]);
                path = format!("{path},{more}");
            }
            self.raw(&format!("[{path}]"));
        }
        self.byte(b']');
    }

    fn name(&mut self) -> String {
        let known = self.secrets.len();
        if known > 0 && self.tape.rarely(8) {
            let at = self.tape.below(known);
            return self.secrets[at].clone();
        }
        if self.tape.rarely(12) {
            return snippets::text(self.tape, &self.secrets, 1);
        }
        self.tape.one(&KEYS).to_owned()
    }

    /// Remembers the place at hand for marks.
    fn placed(&mut self, step: String, go: impl FnOnce(&mut Self)) {
        self.path.push(step);
        self.paths.push(self.path.join(","));
        go(self);
        self.path.pop();
    }

    fn object(&mut self, depth: usize) {
        self.byte(b'{');
        for index in 0..self.tape.below(6) {
            self.comma(index);
            let name = self.name();
            self.key(&name);
            let step = format!("{{\"type\":\"get_attr\",\"value\":{}}}", quoted(&name));
            self.placed(step, |weaver| weaver.value(depth));
        }
        self.byte(b'}');
    }

    fn value(&mut self, depth: usize) {
        self.left = self.left.saturating_sub(1);
        let simple = depth == 0 || self.left == 0;
        match self.tape.below(16) {
            0 => self.raw("null"),
            1 => self.raw("true"),
            2 => {
                let number = self.tape.one(&snippets::NUMBERS);
                self.raw(number);
            }
            3..=5 if !simple => self.object(depth - 1),
            6 | 7 if !simple => {
                self.byte(b'[');
                for index in 0..self.tape.below(4) {
                    self.comma(index);
                    let step =
                        format!("{{\"type\":\"index\",\"value\":{{\"value\":{index},\"type\":\"number\"}}}}");
                    self.placed(step, |weaver| weaver.value(depth - 1));
                }
                self.byte(b']');
            }
            8 if !simple && self.tape.rarely(16) => {
                let levels = self.tape.one(&DEPTHS);
                let (open, close) = self.tape.one(&[("[", "]"), ("{\"a\":", "}"), ("[{\"type\":", "}]")]);
                self.raw(&open.repeat(levels));
                self.string("deep");
                self.raw(&close.repeat(levels));
            }
            _ => {
                let text = snippets::text(self.tape, &self.secrets, 3);
                self.string(&text);
            }
        }
    }
}

/// A JSON string, spelled plainly.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
