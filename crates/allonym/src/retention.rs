//! One retention question in words: what the policy says, what the cell says, and when it is.

use crate::{Failure, Result};
use allonym_retention::{Anchor, Rule, Term, Zone};
use jiff::Timestamp;

pub use allonym_retention::Verdict;

/// A question as a policy and a cell put it.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The cell the period is counted from; `None` is null.
    pub anchor: Option<&'a str>,
    /// `date`, `timestamp_tz`, `timestamp_naive`, or `string` (any of these, ISO 8601).
    pub anchor_type: &'a str,
    /// How long it is kept, as in `P5Y`.
    pub duration: &'a str,
    /// Zone in which days begin.
    pub policy_tz: &'a str,
    /// The date of the decision, RFC 3339.
    pub now: &'a str,
    /// Zone of timestamps without one.
    pub assume_tz: Option<&'a str>,
    /// The legal hold that covers the row, if one does.
    pub hold: Option<&'a str>,
    /// The statutory floor.
    pub retain_at_least: Option<&'a str>,
}

/// When it expires, RFC 3339 in UTC, and the verdict in the words of the contract.
pub type Answer = (Option<String>, &'static str);

/// Decides one row. A mistake of the policy (a period that is none, an unknown zone, a floor above
/// the period) is the verdict `policy_error`; under a floor the expiry by the period is told still.
///
/// # Errors
/// A mistake of the caller: an unknown anchor type, a `now` that is no instant.
pub fn decide(question: &Question<'_>) -> Result<Answer> {
    let Question { anchor, anchor_type, now, .. } = *question;
    let as_of: Timestamp = now.parse().map_err(|_| {
        usage("now is no instant; write it with an offset, as in 2026-01-01T00:00:00Z")
    })?;
    let fits: fn(Anchor) -> bool = match anchor_type {
        "date" => |anchor| matches!(anchor, Anchor::Date(_)),
        "timestamp_tz" => |anchor| matches!(anchor, Anchor::Instant(_)),
        "timestamp_naive" => |anchor| matches!(anchor, Anchor::Wall(_)),
        "string" => |_| true,
        _ => {
            return Err(usage("anchor_type is one of date, timestamp_tz, timestamp_naive, string"));
        }
    };
    let anchor = match Anchor::read(anchor) {
        Anchor::Null => Anchor::Null,
        read if fits(read) => read,
        _ => Anchor::Unreadable,
    };
    let Some((mut rule, floor)) = rule(question) else { return Ok((None, POLICY_ERROR)) };
    match Term::new(rule.term.duration(), floor) {
        Err(_) => {
            let expires_at = rule.expires_at(anchor);
            Ok((expires_at.map(|at| at.to_string()), POLICY_ERROR))
        }
        Ok(term) => {
            rule.term = term;
            let held = question.hold.is_some_and(|hold| !hold.is_empty());
            let decision = rule.decide(anchor, held, as_of);
            Ok((decision.expires_at.map(|at| at.to_string()), decision.verdict.word()))
        }
    }
}

/// The rule without its floor, and the floor; `None` when one of its parts is not what it should be.
fn rule(question: &Question<'_>) -> Option<(Rule, Option<allonym_retention::Period>)> {
    let duration = question.duration.parse().ok()?;
    let floor = question.retain_at_least.map(str::parse).transpose().ok()?;
    let zone = Zone::named(question.policy_tz).ok()?;
    let mut rule = Rule::new(Term::new(duration, None).ok()?, zone);
    rule.assume_zone = question.assume_tz.map(Zone::named).transpose().ok()?;
    Some((rule, floor))
}

fn usage(message: &str) -> Failure {
    Failure::new("ALO-U010", 2, message)
}

const POLICY_ERROR: &str = "policy_error";

#[cfg(test)]
mod tests {
    use super::*;

    const QUESTION: Question<'_> = Question {
        anchor: Some("2024-01-31"),
        anchor_type: "date",
        duration: "P1M",
        policy_tz: "UTC",
        now: "2024-03-01T00:00:00Z",
        assume_tz: None,
        hold: None,
        retain_at_least: None,
    };

    fn told(question: Question<'_>) -> (Option<String>, &'static str) {
        decide(&question).unwrap()
    }

    #[test]
    fn questions_in_words_are_answered_in_words() {
        let expiry = Some("2024-03-01T00:00:00Z".to_owned());
        assert_eq!(told(QUESTION), (expiry.clone(), "expired"));
        let held = Question { hold: Some("LH-1"), ..QUESTION };
        assert_eq!(told(held), (expiry.clone(), "expired_on_hold"));
        let nobody = Question { hold: Some(""), ..QUESTION };
        assert_eq!(told(nobody), (expiry.clone(), "expired"));
        let floor = Question { retain_at_least: Some("P2M"), ..QUESTION };
        assert_eq!(told(floor), (expiry, "policy_error"));
    }

    #[test]
    fn mistakes_of_the_policy_are_a_verdict() {
        for question in [
            Question { duration: "1Y", ..QUESTION },
            Question { retain_at_least: Some("5Y"), ..QUESTION },
            Question { policy_tz: "Mars/Olympus", ..QUESTION },
            Question { assume_tz: Some("local"), ..QUESTION },
        ] {
            assert_eq!(told(question), (None, "policy_error"), "{question:?}");
        }
    }

    #[test]
    fn a_cell_of_another_type_is_unreadable() {
        for (anchor, anchor_type) in [
            ("2024-01-31T00:00:00Z", "date"),
            ("2024-01-31", "timestamp_tz"),
            ("2024-01-31T00:00:00", "timestamp_tz"),
            ("2024-01-31T00:00:00Z", "timestamp_naive"),
            ("31.01.2024", "string"),
        ] {
            let question = Question { anchor: Some(anchor), anchor_type, ..QUESTION };
            assert_eq!(told(question), (None, "unreadable_anchor"), "{anchor} {anchor_type}");
        }
    }

    #[test]
    fn mistakes_of_the_caller_are_errors() {
        for question in [
            Question { now: "2024-03-01", ..QUESTION },
            Question { now: "2024-03-01T00:00:00", ..QUESTION },
            Question { anchor_type: "datetime", ..QUESTION },
        ] {
            let failure = decide(&question).unwrap_err();
            assert_eq!((failure.code, failure.exit), ("ALO-U010", 2), "{question:?}");
        }
    }
}
