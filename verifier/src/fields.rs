//! Reading objects with a fixed set of fields: exactly these, each of its type, errors that name the field.

use crate::encoding;
use crate::json::{Object, Value};
use crate::time::Timestamp;
use crate::words::quoted;

/// Why an object is not of the expected form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// Something else stands where an object must.
    #[error("not an object")]
    NotAnObject,
    /// A field that must be there is not.
    #[error("the field {0} is missing")]
    Missing(&'static str),
    /// A field that must not be there is.
    #[error("unknown field {}", quoted(.0))]
    Unknown(String),
    /// A field of the wrong type or form.
    #[error("the field {field} must be {expected}")]
    Wrong {
        /// The field.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
    },
}

/// An object whose field names were checked.
#[derive(Clone, Copy)]
pub(crate) struct Fields<'a>(&'a Object);

impl<'a> Fields<'a> {
    /// Accepts an object with exactly these fields.
    pub(crate) fn exactly(value: &'a Value, names: &[&'static str]) -> Result<Self, FieldError> {
        // Names are listed in canonical order, so that a right object is one comparison; the rest finds what is wrong.
        if let Value::Object(object) = value
            && object.iter().map(|(name, _)| name).eq(names.iter().copied())
        {
            return Ok(Self(object));
        }
        let fields = Self::at_most(value, names)?;
        match names.iter().find(|name| fields.0.get(name).is_none()) {
            Some(name) => Err(FieldError::Missing(name)),
            None => Ok(fields),
        }
    }

    /// Accepts an object with some of these fields and no others.
    pub(crate) fn at_most(value: &'a Value, names: &[&'static str]) -> Result<Self, FieldError> {
        let object = value.as_object().ok_or(FieldError::NotAnObject)?;
        match object.iter().find(|(name, _)| !names.contains(name)) {
            Some((name, _)) => Err(FieldError::Unknown(name.to_owned())),
            None => Ok(Self(object)),
        }
    }

    pub(crate) fn get(self, field: &'static str) -> Option<&'a Value> {
        self.0.get(field)
    }

    pub(crate) fn value(self, field: &'static str) -> Result<&'a Value, FieldError> {
        self.get(field).ok_or(FieldError::Missing(field))
    }

    pub(crate) fn string(self, field: &'static str) -> Result<&'a str, FieldError> {
        self.typed(field, "a string", Value::as_str)
    }

    pub(crate) fn boolean(self, field: &'static str) -> Result<bool, FieldError> {
        self.typed(field, "true or false", Value::as_bool)
    }

    pub(crate) fn integer(self, field: &'static str) -> Result<u64, FieldError> {
        self.typed(field, "a whole number from 0 to 2^53", Value::as_u64)
    }

    pub(crate) fn array(self, field: &'static str) -> Result<&'a [Value], FieldError> {
        self.typed(field, "an array", Value::as_array)
    }

    pub(crate) fn strings(self, field: &'static str) -> Result<Vec<&'a str>, FieldError> {
        let wrong = FieldError::Wrong { field, expected: "an array of strings" };
        self.array(field)?.iter().map(|value| value.as_str().ok_or_else(|| wrong.clone())).collect()
    }

    pub(crate) fn time(self, field: &'static str) -> Result<Timestamp, FieldError> {
        self.typed(field, "a time as YYYY-MM-DDTHH:MM:SSZ", |value| value.as_str()?.parse().ok())
    }

    /// Bytes as base64url.
    pub(crate) fn bytes(self, field: &'static str) -> Result<Vec<u8>, FieldError> {
        self.typed(field, "base64url without padding", |value| encoding::from_base64url(value.as_str()?).ok())
    }

    /// 32 bytes as base64url.
    pub(crate) fn bytes32(self, field: &'static str) -> Result<[u8; 32], FieldError> {
        self.typed(field, "base64url of 32 bytes", |value| encoding::array_from_base64url(value.as_str()?).ok())
    }

    /// The `type` field with the one text it must have.
    pub(crate) fn require_type(self, expected: &'static str) -> Result<(), FieldError> {
        if self.string("type")? == expected { Ok(()) } else { Err(FieldError::Wrong { field: "type", expected }) }
    }

    fn typed<T>(
        self,
        field: &'static str,
        expected: &'static str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<T, FieldError> {
        read(self.value(field)?).ok_or(FieldError::Wrong { field, expected })
    }
}
