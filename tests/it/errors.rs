//! Bad input gets the status code that fits, with details that say what is wrong with what.

mod expressions;
mod fields;
mod limits;
mod state;
mod unknown;

use tonic::{Code, Status};
use tonic_types::{ErrorDetail, StatusExt as _};

/// Code and reason. Every status has exactly one `ErrorInfo`, of our domain.
pub fn told(status: &Status) -> (Code, String) {
    let infos: Vec<_> = status
        .get_error_details_vec()
        .into_iter()
        .filter_map(|detail| match detail {
            ErrorDetail::ErrorInfo(info) => Some(info),
            _ => None,
        })
        .collect();
    assert_eq!(infos.len(), 1, "{status:?}");
    assert_eq!(infos[0].domain, "tutti.dev", "{status:?}");
    (status.code(), infos[0].reason.clone())
}

/// The fields of the `BadRequest`, in its order, each with what is wrong with it.
pub fn bad_fields(status: &Status) -> Vec<(String, String)> {
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let details = status.get_error_details();
    let bad = details.bad_request().expect("a BadRequest");
    let fields = bad.field_violations.iter();
    fields
        .map(|v| (v.field.clone(), v.description.clone()))
        .collect()
}

/// The names of the bad fields, sorted.
pub fn bad_names(status: &Status) -> Vec<String> {
    let mut names: Vec<_> = bad_fields(status).into_iter().map(|(f, _)| f).collect();
    names.sort();
    names
}

fn resource(status: &Status) -> (String, String) {
    let details = status.get_error_details();
    let resource = details.resource_info().expect("a ResourceInfo");
    (
        resource.resource_type.clone(),
        resource.resource_name.clone(),
    )
}

/// The status of a call that is to be refused.
pub async fn refused<T>(call: impl Future<Output = Result<T, Status>>) -> Status {
    call.await.map(drop).unwrap_err()
}

const ONE: &str = "name: one\nsteps: [ { id: a, agent: one } ]";
const UNKNOWN: &str = "018f6b1c-3c5e-7a90-9b1d-1f2e3d4c5b6a";
