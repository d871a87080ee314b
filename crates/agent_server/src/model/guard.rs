//! What stands between the runs and a provider: a bounded queue, a budget of requests, retries and a circuit breaker.

use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::{BackoffBuilder as _, ExponentialBuilder};
use futures_util::StreamExt as _;
use futures_util::stream::{BoxStream, Fuse};
use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};

use super::breaker::Breaker;
use super::{Delta, Model, ModelError, Pause, Request};
use crate::config::ModelConfig;
use crate::metrics::Metrics;

/// What a provider is asked to wait for when it does not say.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// The longest wait that a provider may ask of a run that waits for its first token.
const LONGEST_WAIT: Duration = Duration::from_secs(20);
const ATTEMPTS: usize = 4;

pub(crate) struct Guard {
    model: Arc<dyn Model>,
    permits: Arc<Semaphore>,
    places: Semaphore,
    queue_time: Duration,
    rate: Option<DefaultDirectRateLimiter>,
    breaker: Breaker,
    /// What the provider has asked for.
    pause: Arc<Pause>,
    metrics: Metrics,
}

/// A turn that has begun. Its permit is given back when it ends or is dropped, not before.
pub(crate) struct Answer {
    first: Option<Delta>,
    rest: Fuse<BoxStream<'static, Result<Delta, ModelError>>>,
    _permit: OwnedSemaphorePermit,
}

impl Answer {
    pub(crate) async fn next(&mut self) -> Option<Result<Delta, ModelError>> {
        match self.first.take() {
            Some(delta) => Some(Ok(delta)),
            None => self.rest.next().await,
        }
    }
}

impl Guard {
    pub(crate) fn new(model: Arc<dyn Model>, pause: Arc<Pause>, config: &ModelConfig, metrics: Metrics) -> Self {
        Self {
            model,
            permits: Arc::new(Semaphore::new(config.model_concurrency)),
            places: Semaphore::new(config.model_queue),
            queue_time: config.model_queue_time,
            rate: config.model_requests_per_minute.map(|most| DefaultDirectRateLimiter::direct(Quota::per_minute(most))),
            breaker: Breaker::default(),
            pause,
            metrics,
        }
    }

    /// Whether a run begun now would find no room here; then, after how long to ask again.
    pub(crate) fn is_full(&self) -> Option<Duration> {
        let is_full = self.permits.available_permits() == 0 && self.places.available_permits() == 0;
        // Nor is a run begun that would wait longer than one may wait in the queue.
        let pause = self.pause.left(Instant::now()).filter(|left| *left > self.queue_time);
        pause.or(is_full.then_some(self.queue_time))
    }

    /// Waits for its turn and for the first piece of the answer. Only until then a failed request is made again.
    pub(crate) async fn answer(&self, request: &Request) -> Result<Answer, ModelError> {
        let permit = self.permit().await?;
        let mut pauses = ExponentialBuilder::default().with_jitter().with_max_times(ATTEMPTS - 1).build();
        loop {
            self.pause.passed().await;
            let error = match self.attempt(request.clone()).await {
                Ok((first, rest)) => return Ok(Answer { first, rest: rest.fuse(), _permit: permit }),
                Err(error) => error,
            };
            self.metrics.model_error(error.code());
            let Some(pause) = pauses.next().filter(|_| error.is_transient()) else { return Err(error) };
            let asked = match error {
                ModelError::RateLimited { retry_after } => retry_after.unwrap_or(RETRY_AFTER),
                _ => Duration::ZERO,
            };
            if asked > LONGEST_WAIT {
                return Err(error);
            }
            tracing::info!(%error, "the model is asked again");
            sleep(asked.max(pause)).await;
        }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, ModelError> {
        let busy = || ModelError::Busy { retry_after: self.queue_time };
        if self.rate.is_none()
            && let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned()
        {
            return Ok(permit);
        }
        let _place = self.places.try_acquire().map_err(|_| busy())?;
        let _waiting = self.metrics.waiting_for_model();
        let turn = async {
            let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| busy())?;
            if let Some(rate) = &self.rate {
                while let Err(not_until) = rate.check() {
                    sleep(not_until.wait_time_from(DefaultClock::default().now())).await;
                }
            }
            Ok(permit)
        };
        timeout(self.queue_time, turn).await.map_err(|_| busy())?
    }

    async fn attempt(
        &self,
        request: Request,
    ) -> Result<(Option<Delta>, BoxStream<'static, Result<Delta, ModelError>>), ModelError> {
        self.breaker.admit(Instant::now()).map_err(|retry_after| ModelError::CircuitOpen { retry_after })?;
        let mut rest = self.model.answer(request);
        let first = rest.next().await.transpose();
        match &first {
            Err(ModelError::Unavailable(_) | ModelError::Broken(_)) => self.breaker.failed(Instant::now()),
            // A refusal is an answer too.
            Ok(_) | Err(_) => self.breaker.succeeded(),
        }
        Ok((first?, rest))
    }
}
