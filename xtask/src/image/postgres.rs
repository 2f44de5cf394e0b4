//! The image of PostgreSQL, server and client. Like most real workloads, it resolves names with the C library. It is made of
//! Debian packages and kept in the cache.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use tar::EntryType;

use super::archive::{self, Contents};
use super::debian::{self, Apt, Wanted};
use super::tarball::Tarball;
use super::{Image, POSTGRES};
use crate::progress::step;
use crate::{digest, paths};

const PACKAGES: Wanted = Wanted {
    // busybox for a shell, libc-bin for getent.
    roots: &["postgresql", "busybox", "libc-bin"],
    // Perl scripts around the programs, translations, the compiler for queries, and what only a whole system needs.
    left_out: &[
        "postgresql-common",
        "postgresql-client-common",
        "ssl-cert",
        "locales",
        "debconf",
        "dpkg",
        "sensible-utils",
        "libllvm14",
        "libllvm16",
        "libllvm17",
        "libllvm19",
    ],
};

/// The files of the packages that are in the image.
const KEPT: &[&str] = &[
    "usr/bin/",
    "usr/lib/",
    "usr/lib64/",
    "usr/share/postgresql/",
    "usr/share/zoneinfo/",
];
const DROPPED: &[&str] = &["/bitcode/", "/gconv/", "/llvmjit", "/perl5/", "/systemd/", "/man/"];

/// Names under which busybox is linked.
const APPLETS: &[&str] = &["sh", "sleep", "nslookup"];

const START: &str = include_str!("postgres.sh");
const USER: &str = "postgres:x:65532:65532::/tmp:/bin/sh\n";

/// The image, made of the newest packages in the package lists. It is made once for each set of versions.
pub(crate) fn image() -> Result<Image> {
    let cache = paths::cache()?;
    let apt = Apt::new(cache.join("apt"))?;
    let packages = apt.resolve(&PACKAGES)?.join("\n");
    let recipe = [packages.as_bytes(), include_bytes!("postgres.rs"), START.as_bytes()];
    let key = digest::sha256(recipe);
    let folder = cache.join("images");
    let archive = folder.join(format!("postgres-{}.tar", digest::short(&key, 12)));
    let exact = if archive.is_file() {
        archive::tag(&archive)?
    } else {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let files = apt.fetch(&PACKAGES)?;
        let exact = step("make an image of PostgreSQL (once)", || {
            archive::write(&archive, POSTGRES, &contents(&files)?)
        })?;
        apt.clear()?;
        exact
    };
    Ok(Image {
        name: POSTGRES,
        exact,
        archive,
    })
}

fn contents(packages: &[PathBuf]) -> Result<Contents> {
    let mut layer = Tarball::new();
    // As on every Debian since version 12, /bin, /lib and /lib64 are links into /usr.
    for folder in ["bin", "lib", "lib64"] {
        layer.link(EntryType::Symlink, folder, &format!("usr/{folder}"))?;
    }
    for folder in ["tmp", "data"] {
        layer.folder(folder, 0o1777)?;
    }
    layer.folder("etc", 0o755)?;
    layer.file("etc/passwd", 0o644, USER.as_bytes())?;
    layer.file("etc/nsswitch.conf", 0o644, b"passwd: files\nhosts: files dns\n")?;
    layer.file("start", 0o755, START.as_bytes())?;
    let mut programs = None;
    let mut seen = BTreeSet::new();
    for package in packages {
        debian::each_entry(package, |entry| {
            let path = in_image(&entry.path()?.to_string_lossy());
            if !is_kept(&path) || !seen.insert(path.clone()) {
                return Ok(());
            }
            let kind = entry.header().entry_type();
            match kind {
                EntryType::Regular => {
                    if let Some(folder) = path.strip_suffix("/initdb") {
                        programs = Some(folder.to_owned());
                    }
                    let mut bytes = Vec::new();
                    entry.read_to_end(&mut bytes)?;
                    layer.file(&path, entry.header().mode()? & 0o755, &bytes)
                }
                EntryType::Directory => layer.folder(&path, 0o755),
                EntryType::Symlink | EntryType::Link => {
                    let to = entry.link_name()?.context("a link without a target")?;
                    let to = to.to_string_lossy();
                    let to = if kind == EntryType::Link {
                        in_image(&to)
                    } else {
                        to.into_owned()
                    };
                    layer.link(kind, &path, &to)
                }
                _ => Ok(()),
            }
        })
        .with_context(|| format!("cannot read {}", package.display()))?;
    }
    for applet in APPLETS {
        layer.link(EntryType::Symlink, &format!("usr/bin/{applet}"), "busybox")?;
    }
    let programs = programs.context("the packages do not contain initdb")?;
    Ok(Contents {
        layer: layer.finish()?,
        entrypoint: vec!["/start".to_owned()],
        environment: vec![format!("PATH=/{programs}:/usr/bin"), "PGDATA=/data/db".to_owned()],
        user: "65532:65532",
    })
}

/// The path in the image of a package's file: `./lib/x` becomes `usr/lib/x`.
fn in_image(path: &str) -> String {
    let path = path.trim_start_matches("./");
    let first = path.split('/').next().unwrap_or_default();
    if ["bin", "sbin", "lib", "lib64"].contains(&first) {
        format!("usr/{path}")
    } else {
        path.to_owned()
    }
}

fn is_kept(path: &str) -> bool {
    KEPT.iter().any(|kept| path.starts_with(kept)) && !DROPPED.iter().any(|dropped| path.contains(dropped))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_lib_of_a_package_is_in_usr_lib_of_the_image() {
        assert_eq!(
            in_image("./lib/x86_64-linux-gnu/libc.so.6"),
            "usr/lib/x86_64-linux-gnu/libc.so.6"
        );
        assert_eq!(in_image("./usr/bin/getent"), "usr/bin/getent");
    }

    #[test]
    fn documentation_and_files_for_compilers_are_left_out() {
        assert!(is_kept("usr/lib/postgresql/15/bin/psql"));
        assert!(!is_kept("usr/share/doc/libc6/copyright"));
        assert!(!is_kept("usr/lib/postgresql/15/lib/bitcode/postgres/access/nbtree.bc"));
    }
}
