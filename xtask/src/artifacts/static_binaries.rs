//! Our own binaries as static files: an image is then one file, and runs on any node.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::{kept_binaries, memory};
use crate::progress::{Gauge, long_step, say, step};
use crate::{command, packages, paths};

/// What runs in pods. Built by one call, whichever is asked for: built apart, their shared dependencies would be compiled
/// twice, with the features of either.
const PACKAGES: [&str; 2] = ["instancelink", "workload"];

/// How the binaries are compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Profile {
    /// For work on the code: with checks of overflow and debug assertions, a minute after a clone and seconds after a
    /// change. Compiled with the profile of `cargo xtask` itself, so that both share macros and build scripts.
    Dev,
    /// Cargo's own, which every commit has.
    Release,
    /// As it is shipped: optimised as a whole, in minutes. Every test that promises a figure runs on it.
    Dist,
}

impl Profile {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
            Self::Dist => "dist",
        }
    }

    /// The folder that Cargo builds it in.
    fn folder(self) -> &'static str {
        match self {
            Self::Dev => "debug",
            Self::Release | Self::Dist => self.name(),
        }
    }

    /// Processor time that a build takes when nothing is built yet, on a machine of today.
    fn processor_seconds(self) -> u64 {
        match self {
            Self::Dev => 200,
            Self::Release => 400,
            Self::Dist => 500,
        }
    }
}

/// The folders whose whole paths the compiler gets. Our own sources have paths relative to the checkout. A binary must
/// not contain the paths of these folders.
pub(crate) struct BuildPaths<'a> {
    pub(crate) folder: &'a Path,
    /// Cargo's own, in which dependencies are unpacked.
    pub(crate) home: &'a Path,
}

/// Builds our packages for musl as they are shipped, and returns where the binary of this one is.
pub(crate) fn static_binary(package: &str) -> Result<PathBuf> {
    compiled(package, Profile::Dist)
}

/// The same with a profile.
pub(crate) fn compiled(package: &str, profile: Profile) -> Result<PathBuf> {
    let here = || {
        let folders = BuildPaths {
            folder: &paths::target()?,
            home: &paths::cargo_home()?,
        };
        build(package, profile, paths::cargo(), &folders)
    };
    match profile {
        Profile::Dist => kept_binaries::binary(package, &PACKAGES, &target(), here),
        Profile::Dev | Profile::Release => here(),
    }
}

/// Builds them without asking for one.
pub(super) fn ensure(profile: Profile) -> Result<()> {
    let [any, ..] = PACKAGES;
    compiled(any, profile).map(drop)
}

/// The same with a Cargo that builds in these folders.
pub(crate) fn build(package: &str, profile: Profile, mut cargo: Command, folders: &BuildPaths<'_>) -> Result<PathBuf> {
    packages::ensure(packages::STATIC)?;
    let target = target();
    ensure_target(&target)?;
    let compiler = format!("CC_{}", target.replace('-', "_"));
    cargo.env(compiler, "musl-gcc");
    cargo.args(["build", "--quiet", "--profile", profile.name(), "--target", &target]);
    let flags = folders.flags(profile);
    cargo.args(["--config", &format!("target.{target}.rustflags={flags:?}")]);
    cargo.args(packages());
    // Cargo then shows how far it is although stderr is no terminal. With --quiet it prints nothing else but what the
    // compiler says.
    cargo.args([
        "--config",
        "term.progress.when='always'",
        "--config",
        "term.progress.width=80",
    ]);
    let what = format!("build {} as static binaries", PACKAGES.join(" and "));
    let built = folders.folder.join(target).join(profile.folder());
    // What a later build takes depends on what has changed.
    let is_first = !built.exists();
    let expected = is_first.then(|| Duration::from_secs(profile.processor_seconds() / memory::processors()));
    long_step(&what, expected, |gauge| follow(&mut cargo, gauge))?;
    Ok(built.join(package))
}

/// What the compiler says is for the developer, also when it succeeds.
fn follow(cargo: &mut Command, gauge: &Gauge) -> Result<()> {
    command::follow(cargo, |line| {
        match progress(line) {
            Some((done, of)) => gauge.set(done, of, "crates"),
            // While it downloads, its bar has no such numbers.
            None if is_bar(line) => {}
            None => say(line),
        }
        true
    })
}

/// Of Cargo's `[====>    ] 123/245: serde, syn`: 123 and 245.
fn progress(line: &str) -> Option<(usize, usize)> {
    let (_, rest) = line.split_once("] ").filter(|_| is_bar(line))?;
    let (done, rest) = rest.split_once('/')?;
    let of = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((done.parse().ok()?, of.parse().ok()?))
}

fn is_bar(line: &str) -> bool {
    ["[=", "[>", "[ "].iter().any(|begin| line.starts_with(begin))
}

/// What the binaries run on.
pub(crate) fn target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// The packages as arguments of Cargo.
pub(crate) fn packages() -> impl Iterator<Item = &'static str> {
    PACKAGES.iter().flat_map(|package| ["--package", package])
}

impl BuildPaths<'_> {
    /// The locations of panics contain paths. The flags replace their prefixes, so that the paths are the same on every
    /// machine. If two prefixes fit, the last one counts. Relocations are packed as bits, which takes a hundredth of
    /// the space.
    fn flags(&self, profile: Profile) -> Vec<String> {
        let names = [(self.folder, "/target"), (self.home, "/cargo")];
        let remapped = names
            .iter()
            .map(|(path, name)| format!("--remap-path-prefix={}={name}", path.display()));
        let mut flags: Vec<String> = remapped.collect();
        flags.push("-Clink-arg=-Wl,-z,pack-relative-relocs".to_owned());
        if profile == Profile::Dev {
            // The binary is copied into an image and into a node.
            flags.extend(["-Cdebuginfo=0", "-Cstrip=symbols"].map(str::to_owned));
        }
        flags
    }
}

/// `rust-toolchain.toml` names the target, but an older rustup does not install it by itself.
fn ensure_target(target: &str) -> Result<()> {
    let folder = command::capture(Command::new("rustc").args(["--print=target-libdir", "--target", target]))?;
    if Path::new(folder.trim()).exists() || command::find("rustup").is_none() {
        return Ok(());
    }
    step(&format!("install the Rust target {target}"), || {
        command::run(Command::new("rustup").args(["target", "add", target]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargos_bar_says_how_many_crates_are_compiled() {
        assert_eq!(
            progress("[=======>          ] 123/245: serde, syn(build)"),
            Some((123, 245))
        );
        assert_eq!(progress("[      ] 0/6: memchr       "), Some((0, 6)));
        let downloads = "[=====>      ] 12 crates, remaining bytes: 1.2MiB";
        assert!(is_bar(downloads) && progress(downloads).is_none());
    }

    #[test]
    fn what_the_compiler_says_is_no_bar() {
        for line in [
            "warning: unused variable: `x`",
            " --> src/main.rs:3:9",
            "3 | let a = [1] / 2;",
            "[a] b/c",
        ] {
            assert!(!is_bar(line) && progress(line).is_none(), "{line}");
        }
    }

    #[test]
    fn binaries_of_the_profile_for_work_have_no_debug_information() {
        let folders = BuildPaths {
            folder: Path::new("/a"),
            home: Path::new("/b"),
        };
        let strips = |profile| folders.flags(profile).iter().any(|flag| flag == "-Cdebuginfo=0");
        assert!(strips(Profile::Dev));
        assert!(!strips(Profile::Dist), "what is shipped is as its profile says");
    }
}
