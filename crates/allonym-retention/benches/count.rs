//! Verdict counts against the plainest way to count one thing of the same column.

use allonym_retention::{Anchor, Judge, Rule, Term, Zone};
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, PrimitiveArray};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;

/// Ten years of anchors, in no order.
fn anchors(rows: u64, nulls: bool) -> PrimitiveArray<TimestampMicrosecondType> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let values = (0..rows).map(|row| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = 1_451_606_400_000_000
            + i64::try_from(state >> 16).expect("48 bits fit") % 315_000_000_000_000;
        (!nulls || row % 100 != 0).then_some(at)
    });
    values.collect::<PrimitiveArray<TimestampMicrosecondType>>().with_timezone("UTC")
}

fn count(c: &mut Criterion) {
    let term = Term::new("P5Y".parse().expect("a period"), None).expect("no floor");
    let rule = Rule::new(term, Zone::named("Europe/Berlin").expect("a zone"));
    let as_of = "2026-01-15T00:00:00Z".parse().expect("an instant");
    let rows = 50_000_000;
    let mut group = c.benchmark_group("count 50 million anchors");
    group.throughput(Throughput::Elements(rows)).sample_size(10);
    for (name, nulls) in [("verdicts", false), ("verdicts, one row in a hundred null", true)] {
        let column = anchors(rows, nulls);
        let judge = Judge::new(&rule, as_of, Anchor::Null, column.data_type()).expect("an anchor");
        group.bench_function(name, |b| {
            b.iter(|| judge.count(black_box(&column), None).expect("its type"))
        });
    }
    let column = anchors(rows, false);
    let cut = 1_610_000_000_000_000_i64;
    group.bench_function("plain filter and count", |b| {
        b.iter(|| black_box(&column).values().iter().filter(|at| **at < cut).count());
    });
    group.finish();
}

criterion_group!(benches, count);
criterion_main!(benches);
