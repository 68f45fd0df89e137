//! Choosing disjoint findings.

use crate::Span;
use std::cmp::Ordering;

/// Keeps, of findings that overlap, the one with the stronger evidence; sorts what stays.
///
/// Listed before validated before context before longer before earlier before the rule's order.
pub(crate) fn resolve(spans: &mut Vec<Span>) {
    spans.sort_unstable_by(|left, right| left.start.cmp(&right.start).then(priority(left, right)));
    if spans.windows(2).all(|pair| pair[0].end <= pair[1].start) {
        return;
    }
    let mut kept = 0;
    let mut first = 0;
    while first < spans.len() {
        let mut reach = spans[first].end;
        let mut after = first + 1;
        while after < spans.len() && spans[after].start < reach {
            reach = reach.max(spans[after].end);
            after += 1;
        }
        kept = resolve_cluster(spans, kept, first, after);
        first = after;
    }
    spans.truncate(kept);
}

/// Resolves `spans[first..after]`, which overlap only each other, and moves what stays to
/// `spans[kept..]`; the new end of what is kept.
fn resolve_cluster(spans: &mut [Span], kept: usize, first: usize, after: usize) -> usize {
    spans[first..after].sort_unstable_by(priority);
    let mut end = kept;
    for place in first..after {
        let span = spans[place];
        // INVARIANT: `spans[kept..end]` is sorted and disjoint, and `end <= place`.
        let here = kept + spans[kept..end].partition_point(|other| other.end <= span.start);
        if here < end && spans[here].start < span.end {
            continue;
        }
        spans[end] = span;
        spans[here..=end].rotate_right(1);
        end += 1;
    }
    end
}

/// The stronger evidence first.
fn priority(left: &Span, right: &Span) -> Ordering {
    let key = |span: &Span| {
        (
            !span.evidence.listed,
            !span.evidence.validated,
            span.evidence.phrase.is_none(),
            usize::MAX - (span.end - span.start),
            span.start,
            span.rule,
        )
    };
    key(left).cmp(&key(right))
}
