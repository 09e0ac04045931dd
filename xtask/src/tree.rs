//! The texts of the workspace, read once.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// One text file; its path is relative to the workspace, with `/` between its parts.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// All text files of the workspace but what is built.
pub(crate) struct Tree {
    pub(crate) sources: Vec<Source>,
}

impl Tree {
    /// Reads the workspace that this program was built from.
    pub(crate) fn read() -> io::Result<Self> {
        let root = root();
        let mut sources = Vec::new();
        read_folder(&root, &root, &mut sources)?;
        sources.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(Self { sources })
    }

    /// A tree of given texts, for the tests of the rules.
    #[cfg(test)]
    pub(crate) fn of(sources: &[(&str, &str)]) -> Self {
        let source = |(path, text): &(&str, &str)| Source {
            path: (*path).to_owned(),
            text: (*text).to_owned(),
        };
        Self { sources: sources.iter().map(source).collect() }
    }

    pub(crate) fn rust(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|source| source.path.ends_with(".rs"))
    }

    /// Rust that ships: no tests, no benches, no fuzzer, no peers, and not this program.
    pub(crate) fn shipped(&self) -> impl Iterator<Item = &Source> {
        self.rust().filter(|source| source.is_shipped())
    }

    pub(crate) fn find(&self, path: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.path == path)
    }

    /// The folders of the members: those with a manifest, the root apart.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.sources.iter().filter_map(|source| {
            let folder = source.path.strip_suffix("/Cargo.toml")?;
            Some((folder, source))
        })
    }
}

impl Source {
    /// The first folder of the path, which is the crate's.
    pub(crate) fn folder(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    pub(crate) fn is_shipped(&self) -> bool {
        let stays_here = ["xtask", "benches", "fuzz", "peers"].contains(&self.folder());
        self.path.split('/').nth(1) == Some("src") && !stays_here
    }
}

/// The workspace's folder, as it was when this program was built.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read_folder(root: &Path, folder: &Path, sources: &mut Vec<Source>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, name) = (entry.path(), entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() && name != "target" && name != ".git" {
            read_folder(root, &path, sources)?;
        }
        // In a linked work tree .git is a file.
        if kind.is_file()
            && name != ".git"
            && let Ok(text) = fs::read_to_string(&path)
        {
            let relative = path.strip_prefix(root).unwrap_or(&path);
            sources.push(Source { path: relative.to_string_lossy().replace('\\', "/"), text });
        }
    }
    Ok(())
}
