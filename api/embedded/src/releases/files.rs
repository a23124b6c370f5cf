//! The files of a release: one file, a folder, or a ZIP; read line by line.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::ReleaseError;

/// Longer lines are no lines of these formats.
const LONGEST_LINE: usize = 1 << 20;
/// Folders are looked into to this depth.
const DEEPEST: usize = 8;

/// Where the files are.
#[derive(Debug)]
pub(super) struct Source {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    File,
    /// The files below the folder.
    Folder(Vec<PathBuf>),
    Zip,
}

impl Source {
    pub(super) fn open(path: &Path) -> Result<Self, ReleaseError> {
        let fault = |reason: String| ReleaseError::File { path: path.to_owned(), reason };
        let about = std::fs::metadata(path).map_err(|error| fault(error.to_string()))?;
        let kind = if about.is_dir() {
            let mut files = Vec::new();
            gather(path, 0, &mut files).map_err(|error| fault(error.to_string()))?;
            files.sort();
            Kind::Folder(files)
        } else if path.extension().is_some_and(|own| own.eq_ignore_ascii_case("zip")) {
            Kind::Zip
        } else {
            Kind::File
        };
        Ok(Self { path: path.to_owned(), kind })
    }

    /// The names of all files, without their folders.
    pub(super) fn names(&self) -> Result<Vec<String>, ReleaseError> {
        match &self.kind {
            Kind::File => Ok(vec![name_of(&self.path)]),
            Kind::Folder(files) => Ok(files.iter().map(|file| name_of(file)).collect()),
            Kind::Zip => {
                let archive = self.archive()?;
                let names = archive.file_names().filter_map(Result::ok);
                Ok(names.map(|name| name_of(Path::new(&*name))).collect())
            }
        }
    }

    /// Whether the release is one file, whatever its name.
    pub(super) fn is_file(&self) -> bool {
        matches!(self.kind, Kind::File)
    }

    /// Reads the files whose names fit, one after the other; how many there were.
    pub(super) fn each(
        &self,
        fits: &dyn Fn(&str) -> bool,
        read: &mut dyn FnMut(&mut Lines<'_>) -> Result<(), ReleaseError>,
    ) -> Result<usize, ReleaseError> {
        match &self.kind {
            Kind::File => self.open_each(std::slice::from_ref(&self.path), fits, read),
            Kind::Folder(files) => self.open_each(files, fits, read),
            Kind::Zip => {
                let mut archive = self.archive()?;
                let mut count = 0;
                for place in 0..archive.len() {
                    let entry = archive.by_index(place).map_err(|error| self.fault(&error.to_string()))?;
                    let path = entry.name().map_err(|error| self.fault(&error.to_string()))?.into_owned();
                    let name = name_of(Path::new(&path));
                    if entry.is_file() && fits(&name) {
                        read(&mut Lines::new(name, &mut BufReader::new(entry)))?;
                        count += 1;
                    }
                }
                Ok(count)
            }
        }
    }

    /// The same; a file must be there.
    pub(super) fn one_at_least(
        &self,
        what: &str,
        fits: &dyn Fn(&str) -> bool,
        read: &mut dyn FnMut(&mut Lines<'_>) -> Result<(), ReleaseError>,
    ) -> Result<(), ReleaseError> {
        match self.each(fits, read)? {
            0 => Err(self.fault(&format!("it has no {what}"))),
            _ => Ok(()),
        }
    }

    fn open_each(
        &self,
        files: &[PathBuf],
        fits: &dyn Fn(&str) -> bool,
        read: &mut dyn FnMut(&mut Lines<'_>) -> Result<(), ReleaseError>,
    ) -> Result<usize, ReleaseError> {
        let mut count = 0;
        for path in files {
            let name = name_of(path);
            if fits(&name) {
                let file = File::open(path)
                    .map_err(|error| ReleaseError::File { path: path.clone(), reason: error.to_string() })?;
                read(&mut Lines::new(name, &mut BufReader::new(file)))?;
                count += 1;
            }
        }
        Ok(count)
    }

    fn archive(&self) -> Result<ZipArchive<BufReader<File>>, ReleaseError> {
        let file = File::open(&self.path).map_err(|error| self.fault(&error.to_string()))?;
        ZipArchive::new(BufReader::new(file)).map_err(|error| self.fault(&error.to_string()))
    }

    fn fault(&self, reason: &str) -> ReleaseError {
        ReleaseError::File { path: self.path.clone(), reason: reason.to_owned() }
    }
}

fn gather(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_file() {
            files.push(entry.path());
        } else if kind.is_dir() && depth < DEEPEST {
            gather(&entry.path(), depth + 1, files)?;
        }
    }
    Ok(())
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// The lines of a file, each with its place.
pub(super) struct Lines<'r> {
    name: String,
    reader: &'r mut dyn BufRead,
    number: u64,
}

impl<'r> Lines<'r> {
    fn new(name: String, reader: &'r mut dyn BufRead) -> Self {
        Self { name, reader, number: 0 }
    }

    /// The next line without its end; none at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<String>, ReleaseError> {
        let mut bytes = Vec::new();
        self.number += 1;
        loop {
            let part = match self.reader.fill_buf() {
                Ok(part) => part,
                Err(error) => return Err(wrong(&format!("{}:{}", self.name, self.number), &error.to_string())),
            };
            let end = part.iter().position(|byte| *byte == b'\n');
            let taken = end.map_or(part.len(), |end| end + 1);
            bytes.extend(part.iter().take(taken));
            self.reader.consume(taken);
            if end.is_some() || taken == 0 {
                break;
            }
            if bytes.len() > LONGEST_LINE {
                return Err(wrong(&self.place(), &format!("the line is longer than {LONGEST_LINE} bytes")));
            }
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        let text = String::from_utf8(bytes).map_err(|_| wrong(&self.place(), "the line isn't UTF-8"))?;
        let text = text.trim_start_matches('\u{feff}').trim_end_matches(['\n', '\r']);
        Ok(Some(text.to_owned()))
    }

    /// File and line.
    pub(super) fn place(&self) -> String {
        format!("{}:{}", self.name, self.number)
    }
}

/// A fault of a line.
pub(super) fn wrong(place: &str, fault: &str) -> ReleaseError {
    ReleaseError::Line { place: place.to_owned(), fault: fault.to_owned() }
}

/// Columns of a line that is parted by a letter.
pub(super) struct Columns<'l> {
    place: String,
    columns: Vec<&'l str>,
}

impl<'l> Columns<'l> {
    /// Parts a line; it must have so many columns at least.
    pub(super) fn of(place: String, line: &'l str, (separator, least): (char, usize)) -> Result<Self, ReleaseError> {
        let columns: Vec<&str> = line.split(separator).collect();
        if columns.len() < least {
            return Err(wrong(&place, &format!("the line has {} columns, {least} are needed", columns.len())));
        }
        Ok(Self { place, columns })
    }

    pub(super) fn get(&self, place: usize) -> &'l str {
        self.columns.get(place).copied().unwrap_or_default()
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// A column that holds a number.
    pub(super) fn number(&self, place: usize, name: &str) -> Result<u64, ReleaseError> {
        let text = self.get(place);
        text.parse().map_err(|_| wrong(&self.place, &format!("{name}: {text:?} is not a number")))
    }
}
