//! Processes on cores of their own, and what Linux says that they took.

use std::ffi::OsStr;
use std::fs;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result};

/// The kernel counts processor time in these for user space, on every Linux that runs this.
const TICKS: f64 = 100.0;

/// Who runs where.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cores {
    pub(super) server: Option<usize>,
    client: Option<usize>,
}

/// Where a process runs, and before whom.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Server,
    Client,
    /// On the client's core, but before the other client: what it measures is short.
    Prober,
}

impl Cores {
    /// The first and the last core that this process may use; none where they cannot be chosen.
    pub(super) fn choose() -> Self {
        let can_choose = Command::new("taskset").arg("--version").output().is_ok_and(|output| output.status.success());
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let allowed = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap_or_default().trim();
        let mut ends = allowed.split([',', '-']).filter_map(|core| core.parse().ok());
        let (first, last) = (ends.next(), ends.next_back());
        if can_choose && last.is_some() && first != last { Self { server: first, client: last } } else { Self::default() }
    }

    /// A command that runs the program in its place.
    pub(super) fn command(self, place: Place, program: impl AsRef<OsStr>) -> Command {
        let core = if matches!(place, Place::Server) { self.server } else { self.client };
        // Where it may not, `nice` says so and starts the program all the same.
        let mut words: Vec<String> = if matches!(place, Place::Prober) { words("nice -n -10") } else { Vec::new() };
        if let Some(core) = core {
            words.extend(self::words(&format!("taskset -c {core}")));
        }
        // As many descriptors as may be had; the usual number is too small for thousands of streams.
        let mut command = Command::new("sh");
        command.args(["-c", r#"ulimit -n "$(ulimit -H -n)" 2>/dev/null; exec "$@""#, "sh"]).args(words).arg(program);
        command.stdin(Stdio::null());
        command
    }
}

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_owned).collect()
}

/// A process that ends when this goes.
#[derive(Debug)]
pub(super) struct Ending(pub(super) Child);

impl Ending {
    pub(super) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Seconds of processor time that a process took since it began, all its threads together.
pub(super) fn processor_time(process: u32) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).context("the process has ended")?;
    // The name may have spaces; it ends with the last parenthesis, and two fields on is the third of all.
    let fields: Vec<&str> = stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ').collect();
    let field = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok()).context("no processor time");
    Ok((field(11)? + field(12)?) / TICKS)
}

/// Seconds that a core was busy since the machine began, whoever kept it so; the machine's own host included.
pub(super) fn busy_time(core: usize) -> Result<f64> {
    let stat = fs::read_to_string("/proc/stat")?;
    let prefix = format!("cpu{core} ");
    let line = stat.lines().find_map(|line| line.strip_prefix(&prefix)).context("the core is not there")?;
    let fields: Vec<f64> = line.split(' ').filter_map(|text| text.parse().ok()).collect();
    // user, nice, system, idle, iowait, irq, softirq, steal; guests count as users.
    let busy = fields.iter().take(8).enumerate().filter(|(index, _)| !matches!(index, 3 | 4)).map(|(_, ticks)| ticks);
    Ok(busy.sum::<f64>() / TICKS)
}

/// KiB of a process that are in memory.
pub(super) fn resident(process: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).context("the process has ended")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no resident memory")?;
    Ok(line.split_whitespace().next().unwrap_or_default().parse()?)
}

/// The machine's load average of the last minute.
pub(super) fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_can_be_measured() {
        let own = std::process::id();
        assert!(resident(own).unwrap() > 100.0);
        assert!(processor_time(own).unwrap() >= 0.0 && busy_time(0).unwrap() > 0.0);
    }
}
