//! Typed input: one schema validates it, describes it to the model and stands on the API's page.

use std::fmt;
use std::marker::PhantomData;

use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::PartialSchema;

/// The reason quotes the input, which may be long.
const LONGEST_REASON: usize = 300;

/// The schema of a type whose description is inline, without references.
pub(crate) struct Schema<T> {
    pub(crate) json: Value,
    validator: Validator,
    of: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Schema<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Schema").field(&self.json).finish()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    #[error("the schema of `{name}` cannot be used: {reason}")]
    Unusable { name: &'static str, reason: String },
}

/// What is wrong with an input, and where in it.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Invalid(pub(crate) String);

impl<T: DeserializeOwned + PartialSchema> Schema<T> {
    pub(crate) fn new() -> Result<Self, SchemaError> {
        let unusable = |reason: String| SchemaError::Unusable { name: std::any::type_name::<T>(), reason };
        let json = serde_json::to_value(T::schema()).map_err(|error| unusable(error.to_string()))?;
        let validator = jsonschema::validator_for(&json).map_err(|error| unusable(error.to_string()))?;
        Ok(Self { json, validator, of: PhantomData })
    }

    pub(crate) fn read(&self, value: Value) -> Result<T, Invalid> {
        if let Some(error) = self.validator.iter_errors(&value).next() {
            let place = error.instance_path().to_string();
            let place = if place.is_empty() { "the input".to_owned() } else { format!("`{place}`") };
            let reason = match error.kind() {
                // "Nothing is allowed here": the type knows the name of what it does not take.
                ValidationErrorKind::FalseSchema => T::deserialize(&value).err().map(|error| error.to_string()),
                _ => None,
            };
            let reason = reason.unwrap_or_else(|| error.to_string());
            let reason: String = reason.chars().take(LONGEST_REASON).collect();
            return Err(Invalid(format!("{place}: {reason}")));
        }
        serde_json::from_value(value).map_err(|error| Invalid(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;
    use utoipa::ToSchema;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq, ToSchema)]
    #[serde(deny_unknown_fields)]
    struct Input {
        #[schema(min_length = 1, max_length = 5)]
        name: String,
    }

    #[test]
    fn what_is_wrong_is_named() {
        let schema = Schema::<Input>::new().unwrap();
        assert_eq!(schema.read(json!({ "name": "ann" })), Ok(Input { name: "ann".to_owned() }));
        for (input, word) in [
            (json!({ "name": "" }), "`/name`"),
            (json!({ "name": "abcdef" }), "5"),
            (json!({ "name": 1 }), "string"),
            (json!({}), "name"),
            (json!({ "name": "ann", "age": 1 }), "age"),
            (json!([]), "object"),
        ] {
            let Invalid(message) = schema.read(input.clone()).unwrap_err();
            assert!(message.contains(word), "{input}: {message}");
        }
    }
}
