//! What the tests of `agent_server` need beside cargo: a PostgreSQL, a browser and nginx, as Debian packages them.

use std::path::Path;
use std::process::Command;

/// A package, and where its presence shows.
const PACKAGES: [(&str, &[&str]); 4] = [
    ("postgresql", &["/usr/lib/postgresql"]),
    ("chromium", &["/usr/bin/chromium"]),
    ("chromium-driver", &["/usr/bin/chromedriver"]),
    ("nginx-light", &["/usr/sbin/nginx"]),
];

/// Installs what is missing, where this is Debian and the user is root. Elsewhere the tests that need it say, each by its
/// name, that they are skipped.
pub(crate) fn install() {
    let is_there = |places: &[&str]| places.iter().any(|place| Path::new(place).exists());
    let missing: Vec<&str> = PACKAGES.iter().filter(|(_, places)| !is_there(places)).map(|(name, _)| *name).collect();
    if missing.is_empty() || !may_install() {
        return;
    }
    println!("installing {}", missing.join(", "));
    for arguments in [vec!["update", "-qq"], [vec!["install", "-y", "-qq", "--no-install-recommends"], missing].concat()] {
        let status = Command::new("apt-get").args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
        if !status.is_ok_and(|status| status.success()) {
            println!("they could not be installed; the tests that need them are skipped");
            return;
        }
    }
}

fn may_install() -> bool {
    let user = Command::new("id").arg("-u").output();
    Path::new("/usr/bin/apt-get").exists() && user.is_ok_and(|output| output.stdout == b"0\n")
}
