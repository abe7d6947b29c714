//! Owns the shape of a resource template; the tables are `ordinary.rs` (nothing secret but private addresses) and `carriers.rs`
//! (each holds planted secrets). It must never render anything itself.

/// How the instances of a resource are keyed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keys {
    /// None, `count` or `for_each`, as the dice say.
    Any,
    /// `for_each` over e-mail addresses: each key is a secret.
    Emails,
    /// Exactly one instance.
    Single,
}

/// One resource type as it stands in a state. Attribute names are in alphabetical order, as Terraform writes them.
#[derive(Clone, Copy)]
pub(crate) struct Resource {
    pub(crate) mode: &'static str,
    pub(crate) kind: &'static str,
    /// Address below the public registry, for example `hashicorp/aws`.
    pub(crate) provider: &'static str,
    pub(crate) schema_version: &'static str,
    /// Compact JSON with slots.
    pub(crate) attributes: &'static str,
    /// Marked paths: `password`, `data[token]` (a map key), `list[0].value`.
    pub(crate) marks: &'static [&'static str],
    /// Text of the `private` field with slots; empty for none.
    pub(crate) private: &'static str,
    /// Compact JSON of `identity`, empty for none.
    pub(crate) identity: &'static str,
    pub(crate) keys: Keys,
}

/// A base64 `null`: what a provider without private data leaves.
const PRIVATE_NULL: &str = "bnVsbA==";
/// Base64 of the plugin SDK's timeouts: under no key, no mark, and not secret.
const PRIVATE_TIMEOUTS: &str = "eyJlMmJmYjczMC1lY2FhLTExZTYtOGY4OC0zNDM2M2JjN2M0YzAiOnsiY3JlYXRlIjo2MDAwMDAwMDAwMDAsImRlbGV0ZSI6MTIwMDAwMDAwMDAwMCwidXBkYXRlIjo2MDAwMDAwMDAwMDB9LCJzY2hlbWFfdmVyc2lvbiI6IjEifQ==";

impl Resource {
    pub(crate) const fn managed(
        kind: &'static str,
        provider: &'static str,
        attributes: &'static str,
    ) -> Self {
        Self {
            mode: "managed",
            kind,
            provider,
            schema_version: "0",
            attributes,
            marks: &[],
            private: PRIVATE_NULL,
            identity: "",
            keys: Keys::Any,
        }
    }

    pub(crate) const fn data(kind: &'static str, provider: &'static str, attributes: &'static str) -> Self {
        let mut it = Self::managed(kind, provider, attributes);
        it.mode = "data";
        it.private = "";
        it.keys = Keys::Single;
        it
    }

    pub(crate) const fn version(mut self, version: &'static str) -> Self {
        self.schema_version = version;
        self
    }

    pub(crate) const fn marks(mut self, marks: &'static [&'static str]) -> Self {
        self.marks = marks;
        self
    }

    pub(crate) const fn timeouts(mut self) -> Self {
        self.private = PRIVATE_TIMEOUTS;
        self
    }

    pub(crate) const fn private(mut self, text: &'static str) -> Self {
        self.private = text;
        self
    }

    pub(crate) const fn identity(mut self, identity: &'static str) -> Self {
        self.identity = identity;
        self
    }

    pub(crate) const fn keys(mut self, keys: Keys) -> Self {
        self.keys = keys;
        self
    }
}

/// The marked paths as `sensitive_attributes` has them: an array of arrays of steps, compact.
pub(crate) fn marks_json(marks: &[&str]) -> String {
    let paths: Vec<String> = marks.iter().map(|mark| format!("[{}]", steps(mark).join(","))).collect();
    format!("[{}]", paths.join(","))
}

fn steps(path: &str) -> Vec<String> {
    let mut out = Vec::new();
    for part in path.split('.') {
        let (name, index) = match part.split_once('[') {
            Some((name, index)) => (name, Some(index.trim_end_matches(']'))),
            None => (part, None),
        };
        out.push(format!(r#"{{"type":"get_attr","value":"{name}"}}"#));
        match index {
            Some(index) if index.parse::<u32>().is_ok() => {
                out.push(format!(r#"{{"type":"index","value":{{"value":{index},"type":"number"}}}}"#));
            }
            Some(index) => {
                out.push(format!(r#"{{"type":"index","value":{{"value":"{index}","type":"string"}}}}"#));
            }
            None => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_arrays_of_steps() {
        for (marks, expected) in [
            (&[][..], "[]"),
            (&["password"], r#"[[{"type":"get_attr","value":"password"}]]"#),
            (
                &["data[token]"],
                r#"[[{"type":"get_attr","value":"data"},{"type":"index","value":{"value":"token","type":"string"}}]]"#,
            ),
            (
                &["set[0].value"],
                r#"[[{"type":"get_attr","value":"set"},{"type":"index","value":{"value":0,"type":"number"}},{"type":"get_attr","value":"value"}]]"#,
            ),
        ] {
            assert_eq!(marks_json(marks), expected);
        }
    }
}
