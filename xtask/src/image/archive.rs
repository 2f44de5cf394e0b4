//! The archive `docker save` writes and every runtime loads: `manifest.json`, a configuration, one layer. Nothing in
//! it depends on time, place or user, so an unchanged binary gives the same bytes and the same tag.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::json;
use tar::{Builder, Header};

use crate::digest;

/// What is in the image, and how it starts.
pub(crate) struct Contents {
    pub(crate) binary: PathBuf,
    /// The binary's name in the image's root.
    pub(crate) file: &'static str,
    pub(crate) arguments: &'static [&'static str],
    pub(crate) user: &'static str,
}

/// Writes the archive and returns the repository with the tag that follows from its contents.
pub(crate) fn write(archive: &Path, name: &str, repository: &str, contents: &Contents) -> Result<String> {
    let binary = fs::read(&contents.binary).with_context(|| format!("cannot read {}", contents.binary.display()))?;
    let mut layer = Builder::new(Vec::new());
    entry(&mut layer, contents.file, 0o755, &binary)?;
    let layer = layer.into_inner()?;
    let diff = digest::sha256([layer.as_slice()]);

    let mut entrypoint = vec![format!("/{}", contents.file)];
    entrypoint.extend(contents.arguments.iter().map(ToString::to_string));
    let config = serde_json::to_vec(&json!({
        "architecture": architecture(),
        "os": "linux",
        "config": { "Entrypoint": entrypoint, "User": contents.user, "Env": ["PATH=/"], "WorkingDir": "/" },
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{diff}")] },
    }))?;
    let id = digest::sha256([config.as_slice()]);
    let exact = format!("{repository}:{}", digest::short(&id, 12));
    let manifest = serde_json::to_vec(&json!([{
        "Config": format!("{id}.json"),
        "RepoTags": [name, exact],
        "Layers": ["layer.tar"],
    }]))?;

    let mut outer = Builder::new(Vec::new());
    entry(&mut outer, "manifest.json", 0o644, &manifest)?;
    entry(&mut outer, &format!("{id}.json"), 0o644, &config)?;
    entry(&mut outer, "layer.tar", 0o644, &layer)?;
    let bytes = outer.into_inner()?;
    // Renamed when complete, so that a run beside this one never loads half an image.
    let partial = archive.with_extension(format!("{}.partial", std::process::id()));
    fs::File::create(&partial)
        .and_then(|mut file| file.write_all(&bytes))
        .and_then(|()| fs::rename(&partial, archive))
        .with_context(|| format!("cannot write {}", archive.display()))?;
    Ok(exact)
}

fn entry(into: &mut Builder<Vec<u8>>, path: &str, mode: u32, bytes: &[u8]) -> Result<()> {
    let mut header = Header::new_ustar();
    header.set_size(bytes.len() as u64);
    header.set_mode(mode);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    into.append_data(&mut header, path, bytes)?;
    Ok(())
}

/// What images call the processor this was built for.
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
            let contents = Contents {
                binary: binary.clone(),
                file: "b",
                arguments: &["go"],
                user: "1:1",
            };
            let tag = write(&folder.join(out), "localhost/b:dev", "localhost/b", &contents).unwrap();
            (tag, fs::read(folder.join(out)).unwrap())
        };
        let first = make("1.tar");
        assert_eq!(first, make("2.tar"));
        fs::write(&binary, "two").unwrap();
        assert_ne!(first.0, make("3.tar").0);
        fs::remove_dir_all(&folder).unwrap();
    }
}
