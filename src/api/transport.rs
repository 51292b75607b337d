//! What happens to every call before it is read and after it is answered.

use http::{Request, Response};
use tokio::time::Instant;
use tonic::{Status, body::Body};

use super::{deadline::Arrival, status};

/// Notes when a call arrived: the caller's deadline counts from there, not from when a large
/// message has been read.
pub fn mark_arrival<B>(mut request: Request<B>) -> Request<B> {
    request.extensions_mut().insert(Arrival(Instant::now()));
    request
}

/// Puts our own status in place of one that tonic gave because it could not read a message.
pub fn say_in_our_words(response: Response<Body>) -> Response<Body> {
    let ours = Status::from_header_map(response.headers())
        .as_ref()
        .and_then(status::of_transport);
    ours.map_or(response, Status::into_http)
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    fn code_of(status: Status) -> Code {
        let response = say_in_our_words(status.into_http());
        let said = Status::from_header_map(response.headers());
        said.expect("a status").code()
    }

    #[test]
    fn only_what_tonic_said_of_a_message_is_said_anew() {
        let large = "Error, decoded message length too large: found 9 bytes, the limit is: 8 bytes";
        assert_eq!(
            code_of(Status::out_of_range(large)),
            Code::ResourceExhausted
        );
        assert_eq!(
            code_of(Status::out_of_range("sequence 9")),
            Code::OutOfRange
        );
        assert_eq!(code_of(Status::not_found("no such method")), Code::NotFound);
    }

    #[test]
    fn an_answer_without_a_status_passes() {
        let answer = say_in_our_words(Response::new(Body::empty()));
        assert!(Status::from_header_map(answer.headers()).is_none());
    }
}
