//! `cargo xtask bench server`: the reference server under load, and beside it the same endpoint in FastAPI.
//!
//! Server and clients are processes of their own, on a core each. Every row starts a server with an empty database on disk. The
//! clients count frames that came, each of which was stored before; who waits for a first token asks on a schedule.

mod frames;
mod histogram;
mod load;
mod measure;
mod probe;
mod process;
mod report;
mod servers;

use anyhow::{Context, Result, bail, ensure};

use self::measure::{Load, measure};
use self::process::load_average;
use self::report::Row;
use self::servers::{Binaries, Server};

const USAGE: &str = "usage: cargo xtask bench server [--seconds N] [--no-fastapi]";
/// The length of a window, unless told.
const SECONDS: f64 = 8.0;

const LOADS: [Load; 8] = [
    Load { streams: 0, delay: 0, is_probed: true },
    Load { streams: 500, delay: 50, is_probed: true },
    Load { streams: 2_000, delay: 50, is_probed: true },
    // More than a core can do, each in its way.
    Load { streams: 100, delay: 0, is_probed: false },
    Load { streams: 500, delay: 0, is_probed: false },
    Load { streams: 500, delay: 10, is_probed: false },
    Load { streams: 1_000, delay: 10, is_probed: false },
    Load { streams: 2_000, delay: 20, is_probed: false },
];

pub(super) fn run(arguments: &[String]) -> Result<()> {
    let (mut seconds, mut wants_twin) = (SECONDS, true);
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word {
            "--seconds" => seconds = words.next().and_then(|text| text.parse().ok()).context(USAGE)?,
            "--no-fastapi" => wants_twin = false,
            // This program again, as a client of itself.
            "--load" => return load::run(words.next().context(USAGE)?),
            "--probe" => return probe::run(words.next().context(USAGE)?),
            _ => bail!(USAGE),
        }
    }
    ensure!(cfg!(target_os = "linux"), "what a process takes is read from /proc, which only Linux has");
    ensure!((1.0..=600.0).contains(&seconds), "a window has 1 to 600 seconds");
    let binaries = Binaries::gather(wants_twin)?;
    let mut servers = vec![Server::Own];
    match &binaries.python {
        Ok(python) => {
            println!("{}, 1 worker", servers::versions(python)?);
            servers.extend([Server::Persisted, Server::MemoryOnly]);
        }
        Err(why) => println!("skipped: {}; {} ({why})", Server::Persisted.name(), Server::MemoryOnly.name()),
    }
    match binaries.cores.server {
        Some(core) => println!("the server alone on core {core}, the clients on another"),
        None => println!("not pinned to cores (that takes `taskset` and two of them): the clients take from the server"),
    }
    println!("windows of {seconds} s; load average {}", load_average());
    report::print_head();
    let mut rows = Vec::new();
    for load in LOADS {
        // In turns, so that a slow minute of the machine is a slow minute for all.
        for &server in &servers {
            let measured = measure(&binaries, server, load, seconds);
            let measured = measured.with_context(|| format!("{}, {}", load.name(), server.name()))?;
            let row = Row { server, load, measured };
            report::print(&row);
            rows.push(row);
        }
    }
    let all_met = report::judge(&rows);
    println!("load average {} at the end", load_average());
    println!("`others` is what other processes and the machine's host took of the server's core: above 0.1, run it again");
    ensure!(all_met, "a bar is missed; a busy machine tells little: see `others`, and try `--seconds 30` when it is quiet");
    Ok(())
}
