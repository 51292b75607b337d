//! What the system tells of another process: its memory and its processor time. Linux only;
//! elsewhere nothing is known.

use std::{fs, path::Path, time::Duration};

/// Clock ticks in a second, as `/proc` counts them on every Linux that Rust runs on.
const TICKS_PER_SECOND: u64 = 100;

/// The resident memory of a process, in bytes.
pub fn memory_bytes(pid: u32) -> Option<u64> {
    status_bytes(pid, "VmRSS:")
}

/// The most that it has been, in bytes.
pub fn memory_peak_bytes(pid: u32) -> Option<u64> {
    status_bytes(pid, "VmHWM:")
}

fn status_bytes(pid: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}

/// The processor time that a process has used, in user and system mode together.
pub fn cpu(pid: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold spaces; what follows its bracket does not.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let ticks = ticks(11)? + ticks(12)?;
    Some(Duration::from_millis(ticks * 1000 / TICKS_PER_SECOND))
}

/// What the files of a directory take on disk, in bytes: blocks, not lengths.
pub fn disk_bytes(directory: &Path) -> std::io::Result<u64> {
    let mut sum = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        sum += if metadata.is_dir() {
            disk_bytes(&entry.path())?
        } else {
            blocks_bytes(&metadata)
        };
    }
    Ok(sum)
}

#[cfg(unix)]
fn blocks_bytes(metadata: &fs::Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    metadata.blocks() * 512
}

#[cfg(not(unix))]
fn blocks_bytes(metadata: &fs::Metadata) -> u64 {
    metadata.len()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_has_used_time() {
        let pid = std::process::id();
        let memory = memory_bytes(pid);
        assert!(memory.is_some_and(|bytes| bytes > 1 << 20));
        // Read in this order: other tests of this process may take more at any time.
        assert!(memory_peak_bytes(pid) >= memory);
        assert!(cpu(pid).is_some());
        assert_eq!(memory_bytes(u32::MAX), None);
    }
}
