//! Answers of unary calls: never over the message limit, and compressed only when that pays.

use prost::Message;
use tonic::{Response, Status};

use super::{convert::TooLarge, status};
use crate::core::limits::Limits;

/// Below this size compression costs more time than it saves.
const COMPRESSED_BYTES_MIN: usize = 1 << 10;

/// An answer.
///
/// # Errors
/// RESOURCE_EXHAUSTED when it is over `message_bytes_max`: no client would take it.
pub fn reply<M: Message>(message: M, limits: &Limits) -> Result<Response<M>, Status> {
    let (bytes, bytes_max) = (message.encoded_len(), limits.message_bytes_max);
    if bytes > bytes_max {
        return Err(status::oversize(&[TooLarge {
            field: "response".into(),
            limit: "message_bytes_max",
            bytes,
            bytes_max,
        }]));
    }
    let mut response = Response::new(message);
    if bytes < COMPRESSED_BYTES_MIN {
        response.disable_compression();
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[test]
    fn an_answer_over_the_limit_is_refused_naming_the_limit() {
        let limits = Limits {
            message_bytes_max: 4,
            ..Limits::default()
        };
        let refused = reply("too long".to_owned(), &limits).expect_err("over the limit");
        assert_eq!(refused.code(), Code::ResourceExhausted);
        assert!(refused.message().contains("message_bytes_max"));
        assert_eq!(
            reply(String::new(), &limits).expect("fits").into_inner(),
            ""
        );
    }
}
