//! Lists longer than a page: asks for page after page until there is enough.

use tonic::Status;

use super::failure::Failure;

/// The largest page a server gives.
const PAGE_SIZE_MAX: usize = 1_000;

/// A page: its items and the token of the next one, empty on the last.
pub type Page<T> = (Vec<T>, String);

/// Asks `fetch` (page size, page token) until there are `limit` items or no more; returns
/// them with the token of what was left, empty when nothing was.
///
/// # Errors
/// The first refusal.
pub async fn collect<T, F, Fut>(limit: usize, mut fetch: F) -> Result<Page<T>, Failure>
where
    F: FnMut(i32, String) -> Fut,
    Fut: Future<Output = Result<Page<T>, Status>>,
{
    let mut all = Vec::new();
    let mut token = String::new();
    while all.len() < limit {
        let size = i32::try_from((limit - all.len()).min(PAGE_SIZE_MAX)).unwrap_or(i32::MAX);
        let (page, next) = fetch(size, token).await?;
        all.extend(page);
        token = next;
        if token.is_empty() {
            break;
        }
    }
    Ok((all, token))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of `total` numbers in pages of at most 1000, with the start as token.
    async fn numbers(total: usize, size: i32, token: String) -> Result<Page<usize>, Status> {
        let from: usize = token.parse().unwrap_or(0);
        let size = usize::try_from(size).map_err(|e| Status::internal(e.to_string()))?;
        let until = (from + size).min(total);
        let next = if until < total {
            until.to_string()
        } else {
            String::new()
        };
        Ok(((from..until).collect(), next))
    }

    #[tokio::test]
    async fn pages_are_joined_up_to_the_limit() {
        let (all, rest) = collect(1_500, |size, token| numbers(3_000, size, token))
            .await
            .expect("pages");
        assert_eq!(all, (0..1_500).collect::<Vec<_>>());
        assert_eq!(rest, "1500");
    }

    #[tokio::test]
    async fn the_last_page_ends_it() {
        let (all, rest) = collect(50, |size, token| numbers(7, size, token))
            .await
            .expect("pages");
        assert_eq!((all.len(), rest.as_str()), (7, ""));
    }

    #[tokio::test]
    async fn a_refusal_is_passed_on() {
        let refused = collect::<usize, _, _>(5, |_, _| async { Err(Status::not_found("x")) })
            .await
            .expect_err("refused");
        assert_eq!(refused.exit_code(), 2);
    }
}
