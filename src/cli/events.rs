//! `tutti events`: what happened in an execution, in order.

use super::{
    failure::Failure,
    global::Global,
    json, output,
    output::Tone,
    paging,
    progress::entry,
    session,
    table::{Cell, Table},
    time,
};
use crate::{
    core::time::Time,
    proto::{Event, ListEventsRequest, ListEventsResponse},
};

/// Lists the events of an execution, in order
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  tutti events 0193f4c2-…
  tutti events 0193f4c2-… --after 40 --output json")]
pub struct Args {
    /// The execution
    id: String,

    /// Only events with a greater sequence
    #[arg(long, value_name = "SEQUENCE", default_value_t = 0)]
    after: u64,

    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    limit: usize,
}

/// Prints the events.
///
/// # Errors
/// `Failure::Refused`, `Failure::Unreachable`.
pub async fn run(args: Args, global: &Global) -> Result<(), Failure> {
    let session = session::open(global).await?;
    let (events, next_page_token) = paging::collect(args.limit, |page_size, page_token| {
        let mut client = session.executions();
        let request = ListEventsRequest {
            namespace: session.namespace().to_owned(),
            execution_id: args.id.clone(),
            after_sequence: args.after,
            page_size,
            page_token,
        };
        async move {
            let response = client.list_events(request).await?.into_inner();
            Ok((response.events, response.next_page_token))
        }
    })
    .await?;
    let response = ListEventsResponse {
        events,
        next_page_token,
    };
    if global.json() {
        return output::print(&json::pretty(&response, "tutti.v1.ListEventsResponse")?);
    }
    output::print(&table(&response.events).render(global.stdout(), "no events"))?;
    if let (false, Some(last)) = (response.next_page_token.is_empty(), response.events.last()) {
        eprintln!(
            "there are more: ask for them with --after {}",
            last.sequence
        );
    }
    Ok(())
}

/// The times are spans since the event before, so that pauses are seen.
fn table(events: &[Event]) -> Table {
    let mut table = Table::new(["SEQ", "TIME", "LATER", "STEP", "EVENT", "DETAIL"]);
    let mut before = None;
    for event in events {
        let now = event.time.map(Time::from).unwrap_or_default();
        let entry = entry(event);
        table.row([
            Cell::new(event.sequence.to_string(), Tone::Dim),
            event.time.map(|t| t.to_string()).unwrap_or_default().into(),
            time::span(now.since(before.unwrap_or(now))).into(),
            Cell::new(&event.step, Tone::Strong),
            entry.kind.into(),
            Cell::new(entry.detail, Tone::Dim),
        ]);
        before = Some(now);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::output::Paint,
        proto::{StepCompleted, StepStarted, event::Kind},
    };

    #[test]
    fn events_are_listed_with_the_time_that_passed_between_them() {
        let event = |sequence: u64, millis: i64, kind| Event {
            execution_id: "0193".into(),
            sequence,
            time: Some(Time::from_nanos(millis * 1_000_000).into()),
            step: "pay".into(),
            kind: Some(kind),
        };
        let started = StepStarted {
            attempt: 1,
            worker_id: "w1".into(),
            agent: "payment".into(),
            ..Default::default()
        };
        let completed = StepCompleted {
            attempt: 2,
            ..Default::default()
        };
        let events = [
            event(3, 0, Kind::StepStarted(started)),
            event(4, 1_500, Kind::StepCompleted(completed)),
        ];
        assert_eq!(
            table(&events).render(Paint::new(false), ""),
            "SEQ  TIME                      LATER  STEP  EVENT           DETAIL\n\
             3    1970-01-01T00:00:00Z      0 ms   pay   step_started    payment on w1\n\
             4    1970-01-01T00:00:01.500Z  1.5 s  pay   step_completed  attempt 2"
        );
    }
}
