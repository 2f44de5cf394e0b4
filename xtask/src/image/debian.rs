//! Debian packages as the contents of an image. apt resolves and fetches them as for an empty system, and dpkg-deb unpacks
//! them. The packages of this machine and apt's own folders are not used, and root is not needed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use tar::{Archive, Entry};

use crate::command;
use crate::progress::step;

/// Packages, with all that they depend on.
pub(crate) struct Wanted {
    pub(crate) roots: &'static [&'static str],
    /// Treated as installed: they, and packages that only they depend on, are left out.
    pub(crate) left_out: &'static [&'static str],
}

/// apt with separate folders, but with the machine's sources and keys. One process at a time uses it.
pub(crate) struct Apt {
    folder: PathBuf,
    _lock: fs::File,
}

impl Apt {
    /// The folder keeps the package lists between runs.
    pub(crate) fn new(folder: PathBuf) -> Result<Self> {
        for program in ["apt-get", "dpkg-deb"] {
            if command::find(program).is_none() {
                bail!(
                    "there is no {program}, and the PostgreSQL of the tests is made of Debian packages; run this on \
                     Debian or Ubuntu, or name a group of tests that does without: `cargo xtask e2e walk`"
                );
            }
        }
        for needed in ["lists/partial", "archives/partial"] {
            let needed = folder.join(needed);
            fs::create_dir_all(&needed).with_context(|| format!("cannot make {}", needed.display()))?;
        }
        let lock = fs::File::create(folder.join("lock"))?;
        lock.lock()?;
        Ok(Self { folder, _lock: lock })
    }

    /// Resolves the packages to one line for each package file, with its digest.
    pub(crate) fn resolve(&self, wanted: &Wanted) -> Result<Vec<String>> {
        if self.has_no_lists()? {
            self.update()?;
        }
        // apt lists only files that it has not fetched, and a killed run leaves files behind.
        self.clear()?;
        let printed = command::capture(self.install(wanted)?.arg("--print-uris"))?;
        let mut files: Vec<String> = printed
            .lines()
            .filter(|line| line.starts_with('\''))
            .filter_map(|line| Some(line.split_once("' ")?.1.to_owned()))
            .collect();
        files.sort();
        Ok(files)
    }

    /// Fetches the package files. [`Self::clear`] removes them.
    pub(crate) fn fetch(&self, wanted: &Wanted) -> Result<Vec<PathBuf>> {
        let fetch = || command::capture(self.install(wanted)?.arg("--download-only"));
        step(
            &format!("fetch {} and their dependencies", wanted.roots.join(", ")),
            || {
                // Old lists name files that no longer exist.
                fetch().or_else(|_| self.update().and_then(|()| fetch()))
            },
        )?;
        let mut files: Vec<PathBuf> = fs::read_dir(self.folder.join("archives"))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
            .collect();
        files.sort();
        Ok(files)
    }

    pub(crate) fn clear(&self) -> Result<()> {
        let archives = self.folder.join("archives");
        fs::remove_dir_all(&archives)?;
        fs::create_dir_all(archives.join("partial"))?;
        Ok(())
    }

    fn has_no_lists(&self) -> Result<bool> {
        let mut entries = fs::read_dir(self.folder.join("lists"))?.flatten();
        Ok(!entries.any(|entry| entry.file_name().to_string_lossy().contains("Packages")))
    }

    fn update(&self) -> Result<()> {
        step("read the lists of Debian packages", || {
            command::capture(self.apt().arg("update")).map(drop)
        })
    }

    fn install(&self, wanted: &Wanted) -> Result<Command> {
        let installed: Vec<String> = wanted.left_out.iter().map(|name| taken_for_installed(name)).collect();
        fs::write(self.folder.join("status"), installed.join("\n"))?;
        let mut apt = self.apt();
        apt.args(["--yes", "--no-install-recommends", "install"])
            .args(wanted.roots);
        Ok(apt)
    }

    fn apt(&self) -> Command {
        let mut apt = Command::new("apt-get");
        for (option, path) in [
            ("Dir::State", ""),
            ("Dir::State::lists", "lists"),
            ("Dir::State::status", "status"),
            ("Dir::Cache", ""),
            ("Dir::Cache::archives", "archives"),
        ] {
            apt.arg("-o")
                .arg(format!("{option}={}", self.folder.join(path).display()));
        }
        apt.args(["--quiet=2", "-o", "Debug::NoLocking=true"]);
        apt.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C");
        apt
    }
}

fn taken_for_installed(name: &str) -> String {
    // No dependency requires a later version than this epoch.
    format!(
        "Package: {name}\nStatus: install ok installed\nArchitecture: all\nVersion: 9999:0\n\
         Maintainer: nobody\nDescription: left out\n"
    )
}

/// Calls `take` for each entry of a package, in the package's order.
pub(crate) fn each_entry(
    package: &Path,
    mut take: impl FnMut(&mut Entry<'_, ChildStdout>) -> Result<()>,
) -> Result<()> {
    let mut unpack = Command::new("dpkg-deb");
    unpack.arg("--fsys-tarfile").arg(package).stdout(Stdio::piped());
    let mut child = unpack.spawn().context("cannot start dpkg-deb")?;
    let stdout = child.stdout.take().context("dpkg-deb has no output")?;
    for entry in Archive::new(stdout).entries()? {
        take(&mut entry?)?;
    }
    // The padding after the last entry is not read, so that dpkg-deb may fail. A truncated package fails above.
    let _ = child.wait();
    Ok(())
}
