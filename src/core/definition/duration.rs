//! Durations as definitions write them: `500ms`, `30s`, `1.5s`, `5m`, `1h30m`, `1d`, and the
//! canonical JSON form (`300s`) among them.

use prost_types::Duration;

const SECOND: i128 = 1_000_000_000;

/// Units, longest first, in nanoseconds.
const UNITS: [(&str, i128); 7] = [
    ("d", 86_400 * SECOND),
    ("h", 3_600 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// The longest span of `google.protobuf.Duration`, about 10,000 years.
const NANOS_MAX: i128 = 315_576_000_000 * SECOND;

/// Reads a duration. Units may be combined, longest first; a number may have a fraction of at
/// most 9 digits. A leading `-` is read too, as the canonical mapping has it.
///
/// # Errors
/// What is wrong with it, in words.
pub fn parse(text: &str) -> Result<Duration, String> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    if rest.is_empty() {
        return Err("it is empty".into());
    }
    let mut total: i128 = 0;
    let mut shortest = i128::MAX;
    while !rest.is_empty() {
        let (nanos, unit, tail) = part(rest)?;
        if unit >= shortest {
            return Err("units go from the longest to the shortest, each once".into());
        }
        shortest = unit;
        total += nanos;
        rest = tail;
    }
    if total > NANOS_MAX {
        return Err("it is longer than 10,000 years".into());
    }
    Ok(from_nanos(sign * total))
}

/// Writes a duration in the longest unit that needs no fraction, in seconds otherwise.
pub fn format(duration: &Duration) -> String {
    let nanos = i128::from(duration.seconds) * SECOND + i128::from(duration.nanos);
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.abs();
    let whole = UNITS[..5].iter().find(|(_, unit)| nanos % unit == 0);
    match whole {
        Some(_) if nanos == 0 => "0s".into(),
        Some((name, unit)) => format!("{sign}{}{name}", nanos / unit),
        None => {
            let fraction = format!("{:09}", nanos % SECOND);
            format!(
                "{sign}{}.{}s",
                nanos / SECOND,
                fraction.trim_end_matches('0')
            )
        }
    }
}

/// The first number and unit: nanoseconds, the unit's nanoseconds, what follows.
fn part(text: &str) -> Result<(i128, i128, &str), String> {
    let number_end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .ok_or("it has no unit")?;
    let (number, rest) = text.split_at(number_end);
    let unit_end = rest
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(rest.len());
    let (name, tail) = rest.split_at(unit_end);
    let (_, unit) = UNITS
        .iter()
        .find(|(n, _)| *n == name)
        .ok_or_else(|| match name {
            "" => format!("`{rest}` is not a unit"),
            name => format!("`{name}` is not a unit"),
        })?;
    Ok((nanos(number, *unit)?, *unit, tail))
}

fn nanos(number: &str, unit: i128) -> Result<i128, String> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let bad = || format!("`{number}` is not a number");
    if whole.is_empty() || fraction.contains('.') || number.ends_with('.') {
        return Err(bad());
    }
    if fraction.len() > 9 || whole.len() > 18 {
        return Err(format!("`{number}` has too many digits"));
    }
    let whole: i128 = whole.parse().map_err(|_| bad())?;
    let scale = 10_i128.pow(u32::try_from(fraction.len()).unwrap_or(0));
    let parts: i128 = if fraction.is_empty() {
        0
    } else {
        fraction.parse().map_err(|_| bad())?
    };
    Ok(whole * unit + parts * unit / scale)
}

fn from_nanos(nanos: i128) -> Duration {
    Duration {
        seconds: i64::try_from(nanos / SECOND).expect("bounded by NANOS_MAX"),
        nanos: i32::try_from(nanos % SECOND).expect("less than a second"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<(i64, i32), String> {
        parse(text).map(|d| (d.seconds, d.nanos))
    }

    #[test]
    fn durations_are_read() {
        for (text, expected) in [
            ("30s", (30, 0)),
            ("300s", (300, 0)),
            ("1.5s", (1, 500_000_000)),
            ("500ms", (0, 500_000_000)),
            ("5m", (300, 0)),
            ("2h", (7200, 0)),
            ("1d", (86_400, 0)),
            ("1h30m", (5400, 0)),
            ("1d2h3m4s5ms6us7ns", (93_784, 5_006_007)),
            ("0.5h", (1800, 0)),
            ("0s", (0, 0)),
            ("-1.5s", (-1, -500_000_000)),
        ] {
            assert_eq!(read(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_duration_is_refused() {
        for text in [
            "",
            "-",
            "30",
            "s",
            "1 h",
            "30m1h",
            "1m1m",
            "1.s",
            ".5s",
            "1.2.3s",
            "1y",
            "1h 30m",
            "400000000000s",
            "99999999999999999999s",
            "1.1234567891s",
            "1é",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_written_short_and_read_back() {
        for text in [
            "0s", "1d", "90m", "90s", "1500ms", "250ms", "0.0005s", "-5m", "36h",
        ] {
            let duration = parse(text).expect("it is a duration");
            assert_eq!(format(&duration), text);
        }
    }
}
