//! Times of documents and entries: whole seconds in UTC, written `YYYY-MM-DDTHH:MM:SSZ` and in no other way.

use std::fmt;
use std::str::FromStr;

/// A moment in whole seconds since 1970-01-01T00:00:00Z, from the year 1970 to the year 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// The text is not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a time as YYYY-MM-DDTHH:MM:SSZ between the years 1970 and 9999")]
pub struct TimeError;

impl Timestamp {
    /// 9999-12-31T23:59:59Z.
    pub const MAX: Self = Self(253_402_300_799);

    /// From seconds since 1970; what lies after the year 9999 becomes its last second.
    pub fn from_unix(seconds: u64) -> Self {
        Self(seconds).min(Self::MAX)
    }

    /// Seconds since 1970.
    pub fn unix(self) -> u64 {
        self.0
    }

    /// This many seconds later.
    #[must_use]
    pub fn plus(self, seconds: u64) -> Self {
        Self::from_unix(self.0.saturating_add(seconds))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.0 / 86_400, self.0 % 86_400);
        let (year, month, day) = date_of(days);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    /// Accepts only what [`Timestamp`] writes: no fraction, no offset, no leap second, no impossible date.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let number = |from: usize, to: usize| -> Result<u64, TimeError> {
            let digits = text.get(from..to).ok_or(TimeError)?;
            digits.bytes().all(|byte| byte.is_ascii_digit()).then_some(()).ok_or(TimeError)?;
            digits.parse().map_err(|_| TimeError)
        };
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        let between = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
        let has_form = text.len() == 20 && between.iter().all(|(at, byte)| text.as_bytes()[*at] == *byte);
        let is_moment = year >= 1970 && (1..=12).contains(&month) && day > 0 && hour < 24 && minute < 60 && second < 60;
        if !has_form || !is_moment {
            return Err(TimeError);
        }
        let days = days_before(year, month, day);
        // A day that the month does not have counts into the next month, and comes back as another date.
        if date_of(days) != (year, month, day) {
            return Err(TimeError);
        }
        Ok(Self::from_unix(days * 86_400 + hour * 3600 + minute * 60 + second))
    }
}

/// Days of the Gregorian calendar in the 400 years that it repeats after.
const DAYS_IN_400_YEARS: u64 = 146_097;
/// Days from 0000-03-01, where the count below begins, to 1970-01-01.
const EPOCH: u64 = 719_468;

/// Days from 1970-01-01 to a date. Years are counted from March, so that the leap day is a year's last.
fn days_before(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - EPOCH
}

/// The date that lies this many days after 1970-01-01.
fn date_of(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH;
    let (era, day_of_era) = (days / DAYS_IN_400_YEARS, days % DAYS_IN_400_YEARS);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn known_moments() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_679_315_147, "2023-03-20T12:25:47Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Timestamp::from_unix(seconds).to_string(), text);
            assert_eq!(text.parse(), Ok(Timestamp::from_unix(seconds)));
        }
    }

    #[test]
    fn every_day_of_four_centuries_round_trips() {
        for day in 0..DAYS_IN_400_YEARS {
            let time = Timestamp::from_unix(day * 86_400 + 86_399);
            assert_eq!(time.to_string().parse(), Ok(time));
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for text in [
            "",
            "2026-11-21",
            "2026-11-21T22:30:00",
            "2026-11-21t22:30:00z",
            "2026-11-21 22:30:00Z",
            "2026-11-21T22:30:00.0Z",
            "2026-11-21T22:30:00+00:00",
            "2026-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:60:00Z",
            "2026-12-31T23:59:60Z",
            "1969-12-31T23:59:59Z",
            "+026-01-01T00:00:00Z",
            "2026-1-01T00:00:000Z",
            "２０26-01-01T00:00:00Z",
            "10000-01-01T00:00:00Z",
            "2026-01-01T00:00:00Z ",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimeError), "{text:?}");
        }
    }
}
