//! The cluster's programs, in the versions that `tools/cluster` pins. Programs that the machine has already are used,
//! and Go builds the others. They are kept in a cache folder with the version and a digest of the pins in its name, so
//! that an old program never runs after an upgrade.

mod tool;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::{go_build, memory};
use crate::progress::{long_step, say, step};
use crate::{command, digest, paths};
use tool::KUBERNETES;

pub(crate) use tool::{CONTROL_PLANE, KUBECTL, Tool, WITH_NODE};

/// Processor time that a build of all of them takes, on a machine of today.
const PROCESSOR_SECONDS: u64 = 600;

/// Where a tool is once it is built. `KUBEBUILDER_ASSETS`, which other operators' developers have set already, comes
/// first for what it holds.
pub(crate) fn path(tool: Tool) -> Result<PathBuf> {
    if let Some(assets) = std::env::var_os("KUBEBUILDER_ASSETS") {
        let given = Path::new(&assets).join(tool.name);
        if command::is_program(&given) {
            return Ok(given);
        }
    }
    Ok(folder()?.join(tool.name))
}

/// The path of a tool by its file name.
pub(crate) fn named(name: &str) -> Result<PathBuf> {
    let tool = WITH_NODE.iter().find(|tool| tool.name == name);
    path(*tool.with_context(|| format!("no cluster tool is called {name}"))?)
}

/// Those that are not in the cache yet.
pub(crate) fn missing(tools: &[Tool]) -> Result<Vec<Tool>> {
    let mut missing = Vec::new();
    for &tool in tools {
        if !command::is_program(&path(tool)?) {
            missing.push(tool);
        }
    }
    Ok(missing)
}

/// Takes or builds what is missing.
pub(crate) fn ensure(tools: &[Tool]) -> Result<()> {
    if missing(tools)?.is_empty() {
        return Ok(());
    }
    let folder = folder()?;
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let _lock = lock(&folder)?;
    for tool in missing(tools)? {
        take(tool, &folder)?;
    }
    let missing = missing(tools)?;
    let Some(first) = missing.first() else {
        return Ok(());
    };
    if command::find("go").is_none() {
        bail!(
            "{} is not built and there is no Go to build it with; install Go (the version is in tools/cluster/go.mod) \
             or set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl and use --no-node",
            first.name
        );
    }
    build(&missing, &folder)
}

/// Held while programs are built: a second task waits, and then has them.
fn lock(folder: &Path) -> Result<fs::File> {
    let file = fs::File::create(folder.with_extension("lock"))?;
    if file.try_lock().is_err() {
        say("waiting for another task that builds the cluster's programs");
        file.lock()?;
    }
    Ok(file)
}

/// Copies a program that the machine has in exactly the pinned version. A copy, since the machine's may be upgraded. A
/// program of an earlier build in the cache, which may be in PATH, is not used: what it is built from can be out of date.
fn take(tool: Tool, folder: &Path) -> Result<()> {
    let (Some(version), Some(program)) = (tool.version, command::find(tool.name)) else {
        return Ok(());
    };
    if program.starts_with(paths::cache()?) {
        return Ok(());
    }
    let printed = command::capture(Command::new(&program).args(version.arguments));
    if !printed.is_ok_and(|printed| version.is_printed_in(&printed)) {
        return Ok(());
    }
    let partial = folder.join(format!("{}.partial", tool.name));
    fs::copy(&program, &partial)
        .and_then(|_| fs::rename(&partial, folder.join(tool.name)))
        .with_context(|| format!("cannot copy {}", program.display()))?;
    say(&format!(
        "{} is the pinned version {}; it is used instead of building one",
        program.display(),
        version.number
    ));
    Ok(())
}

/// Builds all by one call: they share most of their packages, and one is linked while others are compiled.
fn build(tools: &[Tool], folder: &Path) -> Result<()> {
    let module = module();
    let packages: Vec<&str> = tools.iter().map(|tool| tool.package).collect();
    // The build would fetch them as well, but in silence.
    let needed = step("download the cluster's Go modules", || {
        command::capture(go_build::go(&module).args(["list", "-deps"]).args(&packages))
    })?;
    let needed = needed.lines().count();
    // Renamed when complete: a killed build must not leave half a program that looks built.
    let partial = folder.join("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).with_context(|| format!("cannot remove {}", partial.display()))?;
    }
    fs::create_dir_all(&partial).with_context(|| format!("cannot make {}", partial.display()))?;
    let what = match tools {
        [one] => format!("build {} (once)", one.name),
        several => format!("build the cluster's {} programs (once)", several.len()),
    };
    long_step(&what, Some(expected(tools)), |gauge| {
        let mut begun = 0;
        let (into, built) = (partial.clone(), tools.to_vec());
        gauge.note(move || linked(&into, &built));
        go_build::build(&module, &linker(), &packages, &partial, || {
            begun += 1;
            gauge.set(begun, needed, "packages");
        })
    })?;
    for tool in tools {
        fs::rename(partial.join(tool.built_as()), folder.join(tool.name))
            .with_context(|| format!("cannot keep {}", tool.name))?;
    }
    let _ = fs::remove_dir(&partial);
    Ok(())
}

/// Go writes a program when it is linked.
fn linked(partial: &Path, tools: &[Tool]) -> String {
    let linked = tools.iter().filter(|tool| partial.join(tool.built_as()).exists());
    format!("{} of {} programs", linked.count(), tools.len())
}

fn expected(tools: &[Tool]) -> Duration {
    // One program takes a third of the time of all, because they share most packages.
    let share = if tools.len() > 1 { 1 } else { 3 };
    Duration::from_secs(PROCESSOR_SECONDS / share / memory::processors())
}

fn linker() -> String {
    let version = "k8s.io/component-base/version";
    let minor = KUBERNETES.split('.').nth(1).unwrap_or_default();
    let strip = go_build::LINKER;
    format!("{strip} -X {version}.gitVersion=v{KUBERNETES} -X {version}.gitMajor=1 -X {version}.gitMinor={minor}")
}

fn module() -> PathBuf {
    paths::checkout().join("tools/cluster")
}

/// `<cache>/<version>/bin`.
fn folder() -> Result<PathBuf> {
    let mut pins = Vec::new();
    for file in ["go.mod", "coredns/main.go"] {
        let file = module().join(file);
        pins.push(fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?);
    }
    let hash = digest::sha256(pins.iter().map(Vec::as_slice));
    let version = format!("v{KUBERNETES}-{}", digest::short(&hash, 8));
    Ok(paths::cache()?.join(version).join("bin"))
}
