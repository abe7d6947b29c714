//! Strict JSON (RFC 8259) into a tree that remembers where everything stands.
//!
//! One byte after the other, by recursion. Must never accept what the grammar does not, and never convert a number.

/// Nesting above this is refused, as documented.
const DEPTH_MAX: usize = 512;

/// A value and where it stands in the document.
pub struct Value {
    pub from: usize,
    pub to: usize,
    pub node: Node,
}

pub enum Node {
    Null,
    Bool,
    Number,
    Text(Text),
    List(Vec<Value>),
    Object(Vec<Member>),
}

/// A member of an object.
pub struct Member {
    pub key: Text,
    pub value: Value,
}

/// A decoded string.
pub struct Text {
    pub text: String,
    /// Position of the closing quote.
    pub close: usize,
    /// Position in the document of each decoded byte and of the end.
    raw: Vec<usize>,
    /// Spelled without any escape.
    pub plain: bool,
}

impl Text {
    /// Where a decoded offset (on a character boundary) stands in the document.
    pub fn raw_at(&self, offset: usize) -> usize {
        self.raw[offset]
    }
}

struct Reader<'d> {
    bytes: &'d [u8],
    at: usize,
    depth: usize,
}

/// The whole document as one value.
pub fn read(document: &str) -> Option<Value> {
    let mut reader = Reader { bytes: document.as_bytes(), at: 0, depth: 0 };
    reader.white();
    let value = reader.value()?;
    reader.white();
    (reader.at == reader.bytes.len()).then_some(value)
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == Some(byte)).then(|| self.at += 1)
    }

    fn white(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Option<Value> {
        let from = self.at;
        let node = match self.peek()? {
            b'{' => self.object()?,
            b'[' => self.list()?,
            b'"' => Node::Text(self.text()?),
            b'n' => self.word(b"null", Node::Null)?,
            b't' => self.word(b"true", Node::Bool)?,
            b'f' => self.word(b"false", Node::Bool)?,
            _ => self.number()?,
        };
        Some(Value { from, to: self.at, node })
    }

    fn word(&mut self, word: &[u8], node: Node) -> Option<Node> {
        self.bytes[self.at..].starts_with(word).then(|| self.at += word.len())?;
        Some(node)
    }

    fn digits(&mut self) -> Option<usize> {
        let from = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        (self.at > from).then_some(self.at - from)
    }

    fn number(&mut self) -> Option<Node> {
        let _ = self.take(b'-');
        let zero = self.peek() == Some(b'0');
        if self.digits()? > 1 && zero {
            return None;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if self.take(b'e').or_else(|| self.take(b'E')).is_some() {
            let _ = self.take(b'+').or_else(|| self.take(b'-'));
            self.digits()?;
        }
        Some(Node::Number)
    }

    fn list(&mut self) -> Option<Node> {
        self.open(b'[')?;
        let mut items = Vec::new();
        if self.take(b']').is_some() {
            return self.closed(Node::List(items));
        }
        loop {
            self.white();
            items.push(self.value()?);
            self.white();
            if self.take(b']').is_some() {
                return self.closed(Node::List(items));
            }
            self.take(b',')?;
        }
    }

    fn object(&mut self) -> Option<Node> {
        self.open(b'{')?;
        let mut members = Vec::new();
        if self.take(b'}').is_some() {
            return self.closed(Node::Object(members));
        }
        loop {
            self.white();
            let key = self.text()?;
            self.white();
            self.take(b':')?;
            self.white();
            members.push(Member { key, value: self.value()? });
            self.white();
            if self.take(b'}').is_some() {
                return self.closed(Node::Object(members));
            }
            self.take(b',')?;
        }
    }

    fn open(&mut self, bracket: u8) -> Option<()> {
        self.take(bracket)?;
        self.depth += 1;
        self.white();
        (self.depth <= DEPTH_MAX).then_some(())
    }

    fn closed(&mut self, node: Node) -> Option<Node> {
        self.depth -= 1;
        Some(node)
    }

    fn text(&mut self) -> Option<Text> {
        self.take(b'"')?;
        let (mut bytes, mut raw, mut plain) = (Vec::new(), Vec::new(), true);
        loop {
            let at = self.at;
            match self.peek()? {
                b'"' => break,
                0..=0x1f => return None,
                b'\\' => {
                    plain = false;
                    self.at += 1;
                    let mut room = [0; 4];
                    let encoded = self.escape()?.encode_utf8(&mut room).as_bytes();
                    bytes.extend_from_slice(encoded);
                    raw.extend(encoded.iter().map(|_| at));
                }
                byte => {
                    bytes.push(byte);
                    raw.push(at);
                    self.at += 1;
                }
            }
        }
        raw.push(self.at);
        let close = self.at;
        self.at += 1;
        Some(Text { text: String::from_utf8(bytes).ok()?, close, raw, plain })
    }

    fn escape(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.unit()?;
                if !(0xd800..0xe000).contains(&first) {
                    return char::from_u32(first);
                }
                self.take(b'\\')?;
                self.take(b'u')?;
                let second = self.unit()?;
                let whole = (first < 0xdc00 && (0xdc00..0xe000).contains(&second))
                    .then(|| 0x1_0000 + (first - 0xd800) * 0x400 + (second - 0xdc00))?;
                return char::from_u32(whole);
            }
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u32> {
        let mut code = 0;
        for _ in 0..4 {
            code = code * 16 + char::from(self.peek()?).to_digit(16)?;
            self.at += 1;
        }
        Some(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_what_serde_json_takes_and_nothing_else() {
        for text in [
            "{}",
            "[]",
            " [1, -0.5e+3 , \"a\"] ",
            "{\"a\":{\"b\":[null,true,false]}}",
            "01",
            "1.",
            "-",
            "[1,]",
            "{\"a\":1,}",
            "{\"a\" 1}",
            "nul",
            "truefalse",
            "\"\\u00e9\\ud83d\\ude00\"",
            "\"\\ud83d\"",
            "\"\\x\"",
            "\"a\tb\"",
            "\"",
            "1 2",
            "",
            "{\"a\":1}}",
            "[\u{c}1]",
            "\"\\ude00\\ud83d\"",
            "\u{feff}1",
        ] {
            let theirs = serde_json::from_str::<serde_json::Value>(text).is_ok();
            assert_eq!(read(text).is_some(), theirs, "{text}");
        }
    }

    #[test]
    fn decoded_offsets_lead_back_to_the_document() {
        let document = r#"["a\u00e9\/b"]"#;
        let Some(Value { node: Node::List(items), .. }) = read(document) else { panic!("a list") };
        let Node::Text(text) = &items[0].node else { panic!("a string") };
        assert_eq!(text.text, "aé/b");
        let at: Vec<usize> = [0, 1, 3, 4, 5].iter().map(|offset| text.raw_at(*offset)).collect();
        assert_eq!(at, [2, 3, 9, 11, 12]);
    }
}
