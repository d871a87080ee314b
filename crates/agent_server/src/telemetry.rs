//! Logs: JSON on standard output, by a writer that never holds up the event loop; traces behind the feature `otel`.

use std::io;

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use crate::config::{Config, LogFormat};

/// Lines that may wait while nobody reads standard output; more are dropped, and their number is logged by the crate.
const LINES: usize = 16_384;

/// Writes what still waits when it is dropped: held by `main` to its end.
#[must_use]
pub struct Telemetry {
    _logs: WorkerGuard,
    #[cfg(feature = "otel")]
    traces: Option<opentelemetry_sdk::trace::SdkTracerProvider>,
}

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("logging is set up already: {0}")]
    Twice(#[from] TryInitError),
    #[cfg(feature = "otel")]
    #[error("traces cannot be sent: {0}")]
    Otlp(#[from] opentelemetry_otlp::ExporterBuildError),
}

/// Starts logging; `RUST_LOG` chooses what, by default `info`.
pub fn start(config: &Config) -> Result<Telemetry, StartError> {
    let (writer, logs) = NonBlockingBuilder::default().buffered_lines_limit(LINES).lossy(true).finish(io::stdout());
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let layer = match config.log_format {
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_writer(writer).boxed(),
        LogFormat::Text => fmt::layer().with_writer(writer).boxed(),
    };
    let registry = tracing_subscriber::registry().with(layer.with_filter(filter));
    #[cfg(feature = "otel")]
    {
        let traces = config.otlp_endpoint.as_ref().map(otlp).transpose()?;
        let layer = traces.as_ref().map(|provider| {
            use opentelemetry::trace::TracerProvider as _;
            tracing_opentelemetry::layer().with_tracer(provider.tracer("agent_server"))
        });
        registry.with(layer).try_init()?;
        Ok(Telemetry { _logs: logs, traces })
    }
    #[cfg(not(feature = "otel"))]
    {
        registry.try_init()?;
        Ok(Telemetry { _logs: logs })
    }
}

#[cfg(feature = "otel")]
fn otlp(endpoint: &url::Url) -> Result<opentelemetry_sdk::trace::SdkTracerProvider, opentelemetry_otlp::ExporterBuildError> {
    use opentelemetry_otlp::WithExportConfig as _;
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(endpoint.join("v1/traces").map_or_else(|_| endpoint.to_string(), Into::into))
        .build()?;
    let resource = opentelemetry_sdk::Resource::builder().with_service_name("agent_server").build();
    Ok(opentelemetry_sdk::trace::SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}

#[cfg(feature = "otel")]
impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(traces) = self.traces.take()
            && let Err(error) = traces.shutdown()
        {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}
