//! Planted faults: what the sweep has to notice, or it proves nothing.
//!
//! A fault is data: a text in a source file, which must stand there exactly once, and what
//! replaces it. The sources are copied, the fault is planted in the copy, the sweep is built there
//! and turned on the scenarios that must notice. So no fault is a switch in code that ships.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::verdict::Kind;

/// A fault, as its file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The file's name.
    #[serde(skip)]
    pub name: String,
    /// What is wrong, in a line.
    pub about: String,
    /// Other faults that are planted too, such as slices of an hour.
    #[serde(default)]
    pub with: Vec<String>,
    /// What is replaced.
    #[serde(rename = "edit")]
    pub edits: Vec<Edit>,
    /// What must notice, or must not.
    #[serde(rename = "run")]
    pub runs: Vec<Run>,
}

/// One replacement.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The path in the workspace.
    pub file: PathBuf,
    /// What stands there, exactly once.
    pub find: String,
    /// What stands there instead.
    pub replace: String,
}

/// One scenario under a fault.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Its name.
    pub scenario: String,
    /// The kinds of failure of which one must be found; none of them means that nothing may be.
    pub noticed_as: Vec<String>,
    /// Nobody is killed: the victim stands still while another acts.
    #[serde(default)]
    pub pauses: bool,
    /// How densely to look.
    #[serde(default = "default_points")]
    pub points: u64,
    /// At each change that others can see instead.
    #[serde(default)]
    pub changes: bool,
    /// Every so many instructions instead, for what is to be noticed at a few of a long region,
    /// whose points lie soon behind system calls.
    pub stride: Option<u64>,
}

const fn default_points() -> u64 {
    60
}

/// What came of one run.
#[derive(Debug)]
pub struct Noticed {
    /// Whether it is as the fault's file demands.
    pub is_good: bool,
    /// A line for the table.
    pub line: String,
}

/// Reads all faults, by name.
///
/// # Errors
/// When a file cannot be read, or is not a fault.
pub fn read(workspace: &Path) -> io::Result<Vec<Fault>> {
    let mut faults = Vec::new();
    for entry in fs::read_dir(workspace.join("sweep/faults"))? {
        let path = entry?.path();
        let mut fault: Fault = toml::from_str(&fs::read_to_string(&path)?)
            .map_err(|error| invalid(format!("{}: {error}", path.display())))?;
        fault.name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        faults.push(fault);
    }
    faults.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(faults)
}

/// All edits of a fault, those of what goes with it first.
///
/// # Errors
/// When it goes with one that does not exist.
pub fn edits(fault: &Fault, all: &[Fault]) -> io::Result<Vec<Edit>> {
    let mut edits = Vec::new();
    for name in &fault.with {
        let other = all.iter().find(|other| other.name == *name);
        let other = other.ok_or_else(|| invalid(format!("{}: no fault {name}", fault.name)))?;
        edits.extend(other.edits.iter().cloned());
    }
    edits.extend(fault.edits.iter().cloned());
    Ok(edits)
}

impl Edit {
    /// The text with the fault planted.
    ///
    /// # Errors
    /// When what is to be replaced does not stand there exactly once.
    pub fn plant(&self, text: &str) -> io::Result<String> {
        match text.matches(&self.find).count() {
            1 => Ok(text.replacen(&self.find, &self.replace, 1)),
            count => {
                let path = self.file.display();
                Err(invalid(format!("{path} has {count} times, not once: {}", self.find)))
            }
        }
    }
}

/// A copy of the workspace, with a target folder of its own: only what a fault changes is rebuilt.
pub struct Nursery {
    workspace: PathBuf,
    copy: PathBuf,
    target: PathBuf,
}

impl Nursery {
    /// In the workspace's target folder.
    #[must_use]
    pub fn new(workspace: &Path) -> Self {
        let folder = workspace.join("target/faults");
        Self {
            workspace: workspace.to_owned(),
            copy: folder.join("sources"),
            target: folder.join("target"),
        }
    }

    /// Plants a fault, builds, and makes its runs; `tell` gets each as it comes.
    ///
    /// # Errors
    /// The system's, and when the fault does not fit or does not compile.
    pub fn try_out(
        &self,
        fault: &Fault,
        all: &[Fault],
        mut tell: impl FnMut(Noticed),
    ) -> io::Result<()> {
        self.refresh(&edits(fault, all)?)?;
        self.build(&fault.name)?;
        for run in &fault.runs {
            tell(self.run(&fault.name, run)?);
        }
        Ok(())
    }

