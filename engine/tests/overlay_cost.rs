//! What a tenant costs beside the shared core: heap and time of an overlay, counted by the allocator itself.
//!
//! One test a process: the counts are the process'.

#![allow(clippy::unwrap_used, reason = "all of this crate is tests")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};
use std::time::{Duration, Instant};

use terrasift_engine::detect::RuleSet;
use terrasift_schemas::detection::{Action, Category};
use terrasift_schemas::rules::{Allow, Rule, RuleFile};

struct Counting;

static LIVE: AtomicIsize = AtomicIsize::new(0);

fn count(layout: Layout, sign: isize) {
    LIVE.fetch_add(sign * isize::try_from(layout.size()).unwrap_or(0), Ordering::Relaxed);
}

// SAFETY: hands every call on to the system's allocator, unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout, 1);
        // SAFETY: the caller's promise is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(layout, -1);
        // SAFETY: the caller's promise is the same.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Values, keys, or both: what organisations write down as their own.
const RULES: [(&str, Option<&str>, Option<&str>); 20] = [
    ("badge", Some(r"\bACME-\d{6}\b"), None),
    ("customer", Some(r"\bC-\d{4}-\d{4}-[A-Z]\b"), None),
    ("invoice", Some(r"INV[0-9]{4}/[0-9]{6}"), None),
    ("contract", Some(r"(?i)\bcontract[-_ ]?no\.?\s*\d{5,9}"), None),
    ("internal-host", Some(r"[a-z0-9-]+\.corp\.acme\.example"), None),
    ("ticket", Some(r"\b(?:OPS|SEC|PLAT)-\d{1,6}\b"), None),
    ("legacy-token", Some(r"acme_live_[A-Za-z0-9]{32}"), None),
    ("test-token", Some(r"acme_test_[A-Za-z0-9]{32}"), None),
    ("vault-path", Some(r"vault:(?:v\d:)?[A-Za-z0-9+/=]{20,}"), None),
    ("licence-key", Some(r"\b[A-Z0-9]{5}(?:-[A-Z0-9]{5}){4}\b"), None),
    ("vehicle", Some(r"\b[A-HJ-NPR-Z0-9]{17}\b"), None),
    ("plate", Some(r"\b[A-Z]{1,3}-[A-Z]{1,2} \d{1,4}\b"), None),
    ("patient", Some(r"PAT\d{8}"), Some("(?i)patient|case")),
    ("drawn-ref", Some(r"[A-Za-z0-9]{24,}"), Some("ref$")),
    ("salary", None, Some("(?i)^(?:salary|wage|bonus)")),
    ("internal", None, Some("^internal_")),
    ("cost-centre", None, Some("^cost_?cent(?:re|er)$")),
    ("subnet", Some(r"\b100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.\d{1,3}\.\d{1,3}\b"), None),
    ("employee", Some(r"\b[eE]\d{7}\b"), None),
    ("person", Some(r"(?i)owner:\s*\w+ \w+"), None),
];

fn file() -> RuleFile {
    let rules = RULES.iter().map(|(id, pattern, key)| Rule {
        id: (*id).to_owned(),
        name: format!("What Acme calls {id}"),
        category: Category::Pii,
        enabled: true,
        pattern: pattern.map(str::to_owned),
        key_pattern: key.map(str::to_owned),
        action: Action::Hash,
        priority: None,
        min_entropy: None,
        reason: "Works council agreement 12".to_owned(),
    });
    let allow = (0..20).map(|n| Allow {
        pattern: match n % 4 {
            0 => format!(r"noreply{n}@acme\.example"),
            1 => format!(r"[a-z.]+@team{n}\.acme\.example"),
            2 => format!(r"10\.{n}\.\d{{1,3}}\.\d{{1,3}}"),
            _ => format!("(?i)example-{n}-.*"),
        },
        rules: if n % 2 == 0 { vec!["email".to_owned()] } else { vec![] },
        reason: "Public by decision of the security team".to_owned(),
    });
    RuleFile {
        version: 7,
        disable: vec!["phone".to_owned()],
        rules: rules.collect(),
        allowlist: allow.collect(),
    }
}

#[test]
fn a_tenants_overlay_is_small_and_quick_to_compile() {
    let core = RuleSet::builtin();
    let file = file();
    drop(core.with(&file).unwrap());
    let before = LIVE.load(Ordering::Relaxed);
    let tenants: Vec<RuleSet> = (0..100).map(|_| core.with(&file).unwrap()).collect();
    let each = (LIVE.load(Ordering::Relaxed) - before) / 100;
    let quickest = (0..5)
        .map(|_| {
            let begin = Instant::now();
            drop(core.with(&file).unwrap());
            begin.elapsed()
        })
        .min()
        .unwrap();
    println!(
        "{{\"figure\":\"overlay\",\"rules\":20,\"allowlist\":20,\"heap_bytes\":{each},\"compile\":\"{quickest:?}\"}}"
    );
    assert!(each <= 64 * 1024, "an overlay takes {each} bytes");
    assert!(quickest <= Duration::from_millis(50), "an overlay takes {quickest:?}");
    drop(tenants);

    // A file at its limits is bounded, too: the largest that is taken stays below this.
    let mut heaviest = RuleFile { version: 1, ..RuleFile::default() };
    for n in 0..500 {
        let mut rule = file.rules[0].clone();
        rule.id = format!("r{n}");
        rule.pattern = Some(format!(r"[\p{{Greek}}\p{{Cyrillic}}]{{2}}x{n}"));
        heaviest.rules.push(rule);
        if n % 20 != 0 {
            continue;
        }
        let before = LIVE.load(Ordering::Relaxed);
        let Ok(taken) = core.with(&heaviest) else { break };
        let heap = LIVE.load(Ordering::Relaxed) - before;
        assert!(heap <= 3 * 1024 * 1024, "a file at its limits takes {heap} bytes");
        drop(taken);
    }
    assert!(heaviest.rules.len() < 500, "patterns of any size are taken");
}
