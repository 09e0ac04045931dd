//! The reports that go to files.

use purlin_conformance::error::Error;
use purlin_conformance::report::file::ReportFile;
use purlin_conformance::report::html::html;
use purlin_conformance::report::json;
use purlin_conformance::report::junit::junit;
use purlin_conformance::report::text::Row;
use purlin_conformance::suite::Suite;

use crate::command_line::Files;

/// Places for reports, all of which were found writable.
pub(crate) struct Reports {
    json: Option<ReportFile>,
    junit: Option<ReportFile>,
    html: Option<ReportFile>,
}

impl Reports {
    /// Looks, before anything is run, whether each report can be written.
    ///
    /// # Errors
    /// * [`Error::Write`] when one cannot.
    /// * [`Error::Asked`] when two would go to one file.
    pub(crate) fn claim(files: &Files) -> Result<Self, Error> {
        let claim = |path: &Option<String>| path.as_deref().map(ReportFile::claim).transpose();
        let (json, junit, html) = (claim(&files.json)?, claim(&files.junit)?, claim(&files.html)?);
        let targets = [&json, &junit, &html].map(|file| file.as_ref().and_then(ReportFile::target));
        let options = ["--json", "--junit", "--html"];
        for (place, target) in targets.iter().enumerate().filter(|(_, target)| target.is_some()) {
            if let Some(other) = targets[..place].iter().position(|other| other == target) {
                let (one, other) = (options[other], options[place]);
                return Err(Error::Asked(format!("{one} and {other} name the same file")));
            }
        }
        Ok(Self { json, junit, html })
    }

    /// Writes them all, also where one of them cannot be written.
    ///
    /// # Errors
    /// * [`Error::Write`] for the first that could not.
    pub(crate) fn write(self, suite: &Suite, rows: &[Row], program: &str) -> Result<(), Error> {
        let Self { json, junit, html } = self;
        let write = |file: Option<ReportFile>, text: &dyn Fn() -> String| {
            file.map_or(Ok(()), |file| file.write(&text()))
        };
        let written = [
            write(json, &|| json::lines(rows, &suite.catalogue)),
            write(junit, &|| self::junit(suite, rows, program)),
            write(html, &|| self::html(suite, rows, program)),
        ];
        written.into_iter().collect()
    }
}
