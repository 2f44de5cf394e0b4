//! An archive in the format of `docker save`, which every runtime loads: `manifest.json`, a configuration and one layer. The
//! same contents give the same bytes and the same tag.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tar::Archive;

use super::tarball::Tarball;
use crate::digest;

/// The files of an image, and how it starts.
pub(crate) struct Contents {
    pub(crate) layer: Vec<u8>,
    pub(crate) entrypoint: Vec<String>,
    pub(crate) environment: Vec<String>,
    pub(crate) user: &'static str,
}

impl Contents {
    /// One static binary in the image's root.
    pub(crate) fn of_binary(binary: &Path, file: &str, arguments: &[&str], user: &'static str) -> Result<Self> {
        let bytes = fs::read(binary).with_context(|| format!("cannot read {}", binary.display()))?;
        let mut layer = Tarball::new();
        layer.file(file, 0o755, &bytes)?;
        let mut entrypoint = vec![format!("/{file}")];
        entrypoint.extend(arguments.iter().map(ToString::to_string));
        Ok(Self {
            layer: layer.finish()?,
            entrypoint,
            environment: vec!["PATH=/".to_owned()],
            user,
        })
    }
}

/// An image's name without its tag.
pub(crate) fn repository(name: &str) -> &str {
    name.split(':').next().unwrap_or(name)
}

/// Writes the archive. Returns the repository with a tag that is computed from the contents.
pub(crate) fn write(archive: &Path, name: &str, contents: &Contents) -> Result<String> {
    let diff = digest::sha256([contents.layer.as_slice()]);
    let config = serde_json::to_vec(&json!({
        "architecture": architecture(),
        "os": "linux",
        "config": {
            "Entrypoint": contents.entrypoint, "User": contents.user, "Env": contents.environment, "WorkingDir": "/",
        },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{diff}")] },
    }))?;
    let id = digest::sha256([config.as_slice()]);
    let exact = format!("{}:{}", repository(name), digest::short(&id, 12));
    let manifest = serde_json::to_vec(&json!([{
        "Config": format!("{id}.json"),
        "RepoTags": [name, exact],
        "Layers": ["layer.tar"],
    }]))?;

    let mut outer = Tarball::new();
    outer.file("manifest.json", 0o644, &manifest)?;
    outer.file(&format!("{id}.json"), 0o644, &config)?;
    outer.file("layer.tar", 0o644, &contents.layer)?;
    let bytes = outer.finish()?;
    // Renamed when complete, so that another task never loads half an image.
    let partial = archive.with_extension(format!("{}.partial", std::process::id()));
    fs::File::create(&partial)
        .and_then(|mut file| file.write_all(&bytes))
        .and_then(|()| fs::rename(&partial, archive))
        .with_context(|| format!("cannot write {}", archive.display()))?;
    Ok(exact)
}

/// Reads from an archive what [`write()`] returned for it.
pub(crate) fn tag(archive: &Path) -> Result<String> {
    let broken = || {
        format!(
            "{} is not an image archive; delete it and run this again",
            archive.display()
        )
    };
    let mut open = Archive::new(fs::File::open(archive).with_context(broken)?);
    let first = open.entries()?.next().with_context(broken)??;
    let manifest: Value = serde_json::from_reader(first).with_context(broken)?;
    let tag = manifest.pointer("/0/RepoTags/1").and_then(Value::as_str);
    Ok(tag.with_context(broken)?.to_owned())
}

/// The processor's name in image configurations.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_binary_gives_the_same_archive_and_tag() {
        let folder = std::env::temp_dir().join(format!("xtask-archive-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let binary = folder.join("binary");
        fs::write(&binary, "one").unwrap();
        let make = |out: &str| {
            let contents = Contents::of_binary(&binary, "b", &["go"], "1:1").unwrap();
            let tag = write(&folder.join(out), "localhost/b:dev", &contents).unwrap();
            (tag, fs::read(folder.join(out)).unwrap())
        };
        let first = make("1.tar");
        assert_eq!(first, make("2.tar"));
        assert_eq!(first.0, tag(&folder.join("1.tar")).unwrap());
        fs::write(&binary, "two").unwrap();
        assert_ne!(first.0, make("3.tar").0);
        fs::remove_dir_all(&folder).unwrap();
    }
}
