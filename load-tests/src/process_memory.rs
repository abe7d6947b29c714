//! Looks through the memory of another process, as a debugger of the same user could: what may be written there, heap, stacks and all.
//!
//! Must never write to it, or keep what it read.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use anyhow::{Context, Result, ensure};

use crate::leak_search::LeakSearch;

/// Read at once.
const PART_BYTES: usize = 4 << 20;
/// Parts overlap by this much, more than the longest needle: a private key in base64.
const OVERLAP_BYTES: u64 = 16 << 10;

/// Looks through all writable mappings of a process; how many bytes that were.
///
/// # Errors
/// When the process is gone or another user's, or nothing of it could be read.
pub fn look(search: &mut LeakSearch, pid: i32, place: &str) -> Result<u64> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).context("cannot read the mappings")?;
    let memory = File::open(format!("/proc/{pid}/mem")).context("cannot open the memory")?;
    let mut part = vec![0; PART_BYTES];
    let mut looked = 0;
    for (start, end) in maps.lines().filter_map(writable) {
        let mut at = start;
        while at < end {
            let wanted = usize::try_from(end - at).unwrap_or(PART_BYTES).min(PART_BYTES);
            // A mapping can go while it is read; what is gone holds nothing.
            let Ok(read @ 1..) = memory.read_at(&mut part[..wanted], at) else { break };
            search.look(&part[..read], place);
            let read = u64::try_from(read).unwrap_or(0);
            looked += read;
            at += if at + read < end && read > OVERLAP_BYTES { read - OVERLAP_BYTES } else { read };
        }
    }
    ensure!(looked > 0, "nothing of the memory could be read: the search is not whole");
    Ok(looked)
}

/// First and last address of a line such as `55d0…-55d1… rw-p 00000000 00:00 0 [heap]`, where it may be written.
fn writable(line: &str) -> Option<(u64, u64)> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let address = |text| u64::from_str_radix(text, 16).ok();
    rest.starts_with("rw").then_some((address(start)?, address(end)?))
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::process::{Command, Stdio};

    use super::*;
    use crate::generator::Canary;

    fn canary(text: &str) -> Canary {
        Canary { text: text.to_owned(), family: "test", category: "credential", place: "here" }
    }

    #[test]
    fn what_another_process_holds_is_found_and_what_it_does_not_is_not() {
        let held = "toxic-and-held-in-the-memory-of-another-process";
        let mut cat = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let pid = i32::try_from(cat.id()).unwrap();
        let mut stdin = cat.stdin.take().unwrap();
        stdin.write_all(held.as_bytes()).unwrap();
        let mut echoed = vec![0; held.len()];
        cat.stdout.as_mut().unwrap().read_exact(&mut echoed).unwrap();
        let mut search = LeakSearch::new(&[canary(held), canary("toxic-and-never-told-to-anybody-but-us")]);
        assert!(look(&mut search, pid, "a process").unwrap() > 0);
        let found: Vec<_> = search.leaks().into_iter().map(|leak| leak.canary).collect();
        assert_eq!(found, [0]);
        drop(stdin);
        cat.wait().unwrap();
        assert!(look(&mut LeakSearch::new(&[]), pid, "a process that is gone").is_err());
    }
}
