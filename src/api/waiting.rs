//! How many calls wait for their answer at once, over all connections. Whatever a call leaves
//! in a queue until it is answered is bounded by it.

use std::sync::Arc;

use http::Response;
use tokio::sync::Semaphore;
use tonic::body::Body;

use super::status;

/// The places of calls that wait for their answer.
#[derive(Clone)]
pub struct Waiting {
    places: Arc<Semaphore>,
    most: usize,
}

impl Waiting {
    /// Room for so many.
    pub fn new(most: usize) -> Self {
        let most = most.min(Semaphore::MAX_PERMITS);
        Self {
            places: Arc::new(Semaphore::new(most)),
            most,
        }
    }

    /// Waits for the answer in a place, or refuses when there is none. A stream is answered
    /// once it has begun.
    pub async fn answered<E>(
        self,
        answer: impl Future<Output = Result<Response<Body>, E>>,
    ) -> Result<Response<Body>, E> {
        match self.places.try_acquire() {
            Ok(_place) => answer.await,
            Err(_) => Ok(status::too_many_waiting(self.most).into_http()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::convert::Infallible;

    use futures::{FutureExt as _, future};
    use tonic::{Code, Status};

    use super::*;

    fn status_of(answer: Option<Result<Response<Body>, Infallible>>) -> Option<Code> {
        let Ok(response) = answer?;
        Some(Status::from_header_map(response.headers()).map_or(Code::Ok, |s| s.code()))
    }

    #[test]
    fn a_call_beyond_the_bound_is_refused_until_another_is_answered_or_gone() {
        let waiting = Waiting::new(1);
        let answer = || future::ready(Ok::<_, Infallible>(Response::new(Body::empty())));
        let again = || status_of(waiting.clone().answered(answer()).now_or_never());
        {
            let mut first = Box::pin(waiting.clone().answered(future::pending()));
            assert_eq!(status_of(first.as_mut().now_or_never()), None);
            assert_eq!(again(), Some(Code::ResourceExhausted));
        }
        assert_eq!(again(), Some(Code::Ok));
        assert_eq!(again(), Some(Code::Ok));
    }
}
