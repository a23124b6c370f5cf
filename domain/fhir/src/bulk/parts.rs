//! Lines of JSON (<https://github.com/ndjson/ndjson-spec>) cut into parts of a bounded size.

use crate::jobs::{FilePurpose, JobFile, NewFile, Work};
use crate::ports::StoreError;

/// The media type of lines of FHIR JSON.
pub const LINES: &str = "application/fhir+ndjson";

/// A part is closed when it has so many bytes: it is sealed and fetched whole.
const PART: usize = 8 * 1024 * 1024;

/// Gathers the lines of one purpose and kind.
pub(super) struct Parts {
    purpose: FilePurpose,
    kind: String,
    lines: u64,
    bytes: Vec<u8>,
}

impl Parts {
    pub(super) fn new(purpose: FilePurpose, kind: &str) -> Self {
        Self { purpose, kind: kind.to_owned(), lines: 0, bytes: Vec::new() }
    }

    /// Adds a line; closes the part when it is full.
    pub(super) async fn add(&mut self, line: &[u8], output: &mut Output<'_>) -> Result<(), StoreError> {
        self.bytes.extend_from_slice(line);
        self.bytes.push(b'\n');
        self.lines += 1;
        if self.bytes.len() >= PART { self.close(output).await } else { Ok(()) }
    }

    /// Keeps what was gathered.
    pub(super) async fn close(&mut self, output: &mut Output<'_>) -> Result<(), StoreError> {
        if self.lines == 0 {
            return Ok(());
        }
        let file = NewFile { purpose: self.purpose, kind: &self.kind, lines: self.lines, bytes: &self.bytes };
        let kept = output.work.desk.put(output.work.job, output.next, file).await?;
        output.next += 1;
        output.files.push(kept);
        self.bytes.clear();
        self.lines = 0;
        Ok(())
    }
}

/// The files that a job wrote so far.
pub(super) struct Output<'a> {
    pub(super) work: &'a Work<'a>,
    pub(super) files: Vec<JobFile>,
    next: u32,
}

impl<'a> Output<'a> {
    /// After the files that the job reads.
    pub(super) fn after(work: &'a Work<'a>, inputs: usize) -> Self {
        Self { work, files: Vec::new(), next: u32::try_from(inputs).unwrap_or(u32::MAX) }
    }
}

/// The longest line: a resource.
pub const LONGEST_LINE: usize = 16 * 1024 * 1024;

/// A line is longer than any resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a line has more than {LONGEST_LINE} bytes")]
pub struct LongLine;

/// Cuts what comes piece by piece at line ends: no more than a part and a line is in memory.
#[derive(Debug, Default)]
pub struct LineCutter {
    waiting: Vec<u8>,
}

impl LineCutter {
    /// Takes a piece, and gives whole lines when they fill a part.
    ///
    /// # Errors
    /// A line without end.
    pub fn push(&mut self, piece: &[u8]) -> Result<Option<Vec<u8>>, LongLine> {
        self.waiting.extend_from_slice(piece);
        if self.waiting.len() < PART {
            return Ok(None);
        }
        match self.waiting.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => {
                let rest = self.waiting.split_off(end + 1);
                Ok(Some(std::mem::replace(&mut self.waiting, rest)))
            }
            None if self.waiting.len() > LONGEST_LINE => Err(LongLine),
            None => Ok(None),
        }
    }

    /// What is left when nothing more comes.
    #[must_use]
    pub fn rest(self) -> Vec<u8> {
        self.waiting
    }
}

/// Cuts at line ends; empty lines are left out.
pub fn split_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
}
