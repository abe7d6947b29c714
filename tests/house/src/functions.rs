//! Finds functions and their length in lines.
//!
//! Must never count a declaration without a body, nor what stands in a string or a comment.

use crate::rust::{RustFile, item_end, line_at};

/// A function with a body.
pub struct Function {
    /// Its name.
    pub name: String,
    /// 1-based line of its `fn`.
    pub line: usize,
    /// From `fn` to the closing brace.
    pub lines: usize,
}

/// All functions of a file, nested ones too.
#[must_use]
pub fn functions(file: &RustFile) -> Vec<Function> {
    let code = &file.code;
    let starts = code.match_indices("fn ").map(|(at, _)| at);
    starts
        .filter(|at| !code[..*at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
        .filter_map(|at| {
            let name: String =
                code[at + 3..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let end = item_end(code, at);
            // A function pointer has no name, a declaration no body.
            let has_body = !name.is_empty() && code[..end].ends_with('}');
            let line = line_at(code, at);
            has_body.then(|| Function { name, line, lines: line_at(code, end) - line + 1 })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SourceFile;

    #[test]
    fn bodies_are_measured_and_declarations_are_not() {
        let text = "trait T { fn a(&self) -> [u8; 4]; }\nfn b<'a>(\n  x: fn (u8),\n) {\n  let c = \"{\";\n}\nfn d() {}";
        let file = RustFile::new(SourceFile { path: "a.rs".to_owned(), text: text.to_owned() });
        let found: Vec<_> = functions(&file).into_iter().map(|f| (f.name, f.line, f.lines)).collect();
        assert_eq!(found, [("b".to_owned(), 2, 5), ("d".to_owned(), 7, 1)]);
    }
}
