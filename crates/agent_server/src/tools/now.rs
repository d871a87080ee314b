//! `now`: the time, which a model does not know.

use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use utoipa::ToSchema;

use super::Tool;
use crate::schema::{Schema, SchemaError};

#[derive(Debug)]
pub(crate) struct Now(Schema<Arguments>);

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {}

impl Now {
    pub(crate) fn new() -> Result<Self, SchemaError> {
        Schema::new().map(Self)
    }
}

impl Tool for Now {
    fn name(&self) -> &'static str {
        "now"
    }

    fn description(&self) -> &'static str {
        "The present date and time in UTC."
    }

    fn schema(&self) -> Value {
        self.0.json.clone()
    }

    fn is_repeatable(&self) -> bool {
        true
    }

    fn deadline(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn call<'tool>(&'tool self, arguments: Value) -> BoxFuture<'tool, Result<String, String>> {
        async {
            self.0.read(arguments).map_err(|invalid| invalid.0)?;
            OffsetDateTime::now_utc().format(&Rfc3339).map_err(|error| error.to_string())
        }
        .boxed()
    }
}
