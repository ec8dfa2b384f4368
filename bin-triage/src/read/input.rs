//! One input: a file or standard input.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};

/// Where alerts are read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    Stdin,
    File(PathBuf),
}

impl From<PathBuf> for Input {
    fn from(path: PathBuf) -> Self {
        if path == Path::new("-") { Input::Stdin } else { Input::File(path) }
    }
}

impl Input {
    /// The name that the report shows.
    pub(crate) fn name(&self) -> String {
        match self {
            Input::Stdin => "-".to_owned(),
            Input::File(path) => path.display().to_string(),
        }
    }

    /// The error for the user when reading this input fails.
    pub(crate) fn read_error(&self, error: &io::Error) -> anyhow::Error {
        match self {
            // The error names its own fix.
            _ if error.kind() == io::ErrorKind::FileTooLarge => {
                anyhow!("cannot read {}: {error}", self.name())
            }
            Input::Stdin => anyhow!("cannot read standard input: {error}; name a FILE, or pipe alerts in"),
            Input::File(path) => {
                let name = path.display();
                anyhow!(
                    "cannot read {name}: {error}; check the path and its permissions, or give `-` for standard input"
                )
            }
        }
    }
}

/// The inputs named on the command line; standard input if none is named.
///
/// # Errors
/// No file is named and standard input is a terminal, or `-` is named twice.
pub(crate) fn inputs(files: &[PathBuf]) -> anyhow::Result<Vec<Input>> {
    let inputs = match files {
        [] if io::stdin().is_terminal() => {
            bail!("no input: name a FILE, or pipe alerts in; `triage --help` shows all options")
        }
        [] => vec![Input::Stdin],
        files => files.iter().cloned().map(Input::from).collect(),
    };
    if inputs.iter().filter(|input| matches!(input, Input::Stdin)).count() > 1 {
        bail!("`-` is given twice, but standard input can be read only once: name it once");
    }
    Ok(inputs)
}

/// Refuses inputs that can be read only once: standard input and named pipes. `why` names the
/// command that reads them twice.
pub(crate) fn require_files(inputs: &[Input], why: &str) -> anyhow::Result<()> {
    for input in inputs {
        match input {
            Input::Stdin => {
                bail!("standard input can be read only once, but {why}: save it to a file and name that");
            }
            Input::File(path) => {
                let is_pipe = fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir());
                if is_pipe {
                    bail!("{} is not a file, but {why}: save it to a file and name that", path.display());
                }
            }
        }
    }
    Ok(())
}
