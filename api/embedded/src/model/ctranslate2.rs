//! Reader of CTranslate2's binary model, version 6: variables by name.
//!
//! Layout: <https://github.com/OpenNMT/CTranslate2/blob/master/python/ctranslate2/specs/model_spec.py>, `_serialize`.

use std::collections::HashMap;

use super::ModelError;

/// The element type of a variable, of those that the pinned models use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// IEEE 754 half precision.
    Half,
    /// 16-bit integer.
    Integer16,
    /// Any other type, which the conversion does not need.
    Other,
}

/// One variable, borrowed from the file.
#[derive(Clone, Debug)]
pub(super) struct Variable<'a> {
    pub dimensions: Vec<u32>,
    pub element: Element,
    pub data: &'a [u8],
}

/// All variables of a file.
pub(super) struct Variables<'a>(HashMap<&'a str, Variable<'a>>);

const VERSION: u32 = 6;

impl<'a> Variables<'a> {
    /// Reads the table of variables.
    pub(super) fn read(file: &'a [u8]) -> Result<Self, ModelError> {
        let mut cursor = Cursor(file);
        let version = cursor.u32()?;
        if version != VERSION {
            return Err(ModelError::format(format!("version {version}")));
        }
        let specification = cursor.text()?;
        if specification != "WhisperSpec" {
            return Err(ModelError::format(format!("a {specification}")));
        }
        cursor.u32()?; // the specification's revision
        let count = cursor.u32()?;
        let mut variables = HashMap::new();
        for _ in 0..count {
            let (name, variable) = cursor.variable()?;
            variables.insert(name, variable);
        }
        Ok(Self(variables))
    }

    /// The variable of a name, else an error that names it.
    pub(super) fn get(&self, name: &str) -> Result<&Variable<'a>, ModelError> {
        self.0.get(name).ok_or_else(|| ModelError::format(format!("no {name}")))
    }

    /// Whether there is a variable of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

impl Variable<'_> {
    /// The value of a 16-bit scalar.
    pub(super) fn scalar(&self) -> Result<u32, ModelError> {
        match (self.element, self.data) {
            (Element::Integer16, [low, high]) => Ok(u16::from_le_bytes([*low, *high]).into()),
            _ => Err(ModelError::format("a scalar was expected")),
        }
    }

    /// The size of one dimension.
    pub(super) fn dimension(&self, index: usize) -> Result<u32, ModelError> {
        self.dimensions.get(index).copied().ok_or_else(|| ModelError::format("a dimension is missing"))
    }
}

struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], ModelError> {
        let (head, tail) = self.0.split_at_checked(count).ok_or_else(|| ModelError::format("it ends too early"))?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ModelError> {
        self.take(N)?.try_into().map_err(|_| ModelError::format("it ends too early"))
    }

    fn u8(&mut self) -> Result<u8, ModelError> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, ModelError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// A length, then the characters and a NUL that the length counts.
    fn text(&mut self) -> Result<&'a str, ModelError> {
        let length = u16::from_le_bytes(self.array()?);
        let bytes = self.take(length.into())?;
        let text = std::str::from_utf8(bytes).map_err(|error| ModelError::format(error.to_string()))?;
        Ok(text.trim_end_matches('\0'))
    }

    fn variable(&mut self) -> Result<(&'a str, Variable<'a>), ModelError> {
        let name = self.text()?;
        let rank = self.u8()?;
        let mut dimensions = Vec::with_capacity(rank.into());
        for _ in 0..rank {
            dimensions.push(self.u32()?);
        }
        let element = match self.u8()? {
            2 => Element::Integer16,
            4 => Element::Half,
            _ => Element::Other,
        };
        let size = self.u32()?;
        let size = usize::try_from(size).map_err(|error| ModelError::format(error.to_string()))?;
        let variable = Variable { dimensions, element, data: self.take(size)? };
        Ok((name, variable))
    }
}