    /// Makes the copy what the workspace is, `edits` apart. Files that need no change are not
    /// touched, so that cargo rebuilds little.
    fn refresh(&self, edits: &[Edit]) -> io::Result<()> {
        let mut texts = Vec::new();
        collect(&self.workspace, Path::new(""), &mut texts)?;
        let wanted: BTreeSet<_> = texts.iter().map(|(path, _)| path.clone()).collect();
        let mut present = Vec::new();
        if self.copy.exists() {
            collect(&self.copy, Path::new(""), &mut present)?;
        }
        for (path, _) in present.iter().filter(|(path, _)| !wanted.contains(path)) {
            fs::remove_file(self.copy.join(path))?;
        }
        for (path, bytes) in &mut texts {
            for edit in edits.iter().filter(|edit| edit.file == *path) {
                let text = String::from_utf8_lossy(bytes);
                *bytes = edit.plant(&text)?.into_bytes();
            }
            let place = self.copy.join(&*path);
            if fs::read(&place).ok().as_ref() != Some(bytes) {
                fs::create_dir_all(place.parent().unwrap_or(&self.copy))?;
                fs::write(&place, &*bytes)?;
            }
        }
        Ok(())
    }

    fn build(&self, name: &str) -> io::Result<()> {
        let mut command = Command::new("cargo");
        command.args(["build", "--quiet", "--release", "--locked", "--package", "purlin-sweep"]);
        // A fault may leave something unused.
        command.env("CARGO_TARGET_DIR", &self.target).env("RUSTFLAGS", "--cap-lints=allow");
        let output = command.current_dir(&self.copy).output()?;
        if output.status.success() {
            return Ok(());
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        Err(invalid(format!("{name} does not compile:\n{errors}")))
    }

    fn run(&self, name: &str, run: &Run) -> io::Result<Noticed> {
        let began = Instant::now();
        let output = Command::new(self.target.join("release/purlin-sweep"))
            .args([run.scenario.as_str(), "--failures", "1"])
            .args(match run.stride {
                _ if run.changes => vec!["--changes".to_owned()],
                Some(stride) => vec!["--stride".to_owned(), stride.to_string()],
                None => vec!["--points".to_owned(), run.points.to_string()],
            })
            .args(run.pauses.then_some("--pauses"))
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let found = kind_in(&text);
        let is_good = match &found {
            Some(kind) => run.noticed_as.contains(kind),
            None => run.noticed_as.is_empty() && output.status.success(),
        };
        Ok(Noticed { is_good, line: line(name, run, found, &text, began.elapsed(), is_good) })
    }
}

/// A row of the table: the fault, who noticed, as what, after how long, and in which words.
fn line(
    name: &str,
    run: &Run,
    found: Option<String>,
    text: &str,
    took: Duration,
    is_good: bool,
) -> String {
    let (seconds, found) = (took.as_secs_f64(), found.unwrap_or_else(|| "nothing".to_owned()));
    let verdict = if is_good { "" } else { "  <-- not as it must be" };
    let says = text.lines().nth(1).unwrap_or_default().trim();
    let says = says.split_once(": ").map_or("", |(_, says)| says);
    format!("{name:34} {:22} {found:12} {seconds:5.1} s{verdict}  {says}", run.scenario)
}

/// The kind of the one failure that a sweep has printed: the second line begins with it.
fn kind_in(text: &str) -> Option<String> {
    let kind = text.lines().nth(1)?.trim().split(": ").next()?;
    Kind::named(kind).map(|kind| kind.to_string())
}

/// All files of a workspace but what is built, with their bytes.
fn collect(root: &Path, folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let (path, kind) = (folder.join(entry.file_name()), entry.file_type()?);
        let is_ours = ![Path::new("target"), Path::new(".git")].contains(&path.as_path());
        if kind.is_dir() && is_ours {
            collect(root, &path, files)?;
        }
        if kind.is_file() && is_ours {
            let bytes = fs::read(root.join(&path))?;
            files.push((path, bytes));
        }
    }
    Ok(())
}

fn invalid(says: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, says)
}
