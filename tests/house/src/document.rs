//! Reads what the documentation claims about the source: paths and names of tests.
//!
//! Must never guess: only what stands in backticks or is the target of a link is a claim.

/// Spans in backticks and targets of links, outside fenced blocks.
#[must_use]
pub fn mentions(markdown: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            continue;
        }
        if fenced {
            continue;
        }
        found.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        found.extend(line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(to, _)| {
            let target = to.split('#').next().unwrap_or_default();
            target.to_owned()
        }));
    }
    found
}

/// Tests are sentences: at least four words of lower case joined by underscores, and nothing else.
#[must_use]
pub fn looks_like_a_test(mention: &str) -> bool {
    mention.split('_').count() >= 4
        && mention.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_found_outside_fences() {
        let text = "see `a/b.rs` and [it](c.md#d)\n```\n`not/this`\n```\n`x_y`";
        assert_eq!(mentions(text), ["a/b.rs", "c.md", "x_y"]);
        assert!(
            looks_like_a_test("a_mark_is_kept")
                && !looks_like_a_test("change_seq")
                && !looks_like_a_test("a b_c_d_e")
        );
    }
}
