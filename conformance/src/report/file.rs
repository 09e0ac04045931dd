//! The file that a report goes to: claimed before anything is run, written whole behind it.
//!
//! A run takes minutes, so a place that cannot be written is found before it. What is written goes
//! to a file beside the place first, which then takes its name: whoever looks there finds the old
//! report or the new one, and never half of one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A place for a report, which was found writable.
#[derive(Debug)]
pub struct ReportFile {
    path: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// A file, by the path that leads to it without links.
    Whole(PathBuf),
    /// Something that no other file could take the name of, such as a pipe.
    Stream(File),
}

impl ReportFile {
    /// Looks whether a report can be written to this path.
    ///
    /// # Errors
    /// * [`Error::Write`] when it cannot.
    pub fn claim(path: &str) -> Result<Self, Error> {
        let place = claim(Path::new(path)).map_err(|source| write_error(path, source))?;
        Ok(Self { path: path.to_owned(), place })
    }

    /// The file that it stands for; none where that is no file.
    pub fn target(&self) -> Option<&Path> {
        match &self.place {
            Place::Whole(target) => Some(target),
            Place::Stream(_) => None,
        }
    }

    /// Writes the report.
    ///
    /// # Errors
    /// * [`Error::Write`] when it cannot be written after all; a report that was there is still.
    pub fn write(self, text: &str) -> Result<(), Error> {
        let written = match self.place {
            Place::Whole(target) => write_whole(&target, text),
            Place::Stream(mut file) => file.write_all(text.as_bytes()).and_then(|()| file.flush()),
        };
        written.map_err(|source| write_error(&self.path, source))
    }
}

fn claim(path: &Path) -> io::Result<Place> {
    let target = match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(found) => {
            let file = OpenOptions::new().write(true).open(path)?;
            if !found.is_file() || SYSTEM_FOLDERS.iter().any(|folder| path.starts_with(folder)) {
                return Ok(Place::Stream(file));
            }
            fs::canonicalize(path)?
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => new_target(path)?,
        Err(error) => return Err(error),
    };
    let trial = beside(&target);
    File::create(&trial)?;
    fs::remove_file(&trial)?;
    Ok(Place::Whole(target))
}

/// `/dev/stdout` may lead to a file, which belongs to whoever opened it and keeps its place.
const SYSTEM_FOLDERS: [&str; 2] = ["/dev", "/proc"];

/// A file that is not there yet, in a folder that is.
fn new_target(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok(fs::canonicalize(folder.unwrap_or(Path::new(".")))?.join(name))
}

/// A name of this process's own, which is short whatever the target's is.
fn beside(target: &Path) -> PathBuf {
    target.with_file_name(format!(".purlin-report-{}", std::process::id()))
}

fn write_whole(target: &Path, text: &str) -> io::Result<()> {
    let part = beside(target);
    let written = write_part(&part, target, text).and_then(|()| fs::rename(&part, target));
    if written.is_err() {
        let _ = fs::remove_file(&part); // it may never have come to be
    }
    written
}

fn write_part(part: &Path, target: &Path, text: &str) -> io::Result<()> {
    let mut file = File::create(part)?;
    file.write_all(text.as_bytes())?;
    if let Ok(found) = fs::metadata(target) {
        file.set_permissions(found.permissions())?;
    }
    // Before the name is: after a power cut the name leads to all of it.
    file.sync_all()
}

fn write_error(path: &str, source: io::Error) -> Error {
    Error::Write { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beside_a_file_are_short() {
        let long = format!("/folder/{}", "x".repeat(255));
        let beside = beside(Path::new(&long));
        assert_eq!(beside.parent(), Some(Path::new("/folder")));
        assert!(beside.file_name().unwrap().len() < 40);
    }
}
