//! The token that names one hand-out of one attempt. Results count under it only; its lease
//! is random, so it cannot be guessed from the attempt.

use std::{fmt, str::FromStr};

use uuid::Uuid;

use super::TaskKey;

/// Names one hand-out of one attempt. As text 64 lower-case hex digits: execution, sequence,
/// lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token {
    /// The attempt.
    pub key: TaskKey,
    /// Tells this hand-out from every other one; never 0.
    pub lease: u64,
}

/// Why a text is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not as long as a token.
    #[error("a token has {TEXT_LEN} characters, this has {0}")]
    Length(usize),
    /// Something else than hex digits.
    #[error("a token has hex digits only")]
    Digit,
    /// The lease is 0, which no hand-out has.
    #[error("the token names no lease")]
    NoLease,
}

/// 16 bytes of UUID, 8 of sequence and 8 of lease, two digits each.
const TEXT_LEN: usize = 64;

impl Token {
    /// A token for a new hand-out of `key`, with a random lease.
    pub fn fresh(key: TaskKey) -> Self {
        let (high, low) = Uuid::new_v4().as_u64_pair();
        Self {
            key,
            lease: (high ^ low).max(1),
        }
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TaskKey {
            execution_id,
            sequence,
        } = self.key;
        let (id, lease) = (execution_id.as_u128(), self.lease);
        write!(f, "{id:032x}{sequence:016x}{lease:016x}")
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        if text.len() != TEXT_LEN {
            return Err(TokenError::Length(text.chars().count()));
        }
        if !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(TokenError::Digit);
        }
        let number = |digits: &str| u64::from_str_radix(digits, 16).map_err(|_| TokenError::Digit);
        let id = u128::from_str_radix(&text[..32], 16).map_err(|_| TokenError::Digit)?;
        let token = Self {
            key: TaskKey {
                execution_id: Uuid::from_u128(id),
                sequence: number(&text[32..48])?,
            },
            lease: number(&text[48..])?,
        };
        if token.lease == 0 {
            return Err(TokenError::NoLease);
        }
        Ok(token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> TaskKey {
        TaskKey {
            execution_id: Uuid::from_u128(7),
            sequence: 42,
        }
    }

    #[test]
    fn the_text_of_a_token_reads_back() {
        let token = Token::fresh(key());
        assert_eq!(token.to_string().len(), TEXT_LEN);
        assert_eq!(token.to_string().parse(), Ok(token));
    }

    #[test]
    fn every_hand_out_has_another_lease() {
        let (one, other) = (Token::fresh(key()), Token::fresh(key()));
        assert_ne!(one, other);
        assert_ne!(one.lease, 0);
    }

    #[test]
    fn what_is_no_token_is_told_apart() {
        let parse = |text: &str| text.parse::<Token>();
        assert_eq!(parse(""), Err(TokenError::Length(0)));
        assert_eq!(parse("made-up"), Err(TokenError::Length(7)));
        assert_eq!(parse(&"x".repeat(64)), Err(TokenError::Digit));
        assert_eq!(parse(&"+".repeat(64)), Err(TokenError::Digit));
        assert_eq!(parse(&"é".repeat(32)), Err(TokenError::Digit));
        assert_eq!(parse(&"0".repeat(64)), Err(TokenError::NoLease));
    }
}
